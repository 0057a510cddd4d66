//! A tree's head as a note's text: <https://c2sp.org/tlog-checkpoint>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Hash;

/// The head of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log it is: the name of its key.
    pub origin: String,
    pub size: u64,
    pub root: Hash,
}

impl Checkpoint {
    /// Three lines. There are no extensions: nobody who watches the log could check them.
    pub fn to_text(&self) -> String {
        let root = STANDARD.encode(self.root);
        format!("{}\n{}\n{root}\n", self.origin, self.size)
    }

    /// Reads a note's text; extension lines are passed over. `None`: it is no checkpoint.
    pub fn parse(text: &str) -> Option<Checkpoint> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let is_sound = !origin.is_empty() && lines.all(|line| !line.is_empty());
        is_sound.then_some(())?;
        Some(Checkpoint {
            origin: origin.to_owned(),
            size: parse_size(size)?,
            root: STANDARD.decode(root).ok()?.try_into().ok()?,
        })
    }
}

/// A number without leading zeroes, signs or spaces.
pub(super) fn parse_size(text: &str) -> Option<u64> {
    let size: u64 = text.parse().ok()?;
    (size.to_string() == text).then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    const TEXT: &str =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn one_text_for_each_head() {
        let checkpoint = Checkpoint::parse(TEXT).unwrap();
        assert_eq!(checkpoint.origin, "example.com/behind-the-sofa");
        assert_eq!(checkpoint.size, 20_852_163);
        assert_eq!(checkpoint.to_text(), TEXT);
        let extended = format!("{TEXT}an extension\n");
        assert_eq!(Checkpoint::parse(&extended), Some(checkpoint));
        for bad in [
            String::new(),
            TEXT.trim_end().to_owned(),
            TEXT.replace("20852163", "020852163"),
            TEXT.replace("20852163", "+20852163"),
            TEXT.replace("20852163", "-1"),
            TEXT.replace("20852163", "99999999999999999999"),
            TEXT.replace("CsU", "AACsU"),
            TEXT.replace("q2I=", "q2I"),
            TEXT.replace("example.com/behind-the-sofa", ""),
            format!("{TEXT}\n"),
        ] {
            assert_eq!(Checkpoint::parse(&bad), None, "{bad:?}");
        }
    }
}
