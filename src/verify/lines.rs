//! Labels and values, a line each: the signed string of schemes that sign a message's members.

use super::{Claims, missing_part, shape_of};
use crate::request::{Absent, Inbound};
use crate::scheme::{LinesForm, LinesOf, Place};
use crate::verdict::{Reject, Shape};

/// The signed lines; and, where they are the event, the members that they prove, as a JSON object.
pub(super) fn lines(
    form: &LinesForm,
    claims: &Claims,
    inbound: &Inbound<'_, '_>,
) -> Result<(Vec<u8>, Option<Vec<u8>>), Reject> {
    let kind = kind_of(form, inbound)?;
    let mut signed = String::new();
    let mut members: Vec<(&str, String)> = Vec::new();
    for (index, line) in kind.lines.iter().enumerate() {
        let value = match inbound.value_at(&line.at) {
            Ok(value) => value,
            Err(Absent::Missing) if line.optional => continue,
            Err(absent) => return Err(missing_part(absent)),
        };
        // The first may have several lines, because what follows is found from the end. Any other
        // could pass for two, and the same signature would have two readings.
        let is_first = index == 0 && form.are_content();
        if !is_first && value.chars().any(char::is_control) {
            return Err(Reject::MalformedSignedPart(Shape::ContainsDelimiter));
        }
        // What is left out is not handed on either: with and without it the same signature is right.
        if line.optional && value.is_empty() && claims.reading == 0 {
            continue;
        }
        signed.extend([line.label(), &form.between, &value, "\n"]);
        members.push((line.label(), value));
    }
    if !form.are_content() {
        return Ok((signed.into_bytes(), None));
    }
    for place in &form.proof {
        if let (Ok(value), Place::Json(pointer)) = (inbound.value_at(place), place) {
            members.push((pointer.trim_start_matches('/'), value));
        }
    }
    Ok((signed.into_bytes(), Some(object(&members))))
}

fn kind_of<'f>(form: &'f LinesForm, inbound: &Inbound<'_, '_>) -> Result<&'f LinesOf, Reject> {
    for kind in &form.of {
        let Some(place) = &kind.at else {
            return Ok(kind);
        };
        match inbound.value_at(place) {
            Ok(value) if kind.equals.contains(&value) => return Ok(kind),
            Ok(_) => {}
            Err(absent) if shape_of(absent).is_none() => return Err(Reject::MissingSignedPart),
            Err(absent) => return Err(missing_part(absent)),
        }
    }
    Err(Reject::MalformedSignedPart(Shape::NoKnownVersion))
}

fn object(members: &[(&str, String)]) -> Vec<u8> {
    // Texts only: writing them cannot fail.
    let text = |text: &str| serde_json::to_string(text).unwrap_or_default();
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{}:{}", text(name), text(value)))
        .collect();
    format!("{{{}}}", members.join(",")).into_bytes()
}
