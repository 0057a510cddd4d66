//! Tables of mutations: a row for each mutation, a column for each family of schemes, and in it the reason
//! that every accepted vector of the family must be refused with. Written by hand: nothing in them is
//! computed by the code under test.

use std::collections::BTreeMap;

use super::mutate::{Case, Form};
use super::{Request, Vector, only, outcome};

/// A name, the requests that the mutation makes of one, and the reason in each column.
pub type Row<const COLUMNS: usize> = (
    &'static str,
    fn(&Case<'_>) -> Vec<Request>,
    [&'static str; COLUMNS],
);

pub const OK: &str = "accept";
pub const NO_SIG: &str = "missing_signature";
pub const BADSIG: &str = "malformed_signature";
pub const NOTIME: &str = "missing_time";
pub const BADTIM: &str = "malformed_time";
pub const NOPART: &str = "missing_signed_part";
pub const BADPRT: &str = "malformed_signed_part";
pub const WRONG: &str = "signature_mismatch";
pub const STALE: &str = "stale";
pub const AHEAD: &str = "from_future";
pub const METHOD: &str = "method_not_allowed";
/// The family has no such thing.
pub const ______: &str = "-";

/// Every one of these vectors that is accepted and of a family under every mutation. How often each
/// reason was given.
pub fn holds<const COLUMNS: usize>(
    table: &[Row<COLUMNS>],
    families: &[Form; COLUMNS],
    vectors: &[Vector],
    is_meant: impl Fn(&Vector, &Case<'_>) -> bool,
) -> BTreeMap<&'static str, usize> {
    let mut wrong = Vec::new();
    let mut applied: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let mut reasons: BTreeMap<&'static str, usize> = BTreeMap::new();
    for vector in vectors.iter().filter(|vector| vector.expect == OK) {
        let of = |form: &Form| form.schemes.contains(&vector.scheme.as_str());
        let Some(column) = families.iter().position(of) else {
            continue;
        };
        let gate = vector.gate();
        let live = only(&gate);
        let case = Case::new(&vector.scheme, live, &vector.request);
        if !is_meant(vector, &case) {
            continue;
        }
        for (row, (name, mutate, expected)) in table.iter().enumerate() {
            for mutant in mutate(&case) {
                *applied.entry((row, column)).or_default() += 1;
                *reasons.entry(expected[column]).or_default() += 1;
                let got = outcome(live, &mutant);
                if got != expected[column] {
                    wrong.push(format!(
                        "{}, {name}: expected {}, got {got}\n    {} {}\n    {:?}",
                        vector.title(),
                        expected[column],
                        mutant.method,
                        mutant.target,
                        mutant.headers
                    ));
                }
            }
        }
    }
    println!("{} requests", applied.values().sum::<usize>());
    assert!(
        wrong.is_empty(),
        "{} of them:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    for (row, (name, _, expected)) in table.iter().enumerate() {
        for (column, expected) in expected.iter().enumerate() {
            assert_eq!(
                *expected != ______,
                applied.contains_key(&(row, column)),
                "{name}, {}: the table says {expected}, but the mutation was applied otherwise",
                families[column].schemes[0]
            );
        }
    }
    reasons
}
