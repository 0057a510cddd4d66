//! The log as files: <https://c2sp.org/tlog-tiles>.
//!
//! ```text
//! checkpoint                 the signed head
//! tile/<level>/<index>       256 hashes, one after the other
//! tile/entries/<index>       256 entries, each behind its length
//! …/<index>.p/<width>        the last one, as far as the tree of some checkpoint goes
//! ```

use super::Hash;
use super::merkle::{leaf_hash, node_hash};

/// Hashes in a full tile, and entries in a full bundle.
pub const WIDTH: u64 = 256;
/// Heights of the tree in a tile.
pub const HEIGHT: u32 = 8;
const _: () = assert!(1 << HEIGHT == WIDTH);
/// An entry stands behind a length of two bytes.
pub const ENTRY_BYTES_MAX: usize = 65_535;
/// The name of a log's checkpoint.
pub const CHECKPOINT: &str = "checkpoint";

/// Consecutive hashes of one level: up to 256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    pub level: u8,
    pub index: u64,
    pub hashes: Vec<Hash>,
}

impl Tile {
    pub(super) fn new(level: u8, index: u64) -> Self {
        Tile {
            level,
            index,
            hashes: Vec::new(),
        }
    }

    /// The hash that stands for it in the level above: only a full tile has one.
    pub fn root(&self) -> Option<Hash> {
        if self.hashes.len() as u64 != WIDTH {
            return None;
        }
        let mut hashes = self.hashes.clone();
        while hashes.len() > 1 {
            let (pairs, _) = hashes.as_chunks::<2>();
            hashes = pairs
                .iter()
                .map(|[left, right]| node_hash(left, right))
                .collect();
        }
        hashes.first().copied()
    }
}

/// A file of the log besides its checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct File {
    pub of: Kind,
    pub index: u64,
    /// 1 to 256.
    pub width: u64,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Hashes { level: u8 },
    Entries,
}

impl File {
    /// Its path below the log's prefix.
    pub fn path(&self) -> String {
        let index = spell(self.index);
        let end = match self.width {
            WIDTH => String::new(),
            width => format!(".p/{width}"),
        };
        match self.of {
            Kind::Hashes { level } => format!("tile/{level}/{index}{end}"),
            Kind::Entries => format!("tile/entries/{index}{end}"),
        }
    }

    /// The file of a path. There is one spelling for each.
    pub fn parse(path: &str) -> Option<File> {
        let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let of = match kind {
            "entries" => Kind::Entries,
            level => Kind::Hashes {
                level: level.parse().ok().filter(|level| *level < 64)?,
            },
        };
        let (index, width) = match rest.split_once(".p/") {
            None => (rest, WIDTH),
            Some((index, width)) => (index, width.parse().ok()?),
        };
        let mut digits = String::new();
        for part in index.split('/') {
            digits.push_str(part.strip_prefix('x').unwrap_or(part));
        }
        let index = digits.parse().ok()?;
        let file = File { of, index, width };
        (width > 0 && width <= WIDTH && file.path() == path).then_some(file)
    }
}

/// Groups of three digits, all but the last behind an x.
fn spell(index: u64) -> String {
    let digits = index.to_string();
    let digits = format!("{digits:0>width$}", width = digits.len().div_ceil(3) * 3);
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place % 3 == 0 {
            if place > 0 {
                text.push('/');
            }
            if place + 3 < digits.len() {
                text.push('x');
            }
        }
        text.push(digit);
    }
    text
}

/// The files that a tree of size `to` has and one of size `from` has not, entries first: whoever sees a hash
/// can read what it is of.
pub fn files(from: u64, to: u64) -> Vec<File> {
    let mut files = Vec::new();
    let mut add = |of, from: u64, to: u64| {
        for index in from / WIDTH..to.div_ceil(WIDTH) {
            let width = WIDTH.min(to - index * WIDTH);
            files.push(File { of, index, width });
        }
    };
    if from < to {
        add(Kind::Entries, from, to);
    }
    let (mut level, mut from, mut to) = (0, from, to);
    while from < to {
        add(Kind::Hashes { level }, from, to);
        (level, from, to) = (level + 1, from / WIDTH, to / WIDTH);
    }
    files
}

/// Puts an entry behind others. False: it is too long, and nothing was put there.
#[must_use]
pub fn put_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> bool {
    let Ok(length) = u16::try_from(entry.len()) else {
        return false;
    };
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    true
}

/// The entries of a bundle. `None`: it is none.
pub fn entries(bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    let mut rest = bundle;
    while !rest.is_empty() {
        let (length, behind) = rest.split_first_chunk::<2>()?;
        let (entry, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        rest = behind;
    }
    Some(entries)
}

/// The hashes of a tile. `None`: it is none.
pub fn hashes(tile: &[u8]) -> Option<&[Hash]> {
    let (hashes, rest) = tile.as_chunks::<32>();
    rest.is_empty().then_some(hashes)
}

/// The hashes that stand for the entries of a bundle in the tree.
pub fn leaves<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Vec<Hash> {
    entries.into_iter().map(leaf_hash).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        let path = |of, index, width| File { of, index, width }.path();
        // The specification's own example.
        assert_eq!(
            path(Kind::Hashes { level: 0 }, 1_234_067, WIDTH),
            "tile/0/x001/x234/067"
        );
        assert_eq!(path(Kind::Entries, 0, 5), "tile/entries/000.p/5");
        assert_eq!(path(Kind::Hashes { level: 2 }, 999, 1), "tile/2/999.p/1");
        assert_eq!(path(Kind::Entries, 1_000, WIDTH), "tile/entries/x001/000");
        for index in [0, 1, 999, 1_000, 123_456, 999_999_999, u64::MAX] {
            let file = File {
                of: Kind::Entries,
                index,
                width: 255,
            };
            assert_eq!(File::parse(&file.path()), Some(file));
        }
        for bad in [
            "",
            "checkpoint",
            "tile/0",
            "tile/0/1",
            "tile/0/0001",
            "tile/0/001/002",
            "tile/0/x001",
            "tile/00/001",
            "tile/64/001",
            "tile/entries/001.p/0",
            "tile/entries/001.p/256",
            "tile/entries/001.p/05",
            "tile/entries/../001",
            "tile/data/001",
        ] {
            assert_eq!(File::parse(bad), None, "{bad}");
        }
    }

    /// Its paragraph on partial tiles: a tree of 70,000, and one of 256.
    #[test]
    fn a_tree_has_the_files_of_the_specification() {
        let count = |size, of, is_full: bool| {
            let matches = |file: &File| file.of == of && (file.width == WIDTH) == is_full;
            files(0, size)
                .into_iter()
                .filter(matches)
                .collect::<Vec<_>>()
        };
        let level = |level| Kind::Hashes { level };
        assert_eq!(count(70_000, level(0), true).len(), 273);
        assert_eq!(count(70_000, level(0), false)[0].width, 112);
        assert_eq!(count(70_000, level(1), true).len(), 1);
        assert_eq!(count(70_000, level(1), false)[0].width, 17);
        assert_eq!(count(70_000, level(2), false)[0].width, 1);
        assert_eq!(count(70_000, Kind::Entries, true).len(), 273);
        assert_eq!(count(256, level(0), true).len(), 1);
        assert_eq!(count(256, level(1), false)[0].width, 1);
        assert_eq!(files(0, 0), []);
        assert_eq!(files(300, 300), []);
    }

    #[test]
    fn bundles_come_back_and_broken_ones_do_not() {
        let mut bundle = Vec::new();
        for entry in [&b"one"[..], b"", &[7; ENTRY_BYTES_MAX]] {
            assert!(put_entry(&mut bundle, entry));
        }
        assert!(!put_entry(&mut bundle, &[7; ENTRY_BYTES_MAX + 1]));
        let found = entries(&bundle).unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!((found[0], found[1]), (&b"one"[..], &b""[..]));
        assert_eq!(entries(&bundle[..bundle.len() - 1]), None);
        assert_eq!(entries(&[0]), None);
        assert_eq!(hashes(&[0; 33]), None);
    }
}
