//! Those who judge beside the gate, asked as their documentation says.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use webhook_verify::{Clock, Provider, Secret, VerifyOptions, verify};

use crate::Request;

/// A crate, and the scheme of ours that it knows as well.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    pub scheme: &'static str,
    pub name: &'static str,
    /// Whether it takes the request, at this time in seconds.
    pub judge: fn(&Request, u64) -> bool,
    /// It cannot be told the time.
    pub reads_clock: bool,
}

pub const REFERENCES: &[Reference] = &[
    webhook_verify("github", |request, now| {
        asked(Provider::GitHub, request, now)
    }),
    webhook_verify("shopify", |request, now| {
        asked(Provider::Shopify, request, now)
    }),
    webhook_verify("linear", |request, now| {
        asked(Provider::Linear, request, now)
    }),
    webhook_verify("square", |request, now| {
        asked(Provider::Square, request, now)
    }),
    webhook_verify("slack", |request, now| asked(Provider::Slack, request, now)),
    webhook_verify("standard-webhooks", |request, now| {
        asked(Provider::StandardWebhooks, request, now)
    }),
    webhook_verify("zoom", |request, now| asked(Provider::Zoom, request, now)),
    webhook_verify("dropbox", |request, now| {
        asked(Provider::Dropbox, request, now)
    }),
    webhook_verify("stripe", |request, now| {
        asked(Provider::Stripe, request, now)
    }),
    Reference {
        scheme: "standard-webhooks",
        name: "standardwebhooks",
        judge: |request, _| {
            let webhook = standardwebhooks::Webhook::new(&request.secret);
            webhook.is_ok_and(|webhook| webhook.verify(&request.body, &headers(request)).is_ok())
        },
        reads_clock: true,
    },
];

const fn webhook_verify(scheme: &'static str, judge: fn(&Request, u64) -> bool) -> Reference {
    Reference {
        scheme,
        name: "webhook-verify",
        judge,
        reads_clock: false,
    }
}

fn asked(provider: Provider, request: &Request, now_seconds: u64) -> bool {
    let options = VerifyOptions::default()
        .with_clock(Some(Arc::new(At(now_seconds))))
        .with_request_url(URL);
    let secret = Secret::new(&request.secret);
    verify(provider, &headers(request), &request.body, &secret, options).is_ok()
}

/// Where the requests are sent to, for those who sign it.
const URL: &str = "https://gate.example/hooks/vector";

struct At(u64);

impl Clock for At {
    fn now(&self) -> u64 {
        self.0
    }
}

/// A header that is none over HTTP is left out.
fn headers(request: &Request) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            map.append(name, value);
        }
    }
    map
}
