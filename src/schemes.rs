//! The built-in schemes: one file for each in `src/schemes/`, in the vocabulary of
//! [`crate::scheme`]. The Worker embeds those that `sources.toml` uses; the tools know them all.

/// Name and text of every built-in scheme.
pub const BUILT_IN: &[(&str, &str)] = &[
    (
        "alibaba-eventbridge",
        include_str!("schemes/alibaba-eventbridge.toml"),
    ),
    ("alibaba-smq", include_str!("schemes/alibaba-smq.toml")),
    (
        "aws-eventbridge",
        include_str!("schemes/aws-eventbridge.toml"),
    ),
    ("aws-sns", include_str!("schemes/aws-sns.toml")),
    (
        "azure-event-grid",
        include_str!("schemes/azure-event-grid.toml"),
    ),
    (
        "azure-event-grid-cloudevents",
        include_str!("schemes/azure-event-grid-cloudevents.toml"),
    ),
    (
        "azure-event-grid-entra",
        include_str!("schemes/azure-event-grid-entra.toml"),
    ),
    ("cloudevents", include_str!("schemes/cloudevents.toml")),
    (
        "cloudflare-notifications",
        include_str!("schemes/cloudflare-notifications.toml"),
    ),
    ("fastly-ngwaf", include_str!("schemes/fastly-ngwaf.toml")),
    ("fly", include_str!("schemes/fly.toml")),
    ("github", include_str!("schemes/github.toml")),
    (
        "google-eventarc",
        include_str!("schemes/google-eventarc.toml"),
    ),
    ("google-pubsub", include_str!("schemes/google-pubsub.toml")),
    ("heroku", include_str!("schemes/heroku.toml")),
    (
        "huawei-eventgrid",
        include_str!("schemes/huawei-eventgrid.toml"),
    ),
    (
        "huawei-sdk-hmac",
        include_str!("schemes/huawei-sdk-hmac.toml"),
    ),
    ("huawei-smn", include_str!("schemes/huawei-smn.toml")),
    (
        "ibm-event-notifications",
        include_str!("schemes/ibm-event-notifications.toml"),
    ),
    (
        "koogallery-kit",
        include_str!("schemes/koogallery-kit.toml"),
    ),
    (
        "koogallery-license",
        include_str!("schemes/koogallery-license.toml"),
    ),
    ("koogallery-v1", include_str!("schemes/koogallery-v1.toml")),
    (
        "koogallery-v1-post",
        include_str!("schemes/koogallery-v1-post.toml"),
    ),
    ("koogallery-v2", include_str!("schemes/koogallery-v2.toml")),
    ("netlify", include_str!("schemes/netlify.toml")),
    ("oracle-oci", include_str!("schemes/oracle-oci.toml")),
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
    ("supabase", include_str!("schemes/supabase.toml")),
    ("svix", include_str!("schemes/svix.toml")),
    ("vercel", include_str!("schemes/vercel.toml")),
];
