//! Signatures that are a JWS in compact form (RFC 7515), with an algorithm that the scheme fixes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::Claims;
use crate::json;
use crate::keys::encode_hex;
use crate::scheme::Scheme;
use crate::verdict::Shape;

/// The signature of a JWS, and what it is made over. What it says of its algorithm must be
/// what the scheme says, and is not used.
pub(super) fn split(scheme: &Scheme, token: &str) -> Result<(Vec<u8>, String), Shape> {
    let (signed, signature) = token.rsplit_once('.').ok_or(Shape::NotAToken)?;
    let (header, payload) = signed.split_once('.').ok_or(Shape::NotAToken)?;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Shape::NotBase64);
    // `crit` names extensions that must be understood (section 4.1.11), and we know none.
    let [alg, critical] = members(&decode(header)?, ["/alg", "/crit/0"]);
    if alg.as_deref() != scheme.algorithm.jws_name() || critical.is_some() {
        return Err(Shape::WrongAlgorithm);
    }
    decode(payload)?;
    Ok((decode(signature)?, signed.to_owned()))
}

/// Whether the JWS, whose MAC is right, is about this body. True for schemes without one.
pub(super) fn binds(scheme: &Scheme, claims: &Claims, body: &[u8]) -> bool {
    if !scheme.is_jws() {
        return true;
    }
    let Some(token) = &claims.token else {
        return false;
    };
    let payload = token.split_once('.').map_or("", |(_, payload)| payload);
    let Ok(payload) = URL_SAFE_NO_PAD.decode(payload) else {
        return false;
    };
    let digest = encode_hex(&Sha256::digest(body));
    scheme.claim_pairs().all(|(name, value)| {
        let [claimed] = members(&payload, [&format!("/{name}")]);
        claimed.as_deref() == value.or(Some(&digest))
    })
}

fn members<const N: usize>(json: &[u8], pointers: [&str; N]) -> [Option<String>; N] {
    let mut found = json::find(json, &pointers).into_iter();
    pointers.map(|_| found.next().flatten())
}
