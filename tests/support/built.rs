//! What the tests know of a built-in scheme.

use hookgate::scheme::{Algorithm, Part, Scheme};

/// The topics that the vectors of shops tell apart.
pub const TOPICS: &str = "discriminator_values = [\"orders/create\", \"orders/paid\", \"order.updated\", \"order.created\"]\n";

/// What a source of this scheme must say besides, pins included.
pub fn more_for(scheme: &str) -> String {
    format!("{}{}", must_say(scheme), pins_for(scheme))
}

/// What a source of this scheme must say besides its pins.
pub fn must_say(name: &str) -> String {
    let scheme = known(name);
    let mut more = String::new();
    if scheme.takes_discriminator_values() {
        more += TOPICS;
    }
    if scheme.is_bearer() && scheme.has_body_signature() {
        more += "accept_credential_in_body = true\n";
    }
    if name == "meta" {
        more += "handshake_token = \"HANDSHAKE_TOKEN\"\n";
    }
    more
}

/// The URL that tests give to a scheme that signs it.
pub fn pins_for(name: &str) -> String {
    if known(name).signs_pins() {
        return "pins = { url = \"https://hooks.example.com/hooks/vector?from=provider\" }\n"
            .into();
    }
    String::new()
}

pub fn known(name: &str) -> Scheme {
    built(name).expect("built in")
}

pub fn built(name: &str) -> Option<Scheme> {
    hookgate::config::built_in(name).map(|scheme| scheme.expect("readable"))
}

/// Whether every body can be signed under this scheme, and arrives as it is.
pub fn takes_any_body(scheme: &Scheme) -> bool {
    let signs_item = scheme.signed.contains(&Part::FirstItem);
    let in_body = scheme.has_body_time() || scheme.has_body_signature();
    let is_json = signs_item || in_body || scheme.algorithm == Algorithm::Sha256;
    !scheme.is_canonicalised() && !is_json && !scheme.objects_only
}
