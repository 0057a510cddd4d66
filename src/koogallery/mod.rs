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

use crate::keys::LiveKey;
use crate::scheme::Algorithm;
use crate::verdict::{Reject, Verdict};

pub use field::EncryptedField;

/// The body of the answer. `kind` is the event's activity, where it is known.
pub fn body(verdict: Verdict, kind: Option<&str>) -> String {
    let (code, text) = result(verdict, kind);
    format!("{{\"resultCode\":\"{code}\",\"resultMsg\":\"{text}\"}}")
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

fn result(verdict: Verdict, kind: Option<&str>) -> (&'static str, &'static str) {
    match verdict {
        // These two need an answer that only a backend can give: said to be in progress.
        Verdict::Accepted | Verdict::Revived | Verdict::Duplicate
            if matches!(kind, Some("newInstance" | "queryInstance")) =>
        {
            ("000004", "in progress")
        }
        Verdict::Accepted | Verdict::Revived | Verdict::Duplicate | Verdict::Challenged => {
            ("000000", "success")
        }
        Verdict::Observed | Verdict::Unavailable(_) => ("000005", "internal error"),
        Verdict::Refused(reject) => match reject {
            Reject::MissingTime
            | Reject::MalformedTime(_)
            | Reject::MissingSignedPart
            | Reject::MalformedSignedPart(_)
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
            | Reject::Stale { .. }
            | Reject::FromFuture { .. } => ("000001", "authentication failed"),
        },
    }
}
