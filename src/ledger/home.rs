//! Where an event's row lives: one Durable Object, found by the event's key alone.
//!
//! A source has one object until it needs more. `ledger_shards = [1, 4]` reads: the first epoch had
//! one, the second has four. The list is only ever added to:
//!
//! - A new row is made in the newest epoch, and only after every older one said that it has none.
//! - An older object that is asked by somebody who knows of a newer epoch *closes*: it goes on
//!   looking after the rows it has and opens none. It says [`Reply::Elsewhere`] instead, also to a
//!   Worker of the version before, which takes that for a failure: it detours at the gate, and waits
//!   at the consumer. So while two versions are live during a deploy, one key still has one row.
//! - An epoch whose rows have all expired is retired by writing 0 in its place.
//!
//! [`Reply::Elsewhere`]: super::Reply::Elsewhere

use crate::config::Source;

/// One of the objects to ask about an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The object's name. Its first number is the version of this rule.
    pub name: String,
    /// The one that opens rows. All others are asked before it.
    pub is_newest: bool,
}

/// The objects to ask about the event of this key, in this order, until one does not say
/// [`Reply::Elsewhere`](super::Reply::Elsewhere).
pub fn homes<'a>(source: &'a Source, name: &'a str, key: &str) -> impl Iterator<Item = Home> + 'a {
    let number = number_of(key);
    let newest = source.ledger_shards.len();
    epochs(source).map(move |(epoch, shards)| Home {
        name: object(source, name, epoch, number % shards),
        is_newest: epoch == newest,
    })
}

/// The names of all objects of a source.
pub fn every_home<'a>(source: &'a Source, name: &'a str) -> impl Iterator<Item = String> + 'a {
    epochs(source).flat_map(move |(epoch, shards)| {
        (0..shards).map(move |shard| object(source, name, epoch, shard))
    })
}

/// The name of the object that gives out the turns of a tenant's deliveries. It has no rows.
pub fn tenant_home(tenant: &str) -> String {
    format!("2/{tenant}/turns")
}

/// The epochs that are not retired, counted from 1, with their shards.
fn epochs(source: &Source) -> impl Iterator<Item = (usize, u32)> {
    let shards = source.ledger_shards.iter().copied();
    (1..).zip(shards).filter(|(_, shards)| *shards > 0)
}

fn object(source: &Source, name: &str, epoch: usize, shard: u32) -> String {
    let tenant = &source.tenant;
    match &source.shared_secret {
        Some(group) => format!("2/{tenant}/group/{group}/{epoch}/{shard}"),
        None => format!("2/{tenant}/source/{name}/{epoch}/{shard}"),
    }
}

/// Keys are digests in hex, so any part of one is evenly spread. The rows of one object are sorted
/// by their whole key; taking its end leaves them spread as well.
fn number_of(key: &str) -> u32 {
    let end = key.len().saturating_sub(8);
    let end = key.get(end..).unwrap_or_default();
    u32::from_str_radix(end, 16).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(shards: &[u32]) -> Source {
        let shards = shards.to_vec();
        let text = serde_json::json!({
            "tenant": "acme", "scheme": "x", "secrets": [], "destination": "d",
            "dedup_retention_seconds": 60, "ledger_shards": shards,
        });
        serde_json::from_value(text).unwrap()
    }

    fn names(shards: &[u32], key: &str) -> Vec<String> {
        let source = source(shards);
        homes(&source, "shop", key).map(|home| home.name).collect()
    }

    /// Stored: a name that changes is an empty ledger.
    #[test]
    fn names_are_pinned() {
        let key = "00000000000000000000000000000000000000000000000000000000000000ff";
        assert_eq!(names(&[1], key), ["2/acme/source/shop/1/0"]);
        assert_eq!(
            names(&[1, 4, 16], key),
            [
                "2/acme/source/shop/1/0",
                "2/acme/source/shop/2/3",
                "2/acme/source/shop/3/15"
            ]
        );
        let grouped = Source {
            shared_secret: Some("g".into()),
            ..source(&[1])
        };
        assert_eq!(
            homes(&grouped, "shop", key).next().unwrap().name,
            "2/acme/group/g/1/0"
        );
    }

    #[test]
    fn a_retired_epoch_is_not_asked_and_the_last_one_opens() {
        let source = source(&[0, 2, 4]);
        let homes: Vec<Home> = homes(&source, "shop", "ab").collect();
        assert_eq!(homes.len(), 2);
        assert_eq!(
            homes.iter().map(|home| home.is_newest).collect::<Vec<_>>(),
            [false, true]
        );
        assert_eq!(every_home(&source, "shop").count(), 6);
    }

    #[test]
    fn every_home_of_a_key_is_among_every_home_and_none_is_idle() {
        let source = source(&[1, 3]);
        let all: Vec<String> = every_home(&source, "shop").collect();
        let mut used = std::collections::BTreeSet::new();
        for number in 0_u32..64 {
            let key = format!("{number:064x}");
            for home in homes(&source, "shop", &key) {
                assert!(all.contains(&home.name));
                used.insert(home.name);
            }
        }
        assert_eq!(used.len(), all.len());
    }
}
