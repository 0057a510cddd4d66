//! Values that the sender puts into the body.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::Draft;
use crate::hex;
use crate::scheme::{Part, Place};

/// The body, with the time and the values of fixed length in it where the scheme wants them there.
pub(super) fn values(draft: &Draft<'_>, time: Option<&str>) -> Vec<u8> {
    let mut values: Vec<(&String, String)> = Vec::new();
    if let (Some(form), Some(time)) = (&draft.scheme.time, time)
        && let Place::Json(pointer) = &form.at
    {
        values.push((pointer, time.to_owned()));
    }
    for part in &draft.scheme.signed {
        if let Part::Fixed(length, Place::Json(pointer)) = part {
            let text = hex::encode(&Sha256::digest(draft.event_id)).repeat(2);
            values.push((pointer, text.chars().take(*length).collect()));
        }
    }
    insert(draft.body, &values)
}

/// The JSON with the values at their pointers; what is no object and no list stays as it is.
pub(super) fn insert(body: &[u8], values: &[(&String, String)]) -> Vec<u8> {
    let read: Result<Value, _> = serde_json::from_slice(body);
    let (Ok(mut root), false) = (read, values.is_empty()) else {
        return body.to_vec();
    };
    if !root.is_object() && !root.is_array() {
        return body.to_vec();
    }
    for (pointer, value) in values {
        let names: Vec<&str> = pointer.trim_start_matches('/').split('/').collect();
        put(&mut root, &names, value);
    }
    root.to_string().into_bytes()
}

/// No provider's event stands behind more.
const INDEX_MAX: usize = 9;

fn put(node: &mut Value, names: &[&str], value: &str) {
    let Some((name, deeper)) = names.split_first() else {
        let number = value.parse::<u64>().ok();
        // What the draft has as a number stays one: Linear's SDK takes the time as nothing else.
        let number = number.filter(|_| node.is_number());
        *node = number.map_or_else(|| value.into(), Value::from);
        return;
    };
    match name.parse::<usize>() {
        Ok(index) if index <= INDEX_MAX && !node.is_object() => {
            if !node.is_array() {
                *node = Vec::<Value>::new().into();
            }
            if let Value::Array(items) = node {
                items.resize(items.len().max(index + 1), Value::Null);
                put(&mut items[index], deeper, value);
            }
        }
        _ => {
            if !node.is_object() {
                *node = Map::new().into();
            }
            if let Value::Object(members) = node {
                let inner = members.entry(*name).or_insert(Value::Null);
                put(inner, deeper, value);
            }
        }
    }
}
