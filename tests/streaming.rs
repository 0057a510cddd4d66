//! A body that goes by as a stream is judged as if it had been read whole: the same verdict, the same
//! key, the same message but for where the content is.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::admission::{self, Admission, Findings};
use hookgate::event::{ClaimCheck, Held, HeldContent};
use hookgate::gate::{Gate, LiveSource};
use hookgate::request::Inbound;
use hookgate::schemes::BUILT_IN;
use hookgate::verdict::{Reject, Verdict};
use hookgate::verify::{AroundBody, Streaming};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use support::{Request, SourceText, a_secret, built_in, gate, only, signed};

/// The built-in schemes that can be verified over a stream; docs/configuration.md names them.
const STREAMED: [&str; 5] = ["github", "shopify", "standard-webhooks", "supabase", "svix"];

/// The others, which are of the same make as one of those.
const ALSO_STREAMED: [&str; 26] = [
    "adyen-platform",
    "airtable",
    "anthropic",
    "bitbucket",
    "calendly",
    "clerk",
    "coinbase-cdp",
    "docusign",
    "gitlab-signed",
    "jira",
    "lemonsqueezy",
    "line",
    "mailgun-alerts",
    "mollie",
    "npm",
    "openai",
    "quickbooks",
    "razorpay",
    "resend",
    "sanity",
    "sentry",
    "teams-outgoing",
    "terraform-cloud",
    "viber",
    "woocommerce",
    "zendesk",
];

/// What a scheme of one's own may sign besides: every hash, a time before and a text behind the body.
const OWN: &str = r#"
[schemes.own]
provider = "A shop"
page = "https://shop.example/docs"
algorithm = "hmac-sha512"
key = { encoding = "utf8" }
signature = { at = "header:x-signature", encoding = "hex" }
signed = ["id", "literal:.", "time", "literal:.", "body", "literal:;end"]
id = "header:x-id"
time = { at = "header:x-time", unit = "seconds", tolerance_seconds = 300, future_seconds = 60 }
identity = [{ signed-id = "header:x-id" }]
answer_by_ms = 5000
retry_horizon_seconds = 86400

[schemes.sha1]
provider = "An old shop"
page = "https://shop.example/docs"
algorithm = "hmac-sha1"
key = { encoding = "utf8" }
signature = { at = "header:x-signature", encoding = "hex" }
signed = ["literal:v1:", "body"]
identity = [{ digest = {} }]
answer_by_ms = 5000
retry_horizon_seconds = 86400
"#;

/// A gate with two keys, whose source takes long bodies; `limit` is what it reads whole.
fn gate_that_streams(scheme: &str, limit: usize) -> Gate {
    gate_with(scheme, limit, ["KEY_0", "KEY_1"])
}

/// The first of its keys signs.
fn gate_with(scheme: &str, limit: usize, keys: [&str; 2]) -> Gate {
    let more = format!("body_bytes_max = {limit}\nstream_bytes_max = 26214400\n")
        + &match scheme {
            "own" | "sha1" => String::new(),
            built_in => support::more_for(built_in),
        };
    let source = SourceText {
        name: "vector",
        tenant: "tenant",
        scheme,
        secrets: &keys,
        more: &more,
    };
    let own = if ["own", "sha1"].contains(&scheme) {
        OWN
    } else {
        ""
    };
    let base = if own.is_empty() { scheme } else { "github" };
    let secrets = [a_secret(base, 1), a_secret(base, 2)];
    gate(
        &[source],
        own,
        &[("KEY_0", &secrets[0]), ("KEY_1", &secrets[1])],
    )
}

fn hashed(name: &str, around: &AroundBody, body: &[u8]) -> Vec<u8> {
    let text = [&around.before[..], body, &around.after].concat();
    match name {
        "SHA-1" => Sha1::digest(text).to_vec(),
        "SHA-256" => Sha256::digest(text).to_vec(),
        "SHA-512" => Sha512::digest(text).to_vec(),
        other => panic!("{other}"),
    }
}

/// What `upload.mjs` and `edge/fetch/stream.rs` do.
fn run_streamed(live: &LiveSource, request: &Request) -> Result<String, Verdict> {
    let mut request = request.clone();
    let body = std::mem::take(&mut request.body);
    request
        .headers
        .push(("content-length".into(), body.len().to_string()));
    let head = request.head();
    let opening = admission::open(live, &head)?;
    let Streaming {
        hash,
        macs,
        identity,
    } = opening.streaming(live).expect("it goes by");
    let macs: Vec<Vec<u8>> = macs
        .iter()
        .map(|mac| hashed(hash.name(), mac, &body))
        .collect();
    let identity = hashed("SHA-256", &identity, &body).try_into().unwrap();
    let matched = opening.matched_stream(live, &macs, identity, request.now_ms)?;
    let check = ClaimCheck {
        key: "claim/tenant/vector/20251009/00000000000000000000000000000000".into(),
        sha256: Sha256::digest(&body).into(),
        bytes: u32::try_from(body.len()).unwrap(),
    };
    let inbound = Inbound::streamed_to(&head, check);
    let (now_ms, findings) = (request.now_ms, &mut Findings::default());
    let matched = admission::check(live, &opening, &inbound, Some(matched), now_ms, findings)?;
    match admission::admit(live, &opening, &inbound, matched, now_ms, findings)? {
        Admission::Event(event) => Ok(event.into_message("r", "t").unwrap()),
        other => panic!("no event: {other:?}"),
    }
}

/// Every scheme that is streamed, and what a scheme of one's own may sign besides.
fn streamed() -> impl Iterator<Item = &'static str> {
    let built_in = STREAMED.into_iter().chain(ALSO_STREAMED);
    built_in.chain(["own", "sha1"])
}

#[test]
fn the_same_event_comes_of_a_stream() {
    for scheme in streamed() {
        let (streams, reads) = (
            gate_that_streams(scheme, 1_000),
            gate_that_streams(scheme, 1_000_000),
        );
        for keys in [["KEY_0", "KEY_1"], ["KEY_1", "KEY_0"]] {
            let signer = gate_with(scheme, 1_000_000, keys);
            let request = signed(only(&signer), &vec![0xfe; 200_000], "evt_1");
            let whole = support::held(only(&reads), &request);
            let streamed = Held::read(&run_streamed(only(&streams), &request).unwrap()).unwrap();
            let (HeldContent::Apart(one), HeldContent::Apart(other)) =
                (&whole.content, &streamed.content)
            else {
                panic!("{scheme}: in the message");
            };
            assert_eq!((one.sha256, one.bytes), (other.sha256, other.bytes));
            assert_eq!(
                whole.message.dedupkey, streamed.message.dedupkey,
                "{scheme}"
            );
            assert_eq!(whole.message.keyid, keys[0], "{scheme}");
            assert_eq!(streamed.message.keyid, keys[0], "{scheme}");
            assert_eq!(whole.message.time, streamed.message.time, "{scheme}");
            let headers = |held: &Held| {
                let carried = held.headers.iter();
                carried
                    .filter(|(name, _)| name != "content-length")
                    .cloned()
                    .collect::<Vec<_>>()
            };
            assert_eq!(headers(&whole), headers(&streamed), "{scheme}");
        }
    }
}

#[test]
fn nothing_comes_of_a_stream_that_was_not_signed() {
    for scheme in streamed() {
        let gate = gate_that_streams(scheme, 1_000);
        let live = only(&gate);
        let request = signed(live, &vec![b'x'; 5_000], "evt_1");
        run_streamed(live, &request).unwrap();
        for at in [0, 2_500, 4_999] {
            let mut forged = request.clone();
            forged.body[at] ^= 1;
            let refused = run_streamed(live, &forged);
            let mismatch = Verdict::Refused(Reject::SignatureMismatch);
            assert_eq!(refused, Err(mismatch), "{scheme}");
        }
        let mut late = request.clone();
        late.now_ms += 31 * 86_400_000;
        let judged = run_streamed(live, &late);
        assert_eq!(judged.is_err(), live.scheme.time.is_some(), "{scheme}");
    }
}

#[test]
fn a_length_decides_whether_a_body_goes_by() {
    let gate = gate_that_streams("github", 1_000);
    let live = only(&gate);
    let request = signed(live, b"{}", "evt_1");
    for (length, expected) in [
        ("1000", Ok(None)),
        ("1001", Ok(Some(1_001))),
        ("26214400", Ok(Some(26_214_400))),
        ("26214401", Err(26_214_400)),
        ("18446744073709551615", Err(26_214_400)),
        ("many", Ok(None)),
    ] {
        let mut request = request.clone();
        request
            .headers
            .push(("content-length".into(), length.into()));
        let opened = admission::open(live, &request.head());
        let expected = expected
            .map_err(|body_bytes_max| Verdict::Refused(Reject::BodyTooLarge { body_bytes_max }));
        assert_eq!(
            opened.map(|opening| opening.stream_bytes),
            expected,
            "{length}"
        );
    }
}

#[test]
fn a_scheme_that_needs_the_whole_body_is_refused_by_the_build() {
    for scheme in built_in() {
        let mut text = support::sources_toml(
            &[SourceText {
                name: "vector",
                tenant: "tenant",
                scheme,
                secrets: &["KEY_0"],
                more: "stream_bytes_max = 26214400\n",
            }],
            "",
        );
        if scheme == "shopify" {
            text = text.replace("stream_", "discriminator_values = [\"a\"]\nstream_");
        }
        let built = hookgate::config::from_toml(&text);
        let errors = built.err().unwrap_or_default().join("\n");
        let refused = errors.contains("a body must be read whole");
        let streams = STREAMED.contains(&scheme) || ALSO_STREAMED.contains(&scheme);
        assert_eq!(refused, !streams, "{scheme}: {errors}");
    }
    assert!(BUILT_IN.len() > STREAMED.len());
    let named: Vec<String> = STREAMED.map(|name| format!("`{name}`")).to_vec();
    let page = support::tree::read("docs/configuration.md");
    let sentence = named.join(", ");
    assert!(
        page.contains(&sentence),
        "docs/configuration.md: name {sentence}"
    );
}
