//! X.509 certificates (RFC 5280), as far as a signature over a webhook needs them: whose they are,
//! when they hold, and the key.
//!
//! What is trusted is that the document came over TLS from one of the exact hosts that the scheme's entry
//! lists, under the path that it states. A document may carry the certificates of those who issued the
//! first: then each of them is checked ([`super::chain`]), but not who vouches for the last, because a store
//! of root certificates would be larger than the whole Worker. Of one certificate alone the signature is not
//! checked: its issuer is not there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::PublicKey;
use super::der::{Element, OBJECT_IDENTIFIER, Reader, SEQUENCE, SET};
use crate::scheme::TimeUnit;
use crate::time;

/// `id-at-commonName`, 2.5.4.3.
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The version, which stands first and may be left out.
const EXPLICIT_0: u8 = 0xa0;

/// What was read from a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    pub key: PublicKey,
    /// The subject's common name.
    pub common_name: String,
    /// Both ends inclusive, in milliseconds since 1970.
    pub valid_ms: (i64, i64),
}

impl Certificate {
    /// Reads the first certificate of a PEM document (RFC 7468).
    pub fn from_pem(text: &str) -> Option<Self> {
        Self::from_der(&pem_block(text, "CERTIFICATE")?)
    }

    fn from_der(bytes: &[u8]) -> Option<Self> {
        let signed = Signed::read(Reader::new(bytes).inside(SEQUENCE)?.tagged(SEQUENCE)?)?;
        Some(Certificate {
            common_name: common_name(Reader::new(signed.subject.content))?,
            key: PublicKey::from_spki(signed.key)?,
            valid_ms: signed.valid_ms,
        })
    }

    pub fn is_in_date(&self, now_ms: i64) -> bool {
        (self.valid_ms.0..=self.valid_ms.1).contains(&now_ms)
    }
}

/// What a certificate's issuer signs (RFC 5280, section 4.1.2), as it stands there.
pub(super) struct Signed<'a> {
    pub algorithm: &'a [u8],
    pub issuer: &'a [u8],
    pub valid_ms: (i64, i64),
    pub subject: Element<'a>,
    pub key: &'a [u8],
    /// What may follow: the extensions are the last of it.
    pub rest: Reader<'a>,
}

impl<'a> Signed<'a> {
    pub fn read(whole: Element<'a>) -> Option<Self> {
        let mut fields = Reader::new(whole.content);
        let mut serial = fields;
        if serial.any()?.tag == EXPLICIT_0 {
            fields = serial;
        }
        fields.any()?; // the serial number
        let algorithm = fields.tagged(SEQUENCE)?.whole;
        let issuer = fields.tagged(SEQUENCE)?.whole;
        let mut validity = fields.inside(SEQUENCE)?;
        Some(Signed {
            algorithm,
            issuer,
            valid_ms: (time_ms(&mut validity)?, time_ms(&mut validity)?),
            subject: fields.tagged(SEQUENCE)?,
            key: fields.tagged(SEQUENCE)?.whole,
            rest: fields,
        })
    }
}

/// The bytes of the first PEM block with this label.
pub fn pem_block(text: &str, label: &str) -> Option<Vec<u8>> {
    next_block(text, label)?.0
}

/// The bytes of the next PEM block with this label, if they are base64, and the text behind it. `None`: there is none.
pub(super) fn next_block<'a>(text: &'a str, label: &str) -> Option<(Option<Vec<u8>>, &'a str)> {
    let (_, after) = text.split_once(&["-----BEGIN ", label, "-----"].concat())?;
    let end = ["-----END ", label, "-----"].concat();
    let Some((inside, after)) = after.split_once(&end) else {
        return Some((None, ""));
    };
    let base64: String = inside.split_ascii_whitespace().collect();
    Some((STANDARD.decode(base64).ok(), after))
}

/// The one common name of a subject. Of two it is not known which one is meant.
fn common_name(mut names: Reader<'_>) -> Option<String> {
    let mut found = None;
    while !names.is_empty() {
        let mut set = names.inside(SET)?;
        while !set.is_empty() {
            let mut pair = set.inside(SEQUENCE)?;
            if pair.tagged(OBJECT_IDENTIFIER)?.content == COMMON_NAME {
                let text = std::str::from_utf8(pair.any()?.content).ok()?;
                if found.replace(text.to_owned()).is_some() {
                    return None;
                }
            }
        }
    }
    found
}

/// RFC 5280, section 4.1.2.5: years of two digits up to 2049, in UTC, to the second.
fn time_ms(fields: &mut Reader<'_>) -> Option<i64> {
    let element = fields.any()?;
    let digits = std::str::from_utf8(element.content)
        .ok()?
        .strip_suffix('Z')?;
    let year = match element.tag {
        UTC_TIME if digits.get(..2)? < "50" => "20",
        UTC_TIME => "19",
        GENERALIZED_TIME => "",
        _ => return None,
    };
    time::parse(&format!("{year}{digits}000"), TimeUnit::CompactUtc)
}
