//! Signatures that are a JWS over a digest of the body. A bearer's token is another thing: it says
//! nothing of the body ([`Scheme::bears_token`]).

use super::{Algorithm, Part, Place, Scheme, SignatureEncoding};
use crate::uses;

/// What a claim must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed<'a> {
    Text(&'a str),
    /// SHA-256 of the body, in lower-case hex.
    BodyDigest,
    /// Atlassian's digest of method, path and query ([`crate::verify`]).
    QueryStringHash,
}

impl Scheme {
    /// Names and values of the claims that the JWS or the token must have.
    pub fn claim_pairs(&self) -> impl Iterator<Item = (&str, Claimed<'_>)> {
        let pairs = self.claims.iter().filter_map(|claim| claim.split_once('='));
        pairs.map(|(name, value)| {
            let claimed = match value {
                "sha256-hex:body" => Claimed::BodyDigest,
                "query-string-hash" => Claimed::QueryStringHash,
                text => Claimed::Text(text),
            };
            (name, claimed)
        })
    }

    /// Whether the signature is a JWS.
    pub fn is_jws(&self) -> bool {
        uses::JWS && self.signature.encoding == SignatureEncoding::Jws
    }

    /// What is wrong with signatures that are a JWS, and with credentials that are not allowed here.
    pub(super) fn jws_faults(&self, faults: &mut Vec<String>) {
        let form = &self.signature;
        let is_jws = self.is_jws();
        let signs_jws = self.signed == [Part::Jws];
        let binds_body = self
            .claim_pairs()
            .any(|(_, claimed)| claimed == Claimed::BodyDigest);
        if is_jws != signs_jws || is_jws != binds_body {
            faults.push("a JWS needs all three: `signature.encoding` = \"jws\", `signed` = [\"jws\"] and a claim that binds the body, as in `claims` = [\"sha256=sha256-hex:body\"]".into());
        }
        if self.claim_pairs().count() != self.claims.len() {
            faults.push("`claims`: write each as NAME=VALUE".into());
        }
        if is_jws && self.algorithm.jws_name().is_none() {
            faults.push("`algorithm`: a JWS knows \"hmac-sha256\", \"hmac-sha512\", \"rsa-sha256\", \"ecdsa-p256\" and \"ed25519\"".into());
        }
        if form.encoding == SignatureEncoding::Verbatim {
            faults.push(
                "`signature.encoding` = \"verbatim\" is for `algorithm` = \"credential\"".into(),
            );
        }
        let names_headers = form.split.is_some() && form.pair.is_some();
        let has_header_time = matches!(
            self.time.as_ref().map(|time| &time.at),
            Some(Place::Header(_))
        );
        if self.signs_headers() && !(names_headers && has_header_time) {
            faults.push("\"canonical-request\" needs a signature list that names the signed headers, and a `time` in a header, which must be one of them".into());
        }
        if self.signed.contains(&Part::CanonicalRequest) {
            faults.push("\"canonical-request\" is signed by its digest: write \"sha256-hex:canonical-request\"".into());
        }
        let digests = self.signed.iter().filter_map(|part| match part {
            Part::Sha256Hex(inner) => Some(inner.as_ref()),
            _ => None,
        });
        if digests
            .into_iter()
            .any(|inner| *inner != Part::CanonicalRequest)
        {
            faults.push("\"sha256-hex\" is for \"canonical-request\" alone".into());
        }
    }
}

impl Algorithm {
    /// What a JWS calls it (RFC 7518, section 3.1).
    pub const fn jws_name(self) -> Option<&'static str> {
        match self {
            Algorithm::HmacSha256 => Some("HS256"),
            Algorithm::HmacSha512 => Some("HS512"),
            Algorithm::RsaSha256 => Some("RS256"),
            Algorithm::EcdsaP256 => Some("ES256"),
            // RFC 8037, section 3.1.
            Algorithm::Ed25519 => Some("EdDSA"),
            _ => None,
        }
    }
}
