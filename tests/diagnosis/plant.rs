//! Requests with a mistake in them, signed with the MACs of the crates and none of the gate's code.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::support::{NOW_MS, Request};

pub const SECRET: &str = "Zx81-Spectrum_QL";
pub const BODY: &str = "{\"id\":\"evt_1\",\"note\":\"caf\u{e9} a/b\",\"amount\":1.50}\n";
pub const TIME: &str = "1760000000";

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

pub fn request(target: &str, headers: &[(&str, String)], body: &[u8]) -> Request {
    Request {
        method: "POST".into(),
        target: target.into(),
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        body: body.to_vec(),
        now_ms: NOW_MS,
        documents: Default::default(),
    }
}

/// A mistake, and a request with it.
pub struct Plant {
    pub name: &'static str,
    pub scheme: &'static str,
    pub secret: String,
    pub retired: Option<&'static str>,
    pub request: Request,
}

pub fn plant(name: &'static str, scheme: &'static str, secret: &str, request: Request) -> Plant {
    Plant {
        name,
        scheme,
        secret: secret.into(),
        retired: None,
        request,
    }
}

/// GitHub: hex of the MAC over `signed`, while `sent` is sent.
pub fn github(name: &'static str, key: &[u8], signed: &[u8], sent: &[u8]) -> Plant {
    let signature = format!("sha256={}", hex(&sha256(key, signed)));
    plant(
        name,
        "github",
        SECRET,
        request("/hooks/vector", &[("x-hub-signature-256", signature)], sent),
    )
}

/// GitHub with a signature that is written so.
pub fn github_written(name: &'static str, write: impl Fn(&[u8]) -> String) -> Plant {
    let signature = write(&sha256(SECRET.as_bytes(), BODY.as_bytes()));
    plant(
        name,
        "github",
        SECRET,
        request(
            "/hooks/vector",
            &[("x-hub-signature-256", signature)],
            BODY.as_bytes(),
        ),
    )
}

/// Stripe: `time` is sent, `signed` is signed.
pub fn stripe(name: &'static str, secret: &str, key: &[u8], time: &str, signed: &str) -> Plant {
    let signature = format!("t={time},v1={}", hex(&sha256(key, signed.as_bytes())));
    plant(
        name,
        "stripe",
        secret,
        request(
            "/hooks/vector",
            &[("stripe-signature", signature)],
            BODY.as_bytes(),
        ),
    )
}

pub const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Standard Webhooks: `id.time.body`, a base64 key.
pub fn standard(
    name: &'static str,
    key: &[u8],
    signed: &str,
    write: impl Fn(&[u8]) -> String,
) -> Plant {
    let headers = [
        ("webhook-id", "msg_1".to_owned()),
        ("webhook-timestamp", TIME.to_owned()),
        ("webhook-signature", write(&sha256(key, signed.as_bytes()))),
    ];
    plant(
        name,
        "standard-webhooks",
        WHSEC,
        request("/hooks/vector", &headers, BODY.as_bytes()),
    )
}

/// Huawei's canonical request, of which `method`, `path` and `query` are signed.
pub fn huawei(name: &'static str, method: &str, path: &str, query: &str, target: &str) -> Plant {
    let date = "20251009T085320Z";
    let digest = hex(&Sha256::digest(BODY.as_bytes()));
    let canonical = format!("{method}\n{path}\n{query}\nx-sdk-date:{date}\n\nx-sdk-date\n{digest}");
    let text = format!(
        "SDK-HMAC-SHA256\n{date}\n{}",
        hex(&Sha256::digest(canonical.as_bytes()))
    );
    let signature = hex(&sha256(SECRET.as_bytes(), text.as_bytes()));
    let headers = [
        ("x-sdk-date", date.to_owned()),
        (
            "authorization",
            format!("SDK-HMAC-SHA256 Access=ak, SignedHeaders=x-sdk-date, Signature={signature}"),
        ),
    ];
    plant(
        name,
        "huawei-sdk-hmac",
        SECRET,
        request(target, &headers, BODY.as_bytes()),
    )
}

/// The URL that a source of Square states.
pub const URL: &str = "https://www.hooks.example.com/hooks/vector?from=a%20shop";

/// Square, whose signature is made over this URL and the body.
pub fn square(name: &'static str, url: &str) -> Plant {
    let signed = [url.as_bytes(), BODY.as_bytes()].concat();
    let signature = STANDARD.encode(sha256(SECRET.as_bytes(), &signed));
    let headers = [
        ("x-square-hmacsha256-signature", signature),
        ("host", "gate.example".to_owned()),
    ];
    let target = "/hooks/vector?b=2";
    plant(
        name,
        "square",
        SECRET,
        request(target, &headers, BODY.as_bytes()),
    )
}
