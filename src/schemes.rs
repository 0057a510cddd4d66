//! The built-in schemes: one file for each in `src/schemes/`, in the vocabulary of
//! [`crate::scheme`]. The Worker embeds those that `sources.toml` uses; the tools know them all.

/// Name and text of every built-in scheme.
pub const BUILT_IN: &[(&str, &str)] = &[
    (
        "alibaba-eventbridge",
        include_str!("schemes/alibaba-eventbridge.toml"),
    ),
    ("alibaba-smq", include_str!("schemes/alibaba-smq.toml")),
    ("aws-sns", include_str!("schemes/aws-sns.toml")),
    (
        "azure-event-grid-entra",
        include_str!("schemes/azure-event-grid-entra.toml"),
    ),
    ("github", include_str!("schemes/github.toml")),
    (
        "google-eventarc",
        include_str!("schemes/google-eventarc.toml"),
    ),
    ("google-pubsub", include_str!("schemes/google-pubsub.toml")),
    ("heroku", include_str!("schemes/heroku.toml")),
    ("huawei-smn", include_str!("schemes/huawei-smn.toml")),
    ("koogallery-v1", include_str!("schemes/koogallery-v1.toml")),
    ("koogallery-v2", include_str!("schemes/koogallery-v2.toml")),
    ("shopify", include_str!("schemes/shopify.toml")),
    ("slack", include_str!("schemes/slack.toml")),
    (
        "standard-webhooks",
        include_str!("schemes/standard-webhooks.toml"),
    ),
    (
        "standard-webhooks-v1a",
        include_str!("schemes/standard-webhooks-v1a.toml"),
    ),
    ("stripe", include_str!("schemes/stripe.toml")),
    ("svix", include_str!("schemes/svix.toml")),
    ("vercel", include_str!("schemes/vercel.toml")),
];
