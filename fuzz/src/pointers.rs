//! Values of a JSON body by pointers, against serde_json's reading of the same.

use std::sync::LazyLock;

use hookgate::config::built_in;
use hookgate::json;
use serde_json::Value;

use crate::support;

/// Every pointer of every scheme, and some that no scheme has.
static POINTERS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut pointers: Vec<String> = support::built_in()
        .filter_map(|name| built_in(name)?.ok())
        .flat_map(|scheme| scheme.json_pointers())
        .chain(
            [
                "", "/", "//", "/a", "/0", "/a/b", "/a/0/b", "/a~1b", "/c~0d", "/00", "/-", "/a/",
            ]
            .map(str::to_owned),
        )
        .collect();
    pointers.sort();
    pointers.dedup();
    pointers
});

/// A pointer of the input's own stands in its first line, and the body behind it; the pointers of the
/// schemes are asked for together with it.
pub fn holds(bytes: &[u8]) {
    let line = bytes.iter().position(|byte| *byte == b'\n');
    let (own, body) = match line {
        Some(end) if bytes.starts_with(b"/") => (&bytes[..end], &bytes[end + 1..]),
        _ => (&b""[..], bytes),
    };
    let own = std::str::from_utf8(own).unwrap_or_default();
    let mut pointers: Vec<&str> = POINTERS.iter().map(String::as_str).collect();
    // Other readers disagree on what a `~` alone means; no scheme may have one.
    if !own.replace("~0", "").replace("~1", "").contains('~') {
        pointers.push(own);
    }
    let found = json::find(body, &pointers);
    assert_eq!(found.len(), pointers.len());
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        // A number too large for serde_json's own type, and a surrogate alone, are only seen by a
        // reader that looks at every value: ours skips what nobody asked for.
        return;
    };
    for (pointer, found) in pointers.iter().zip(found) {
        let expected = match value.pointer(pointer) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) if number.is_i64() || number.is_u64() => {
                Some(number.to_string())
            }
            _ => None,
        };
        assert_eq!(
            found,
            expected,
            "{pointer:?} in {:?}",
            String::from_utf8_lossy(body)
        );
    }
}
