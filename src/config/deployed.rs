//! What a change of the configuration would do to events that are under way.

use super::Config;

/// Compares with the configuration that is deployed. Each sentence is a memory of events that would be
/// lost, or shards that would be asked for rows they do not have.
pub fn gaps(deployed: &Config, next: &Config) -> Vec<String> {
    let mut gaps = Vec::new();
    for (name, before) in &deployed.sources {
        let Some(after) = next.sources.get(name) else {
            gaps.push(format!(
                "[sources.{name}] is deployed and not in this file: its events on the queue would end among the dead letters; if it was renamed, the new name begins with an empty memory"
            ));
            continue;
        };
        if before.tenant != after.tenant || before.shared_secret != after.shared_secret {
            gaps.push(format!(
                "[sources.{name}]: tenant and shared_secret are part of every key: changed, the source begins with an empty memory"
            ));
        }
        let (old, new) = (&before.ledger_shards, &after.ledger_shards);
        // An epoch may be retired, and no other number may change.
        let kept = |(old, new): (&u32, &u32)| old == new || *new == 0;
        if new.len() < old.len() || !old.iter().zip(new).all(kept) {
            gaps.push(format!(
                "[sources.{name}]: ledger_shards was {old:?} and would be {new:?}: add to the end of the list, and write 0 only for an epoch that the log calls ledger_empty"
            ));
        }
    }
    gaps
}
