//! KooGallery's answers: HTTP 200 whatever happened, a `resultCode`, and a signed body.
//!
//! Source: <https://support.huaweicloud.com/intl/en-us/accessg-marketplace/en-us_topic_0070649067.html>
//! (`Body-Sign`) and en-us_topic_0070649057 (result codes). The header is
//! `sign_type="HMAC-SHA256", signature= "…"`, the base64 of HMAC-SHA256 over the whole body under
//! the access key. The name's case is lost on the platform (HTTP/2 has none); whether Huawei's
//! debugger minds is not known.

mod field;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use serde_json::Value;

use crate::answer::Known;
use crate::delivery::public_id;
use crate::keys::LiveKey;
use crate::scheme::Algorithm;
use crate::verdict::{Reject, Verdict};

pub use field::{EncryptedField, encrypted_fields, with_plain};

/// The body of the answer. `front_end_url` is the source's.
pub fn body(verdict: Verdict, known: Known<'_>, front_end_url: Option<&str>) -> String {
    let (code, text) = result(verdict, known.kind);
    let mut body = format!("{{\"resultCode\":\"{code}\",\"resultMsg\":\"{text}\"");
    if is_taken(verdict)
        && known.kind == Some("newInstance")
        && let Some(key) = known.dedup_key
    {
        body.push_str(&format!(",\"instanceId\":\"{}\"", instance_id(key)));
        if let Some(url) = front_end_url {
            let url = Value::from(url);
            body.push_str(&format!(",\"appInfo\":{{\"frontEndUrl\":{url}}}"));
        }
    }
    body.push('}');
    body
}

/// The instance that a `newInstance` makes. KooGallery sends an order again, and several times at once,
/// and wants one id for it. So the id is derived from the key of the order's event, which is made of
/// tenant, source and what names the order: twins agree on it without asking a store, and a secret that
/// is rotated changes nothing. It is the `webhook-id` under which the backend is given the order.
pub fn instance_id(dedup_key: &str) -> String {
    public_id(dedup_key)
}

fn is_taken(verdict: Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Accepted | Verdict::Revived | Verdict::Duplicate
    )
}

/// The value of `Body-Sign`.
pub fn body_sign(key: &LiveKey, body: &str) -> String {
    let mut mac = key.mac(Algorithm::HmacSha256, None);
    mac.update(body.as_bytes());
    format!(
        "sign_type=\"HMAC-SHA256\", signature= \"{}\"",
        STANDARD.encode(mac.tag())
    )
}

/// What `queryInstance` is told of an instance. The gate keeps no record of instances, so each is still on its
/// way, and KooGallery asks again; a record of them would be asked here, and nowhere else.
const fn of_an_instance() -> (&'static str, &'static str) {
    ("000004", "in progress")
}

fn result(verdict: Verdict, kind: Option<&str>) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Challenged if kind == Some("queryInstance") => of_an_instance(),
        Verdict::Accepted
        | Verdict::Revived
        | Verdict::Duplicate
        | Verdict::Challenged
        | Verdict::Permitted { .. } => ("000000", "success"),
        Verdict::Observed | Verdict::Unavailable(_) => ("000005", "internal error"),
        Verdict::Refused(reject) => match reject {
            Reject::MissingTime
            | Reject::MalformedTime(_)
            | Reject::MissingSignedPart
            | Reject::MalformedSignedPart(_)
            | Reject::MalformedEvent(_)
            | Reject::BodyTooLarge { .. } => ("000002", "invalid parameter"),
            Reject::UnknownSource
            | Reject::MethodNotAllowed
            | Reject::MissingSignature
            | Reject::MalformedSignature(_)
            | Reject::SignatureMismatch
            | Reject::PinMismatch
            | Reject::UrlNotAllowed
            | Reject::TokenNotAllowed
            | Reject::BodyDigestMismatch
            | Reject::HandshakeRefused
            | Reject::HandshakeClosed
            | Reject::HandshakeTaken
            | Reject::Stale { .. }
            | Reject::FromFuture { .. } => ("000001", "authentication failed"),
        },
    }
}
