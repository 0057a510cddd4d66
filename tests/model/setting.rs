//! What is explored: whose roads, how many faults, and which deviation is planted.

use hookgate::config::Dedup;

use super::world::{GATES, KEYS};

/// What a search is about.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub name: &'static str,
    /// The road of each gate.
    pub roads: [Dedup; GATES],
    /// How many things may go wrong.
    pub faults: u8,
    /// How often the provider tries each event.
    pub sends: [u8; KEYS],
    /// Copies of the first event sent by somebody else, at any time after it was first sent.
    pub extra: u8,
    /// Dead letters that an operator sends again.
    pub redrives: u8,
    /// Events that an operator has forgotten.
    pub forgets: u8,
    /// The contents do not travel in the messages.
    pub apart: bool,
    /// The queue never takes the first event.
    pub poison: Option<Poison>,
    pub bug: Option<Bug>,
}

/// A message that the queue refuses for ever: whether it says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poison {
    Named,
    Unnamed,
}

/// A deviation of the wiring, planted to see that it is caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    PutBeforeSend,
    AnswerBeforeHold,
    ConflictAsNew,
    RelayForgetsBeforeSending,
    RelayWithoutArmFirst,
    AskThenMark,
    AckBeforeDone,
    DetourWithoutMemory,
    ReleaseByStranger,
    DrainStopsAtRefusal,
    RefusedWithoutProof,
    CodeUnread,
    RedriveUnasked,
    PutTakenForDone,
    SeenTakenForDuplicate,
    RunNotRaised,
    RerunUnsent,
}
