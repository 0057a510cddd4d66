//! Values of a request at the places that a scheme names, for tests of schemes that stand in no table.

use hookgate::gate::{Gate, LiveSource};
use hookgate::scheme::{KeyEncoding, Place, Scheme};
use serde_json::Value;

use super::mutate::{has_form, map_query, percent_encoded};
use super::{Request, Vector, outcome, vectors_with_secrets, with_secrets};

/// The accepted vectors, each with its gate.
pub fn accepted() -> impl Iterator<Item = (Vector, Gate)> {
    vectors_with_secrets()
        .into_iter()
        .filter(|vector| vector.expect == "accept" && !has_form(&vector.scheme))
        .map(|vector| {
            let gate = vector.gate();
            (vector, gate)
        })
}

/// Names of these schemes, for requests that are signed here.
pub fn schemes() -> impl Iterator<Item = &'static str> {
    with_secrets().filter(|scheme| !has_form(scheme))
}

pub fn covers_body(scheme: &Scheme) -> bool {
    !scheme.proves_the_sender_only()
}

pub fn assert_refused(live: &LiveSource, request: &Request, title: &str, reasons: &[&str]) {
    let got = outcome(live, request);
    assert!(
        reasons.contains(&got),
        "{title}: expected one of {reasons:?}, got {got}: {request:?}"
    );
}

pub fn assert_never(live: &LiveSource, request: &Request, title: &str) {
    let got = outcome(live, request);
    assert!(
        got != "accept" && got != "challenge" && got != "question",
        "{title}: {got}: {request:?}"
    );
}

/// A secret that is easy to find again. `None`: an accepted event holds it in its body, or the claims of
/// its head are not enough to verify it.
pub fn a_canary(scheme: &str, canary: &str) -> Option<String> {
    let scheme = hookgate::config::built_in(scheme)?.expect("readable");
    match scheme.key.encoding {
        _ if scheme.is_bearer() && scheme.has_body_signature() => None,
        _ if scheme.signs_pins() => None,
        KeyEncoding::Hex => Some(hookgate::hex::encode(canary.as_bytes())),
        KeyEncoding::Base64 if scheme.key.strip.is_empty() => Some(canary.replace('-', "0")),
        _ => Some(format!("whsec_{canary}").replace('-', "0")),
    }
}

/// The value there, as it was sent.
pub fn get(scheme: &Scheme, request: &Request, place: &Place) -> Option<String> {
    match place {
        Place::Json(pointer) => {
            let body: Value = serde_json::from_slice(&request.body).ok()?;
            let value = body.pointer(pointer)?;
            Some(value.as_str().map_or(value.to_string(), str::to_owned))
        }
        Place::SignatureField(name) => {
            let list = get(scheme, request, &scheme.signature.at)?;
            let items = items_of(scheme, &list);
            let found = items.into_iter().find(|item| item.0 == *name)?;
            Some(found.1)
        }
        place => request.head().value_at(place).ok(),
    }
}

/// The request with another value there; without one if `value` is `None`.
pub fn set(scheme: &Scheme, request: &Request, place: &Place, value: Option<&str>) -> Request {
    let mut changed = request.clone();
    match place {
        Place::Header(name) => {
            changed.headers.retain_mut(|(known, text)| {
                if !known.eq_ignore_ascii_case(name) {
                    return true;
                }
                value.inspect(|value| (*value).clone_into(text)).is_some()
            });
        }
        Place::Query(name) => {
            changed.target = map_query(&request.target, |known, raw| match value {
                Some(value) if known == name => Some(format!("{name}={}", percent_encoded(value))),
                None if known == name => None,
                _ => Some(format!("{known}={raw}")),
            });
        }
        Place::Json(pointer) => {
            let mut body: Value = serde_json::from_slice(&request.body).expect("JSON");
            match (value, pointer.rsplit_once('/')) {
                (Some(value), _) => *body.pointer_mut(pointer).expect("there") = value.into(),
                (None, Some((above, name))) => {
                    let above = body.pointer_mut(above).and_then(Value::as_object_mut);
                    above.expect("there").remove(name);
                }
                (None, None) => {}
            }
            changed.body = serde_json::to_vec(&body).expect("JSON");
        }
        Place::SignatureField(name) => {
            let list = get(scheme, request, &scheme.signature.at).unwrap_or_default();
            let items = items_of(scheme, &list).into_iter();
            let items = items.filter_map(|(known, text)| match value {
                Some(value) if known == *name => Some((known, value.to_owned())),
                None if known == *name => None,
                _ => Some((known, text)),
            });
            let list = written(scheme, items);
            return set(scheme, request, &scheme.signature.at, Some(&list));
        }
        other => panic!("{other}: no test changes such a place yet"),
    }
    changed
}

/// Every signature of the request under `change`, with what stands around it as it was.
pub fn tags(scheme: &Scheme, request: &Request, change: impl Fn(&str) -> String) -> Request {
    let form = &scheme.signature;
    let stripped = |text: &str| {
        let prefix = form.strip.as_deref().unwrap_or_default();
        match text.strip_prefix(prefix) {
            Some(tag) => format!("{prefix}{}", change(tag)),
            None => text.to_owned(),
        }
    };
    let mut changed = request.clone();
    for place in scheme.credential_places() {
        let Some(text) = get(scheme, request, place) else {
            continue;
        };
        let text = if form.split.is_some() {
            let items = items_of(scheme, &text).into_iter();
            let taken = |name: &String| form.take.contains(name);
            written(
                scheme,
                items.map(|(name, tag)| {
                    let tag = if taken(&name) { stripped(&tag) } else { tag };
                    (name, tag)
                }),
            )
        } else {
            stripped(&text)
        };
        changed = set(scheme, &changed, place, Some(&text));
    }
    changed
}

/// The signatures of the request, without what stands around them.
pub fn tag(scheme: &Scheme, request: &Request) -> String {
    let found = std::cell::RefCell::new(String::new());
    tags(scheme, request, |tag| {
        tag.clone_into(&mut found.borrow_mut());
        tag.to_owned()
    });
    found.into_inner()
}

fn items_of(scheme: &Scheme, list: &str) -> Vec<(String, String)> {
    let form = &scheme.signature;
    let (Some(split), Some(pair)) = (&form.split, &form.pair) else {
        return Vec::new();
    };
    let items = list.split(split.as_str()).map(str::trim);
    let pairs = items.filter_map(|item| item.split_once(pair.as_str()));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn written(scheme: &Scheme, items: impl Iterator<Item = (String, String)>) -> String {
    let form = &scheme.signature;
    let pair = form.pair.as_deref().unwrap_or_default();
    let items: Vec<String> = items
        .map(|(name, value)| format!("{name}{pair}{value}"))
        .collect();
    items.join(form.split.as_deref().unwrap_or_default())
}
