//! Who verifies, and what: one Standard Webhooks request of a given size, and the contenders ready
//! to judge it. A contender is prepared as its own documentation says; what it does anew for each
//! request is what is measured.

use std::fmt;
use std::hint::black_box;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hookgate::admission::{self, Admission, Findings};
use hookgate::gate::{Gate, LiveSource};
use hookgate::request::{Head, Inbound};
use hookgate::verify::{Claims, verify};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;

/// 256 B to 1 MB.
pub const BODY_BYTES: [usize; 5] = [256, 1_024, 16_384, 262_144, 1_048_576];

/// What the others are divided by.
pub const BASELINE: &str = "hmac+sha2";

/// The least that a library can do, and less than any does: the request is read already.
pub const PREPARED: &str = "hookgate verify";

const ID: &str = "msg_2b9eX4tYqTPRkXJjnYwHTZpJQ7u";
const KEY: &[u8; 24] = b"\x31\x7a\x10\xbd\xaf\xc6\x0c\x66\x0a\xb2\xbe\x33\x50\x93\xd5\x0f\x08\xf1\x23\x96\x23\xa2\xd6\x8b";

/// A signed request.
#[derive(Clone)]
pub struct Request {
    time: String,
    body: Vec<u8>,
    tag: Vec<u8>,
}

impl Request {
    /// Signed at `now_seconds`: most contenders look at the clock.
    pub fn new(body_bytes: usize, now_seconds: u64) -> Self {
        let time = now_seconds.to_string();
        let body = json(body_bytes);
        let tag = keyed(&signed_bytes(&time, &body))
            .finalize()
            .into_bytes()
            .to_vec();
        Request { time, body, tag }
    }

    /// The same request with one bit of its body changed.
    pub fn forged(&self) -> Self {
        let mut forged = self.clone();
        let middle = forged.body.len() / 2;
        forged.body[middle] ^= 1;
        forged
    }

    /// As many headers as a provider sends, those that count among them.
    fn headers(&self) -> Vec<(String, String)> {
        [
            ("host", "gate.example".to_owned()),
            (
                "user-agent",
                "Provider-Webhooks/1.0 (sender-142f36f9)".to_owned(),
            ),
            ("accept", "*/*".to_owned()),
            ("accept-encoding", "gzip, br".to_owned()),
            ("content-type", "application/json".to_owned()),
            ("content-length", self.body.len().to_string()),
            ("webhook-id", ID.to_owned()),
            ("webhook-timestamp", self.time.clone()),
            (
                "webhook-signature",
                format!("v1,{}", STANDARD.encode(&self.tag)),
            ),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    fn header_map(&self) -> HeaderMap {
        self.headers()
            .into_iter()
            .map(|(name, value)| {
                (
                    name.parse::<HeaderName>().expect("a header's name"),
                    HeaderValue::from_str(&value).expect("a header's value"),
                )
            })
            .collect()
    }
}

/// One way to judge a request.
pub struct Contender {
    pub name: &'static str,
    judge: Box<dyn Fn() -> bool>,
}

impl Contender {
    /// Whether the request holds. What it was made with is hidden from the optimizer.
    pub fn judge(&self) -> bool {
        black_box((self.judge)())
    }
}

impl fmt::Debug for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Everyone who can judge `request`, [`BASELINE`] first.
///
/// # Panics
/// If a contender cannot be prepared, or judges wrongly: what is wrong is not worth timing.
pub fn contenders(request: &Request) -> Vec<Contender> {
    let right = prepared(request);
    for (right, wrong) in right.iter().zip(prepared(&request.forged())) {
        assert!(right.judge(), "{}: refused the genuine request", right.name);
        assert!(!wrong.judge(), "{}: took the forged request", wrong.name);
    }
    right
}

fn prepared(request: &Request) -> Vec<Contender> {
    let request = Rc::new(request.clone());
    let secret = format!("whsec_{}", STANDARD.encode(KEY));
    let mut all = vec![
        bare(&request),
        hookgate_verify(&request, &secret),
        hookgate_read_and_verify(&request, &secret),
    ];
    all.extend(hookgate_admit(&request, &secret));
    all.extend([
        standardwebhooks(&request, &secret),
        svix(&request, &secret),
        webhook_verify(&request, &secret),
    ]);
    all
}

/// Keyed each time, and the signed bytes lie ready in one piece.
fn bare(request: &Request) -> Contender {
    let signed = signed_bytes(&request.time, &request.body);
    let tag = request.tag.clone();
    let judge = move || {
        keyed(black_box(&signed))
            .verify_slice(black_box(&tag))
            .is_ok()
    };
    contender(BASELINE, judge)
}

/// From a prepared source and parsed headers.
fn hookgate_verify(request: &Rc<Request>, secret: &str) -> Contender {
    let live = Live::new(secret);
    let head = head(request);
    let claims = Claims::read(&live.source().scheme, &head).expect("a well-formed head");
    let request = Rc::clone(request);
    contender(PREPARED, move || {
        let live = live.source();
        let inbound = Inbound::new(&head, black_box(&request.body), &live.json_pointers);
        black_box(verify(&live.scheme, &live.keys, &claims, &inbound, None)).is_ok()
    })
}

/// The signature, the id and the time read from the headers as well: what the crates below do.
fn hookgate_read_and_verify(request: &Rc<Request>, secret: &str) -> Contender {
    let live = Live::new(secret);
    let head = head(request);
    let request = Rc::clone(request);
    contender("hookgate read+verify", move || {
        let live = live.source();
        let inbound = Inbound::new(&head, black_box(&request.body), &live.json_pointers);
        Claims::read(&live.scheme, &head).is_ok_and(|claims| {
            black_box(verify(&live.scheme, &live.keys, &claims, &inbound, None)).is_ok()
        })
    })
}

/// The whole decision: shape, MAC, freshness, identity, and the event that would be held. `None`
/// where the body is larger than the gate takes.
fn hookgate_admit(request: &Rc<Request>, secret: &str) -> Option<Contender> {
    let live = Live::new(secret);
    if request.body.len() > live.source().source.body_bytes_max {
        return None;
    }
    let head = head(request);
    let now_ms = request.time.parse::<i64>().expect("seconds") * 1_000;
    let request = Rc::clone(request);
    Some(contender("hookgate admit", move || {
        let live = live.source();
        let Ok(opening) = admission::open(live, &head) else {
            return false;
        };
        let inbound = Inbound::new(&head, black_box(&request.body), &live.json_pointers);
        let mut findings = Findings::default();
        let admission = admission::check(live, &opening, &inbound, None, now_ms, &mut findings)
            .and_then(|matched| {
                admission::admit(live, &opening, &inbound, matched, now_ms, &mut findings)
            });
        matches!(black_box(&admission), Ok(Admission::Event(_)))
    }))
}

fn standardwebhooks(request: &Rc<Request>, secret: &str) -> Contender {
    let webhook = standardwebhooks::Webhook::new(secret).expect("a secret");
    let headers = request.header_map();
    let request = Rc::clone(request);
    contender("standardwebhooks", move || {
        webhook.verify(black_box(&request.body), &headers).is_ok()
    })
}

fn svix(request: &Rc<Request>, secret: &str) -> Contender {
    let webhook = svix::webhooks::Webhook::new(secret).expect("a secret");
    let headers = request.header_map();
    let request = Rc::clone(request);
    contender("svix", move || {
        webhook.verify(black_box(&request.body), &headers).is_ok()
    })
}

fn webhook_verify(request: &Rc<Request>, secret: &str) -> Contender {
    use webhook_verify::{Provider, Secret, VerifyOptions, verify};
    let secret = Secret::new(secret);
    let headers = request.header_map();
    let request = Rc::clone(request);
    contender("webhook-verify", move || {
        let options = VerifyOptions::default();
        verify(
            Provider::StandardWebhooks,
            &headers,
            black_box(&request.body),
            &secret,
            options,
        )
        .is_ok()
    })
}

fn contender(name: &'static str, judge: impl Fn() -> bool + 'static) -> Contender {
    let judge = Box::new(judge);
    Contender { name, judge }
}

fn keyed(signed: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY).expect("HMAC takes keys of every length");
    mac.update(signed);
    mac
}

fn signed_bytes(time: &str, body: &[u8]) -> Vec<u8> {
    [ID.as_bytes(), b".", time.as_bytes(), b".", body].concat()
}

fn head(request: &Request) -> Head {
    Head::new("POST", "/hooks/bench", request.headers())
}

/// A gate with one source.
struct Live(Gate);

impl Live {
    const SOURCES: &str = r#"
        version = 1
        queue_retention_seconds = 345600
        [destinations.backend]
        url = "https://backend.example/"
        secret = "DELIVERY_SECRET"
        [sources.bench]
        tenant = "bench"
        scheme = "standard-webhooks"
        secrets = ["BENCH_SECRET"]
        destination = "backend"
        dedup_retention_seconds = 604800
    "#;

    fn new(secret: &str) -> Self {
        let (config, _) =
            hookgate::config::from_toml(Self::SOURCES).expect("a checked configuration");
        let delivery = format!("whsec_{}", STANDARD.encode([7; 32]));
        Live(Gate::assemble(config, "test", |name| match name {
            "BENCH_SECRET" => Some(secret.to_owned()),
            "DELIVERY_SECRET" => Some(delivery.clone()),
            _ => None,
        }))
    }

    fn source(&self) -> &LiveSource {
        self.0.source("bench").expect("the one source")
    }
}

/// A JSON document of exactly so many bytes, in plain characters as most webhooks are.
fn json(bytes: usize) -> Vec<u8> {
    let mut text =
        r#"{"type":"invoice.paid","timestamp":"2025-10-09T08:53:20Z","data":{"lines":["#.to_owned();
    let end = r#""]}}"#;
    while text.len() + 64 < bytes {
        text.push_str(r#"{"sku":"A-1042","quantity":3,"amount":1999},"#);
    }
    text.push('"');
    text.extend(std::iter::repeat_n('x', bytes - text.len() - end.len()));
    text.push_str(end);
    text.into_bytes()
}
