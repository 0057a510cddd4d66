//! What a source of a scheme must say besides its tenant, its destination and how long it remembers.

use hookgate::scheme::{KeyEncoding, PinForm, Scheme, Trust};

/// The keys of `[sources.NAME]`, in words.
pub fn needs(scheme: &Scheme) -> String {
    let mut needs = Vec::new();
    let encoding = scheme.key.encoding;
    if encoding == KeyEncoding::PublicKey {
        needs.push("`public_keys`, or `secrets` that hold them".to_owned());
    } else if !encoding.is_fetched() {
        needs.push("`secrets`".to_owned());
    }
    needs.extend(scheme.pins.iter().map(pin));
    if scheme.takes_discriminator_values() {
        needs.push("`discriminator_values`".to_owned());
    }
    let mut shakes = scheme.handshakes.iter();
    if shakes.any(|shake| shake.trust == Trust::Token) {
        needs.push("`handshake_token`".to_owned());
    }
    if scheme.is_bearer() && scheme.has_body_signature() {
        needs.push("`accept_credential_in_body`".to_owned());
    }
    let certificate = scheme.certificate.as_ref();
    if certificate.is_some_and(|form| form.weak_key) || scheme.signs_crc() {
        needs.push("`accept_weak_key`".to_owned());
    }
    needs.join("; ")
}

fn pin(pin: &PinForm) -> String {
    let name = format!("`pins.{}`", pin.name);
    match (&pin.form, pin.one_of.as_slice()) {
        _ if pin.secret => format!("{name}, a Worker secret's `$NAME`"),
        (_, [_, ..]) => format!("{name}, one of `{}`", pin.one_of.join("`, `")),
        (Some(form), []) => format!("{name}, as `{}`", String::from(form.clone())),
        (None, []) => name,
    }
}
