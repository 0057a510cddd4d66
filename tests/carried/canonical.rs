//! What goes with a canonical form, which is never as it came.

use super::support::{SourceText, a_body, gate, held, only, signed};
use super::with_headers;

const SORTED: &str = r#"
[schemes.sorted]
provider = "Sorted"
page = "https://example.com/"
algorithm = "hmac-sha256"
key = { encoding = "utf8" }
signature = { at = "header:x-signature", encoding = "hex" }
signed = ["sorted-json"]
identity = [{ digest = {} }]
carry = ["content-*", "content-encoding"]
answer_by_ms = 5000
retry_horizon_seconds = 0
"#;

/// Nothing signs the header, and a backend that believed it could not read what it is given.
#[test]
fn a_canonical_form_has_no_content_encoding() {
    for (scheme, body) in [
        ("koogallery-v2", a_body("koogallery-v2", 1)),
        ("sorted", b"{\"a\":1}".to_vec()),
    ] {
        let sources = [SourceText {
            name: "vector",
            tenant: "t",
            scheme,
            secrets: &["KEY"],
            more: "",
        }];
        let tables = if scheme == "sorted" { SORTED } else { "" };
        let gate = gate(&sources, tables, &[("KEY", "secret")]);
        let request = signed(only(&gate), &body, "1");
        let request = with_headers(&request, &[("Content-Encoding", "gzip")]);
        let headers = held(only(&gate), &request).headers;
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        assert!(names.contains(&"content-type"), "{names:?}");
        assert!(!names.contains(&"content-encoding"), "{names:?}");
    }
}
