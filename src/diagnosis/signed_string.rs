//! Signed strings that are put together otherwise than the scheme says.

use super::case::{Case, Change};
use crate::request::Inbound;
use crate::scheme::{Part, Place, TimeUnit};
use crate::time;

/// Seconds by which a time that was stamped once more may differ, in either direction.
const SECONDS_CHANGED_MAX: i64 = 3;
/// Units that a time may be in. Not inlined: a list that the compiler knows becomes as many copies of what is done with it.
#[inline(never)]
fn units() -> &'static [TimeUnit] {
    &[
        TimeUnit::Seconds,
        TimeUnit::Milliseconds,
        TimeUnit::Rfc3339,
        TimeUnit::CompactUtc,
    ]
}

/// Sent in another unit, and signed so.
pub(super) fn time_unit(case: &Case<'_>, changes: &mut Vec<Change>) {
    if let Some(form) = &case.scheme.time {
        for unit in units() {
            if *unit != form.unit {
                changes.push(Change::Unit(*unit));
            }
        }
    }
}

/// Sent as the scheme says, and signed in another unit.
pub(super) fn time_signed_otherwise(case: &Case<'_>, changes: &mut Vec<Change>) {
    if let Some((ms, own)) = time_of(case) {
        for unit in units() {
            if *unit != own {
                changes.push(Change::Time(Some(time::format(ms, *unit))));
            }
        }
    }
}

/// Stamped anew after it was signed.
pub(super) fn time_changed(case: &Case<'_>, changes: &mut Vec<Change>) {
    changed_by(case, changes, SECONDS_CHANGED_MAX);
}

/// Every second up to so many, the next ones first.
pub(super) fn changed_by(case: &Case<'_>, changes: &mut Vec<Change>, seconds_max: i64) {
    if let Some((ms, unit)) = time_of(case) {
        for second in 1..=seconds_max {
            for ms in [
                ms.saturating_sub(second * 1_000),
                ms.saturating_add(second * 1_000),
            ] {
                changes.push(Change::Time(Some(time::format(ms, unit))));
            }
        }
    }
}

/// The time that the request claims, and its unit. A signed header's own value is signed as well, so
/// there the time alone is not varied.
pub(super) fn time_of(case: &Case<'_>) -> Option<(i64, TimeUnit)> {
    let form = case.scheme.time.as_ref()?;
    if case.scheme.signs_headers() {
        return None;
    }
    let text = match (&case.time_text, &form.at) {
        (Some(text), _) => text.clone(),
        (None, Place::SignatureField(name)) => signature_field(case, name)?,
        (None, place) => Inbound::new(&case.head, case.body(), &[])
            .value_at(place)
            .ok()?,
    };
    Some((time::parse(&text, form.unit)?, form.unit))
}

fn signature_field(case: &Case<'_>, name: &str) -> Option<String> {
    let form = &case.scheme.signature;
    let text = case.head.value_at(&form.at).ok()?;
    for item in text.split(form.split.as_deref()?) {
        match item.trim().split_once(form.pair.as_deref()?) {
            Some((known, value)) if known == name => return Some(value.to_owned()),
            _ => {}
        }
    }
    None
}

/// The body alone.
pub(super) fn body_only(case: &Case<'_>, changes: &mut Vec<Change>) {
    without(case, changes, &|part| !is_content(part));
}

/// All but the body; of a scheme that signs nothing else, nothing.
pub(super) fn body_not_signed(case: &Case<'_>, changes: &mut Vec<Change>) {
    without(case, changes, &is_content);
    let Some(Change::Signed(rest)) = changes.last() else {
        return super::bodies::each(case, changes, &|_, others| others.push(Vec::new()));
    };
    // And without the separator that stood before it.
    let mut rest = rest.clone();
    if matches!(rest.pop(), Some(Part::Literal(_))) {
        varied(case, changes, rest);
    }
}

pub(super) fn separators_missing(case: &Case<'_>, changes: &mut Vec<Change>) {
    without(case, changes, &is_separator);
}

fn without(case: &Case<'_>, changes: &mut Vec<Change>, is_out: &dyn Fn(&Part) -> bool) {
    let mut signed = case.scheme.signed.clone();
    signed.retain(|part| !is_out(part));
    varied(case, changes, signed);
}

/// Each two neighbours exchanged, and all parts reversed; the separators stay.
pub(super) fn other_order(case: &Case<'_>, changes: &mut Vec<Change>) {
    let signed = &case.scheme.signed;
    let places = variable_places(signed);
    for pair in places.windows(2) {
        let mut parts = signed.clone();
        parts.swap(pair[0], pair[1]);
        varied(case, changes, parts);
    }
    // Of two, that was it.
    if places.len() > 2 {
        let mut parts = signed.clone();
        for (place, from) in places.iter().zip(places.iter().rev()) {
            parts[*place] = signed[*from].clone();
        }
        varied(case, changes, parts);
    }
}

/// Where the parts stand that are no separators.
pub(super) fn variable_places(signed: &[Part]) -> Vec<usize> {
    let mut places = Vec::new();
    for (index, part) in signed.iter().enumerate() {
        if !is_separator(part) {
            places.push(index);
        }
    }
    places
}

pub(super) fn is_separator(part: &Part) -> bool {
    matches!(part, Part::Literal(_))
}

/// Whether it is what the event consists of.
fn is_content(part: &Part) -> bool {
    !matches!(
        part.innermost(),
        Part::Literal(_)
            | Part::Time
            | Part::Id
            | Part::Nonce
            | Part::Secret
            | Part::Method
            | Part::Target
            | Part::Url
            | Part::Value(_)
    )
}

/// The case with these parts, if they are others.
pub(super) fn varied(case: &Case<'_>, changes: &mut Vec<Change>, signed: Vec<Part>) {
    if !signed.is_empty() && signed != case.scheme.signed {
        changes.push(Change::Signed(signed));
    }
}
