//! What is asked of a scheme that a user writes, beyond what every scheme must be: the built-in ones follow
//! what their providers do, but one that is still being written can be better.

use super::{Algorithm, IdentityRule, Label, Place, Scheme};

/// A signed time that may be older than that stops hardly anybody.
const TOLERANCE_SECONDS_DOUBTED: u32 = 7 * 86_400;

impl Scheme {
    /// What is wrong with it, in sentences. The scheme is refused.
    pub fn own_faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.algorithm == Algorithm::Sha256 {
            faults.push("`algorithm` = \"sha256\" hashes the secret together with the text, and whoever has seen one such hash can make others: use \"hmac-sha256\"".into());
        }
        if let Some(time) = self
            .time
            .as_ref()
            .filter(|time| time.tolerance_seconds == 0)
        {
            faults.push(format!(
                "`time.tolerance_seconds` = 0 would refuse every delivery, because \"{}\" is always in the past: 300 is usual",
                time.at
            ));
        }
        self.never_used(&mut faults);
        faults
    }

    /// What its author should think about, in sentences. The scheme is taken.
    pub fn own_doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.algorithm == Algorithm::HmacSha1 {
            doubts.push("HMAC-SHA1 is not broken, but nobody should choose it now: use \"hmac-sha256\" if the sender can".into());
        }
        let is_ping = |rule: &IdentityRule| matches!(rule, IdentityRule::Ping(_));
        match &self.time {
            None if self.proves_the_sender_only() => {}
            None if self.identity.iter().any(is_ping) => doubts.push("no time is signed, and a ping is remembered for seconds only: whoever has captured one request can send it for ever".into()),
            None => doubts.push("no time is signed: a captured request is a new event as soon as dedup_retention_seconds are over; if the sender can, have it sign a time".into()),
            Some(time) if time.tolerance_seconds > TOLERANCE_SECONDS_DOUBTED => doubts.push(format!(
                "`time.tolerance_seconds` = {} is more than a week: so long only the memory of events stops a captured request",
                time.tolerance_seconds
            )),
            Some(_) => {}
        }
        doubts
    }

    /// Words that stand behind others which always come first.
    fn never_used(&self, faults: &mut Vec<String>) {
        let places: Vec<Vec<&Place>> = self.identity.iter().map(places_of).collect();
        let id = self.id.as_ref();
        for (later, named) in places.iter().enumerate() {
            let always = |earlier: &Vec<&Place>| {
                let has = |place: &&Place| named.contains(place) || Some(*place) == id;
                !earlier.is_empty() && earlier.iter().all(|place| has(&place))
            };
            if let Some(earlier) = places[..later].iter().position(always) {
                faults.push(format!(
                    "`identity`: rule {} is never used: rule {} comes first, and its values are there whenever those are",
                    later + 1,
                    earlier + 1
                ));
            }
        }
        for (name, labels) in [
            ("event_id", &self.event_id),
            ("event_type", &self.event_type),
        ] {
            for (later, label) in labels.iter().enumerate() {
                let named: Vec<&Place> = label.places().collect();
                let covers = |earlier: &Label| earlier.places().all(|place| named.contains(&place));
                if labels[..later].iter().any(covers) {
                    faults.push(format!(
                        "`{name}`: \"{}\" is never used: what stands before it is there whenever it is",
                        String::from(label.clone())
                    ));
                }
            }
        }
        for (later, prefix) in self.key.strip.iter().enumerate() {
            let hides = |earlier: &&String| prefix.starts_with(earlier.as_str());
            if let Some(earlier) = self.key.strip[..later].iter().find(hides) {
                faults.push(format!(
                    "`key.strip`: \"{prefix}\" is never removed, because \"{earlier}\" stands before it: put the longer one first"
                ));
            }
        }
        self.never_in_the_signature(faults);
        let is_carried = |name: &String| {
            self.carry
                .iter()
                .any(|pattern| match pattern.strip_suffix('*') {
                    Some(start) => name.starts_with(start),
                    None => pattern == name,
                })
        };
        for name in self.credentials.iter().filter(|name| !is_carried(name)) {
            faults.push(format!(
                "`credentials`: \"{name}\" is never carried, so there is nothing to replace: leave it out, or add it to `carry`"
            ));
        }
    }

    fn never_in_the_signature(&self, faults: &mut Vec<String>) {
        let form = &self.signature;
        let (Some(split), Some(pair)) = (&form.split, &form.pair) else {
            return;
        };
        for (index, name) in form.take.iter().enumerate() {
            if name.contains(split.as_str()) || name.contains(pair.as_str()) {
                faults.push(format!(
                    "`signature.take`: \"{name}\" is never found: the list is cut at \"{split}\" and \"{pair}\" first"
                ));
            }
            if form.take[..index].contains(name) {
                faults.push(format!("`signature.take` names \"{name}\" twice"));
            }
        }
        if let Some(strip) = form
            .strip
            .as_ref()
            .filter(|strip| strip.contains(split.as_str()))
        {
            faults.push(format!(
                "`signature.strip`: \"{strip}\" is never there: the list is cut at \"{split}\" first, and every signature would be malformed"
            ));
        }
    }
}

/// The values that a rule needs. None: it is used by a rule of its own.
fn places_of(rule: &IdentityRule) -> Vec<&Place> {
    match rule {
        IdentityRule::SignedId(place) => vec![place],
        IdentityRule::Fields(places) => places.iter().collect(),
        IdentityRule::Bearer(rule) if rule.unless.is_none() => rule.fields.iter().collect(),
        IdentityRule::Bearer(_) | IdentityRule::Digest(_) | IdentityRule::Ping(_) => Vec::new(),
    }
}
