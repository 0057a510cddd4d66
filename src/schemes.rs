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
    "adyen-classic"
    "alibaba-eventbridge"
    "alibaba-smq"
    "atlassian-connect"
    "aws-eventbridge"
    "aws-sns"
    "azure-event-grid"
    "azure-event-grid-cloudevents"
    "azure-event-grid-entra"
    "cloudevents"
    "cloudflare-notifications"
    "contentful"
    "discord-events"
    "discord-interactions"
    "fastly-ngwaf"
    "fly"
    "github"
    "google-eventarc"
    "google-pubsub"
    "heroku"
    "hook0-headers"
    "http-message-signature-ecdsa"
    "http-message-signature-ed25519"
    "http-message-signature-hmac"
    "http-message-signature-rsa"
    "huawei-eventgrid"
    "huawei-sdk-hmac"
    "huawei-smn"
    "ibm-event-notifications"
    "koogallery-kit"
    "koogallery-license"
    "koogallery-v1"
    "koogallery-v1-post"
    "koogallery-v2"
    "monday"
    "netlify"
    "oracle-oci"
    "paypal"
    "plaid"
    "sendgrid"
    "shopify"
    "slack"
    "standard-webhooks"
    "standard-webhooks-v1a"
    "stripe"
    "supabase"
    "svix"
    "twilio"
    "vercel"
};
