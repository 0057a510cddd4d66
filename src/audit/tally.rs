//! What one isolate sends to the record: some refusals one by one, and everything else as numbers.
//!
//! A flood of forgeries must not become a flood of messages and rows. Up to [`REFUSALS_A_MINUTE`] of a source
//! are sent each by itself, two of them only for what differs from those before; every other end of a request, whatever it was, is one more in a count. Whoever is
//! counted first has the counts sent when his flush is due, so that they are never kept for longer than
//! [`FLUSH_MS`]. An isolate that ends before loses at most what it counted in that time: the log has a line for each
//! of them, and is the exact account.

use serde::Serialize;

use super::health::{Health, Shown, note};
use super::line;
use super::refusal::AUDIT_VERSION;
use crate::verdict::Verdict;

/// Refusals of one source, in one minute and one isolate, that are sent one by one.
pub const REFUSALS_A_MINUTE: u32 = FOR_ANY + 2;
/// Of them those that whoever comes first has. One place more is for a reason that none of them has, and one for a network
/// operator that none of them came from: so a flood of one kind, or from one place, does not hide the provider whose secret is
/// wrong. Who floods with several reasons from several networks does.
const FOR_ANY: u32 = 4;
/// How long counts wait to be sent. The platform ends what goes on for 30 s after an answer.
pub const FLUSH_MS: i64 = 25_000;
/// After this long whoever was to flush is not coming any more.
const FLUSH_LOST_MS: i64 = 2 * FLUSH_MS;
/// So many fit into a message several times over.
const COUNTS_A_MESSAGE: usize = 100;
/// One may be 1.7 kB long: keys with long names, and a skew in every place.
const HEALTHS_A_MESSAGE: usize = 20;
const MINUTE_MS: i64 = 60_000;

/// Ends of one kind, of one source, in one minute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    pub tenant: String,
    /// Empty: the path named none.
    pub source: String,
    pub verdict: &'static str,
    /// Empty: this verdict has none.
    pub reason: &'static str,
    /// Minutes since 1970.
    pub minute: i64,
    pub number: u64,
    pub first_ms: i64,
    pub last_ms: i64,
}

/// An isolate's counts.
#[derive(Debug, Default)]
pub struct Tally {
    counts: Vec<Count>,
    health: Vec<Health>,
    /// What was sent one by one, of each source in its last minute. Sources are those of the configuration, so there are
    /// only so many.
    sent: Vec<Sent>,
    /// Until when somebody is taken to be there who will flush.
    flush_until_ms: i64,
}

/// Refusals of a source that were sent one by one in a minute.
#[derive(Debug)]
struct Sent {
    source: String,
    minute: i64,
    /// Of each its reason, and its network operator's number; the reserved places are behind the others.
    kinds: Vec<(&'static str, u32)>,
    has_new_reason: bool,
    has_new_network: bool,
}

impl Sent {
    fn takes(&mut self, reason: &'static str, asn: u32) -> bool {
        let is_new_reason = self.kinds.iter().all(|(known, _)| *known != reason);
        let is_new_network = self.kinds.iter().all(|(_, known)| *known != asn);
        let has_place = if self.kinds.len() < FOR_ANY as usize {
            true
        } else if is_new_reason && !self.has_new_reason {
            self.has_new_reason = true;
            true
        } else if is_new_network && !self.has_new_network {
            self.has_new_network = true;
            true
        } else {
            false
        };
        if has_place {
            self.kinds.push((reason, asn));
        }
        has_place
    }
}

impl Tally {
    /// A request ended; `asn` is the number of the network operator that it came from, 0 where it is not known. True: it is a
    /// refusal to be sent by itself, and not counted.
    pub fn ended(
        &mut self,
        verdict: Verdict,
        tenant: &str,
        source: &str,
        asn: u32,
        now_ms: i64,
    ) -> bool {
        let is_refusal = matches!(verdict, Verdict::Refused(_) | Verdict::Unavailable(_));
        let reason = verdict.reason().unwrap_or_default();
        if is_refusal && self.may_send(source, reason, asn, now_ms) {
            return true;
        }
        self.count(verdict, tenant, source, now_ms);
        false
    }

    fn may_send(&mut self, source: &str, reason: &'static str, asn: u32, now_ms: i64) -> bool {
        let minute = now_ms.div_euclid(MINUTE_MS);
        let fresh = |source| Sent {
            source,
            minute,
            kinds: Vec::new(),
            has_new_reason: false,
            has_new_network: false,
        };
        let known = self.sent.iter().position(|sent| sent.source == source);
        let at = known.unwrap_or(self.sent.len());
        if known.is_none() {
            self.sent.push(fresh(source.to_owned()));
        }
        let Some(sent) = self.sent.get_mut(at) else {
            return false;
        };
        if sent.minute != minute {
            *sent = fresh(std::mem::take(&mut sent.source));
        }
        sent.takes(reason, asn)
    }

    /// One more of this kind.
    pub fn count(&mut self, verdict: Verdict, tenant: &str, source: &str, now_ms: i64) {
        let minute = now_ms.div_euclid(MINUTE_MS);
        let (verdict, reason) = (verdict.name(), verdict.reason().unwrap_or_default());
        let known = self.counts.iter_mut().rev().find(|count| {
            count.minute == minute
                && count.source == source
                && count.verdict == verdict
                && count.reason == reason
        });
        match known {
            Some(count) => {
                count.number += 1;
                count.last_ms = now_ms;
            }
            None => self.counts.push(Count {
                tenant: tenant.to_owned(),
                source: source.to_owned(),
                verdict,
                reason,
                minute,
                number: 1,
                first_ms: now_ms,
                last_ms: now_ms,
            }),
        }
    }

    /// What a request that was not refused showed of its source. It is counted as well, so somebody flushes.
    pub fn shown(&mut self, tenant: &str, source: &str, shown: Shown<'_>, now_ms: i64) {
        note(&mut self.health, tenant, source, shown, now_ms);
    }

    /// True: something is counted, and nobody is there who will flush it. The caller is, from now on.
    pub fn needs_flush(&mut self, now_ms: i64) -> bool {
        let needed = !self.counts.is_empty() && now_ms >= self.flush_until_ms;
        if needed {
            self.flush_until_ms = now_ms + FLUSH_LOST_MS;
        }
        needed
    }

    /// The messages with everything that is counted, which begins anew. `id` is fresh for each: what comes twice is
    /// recognised by it.
    pub fn flush(&mut self, mut id: impl FnMut() -> String) -> Vec<String> {
        self.flush_until_ms = 0;
        let counts = std::mem::take(&mut self.counts);
        let health = std::mem::take(&mut self.health);
        let mut counts = counts.chunks(COUNTS_A_MESSAGE);
        let mut health = health.chunks(HEALTHS_A_MESSAGE);
        let mut messages = Vec::new();
        loop {
            let (counts, health) = (counts.next(), health.next());
            if counts.is_none() && health.is_none() {
                return messages;
            }
            messages.push(line(&CountsMessage {
                auditversion: AUDIT_VERSION,
                id: &id(),
                counts: counts.unwrap_or_default(),
                health: health.unwrap_or_default(),
            }));
        }
    }
}

#[derive(Serialize)]
struct CountsMessage<'a> {
    auditversion: u32,
    id: &'a str,
    counts: &'a [Count],
    #[serde(skip_serializing_if = "<[Health]>::is_empty")]
    health: &'a [Health],
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Reject, Trouble};

    const NOW: i64 = 1_800_000_000_000;
    const FORGED: Verdict = Verdict::Refused(Reject::SignatureMismatch);

    fn numbers(tally: &Tally) -> Vec<(&str, &str, &str, u64)> {
        let of = |count: &Count| (count.verdict, count.reason, count.number);
        let counts = tally.counts.iter();
        counts
            .map(|count| (count.source.as_str(), of(count)))
            .map(|(source, (verdict, reason, number))| (source, verdict, reason, number))
            .collect()
    }

    #[test]
    fn four_refusals_of_a_kind_are_sent_and_the_rest_is_counted() {
        let mut tally = Tally::default();
        let sent = (0..18_208)
            .filter(|step| tally.ended(FORGED, "demo", "shop", 64_500, NOW + step % 60_000))
            .count();
        assert_eq!(sent, 4);
        assert_eq!(
            numbers(&tally),
            [("shop", "refused", "signature_mismatch", 18_204)]
        );
        let [count] = tally.counts.as_slice() else {
            panic!("{:?}", tally.counts);
        };
        assert_eq!((count.first_ms, count.last_ms), (NOW + 4, NOW + 18_207));
        assert_eq!(count.minute, NOW / 60_000);
        assert!(
            tally.ended(FORGED, "demo", "other", 64_500, NOW),
            "each source has its own"
        );
        let trouble = Verdict::Unavailable(Trouble::SecretMissing);
        assert!(
            tally.ended(trouble, "demo", "shop", 64_500, NOW + 60_000),
            "and each minute"
        );
    }

    /// Two places are left for what is not like the flood: another reason from the same network, and the same reason
    /// from another. Whatever comes, six is all.
    #[test]
    fn a_flood_of_one_kind_hides_no_other() {
        const STALE: Verdict = Verdict::Refused(Reject::Stale { age_ms: 1 });
        const MISSING: Verdict = Verdict::Refused(Reject::MissingSignature);
        let mut tally = Tally::default();
        let mut sent = |verdict, asn| tally.ended(verdict, "demo", "shop", asn, NOW);
        for _ in 0..1_000 {
            sent(FORGED, 64_500);
        }
        assert!(sent(STALE, 64_500), "another reason");
        assert!(!sent(MISSING, 64_500), "one place is all there is for them");
        assert!(sent(FORGED, 16_509), "the provider");
        assert!(!sent(FORGED, 64_501));

        // Who tries all reasons from one network leaves the other place as well.
        let mut tally = Tally::default();
        let mut sent = |verdict, asn| tally.ended(verdict, "demo", "shop", asn, NOW);
        let flood = [FORGED, STALE, MISSING].repeat(100);
        let taken = flood.iter().filter(|verdict| sent(**verdict, 64_500));
        assert_eq!(taken.count(), 4);
        assert!(sent(FORGED, 16_509));

        let mut tally = Tally::default();
        let all = (0..1_000_u32).filter(|asn| {
            let verdict = flood[*asn as usize % flood.len()];
            tally.ended(verdict, "demo", "shop", *asn, NOW)
        });
        assert!(all.count() <= REFUSALS_A_MINUTE as usize);
    }

    #[test]
    fn every_end_is_either_sent_or_counted_once() {
        let mut tally = Tally::default();
        let verdicts = [
            Verdict::Accepted,
            Verdict::Duplicate,
            FORGED,
            Verdict::Challenged,
        ];
        let mut sent = 0;
        for step in 0..10_000_i64 {
            let verdict = verdicts[usize::try_from(step % 4).unwrap()];
            let source = ["one", "two", "three"][usize::try_from(step % 3).unwrap()];
            sent += u64::from(tally.ended(verdict, "demo", source, 64_500, NOW + step * 50));
        }
        let counted: u64 = tally.counts.iter().map(|count| count.number).sum();
        assert_eq!(sent + counted, 10_000);
        // 500 s are nine minutes at most, of each of twelve kinds.
        assert!(tally.counts.len() <= 108, "{}", tally.counts.len());
    }

    #[test]
    fn somebody_holds_the_flush_and_only_one() {
        let mut tally = Tally::default();
        assert!(!tally.needs_flush(NOW), "nothing is counted");
        tally.count(Verdict::Accepted, "demo", "shop", NOW);
        assert!(tally.needs_flush(NOW));
        assert!(!tally.needs_flush(NOW + FLUSH_MS));
        assert!(
            tally.needs_flush(NOW + FLUSH_LOST_MS),
            "the one before never came"
        );
        assert_eq!(tally.flush(|| "c".to_owned()).len(), 1);
        assert_eq!(tally.flush(|| "c".to_owned()), Vec::<String>::new());
        assert!(!tally.needs_flush(NOW + FLUSH_LOST_MS));
        tally.count(Verdict::Accepted, "demo", "shop", NOW);
        assert!(
            tally.needs_flush(NOW),
            "who comes after a flush holds the next"
        );
    }

    #[test]
    fn many_kinds_are_several_messages() {
        let mut tally = Tally::default();
        for number in 0..250 {
            tally.count(Verdict::Accepted, "demo", &format!("source-{number}"), NOW);
        }
        let mut id = 0;
        let messages = tally.flush(|| {
            id += 1;
            format!("cnt_{id}")
        });
        assert_eq!(messages.len(), 3);
        assert!(
            messages
                .iter()
                .all(|text| text.len() < crate::event::MESSAGE_BYTES_MAX / 4)
        );
    }

    #[test]
    fn the_longest_health_fits_beside_the_counts() {
        let mut tally = Tally::default();
        let name = |kind: &str, number: i64| format!("{kind}{number:0>60}");
        for source in 0..130 {
            let source = name("source-", source);
            tally.count(Verdict::Accepted, &name("t-", 1), &source, NOW);
            for step in 0..400_i64 {
                let key = format!("{:0>128}", step % 8);
                let shown = Shown {
                    key_id: Some(&key),
                    skew_ms: Some((step - 100) * (step - 100).abs() * 1_000),
                };
                tally.shown(&name("t-", 1), &source, shown, NOW);
            }
        }
        let mut id = 0;
        let messages = tally.flush(|| {
            id += 1;
            format!("cnt_{id}")
        });
        assert_eq!(messages.len(), 7, "130 sources, twenty a message");
        let health: usize = messages
            .iter()
            .map(|text| text.matches("\"keys\"").count())
            .sum();
        assert_eq!(health, 130);
        let longest = messages.iter().map(String::len).max().unwrap_or_default();
        assert!(longest < crate::event::MESSAGE_BYTES_MAX / 2, "{longest}");
    }
}
