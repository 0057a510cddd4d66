//! An [`Answer`] as the platform's `Response`.

use wasm_bindgen::JsValue;
use web_sys::{Headers, Response, ResponseInit};

use crate::answer::Answer;

/// # Errors
/// The platform refuses the parts; `entry.mjs` answers 503 then.
pub fn respond(answer: &Answer) -> Result<Response, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in &answer.headers {
        headers.set(name, value)?;
    }
    let init = ResponseInit::new();
    init.set_status(answer.status);
    init.set_headers(&headers);
    // 204 and 205 take no body, not even an empty one.
    let body = (!answer.body.is_empty()).then_some(answer.body.as_str());
    Response::new_with_opt_str_and_init(body, &init)
}
