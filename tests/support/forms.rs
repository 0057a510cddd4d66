//! Where each family of schemes keeps what can be changed. Written by hand from the providers'
//! pages, so that a mistake in a scheme's table does not repeat here.

use hookgate::scheme::TimeUnit;

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    Header(&'static str),
    Query(&'static str),
    /// `name=value` in the signature's list.
    Item(&'static str),
    /// A member of the JSON body.
    Member(&'static str),
}

/// How a family of schemes writes its claims.
#[derive(Debug)]
pub struct Form {
    pub schemes: &'static [&'static str],
    /// The signature's header by scheme, or one parameter for all.
    pub signature: &'static [At],
    pub prefix: &'static str,
    pub separator: Option<&'static str>,
    pub hex: bool,
    pub time: Option<(At, TimeUnit)>,
    pub tolerance_seconds: i64,
    pub future_seconds: i64,
    /// A signed id or nonce.
    pub id: Option<At>,
}

pub const fn body_only(
    schemes: &'static [&'static str],
    signature: &'static [At],
    prefix: &'static str,
    hex: bool,
) -> Form {
    Form {
        schemes,
        signature,
        prefix,
        separator: None,
        hex,
        time: None,
        tolerance_seconds: 0,
        future_seconds: 0,
        id: None,
    }
}

use At::{Header, Item, Query};

/// The columns of the table in `tests/mutations.rs`, in order.
pub static FORMS: [Form; 9] = [
    body_only(
        &["github", "meta", "notion"],
        &[
            Header("x-hub-signature-256"),
            Header("x-hub-signature-256"),
            Header("x-notion-signature"),
        ],
        "sha256=",
        true,
    ),
    body_only(
        &["vercel", "fastly-ngwaf", "fly", "dropbox", "asana"],
        &[
            Header("x-vercel-signature"),
            Header("x-sigsci-signature"),
            Header("x-signature"),
            Header("x-dropbox-signature"),
            Header("x-hook-signature"),
        ],
        "",
        true,
    ),
    body_only(
        &["shopify", "heroku", "xero"],
        &[
            Header("x-shopify-hmac-sha256"),
            Header("heroku-webhook-hmac-sha256"),
            Header("x-xero-signature"),
        ],
        "",
        false,
    ),
    Form {
        schemes: &["slack"],
        signature: &[Header("x-slack-signature")],
        prefix: "v0=",
        separator: None,
        hex: true,
        time: Some((Header("x-slack-request-timestamp"), TimeUnit::Seconds)),
        tolerance_seconds: 300,
        future_seconds: 300,
        id: None,
    },
    list(
        &["standard-webhooks", "supabase"],
        &[Header("webhook-signature"), Header("webhook-signature")],
        "webhook-timestamp",
        "webhook-id",
    ),
    list(
        &["svix"],
        &[Header("svix-signature")],
        "svix-timestamp",
        "svix-id",
    ),
    Form {
        schemes: &["stripe"],
        signature: &[Header("stripe-signature")],
        prefix: "v1=",
        separator: Some(","),
        hex: true,
        time: Some((Item("t"), TimeUnit::Seconds)),
        tolerance_seconds: 300,
        future_seconds: 300,
        id: None,
    },
    Form {
        schemes: &["koogallery-v1"],
        signature: &[Query("authToken")],
        prefix: "",
        separator: None,
        hex: false,
        time: Some((Query("timeStamp"), TimeUnit::CompactUtc)),
        tolerance_seconds: 11_100,
        future_seconds: 300,
        id: None,
    },
    Form {
        schemes: &["koogallery-v2"],
        signature: &[Query("signature")],
        prefix: "",
        separator: None,
        hex: true,
        time: Some((Query("timestamp"), TimeUnit::Milliseconds)),
        tolerance_seconds: 60,
        future_seconds: 60,
        id: Some(Query("nonce")),
    },
];

const fn list(
    schemes: &'static [&'static str],
    signature: &'static [At],
    time: &'static str,
    id: &'static str,
) -> Form {
    Form {
        schemes,
        signature,
        prefix: "v1,",
        separator: Some(" "),
        hex: false,
        time: Some((Header(time), TimeUnit::Seconds)),
        tolerance_seconds: 300,
        future_seconds: 300,
        id: Some(Header(id)),
    }
}
