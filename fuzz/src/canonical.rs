//! The sorted forms of a body: whatever they are made of, each is its own form, and says the same.

use hookgate::canonical::{sorted_fields, sorted_json};
use serde_json::{Map, Value};

pub fn holds(bytes: &[u8]) {
    if let Ok(canonical) = sorted_json(bytes) {
        assert_eq!(sorted_json(&canonical).as_ref(), Ok(&canonical));
        // serde_json keeps the last of a repeated name, and there is none.
        if let Ok(members) = serde_json::from_slice::<Map<String, Value>>(bytes) {
            let mut members = members;
            members.retain(|_, value| !value.is_null());
            let read: Map<String, Value> = serde_json::from_slice(&canonical).expect("JSON");
            assert_eq!(read, members);
        }
    }
    if let Ok(fields) = sorted_fields(bytes) {
        let object: Map<String, Value> = serde_json::from_slice(&fields.object).expect("JSON");
        let pairs: Vec<String> = object
            .iter()
            .map(|(name, value)| format!("{name}={}", value.as_str().expect("a text")))
            .collect();
        let mut pairs_read = Vec::new();
        let joined = String::from_utf8(fields.joined.clone()).expect("a text");
        if !joined.is_empty() {
            pairs_read.extend(joined.split('&').map(str::to_owned));
        }
        // Neither has another reading: the string gives the object back, and the object the string.
        assert_eq!(pairs_read, pairs);
        let again = sorted_fields(&fields.object).expect("its own form");
        assert_eq!(again, fields);
    }
}
