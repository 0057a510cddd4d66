//! Somebody else who remembers the log: <https://c2sp.org/tlog-witness>.
//!
//! A witness signs a head only if it has been shown that nothing of the heads it signed before has changed.
//! So a history that is rewritten, by whoever has the log's key, is one that it never signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Hash;
use super::checkpoint::parse_size;
use super::note::{Note, Signature, VerifierKey};

/// The path of the call below the witness's URL.
pub const ADD_CHECKPOINT: &str = "/add-checkpoint";

/// What a witness answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Its line, still to be verified.
    Cosigned(Signature),
    /// It knows the log up to this size.
    Knows(u64),
    /// It has seen another history.
    Contradicts,
    /// It was not told of this log, or not of its key: nothing is said about the history.
    Unknown,
    /// It has not signed, is out of order, or something between it and here is.
    Failed,
}

/// The body of the request: from the size that the witness knows to the note's.
pub fn request(old: u64, proof: &[Hash], note: &str) -> String {
    let mut text = format!("old {old}\n");
    for hash in proof {
        text.push_str(&STANDARD.encode(hash));
        text.push('\n');
    }
    text + "\n" + note
}

/// Reads an answer. `old` and `size` are what was to be proved, and `key` is the witness's. What each status says:
/// <https://c2sp.org/tlog-witness>, "add-checkpoint".
pub fn reply(status: u16, body: &str, old: u64, size: u64, key: &VerifierKey) -> Reply {
    match status {
        200 => {
            let id = key.id();
            let mut lines = body.lines().filter_map(Signature::parse);
            let own = lines.find(|line| line.key_id == id && line.name == key.name);
            own.map_or(Reply::Failed, Reply::Cosigned)
        }
        409 => match body.strip_suffix('\n').and_then(parse_size) {
            Some(known) if known != old => Reply::Knows(known),
            // The same size under another root.
            _ if old == size => Reply::Contradicts,
            // It would have said which size it knows: this is somebody between it and here.
            _ => Reply::Failed,
        },
        // The proof does not lead from the head that it signed to this one.
        422 => Reply::Contradicts,
        403 | 404 => Reply::Unknown,
        _ => Reply::Failed,
    }
}

/// A cosignature's time, in seconds since 1970, and the Ed25519 signature behind it.
pub fn cosignature(signature: &Signature) -> Option<(u64, &[u8])> {
    let (time, bytes) = signature.bytes.split_first_chunk::<8>()?;
    let time = u64::from_be_bytes(*time);
    (bytes.len() == 64 && i64::try_from(time).is_ok()).then_some((time, bytes))
}

/// What a witness signs (<https://c2sp.org/tlog-cosignature>): the time, and the note's text.
pub fn cosigned(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// Puts a cosignature into a note, in the place of an older one of the same key.
pub fn add(note: &mut Note, signature: Signature) {
    note.signatures.retain(|known| {
        (known.key_id, known.name.as_str()) != (signature.key_id, signature.name.as_str())
    });
    note.signatures.push(signature);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_history_is_a_contradiction() {
        let key = VerifierKey {
            name: "witness.example/w1".to_owned(),
            kind: crate::tlog::note::KeyKind::Cosignature,
            public_key: [1; 32],
        };
        for (status, body, old, expected) in [
            (409, "7\n", 5, Reply::Knows(7)),
            (409, "0\n", 5, Reply::Knows(0)),
            (409, "9\n", 9, Reply::Contradicts),
            (409, "", 9, Reply::Contradicts),
            (422, "", 5, Reply::Contradicts),
            (404, "", 5, Reply::Unknown),
            (403, "", 5, Reply::Unknown),
            (409, "", 5, Reply::Failed),
            (409, "<html>", 5, Reply::Failed),
            (409, "5\n", 5, Reply::Failed),
            (400, "", 5, Reply::Failed),
            (200, "", 5, Reply::Failed),
            (500, "", 5, Reply::Failed),
        ] {
            let told = reply(status, body, old, 9, &key);
            assert_eq!(told, expected, "{status} {body:?} {old}");
        }
        let own = Signature {
            name: key.name.clone(),
            key_id: key.id(),
            bytes: vec![0; 72],
        };
        let other = Signature {
            key_id: 1,
            ..own.clone()
        };
        let lines = other.to_line() + &own.to_line();
        assert_eq!(reply(200, &lines, 5, 9, &key), Reply::Cosigned(own));
        assert_eq!(reply(200, &other.to_line(), 5, 9, &key), Reply::Failed);
    }
}
