//! Random requests, and two who judge each: the gate, and a crate that is not ours.
//!
//! Nothing here depends on chance: a run is its seed.

use std::time::{SystemTime, UNIX_EPOCH};

use hookgate::admission::{self, Admission, Findings};
use hookgate::gate::{Gate, LiveSource};
use hookgate::request::{Head, Inbound};
use hookgate::sign::{Draft, sign};

mod chance;
mod mutation;
mod reference;

pub use chance::Chance;
pub use mutation::{Mutation, mutate};
pub use reference::{REFERENCES, Reference};

/// What one side sees of a delivery.
#[derive(Clone, Debug)]
pub struct Request {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub secret: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut known = self.headers.iter();
        known
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Unix milliseconds.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}

/// A gate with one source of `scheme`, and its verdicts.
pub struct Ours {
    gate: Gate,
    pub secret: String,
}

const SOURCE: &str = "vector";

impl Ours {
    /// # Panics
    /// Where the scheme is not there, or its secret is none.
    pub fn new(scheme: &str, secret: &str) -> Self {
        let more = match scheme {
            "shopify" => "discriminator_values = [\"orders/create\"]",
            "square" => "pins = { url = \"https://gate.example/hooks/vector\" }",
            _ => "",
        };
        let sources = format!(
            "version = 1\nqueue_retention_seconds = 345600\n\
             [destinations.backend]\nurl = \"https://backend.example/\"\nsecret = \"DELIVERY_SECRET\"\n\
             [sources.{SOURCE}]\ntenant = \"tenant\"\nscheme = \"{scheme}\"\nsecrets = [\"SECRET\"]\n\
             destination = \"backend\"\ndedup_retention_seconds = 2592000\n{more}\n"
        );
        let (config, _) = hookgate::config::from_toml(&sources)
            .unwrap_or_else(|errors| panic!("{}", errors.join("\n")));
        let gate = Gate::assemble(config, "test", |name| match name {
            "SECRET" => Some(secret.to_owned()),
            _ => None,
        });
        Ours {
            gate,
            secret: secret.to_owned(),
        }
    }

    fn live(&self) -> &LiveSource {
        self.gate.source(SOURCE).expect("the one source")
    }

    /// The table of the scheme.
    pub fn scheme(&self) -> &hookgate::scheme::Scheme {
        &self.live().scheme
    }

    /// As the provider would sign it.
    ///
    /// # Panics
    /// Where the scheme cannot sign this.
    pub fn signed(&self, body: &[u8], event_id: &str, time_ms: i64) -> Request {
        let live = self.live();
        let draft = Draft {
            source: SOURCE,
            scheme: &live.scheme,
            body,
            event_id,
            event_type: "orders/create",
            nonce: "nonce",
            time_ms,
            pins: &live.source.pins,
        };
        let signed = sign(&draft, &live.keys[0]).expect("signed");
        Request {
            headers: signed.headers,
            body: signed.body,
            secret: self.secret.clone(),
        }
    }

    /// `Ok`, or the reason of the refusal.
    pub fn judge(&self, request: &Request, now_ms: i64) -> Result<(), &'static str> {
        let live = self.live();
        let head = Head::new("POST", "/hooks/vector", request.headers.clone());
        let mut findings = Findings::default();
        let admitted = admission::open(live, &head).and_then(|opening| {
            let inbound = Inbound::new(&head, &request.body, &live.json_pointers);
            let matched = admission::check(live, &opening, &inbound, None, now_ms, &mut findings)?;
            admission::admit(live, &opening, &inbound, matched, now_ms, &mut findings)
        });
        match admitted {
            Ok(Admission::Event(_) | Admission::Challenge(_) | Admission::Question(_)) => Ok(()),
            Ok(Admission::Confirm(_)) => Ok(()),
            Err(verdict) => Err(verdict.reason().unwrap_or(verdict.name())),
        }
    }
}
