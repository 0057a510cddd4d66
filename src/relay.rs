//! What becomes of a message that the queue does not take: the rules of the relay and of the spool.
//!
//! From here two failures look alike: the queue is out of order, or it refuses this one message for
//! ever. To take the first for the second would send good events to the dead letters; to take the
//! second for the first would leave one message waiting for ever, and all others behind it. So a
//! refusal is judged by what the queue says and by what it does at the same time:
//!
//! - **Its code blames the message** (too large, unfit metadata): no retry will change that. The
//!   message is set aside at once, alone or not.
//! - **Its code blames the queue** (overloaded, full, disabled, missing): nothing is held against the
//!   message, and the rest of the round is saved for later.
//! - **It gives no reason** (an internal error, a broken connection): this counts against the message
//!   only if the queue took another one in the same round. The first such refusal takes the message
//!   out of the line, so that batches go through again; from then on it is tried apart, once a minute,
//!   and after [`REFUSALS_MAX`] refusals that count it is set aside. A queue that fails half of all
//!   sends at random, for ten minutes on end, would do that to one message in a thousand.
//!
//! What stays: a message refused without a reason, alone, is never set aside. It is tried once a
//! minute, an alarm tells of its age, and the next events of its ledger are the proof that it takes.
//!
//! To be set aside is to become a dead letter, byte for byte, with an alarm: an operator, or on the
//! ledger road the provider, may bring it again.

/// After so many refusals that count, a message is set aside.
pub const REFUSALS_MAX: u32 = 10;

/// Whom a refusal blames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    Message,
    Queue,
    Unclear,
}

/// What becomes of a refused message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// As it was: nothing tells this from an outage.
    Stay,
    /// Out of the line, refused so often by now.
    Apart { refusals: u32 },
    /// To the dead letters.
    SetAside,
}

impl Refusal {
    /// From the platform's words, which carry a number:
    /// <https://developers.cloudflare.com/queues/reference/error-codes/>.
    pub fn of(detail: &str) -> Self {
        match code(detail) {
            // The message's metadata; its size.
            Some(10_203 | 10_204) => Refusal::Message,
            // No such queue, no right to it; overloaded, full, disabled, over the plan's limit.
            Some(10_104 | 10_106 | 10_107 | 10_250..=10_259) => Refusal::Queue,
            // A number that is not known may well speak of the message.
            Some(_) | None => Refusal::Unclear,
        }
    }
}

/// `refusals`: those that counted before this one. `took_another`: in the same round.
pub fn fate(refusal: Refusal, refusals: u32, took_another: bool) -> Fate {
    match (refusal, took_another) {
        (Refusal::Message, _) => Fate::SetAside,
        (Refusal::Queue, _) | (Refusal::Unclear, false) => Fate::Stay,
        (Refusal::Unclear, true) => match refusals.saturating_add(1) {
            refusals if refusals < REFUSALS_MAX => Fate::Apart { refusals },
            _ => Fate::SetAside,
        },
    }
}

/// The last number in brackets: `message length of … exceeds limit of 128000 (10204)`.
fn code(detail: &str) -> Option<u32> {
    let (_, last) = detail.rsplit_once('(')?;
    last.split_once(')')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_tells_whom_to_blame() {
        for (detail, refusal) in [
            (
                "Error: message length of 130000 bytes exceeds limit of 128000 (10204)",
                Refusal::Message,
            ),
            (
                "Error: Queue is overloaded. Please back off. (10250)",
                Refusal::Queue,
            ),
            ("Error: queue does not exist (10104)", Refusal::Queue),
            ("Unknown Internal Error (15000)", Refusal::Unclear),
            // It speaks of the batch, and of none of its messages.
            (
                "Error: batch size of 291898 bytes exceeds limit of 256000 bytes (10205)",
                Refusal::Unclear,
            ),
            ("Error: Network connection lost.", Refusal::Unclear),
            ("Error: 10204", Refusal::Unclear),
            ("Error: lost (see 10204)", Refusal::Unclear),
            ("", Refusal::Unclear),
        ] {
            assert_eq!(Refusal::of(detail), refusal, "{detail}");
        }
    }

    #[test]
    fn an_outage_sets_nothing_aside_however_long_it_lasts() {
        for refusals in [0, REFUSALS_MAX - 1, u32::MAX] {
            assert_eq!(fate(Refusal::Queue, refusals, true), Fate::Stay);
            assert_eq!(fate(Refusal::Queue, refusals, false), Fate::Stay);
            assert_eq!(fate(Refusal::Unclear, refusals, false), Fate::Stay);
        }
    }

    #[test]
    fn what_is_refused_for_ever_comes_to_an_end() {
        assert_eq!(fate(Refusal::Message, 0, false), Fate::SetAside);
        let mut refusals = 0;
        let mut rounds = 1;
        while let Fate::Apart { refusals: more } = fate(Refusal::Unclear, refusals, true) {
            assert_eq!(more, refusals + 1);
            refusals = more;
            rounds += 1;
        }
        assert_eq!(rounds, REFUSALS_MAX);
        assert_eq!(fate(Refusal::Unclear, u32::MAX, true), Fate::SetAside);
    }
}
