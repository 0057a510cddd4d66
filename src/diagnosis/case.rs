//! A request as it may have been meant.

use std::borrow::Cow;

use super::Judgement;
use crate::gate::LiveSource;
use crate::keys::LiveKey;
use crate::request::{Head, Inbound};
use crate::scheme::{Part, Scheme};
use crate::verify::{Claims, guess};

/// A request with the scheme and the keys that it is judged by. Each of them may be varied.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    pub(super) scheme: Cow<'a, Scheme>,
    pub(super) keys: Cow<'a, [LiveKey]>,
    /// Keys that were rotated out.
    pub(super) retired: &'a [LiveKey],
    pub(super) head: Cow<'a, Head>,
    /// `None`: the request was refused before its body was read.
    pub(super) body: Option<Cow<'a, [u8]>>,
    /// The characters of the signed time, where they are not those of the request.
    pub(super) time_text: Option<String>,
}

impl<'a> Case<'a> {
    /// The request as it came in. Of the head, only what [`crate::admission::open`] asks for needs to be
    /// there.
    pub fn of(live: &'a LiveSource, head: &'a Head, body: Option<&'a [u8]>) -> Self {
        Case {
            scheme: Cow::Borrowed(&*live.scheme),
            keys: Cow::Borrowed(&live.keys),
            retired: &live.diagnosing.retired,
            head: Cow::Borrowed(head),
            body: body.map(Cow::Borrowed),
            time_text: None,
        }
    }

    /// The same case, to be varied.
    pub(super) fn again(&self) -> Case<'_> {
        Case {
            scheme: Cow::Borrowed(&self.scheme),
            keys: Cow::Borrowed(&self.keys),
            retired: self.retired,
            head: Cow::Borrowed(&self.head),
            body: self.body.as_deref().map(Cow::Borrowed),
            time_text: self.time_text.clone(),
        }
    }

    pub(super) fn with_keys(&self, keys: Vec<LiveKey>) -> Case<'_> {
        Case {
            keys: Cow::Owned(keys),
            ..self.again()
        }
    }

    pub(super) fn with_head(&self, head: Head) -> Case<'_> {
        Case {
            head: Cow::Owned(head),
            ..self.again()
        }
    }

    pub(super) fn with_body(&self, body: Vec<u8>) -> Case<'_> {
        Case {
            body: Some(Cow::Owned(body)),
            ..self.again()
        }
    }

    pub(super) fn with_time_text(&self, text: String) -> Case<'_> {
        Case {
            time_text: Some(text),
            ..self.again()
        }
    }

    pub(super) fn with_signed(&self, signed: Vec<Part>) -> Case<'_> {
        let mut scheme = Scheme::clone(&self.scheme);
        scheme.signed = signed;
        self.with_scheme(scheme)
    }

    pub(super) fn with_scheme(&self, scheme: Scheme) -> Case<'_> {
        Case {
            scheme: Cow::Owned(scheme),
            ..self.again()
        }
    }

    /// What judging it takes of [`super::HASHED_BYTES_MAX`].
    pub(super) fn cost_bytes(&self) -> usize {
        let body = self.body.as_ref().map(|body| body.len() + super::MAC_BYTES);
        body.unwrap_or_default() * self.keys.len()
    }

    pub fn head(&self) -> &Head {
        &self.head
    }

    pub fn body(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }

    /// Has the interpreter look at it.
    pub fn judge(&self) -> Judgement {
        let Ok(mut claims) = Claims::read(&self.scheme, &self.head) else {
            return Judgement::Wrong;
        };
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
}
