//! Adding shards to a ledger opens no gap: every order of the steps of Workers of two versions, one
//! that knows of the first epoch alone and one that knows of both, about one event that comes twice.
//!
//! Gates and consumers ask as `edge/ledger.rs` does: home after home, one step each. Whoever cannot
//! use the answer detours at the gate and waits at the consumer. The invariant is what the backend
//! saw: the event once, whichever version took it in and whichever delivered it.

#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::{BTreeMap, HashSet};

use hookgate::config::Source;
use hookgate::ledger::{Ask, Reply, Request, Row, answer, homes};

const KEY: &str = "00000000000000000000000000000000000000000000000000000000000000ff";
const NOW: i64 = 1_000;
const EXPIRES: i64 = 1_000_000;

/// What could be wrong.
#[derive(Clone, Copy, PartialEq)]
enum Bug {
    /// A former epoch is asked, and goes on opening rows afterwards.
    NotClosed,
    /// A former epoch is not asked.
    NewestAlone,
    /// A former epoch's silence is taken for "no row here".
    SilenceIsElsewhere,
}

/// One object: its row of the event, and whether it is closed.
type Object = (Option<Row>, bool);

#[derive(Clone, PartialEq, Eq, Hash)]
struct World {
    objects: BTreeMap<String, Object>,
    actors: Vec<Actor>,
    /// Copies on the queue.
    queued: u8,
    delivered: u8,
    /// Calls that may still be lost on their way.
    faults: u8,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Actor {
    shards: Vec<u32>,
    owner: u64,
    at: At,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum At {
    Gate(usize),
    /// Waits for a message.
    Consumer,
    Claiming(usize),
    Delivering,
    Reporting(usize),
    Over,
}

fn source(shards: &[u32]) -> Source {
    serde_json::from_value(serde_json::json!({
        "tenant": "acme", "scheme": "x", "secrets": [], "destination": "d",
        "dedup_retention_seconds": 60, "ledger_shards": shards,
    }))
    .unwrap()
}

enum Answer {
    Said(Reply),
    Next,
    Silence,
}

impl World {
    /// One call to the `index`th home of an actor's list.
    fn ask(
        &mut self,
        actor: usize,
        index: usize,
        ask: Ask,
        bug: Option<Bug>,
        lost: bool,
    ) -> Answer {
        let source = source(&self.actors[actor].shards);
        let mut homes: Vec<_> = homes(&source, "shop", KEY).collect();
        if bug == Some(Bug::NewestAlone) {
            homes.retain(|home| home.is_newest);
        }
        let Some(home) = homes.get(index) else {
            return Answer::Silence;
        };
        if lost {
            return match bug {
                Some(Bug::SilenceIsElsewhere) => Answer::Next,
                _ => Answer::Silence,
            };
        }
        let (row, closed) = self.objects.entry(home.name.clone()).or_default();
        let request = Request {
            key: KEY.into(),
            expires_ms: EXPIRES,
            newer: !home.is_newest,
            ask,
        };
        let is_closed = *closed || request.newer;
        *closed = is_closed && bug != Some(Bug::NotClosed);
        let (reply, written) = answer(*row, &request, is_closed, NOW);
        if written.is_some() {
            *row = written;
        }
        match reply {
            Reply::Elsewhere => Answer::Next,
            reply => Answer::Said(reply),
        }
    }

    /// The worlds that one step of one actor leads to.
    fn next(&self, bug: Option<Bug>) -> Vec<World> {
        let mut worlds = Vec::new();
        for actor in 0..self.actors.len() {
            worlds.extend(self.step(actor, bug, false));
            if self.faults > 0 {
                worlds.extend(self.step(actor, bug, true).map(|mut world| {
                    world.faults -= 1;
                    world
                }));
            }
        }
        worlds
    }

    fn step(&self, actor: usize, bug: Option<Bug>, lost: bool) -> Option<World> {
        let mut world = self.clone();
        let owner = self.actors[actor].owner;
        let claim = Ask::Claim {
            run: 0,
            owner,
            lease_ms: 500,
            fresh: None,
        };
        let at = match self.actors[actor].at {
            At::Gate(index) => match world.ask(actor, index, Ask::Arrive, bug, lost) {
                Answer::Next => At::Gate(index + 1),
                Answer::Said(Reply::Duplicate) => At::Over,
                // Held by the object, whose relay sends it; or the detour.
                Answer::Said(_) | Answer::Silence => {
                    world.queued += 1;
                    At::Over
                }
            },
            At::Consumer if self.queued > 0 => {
                world.queued -= 1;
                At::Claiming(0)
            }
            At::Consumer => return None,
            At::Claiming(index) => match world.ask(actor, index, claim, bug, lost) {
                Answer::Next => At::Claiming(index + 1),
                Answer::Said(Reply::Go { .. }) => At::Delivering,
                Answer::Said(Reply::Settled) => At::Consumer,
                // Not heard, or somebody else has it: the message comes again.
                Answer::Said(_) | Answer::Silence => {
                    world.queued += 1;
                    At::Consumer
                }
            },
            At::Delivering => {
                world.delivered += 1;
                At::Reporting(0)
            }
            // A report that is lost is one of the windows of G3, and not looked at here.
            At::Reporting(_) if lost => return None,
            At::Reporting(index) => {
                match world.ask(actor, index, Ask::Done { run: 0 }, bug, false) {
                    Answer::Next => At::Reporting(index + 1),
                    Answer::Said(_) | Answer::Silence => At::Consumer,
                }
            }
            At::Over => return None,
        };
        world.actors[actor].at = at;
        Some(world)
    }
}

/// The most often that the backend saw the event, in any order; and how many worlds there are.
fn search(bug: Option<Bug>, faults: u8) -> (u8, u8, usize) {
    let before: &[u32] = &[1];
    let after: &[u32] = &[1, 4];
    let actor = |(index, (shards, at)): (usize, (&[u32], At))| Actor {
        shards: shards.to_vec(),
        owner: index as u64,
        at,
    };
    let actors = [
        (before, At::Gate(0)),
        (after, At::Gate(0)),
        (before, At::Consumer),
        (after, At::Consumer),
    ];
    let first = World {
        objects: BTreeMap::new(),
        actors: actors.into_iter().enumerate().map(actor).collect(),
        queued: 0,
        delivered: 0,
        faults,
    };
    let mut known = HashSet::from([first.clone()]);
    let mut open = vec![first];
    let (mut most, mut least) = (0, u8::MAX);
    while let Some(world) = open.pop() {
        most = most.max(world.delivered);
        let mut next = world.next(bug);
        // Somebody waits for a message, and nothing else is left to do.
        if next.is_empty() {
            least = least.min(world.delivered);
        }
        next.retain(|world| world.delivered <= 2 && known.insert(world.clone()));
        open.extend(next);
    }
    (least, most, known.len())
}

#[test]
fn one_event_is_delivered_once_while_two_versions_are_live() {
    for faults in 0..=2 {
        let (least, most, worlds) = search(None, faults);
        println!("{faults} lost calls: {worlds} worlds");
        assert_eq!((least, most), (1, 1), "with {faults} lost calls");
    }
}

#[test]
fn the_search_finds_what_it_is_for() {
    assert_eq!(search(Some(Bug::NotClosed), 0).1, 2);
    assert_eq!(search(Some(Bug::NewestAlone), 0).1, 2);
    assert_eq!(search(Some(Bug::SilenceIsElsewhere), 2).1, 2);
}
