//! The built-in schemes: one file for each in `src/schemes/`, in the vocabulary of
//! [`crate::scheme`]. The Worker embeds those that `sources.toml` uses; the tools know them all.

macro_rules! built_in {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("schemes/", $name, ".toml")))),*]
    };
}

/// Name and text of every built-in scheme.
#[rustfmt::skip]
pub const BUILT_IN: &[(&str, &str)] = built_in! {
    "alibaba-eventbridge"
    "alibaba-smq"
    "asana"
    "aws-eventbridge"
    "aws-sns"
    "azure-event-grid"
    "azure-event-grid-cloudevents"
    "azure-event-grid-entra"
    "cloudevents"
    "cloudflare-notifications"
    "dropbox"
    "fastly-ngwaf"
    "fly"
    "github"
    "google-eventarc"
    "google-pubsub"
    "heroku"
    "huawei-eventgrid"
    "huawei-sdk-hmac"
    "huawei-smn"
    "ibm-event-notifications"
    "koogallery-kit"
    "koogallery-license"
    "koogallery-v1"
    "koogallery-v1-post"
    "koogallery-v2"
    "meta"
    "netlify"
    "notion"
    "okta"
    "oracle-oci"
    "shopify"
    "slack"
    "standard-webhooks"
    "standard-webhooks-v1a"
    "stripe"
    "supabase"
    "svix"
    "vercel"
    "x-twitter"
    "xero"
    "zoom"
};
