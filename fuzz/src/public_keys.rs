//! Keys, certificates, sets of keys, tokens and signatures as they stand in documents and messages.

use std::sync::{Arc, LazyLock};

use hookgate::gate::Gate;
use hookgate::public_key::certificate::{Certificate, pem_block};
use hookgate::public_key::chain::Path;
use hookgate::public_key::document::Document;
use hookgate::public_key::rules::Pins;
use hookgate::public_key::token::Token;
use hookgate::public_key::{
    KeyKind, Method, PublicKey, Question, SignatureHash, jwk, native, raw_ecdsa,
};
use hookgate::scheme::{CertificateForm, TokenForm};

use crate::input;
use crate::support::{NOW_MS, built_in, only, vectors};

struct Forms {
    certificates: Vec<CertificateForm>,
    tokens: Vec<TokenForm>,
    /// A source of each scheme that fetches its keys.
    gates: Vec<Gate>,
}

static FORMS: LazyLock<Forms> = LazyLock::new(|| {
    let schemes: Vec<_> = built_in()
        .filter_map(|name| hookgate::config::built_in(name)?.ok())
        .collect();
    let mut gates: Vec<(String, Gate)> = Vec::new();
    for vector in vectors() {
        if !vector.request.documents.is_empty()
            && !gates.iter().any(|(scheme, _)| *scheme == vector.scheme)
        {
            gates.push((vector.scheme.clone(), vector.gate()));
        }
    }
    Forms {
        certificates: schemes
            .iter()
            .filter_map(|scheme| scheme.certificate.clone())
            .collect(),
        tokens: schemes
            .iter()
            .filter_map(|scheme| scheme.token.clone())
            .collect(),
        gates: gates.into_iter().map(|(_, gate)| gate).collect(),
    }
});

pub fn holds(bytes: &[u8]) {
    let text = input::text(bytes);
    for key in [
        PublicKey::from_text(&text),
        PublicKey::from_spki(bytes),
        PublicKey::from_ed25519(bytes),
    ] {
        key.into_iter().for_each(of_a_key);
    }
    if let Some(read) = Certificate::from_pem(&text) {
        let again = pem_block(&text, "CERTIFICATE").map(|der| pem(&der));
        assert_eq!(
            again.as_deref().and_then(Certificate::from_pem).as_ref(),
            Some(&read)
        );
        of_a_key(read.key);
    }
    let _ = Certificate::from_pem(&pem(bytes));
    for (_, key) in jwk::read_set(&text).unwrap_or_default() {
        of_a_key(key);
    }
    for half in [32, 48] {
        if let Some(raw) = raw_ecdsa(bytes, half) {
            assert_eq!(raw.len(), 2 * half);
        }
    }
    chain(&text);
    let document = Document::fetched(text.clone().into_owned(), Some(&text), 0);
    for gate in &FORMS.gates {
        let _ = document.keys(only(gate));
    }
    for line in text.lines() {
        for form in &FORMS.tokens {
            for of_a_set in [true, false] {
                let Ok(token) = Token::read(line, form, of_a_set) else {
                    continue;
                };
                assert!(line.starts_with(&token.signed), "{line:?}");
                let (begins_ms, ends_ms) = token.valid_ms;
                assert!(begins_ms <= ends_ms, "{line:?}");
                let _ = (token.keeps(form, |_, _| true), token.claims("aud", "x"));
            }
        }
        urls(line);
    }
}

/// A path comes to an end whatever is answered, and what it holds for only shrinks. Whoever says yes to everything
/// walks furthest; whoever says no to every other question tries the most.
fn chain(text: &str) {
    for yes in [1, 2, 3] {
        let Ok(Some(mut path)) = Path::read(text, NOW_MS) else {
            return;
        };
        let whole = path.valid_ms;
        let mut questions = 0;
        while let Ok(Some(question)) = path.question() {
            questions += 1;
            assert!(questions <= 36, "{text:?}");
            assert!(!question.message.is_empty());
            path.answered(questions % yes == 0);
        }
        assert!(path.valid_ms.0 >= whole.0 && path.valid_ms.1 <= whole.1);
    }
}

/// A URL that is allowed is, to the parser that `fetch` uses, of that very host, and has nothing that
/// could lead elsewhere.
fn urls(text: &str) {
    for form in &FORMS.certificates {
        for region in form.regions.iter().map(String::as_str).chain(["other"]) {
            let pins: Pins = [("region".to_owned(), region.to_owned())].into();
            if !form.allows(text, &pins) {
                continue;
            }
            let url = url::Url::parse(text).expect("an allowed URL is one");
            let host = url.host_str().unwrap_or_default();
            let hosts = form.hosts.iter().filter_map(|host| host.fill(&pins));
            assert!(
                hosts.into_iter().any(|known| known == host),
                "{text:?} leads to {host:?}"
            );
            assert_eq!(url.as_str(), text, "another URL than it seems");
            let plain =
                url.username().is_empty() && url.password().is_none() && url.port().is_none();
            assert!(
                plain && url.query().is_none() && url.fragment().is_none(),
                "{text:?}"
            );
        }
    }
}

fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
}

/// The same key is read from its own encoding, and no strange key stops those who ask it.
fn of_a_key(key: PublicKey) {
    assert_eq!(PublicKey::from_spki(&key.spki).as_ref(), Some(&key));
    let (method, signature_bytes) = match key.kind {
        // Longer ones take seconds, and are checked by the platform.
        KeyKind::Rsa { bits } if bits > 1_024 => return,
        KeyKind::Rsa { bits } => (Method::Rsa(SignatureHash::Sha256), bits.div_ceil(8)),
        KeyKind::P256 => (Method::Ecdsa(SignatureHash::Sha256), 64),
        KeyKind::P384 => (Method::Ecdsa(SignatureHash::Sha384), 96),
        KeyKind::Ed25519 => (Method::Ed25519, 64),
    };
    let _ = native::verifies(&Question {
        method,
        key: Arc::new(key),
        message: b"message".to_vec(),
        signature: vec![1; signature_bytes],
    });
}
