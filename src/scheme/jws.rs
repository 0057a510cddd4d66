//! Signatures that are a token.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Algorithm, Part, Place, Scheme, SignatureEncoding};

/// What must be true of a compact JWS (RFC 7515) whose MAC is right.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct JwsForm {
    /// The only `alg` that is taken. It says nothing about how we verify: that is the scheme's.
    pub alg: String,
    /// Claims with the one value that each must have.
    #[serde(default)]
    pub claims: BTreeMap<String, String>,
    /// The claim that is the lower-case hex of SHA-256 over the body: it binds the body to the token.
    pub body_sha256: String,
}

impl Scheme {
    /// What is wrong with signatures that are tokens, and with credentials that are not allowed here.
    pub(super) fn token_faults(&self, faults: &mut Vec<String>) {
        let form = &self.signature;
        let is_token = form.encoding == SignatureEncoding::Jws;
        let signs_token = self.signed == [Part::Jws];
        if is_token != signs_token || is_token != self.jws.is_some() {
            faults.push("a token needs all three: `signature.encoding` = \"jws\", `signed` = [\"jws\"] and a `jws` table that says what must be true of it".into());
        }
        if let Some(jws) = &self.jws
            && Some(jws.alg.as_str()) != self.algorithm.jws_name()
        {
            faults.push(format!(
                "`jws.alg` = \"{}\" is not the name of `algorithm` in tokens",
                jws.alg
            ));
        }
        if form.encoding == SignatureEncoding::Verbatim || !form.or.is_empty() {
            faults.push("`signature.encoding` = \"verbatim\" and `signature.or` are for `algorithm` = \"credential\"".into());
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
    /// What tokens call it (RFC 7518, section 3.1).
    pub const fn jws_name(self) -> Option<&'static str> {
        match self {
            Algorithm::HmacSha256 => Some("HS256"),
            Algorithm::HmacSha512 => Some("HS512"),
            Algorithm::HmacSha1 | Algorithm::Credential => None,
        }
    }
}
