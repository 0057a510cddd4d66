//! A sender signs the URL that it was given, and the source states another: what the tool says of it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha1::Sha1;
use sha2::Sha256;
use support::tool::{Bench, SECRET, WITH, source};
use support::{NOW_MS, sources_toml};

/// Schemes that sign a URL, each with the mistakes that can be told from its signature.
const SENDERS: [&str; 4] = ["twilio", "square", "trello", "hubspot-v3"];
const BODY: &str = "Body=hi&From=%2B1555";

/// The signature of a sender that was given this URL, in its headers. `query` is what it asks for besides.
fn sign(scheme: &str, url: &str) -> Vec<(&'static str, String)> {
    let sha1 = |text: String| {
        let mut mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    };
    let sha256 = |text: String| {
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    };
    match scheme {
        "twilio" => vec![("x-twilio-signature", sha1(format!("{url}BodyhiFrom+1555")))],
        "square" => vec![(
            "x-square-hmacsha256-signature",
            sha256(format!("{url}{BODY}")),
        )],
        "trello" => vec![("x-trello-webhook", sha1(format!("{BODY}{url}")))],
        _ => vec![
            (
                "x-hubspot-signature-v3",
                sha256(format!("POST{url}{BODY}{NOW_MS}")),
            ),
            ("x-hubspot-request-timestamp", NOW_MS.to_string()),
        ],
    }
}

#[test]
fn each_mistake_about_a_url_is_named() {
    let bench = Bench::new("urls");
    // What Twilio signs of a query is what comes; the others sign what they were given.
    let url_of = |scheme: &str| match scheme {
        "twilio" => format!("https://hooks.example.com/hooks/{scheme}"),
        _ => format!("https://hooks.example.com/hooks/{scheme}?from=us"),
    };
    let mut found = 0;
    for scheme in SENDERS {
        let pins = format!("pins = {{ url = \"{}\" }}\n", url_of(scheme));
        let source = source(scheme, scheme, &["HUB"], &pins);
        bench.write("sources.toml", sources_toml(&[source], ""));
        let right = format!("https://hooks.example.com/hooks/{scheme}?from=us");
        for (name, url) in [
            ("", right.clone()),
            ("url_protocol", right.replace("https", "http")),
            (
                "url_host",
                right.replace("hooks.example.com", "gate.example"),
            ),
            (
                "url_host",
                right.replace("hooks.example.com", "www.hooks.example.com"),
            ),
            ("url_path", right.replace("?", "/?")),
            ("url_query", right.replace("?from=us", "")),
        ] {
            let mut headers = sign(scheme, &url);
            headers.push(("content-type", "application/x-www-form-urlencoded".into()));
            headers.push(("host", "gate.example".into()));
            let request = json!({
                "method": "POST",
                "target": format!("/hooks/{scheme}?from=us"),
                "headers": headers,
                "body": BODY,
                "received_ms": NOW_MS,
            });
            let arguments = [&["diagnose", "-", "--source", scheme], &WITH[..]].concat();
            let (code, said) = bench.json(&arguments, request.to_string().as_bytes());
            let findings = said["findings"].as_array().unwrap();
            let names: Vec<_> = findings
                .iter()
                .map(|finding| finding["mistakes"][0]["hypothesis"].as_str().unwrap())
                .collect();
            assert_eq!(code, i32::from(!name.is_empty()), "{scheme} {name}: {said}");
            assert!(
                name.is_empty() || names.contains(&name),
                "{scheme} {name}: {said}"
            );
            found += names.len();
        }
    }
    println!("{found} mistakes named");
}
