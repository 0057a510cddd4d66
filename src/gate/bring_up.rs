//! What a source needs besides its secrets before it works.

use std::sync::Arc;

use super::{Fault, LiveSource};
use crate::keys::{LiveKey, NotAKey};
use crate::public_key::rules::{Pins, with_parts};
use crate::public_key::{PublicKey, RSA_BITS_MIN};
use crate::scheme::{Algorithm, KeyForm, Scheme, TimeUnit};
use crate::time;
use crate::verdict::Trouble;

/// How long a provider may hand a secret over: long enough to press a button twice.
const HANDSHAKE_WINDOW_MS: i64 = 15 * 60_000;

impl LiveSource {
    /// Where what its provider hands over in this window is kept. `None`: there is no window.
    pub fn offer_name(&self) -> Option<String> {
        let (from, _) = self.handshake_window_ms?;
        Some(format!("offer/{}/{}/{from}", self.source.tenant, self.name))
    }

    /// A token that is missing keeps handshakes out, and no event.
    pub(super) fn handshakes_up(
        &mut self,
        variable: &mut impl FnMut(&str) -> Option<String>,
        faults: &mut Vec<Fault>,
    ) {
        let opens = self.source.handshake_opens.clone();
        let opens = opens.and_then(|text| match text.strip_prefix('$') {
            None => Some(text),
            Some(name) => variable(name),
        });
        let opens_ms = opens.and_then(|text| time::parse(text.trim(), TimeUnit::Rfc3339));
        self.handshake_window_ms = opens_ms.map(|from| (from, from + HANDSHAKE_WINDOW_MS));
        let Some(reference) = &self.source.handshake_token else {
            return;
        };
        let text = variable(reference.name()).unwrap_or_default();
        let form = KeyForm::verbatim();
        match LiveKey::new(reference.name(), &text, &form, Algorithm::Credential) {
            Ok(token) => self.handshake_token = Some(token),
            Err(_) => faults.push(Fault {
                trouble: Trouble::SecretMissing,
                source: Some(self.name.clone()),
                destination: None,
                secret: Some(reference.name().to_owned()),
            }),
        }
    }

    /// Without its pins a source takes nothing.
    pub(super) fn pins_up(
        &mut self,
        variable: &mut impl FnMut(&str) -> Option<String>,
        faults: &mut Vec<Fault>,
    ) {
        let mut pins = Pins::default();
        for (name, value) in &self.source.pins {
            let value = match value.strip_prefix('$') {
                None => value.clone(),
                Some(secret) => variable(secret).unwrap_or_default().trim().to_owned(),
            };
            if !value.is_empty() {
                pins.insert(name.clone(), value);
            }
        }
        let complete = self
            .scheme
            .pins
            .iter()
            .all(|pin| pins.contains_key(&pin.name));
        let forms = self
            .scheme
            .pins
            .iter()
            .map(|pin| (pin.name.as_str(), pin.form.as_ref()));
        match with_parts(&pins, forms).filter(|_| complete) {
            Some(pins) => self.pins = pins,
            None => {
                self.trouble = Some(Trouble::PinUnusable);
                faults.push(Fault {
                    trouble: Trouble::PinUnusable,
                    source: Some(self.name.clone()),
                    destination: None,
                    secret: self.source.pin_secrets().next().map(str::to_owned),
                });
            }
        }
    }
}

pub(super) fn own_public_key(scheme: &Scheme, text: &str) -> Result<Arc<PublicKey>, NotAKey> {
    if text.trim().is_empty() {
        return Err(NotAKey::Empty);
    }
    let key = PublicKey::from_text(text).filter(|key| key.serves(scheme.algorithm, RSA_BITS_MIN));
    key.map(Arc::new).ok_or(NotAKey::Undecodable)
}
