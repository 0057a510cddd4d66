//! A body to try a scheme out with.

use super::in_body;
use crate::request::encode_pairs;
use crate::scheme::{IdentityRule, Label, Part, Place, Scheme, StatedPart};

/// Where the id of the event belongs.
const EVENT_ID: &str = "{{event_id}}";
const EVENT_TYPE: &str = "order.created";
/// Of places that only have to have a value.
const ANYTHING: &str = "sample";

/// A body with a value wherever the scheme looks for one, and `{{event_id}}` where the event's id is one of them.
/// What it is about is made up: no provider sends it.
pub fn sample(scheme: &Scheme) -> Vec<u8> {
    let values = values(scheme);
    if scheme.content_is_query() || is_form(scheme) {
        let named = |place: &Place| match place {
            Place::Form(name) | Place::Query(name) => Some(name.clone()),
            _ => None,
        };
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (place, value) in &values {
            if let Some(name) = named(place) {
                pairs.retain(|(known, _)| *known != name);
                pairs.push((name, (*value).to_owned()));
            }
        }
        if !pairs.iter().any(|(_, value)| value == EVENT_ID) {
            pairs.push(("id".to_owned(), EVENT_ID.to_owned()));
        }
        // The braces are filled in later.
        let text = encode_pairs(&pairs).replace("%7B%7Bevent_id%7D%7D", EVENT_ID);
        return text.into_bytes();
    }
    let object = format!(r#"{{"id":"{EVENT_ID}","event":"{EVENT_TYPE}","order":"1001"}}"#);
    let base = match scheme.signed.contains(&Part::FirstItem) {
        true => format!("[{object}]"),
        // What is not in the row is not signed.
        false if scheme.joined.is_some() => "{}".to_owned(),
        false => object,
    };
    let members: Vec<(&String, String)> = values
        .iter()
        .filter_map(|(place, value)| match place {
            Place::Json(pointer) => Some((pointer, (*value).to_owned())),
            _ => None,
        })
        .collect();
    in_body::insert(base.as_bytes(), &members)
}

/// Whether the content is a form's fields.
pub(super) fn is_form(scheme: &Scheme) -> bool {
    let signs_form = Part::Stated(StatedPart::UrlAndForm);
    scheme.signed.contains(&signs_form)
}

/// Every place that names the event, and everything that is signed in a row; the names of the event last, so that
/// they win.
fn values(scheme: &Scheme) -> Vec<(&Place, &'static str)> {
    let mut values: Vec<(&Place, &'static str)> = Vec::new();
    if let Some(form) = &scheme.joined {
        values.extend(form.of.iter().map(|place| (place, ANYTHING)));
    }
    let identity: Vec<&Place> = match scheme.identity.first() {
        Some(IdentityRule::SignedId(place)) => vec![place],
        Some(IdentityRule::Fields(places)) => places.iter().collect(),
        Some(IdentityRule::Bearer(rule)) => rule.fields.iter().collect(),
        Some(IdentityRule::Digest(_) | IdentityRule::Ping(_)) | None => Vec::new(),
    };
    values.extend(identity.iter().map(|place| (*place, ANYTHING)));
    if let Some(place) = scheme.event_type.first().and_then(Label::place) {
        values.push((place, EVENT_TYPE));
    }
    let named = scheme.event_id.first().and_then(Label::place);
    values.extend(named.map(|place| (place, EVENT_ID)));
    if !identity.iter().any(|place| Some(*place) == named) {
        let is_id = |place: &&&Place| place.to_string().to_ascii_lowercase().ends_with("id");
        let place = identity.iter().rfind(is_id).or(identity.last());
        values.extend(place.map(|place| (*place, EVENT_ID)));
    }
    values
}
