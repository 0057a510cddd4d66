//! The rules for pins: with a provider's key, they alone say whose messages are taken.

use super::names::is_secret_name;
use super::{Config, Source};
use crate::scheme::{KeyEncoding, Known, PinForm, Scheme, Template};

/// What is wrong with the pins and the public keys of a source.
pub(super) fn pin_faults(source: &Source, scheme: &Scheme) -> Vec<String> {
    let mut faults = Vec::new();
    for pin in &scheme.pins {
        let value = source.pins.get(&pin.name);
        let is_fetched = scheme.key.encoding.is_fetched();
        faults.extend(pin_fault(pin, value, &source.scheme, is_fetched));
    }
    for name in source.pins.keys() {
        if !scheme.pins.iter().any(|pin| pin.name == *name) {
            faults.push(format!(
                "pins.{name}: the scheme \"{}\" has no such pin",
                source.scheme
            ));
        }
    }
    if scheme.key.encoding.is_fetched() && !source.secrets.is_empty() {
        faults.push(format!(
            "secrets: the key of \"{}\" is the provider's, so this source has none",
            source.scheme
        ));
    }
    if scheme.key.encoding != KeyEncoding::PublicKey && !source.public_keys.is_empty() {
        faults.push(format!(
            "public_keys: the scheme \"{}\" does not take its key from there",
            source.scheme
        ));
    }
    let is_weak = scheme
        .certificate
        .as_ref()
        .is_some_and(|form| form.weak_key)
        || scheme.signs_crc();
    if is_weak && !source.accept_weak_key {
        faults.push(format!(
            "signatures of \"{}\" prove little (docs/schemes.md says why): set accept_weak_key = true if that is enough for you",
            source.scheme
        ));
    } else if !is_weak && source.accept_weak_key {
        faults.push("accept_weak_key is for schemes whose signatures prove little".into());
    }
    if let Some(form) = &scheme.certificate {
        let region = region_of(source, scheme);
        let listed = region
            .as_ref()
            .is_none_or(|region| form.regions.contains(region));
        if !listed {
            faults.push(format!(
                "the pins name the region \"{}\", which \"{}\" does not list: its hosts are a closed list",
                region.unwrap_or_default(),
                source.scheme
            ));
        }
    }
    faults
}

fn pin_fault(
    pin: &PinForm,
    value: Option<&String>,
    scheme: &str,
    is_fetched: bool,
) -> Option<String> {
    let name = &pin.name;
    let Some(value) = value else {
        return Some(if is_fetched {
            format!(
                "pins.{name} is missing: with \"{scheme}\" the key is the provider's, so without this pin anyone's messages would be taken"
            )
        } else {
            format!(
                "pins.{name} is missing: \"{scheme}\" signs it, and it stands nowhere in the request"
            )
        });
    };
    if let Some(secret) = value.strip_prefix('$') {
        return (!is_secret_name(secret)).then(|| {
            format!("pins.{name}: secret \"{secret}\": use A-Z, 0-9 and _, beginning with a letter")
        });
    }
    if pin.secret {
        return Some(format!(
            "pins.{name} is a secret: name a Worker secret, for example \"$MY_SECRET\""
        ));
    }
    let form = pin.form.clone().map(String::from).unwrap_or_default();
    if !has_form(pin.form.as_ref(), value) {
        return Some(format!("pins.{name} = \"{value}\" has not the form {form}"));
    }
    (!pin.one_of.is_empty() && !pin.one_of.contains(value)).then(|| {
        format!(
            "pins.{name} = \"{value}\": use one of {}",
            pin.one_of.join(", ")
        )
    })
}

fn has_form(form: Option<&Template>, value: &str) -> bool {
    let printable = !value.is_empty() && value.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    printable
        && form.is_none_or(|form| form.fits(value, &Default::default(), &mut Default::default()))
}

fn region_of(source: &Source, scheme: &Scheme) -> Option<String> {
    let mut learnt = Known::default();
    for pin in &scheme.pins {
        if let (Some(value), Some(form)) = (source.pins.get(&pin.name), &pin.form) {
            form.fits(value, &Default::default(), &mut learnt);
        }
    }
    learnt.remove("region")
}

/// A message that two sources would take could be sent to each of them.
pub(super) fn shared_pins(config: &Config) -> Vec<String> {
    let mut faults = Vec::new();
    let key_of = |source: &Source| {
        config
            .schemes
            .get(&source.scheme)
            .map(|scheme| scheme.key.encoding)
            .filter(|encoding| encoding.is_fetched())
    };
    for (name, source) in &config.sources {
        for (other_name, other) in config.sources.before(name) {
            let same = !source.pins.is_empty()
                && source.pins == other.pins
                && key_of(source).is_some()
                && key_of(source) == key_of(other);
            if same {
                faults.push(format!(
                    "[sources.{name}] and [sources.{other_name}] have the same pins: a message for one could be sent to the other"
                ));
            }
        }
    }
    faults
}
