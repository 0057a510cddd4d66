//! The order of a batch: which of its messages are delivered at once, and which not in this batch.
//!
//! A batch is over when its last message is, and only then does the queue hear of any of them. So no
//! destination gets more than two of the connections, one that hangs gets none any more, and nothing
//! is begun that could end too late.

/// Deliveries at a time. One invocation may have six connections waiting for headers; two are left
/// for the queues and the archive.
const DELIVERIES_AT_ONCE: usize = 4;
const FOR_EACH_DESTINATION: usize = 2;
/// The longest that a batch should last.
const BATCH_MS: i64 = 45_000;
/// What a delivery costs beside the backend: two questions to the ledger, each within five seconds.
const BESIDE_MS: i64 = 10_000;

/// Where a message goes, and how long that may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    pub destination: String,
    pub timeout_seconds: u32,
}

/// What to do with the message of this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Begin(usize),
    /// Not in this batch: it goes to the slow queue.
    Postpone(usize),
}

/// A batch's messages, by their numbers.
#[derive(Debug)]
pub struct Lanes {
    started_ms: i64,
    /// `None`: it goes to no backend.
    lanes: Vec<Option<Lane>>,
    waiting: Vec<usize>,
    busy: Vec<usize>,
    hanging: Vec<String>,
}

impl Lanes {
    pub fn new(lanes: Vec<Option<Lane>>, now_ms: i64) -> Self {
        Lanes {
            started_ms: now_ms,
            waiting: (0..lanes.len()).collect(),
            lanes,
            busy: Vec::new(),
            hanging: Vec::new(),
        }
    }

    /// The next turn. `None`: wait for something under way to end, or nothing is left.
    pub fn next(&mut self, now_ms: i64) -> Option<Turn> {
        if self.busy.len() >= DELIVERIES_AT_ONCE {
            return None;
        }
        let place = self
            .waiting
            .iter()
            .position(|number| self.is_free(*number))?;
        let number = self.waiting.remove(place);
        if self.is_postponed(number, now_ms) {
            return Some(Turn::Postpone(number));
        }
        self.busy.push(number);
        Some(Turn::Begin(number))
    }

    /// What was begun is over. `hung`: the backend gave no answer, or asked for less.
    pub fn ended(&mut self, number: usize, hung: bool) {
        self.busy.retain(|busy| *busy != number);
        if let (true, Some(lane)) = (hung, self.lane(number)) {
            self.hanging.push(lane.destination.clone());
        }
    }

    fn lane(&self, number: usize) -> Option<&Lane> {
        self.lanes.get(number)?.as_ref()
    }

    fn is_free(&self, number: usize) -> bool {
        let Some(lane) = self.lane(number) else {
            return true;
        };
        let is_same = |other: &&usize| {
            let other = self.lane(**other);
            other.is_some_and(|other| other.destination == lane.destination)
        };
        self.busy.iter().filter(is_same).count() < FOR_EACH_DESTINATION
    }

    /// The first ones are begun in any case: no time-out is too long for a batch of its own.
    fn is_postponed(&self, number: usize, now_ms: i64) -> bool {
        let Some(lane) = self.lane(number) else {
            return false;
        };
        let spent_ms = now_ms.saturating_sub(self.started_ms);
        let needed_ms = i64::from(lane.timeout_seconds) * 1_000 + BESIDE_MS;
        let is_late = spent_ms > BESIDE_MS && spent_ms + needed_ms > BATCH_MS;
        is_late || self.hanging.contains(&lane.destination)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(destinations: &[&str]) -> Lanes {
        let lane = |destination: &&str| Lane {
            destination: (*destination).to_owned(),
            timeout_seconds: 15,
        };
        let lanes = destinations.iter().map(lane).map(Some).collect();
        Lanes::new(lanes, 0)
    }

    fn begun(lanes: &mut Lanes, now_ms: i64) -> Vec<usize> {
        std::iter::from_fn(|| match lanes.next(now_ms) {
            Some(Turn::Begin(number)) => Some(number),
            _ => None,
        })
        .collect()
    }

    #[test]
    fn no_destination_has_more_than_two_connections_and_no_batch_more_than_four() {
        let mut busy = lanes(&["a", "a", "a", "b", "c", "c", "a"]);
        assert_eq!(begun(&mut busy, 0), [0, 1, 3, 4]);
        busy.ended(3, false);
        assert_eq!(begun(&mut busy, 0), [5]);
        busy.ended(0, false);
        assert_eq!(begun(&mut busy, 0), [2]);
        for number in [1, 2, 4, 5] {
            busy.ended(number, false);
        }
        assert_eq!(begun(&mut busy, 0), [6]);
        busy.ended(6, false);
        assert_eq!(busy.next(0), None);
    }

    #[test]
    fn one_that_hangs_is_not_tried_again_and_the_others_are() {
        let mut mixed = lanes(&["a", "a", "a", "a", "b"]);
        assert_eq!(begun(&mut mixed, 0), [0, 1, 4]);
        mixed.ended(0, true);
        assert_eq!(mixed.next(0), Some(Turn::Postpone(2)));
        assert_eq!(mixed.next(0), Some(Turn::Postpone(3)));
        assert_eq!(mixed.next(0), None);
    }

    #[test]
    fn nothing_begins_that_could_end_too_late() {
        let mut late = lanes(&["a", "b", "c", "d", "e", "f"]);
        assert_eq!(begun(&mut late, 0), [0, 1, 2, 3]);
        late.ended(0, false);
        assert_eq!(late.next(20_000), Some(Turn::Begin(4)));
        late.ended(1, false);
        assert_eq!(late.next(20_001), Some(Turn::Postpone(5)));
    }

    #[test]
    fn what_goes_to_no_backend_is_never_kept_back() {
        let mut unreadable = Lanes::new(vec![None, None, None], 0);
        assert_eq!(begun(&mut unreadable, 100_000), [0, 1, 2]);
    }
}
