//! What Cloudflare Access vouches for, and what it does not.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hookgate::admin::access::{Access, Step};
use hookgate::public_key::inquiry::Fetched;
use hookgate::public_key::memory::KeyMemory;
use serde_json::{Value, json};

const TEAM: &str = "https://acme.cloudflareaccess.com";
const AUD: &str = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";
const NOW_MS: i64 = 1_800_000_000_000;
const MINUTE_MS: i64 = 60_000;

/// A modulus of 2,048 bits: nothing is checked with it here.
fn key_set(ids: &[&str]) -> String {
    let n = URL_SAFE_NO_PAD.encode([0xff; 256]);
    let keys: Vec<Value> = ids
        .iter()
        .map(|id| json!({ "kid": id, "kty": "RSA", "use": "sig", "n": n, "e": "AQAB" }))
        .collect();
    json!({ "keys": keys }).to_string()
}

fn claims() -> Value {
    let now = NOW_MS / 1_000;
    json!({
        "aud": [AUD], "email": "Ana@example.com", "iss": TEAM, "type": "app",
        "iat": now - 60, "nbf": now - 60, "exp": now + 3_600, "sub": "7335d417",
    })
}

fn token_with(header: &Value, claims: &Value) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}.c2ln", part(header), part(claims))
}

fn token(claims: &Value) -> String {
    token_with(
        &json!({ "alg": "RS256", "kid": "one", "typ": "JWT" }),
        claims,
    )
}

fn access() -> Access {
    Access::of(TEAM, AUD).unwrap()
}

fn fetched(ids: &[&str]) -> Option<Fetched> {
    Some(Fetched {
        text: key_set(ids),
        cache_control: None,
    })
}

/// How a first token ends, with these keys to be fetched.
fn told(token: &str, keys: Option<Fetched>) -> String {
    let mut memory = KeyMemory::default();
    name(match access().begin(token, &mut memory, NOW_MS) {
        Step::Fetch { url } => {
            assert_eq!(url, format!("{TEAM}/cdn-cgi/access/certs"));
            access().fetched(token, keys, &mut memory, NOW_MS)
        }
        other => other,
    })
}

fn name(step: Step) -> String {
    match step {
        Step::Fetch { .. } => "fetch".to_owned(),
        Step::Ask { email, .. } => email,
        Step::Refused => "refused".to_owned(),
        Step::Unavailable => "unavailable".to_owned(),
    }
}

#[test]
fn a_team_and_an_application_are_named_or_nobody_is_vouched_for() {
    assert!(Access::of("https://acme.cloudflareaccess.com/", AUD).is_some());
    for (team, audience) in [
        ("", AUD),
        (TEAM, ""),
        ("acme.cloudflareaccess.com", AUD),
        ("http://acme.cloudflareaccess.com", AUD),
        ("https://cloudflareaccess.com.example", AUD),
        ("https://evil.example/x.cloudflareaccess.com", AUD),
        ("https://user@acme.cloudflareaccess.com", AUD),
        ("https://acme.cloudflareaccess.com:8443", AUD),
    ] {
        assert!(Access::of(team, audience).is_none(), "{team} {audience}");
    }
}

#[test]
fn a_token_says_who_for_whom_and_until_when() {
    let right = token(&claims());
    assert_eq!(told(&right, fetched(&["zero", "one"])), "Ana@example.com");
    let now = NOW_MS / 1_000;
    for (member, value) in [
        ("iss", json!("https://other.cloudflareaccess.com")),
        ("iss", json!(format!("{TEAM}/"))),
        ("aud", json!(["another"])),
        ("aud", json!([])),
        ("aud", json!(null)),
        ("email", json!("")),
        ("email", json!(["ana@example.com"])),
        ("email", Value::Null),
        ("type", json!("org")),
        ("exp", json!(now - 61)),
        ("exp", json!(now + 31 * 86_400)),
        ("exp", Value::Null),
        ("iat", json!(now + 61)),
        ("nbf", json!(now + 61)),
        ("iat", Value::Null),
    ] {
        let mut claims = claims();
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(member),
            value => claims
                .as_object_mut()
                .unwrap()
                .insert(member.to_owned(), value),
        };
        let wrong = token(&claims);
        assert_eq!(told(&wrong, fetched(&["one"])), "refused", "{claims}");
    }
    let mut claims = claims();
    claims["exp"] = json!(now - 59);
    let late = token(&claims);
    assert_eq!(told(&late, fetched(&["one"])), "Ana@example.com", "leeway");
}

#[test]
fn a_token_chooses_neither_its_algorithm_nor_its_key() {
    for header in [
        json!({ "alg": "none", "kid": "one" }),
        json!({ "alg": "HS256", "kid": "one" }),
        json!({ "alg": "ES256", "kid": "one" }),
        json!({ "alg": "RS256" }),
        json!({ "alg": "RS256", "kid": "two" }),
        json!({ "alg": "RS256", "kid": "one", "jku": "https://evil.example" }),
        json!({ "alg": "RS256", "kid": "one", "jwk": {} }),
        json!({ "alg": "RS256", "kid": "one", "crit": ["x"] }),
    ] {
        let wrong = token_with(&header, &claims());
        assert_eq!(told(&wrong, fetched(&["one"])), "refused", "{header}");
    }
    for text in ["", "a.b", "a.b.c.d", "..", "é.é.é"] {
        assert_eq!(told(text, fetched(&["one"])), "refused", "{text}");
    }
}

#[test]
fn keys_that_do_not_come_are_our_failure() {
    let right = token(&claims());
    assert_eq!(told(&right, None), "unavailable");
    for text in ["", "{}", "<html>"] {
        let nonsense = Fetched {
            text: text.to_owned(),
            cache_control: None,
        };
        assert_eq!(told(&right, Some(nonsense)), "unavailable", "{text}");
    }
}

#[test]
fn strangers_cause_few_fetches_and_keep_nobody_out() {
    let (mut memory, access) = (KeyMemory::default(), access());
    let right = token(&claims());
    access.fetched(&right, fetched(&["one"]), &mut memory, NOW_MS);
    let strange = token_with(&json!({ "alg": "RS256", "kid": "x" }), &claims());
    let (mut fetches, mut at_ms) = (0, NOW_MS);
    for _ in 0..1_000 {
        at_ms += 300;
        if matches!(
            access.begin(&strange, &mut memory, at_ms),
            Step::Fetch { .. }
        ) {
            fetches += 1;
            access.fetched(&strange, None, &mut memory, at_ms);
        }
        let step = access.begin(&right, &mut memory, at_ms);
        assert_eq!(name(step), "Ana@example.com");
    }
    assert!((1..=6).contains(&fetches), "{fetches} in five minutes");
    // A key that the team has made since is found by the next who brings it.
    let later = at_ms + 2 * MINUTE_MS;
    assert_eq!(name(access.begin(&strange, &mut memory, later)), "fetch");
    let step = access.fetched(&strange, fetched(&["one", "x"]), &mut memory, later);
    assert_eq!(name(step), "Ana@example.com");
}

#[test]
fn known_keys_serve_while_the_team_cannot_be_asked() {
    let (mut memory, access) = (KeyMemory::default(), access());
    let mut claims = claims();
    claims["exp"] = json!(NOW_MS / 1_000 + 7 * 86_400);
    let right = token(&claims);
    access.fetched(&right, fetched(&["one"]), &mut memory, NOW_MS);
    let later = NOW_MS + 2 * 3_600_000;
    assert_eq!(name(access.begin(&right, &mut memory, later)), "fetch");
    let step = access.fetched(&right, None, &mut memory, later);
    assert_eq!(name(step), "Ana@example.com");
    let much_later = NOW_MS + 3 * 86_400_000;
    let step = access.fetched(&right, None, &mut memory, much_later);
    assert_eq!(name(step), "unavailable");
}
