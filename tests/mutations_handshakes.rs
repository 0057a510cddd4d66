//! Every accepted vector of the families in `tests/support/forms_handshakes.rs` under every mutation gives
//! exactly the reason that stands in the table, as in `tests/mutations.rs`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use support::mutate::HANDSHAKES;
use support::mutation_table::*;
use support::mutators::*;
use support::{Request, vectors};

#[rustfmt::skip]
const TABLE: &[Row<2>] = &[
    //                                                                    zoom    x
    ("signature dropped", |c| vec![c.dropped(c.signature)],              [NO_SIG, NO_SIG]),
    ("signature doubled", |c| vec![c.doubled(c.signature)],              [BADSIG, BADSIG]),
    ("signature empty", |c| vec![c.set(c.signature, "")],                [BADSIG, BADSIG]),
    ("signature a word", |c| vec![c.set(c.signature, "potato")],         [BADSIG, BADSIG]),
    ("signature: last character cut", |c| c.tags(|tag| tag[..tag.len() - 1].to_owned()),
                                                                         [BADSIG, BADSIG]),
    ("signature: first bit flipped", |c| c.tag_bytes(|tag| tag[0] ^= 0x80),
                                                                         [WRONG,  WRONG]),
    ("signature: last bit flipped", |c| c.tag_bytes(|tag| *tag.last_mut().unwrap() ^= 1),
                                                                         [WRONG,  WRONG]),
    ("signature: case flipped", |c| c.tags(flip_case),                   [BADSIG, WRONG]),
    ("signature in the other encoding", other_encoding,                  [BADSIG, BADSIG]),
    ("signature padded twice", |c| base64(c, |tag| format!("{tag}=")),   [______, BADSIG]),
    ("signature: unused bits set", |c| base64(c, unused_bits_set),       [______, BADSIG]),
    ("prefix in another case", |c| prefix(c, flip_case),                 [BADSIG, BADSIG]),
    ("prefix dropped", |c| prefix(c, |_| String::new()),                 [BADSIG, BADSIG]),
    ("wrong key", wrong_key,                                             [WRONG,  WRONG]),
    ("time dropped", |c| time(c, |at| Some(c.dropped(at))),              [NOTIME, ______]),
    ("time doubled", |c| time(c, |at| Some(c.doubled(at))),              [BADTIM, ______]),
    ("time misspelt", misspelt_times,                                    [BADTIM, ______]),
    ("time a second on, old signature", |c| spelt(c, |time| add(time, 1)),
                                                                         [WRONG,  ______]),
    ("signed again, as old as may be", |c| c.signed_at(-c.form.tolerance_seconds * 1_000),
                                                                         [OK,     ______]),
    ("signed again, too old", |c| c.signed_at(-c.form.tolerance_seconds * 1_000 - grain(c)),
                                                                         [STALE,  ______]),
    ("signed again, as far ahead as may be", |c| c.signed_at(c.form.future_seconds * 1_000),
                                                                         [OK,     ______]),
    ("signed again, too far ahead", |c| c.signed_at(c.form.future_seconds * 1_000 + grain(c)),
                                                                         [AHEAD,  ______]),
    ("body: a letter behind it", |c| c.body(|body| body.push(b'x')),     [WRONG,  WRONG]),
    ("body: a space behind it", |c| c.body(|body| body.push(b' ')),      [WRONG,  WRONG]),
    ("body: a bit flipped", |c| c.body(|body| body[1] ^= 1),             [WRONG,  WRONG]),
    // What is no object is no event of X: the gate itself signs tokens there.
    ("body: first byte gone", |c| c.body(|body| { body.remove(0); }),    [WRONG,  BADPRT]),
    ("body gone", |c| c.body(Vec::clear),                                [WRONG,  BADPRT]),
    ("query: a parameter more", |c| c.target(|target| more(target, "crc_token=a&hub.mode=subscribe")),
                                                                         [OK,     OK]),
    ("any other header dropped", other_headers,                          [OK,     OK]),
    ("another method", |c| vec![Request { method: "PUT".into(), ..c.request.clone() }],
                                                                         [METHOD, METHOD]),
    ("a method without a body", |c| ["GET", "HEAD", "OPTIONS"].iter().map(|method| Request { method: (*method).into(), ..c.request.clone() }).collect(),
                                                                         [METHOD, METHOD]),
];

#[test]
fn each_accepted_vector_under_each_mutation() {
    holds(TABLE, &HANDSHAKES, &vectors(), |_, _| true);
}
