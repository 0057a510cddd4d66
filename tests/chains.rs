//! Documents that carry more than one certificate: each step from the first along the others has to hold.
//! `tests/documents/chains.py` made the certificates.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::admission;
use hookgate::public_key::chain::{Flaw, Path};
use hookgate::public_key::native::{settle, verifies};
use hookgate::request::Inbound;
use hookgate::verdict::{Trouble, Verdict};
use support::{chain, only, vector};

/// How long a chain holds, with the number of signatures that were checked.
fn walk(document: &str) -> (Result<(i64, i64), Flaw>, usize) {
    let mut checked = 0;
    let now_ms = vector("aws-sns", "pair-first").request.now_ms;
    let mut path = match Path::read(document, now_ms) {
        Ok(path) => path.expect("more than one certificate"),
        Err(flaw) => return (Err(flaw), 0),
    };
    loop {
        match path.question() {
            Ok(Some(question)) => {
                checked += 1;
                path.answered(verifies(&question));
            }
            Ok(None) => return (Ok(path.valid_ms), checked),
            Err(flaw) => return (Err(flaw), checked),
        }
    }
}

fn walked(names: &[&str]) -> (Result<(i64, i64), Flaw>, usize) {
    walk(&chain(names))
}

/// How a message of SNS ends whose certificate stands in this document.
fn settled(names: &[&str], now_ms: Option<i64>) -> Result<(), Verdict> {
    let vector = vector("aws-sns", "pair-first");
    let gate = vector.gate();
    let live = only(&gate);
    let head = vector.request.head();
    let inbound = Inbound::new(&head, &vector.request.body, &live.json_pointers);
    let mut opening = admission::open(live, &head).unwrap();
    let now_ms = now_ms.unwrap_or(vector.request.now_ms);
    let statement = admission::state(live, &mut opening, &inbound, now_ms).unwrap();
    settle(live, &statement, |_| Some(chain(names)), now_ms).map(|_| ())
}

#[test]
fn chains_that_hold() {
    for (names, checked) in [
        (&["leaf", "issuer"][..], 1),
        (&["leaf", "issuer", "root"], 3),
        (&["leaf", "root", "issuer"], 3),
        (
            &["leaf", "stranger", "root", "stranger ed25519", "issuer"],
            3,
        ),
        (&["leaf", "issuer of any usage", "root"], 3),
        (&["leaf sha384", "issuer"], 1),
        (&["leaf sha512", "issuer"], 1),
        (&["leaf of p256", "p256", "p384"], 3),
        (&["leaf of p256 sha384", "p256"], 1),
        (&["leaf of p384", "p384"], 2),
        (&["leaf of p384 sha256", "p384"], 2),
        (&["leaf", "issuer by p384", "p384"], 3),
        (&["leaf", "issuer by upper", "upper of one below"], 2),
        // What a root signs over itself with SHA-1 is not asked about.
        (&["leaf", "issuer", "root sha1"], 2),
        // Two have the issuer's name, and one of them its key.
        (&["leaf", "issuer with another key", "issuer"], 2),
        (&["leaf", "issuer", "issuer with another key"], 2),
        // The one that holds for longer is taken, wherever it stands.
        (&["leaf", "issuer until 2021", "issuer", "root"], 3),
        (&["leaf", "issuer", "issuer until 2021", "root"], 3),
        // And before it the one that holds now, whatever begins and ends later.
        (&["leaf", "issuer from 2048", "issuer", "root"], 3),
    ] {
        let (outcome, count) = walked(names);
        assert!(outcome.is_ok(), "{names:?}: {outcome:?}");
        // The order in which two of one name are tried is theirs.
        assert!(count <= checked, "{names:?}: {count}");
        assert_eq!(settled(names, None), Ok(()), "{names:?}");
    }
}

#[test]
fn chains_that_do_not_hold_are_our_failure() {
    for (names, flaw) in [
        (&["leaf", "stranger"][..], Flaw::NoIssuer),
        (&["leaf", "root"], Flaw::NoIssuer),
        (&["leaf", "leaf"], Flaw::NoIssuer),
        (&["leaf of itself", "stranger"], Flaw::NoIssuer),
        (&["leaf forged", "issuer", "root"], Flaw::WrongSignature),
        (&["leaf", "issuer forged", "root"], Flaw::WrongSignature),
        (&["leaf", "issuer with another key"], Flaw::WrongSignature),
        (
            &["leaf", "issuer", "root with another signature"],
            Flaw::WrongSignature,
        ),
        (&["leaf sha1", "issuer"], Flaw::Unsigned),
        (&["leaf", "issuer sha1", "root"], Flaw::Unsigned),
        (
            &["leaf with another algorithm outside", "issuer"],
            Flaw::Unsigned,
        ),
        (&["leaf of the short", "short"], Flaw::WrongKey),
        (&["leaf of p521", "p521"], Flaw::WrongKey),
        (&["leaf", "issuer without authority"], Flaw::NotAnAuthority),
        (
            &["leaf", "issuer without constraints"],
            Flaw::NotAnAuthority,
        ),
        (&["leaf", "issuer without the usage"], Flaw::NotAnAuthority),
        (
            &["leaf", "issuer with a critical constraint"],
            Flaw::NotAnAuthority,
        ),
        (
            &["leaf", "issuer by upper", "upper of none below"],
            Flaw::TooLong,
        ),
        (
            &["leaf", "issuer by upper", "upper of one below", "root"],
            Flaw::TooLong,
        ),
        (
            &[
                "leaf", "issuer", "root", "stranger", "stranger", "stranger", "stranger",
                "stranger", "stranger", "stranger",
            ],
            Flaw::TooMany,
        ),
    ] {
        assert_eq!(walked(names).0, Err(flaw), "{names:?}");
        let unusable = Err(Verdict::Unavailable(Trouble::KeyUnusable));
        assert_eq!(settled(names, None), unusable, "{names:?}");
    }
    let cut = chain(&["leaf", "issuer"]).replace("-----END CERTIFICATE-----\n", "");
    assert_eq!(Path::read(&cut, 0).unwrap_err(), Flaw::Unreadable);
}

#[test]
fn one_alone_has_no_chain() {
    for name in ["leaf", "leaf forged", "leaf of itself"] {
        assert!(Path::read(&chain(&[name]), 0).unwrap().is_none());
        assert_eq!(settled(&[name], None), Ok(()), "{name}");
    }
}

/// 2021-01-01, 2048-01-01 and 2049-01-01.
const Y2021: i64 = 1_609_459_200_000;
const Y2048: i64 = 2_461_449_600_000;
const Y2049: i64 = 2_493_072_000_000;

#[test]
fn a_chain_holds_while_all_of_it_holds() {
    let unusable = Err(Verdict::Unavailable(Trouble::KeyUnusable));
    for (names, valid_until, expected) in [
        (&["leaf", "issuer", "root"][..], Y2049, Ok(())),
        (&["leaf", "issuer until 2021", "root"], Y2021, unusable),
        (&["leaf", "issuer", "root until 2021"], Y2021, unusable),
        (&["leaf", "issuer from 2048", "root"], Y2049, unusable),
    ] {
        let (begins_ms, ends_ms) = walked(names).0.unwrap();
        assert_eq!(ends_ms, valid_until, "{names:?}");
        assert_eq!(begins_ms == Y2048, names.contains(&"issuer from 2048"));
        assert_eq!(settled(names, None), expected, "{names:?}");
    }
    let early = ["leaf", "issuer until 2021"];
    assert_eq!(settled(&early, Some(Y2021)), Ok(()));
    assert_ne!(settled(&early, Some(Y2021 + 1)), Ok(()));
}

/// Whatever bit of an issuer is another, the chain does not hold, or it ends at that one because it names another
/// issuer: who vouches for the last is not checked. Nothing panics.
#[test]
fn no_bit_of_an_issuer_may_change() {
    use base64::Engine as _;
    let standard = base64::engine::general_purpose::STANDARD;
    let text = chain(&["issuer"]);
    let der = hookgate::public_key::certificate::pem_block(&text, "CERTIFICATE").unwrap();
    let mut ends_there = 0;
    for index in 0..der.len() {
        let mut bytes = der.clone();
        bytes[index] ^= 1;
        let issuer = format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            standard.encode(bytes)
        );
        let document = [chain(&["leaf"]), issuer, chain(&["root"])].concat();
        match walk(&document) {
            (Err(_), _) => {}
            (Ok(_), checked) => {
                assert_eq!(checked, 1, "byte {index}");
                ends_there += 1;
            }
        }
    }
    // Nothing but the issuer's name, of whose encoding eleven bytes are no characters.
    assert!(ends_there <= "chain root".len() + 11, "{ends_there}");
}
