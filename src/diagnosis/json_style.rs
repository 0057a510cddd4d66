//! JSON written again, as programs do that parse a body before they verify it.

use serde::de::IgnoredAny;
use serde_json::Value;

/// What stands between the tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    comma: &'static str,
    colon: &'static str,
    /// Each member and item on a line of its own, so far from its parent.
    indent: Option<&'static str>,
}

/// What JavaScript's `JSON.stringify` writes, and most libraries.
pub(super) const COMPACT: Style = Style {
    comma: ",",
    colon: ":",
    indent: None,
};
/// Python's `json.dumps`.
pub(super) const SPACED: Style = Style {
    comma: ", ",
    colon: ": ",
    indent: None,
};
/// `JSON.stringify(value, null, 2)`.
pub(super) const PRETTY: Style = Style {
    comma: ",",
    colon: ": ",
    indent: Some("  "),
};
/// The same with four spaces.
#[cfg(not(target_arch = "wasm32"))]
pub(super) const WIDE: Style = Style {
    indent: Some("    "),
    ..PRETTY
};
#[cfg(not(target_arch = "wasm32"))]
pub(super) const TABBED: Style = Style {
    indent: Some("\t"),
    ..PRETTY
};

/// The longest that a restyled body may be: indentation grows with the depth, and so with its square.
const LONGER_TIMES_MAX: usize = 4;

/// The same tokens in another style. `None`: it is no JSON, or would be much longer.
pub(super) fn restyled(body: &[u8], style: Style) -> Option<Vec<u8>> {
    serde_json::from_slice::<IgnoredAny>(body).ok()?;
    let mut out = Vec::with_capacity(body.len() + body.len() / 4);
    let mut depth = 0_usize;
    let mut is_text = false;
    let mut is_escaped = false;
    let mut opened = false;
    let limit = body.len().saturating_mul(LONGER_TIMES_MAX);
    for byte in body {
        if is_text {
            out.push(*byte);
            is_text = is_escaped || *byte != b'"';
            is_escaped = !is_escaped && *byte == b'\\';
            continue;
        }
        if byte.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(byte, b'}' | b']');
        depth = depth.saturating_sub(usize::from(closes));
        // Nothing stands between the brackets of what is empty.
        if opened != closes {
            new_line(&mut out, style, depth);
        }
        opened = matches!(byte, b'{' | b'[');
        depth += usize::from(opened);
        is_text = *byte == b'"';
        match byte {
            b',' => {
                out.extend_from_slice(style.comma.as_bytes());
                new_line(&mut out, style, depth);
            }
            b':' => out.extend_from_slice(style.colon.as_bytes()),
            other => out.push(*other),
        }
        if out.len() > limit {
            return None;
        }
    }
    Some(out)
}

fn new_line(out: &mut Vec<u8>, style: Style, depth: usize) {
    let Some(indent) = style.indent else { return };
    out.push(b'\n');
    for _ in 0..depth {
        out.extend_from_slice(indent.as_bytes());
    }
}

/// The members of every object sorted by name, in compact form.
pub(super) fn sorted(body: &[u8]) -> Option<Vec<u8>> {
    // serde_json keeps members in a sorted map, unless it is built otherwise.
    let value: Value = serde_json::from_str(std::str::from_utf8(body).ok()?).ok()?;
    let is_structured = value.is_object() || value.is_array();
    let text = is_structured.then(|| serde_json::to_string(&value).ok())??;
    Some(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_style(body: &str, style: Style) -> String {
        String::from_utf8(restyled(body.as_bytes(), style).unwrap()).unwrap()
    }

    #[test]
    fn tokens_stay_and_what_is_between_them_changes() {
        let body = " { \"a\" :1.10,\"b\": [ ] , \"c\\\"d,:{}\" :[{ \"e\":null} ,{}]}\n";
        assert_eq!(
            in_style(body, COMPACT),
            "{\"a\":1.10,\"b\":[],\"c\\\"d,:{}\":[{\"e\":null},{}]}"
        );
        assert_eq!(
            in_style(body, SPACED),
            "{\"a\": 1.10, \"b\": [], \"c\\\"d,:{}\": [{\"e\": null}, {}]}"
        );
        assert_eq!(
            in_style(body, PRETTY),
            "{\n  \"a\": 1.10,\n  \"b\": [],\n  \"c\\\"d,:{}\": [\n    {\n      \"e\": null\n    },\n    {}\n  ]\n}"
        );
        for style in [COMPACT, SPACED, PRETTY] {
            let once = in_style(body, style);
            assert_eq!(in_style(&once, style), once);
        }
    }

    #[test]
    fn what_is_no_json_is_left_alone() {
        for body in ["", "{", "a=1&b=2", "{\"a\":1}x", "\u{feff}{}"] {
            assert!(restyled(body.as_bytes(), COMPACT).is_none(), "{body:?}");
            assert!(sorted(body.as_bytes()).is_none(), "{body:?}");
        }
    }

    /// Indentation is quadratic in the depth: a body of 200 brackets would become 20 kB.
    #[test]
    fn what_would_grow_out_of_proportion_is_not_written() {
        let deep = format!("{}{}", "[[".repeat(50), "]]".repeat(50));
        assert!(restyled(deep.as_bytes(), PRETTY).is_none());
        assert!(restyled(deep.as_bytes(), COMPACT).is_some());
    }

    #[test]
    fn names_are_sorted_at_every_depth() {
        assert_eq!(
            sorted(br#"{"b":{"d":1,"c":2},"a":[{"z":1,"y":2}]}"#).unwrap(),
            br#"{"a":[{"y":2,"z":1}],"b":{"c":2,"d":1}}"#
        );
    }
}
