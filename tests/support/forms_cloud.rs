//! Families of schemes that are not a MAC of the body with something around it.

use hookgate::scheme::TimeUnit;

use super::forms::{At, Form};

use At::{Header, Member, Query};

/// The columns of the table in `tests/mutations_cloud.rs`, in order.
pub static CLOUD: [Form; 9] = [
    credential(
        &[
            "cloudflare-notifications",
            "ibm-event-notifications",
            "okta",
        ],
        &[
            Header("cf-webhook-auth"),
            Header("authorization"),
            Header("authorization"),
        ],
        "",
    ),
    credential(&["cloudevents"], &[Header("authorization")], "Bearer "),
    credential(
        &["aws-eventbridge", "oracle-oci"],
        &[Header("authorization"), Header("authorization")],
        "Basic ",
    ),
    credential(
        &[
            "azure-event-grid",
            "azure-event-grid-cloudevents",
            "huawei-eventgrid",
        ],
        &[Query("code"), Query("code"), Query("token")],
        "",
    ),
    credential(&["netlify"], &[Header("x-webhook-signature")], ""),
    Form {
        hex: true,
        time: Some((Header("x-timestamp"), TimeUnit::Milliseconds)),
        tolerance_seconds: 60,
        future_seconds: 60,
        id: Some(Header("x-nonce")),
        ..credential(&["koogallery-kit"], &[Header("x-sign")], "")
    },
    Form {
        time: Some((Header("ts"), TimeUnit::Milliseconds)),
        tolerance_seconds: 60,
        future_seconds: 60,
        id: Some(Header("nonce")),
        ..credential(&["koogallery-license"], &[Header("signature")], "")
    },
    Form {
        time: Some((Member("timeStamp"), TimeUnit::CompactUtc)),
        tolerance_seconds: 11_100,
        future_seconds: 300,
        ..credential(&["koogallery-v1-post"], &[Header("authtoken")], "")
    },
    Form {
        hex: true,
        time: Some((Header("x-sdk-date"), TimeUnit::BasicUtc)),
        tolerance_seconds: 900,
        future_seconds: 900,
        ..credential(&["huawei-sdk-hmac"], &[Header("authorization")], "")
    },
];

const fn credential(
    schemes: &'static [&'static str],
    signature: &'static [At],
    prefix: &'static str,
) -> Form {
    Form {
        schemes,
        signature,
        prefix,
        separator: None,
        hex: false,
        time: None,
        tolerance_seconds: 0,
        future_seconds: 0,
        id: None,
    }
}
