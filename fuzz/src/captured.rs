//! What an attacker has who has read genuine requests, and not the key: he may change all of one and
//! send it as often as he likes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use hookgate::admission::{Admission, Findings, source_of};
use hookgate::event::{Held, HeldContent};
use hookgate::gate::{Gate, LiveSource};
use hookgate::scheme::{IdentityRule, Part, Place, StatedPart};

use crate::input;
use crate::support::{Request, only, run, run_with, vectors};

/// A gate that has the keys, as some vector of its scheme states them.
struct Keyed {
    gate: Gate,
    documents: BTreeMap<String, String>,
}

/// What is known of one scheme.
#[derive(Default)]
struct Known {
    gates: Vec<Keyed>,
    /// The requests of its vectors, as their provider signed them.
    requests: Vec<Request>,
    /// The content and the key of each event among them.
    events: BTreeSet<(Vec<u8>, String)>,
    /// The signature proves who sends, and nothing of what is sent; or the form's characters, and not where a field ends
    /// (Twilio's: a stated limit).
    leaves_the_event_open: bool,
}

static KNOWN: LazyLock<BTreeMap<String, Known>> = LazyLock::new(|| {
    let mut all: BTreeMap<String, Known> = BTreeMap::new();
    let vectors = vectors();
    let mut states = BTreeSet::new();
    for vector in &vectors {
        let known = all.entry(vector.scheme.clone()).or_default();
        let documents = vector.request.documents.clone();
        if states.insert((
            &vector.scheme,
            &vector.secrets,
            &vector.source,
            documents.clone(),
        )) {
            let gate = vector.gate();
            let scheme = &only(&gate).scheme;
            let joins_fields = scheme
                .signed
                .contains(&Part::Stated(StatedPart::UrlAndForm));
            known.leaves_the_event_open = joins_fields || scheme.proves_the_sender_only();
            known.gates.push(Keyed { gate, documents });
        }
    }
    for vector in &vectors {
        let Some(known) = all.get_mut(&vector.scheme) else {
            continue;
        };
        for keyed in &known.gates {
            let readings = readings(only(&keyed.gate), &vector.request);
            let taken = readings.iter().filter_map(|request| keyed.takes(request));
            known.events.extend(taken);
        }
        known.requests.push(vector.request.clone());
    }
    all
});

impl Known {
    /// The same events at another time: where nothing else tells two of them apart, the time of arrival
    /// belongs to the key.
    fn at(&self, keyed: &Keyed, now_ms: i64) -> impl Iterator<Item = (Vec<u8>, String)> {
        self.requests.iter().filter_map(move |request| {
            let mut request = request.clone();
            request.now_ms = now_ms;
            keyed.takes(&request)
        })
    }
}

impl Keyed {
    /// The event of a request, at its time or at the time that it is signed with: some vectors are
    /// signed rightly and refused for their age.
    fn takes(&self, request: &Request) -> Option<(Vec<u8>, String)> {
        let mut request = request.clone();
        request.documents.clone_from(&self.documents);
        let mut findings = Findings::default();
        if let Ok(admission) = run_with(only(&self.gate), &request, &mut findings) {
            return event_of(admission);
        }
        request.now_ms = findings.signed_time_ms?;
        run(only(&self.gate), &request).ok().and_then(event_of)
    }
}

/// An unsigned header or path that belongs to the identity makes as many events of one request as the
/// source lists values for it, or the scheme paths, and one more: a stated limit, and no more than that.
fn readings(live: &LiveSource, request: &Request) -> Vec<Request> {
    let mut readings = vec![request.clone()];
    for rule in &live.scheme.identity {
        let IdentityRule::Digest(rule) = rule else {
            continue;
        };
        match &rule.discriminator {
            Some(Place::Header(name)) => {
                let mut other = request.clone();
                other
                    .headers
                    .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
                readings.push(other.clone());
                for value in &live.source.discriminator_values {
                    let mut reading = other.clone();
                    reading.headers.push((name.clone(), value.clone()));
                    readings.push(reading);
                }
            }
            Some(Place::LastSegment) => {
                readings.extend(live.scheme.subpaths.iter().map(|behind| {
                    let mut reading = request.clone();
                    reading.target = format!("/hooks/vector/{behind}");
                    reading
                }))
            }
            _ => {}
        }
    }
    readings
}

fn event_of(admission: Admission<'_>) -> Option<(Vec<u8>, String)> {
    let Admission::Event(event) = admission else {
        return None;
    };
    let key = event.dedup_key().to_owned();
    Some((content_of(*event), key))
}

fn content_of(event: hookgate::event::Event<'_>) -> Vec<u8> {
    let Some(text) = event.into_message("request-1", "traceparent") else {
        return Vec::new();
    };
    let held = Held::read(&text).expect("a message that was just written");
    match held.content {
        HeldContent::Here(content) => content,
        // The vectors are short: what goes apart is none of theirs.
        HeldContent::Apart(check) => check.sha256.to_vec(),
    }
}

/// Whatever is changed, what comes in is an event that the provider signed, under the key that it has.
pub fn holds(bytes: &[u8]) {
    let Some(mut input) = input::read(bytes) else {
        return;
    };
    let Some(known) = KNOWN.get(&input.scheme) else {
        return;
    };
    for keyed in &known.gates {
        input.request.documents.clone_from(&keyed.documents);
        // The Worker's first question: elsewhere there is nobody who would take it.
        let Some(live) = source_of(&keyed.gate, &input.request.head()) else {
            continue;
        };
        let Ok(admission) = run(live, &input.request) else {
            continue;
        };
        let Some(event) = event_of(admission).filter(|_| !known.leaves_the_event_open) else {
            continue;
        };
        let is_known = known.events.contains(&event)
            || known
                .at(keyed, input.request.now_ms)
                .any(|known| known == event);
        assert!(
            is_known,
            "{}: no provider signed this: {event:?}, from {:?}",
            input.scheme, input.request
        );
    }
}
