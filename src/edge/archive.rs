//! Dead letters in R2: one object each.

use wasm_bindgen::JsValue;
use worker::Env;

use super::bucket::PageStart;
use super::content;
use super::platform::{self, Bound, Effect, describe_value};
use crate::audit::Notice;
use crate::dead::{DeadLetter, PREFIX, Summary};

/// The archive did not do what it was asked. The log says why.
#[derive(Clone, Copy, Debug)]
pub struct Failed;

/// A page of dead letters, and where the next one begins.
pub struct Page {
    pub letters: Vec<Summary>,
    pub cursor: Option<String>,
}

/// Keeps a letter, its content first: a letter that is there has its content, as far as there was one.
/// One that is there already is the same message's, and may bear an operator's mark: it is left alone.
pub fn keep<'a>(env: &'a Env, letter: &'a DeadLetter) -> Effect<'a, Result<(), Failed>> {
    Box::pin(async move {
        let known = env.archive().has(&letter.key()).await;
        if known.map_err(failed)? {
            return Ok(());
        }
        if let Some((key, check)) = letter.content() {
            // A content that is missing is missing from its letter too, which may say so.
            content::duplicate(env, &check.key, &key).await?;
        }
        write(env, letter).await
    })
}

/// Writes a letter, whatever is there.
pub async fn write(env: &Env, letter: &DeadLetter) -> Result<(), Failed> {
    let text = serde_json::to_string(letter).map_err(|_| Failed)?;
    let written = env.archive().write(&letter.key(), &text);
    written.await.map_err(failed)
}

/// # Errors
/// Also where the object is there and is not a letter.
pub fn read<'a>(env: &'a Env, id: &'a str) -> Effect<'a, Result<Option<DeadLetter>, Failed>> {
    Box::pin(async move {
        let found = env.archive().read(&format!("{PREFIX}{id}")).await;
        let Some(text) = found.map_err(failed)? else {
            return Ok(None);
        };
        DeadLetter::from_archive(&text).map(Some).ok_or(Failed)
    })
}

/// Up to `limit` letters after `cursor`. One that cannot be read is listed as such.
pub async fn list(env: &Env, cursor: Option<&str>, limit: u32) -> Result<Page, Failed> {
    let start = cursor.map_or(PageStart::First, PageStart::Cursor);
    let found = env.archive().page(PREFIX, limit, start).await;
    let found = found.map_err(failed)?;
    let mut letters = Vec::new();
    for object in found.listed() {
        let key = object.key();
        let id = key.strip_prefix(PREFIX).unwrap_or(&key);
        letters.push(match read(env, id).await {
            Ok(Some(letter)) => letter.summary(),
            Ok(None) => continue,
            Err(Failed) => Summary::unreadable(id),
        });
    }
    let cursor = found.truncated().then(|| found.cursor()).flatten();
    Ok(Page { letters, cursor })
}

fn failed(error: JsValue) -> Failed {
    platform::notice(&Notice::ArchiveFailed {
        detail: &describe_value(&error),
    });
    Failed
}
