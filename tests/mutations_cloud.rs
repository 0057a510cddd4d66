//! Every accepted vector of the families in `tests/support/forms_cloud.rs` under every mutation gives
//! exactly the reason that stands in the table, as in `tests/mutations.rs`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use support::mutate::{CLOUD, Case};
use support::mutation_table::*;
use support::mutators::*;
use support::{Request, vectors};

#[rustfmt::skip]
const TABLE: &[Row<9>] = &[
    //                                                           header  bearer  basic   query   netlify kit     licence v1-post sdk
    ("signature dropped", |c| vec![c.dropped(c.signature)],     [NO_SIG, NO_SIG, NO_SIG, NO_SIG, NO_SIG, NO_SIG, NO_SIG, NO_SIG, NO_SIG]),
    ("signature doubled", |c| vec![c.doubled(c.signature)],     [BADSIG, BADSIG, BADSIG, BADSIG, BADSIG, BADSIG, BADSIG, BADSIG, BADSIG]),
    ("signature empty", |c| vec![c.set(c.signature, "")],       [BADSIG, BADSIG, BADSIG, BADSIG, BADSIG, BADSIG, BADSIG, BADSIG, BADSIG]),
    ("signature a word", |c| vec![c.set(c.signature, "potato")],
                                                                [WRONG,  BADSIG, BADSIG, WRONG,  BADSIG, BADSIG, BADSIG, BADSIG, BADSIG]),
    ("signature: last character cut", |c| c.tags(|tag| tag[..tag.len() - 1].to_owned()),
                                                                [WRONG,  WRONG,  BADSIG, WRONG,  BADSIG, BADSIG, BADSIG, BADSIG, BADSIG]),
    ("signature: first character changed", |c| c.tags(first_changed),
                                                                [WRONG,  WRONG,  WRONG,  WRONG,  BADSIG, WRONG,  WRONG,  WRONG,  BADSIG]),
    ("signature: a character behind it", |c| c.tags(|tag| format!("{tag}a")),
                                                                [WRONG,  WRONG,  BADSIG, WRONG,  BADSIG, BADSIG, BADSIG, BADSIG, BADSIG]),
    ("signature: a space in front", |c| c.tags(|tag| format!(" {tag}")),
                                                                [WRONG,  WRONG,  BADSIG, WRONG,  BADSIG, BADSIG, BADSIG, BADSIG, BADSIG]),
    ("signature in the other case", other_case,                 [WRONG,  WRONG,  WRONG,  WRONG,  BADSIG, OK,     ______, ______, BADSIG]),
    // The names of authentication schemes have no case.
    ("prefix in another case", |c| prefix(c, flip_case),        [______, OK,     OK,     ______, ______, ______, ______, ______, ______]),
    ("prefix dropped", |c| prefix(c, |_| String::new()),        [______, BADSIG, BADSIG, ______, ______, ______, ______, ______, ______]),
    ("wrong key", wrong_key,                                    [WRONG,  WRONG,  WRONG,  WRONG,  WRONG,  WRONG,  WRONG,  WRONG,  WRONG]),
    ("time dropped", |c| time(c, |at| Some(c.dropped(at))),     [______, ______, ______, ______, ______, NOTIME, NOTIME, NOTIME, NOPART]),
    ("time doubled", |c| time(c, |at| Some(c.doubled(at))),     [______, ______, ______, ______, ______, BADTIM, BADTIM, BADPRT, BADTIM]),
    // A blank field is not signed, so it is as good as none.
    ("time blank", |c| spelt(c, |_| " ".to_owned()),            [______, ______, ______, ______, ______, BADTIM, BADTIM, NOTIME, BADTIM]),
    ("time misspelt", misspelt,                                 [______, ______, ______, ______, ______, BADTIM, BADTIM, BADTIM, BADTIM]),
    ("time: space behind it", |c| spelt(c, |time| format!("{time} ")),
                                                                [______, ______, ______, ______, ______, BADTIM, BADTIM, BADTIM, BADTIM]),
    ("time a second on, old signature", |c| spelt(c, |time| later(c, time, 1)),
                                                                [______, ______, ______, ______, ______, WRONG,  WRONG,  WRONG,  WRONG]),
    ("time a second back, old signature", |c| spelt(c, |time| later(c, time, -1)),
                                                                [______, ______, ______, ______, ______, WRONG,  WRONG,  WRONG,  WRONG]),
    ("signed again, as old as may be", |c| c.signed_at(-c.form.tolerance_seconds * 1_000),
                                                                [______, ______, ______, ______, ______, OK,     OK,     OK,     OK]),
    ("signed again, too old", |c| c.signed_at(-c.form.tolerance_seconds * 1_000 - grain(c)),
                                                                [______, ______, ______, ______, ______, STALE,  STALE,  STALE,  STALE]),
    ("signed again, as far ahead as may be", |c| c.signed_at(c.form.future_seconds * 1_000),
                                                                [______, ______, ______, ______, ______, OK,     OK,     OK,     OK]),
    ("signed again, too far ahead", |c| c.signed_at(c.form.future_seconds * 1_000 + grain(c)),
                                                                [______, ______, ______, ______, ______, AHEAD,  AHEAD,  AHEAD,  AHEAD]),
    ("nonce dropped", |c| id(c, |at| c.dropped(at)),            [______, ______, ______, ______, ______, NOPART, NOPART, ______, ______]),
    ("nonce empty", |c| id(c, |at| c.set(at, "")),              [______, ______, ______, ______, ______, BADPRT, BADPRT, ______, ______]),
    ("nonce changed", |c| id(c, |at| c.set(at, "another")),     [______, ______, ______, ______, ______, WRONG,  WRONG,  ______, ______]),
    // Whoever has a credential may write what they like: that is what "nothing is signed" means.
    ("body: a bit flipped", body_bit,                           [OK,     OK,     OK,     OK,     WRONG,  WRONG,  WRONG,  WRONG,  WRONG]),
    ("body: a letter behind it", |c| c.body(|body| body.push(b'x')),
                                                                [OK,     OK,     OK,     OK,     WRONG,  BADPRT, BADPRT, BADPRT, WRONG]),
    ("body: a space behind it", |c| c.body(|body| body.push(b' ')),
                                                                [OK,     OK,     OK,     OK,     WRONG,  OK,     OK,     OK,     WRONG]),
    ("body: first byte gone", |c| with_body(c, |body| { body.remove(0); }),
                                                                [OK,     OK,     OK,     OK,     WRONG,  BADPRT, BADPRT, BADPRT, WRONG]),
    ("body gone", |c| with_body(c, Vec::clear),                 [OK,     OK,     OK,     OK,     WRONG,  BADPRT, BADPRT, BADPRT, WRONG]),
    ("query: a parameter more", |c| c.target(|target| more(target, "x=1")),
                                                                [OK,     OK,     OK,     OK,     OK,     OK,     OK,     OK,     WRONG]),
    ("query: broken encoding", |c| c.target(|target| more(target, "x=%")),
                                                                [OK,     OK,     OK,     BADSIG, OK,     OK,     OK,     OK,     BADPRT]),
    ("any other header dropped", other_headers,                 [OK,     OK,     OK,     OK,     OK,     OK,     OK,     OK,     NOPART]),
    ("another method", |c| vec![Request { method: "DELETE".into(), ..c.request.clone() }],
                                                                [METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD, METHOD]),
];

/// Hex and credentials; another case of base64 is another signature, or none.
fn other_case(case: &Case<'_>) -> Vec<Request> {
    if ["koogallery-license", "koogallery-v1-post"].contains(&case.form.schemes[0]) {
        return Vec::new();
    }
    case.tags(str::to_ascii_uppercase)
}

fn misspelt(case: &Case<'_>) -> Vec<Request> {
    let blank = case.form.schemes.contains(&"koogallery-v1-post");
    // The first is the empty one.
    misspelt_times(case).split_off(usize::from(blank))
}

fn first_changed(tag: &str) -> String {
    let (first, rest) = tag.split_at(1);
    format!("{}{rest}", if first == "a" { "b" } else { "a" })
}

/// The time in its own spelling, `seconds` later.
fn later(case: &Case<'_>, time: &str, seconds: i64) -> String {
    let (_, unit) = case.form.time.unwrap();
    let ms = hookgate::time::parse(time, unit).unwrap();
    hookgate::time::format(ms + seconds * 1_000, unit)
}

#[test]
fn each_accepted_vector_under_each_mutation() {
    holds(TABLE, &CLOUD, &vectors(), |_, case| {
        // It stands in the other place that the scheme allows.
        case.get(case.signature).is_some()
    });
}
