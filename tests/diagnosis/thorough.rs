//! What the tool tries besides.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::plant::*;

/// One for each that the tool tries besides.
pub fn more_plants() -> Vec<Plant> {
    let key = SECRET.as_bytes();
    let body = BODY.as_bytes();
    let wide =
        "{\n    \"id\": \"evt_1\",\n    \"note\": \"caf\u{e9} a/b\",\n    \"amount\": 1.50\n}";
    let v1 = |tag: &[u8]| format!("v1,{}", STANDARD.encode(tag));
    let whsec = STANDARD.decode(&WHSEC[6..]).unwrap();
    let quoted = serde_json::to_string(BODY).unwrap();
    let b64 = STANDARD.encode(BODY);
    vec![
        github(
            "body_indented",
            key,
            wide.as_bytes(),
            wide.replace("    ", "").replace('\n', "").as_bytes(),
        ),
        github(
            "body_rewritten",
            key,
            br#"{"a":1.5,"b":"/"}"#,
            br#"{"a":1.50,"b":"\/"}"#,
        ),
        github(
            "body_escaped",
            key,
            br#"{"a":"\u00e9/"}"#,
            "{\"a\":\"\u{e9}/\"}".as_bytes(),
        ),
        github(
            "body_escaped",
            key,
            br#"{"a":"\u00e9\/"}"#,
            "{\"a\":\"\u{e9}/\"}".as_bytes(),
        ),
        github("body_in_a_string", key, quoted.as_bytes(), body),
        github("body_in_a_string", key, body, quoted.as_bytes()),
        github("body_in_base64", key, body, b64.as_bytes()),
        github("body_in_base64", key, b64.as_bytes(), body),
        github("body_charset", key, b"caf\xe9", "caf\u{e9}".as_bytes()),
        github(
            "body_charset",
            key,
            "caf\u{c3}\u{a9}".as_bytes(),
            "caf\u{e9}".as_bytes(),
        ),
        github("body_form_decoded", key, b"a=x y&b=/", b"a=x+y&b=%2F"),
        github("secret_case", SECRET.to_lowercase().as_bytes(), body, body),
        github(
            "secret_in_base64url",
            STANDARD.encode(SECRET).as_bytes(),
            body,
            body,
        ),
        github("secret_word", b"KEY_0", body, body),
        standard("part_left_out", &whsec, &format!("{TIME}.{BODY}"), v1),
        standard("any_order", &whsec, &format!("{BODY}.msg_1.{TIME}"), v1),
        huawei("other_method", "PUT", "/hooks/vector/", "", "/hooks/vector"),
        stripe(
            "time_changed_by_minutes",
            SECRET,
            key,
            TIME,
            &format!("1759999900.{BODY}"),
        ),
        stripe(
            "time_signed_in_milliseconds",
            SECRET,
            key,
            TIME,
            &format!("1760000000123.{BODY}"),
        ),
        standard(
            "other_separators",
            &whsec,
            &format!("msg_1:{TIME}:{BODY}"),
            v1,
        ),
        huawei(
            "target_otherwise",
            "POST",
            "/hooks/vector/",
            "",
            "/hooks/vector?added=by-a-proxy",
        ),
        huawei("target_otherwise", "POST", "/", "", "/hooks/vector"),
        square("url_protocol", &URL.replace("https", "http")),
        square(
            "url_host",
            &URL.replace("www.hooks.example.com", "hooks.example.com"),
        ),
        square(
            "url_host",
            &URL.replace("www.hooks.example.com", "www.hooks.example.com:443"),
        ),
        square(
            "url_host",
            &URL.replace("www.hooks.example.com", "gate.example"),
        ),
        square("url_path", &URL.replace("vector", "vector/")),
        square("url_query", "https://www.hooks.example.com/hooks/vector"),
        square(
            "url_query",
            "https://www.hooks.example.com/hooks/vector?b=2",
        ),
        square(
            "url_escapes",
            "https://www.hooks.example.com/hooks/vector?from=a shop",
        ),
    ]
}
