//! A request as it may have been meant.

#[cfg(not(target_arch = "wasm32"))]
use std::sync::Arc;

use crate::gate::LiveSource;
use crate::keys::LiveKey;
use crate::public_key::rules::Pins;
use crate::request::{Head, Inbound};
use crate::scheme::{Algorithm, Part, Scheme, TimeUnit};
use crate::verify::{Claims, guess};

/// A request with the scheme and the keys that it is judged by.
#[derive(Debug)]
pub struct Case<'a> {
    pub(super) scheme: Scheme,
    pub(super) keys: Vec<LiveKey>,
    /// Keys that were rotated out.
    pub(super) retired: &'a [LiveKey],
    /// What the source states, some of which may be signed.
    pub(super) pins: Pins,
    pub(super) head: Head,
    /// `None`: the request was refused before its body was read.
    pub(super) body: Option<Vec<u8>>,
    /// The characters of the signed time, where they are not those of the request.
    pub(super) time_text: Option<String>,
}

/// One thing that is otherwise. A case and a change exchange what they hold, so that the same change
/// undoes itself, and nothing is copied.
#[derive(Debug)]
pub(super) enum Change {
    Keys(Vec<LiveKey>),
    Hash(Algorithm),
    Head(Head),
    Body(Vec<u8>),
    Time(Option<String>),
    Unit(TimeUnit),
    Signed(Vec<Part>),
    #[cfg(not(target_arch = "wasm32"))]
    Pins(Pins),
}

/// Adds what may have been made of a text.
pub(super) type OthersOf<'f> = dyn Fn(&[u8], &mut Vec<Vec<u8>>) + 'f;

/// How the case looks to the interpreter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// This key made the signature.
    Right(String),
    /// Nothing is wrong with its form, and the body is not there.
    WellFormed,
    Wrong,
}

impl<'a> Case<'a> {
    /// The request as it came in. Of the head, only what [`crate::admission::open`] asks for needs to be
    /// there. `scheme` is a copy of the source's own, to be varied.
    pub fn of(live: &'a LiveSource, scheme: Scheme, head: Head, body: Option<Vec<u8>>) -> Self {
        Case {
            scheme,
            keys: live.keys.clone(),
            retired: &live.retired,
            pins: live.pins.clone(),
            head,
            body,
            time_text: None,
        }
    }

    /// Makes the change, or undoes it. Not inlined, nor is what judges: small instead of fast, off the way of a request.
    #[inline(never)]
    pub(super) fn exchange(&mut self, change: &mut Change) {
        match change {
            Change::Keys(keys) => std::mem::swap(&mut self.keys, keys),
            Change::Head(head) => std::mem::swap(&mut self.head, head),
            Change::Time(text) => std::mem::swap(&mut self.time_text, text),
            Change::Signed(signed) => std::mem::swap(&mut self.scheme.signed, signed),
            #[cfg(not(target_arch = "wasm32"))]
            Change::Pins(pins) => std::mem::swap(&mut self.pins, pins),
            Change::Hash(algorithm) => {
                std::mem::swap(&mut self.scheme.algorithm, algorithm);
                for key in &mut self.keys {
                    key.serve(self.scheme.algorithm);
                }
            }
            Change::Body(body) => {
                if let Some(known) = &mut self.body {
                    std::mem::swap(known, body);
                }
            }
            Change::Unit(unit) => {
                if let Some(form) = &mut self.scheme.time {
                    std::mem::swap(&mut form.unit, unit);
                }
            }
        }
    }

    /// What judging it takes of [`super::HASHED_BYTES_MAX`]. Any of the head may be signed with the body, and
    /// without a body the head is read all the same.
    pub(super) fn cost_bytes(&self) -> usize {
        let head_bytes = self.head.bytes();
        let body = self.body.as_ref();
        body.map_or(head_bytes, |body| {
            (head_bytes + body.len() + super::MAC_BYTES) * self.keys.len()
        })
    }

    /// Has the interpreter look at it.
    #[inline(never)]
    pub fn judge(&self) -> Judgement {
        let Ok(mut claims) = Claims::read(&self.scheme, &self.head) else {
            return Judgement::Wrong;
        };
        if self.scheme.signs_pins() {
            claims.take_pins(&self.pins);
        }
        if let Some(text) = &self.time_text {
            claims = claims.with_time_text(&self.scheme, text);
        }
        let Some(body) = &self.body else {
            return Judgement::WellFormed;
        };
        let inbound = Inbound::new(&self.head, body, &[]);
        let key = guess(&self.scheme, &self.keys, &claims, &inbound);
        match key.and_then(|key| self.keys.get(key)) {
            Some(key) => Judgement::Right(key.name.clone()),
            None => Judgement::Wrong,
        }
    }

    /// Makes the source what it is in this case: for what is read as a whole ([`crate::verify::Statement`]).
    #[cfg(not(target_arch = "wasm32"))]
    pub fn vary(&self, live: &mut LiveSource) {
        live.pins.clone_from(&self.pins);
        live.keys.clone_from(&self.keys);
        live.scheme = Arc::new(self.scheme.clone());
    }

    pub fn head(&self) -> &Head {
        &self.head
    }

    pub fn body(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }
}
