//! R2: texts go in and come out, and what is there is listed. Contents are the matter of `content.mjs`.
//! <https://developers.cloudflare.com/r2/api/workers/workers-api-reference/>

use js_sys::{Array, Date, Object, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::platform::{Effect, set};

/// The most that a page may hold.
pub const PAGE_MAX: u32 = 1_000;

#[wasm_bindgen]
extern "C" {
    /// A bucket.
    #[derive(Clone)]
    pub type Bucket;
    #[wasm_bindgen(method, catch)]
    pub fn put(
        this: &Bucket,
        key: &str,
        value: &Uint8Array,
        options: &Object,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = put)]
    fn put_text(this: &Bucket, key: &str, text: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn head(this: &Bucket, key: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn get(this: &Bucket, key: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = delete)]
    fn remove(this: &Bucket, key: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn list(this: &Bucket, options: &Object) -> Result<Promise, JsValue>;

    type Stored;
    #[wasm_bindgen(method, catch)]
    fn text(this: &Stored) -> Result<Promise, JsValue>;

    /// Some of what is there.
    pub type Page;
    #[wasm_bindgen(method, getter)]
    pub fn objects(this: &Page) -> Array;
    /// There is more.
    #[wasm_bindgen(method, getter)]
    pub fn truncated(this: &Page) -> bool;
    /// From where on, if there is more.
    #[wasm_bindgen(method, getter)]
    pub fn cursor(this: &Page) -> Option<String>;

    /// An object of a page.
    pub type Listed;
    #[wasm_bindgen(method, getter)]
    pub fn key(this: &Listed) -> String;
    #[wasm_bindgen(method, getter)]
    fn uploaded(this: &Listed) -> Date;
}

/// Where a page begins.
#[derive(Clone, Copy, Debug)]
pub enum PageStart<'a> {
    First,
    /// Behind this key.
    After(&'a str),
    Cursor(&'a str),
}

impl Bucket {
    /// Writes an object, whatever is there.
    pub fn write(&self, key: &str, text: &str) -> Effect<'static, Result<(), JsValue>> {
        settled(self.put_text(key, text))
    }

    /// Whether there is an object of this key.
    pub fn has(&self, key: &str) -> Effect<'static, Result<bool, JsValue>> {
        let begun = self.head(key);
        Box::pin(async move { Ok(!JsFuture::from(begun?).await?.is_null()) })
    }

    /// The text of an object. `None`: there is none of this key.
    pub fn read(&self, key: &str) -> Effect<'static, Result<Option<String>, JsValue>> {
        let begun = self.get(key);
        Box::pin(async move {
            let found = JsFuture::from(begun?).await?;
            if found.is_null() {
                return Ok(None);
            }
            let stored: Stored = found.unchecked_into();
            Ok(JsFuture::from(stored.text()?).await?.as_string())
        })
    }

    /// Removes an object, if there is one of this key.
    pub fn delete(&self, key: &str) -> Effect<'static, Result<(), JsValue>> {
        settled(self.remove(key))
    }

    /// Up to `limit` objects whose keys begin so, in the order of their keys.
    pub fn page(
        &self,
        prefix: &str,
        limit: u32,
        start: PageStart<'_>,
    ) -> Effect<'static, Result<Page, JsValue>> {
        let options = Object::new();
        set(&options, "prefix", &prefix.into());
        set(&options, "limit", &limit.into());
        match start {
            PageStart::First => {}
            PageStart::After(key) => set(&options, "startAfter", &key.into()),
            PageStart::Cursor(cursor) => set(&options, "cursor", &cursor.into()),
        }
        let begun = self.list(&options);
        Box::pin(async move { Ok(JsFuture::from(begun?).await?.unchecked_into()) })
    }
}

impl Page {
    pub fn listed(&self) -> impl Iterator<Item = Listed> {
        self.objects().into_iter().map(JsCast::unchecked_into)
    }
}

impl Listed {
    /// Milliseconds since 1970.
    pub fn uploaded_ms(&self) -> i64 {
        self.uploaded().get_time() as i64
    }
}

fn settled(begun: Result<Promise, JsValue>) -> Effect<'static, Result<(), JsValue>> {
    Box::pin(async move {
        JsFuture::from(begun?).await?;
        Ok(())
    })
}
