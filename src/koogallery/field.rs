//! Personal data in KooGallery's requests (`mobilePhone`, `email`), which it encrypts.
//!
//! A value is 16 characters, the initialisation vector, and behind them the base64 of AES-CBC with
//! PKCS #5 padding. The key is not the access key: Huawei's sample seeds Java's `SHA1PRNG` with it and
//! asks a `KeyGenerator` for 256 bits (`encryptType` 1) or 128 (`encryptType` 2), so the key is what
//! that generator yields first.
//!
//! Source: <https://support.huaweicloud.com/accessg-marketplace/zh-cn_topic_0070649061.html>; the
//! generator is OpenJDK's `sun.security.provider.SecureRandom`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use sha1::{Digest as _, Sha1};

use crate::keys::LiveKey;
use crate::request::{decode_pairs, encode_pairs};
use crate::scheme::Scheme;

/// The member that says how values are encrypted.
const ENCRYPT_TYPE: &str = "encryptType";

/// Characters of the initialisation vector in front of the value.
const IV_BYTES: usize = 16;

/// A value that was taken apart, and the key that opens it.
pub struct EncryptedField {
    key: Vec<u8>,
    iv: [u8; IV_BYTES],
    ciphertext: Vec<u8>,
}

impl std::fmt::Debug for EncryptedField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EncryptedField([REDACTED])")
    }
}

impl EncryptedField {
    /// `encrypt_type` is the request's `encryptType`. `None`: it is neither 1 nor 2, or the value has
    /// not this form.
    pub fn read(access_key: &[u8], encrypt_type: &str, value: &str) -> Option<Self> {
        let key_bytes = match encrypt_type {
            "1" => 32,
            "2" => 16,
            _ => return None,
        };
        let (iv, encoded) = value.split_at_checked(IV_BYTES)?;
        let ciphertext = STANDARD.decode(encoded).ok()?;
        // CBC has whole blocks, and padding makes at least one.
        (!ciphertext.is_empty() && ciphertext.len() % IV_BYTES == 0).then_some(EncryptedField {
            key: sha1prng(access_key, key_bytes),
            iv: iv.as_bytes().try_into().ok()?,
            ciphertext,
        })
    }

    /// The AES key: 16 or 32 bytes.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    pub fn iv(&self) -> &[u8] {
        &self.iv
    }

    pub fn ciphertext(&self) -> &[u8] {
        &self.ciphertext
    }

    /// The plain text. `None`: another key, or a damaged value. In the Worker the platform's AES does
    /// this.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn decrypt(&self) -> Option<String> {
        use cbc::cipher::block_padding::Pkcs7;
        use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
        let mut text = self.ciphertext.clone();
        let plain = match self.key.len() {
            16 => cbc::Decryptor::<aes::Aes128>::new_from_slices(&self.key, &self.iv)
                .ok()?
                .decrypt_padded::<Pkcs7>(&mut text)
                .ok()?,
            _ => cbc::Decryptor::<aes::Aes256>::new_from_slices(&self.key, &self.iv)
                .ok()?
                .decrypt_padded::<Pkcs7>(&mut text)
                .ok()?,
        };
        String::from_utf8(plain.to_vec()).ok()
    }
}

/// The encrypted fields of a verified content that is held, by name. `key` is the access key.
pub fn encrypted_fields(
    scheme: &Scheme,
    key: &LiveKey,
    content: &[u8],
) -> Vec<(String, EncryptedField)> {
    let names = scheme.encrypted_fields.iter();
    let Some(members) = Members::read(scheme, content) else {
        return Vec::new();
    };
    let kind = members.get(ENCRYPT_TYPE).unwrap_or_default();
    let field = |name: &String| {
        let value = members.get(name)?;
        let field = EncryptedField::read(key.bytes(), &kind, &value)?;
        Some((name.clone(), field))
    };
    names.filter_map(field).collect()
}

/// The content with these values in the place of the encrypted ones. `None`: it is not of the form that
/// the scheme signs.
pub fn with_plain(scheme: &Scheme, content: &[u8], plain: &[(String, String)]) -> Option<Vec<u8>> {
    let mut members = Members::read(scheme, content)?;
    for (name, value) in plain {
        members.set(name, value);
    }
    Some(members.to_bytes())
}

/// A content in either form that KooGallery signs in V1.
enum Members {
    Form(Vec<(String, String)>),
    Json(Map<String, Value>),
}

impl Members {
    fn read(scheme: &Scheme, content: &[u8]) -> Option<Self> {
        if scheme.content_is_query() {
            return decode_pairs(content).ok().map(Members::Form);
        }
        serde_json::from_slice(content).ok().map(Members::Json)
    }

    fn get(&self, name: &str) -> Option<String> {
        match self {
            Members::Form(pairs) => {
                let mut pairs = pairs.iter();
                pairs.find_map(|(known, value)| (known == name).then(|| value.clone()))
            }
            Members::Json(members) => members.get(name)?.as_str().map(str::to_owned),
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        match self {
            Members::Form(pairs) => {
                for (known, old) in pairs {
                    if known == name {
                        value.clone_into(old);
                    }
                }
            }
            Members::Json(members) => {
                members.insert(name.to_owned(), value.into());
            }
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Members::Form(pairs) => encode_pairs(pairs).into_bytes(),
            Members::Json(members) => serde_json::to_vec(members).unwrap_or_default(),
        }
    }
}

/// The first `count` bytes of Java's `SHA1PRNG` after `setSeed(seed)`.
fn sha1prng(seed: &[u8], count: usize) -> Vec<u8> {
    let mut state: [u8; 20] = Sha1::digest(seed).into();
    let mut stream = Vec::with_capacity(count + state.len());
    while stream.len() < count {
        let output: [u8; 20] = Sha1::digest(state).into();
        stream.extend_from_slice(&output);
        // state := state + output + 1, over signed bytes, the lowest first, as Java adds them.
        let mut carry = 1_i32;
        let mut changed = false;
        for (byte, add) in state.iter_mut().zip(output) {
            let sum = i32::from(*byte as i8) + i32::from(add as i8) + carry;
            let next = sum as u8;
            changed |= next != *byte;
            *byte = next;
            carry = sum >> 8;
        }
        if !changed {
            state[0] = state[0].wrapping_add(1);
        }
    }
    stream.truncate(count);
    stream
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    /// Keys computed with OpenJDK 17 for the access key of Huawei's sample.
    #[test]
    fn the_key_is_what_javas_generator_yields() {
        assert_eq!(
            hex::encode(&sha1prng(b"xxxxxxx", 32)),
            "c962ef8500ad13239b5ec0eb6a5c570b3cae0fd0e5c28e793eb6aaa22d251123"
        );
        assert_eq!(
            hex::encode(&sha1prng(b"xxxxxxx", 16)),
            "c962ef8500ad13239b5ec0eb6a5c570b"
        );
    }

    #[test]
    fn values_of_both_lengths_are_opened() {
        let open = |kind, value| EncryptedField::read(b"xxxxxxx", kind, value)?.decrypt();
        let plain = Some("15905222222".to_owned());
        let [long, short] = [
            "A1b2C3d4E5f6G7h8caH2rSDA0mX82/mB/PWahg==",
            "A1b2C3d4E5f6G7h89CAXKdEm7nxYyxk0yOpJlQ==",
        ];
        assert_eq!(open("1", long), plain);
        assert_eq!(open("2", short), plain);
        assert_ne!(open("2", long), plain);
        assert_ne!(
            EncryptedField::read(b"xxxxxxy", "1", long).and_then(|field| field.decrypt()),
            plain
        );
    }

    #[test]
    fn fields_of_both_forms_are_replaced_and_nothing_else() {
        let value = "A1b2C3d4E5f6G7h8caH2rSDA0mX82/mB/PWahg==";
        let form = crate::request::encode_pairs(&[
            ("activity".into(), "newInstance".into()),
            ("email".into(), "not encrypted".into()),
            ("encryptType".into(), "1".into()),
            ("mobilePhone".into(), value.into()),
        ]);
        let json = format!(
            r#"{{"activity":"newInstance","encryptType":"1","mobilePhone":"{value}","n":"1"}}"#
        );
        for (name, content, opened) in [
            (
                "koogallery-v1",
                form,
                "activity=newInstance&email=not+encrypted&encryptType=1&mobilePhone=15905222222",
            ),
            (
                "koogallery-v1-post",
                json,
                r#"{"activity":"newInstance","encryptType":"1","mobilePhone":"15905222222","n":"1"}"#,
            ),
        ] {
            let scheme = crate::config::built_in(name).unwrap().unwrap();
            let key = LiveKey::new("KEY", "xxxxxxx", &scheme.key, scheme.algorithm).unwrap();
            let fields = encrypted_fields(&scheme, &key, content.as_bytes());
            let plain: Vec<(String, String)> = fields
                .into_iter()
                .map(|(name, field)| (name, field.decrypt().unwrap()))
                .collect();
            assert_eq!(plain.len(), 1, "{name}");
            let content = with_plain(&scheme, content.as_bytes(), &plain).unwrap();
            let content = String::from_utf8(content).unwrap();
            assert_eq!(content.replace("%20", "+"), opened, "{name}");
            assert!(with_plain(&scheme, b"%", &plain).is_none(), "{name}");
        }
    }

    #[test]
    fn what_has_not_the_form_is_no_field() {
        for (kind, value) in [
            ("1", ""),
            ("1", "A1b2C3d4E5f6G7h8"),
            ("1", "A1b2C3d4E5f6G7h"),
            ("1", "A1b2C3d4E5f6G7h8caH2"),
            ("1", "A1b2C3d4E5f6G7h8!!!!"),
            ("1", "A1b2C3d4E5f6G7é8caH2rSDA0mX82/mB/PWahg=="),
            ("3", "A1b2C3d4E5f6G7h8caH2rSDA0mX82/mB/PWahg=="),
        ] {
            assert!(
                EncryptedField::read(b"xxxxxxx", kind, value).is_none(),
                "{kind} {value}"
            );
        }
    }
}
