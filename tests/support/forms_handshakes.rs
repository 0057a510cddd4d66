//! Families of schemes that came with their handshakes, and are not like those before them.

use hookgate::scheme::TimeUnit;

use super::forms::{At, Form, body_only};

use At::Header;

/// The columns of the table in `tests/mutations_handshakes.rs`, in order.
pub static HANDSHAKES: [Form; 2] = [
    Form {
        time: Some((Header("x-zm-request-timestamp"), TimeUnit::Seconds)),
        tolerance_seconds: 300,
        future_seconds: 300,
        ..body_only(&["zoom"], &[Header("x-zm-signature")], "v0=", true)
    },
    body_only(
        &["x-twitter"],
        &[Header("x-twitter-webhooks-signature")],
        "sha256=",
        false,
    ),
];
