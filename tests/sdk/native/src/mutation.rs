//! What is done to a signed request.

use crate::{Chance, Request};

/// One change, so that a disagreement can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    BodyByte,
    BodyLonger,
    BodyShorter,
    OtherSecret,
    HeaderCharacter,
    HeaderLonger,
    HeaderShorter,
    HeaderCase,
    HeaderTwice,
    HeaderGone,
    HeaderEmpty,
    ItemBefore,
    ItemBehind,
    Space,
}

const ALL: [Mutation; 14] = [
    Mutation::BodyByte,
    Mutation::BodyLonger,
    Mutation::BodyShorter,
    Mutation::OtherSecret,
    Mutation::HeaderCharacter,
    Mutation::HeaderLonger,
    Mutation::HeaderShorter,
    Mutation::HeaderCase,
    Mutation::HeaderTwice,
    Mutation::HeaderGone,
    Mutation::HeaderEmpty,
    Mutation::ItemBefore,
    Mutation::ItemBehind,
    Mutation::Space,
];

/// Pieces of the headers that the schemes read, right and wrong.
const ITEMS: [&str; 16] = [
    "v1=",
    "v1,",
    "v0=",
    "v1",
    "t=",
    "t=1",
    "=",
    ",",
    " ",
    ";",
    "sha256=",
    "sha256=00",
    "v1=zz",
    "v1,AAAA",
    "v2,AAAA",
    "v1a,AAAA",
];
const CHARACTERS: &[u8] = b"0123456789abcdefABCDEFxyz+/=-_., ;:v\t";

/// Makes one change to the request. What a server would not let through (control characters, white
/// space at the ends of a header) is not made.
pub fn mutate(request: &mut Request, others: &[String], chance: &mut Chance) -> Mutation {
    let mutation = *chance.one(&ALL);
    let length = request.body.len();
    // The header of the type is not looked at.
    let count = request.headers.len();
    let at = 1 + chance.below(count.max(2) - 1);
    match mutation {
        Mutation::BodyByte if length > 0 => {
            let at = chance.below(length);
            request.body[at] = request.body[at].wrapping_add(1 + chance.below(255) as u8);
        }
        Mutation::BodyByte | Mutation::BodyLonger => {
            let byte = chance.number() as u8;
            request.body.insert(chance.below(length + 1), byte);
        }
        Mutation::BodyShorter => {
            request.body.pop();
        }
        Mutation::OtherSecret => request.secret.clone_from(chance.one(others)),
        Mutation::HeaderGone if at < count => {
            request.headers.remove(at);
        }
        Mutation::HeaderGone => {}
        Mutation::HeaderCharacter => on(request, at, chance, |value, place, chance| {
            if place < value.len() {
                value[place] = *chance.one(CHARACTERS);
            }
        }),
        Mutation::HeaderLonger => on(request, at, chance, |value, place, chance| {
            value.insert(place, *chance.one(CHARACTERS));
        }),
        Mutation::HeaderShorter => on(request, at, chance, |value, place, _| {
            if place < value.len() {
                value.remove(place);
            }
        }),
        Mutation::HeaderCase => on(request, at, chance, |value, _, _| {
            for byte in value.iter_mut() {
                *byte ^= if byte.is_ascii_alphabetic() { 0x20 } else { 0 };
            }
        }),
        // As servers hand over a header that came twice.
        Mutation::HeaderTwice => on(request, at, chance, |value, _, _| {
            let again = value.clone();
            value.extend_from_slice(b", ");
            value.extend(again);
        }),
        Mutation::HeaderEmpty => on(request, at, chance, |value, _, _| value.clear()),
        Mutation::ItemBefore => on(request, at, chance, |value, _, chance| {
            let item = chance.one(&ITEMS);
            let between = *chance.one(b", ");
            value.splice(0..0, item.bytes().chain([between]));
        }),
        Mutation::ItemBehind => on(request, at, chance, |value, _, chance| {
            value.push(*chance.one(b", "));
            value.extend(chance.one(&ITEMS).bytes());
        }),
        Mutation::Space => on(request, at, chance, |value, place, _| {
            value.insert(place, b' ')
        }),
    }
    mutation
}

fn on(
    request: &mut Request,
    at: usize,
    chance: &mut Chance,
    change: impl Fn(&mut Vec<u8>, usize, &mut Chance),
) {
    let Some((_, value)) = request.headers.get_mut(at) else {
        return;
    };
    let mut bytes = value.clone().into_bytes();
    let place = chance.below(bytes.len() + 1);
    change(&mut bytes, place, chance);
    let changed = String::from_utf8_lossy(&bytes);
    *value = changed.trim_matches([' ', '\t']).to_owned();
}
