//! The straightforward Worker: it checks a Standard Webhooks signature with the `hmac` crate, and
//! nothing else. No freshness, no memory, no queue.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use worker::{Context, Env, Request, Response, Result, event};

#[event(fetch)]
async fn fetch(mut request: Request, env: Env, _context: Context) -> Result<Response> {
    let secret = env.secret("STANDARD_SECRET")?.to_string();
    let headers = request.headers();
    let (Some(id), Some(time), Some(signatures)) = (
        headers.get("webhook-id")?,
        headers.get("webhook-timestamp")?,
        headers.get("webhook-signature")?,
    ) else {
        return Response::error("unsigned", 401);
    };
    let body = request.bytes().await?;
    if is_signed(&secret, &id, &time, &signatures, &body) {
        Response::ok("ok")
    } else {
        Response::error("not signed by us", 401)
    }
}

fn is_signed(secret: &str, id: &str, time: &str, signatures: &str, body: &[u8]) -> bool {
    let secret = secret.strip_prefix("whsec_").unwrap_or(secret);
    let Ok(key) = STANDARD.decode(secret) else {
        return false;
    };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else {
        return false;
    };
    mac.update(format!("{id}.{time}.").as_bytes());
    mac.update(body);
    signatures
        .split(' ')
        .filter_map(|signature| signature.strip_prefix("v1,"))
        .filter_map(|signature| STANDARD.decode(signature).ok())
        .any(|tag| mac.clone().verify_slice(&tag).is_ok())
}
