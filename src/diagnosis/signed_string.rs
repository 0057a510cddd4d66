//! Signed strings that are put together otherwise than the scheme says.

use super::Case;
use crate::request::{Head, Inbound};
use crate::scheme::{Part, Place, Scheme, TimeUnit};
use crate::time;

/// Separators that signed strings are known to have.
const SEPARATORS: [&str; 4] = [".", ":", "\n", "|"];
/// Seconds by which a time that was stamped once more may differ, in either direction.
const SECONDS_CHANGED_MAX: i64 = 3;
const UNITS: [TimeUnit; 4] = [
    TimeUnit::Seconds,
    TimeUnit::Milliseconds,
    TimeUnit::Rfc3339,
    TimeUnit::CompactUtc,
];

/// Sent in another unit, and signed so.
pub(super) fn time_unit<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    let Some(form) = &case.scheme.time else {
        return Vec::new();
    };
    let others = UNITS.iter().filter(|unit| **unit != form.unit);
    let cases = others.filter_map(|unit| {
        let mut scheme = Scheme::clone(&case.scheme);
        scheme.time.as_mut()?.unit = *unit;
        Some(case.with_scheme(scheme))
    });
    cases.collect()
}

/// Sent as the scheme says, and signed in another unit.
pub(super) fn time_signed_otherwise<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    let Some((ms, own)) = time_of(case) else {
        return Vec::new();
    };
    let others = UNITS.iter().filter(|unit| **unit != own);
    let texts = others.map(|unit| time::format(ms, *unit));
    texts.map(|text| case.with_time_text(text)).collect()
}

/// Stamped anew after it was signed.
pub(super) fn time_changed<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    changed_by(case, SECONDS_CHANGED_MAX)
}

/// Every second up to so many, the next ones first.
pub(super) fn changed_by<'c>(case: &'c Case<'_>, seconds_max: i64) -> Vec<Case<'c>> {
    let Some((ms, unit)) = time_of(case) else {
        return Vec::new();
    };
    let seconds = (1..=seconds_max).flat_map(|second| [-second, second]);
    let texts = seconds.map(|second| time::format(ms.saturating_add(second * 1_000), unit));
    texts.map(|text| case.with_time_text(text)).collect()
}

/// The time that the request claims, and its unit. A signed header's own value is signed as well, so
/// there the time alone is not varied.
fn time_of(case: &Case<'_>) -> Option<(i64, TimeUnit)> {
    let form = case.scheme.time.as_ref()?;
    let text = case.time_text.clone().or_else(|| {
        if case.scheme.signs_headers() {
            return None;
        }
        match &form.at {
            Place::SignatureField(name) => signature_field(case, name),
            place => {
                let body = case.body.as_deref().unwrap_or_default();
                Inbound::new(&case.head, body, &[]).value_at(place).ok()
            }
        }
    });
    Some((time::parse(&text?, form.unit)?, form.unit))
}

fn signature_field(case: &Case<'_>, name: &str) -> Option<String> {
    let form = &case.scheme.signature;
    let text = case.head.value_at(&form.at).ok()?;
    let mut items = text.split(form.split.as_deref()?);
    let pair = form.pair.as_deref()?;
    let found = items.find_map(|item| {
        let (known, value) = item.trim().split_once(pair)?;
        (known == name).then(|| value.to_owned())
    });
    found
}

/// The body alone.
pub(super) fn body_only<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    varied(case, |signed| {
        let bodies = signed.iter().filter(|part| is_content(part));
        vec![bodies.cloned().collect()]
    })
}

/// All but the body; of a scheme that signs nothing else, nothing.
pub(super) fn body_not_signed<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    let rest = varied(case, |signed| {
        let rest: Vec<Part> = signed
            .iter()
            .filter(|part| !is_content(part))
            .cloned()
            .collect();
        let without_end = match rest.split_last() {
            Some((Part::Literal(_), rest)) => vec![rest.to_vec()],
            _ => Vec::new(),
        };
        std::iter::once(rest).chain(without_end).collect()
    });
    if rest.is_empty() {
        return super::bodies::each(case, |_| vec![Vec::new()]);
    }
    rest
}

pub(super) fn separators_missing<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    varied(case, |signed| {
        let rest = signed
            .iter()
            .filter(|part| !matches!(part, Part::Literal(_)));
        vec![rest.cloned().collect()]
    })
}

/// One and the same other separator in the place of each, or where there is none.
pub(super) fn other_separators<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    varied(case, |signed| {
        let has_separators = signed.iter().any(|part| matches!(part, Part::Literal(_)));
        let with = |separator: &&str| {
            let separator = Part::Literal((*separator).to_owned());
            let mut parts = Vec::new();
            for (index, part) in signed.iter().enumerate() {
                match part {
                    Part::Literal(_) => parts.push(separator.clone()),
                    part if has_separators || index == 0 => parts.push(part.clone()),
                    part => parts.extend([separator.clone(), part.clone()]),
                }
            }
            parts
        };
        SEPARATORS.iter().map(with).collect()
    })
}

/// The first two parts exchanged, the last two, and all of them reversed; the separators stay.
pub(super) fn other_order<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    varied(case, |signed| {
        let places = variable_places(signed);
        let swapped = |one: usize, other: usize| {
            let mut parts = signed.to_vec();
            if let (Some(one), Some(other)) = (places.get(one), places.get(other)) {
                parts.swap(*one, *other);
            }
            parts
        };
        let count = places.len();
        let mut reversed = signed.to_vec();
        for (place, from) in places.iter().zip(places.iter().rev()) {
            reversed[*place] = signed[*from].clone();
        }
        vec![
            swapped(0, 1),
            swapped(count.saturating_sub(2), count.saturating_sub(1)),
            reversed,
        ]
    })
}

/// Where the parts stand that are no separators.
pub(super) fn variable_places(signed: &[Part]) -> Vec<usize> {
    let places = signed.iter().enumerate();
    let variable = places.filter(|(_, part)| !matches!(part, Part::Literal(_)));
    variable.map(|(index, _)| index).collect()
}

/// Where the path or the query is signed: as they may have been before a proxy changed them.
pub(super) fn target_otherwise<'c>(case: &'c Case<'_>) -> Vec<Case<'c>> {
    let signs_target = |part: &Part| {
        matches!(
            part.innermost(),
            Part::Target | Part::Url | Part::CanonicalRequest | Part::SortedQueryExcept(_)
        )
    };
    if !case.scheme.signed.iter().any(signs_target) {
        return Vec::new();
    }
    let head = &case.head;
    let mut targets: Vec<String> = Vec::new();
    let path = head.path.as_str();
    let slash = match path.strip_suffix('/') {
        Some(without) => without.to_owned(),
        None => format!("{path}/"),
    };
    let segments: Vec<&str> = path.split('/').collect();
    // Behind the gate's own `/hooks/NAME`.
    let behind = format!("/{}", segments.get(3..).unwrap_or_default().join("/"));
    match &head.query {
        None => targets.extend([slash, behind, "/".to_owned()]),
        Some(query) => {
            let mut pairs: Vec<&str> = query.split('&').collect();
            pairs.sort_unstable();
            let sorted = pairs.join("&");
            pairs.reverse();
            targets.push(format!("{path}?{sorted}"));
            targets.push(format!("{path}?{}", pairs.join("&")));
            targets.push(path.to_owned());
            targets.extend([slash, behind, "/".to_owned()].map(|path| format!("{path}?{query}")));
        }
    }
    targets.retain(|target| *target != head.target());
    let heads = targets
        .iter()
        .map(|target| Head::new(&head.method, target, head.headers().to_vec()));
    heads.map(|head| case.with_head(head)).collect()
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

/// One case for each other list of parts. Of a single part there is none.
pub(super) fn varied<'c>(
    case: &'c Case<'_>,
    of: impl Fn(&[Part]) -> Vec<Vec<Part>>,
) -> Vec<Case<'c>> {
    let signed = &case.scheme.signed;
    if signed.len() < 2 {
        return Vec::new();
    }
    let mut others = of(signed);
    others.retain(|other| other != signed && !other.is_empty());
    others.dedup();
    others
        .into_iter()
        .map(|signed| case.with_signed(signed))
        .collect()
}
