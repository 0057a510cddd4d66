//! What the head of a request opened the way to, and what is asked about its body.

use std::sync::OnceLock;

use super::unverified;
use crate::gate::LiveSource;
use crate::verdict::{Reject, Verdict};
use crate::verify::{AroundBody, Claims, Matched, Proof, Streaming};

/// A request whose head is in order.
#[derive(Debug)]
pub struct Opening {
    pub(super) claims: Claims,
    /// The claims of a statement that a MAC proved. Of the kind that may cross a caught panic, as the edge's
    /// builds demand.
    pub(super) stated: OnceLock<Claims>,
    pub body_bytes_max: usize,
    /// What a body over that length gets.
    pub over_length: Verdict,
    /// The length of a body that is to go by as a stream.
    pub stream_bytes: Option<u32>,
    /// It can only be a handshake with a sender that has proved nothing, or else gets this.
    pub(super) unless_greeting: Option<Verdict>,
    /// With a body it is an event all the same.
    pub(super) or_event: bool,
}

/// What is shared through the cell is written once and whole, so a panic leaves nothing half done.
impl std::panic::RefUnwindSafe for Opening {}

impl Opening {
    pub(super) fn claims(&self) -> &Claims {
        self.stated.get().unwrap_or(&self.claims)
    }

    /// What to compute the MAC over, where that may be left to others.
    pub fn around_body(&self, live: &LiveSource) -> Option<AroundBody> {
        if self.unless_greeting.is_some() {
            return None;
        }
        AroundBody::of(&live.scheme, &self.claims)
    }

    /// `tag` is the MAC over that and the body under the `key`th key. `None`: it is not what the
    /// sender sent.
    pub fn matched(&self, key: usize, tag: &[u8]) -> Option<Matched> {
        self.claims.matched(key, tag)
    }

    /// What to hash of a body that goes by. `None`: it is to be read whole.
    pub fn streaming(&self, live: &LiveSource) -> Option<Streaming> {
        let body_bytes = u64::from(self.stream_bytes?);
        Streaming::of(&live.scheme, &live.keys, &self.claims, body_bytes)
    }

    /// These are the hashes that [`Streaming`] asked for.
    ///
    /// # Errors
    /// As [`super::check`], where they are not what the sender signed.
    pub fn matched_stream(
        &self,
        live: &LiveSource,
        mac_hashes: &[Vec<u8>],
        identity: [u8; 32],
        now_ms: i64,
    ) -> Result<Matched, Verdict> {
        self.claims
            .matched_stream(&live.scheme, &live.keys, mac_hashes, identity)
            .ok_or_else(|| {
                let body_bytes = self.stream_bytes.unwrap_or_default() as usize;
                unverified(live, Reject::SignatureMismatch, body_bytes, now_ms)
            })
    }

    /// `proof` is what [`crate::public_key::inquiry`] made of the statement of this request.
    pub fn signed(&mut self, proof: Proof) -> Matched {
        self.claims.take_reading(&proof);
        Matched::Signed(proof)
    }
}
