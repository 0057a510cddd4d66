//! The path from a document's first certificate along the others that it carries (RFC 5280, section 6).
//!
//! A document that carries more than one says who issued the first, and then that has to be true of each step:
//! the name, the signature, that the issuer may issue, and how many it may have below itself. Which one issued
//! which is found by the names, never by their order. The path ends where an issuer is not carried, or at one
//! that issued itself. It holds as long as every certificate on it does.
//!
//! Who vouches for the last one is not checked: there is no store of roots.

use std::sync::Arc;

use super::certificate::{Signed, next_block};
use super::der::{BIT_STRING, Element, OBJECT_IDENTIFIER, Reader, SEQUENCE};
use super::{KeyKind, Method, PublicKey, Question, RSA_BITS_MIN, SignatureHash};

/// The most certificates of a document. The longest path of the public authorities has five: the first, its
/// issuer, and three roots of which each signed the one before it.
const CARRIED_MAX: usize = 6;

/// `id-ce-basicConstraints` and `id-ce-keyUsage`, 2.5.29.19 and 2.5.29.15 (RFC 5280, section 4.2.1).
const BASIC_CONSTRAINTS: [u8; 3] = [0x55, 0x1d, 19];
const KEY_USAGE: [u8; 3] = [0x55, 0x1d, 15];
/// `keyCertSign`, the sixth bit of a key's usages.
const CERT_SIGN: u8 = 0x04;
const BOOLEAN: u8 = 0x01;
const TRUE: [u8; 1] = [0xff];
/// The extensions, which stand last.
const EXPLICIT_3: u8 = 0xa3;

/// Why a document's chain does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    TooMany,
    Unreadable,
    NoIssuer,
    Unsigned,
    WrongKey,
    NotAnAuthority,
    TooLong,
    WrongSignature,
}

impl Flaw {
    /// For whoever reads the log.
    pub fn words(self) -> &'static str {
        match self {
            Flaw::TooMany => "it carries more certificates than six",
            Flaw::Unreadable => "one of its certificates cannot be read",
            Flaw::NoIssuer => "none of the certificates that it carries issued the first",
            Flaw::Unsigned => "a certificate is signed in a way that does not count",
            Flaw::WrongKey => "an issuer's key is too short or of another kind than the signature",
            Flaw::NotAnAuthority => "an issuer is no authority that may issue certificates",
            Flaw::TooLong => "an issuer may not have as many certificates below itself",
            Flaw::WrongSignature => "a certificate's signature is not its issuer's",
        }
    }
}

/// A path on its way to its end.
#[derive(Debug)]
pub struct Path {
    /// The first, and then those that hold now, and of them those that do so for the longest, first: their order in the
    /// document says nothing.
    carried: Vec<Carried>,
    /// Whose issuer is looked for.
    at: usize,
    /// Which one is asked about, or was the last to be.
    asked: usize,
    /// How many stand between the issuer that is looked for and the first.
    below: usize,
    /// What was wrong with the last that has the issuer's name.
    flaw: Option<Flaw>,
    is_whole: bool,
    /// When all that is on it holds, as [`super::certificate::Certificate::valid_ms`].
    pub valid_ms: (i64, i64),
}

/// A certificate of a document.
#[derive(Debug)]
struct Carried {
    subject: Vec<u8>,
    issuer: Vec<u8>,
    valid_ms: (i64, i64),
    /// `None`: of a kind that is not checked here.
    key: Option<Arc<PublicKey>>,
    /// How many certificates may stand between its own and the first. `None`: it may issue none.
    below_max: Option<usize>,
    signed: Vec<u8>,
    /// `None`: not one of those that are checked here, or stated in two ways.
    method: Option<Method>,
    signature: Vec<u8>,
    is_on_path: bool,
}

impl Path {
    /// Reads the certificates of a PEM document. `None`: it carries one alone.
    ///
    /// # Errors
    /// [`Flaw::TooMany`] and [`Flaw::Unreadable`].
    pub fn read(text: &str, now_ms: i64) -> Result<Option<Self>, Flaw> {
        let mut carried = Vec::new();
        let mut rest = text;
        while let Some((block, after)) = next_block(rest, "CERTIFICATE") {
            rest = after;
            carried.push(block.ok_or(Flaw::Unreadable)?);
            if carried.len() > CARRIED_MAX {
                return Err(Flaw::TooMany);
            }
        }
        if carried.len() < 2 {
            return Ok(None);
        }
        let carried = carried.iter().map(|bytes| Carried::read(bytes));
        let mut carried: Vec<_> = carried.collect::<Option<_>>().ok_or(Flaw::Unreadable)?;
        carried[1..].sort_by_key(|one| {
            let (begins_ms, ends_ms) = one.valid_ms;
            let holds = (begins_ms..=ends_ms).contains(&now_ms);
            std::cmp::Reverse((holds, ends_ms))
        });
        Ok(Some(Path {
            valid_ms: carried[0].valid_ms,
            carried,
            at: 0,
            asked: 0,
            below: 0,
            flaw: None,
            is_whole: false,
        }))
    }

    /// What is to be asked next: each time it has to be answered first. `None`: the path has come to its end.
    ///
    /// # Errors
    /// Every flaw but those of [`Path::read`].
    pub fn question(&mut self) -> Result<Option<Question>, Flaw> {
        let child = &self.carried[self.at];
        let issued_itself = self.at > 0 && child.issuer == child.subject;
        // What it signs over itself proves nothing. Old roots still do so with SHA-1.
        if self.is_whole || issued_itself && child.method == Some(Method::Rsa(SignatureHash::Sha1))
        {
            return Ok(None);
        }
        while self.asked + 1 < self.carried.len() {
            self.asked += 1;
            let issuer = &self.carried[self.asked];
            let is_itself = self.asked == self.at;
            if issuer.subject != child.issuer || is_itself != issued_itself {
                continue;
            }
            if issuer.is_on_path && !is_itself {
                continue;
            }
            let below = if is_itself { 0 } else { self.below };
            match issuer.is_asked_of(child, below) {
                Ok(question) => return Ok(Some(question)),
                Err(flaw) => self.flaw = Some(flaw),
            }
        }
        match self.flaw {
            Some(flaw) => Err(flaw),
            None if self.at == 0 => Err(Flaw::NoIssuer),
            None => Ok(None),
        }
    }

    /// The answer to the last question. One that could not be asked is answered with no.
    pub fn answered(&mut self, is_right: bool) {
        if !is_right {
            // Another of this name may be the right one.
            self.flaw = Some(Flaw::WrongSignature);
            return;
        }
        self.flaw = None;
        self.is_whole = self.at == self.asked;
        let issuer = &mut self.carried[self.asked];
        issuer.is_on_path = true;
        let (begins_ms, ends_ms) = issuer.valid_ms;
        self.valid_ms = (self.valid_ms.0.max(begins_ms), self.valid_ms.1.min(ends_ms));
        self.at = self.asked;
        self.asked = 0;
        self.below += 1;
    }
}

impl Carried {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut outer = Reader::new(bytes);
        let mut parts = outer.inside(SEQUENCE)?;
        let whole = parts.tagged(SEQUENCE)?;
        let algorithm = parts.tagged(SEQUENCE)?;
        let [0, signature @ ..] = parts.tagged(BIT_STRING)?.content else {
            return None;
        };
        let signed = Signed::read(whole)?;
        // RFC 5280, section 4.1.1.2: outside it is not signed, so it has to be what stands inside.
        let is_stated_once = algorithm.whole == signed.algorithm;
        (outer.is_empty() && parts.is_empty()).then_some(Carried {
            subject: signed.subject.whole.to_vec(),
            issuer: signed.issuer.to_vec(),
            valid_ms: signed.valid_ms,
            key: PublicKey::from_spki(signed.key).map(Arc::new),
            below_max: below_max(signed.rest),
            signed: whole.whole.to_vec(),
            method: method(algorithm).filter(|_| is_stated_once),
            signature: signature.to_vec(),
            is_on_path: false,
        })
    }

    /// Whether this one's key signed the other, which has so many between itself and the first.
    fn is_asked_of(&self, child: &Carried, below: usize) -> Result<Question, Flaw> {
        let method = child
            .method
            .filter(|method| *method != Method::Rsa(SignatureHash::Sha1));
        let method = method.ok_or(Flaw::Unsigned)?;
        let key = self.key.as_ref().ok_or(Flaw::WrongKey)?;
        match (method, key.kind) {
            (Method::Rsa(_), KeyKind::Rsa { bits }) if bits >= RSA_BITS_MIN => {}
            (Method::EcdsaDer(_), KeyKind::P256 | KeyKind::P384) => {}
            _ => return Err(Flaw::WrongKey),
        }
        if below > self.below_max.ok_or(Flaw::NotAnAuthority)? {
            return Err(Flaw::TooLong);
        }
        Ok(Question {
            method,
            key: key.clone(),
            message: child.signed.clone(),
            signature: child.signature.clone(),
        })
    }
}

/// RFC 4055, section 5, and RFC 5758, section 3.2.
fn method(algorithm: Element<'_>) -> Option<Method> {
    match Reader::new(algorithm.content)
        .tagged(OBJECT_IDENTIFIER)?
        .content
    {
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, last] => Some(Method::Rsa(match last {
            5 => SignatureHash::Sha1,
            11 => SignatureHash::Sha256,
            12 => SignatureHash::Sha384,
            13 => SignatureHash::Sha512,
            _ => return None,
        })),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, last] => Some(Method::EcdsaDer(match last {
            2 => SignatureHash::Sha256,
            3 => SignatureHash::Sha384,
            _ => return None,
        })),
        _ => None,
    }
}

/// What the extensions say of certificates below this one. One that is critical and not known forbids to rely on
/// this certificate, and so does one that stands twice (RFC 5280, section 4.2).
fn below_max(mut rest: Reader<'_>) -> Option<usize> {
    let mut extensions = loop {
        let element = rest.any()?;
        if element.tag == EXPLICIT_3 {
            break Reader::new(element.content).inside(SEQUENCE)?;
        }
    };
    let (mut constraint, mut usage) = (None, None);
    while !extensions.is_empty() {
        let mut extension = extensions.inside(SEQUENCE)?;
        let name = extension.tagged(OBJECT_IDENTIFIER)?.content;
        let mut value = extension.any()?;
        let is_critical = value.tag == BOOLEAN && value.content == TRUE;
        if value.tag == BOOLEAN {
            value = extension.any()?;
        }
        let mut value = Reader::new(value.content);
        let is_second = if name == BASIC_CONSTRAINTS {
            let mut fields = value.inside(SEQUENCE)?;
            let is_authority = fields.tagged(BOOLEAN)?.content == TRUE;
            let below = match fields.is_empty() {
                true => usize::MAX,
                false => usize::from(*fields.unsigned()?.last()?),
            };
            constraint.replace(is_authority.then_some(below)).is_some()
        } else if name == KEY_USAGE {
            let [_, bits, ..] = value.tagged(BIT_STRING)?.content else {
                return None;
            };
            usage.replace(bits & CERT_SIGN != 0).is_some()
        } else {
            is_critical
        };
        if is_second {
            return None;
        }
    }
    constraint?.filter(|_| usage != Some(false))
}
