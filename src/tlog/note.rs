//! A text and its signatures: <https://c2sp.org/signed-note>. Keys as text, too.
//!
//! The arithmetic of the signatures is elsewhere: WebCrypto in the Worker, `native` beside it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::is_tenant;

/// More signatures than this no note has: one of the log, and those of its witnesses. The specification asks
/// for sixteen at least.
const SIGNATURES_MAX: usize = 64;

/// A note. Its text proves nothing before a signature was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// With the newline at its end.
    pub text: String,
    pub signatures: Vec<Signature>,
}

/// A line below the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    pub name: String,
    pub key_id: u32,
    pub bytes: Vec<u8>,
}

/// What a key signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Ed25519 over the text.
    Ed25519,
    /// Ed25519 over the text and a time: <https://c2sp.org/tlog-cosignature>.
    Cosignature,
}

/// The public half of a key: `name+id+base64`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    pub name: String,
    pub kind: KeyKind,
    pub public_key: [u8; 32],
}

/// The secret half: `PRIVATE+KEY+name+id+base64`.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    pub name: String,
    pub key_id: u32,
    pub seed: [u8; 32],
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({} [REDACTED])", self.name)
    }
}

impl Note {
    /// Reads a note. `None`: it is none.
    pub fn parse(text: &str) -> Option<Note> {
        if text.bytes().any(|byte| byte < b' ' && byte != b'\n') {
            return None;
        }
        let (body, lines) = text.rsplit_once("\n\n")?;
        let lines = lines.strip_suffix('\n')?;
        let signatures: Vec<Signature> = lines
            .split('\n')
            .take(SIGNATURES_MAX + 1)
            .map(Signature::parse)
            .collect::<Option<_>>()?;
        (signatures.len() <= SIGNATURES_MAX).then(|| Note {
            text: format!("{body}\n"),
            signatures,
        })
    }

    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n", self.text);
        for signature in &self.signatures {
            text.push_str(&signature.to_line());
        }
        text
    }

    /// The signatures that claim to be of this key.
    pub fn signatures_of(&self, key: &VerifierKey) -> impl Iterator<Item = &Signature> {
        let id = key.id();
        self.signatures
            .iter()
            .filter(move |signature| signature.key_id == id && signature.name == key.name)
    }
}

impl Signature {
    /// Reads a line without its newline.
    pub fn parse(line: &str) -> Option<Signature> {
        let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let decoded = STANDARD.decode(encoded).ok()?;
        let (key_id, bytes) = decoded.split_first_chunk::<4>()?;
        (is_name(name) && !bytes.is_empty()).then(|| Signature {
            name: name.to_owned(),
            key_id: u32::from_be_bytes(*key_id),
            bytes: bytes.to_vec(),
        })
    }

    /// Its line, with the newline.
    pub fn to_line(&self) -> String {
        let bytes = [&self.key_id.to_be_bytes()[..], &self.bytes].concat();
        format!("\u{2014} {} {}\n", self.name, STANDARD.encode(bytes))
    }
}

impl KeyKind {
    /// The specification's number for it.
    fn byte(self) -> u8 {
        match self {
            KeyKind::Ed25519 => 1,
            KeyKind::Cosignature => 4,
        }
    }
}

impl VerifierKey {
    /// Reads a key. `None`: it is none, of a kind that is not known here, or its id is another's.
    pub fn parse(text: &str) -> Option<VerifierKey> {
        let mut parts = text.trim().splitn(3, '+');
        let (name, id, encoded) = (parts.next()?, parts.next()?, parts.next()?);
        let bytes = STANDARD.decode(encoded).ok()?;
        let (kind, public_key) = bytes.split_first()?;
        let key = VerifierKey {
            name: name.to_owned(),
            kind: match kind {
                1 => KeyKind::Ed25519,
                4 => KeyKind::Cosignature,
                _ => return None,
            },
            public_key: public_key.try_into().ok()?,
        };
        (is_name(name) && parse_id(id)? == key.id()).then_some(key)
    }

    pub fn to_text(&self) -> String {
        let bytes = [&[self.kind.byte()][..], &self.public_key].concat();
        format!("{}+{:08x}+{}", self.name, self.id(), STANDARD.encode(bytes))
    }

    /// Tells keys apart; it proves nothing.
    pub fn id(&self) -> u32 {
        let digest = Sha256::new()
            .chain_update(&self.name)
            .chain_update([b'\n', self.kind.byte()])
            .chain_update(self.public_key)
            .finalize();
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
    }

    /// The key as WebCrypto reads it (RFC 8410, section 4).
    pub fn spki(&self) -> Vec<u8> {
        const BEFORE: [u8; 12] = [
            0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
        ];
        [&BEFORE[..], &self.public_key].concat()
    }
}

impl SigningKey {
    /// Reads a key. `None`: it is none. Whether the id is right, its public half tells.
    pub fn parse(text: &str) -> Option<SigningKey> {
        let rest = text.trim().strip_prefix("PRIVATE+KEY+")?;
        let mut parts = rest.splitn(3, '+');
        let (name, id, encoded) = (parts.next()?, parts.next()?, parts.next()?);
        let bytes = STANDARD.decode(encoded).ok()?;
        let (1, seed) = bytes.split_first().map(|(kind, seed)| (*kind, seed))? else {
            return None;
        };
        Some(SigningKey {
            name: is_name(name).then(|| name.to_owned())?,
            key_id: parse_id(id)?,
            seed: seed.try_into().ok()?,
        })
    }

    /// For the one who keeps it, and for nobody else.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn to_secret_text(&self) -> String {
        let bytes = STANDARD.encode([&[1][..], &self.seed].concat());
        format!("PRIVATE+KEY+{}+{:08x}+{bytes}", self.name, self.key_id)
    }

    /// The key as WebCrypto reads it (RFC 8410, section 7).
    pub fn pkcs8(&self) -> Vec<u8> {
        const BEFORE: [u8; 16] = [
            0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22,
            0x04, 0x20,
        ];
        [&BEFORE[..], &self.seed].concat()
    }

    /// The origin of the checkpoints of this tenant's log: this key's name and its. `None`: no log is called so, and
    /// nothing is to be signed.
    pub fn origin(&self, tenant: &str) -> Option<String> {
        is_tenant(tenant).then(|| format!("{}/{tenant}", self.name))
    }

    /// The public half of the log of this tenant: the same key under the log's own name, which is the origin
    /// of its checkpoints. `None`: `public_key` does not belong to this key's id, or no log is called so.
    pub fn of_log(&self, tenant: &str, public_key: [u8; 32]) -> Option<VerifierKey> {
        let named = |name| VerifierKey {
            name,
            kind: KeyKind::Ed25519,
            public_key,
        };
        let origin = self.origin(tenant)?;
        (named(self.name.clone()).id() == self.key_id).then(|| named(origin))
    }
}

/// Key names are not empty and have neither spaces nor a plus.
pub fn is_name(name: &str) -> bool {
    let is_forbidden = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    !name.is_empty() && !name.contains(is_forbidden)
}

fn parse_id(text: &str) -> Option<u32> {
    let is_hex = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u32::from_str_radix(text, 16).ok())?
}
