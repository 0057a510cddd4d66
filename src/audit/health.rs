//! How a source is: which of its keys matched last, and how far its sender's clock is from ours.
//!
//! Each isolate notes it beside its counts, and sends it with them ([`Tally`](super::Tally)). It costs an accepted
//! event two searches in lists of a few entries, and no allocation for a source and a key that were seen in that minute.

use serde::ser::{Serialize, SerializeMap as _, Serializer};

/// Upper ends of the histogram's places, in seconds of what [`Skew::add`] is given; behind the last one is one place
/// more. Every tolerance of the shipped schemes up to a day is an end, and so are four fifths of the common ones, where an
/// alert looks. Stored histograms name places by their number: a change here is another column.
pub const SKEW_ENDS_SECONDS: [i64; 41] = [
    -3_600, -900, -720, -300, -240, -180, -144, -60, -48, -30, -24, -10, -5, -4, -2, -1, 0, 1, 2,
    4, 5, 10, 24, 30, 48, 60, 90, 144, 180, 240, 300, 480, 600, 720, 900, 1_800, 3_600, 11_100,
    29_400, 69_360, 86_700,
];
const PLACES: usize = SKEW_ENDS_SECONDS.len() + 1;
/// Of one source, minute and isolate. A source has one or two; a provider that fetches its keys has a few at a time.
const KEYS_MAX: usize = 8;
/// A key's id is a name of ours, or one that a provider gave; longer ones are not noted.
const KEY_ID_BYTES_MAX: usize = 128;

/// How many events had which skew: when they were received less the time that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skew([u32; PLACES]);

impl Default for Skew {
    fn default() -> Self {
        Skew([0; PLACES])
    }
}

impl Skew {
    /// `skew_ms` is positive if the event came after its signed time.
    pub fn add(&mut self, skew_ms: i64) {
        if let Some(number) = self.0.get_mut(place(skew_ms)) {
            *number = number.saturating_add(1);
        }
    }

    /// Adds what a stored histogram has in one place. A place that is not there is another version's.
    pub fn add_stored(&mut self, place: usize, number: u32) {
        if let Some(known) = self.0.get_mut(place) {
            *known = known.saturating_add(number);
        }
    }

    pub fn events(&self) -> u64 {
        self.0.iter().map(|number| u64::from(*number)).sum()
    }

    /// What so many of a thousand events do not exceed, in milliseconds: between the ends of its place in proportion.
    /// Below the first and above the last end, that end. `None`: there is no event.
    pub fn quantile_ms(&self, of_thousand: u64) -> Option<i64> {
        let events = self.events();
        let rank = (events * of_thousand)
            .div_ceil(1_000)
            .clamp(1, events.max(1));
        let mut before = 0;
        for (place, number) in self.0.iter().enumerate() {
            let number = u64::from(*number);
            if before + number >= rank && number > 0 {
                let end_ms = |place: usize| SKEW_ENDS_SECONDS.get(place).map(|end| end * 1_000);
                let from = place.checked_sub(1).and_then(end_ms);
                let to = end_ms(place);
                let (from, to) = (from.or(to)?, to.or(from)?);
                let part = i64::try_from((rank - before) * 1_000 / number).unwrap_or(1_000);
                return Some(from + (to - from) * part / 1_000);
            }
            before += number;
        }
        None
    }
}

fn place(skew_ms: i64) -> usize {
    SKEW_ENDS_SECONDS.partition_point(|end| end * 1_000 < skew_ms)
}

/// The places that have something, as `{"17":2}`.
impl Serialize for Skew {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (place, number) in self.0.iter().enumerate().filter(|(_, number)| **number > 0) {
            map.serialize_entry(&place, number)?;
        }
        map.end()
    }
}

/// When each key matched last, in milliseconds since 1970: `{"SHOP_SECRET":1800000000000}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct KeyUses(Vec<(String, i64)>);

impl Serialize for KeyUses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, last_ms)| (key, last_ms)))
    }
}

/// What was noted of one source in one minute.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Health {
    tenant: String,
    source: String,
    /// Minutes since 1970.
    minute: i64,
    keys: KeyUses,
    skew: Skew,
}

/// What a request showed of its source's health.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown<'a> {
    /// The key that matched.
    pub key_id: Option<&'a str>,
    /// When it was received less the time that was signed. Of an event that is seen for the first time: a copy's says
    /// how long ago it was sent first, which is no clock's fault.
    pub skew_ms: Option<i64>,
}

/// Notes what one request showed.
pub(super) fn note(
    known: &mut Vec<Health>,
    tenant: &str,
    source: &str,
    shown: Shown<'_>,
    now_ms: i64,
) {
    let Some(key_id) = shown.key_id.filter(|id| id.len() <= KEY_ID_BYTES_MAX) else {
        return;
    };
    let minute = now_ms.div_euclid(60_000);
    let mut latest = known
        .iter()
        .rposition(|health| health.minute == minute && health.source == source);
    if latest.is_none() {
        known.push(Health {
            tenant: tenant.to_owned(),
            source: source.to_owned(),
            minute,
            keys: KeyUses::default(),
            skew: Skew::default(),
        });
        latest = known.len().checked_sub(1);
    }
    let Some(health) = latest.and_then(|at| known.get_mut(at)) else {
        return;
    };
    let keys = &mut health.keys.0;
    if let Some((_, last_ms)) = keys.iter_mut().find(|(id, _)| id == key_id) {
        *last_ms = now_ms;
    } else if keys.len() < KEYS_MAX {
        keys.push((key_id.to_owned(), now_ms));
    }
    if let Some(skew_ms) = shown.skew_ms {
        health.skew.add(skew_ms);
    }
}

/// What is done with a batch of the audit queue besides [`KEEP`](super::store::KEEP), in the same transaction. `?1` is
/// the list of messages. A message that comes twice changes nothing.
pub const KEEP_HEALTH: [&str; 2] = [KEEP_KEY_USES, KEEP_SKEWS];

/// To the minute: a key that is in use would otherwise be written for each message.
const KEEP_KEY_USES: &str = "\
INSERT INTO key_uses (tenant, source, key_id, last_ms)
SELECT item.value ->> 'tenant', item.value ->> 'source', key_use.key, max(key_use.value)
FROM json_each(?1) AS message, json_each(message.value, '$.health') AS item, json_each(item.value, '$.keys') AS key_use
WHERE true GROUP BY 1, 2, 3
ON CONFLICT DO UPDATE SET last_ms = excluded.last_ms WHERE excluded.last_ms >= last_ms + 60000";

/// One row for a source and minute, from however many isolates: what a batch has of it is added up, and then added to the
/// row. A message that was added before is known as one of counts is ([`super::store`]).
const KEEP_SKEWS: &str = "\
INSERT INTO skews (tenant, minute, source, message, histogram)
SELECT tenant, minute, source, '', json_group_object(place, number) FROM (
  SELECT item.value ->> 'tenant' AS tenant, item.value ->> 'minute' AS minute, item.value ->> 'source' AS source,
    place.key AS place, sum(place.value) AS number
  FROM json_each(?1) AS message, json_each(message.value, '$.health') AS item, json_each(item.value, '$.skew') AS place
  WHERE NOT EXISTS (SELECT 1 FROM counted
    WHERE day = coalesce(message.value ->> '$.counts[0].minute', message.value ->> '$.health[0].minute') / 1440
      AND id = message.value ->> 'id')
  GROUP BY 1, 2, 3, 4)
WHERE true GROUP BY 1, 2, 3
ON CONFLICT DO UPDATE SET histogram = (SELECT json_group_object(place, number) FROM (
  SELECT key AS place, sum(value) AS number FROM (
    SELECT key, value FROM json_each(iif(json_valid(skews.histogram), skews.histogram, '{}'))
    UNION ALL SELECT key, value FROM json_each(excluded.histogram))
  GROUP BY key))";

/// Minutes that skews are kept. Nobody looks further back than a day.
pub const SKEW_MINUTES: i64 = 2 * 1_440;
/// Of a tenant (`?1`) what is from before a minute (`?2`), at most so many rows (`?3`).
pub const REMOVE_SKEWS: &str = "\
DELETE FROM skews WHERE (tenant, minute, source, message) IN (
  SELECT tenant, minute, source, message FROM skews WHERE tenant = ?1 AND minute < ?2 LIMIT ?3)";
/// The same: one row for each key, so there is no need of a limit.
pub const REMOVE_KEY_USES: &str = "DELETE FROM key_uses WHERE tenant = ?1 AND last_ms < ?2 * 60000";

#[cfg(test)]
mod tests {
    use super::*;

    fn of(skews_ms: impl IntoIterator<Item = i64>) -> Skew {
        let mut skew = Skew::default();
        skews_ms.into_iter().for_each(|skew_ms| skew.add(skew_ms));
        skew
    }

    #[test]
    fn every_skew_has_one_place_and_its_end_belongs_to_it() {
        assert!(SKEW_ENDS_SECONDS.is_sorted());
        assert_eq!(place(i64::MIN), 0);
        assert_eq!(place(i64::MAX), PLACES - 1);
        for (index, end) in SKEW_ENDS_SECONDS.iter().enumerate() {
            assert_eq!(place(end * 1_000), index);
            assert_eq!(place(end * 1_000 + 1), index + 1);
        }
    }

    /// A quantile lies in the place of the true one, and is as exact as that place is narrow.
    #[test]
    fn quantiles_are_as_exact_as_their_place() {
        assert_eq!(Skew::default().quantile_ms(500), None);
        for (shape, skews) in [
            ("level", (0..10_000).map(|n| n * 30).collect::<Vec<i64>>()),
            ("ahead", (0..10_000).map(|n| -n * 6).collect()),
            (
                "a tail",
                (0..10_000)
                    .map(|n| if n < 9_800 { n % 1_000 } else { 250_000 + n })
                    .collect(),
            ),
            ("one", vec![700]),
        ] {
            let mut sorted = skews.clone();
            sorted.sort_unstable();
            let skew = of(skews);
            assert_eq!(skew.events(), sorted.len() as u64);
            for of_thousand in [10, 500, 990, 1_000] {
                let rank = (sorted.len() * of_thousand).div_ceil(1_000).max(1);
                let exact = sorted[rank - 1];
                let found = skew.quantile_ms(of_thousand as u64).unwrap();
                let (from, to) = (place(exact), SKEW_ENDS_SECONDS[place(exact)] * 1_000);
                let from = SKEW_ENDS_SECONDS[from - 1] * 1_000;
                assert!(
                    (from..=to).contains(&found),
                    "{shape} {of_thousand}: {found} for {exact}"
                );
            }
        }
        // In a place that is filled evenly it is the true one, but for the distance between two.
        let evenly = of((0..300).map(|n| n * 1_000 + 1));
        assert_eq!(evenly.quantile_ms(500), Some(149_976));
        assert_eq!(of([i64::MIN]).quantile_ms(500), Some(-3_600_000));
        assert_eq!(of([i64::MAX]).quantile_ms(500), Some(86_700_000));
    }

    #[test]
    fn what_is_stored_comes_back() {
        let skew = of([-2_500, 300, 301, 299_000]);
        let text = serde_json::to_string(&skew).unwrap();
        assert_eq!(text, r#"{"14":1,"17":2,"30":1}"#);
        let mut again = Skew::default();
        for (place, number) in [(14, 1), (17, 2), (30, 1), (PLACES, 7)] {
            again.add_stored(place, number);
        }
        assert_eq!(again, skew);
    }

    #[test]
    fn one_entry_a_source_and_minute_with_few_keys() {
        let mut known = Vec::new();
        fn shown(key_id: &str, skew_ms: Option<i64>) -> Shown<'_> {
            Shown {
                key_id: Some(key_id),
                skew_ms,
            }
        }
        note(&mut known, "demo", "shop", shown("OLD", Some(5)), 1_000);
        note(&mut known, "demo", "shop", shown("NEW", None), 2_000);
        note(&mut known, "demo", "shop", shown("OLD", Some(-5)), 3_000);
        note(&mut known, "demo", "other", shown("K", Some(5)), 4_000);
        note(&mut known, "demo", "shop", Shown::default(), 5_000);
        note(
            &mut known,
            "demo",
            "shop",
            shown(&"x".repeat(129), None),
            5_000,
        );
        assert_eq!(known.len(), 2);
        assert_eq!(
            known[0].keys.0,
            [("OLD".to_owned(), 3_000), ("NEW".to_owned(), 2_000)]
        );
        assert_eq!(known[0].skew.events(), 2);
        for number in 0..20 {
            note(
                &mut known,
                "demo",
                "shop",
                shown(&format!("kid-{number}"), None),
                60_000,
            );
        }
        assert_eq!((known.len(), known[2].keys.0.len()), (3, KEYS_MAX));
    }
}
