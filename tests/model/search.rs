//! The exhaustive search, and the random one.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::promises::Broken;
use super::setting::Setting;
use super::steps::{Label, Next, Steps};
use super::world::State;

/// What a search found.
pub struct Report {
    pub states: usize,
    pub steps: usize,
    /// The longest of all shortest ways to a state.
    pub depth: usize,
    /// States in which nothing is under way.
    pub settled: usize,
    /// The shortest way to a broken promise.
    pub broken: Option<(Broken, Vec<Label>)>,
}

const STUCK: Broken =
    "STUCK: from here on nothing but a further fault can bring every promised event to its end";

/// How a state was first reached: from which one, and by which of its steps.
#[derive(Clone, Copy)]
struct Origin {
    from: u32,
    step: u16,
}

/// Visits every state that can be reached, the near ones first. States are told apart by 64 bits:
/// among ten million the chance that any two fall together is one in 400,000.
pub fn explore(setting: &Setting) -> Report {
    let start = State::new(setting);
    let mut numbers: HashMap<u64, u32, BuildHasherDefault<AsItIs>> = HashMap::default();
    numbers.insert(start.fingerprint(), 0);
    let mut origins = vec![Origin { from: 0, step: 0 }];
    let mut ways = Ways::default();
    let mut report = Report {
        states: 1,
        steps: 0,
        depth: 0,
        settled: 0,
        broken: None,
    };
    let mut layer = vec![start];
    let mut first = 0_u32;
    let mut found = Vec::new();
    while !layer.is_empty() {
        let mut next_layer = Vec::new();
        let next_first = origins.len() as u32;
        for (number, state) in (first..).zip(&layer) {
            if state.is_settled(setting) {
                report.settled += 1;
                ways.ends.push(number);
            }
            found = Steps::all(setting, state, found);
            report.steps += found.len();
            for (step, next) in found.drain(..).enumerate() {
                let origin = Origin {
                    from: number,
                    step: step as u16,
                };
                let Next {
                    label,
                    state,
                    broken,
                } = next;
                if let Some(broken) = broken {
                    origins.push(origin);
                    let last = origins.len() as u32 - 1;
                    report.states = origins.len();
                    report.broken = Some((broken, trace(setting, &origins, last)));
                    return report;
                }
                let fresh = origins.len() as u32;
                let to = *numbers.entry(state.fingerprint()).or_insert(fresh);
                if to == fresh {
                    origins.push(origin);
                    next_layer.push(state);
                }
                if !label.fault {
                    ways.back.push((to, number));
                }
            }
        }
        if !next_layer.is_empty() {
            report.depth += 1;
        }
        layer = next_layer;
        first = next_first;
    }
    report.states = origins.len();
    drop(numbers);
    if let Some(stuck) = ways.first_without_end(origins.len()) {
        report.broken = Some((STUCK, trace(setting, &origins, stuck)));
    }
    report
}

/// The steps that are not faults, backwards, and where all of them should lead.
#[derive(Default)]
struct Ways {
    back: Vec<(u32, u32)>,
    ends: Vec<u32>,
}

impl Ways {
    /// The first state from which no end can be reached.
    fn first_without_end(mut self, states: usize) -> Option<u32> {
        self.back.sort_unstable();
        let mut starts = vec![0_u32; states + 1];
        for (to, _) in &self.back {
            starts[*to as usize + 1] += 1;
        }
        for state in 0..states {
            starts[state + 1] += starts[state];
        }
        let mut reaches = vec![false; states];
        let mut open = self.ends;
        for end in &open {
            reaches[*end as usize] = true;
        }
        while let Some(state) = open.pop() {
            let state = state as usize;
            for (_, from) in &self.back[starts[state] as usize..starts[state + 1] as usize] {
                if !std::mem::replace(&mut reaches[*from as usize], true) {
                    open.push(*from);
                }
            }
        }
        let first = reaches.iter().position(|reaches| !reaches)?;
        Some(first as u32)
    }
}

fn trace(setting: &Setting, origins: &[Origin], last: u32) -> Vec<Label> {
    let mut places = Vec::new();
    let mut at = last;
    while at != 0 {
        let origin = origins[at as usize];
        places.push(usize::from(origin.step));
        at = origin.from;
    }
    let mut state = State::new(setting);
    let mut labels = Vec::new();
    for place in places.into_iter().rev() {
        let next = Steps::all(setting, &state, Vec::new()).swap_remove(place);
        labels.push(next.label);
        state = next.state;
    }
    labels
}

/// Fingerprints are mixed already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A generator for the random walks: splitmix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// After this many steps without a fault every way has come to its end, by far.
const REST_MAX: usize = 20_000;

/// One way through a world: some steps with faults, then without, until nothing is under way.
///
/// # Errors
/// The promise that was broken, and the way to it.
pub fn walk(setting: &Setting, random: &mut Random) -> Result<usize, (Broken, Vec<Label>)> {
    let mut state = State::new(setting);
    let mut labels = Vec::new();
    let mut found = Vec::new();
    let with_faults = 20 + random.below(200);
    loop {
        if labels.len() == with_faults {
            state.faults_left = 0;
        }
        let resting = state.faults_left == 0 && labels.len() >= with_faults;
        if resting && state.is_settled(setting) {
            return Ok(labels.len());
        }
        found = Steps::all(setting, &state, found);
        // Faults are the larger part of all steps, and should be the smaller part of a way. What is
        // sent late meets events in all their states.
        let want_fault = random.below(6) == 0;
        let want_sender = random.below(6) == 0;
        let wanted: Vec<usize> = (0..found.len())
            .filter(|step| {
                let label = &found[*step].label;
                label.fault == want_fault && label.sends == (want_sender && !want_fault)
            })
            .collect();
        let step = match wanted.len() {
            0 => random.below(found.len()),
            many => wanted[random.below(many)],
        };
        if found.is_empty() || labels.len() > with_faults + REST_MAX {
            if state.is_settled(setting) {
                return Ok(labels.len());
            }
            return Err((STUCK, labels));
        }
        let next = found.swap_remove(step);
        labels.push(next.label);
        if let Some(broken) = next.broken {
            return Err((broken, labels));
        }
        state = next.state;
    }
}
