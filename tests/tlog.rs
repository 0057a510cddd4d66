//! The tree, its proofs, its files and its notes: against published vectors, against themselves bit by bit,
//! and against crates that are not ours.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

use hookgate::hex;
use hookgate::tlog::Hash;
use hookgate::tlog::checkpoint::Checkpoint;
use hookgate::tlog::entry::{Entry, What};
use hookgate::tlog::merkle::{leaf_hash, node_hash, root};
use hookgate::tlog::native::{Tree, cosign, public_key, sign, signing_key, verify};
use hookgate::tlog::note::{KeyKind, Note, SigningKey, VerifierKey};
use hookgate::tlog::proof::{consistency, includes, inclusion, is_consistent};
use hookgate::tlog::witness;
use proptest::prelude::*;

fn hash(hex: &str) -> Hash {
    hex::decode(hex.as_bytes()).unwrap().try_into().unwrap()
}

fn tree(size: u64) -> Tree {
    Tree::of((0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect())
}

/// The leaves and roots that RFC 6962's reference implementations are tested with:
/// <https://github.com/google/certificate-transparency/blob/master/python/ct/crypto/merkle_test.py>.
#[test]
fn the_roots_are_those_of_the_reference() {
    let leaves = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let leaves = leaves.map(|leaf| leaf_hash(&hex::decode(leaf.as_bytes()).unwrap()));
    let tree = Tree::of(leaves.to_vec());
    for (size, expected) in roots.iter().enumerate() {
        assert_eq!(root(&tree, size as u64), Some(hash(expected)), "{size}");
    }
    assert_eq!(root(&tree, 9), None, "a leaf that is not there");
}

/// RFC 9162, section 2.1.5: the proofs of a tree of seven leaves, written with its letters.
#[test]
fn the_proofs_are_those_of_the_rfc() {
    let tree = tree(7);
    let [a, b, c, d, e, f, j]: [Hash; 7] =
        std::array::from_fn(|n| leaf_hash(&(n as u64).to_be_bytes()));
    let (g, h, i) = (node_hash(&a, &b), node_hash(&c, &d), node_hash(&e, &f));
    let k = node_hash(&g, &h);
    let l = node_hash(&i, &j);
    assert_eq!(inclusion(&tree, 0, 7), Some(vec![b, h, l]));
    assert_eq!(inclusion(&tree, 3, 7), Some(vec![c, g, l]));
    assert_eq!(inclusion(&tree, 4, 7), Some(vec![f, j, k]));
    assert_eq!(inclusion(&tree, 6, 7), Some(vec![i, k]));
    assert_eq!(consistency(&tree, 3, 7), Some(vec![c, d, g, l]));
    assert_eq!(consistency(&tree, 4, 7), Some(vec![l]));
    assert_eq!(consistency(&tree, 6, 7), Some(vec![i, j, k]));
    assert_eq!(inclusion(&tree, 7, 7), None);
    assert_eq!(consistency(&tree, 8, 7), None);
}

/// A tree that grew in steps is the tree that grew at once, across the edges of tiles as well.
#[test]
fn growing_in_steps_is_growing_at_once() {
    let leaves: Vec<Hash> = (0..70_000u64)
        .map(|n| leaf_hash(&n.to_be_bytes()))
        .collect();
    let whole = Tree::of(leaves.clone());
    let mut grown = Tree::default();
    let mut rest = leaves.as_slice();
    for step in [1, 254, 1, 1, 255, 256, 257, 511, 64_000, 4_463, 1].into_iter() {
        let (now, later) = rest.split_at(step);
        grown.append(now.to_vec());
        rest = later;
    }
    assert!(rest.is_empty());
    for size in [1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000] {
        assert_eq!(root(&grown, size), root(&whole, size), "{size}");
        assert!(root(&grown, size).is_some(), "{size}");
    }
}

#[test]
fn proofs_hold_for_every_size() {
    let tree = tree(300);
    for size in 1..=300 {
        let head = root(&tree, size).unwrap();
        // Every seventh, another one at each size: all of them take minutes.
        for index in (size % 7..size).step_by(7) {
            let proof = inclusion(&tree, index, size).unwrap();
            let leaf = leaf_hash(&index.to_be_bytes());
            assert!(
                includes(&proof, index, size, &leaf, &head),
                "{index} of {size}"
            );
        }
        for old in (size % 7..=size).step_by(7) {
            let proof = consistency(&tree, old, size).unwrap();
            let old_head = root(&tree, old).unwrap();
            assert!(
                is_consistent(&proof, (old, &old_head), (size, &head)),
                "{old} in {size}"
            );
        }
    }
}

#[test]
fn no_proof_holds_for_another_place_or_size() {
    let tree = tree(40);
    for size in 1..=40u64 {
        let head = root(&tree, size).unwrap();
        for index in 0..size {
            let proof = inclusion(&tree, index, size).unwrap();
            let leaf = leaf_hash(&index.to_be_bytes());
            for other in (0..=size).filter(|other| *other != index) {
                assert!(!includes(&proof, other, size, &leaf, &head));
            }
            // What no tree of that size has. (Of another size the place may be another one: a checkpoint
            // binds the two.)
            for smaller in 0..=index {
                assert!(!includes(&proof, index, smaller, &leaf, &head));
            }
        }
        for old in 1..size {
            let proof = consistency(&tree, old, size).unwrap();
            let old_head = root(&tree, old).unwrap();
            for other in (1..=size).filter(|other| *other != old) {
                let wrong = root(&tree, other).unwrap();
                assert!(!is_consistent(&proof, (old, &wrong), (size, &head)));
                assert!(!is_consistent(&proof, (old, &old_head), (size, &wrong)) || other == size);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every altered bit of a proof, of a leaf and of a head, and every hash too few or too many.
    #[test]
    fn altered_proofs_are_refused(size in 2u64..5_000, a in any::<u64>(), b in any::<u64>(), bit in 0usize..256) {
        let tree = tree(size);
        let head = root(&tree, size).unwrap();
        let (index, old) = (a % size, 1 + b % (size - 1));
        let leaf = leaf_hash(&index.to_be_bytes());
        let old_head = root(&tree, old).unwrap();
        let flip = |hash: &Hash| {
            let mut hash = *hash;
            hash[bit / 8] ^= 1 << (bit % 8);
            hash
        };
        let proof = inclusion(&tree, index, size).unwrap();
        prop_assert!(includes(&proof, index, size, &leaf, &head));
        prop_assert!(!includes(&proof, index, size, &flip(&leaf), &head));
        prop_assert!(!includes(&proof, index, size, &leaf, &flip(&head)));
        for wrong in altered(&proof, flip) {
            prop_assert!(!includes(&wrong, index, size, &leaf, &head));
        }
        let proof = consistency(&tree, old, size).unwrap();
        prop_assert!(is_consistent(&proof, (old, &old_head), (size, &head)));
        prop_assert!(!is_consistent(&proof, (old, &flip(&old_head)), (size, &head)));
        prop_assert!(!is_consistent(&proof, (old, &old_head), (size, &flip(&head))));
        for wrong in altered(&proof, flip) {
            prop_assert!(!is_consistent(&wrong, (old, &old_head), (size, &head)));
        }
    }

    #[test]
    fn an_entry_has_one_spelling(id in "[!-~]{1,100}", time_ms in 0i64..i64::MAX, digest in any::<[u8; 32]>(), before_ms in 0i64..i64::MAX, count in any::<u64>()) {
        for what in [What::Record, What::Retention { before_ms, count }] {
            let entry = Entry { id: id.clone(), time_ms, commitment: digest, what };
            let text = entry.to_text().unwrap();
            prop_assert_eq!(Entry::parse(text.as_bytes()), Some(entry));
            for at in 0..text.len() {
                let mut cut = text.clone().into_bytes();
                cut.remove(at);
                // What is still an entry is another one, and never this one in another spelling.
                if let Some(other) = Entry::parse(&cut) {
                    prop_assert_eq!(other.to_text().unwrap().into_bytes(), cut);
                }
            }
        }
    }

    #[test]
    fn nothing_panics(bytes in any::<Vec<u8>>(), text in any::<String>()) {
        let _ = Entry::parse(&bytes);
        let _ = hookgate::tlog::tile::entries(&bytes);
        let _ = hookgate::tlog::tile::hashes(&bytes);
        let _ = hookgate::tlog::tile::File::parse(&text);
        let _ = Checkpoint::parse(&text);
        let _ = Note::parse(&text);
        let _ = VerifierKey::parse(&text);
        let _ = SigningKey::parse(&text);
    }
}

/// The proof with one bit of each hash changed, with one left out, and with one more at each end.
fn altered(proof: &[Hash], flip: impl Fn(&Hash) -> Hash) -> Vec<Vec<Hash>> {
    let mut all = Vec::new();
    for at in 0..proof.len() {
        let mut wrong = proof.to_vec();
        wrong[at] = flip(&wrong[at]);
        all.push(wrong);
        let mut wrong = proof.to_vec();
        wrong.remove(at);
        all.push(wrong);
    }
    all.push([proof, &[[0; 32]]].concat());
    all.push([&[[0; 32]], proof].concat());
    all
}

#[test]
fn what_is_no_entry_is_none() {
    let entry = |id: &str, time_ms| Entry {
        id: id.to_owned(),
        time_ms,
        commitment: [1; 32],
        what: What::Record,
    };
    for (id, time_ms) in [("", 0), ("a b", 0), ("a\nb", 0), ("é", 0), ("a", -1)] {
        assert_eq!(entry(id, time_ms).to_text(), None, "{id:?}");
    }
    assert_eq!(entry(&"x".repeat(101), 0).to_text(), None);
    let text = entry("req_1", 7).to_text().unwrap();
    for bad in [
        text.replace("v1", "v2"),
        text.replace("record", "retention"),
        text.replace("\n7\n", "\n07\n"),
        text.replace("\n7\n", "\n+7\n"),
        text.replace('\n', "\r\n"),
        format!("{text}\n"),
        format!("{text}more\n"),
    ] {
        assert_eq!(Entry::parse(bad.as_bytes()), None, "{bad:?}");
    }
}

/// <https://pkg.go.dev/golang.org/x/mod/sumdb/note>: the example of the format's first implementation.
const VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const SKEY: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const NOTE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn the_published_note_verifies_and_no_other() {
    let key = VerifierKey::parse(VKEY).unwrap();
    let note = Note::parse(NOTE).unwrap();
    assert_eq!(verify(&note, &key), Some(None));
    assert_eq!(
        (note.to_text().as_str(), key.to_text().as_str()),
        (NOTE, VKEY)
    );
    let secret = SigningKey::parse(SKEY).unwrap();
    assert_eq!(signing_key("PeterNeumann", secret.seed), secret);
    assert_eq!(secret.to_secret_text(), SKEY);
    assert!(!format!("{secret:?}").contains("AYEK") && format!("{secret:?}").contains("REDACTED"));
    for at in 0..note.text.len() - 1 {
        let mut wrong = note.clone();
        let mut bytes = wrong.text.into_bytes();
        bytes[at] ^= 1;
        wrong.text = String::from_utf8(bytes).unwrap();
        assert_eq!(verify(&wrong, &key), None, "{at}");
    }
    for bit in 0..512 {
        let mut wrong = note.clone();
        wrong.signatures[0].bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(verify(&wrong, &key), None, "{bit}");
    }
    for bad in [
        NOTE.replace("\n\n\u{2014}", "\n\u{2014}"),
        NOTE.replace('\u{2014}', "-"),
        NOTE.replace("PeterNeumann ", "Peter+Neumann "),
        NOTE.replace("PeterNeumann ", " "),
        NOTE.replace("answer", "ans\twer"),
        NOTE.trim_end().to_owned(),
        format!("{NOTE}\n"),
    ] {
        assert_eq!(Note::parse(&bad), None, "{bad}");
    }
    for bad in [
        VKEY.replace("c74f20a3", "c74f20a4"),
        VKEY.replace("PeterNeumann", "PeterNeuman"),
        VKEY.replace("+ARpc", "+AQpc"),
        VKEY.replace("c74f20a3", "+74f20a3"),
    ] {
        assert_eq!(VerifierKey::parse(&bad), None, "{bad}");
    }
    // Of one name, or of one id, but not of this key.
    let mut foreign = note.clone();
    foreign.signatures[0].name = "Somebody".to_owned();
    assert_eq!(verify(&foreign, &key), None);
}

/// The checkpoint of <https://c2sp.org/tlog-cosignature>, and the message that its text says is signed.
#[test]
fn a_cosignature_is_over_the_time_and_the_checkpoint() {
    let text =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let line = "\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    let published = Note::parse(&format!("{text}\n{line}")).unwrap();
    let (time, signature) = witness::cosignature(&published.signatures[0]).unwrap();
    assert_eq!((time, signature.len()), (1_679_315_147, 64));
    assert_eq!(
        witness::cosigned(time, text),
        format!("cosignature/v1\ntime 1679315147\n{text}")
    );
    let mut note = Note {
        text: text.to_owned(),
        signatures: Vec::new(),
    };
    let line = cosign(&note, "witness.example/w", &[7; 32], 1);
    witness::add(&mut note, line);
    let line = cosign(&note, "witness.example/w", &[7; 32], 2);
    witness::add(&mut note, line);
    let key = VerifierKey {
        name: "witness.example/w".to_owned(),
        kind: KeyKind::Cosignature,
        public_key: public_key(&[7; 32]),
    };
    assert_eq!(
        note.signatures.len(),
        1,
        "a newer one takes the older one's place"
    );
    assert_eq!(verify(&note, &key), Some(Some(2)));
    note.signatures[0].bytes[7] ^= 1;
    assert_eq!(verify(&note, &key), None, "the time is signed");
}

#[test]
fn a_log_has_its_own_name_under_one_key() {
    let key = signing_key("gate.example/audit", [9; 32]);
    let note = sign("text\n".to_owned(), &key, "acme").unwrap();
    let public = key.of_log("acme", public_key(&[9; 32])).unwrap();
    assert_eq!(public.name, "gate.example/audit/acme");
    assert_eq!(verify(&note, &public), Some(None));
    let other = key.of_log("other", public_key(&[9; 32])).unwrap();
    assert_eq!(verify(&note, &other), None);
    assert_eq!(key.of_log("acme", public_key(&[8; 32])), None);
}

/// The origin is the first line of what is signed: a name of several lines would be a head of somebody's choice.
#[test]
fn a_key_signs_for_a_tenant_and_for_nothing_else() {
    let key = signing_key("gate.example/audit", [9; 32]);
    let origin = |tenant: &str| key.origin(tenant);
    assert_eq!(origin("acme").unwrap(), "gate.example/audit/acme");
    assert_eq!(origin("_").unwrap(), "gate.example/audit/_");
    let long = "a".repeat(65);
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    for tenant in [
        "",
        "acme ",
        "Acme",
        "acme/x",
        &long,
        &format!("acme\n7\n{root}"),
    ] {
        assert_eq!(origin(tenant), None, "{tenant:?}");
        assert_eq!(key.of_log(tenant, public_key(&[9; 32])), None, "{tenant:?}");
        assert_eq!(sign("text\n".to_owned(), &key, tenant), None, "{tenant:?}");
    }
}
