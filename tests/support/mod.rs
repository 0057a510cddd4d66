//! What the tests share: the vectors, a gate with given sources and secrets, and a run through it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]
#![allow(dead_code, unused_imports, reason = "each test file uses a part of it")]

pub mod anywhere;
mod built;
pub mod config_rules;
pub mod delivered;
mod forms;
mod forms_cloud;
mod forms_handshakes;
pub mod mutate;
pub mod mutation_table;
pub mod mutators;
pub mod tool;
pub mod tree;
mod vector_files;

pub use built::{TOPICS, known, more_for, takes_any_body};
use built::{built, must_say, pins_for};
pub use vector_files::{Vector, parse_vector, vector, vectors, vectors_with_secrets};

use std::collections::BTreeMap;
use std::path::PathBuf;

use hookgate::admission::{self, Admission, Findings};
use hookgate::event::{Event, Held, HeldContent};
use hookgate::gate::{Gate, LiveSource};
use hookgate::public_key::native;
use hookgate::request::{Head, Inbound};
use hookgate::scheme::{KeyEncoding, Part, Scheme};
use hookgate::sign::{Draft, Signed, sign};
use hookgate::verdict::Verdict;

/// The clock of tests that do not care: 2025-10-09T08:53:20Z.
pub const NOW_MS: i64 = 1_760_000_000_000;

/// One request, ready to be changed.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub now_ms: i64,
    /// What stands outside, by URL.
    pub documents: BTreeMap<String, String>,
}

impl Request {
    pub fn head(&self) -> Head {
        Head::new(&self.method, &self.target, self.headers.clone())
    }
}

impl From<Signed> for Request {
    fn from(signed: Signed) -> Self {
        Request {
            method: signed.method,
            target: signed.target,
            headers: signed.headers,
            body: signed.body,
            now_ms: NOW_MS,
            documents: BTreeMap::new(),
        }
    }
}

/// Runs a request through admission: the head first, then the whole.
pub fn run<'b>(live: &LiveSource, request: &'b Request) -> Result<Admission<'b>, Verdict> {
    run_with(live, request, &mut Findings::default())
}

pub fn run_with<'b>(
    live: &LiveSource,
    request: &'b Request,
    findings: &mut Findings,
) -> Result<Admission<'b>, Verdict> {
    let head = request.head();
    let mut opening = admission::open(live, &head)?;
    let inbound = Inbound::new(&head, &request.body, &live.json_pointers);
    let now_ms = request.now_ms;
    let proved = if live.scheme.is_public() {
        let statement = admission::state(live, &mut opening, &inbound, now_ms)?;
        let document = |url: &str| request.documents.get(url).cloned();
        let proof = native::settle(live, &statement, document, now_ms)?;
        Some(opening.signed(proof))
    } else {
        None
    };
    let matched = admission::check(live, &opening, &inbound, proved, now_ms, findings)?;
    admission::admit(live, &opening, &inbound, matched, now_ms, findings)
}

/// In one word: `accept`, `challenge`, `observed`, or the reason's name.
pub fn outcome(live: &LiveSource, request: &Request) -> &'static str {
    match run(live, request) {
        Ok(Admission::Event(_)) => "accept",
        Ok(Admission::Challenge(_)) => "challenge",
        Ok(Admission::Confirm(_)) => "confirm",
        Ok(Admission::Question(_)) => "question",
        Err(verdict) => verdict.reason().unwrap_or(verdict.name()),
    }
}

/// The event of a request that must be accepted.
pub fn event<'b>(live: &LiveSource, request: &'b Request) -> Event<'b> {
    match run(live, request) {
        Ok(Admission::Event(event)) => *event,
        other => panic!("not accepted: {other:?}: {request:?}"),
    }
}

/// The event as the backend's side of the queue reads it.
pub fn held(live: &LiveSource, request: &Request) -> Held {
    let text = event(live, request)
        .into_message(
            "request-1",
            "00-00000000000000000000000000000001-0000000000000001-01",
        )
        .expect("fits into a message");
    Held::read(&text).expect("readable")
}

/// The content of a held event that travels in its message.
pub fn content(held: &Held) -> &[u8] {
    match &held.content {
        HeldContent::Here(content) => content,
        HeldContent::Apart(check) => panic!("not in the message: {check:?}"),
    }
}

/// The key under which the event of an accepted request is remembered.
pub fn key(live: &LiveSource, request: &Request) -> String {
    event(live, request).dedup_key().to_owned()
}

/// A source for [`gate`]; the scheme is built in, or stands in the extra tables.
pub struct SourceText<'a> {
    pub name: &'a str,
    pub tenant: &'a str,
    pub scheme: &'a str,
    /// Names of Worker secrets.
    pub secrets: &'a [&'a str],
    /// More lines of its table.
    pub more: &'a str,
}

/// A `sources.toml` with these sources, one destination and `tables` at the end.
pub fn sources_toml(sources: &[SourceText<'_>], tables: &str) -> String {
    let mut text = "version = 1\nqueue_retention_seconds = 345600\n\
        [destinations.backend]\nurl = \"https://backend.example/\"\nsecret = \"DELIVERY_SECRET\"\n"
        .to_owned();
    for SourceText {
        name,
        tenant,
        scheme,
        secrets,
        more,
    } in sources
    {
        let retention = if more.contains("dedup_retention_seconds") {
            ""
        } else {
            "dedup_retention_seconds = 2592000"
        };
        text += &format!(
            "[sources.{name}]\ntenant = \"{tenant}\"\nscheme = \"{scheme}\"\nsecrets = {secrets:?}\ndestination = \"backend\"\n{retention}\n{more}\n"
        );
    }
    text + tables
}

/// A gate with these sources; `values` are the Worker's secrets.
pub fn gate(sources: &[SourceText<'_>], tables: &str, values: &[(&str, &str)]) -> Gate {
    gate_in("test", sources, tables, values)
}

pub fn gate_in(
    environment: &str,
    sources: &[SourceText<'_>],
    tables: &str,
    values: &[(&str, &str)],
) -> Gate {
    let (config, _) = hookgate::config::from_toml(&sources_toml(sources, tables))
        .unwrap_or_else(|errors| panic!("{}", errors.join("\n")));
    Gate::assemble(config, environment, |name| {
        values
            .iter()
            .find(|(known, _)| *known == name)
            .or([&DELIVERY, &HANDSHAKE_TOKEN]
                .into_iter()
                .find(|(known, _)| *known == name))
            .map(|(_, value)| (*value).to_owned())
    })
}

/// The secret that signs deliveries, unless the test gives another one.
pub const DELIVERY: (&str, &str) = ("DELIVERY_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx");

/// What a handshake must show, unless the test gives another one.
pub const HANDSHAKE_TOKEN: (&str, &str) = ("HANDSHAKE_TOKEN", "meatyhamhock");

/// A gate with one source, `vector`, of one scheme, whose secrets are called `KEY_0`, `KEY_1`, ….
pub fn gate_for(scheme: &str, secrets: &[String]) -> Gate {
    gate_pinned(scheme, secrets, &pins_for(scheme))
}

/// The same with these pins.
pub fn gate_pinned(scheme: &str, secrets: &[String], pins: &str) -> Gate {
    let names: Vec<String> = (0..secrets.len())
        .map(|index| format!("KEY_{index}"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let values: Vec<(&str, &str)> = names
        .iter()
        .copied()
        .zip(secrets.iter().map(String::as_str))
        .collect();
    gate(
        &[SourceText {
            name: "vector",
            tenant: "tenant",
            scheme,
            secrets: &names,
            more: &format!("{}{pins}", must_say(scheme)),
        }],
        "",
        &values,
    )
}

/// A gate with one source, `vector`, of a scheme that states something. Pins that are secrets are
/// written in clear here, as no `sources.toml` may.
pub fn gate_with(scheme: &str, secrets: &[String], more: &str) -> Gate {
    let clear = |name: &str| {
        more.split_once(&format!("{name} = \""))
            .map(|(_, rest)| rest.split('"').next().unwrap_or_default().to_owned())
    };
    let mut more = more.to_owned();
    let mut values = Vec::new();
    for (pin, secret) in [
        ("token", "PIN_TOKEN"),
        ("url_secret", "PIN_URL_SECRET"),
        ("secret", "PIN_SECRET"),
    ] {
        if let Some(value) = clear(pin) {
            more = more.replace(
                &format!("{pin} = \"{value}\""),
                &format!("{pin} = \"${secret}\""),
            );
            values.push((secret, value));
        }
    }
    if ["alibaba-smq", "paypal"].contains(&scheme) {
        more += "accept_weak_key = true\n";
    }
    let names: Vec<String> = (0..secrets.len())
        .map(|index| format!("KEY_{index}"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    values.extend(names.iter().copied().zip(secrets.iter().cloned()));
    let values: Vec<(&str, &str)> = values
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    gate(
        &[SourceText {
            name: "vector",
            tenant: "tenant",
            scheme,
            secrets: &names,
            more: &more,
        }],
        "",
        &values,
    )
}

/// The one source of [`gate_for`].
pub fn only(gate: &Gate) -> &LiveSource {
    gate.source("vector").expect("gate_for made it")
}

/// A secret in the form that the scheme's provider gives out; another `number`, another secret.
pub fn a_secret(scheme: &str, number: u8) -> String {
    use base64::Engine as _;
    let form = known(scheme).key;
    let prefix = form.strip.last().cloned().unwrap_or_default();
    match form.encoding {
        KeyEncoding::Base64 | KeyEncoding::Base64IfPrefixed => {
            let bytes = base64::engine::general_purpose::STANDARD.encode([number; 24]);
            format!("{prefix}{bytes}")
        }
        KeyEncoding::Hex => hookgate::hex::encode(&[number; 32]),
        _ if known(scheme).is_bearer() => format!("a-secret:number-{number}"),
        _ => format!("a secret, number {number}"),
    }
}

/// A request that the scheme's provider could have sent at [`NOW_MS`].
pub fn signed(live: &LiveSource, body: &[u8], event_id: &str) -> Request {
    signed_at(live, body, event_id, NOW_MS)
}

pub fn signed_at(live: &LiveSource, body: &[u8], event_id: &str, now_ms: i64) -> Request {
    let draft = Draft {
        source: &live.name,
        scheme: &live.scheme,
        body,
        event_id,
        event_type: "orders/create",
        nonce: "nonce-1",
        time_ms: now_ms,
        pins: &live.pins,
    };
    let key = live.keys.first().expect("a live key");
    let mut request = Request::from(sign(&draft, key).expect("can be signed"));
    request.now_ms = now_ms;
    request
}

/// A body that the scheme can sign, with the same content for the same `number`.
pub fn a_body(scheme: &str, number: u32) -> Vec<u8> {
    match scheme {
        "azure-event-grid" => {
            format!("[{{\"id\":\"evt_{number}\",\"topic\":\"t\",\"eventType\":\"order.paid\"}}]")
        }
        _ if built(scheme).is_some_and(|scheme| scheme.signed.contains(&Part::FirstItem)) => {
            format!("[{{\"id\":\"evt_{number}\",\"type\":\"order.paid\"}}]")
        }
        "koogallery-v1" => format!("activity=newInstance&orderId=CS{number}&productId=P1"),
        "koogallery-v2" => format!(
            "{{\"activity\":\"newInstance\",\"orderId\":\"CS{number}\",\"orderLineId\":\"CS{number}-1\"}}"
        ),
        _ => format!("{{\"id\":\"evt_{number}\",\"type\":\"order.paid\"}}"),
    }
    .into_bytes()
}

/// The names of the built-in schemes.
pub fn built_in() -> impl Iterator<Item = &'static str> {
    hookgate::schemes::BUILT_IN.iter().map(|(name, _)| *name)
}

/// Those that a shared secret signs, so that a test can sign as the provider does. The others have
/// their vectors, and `tests/public_keys.rs`.
pub fn with_secrets() -> impl Iterator<Item = &'static str> {
    built_in().filter(|name| !is_stated(name))
}

/// Whether more than the secret is needed to sign under this scheme.
pub fn is_stated(scheme: &str) -> bool {
    let scheme = hookgate::config::built_in(scheme).expect("built in");
    scheme.expect("readable").is_stated()
}

pub fn is_public(scheme: &str) -> bool {
    known(scheme).is_public()
}

pub fn scheme(name: &str) -> Scheme {
    let gate = gate_for(name, &[a_secret(name, 1)]);
    Scheme::clone(&only(&gate).scheme)
}

/// The repository: this crate, or the one above it (`fuzz`).
pub fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let above = here
        .ancestors()
        .find(|path| path.join("tests/vectors").is_dir());
    above.expect("tests/vectors").to_path_buf()
}

/// A document of these certificates of `tests/documents/chains.pem`, in this order.
pub fn chain(names: &[&str]) -> String {
    let all = std::fs::read_to_string(root().join("tests/documents/chains.pem")).unwrap();
    let one = |name: &&str| {
        let block = all.split("\n\n").find_map(|block| {
            let (title, pem) = block.trim_start().split_once('\n')?;
            (title == *name).then(|| format!("{}\n", pem.trim_end()))
        });
        block.unwrap_or_else(|| panic!("{name}"))
    };
    names.iter().map(one).collect()
}
