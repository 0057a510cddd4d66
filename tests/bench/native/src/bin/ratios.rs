//! Ratios of time to the bare MAC's, from rounds in which every contender takes its turn: whatever
//! slows the machine down for a while slows all of them. Prints one JSON line for each contender and
//! size, and fails when a bar is passed.

use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use hookgate_bench_native::{BASELINE, BODY_BYTES, Contender, PREPARED, Request, contenders};

const ROUNDS: usize = 201;
/// Long against the clock's grain, short against the scheduler's slice.
const TURN_NS: u64 = 500_000;

/// `hookgate verify` to `hmac+sha2`, the median at this size.
const BAR_BODY_BYTES: usize = 1_024;
const BAR: f64 = 1.15;

fn main() -> ExitCode {
    let mut held = true;
    for body_bytes in BODY_BYTES {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a clock after 1970");
        let contenders = contenders(&Request::new(body_bytes, now.as_secs()));
        let rounds = measure(&contenders);
        let base = contenders
            .iter()
            .position(|one| one.name == BASELINE)
            .expect("the baseline");
        for (index, contender) in contenders.iter().enumerate() {
            let ns = Spread::of(rounds.iter().map(|round| round[index]));
            let ratio = Spread::of(rounds.iter().map(|round| round[index] / round[base]));
            let bar = (contender.name == PREPARED && body_bytes == BAR_BODY_BYTES).then_some(BAR);
            let within = bar.is_none_or(|bar| ratio.median <= bar);
            held &= within;
            let bar = bar.map_or(String::new(), |bar| {
                format!(r#","bar":{bar},"within":{within}"#)
            });
            println!(
                r#"{{"bench":"native","contender":"{}","body_bytes":{body_bytes},"ns":{},"ratio":{}{bar}}}"#,
                contender.name,
                ns.json(0),
                ratio.json(3),
            );
        }
    }
    if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Nanoseconds a judgement: one row a round, one column a contender.
fn measure(contenders: &[Contender]) -> Vec<Vec<f64>> {
    let turns: Vec<u32> = contenders.iter().map(turns).collect();
    (0..ROUNDS)
        .map(|round| {
            let mut row = vec![0.0; contenders.len()];
            // Another one begins each round: nobody always follows the same neighbour's caches.
            for step in 0..contenders.len() {
                let index = (round + step) % contenders.len();
                row[index] = time(&contenders[index], turns[index]);
            }
            row
        })
        .collect()
}

/// How many judgements make a turn.
fn turns(contender: &Contender) -> u32 {
    let mut turns = 1;
    while time(contender, turns) * f64::from(turns) < TURN_NS as f64 / 2.0 {
        turns *= 2;
    }
    let one = time(contender, turns);
    ((TURN_NS as f64 / one) as u32).max(1)
}

fn time(contender: &Contender, turns: u32) -> f64 {
    let started = Instant::now();
    for _ in 0..turns {
        contender.judge();
    }
    started.elapsed().as_nanos() as f64 / f64::from(turns)
}

/// The median, and the quartiles beside it.
struct Spread {
    p25: f64,
    median: f64,
    p75: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |quarter: usize| sorted[(sorted.len() - 1) * quarter / 4];
        Spread {
            p25: at(1),
            median: at(2),
            p75: at(3),
        }
    }

    fn json(&self, places: usize) -> String {
        let Spread { p25, median, p75 } = self;
        format!(r#"{{"median":{median:.places$},"p25":{p25:.places$},"p75":{p75:.places$}}}"#)
    }
}
