//! As much of DER (ITU-T X.690) as public keys and certificates need. Nothing here allocates more
//! than it was given, and every length is checked before it is used.

/// Tags that are read here (X.690, section 8).
pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const OBJECT_IDENTIFIER: u8 = 0x06;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;

/// One element: its tag, its content, and both with the length between them.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    pub whole: &'a [u8],
}

/// The elements of a content, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader(bytes)
    }

    /// `None`: nothing is left, or what is left is not DER.
    pub fn any(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        // Tags of more than one byte do not occur in certificates.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, after_first) = rest.split_first()?;
        let (length, header) = match first {
            0..=0x7f => (usize::from(first), 2),
            0x81..=0x83 => {
                let count = usize::from(first & 0x7f);
                let bytes = after_first.get(..count)?;
                let length = bytes
                    .iter()
                    .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
                // A length in more bytes than it needs would be a second spelling.
                let shortest = bytes[0] != 0 && length >= 0x80;
                (shortest.then_some(length)?, 2 + count)
            }
            _ => return None,
        };
        let whole = self.0.get(..header.checked_add(length)?)?;
        self.0 = &self.0[whole.len()..];
        Some(Element {
            tag,
            content: &whole[header..],
            whole,
        })
    }

    /// The next element, which must have this tag.
    pub fn tagged(&mut self, tag: u8) -> Option<Element<'a>> {
        self.any().filter(|element| element.tag == tag)
    }

    /// The next element's content, which is a list of elements.
    pub fn inside(&mut self, tag: u8) -> Option<Reader<'a>> {
        self.tagged(tag).map(|element| Reader(element.content))
    }

    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A non-negative integer's bytes without the zero that says so.
    pub fn unsigned(&mut self) -> Option<&'a [u8]> {
        match self.tagged(INTEGER)?.content {
            [0, rest @ ..] if rest.first().is_some_and(|byte| *byte >= 0x80) => Some(rest),
            [] | [0, _, ..] => None,
            [first, ..] if *first >= 0x80 => None,
            plain => Some(plain),
        }
    }
}

/// An element with this tag around `content`.
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    let bytes = length.to_be_bytes();
    match length {
        0..=0x7f => out.push(bytes[bytes.len() - 1]),
        _ => {
            let from = bytes.iter().position(|byte| *byte != 0).unwrap_or_default();
            out.push(0x80 | (bytes.len() - from) as u8);
            out.extend_from_slice(&bytes[from..]);
        }
    }
    out.extend_from_slice(content);
    out
}

/// A non-negative integer, given in big-endian bytes.
pub fn unsigned_element(bytes: &[u8]) -> Vec<u8> {
    let from = bytes.iter().position(|byte| *byte != 0);
    let digits = from.map_or(&[][..], |from| &bytes[from..]);
    let mut content = Vec::with_capacity(digits.len() + 1);
    if digits.first().is_none_or(|byte| *byte >= 0x80) {
        content.push(0);
    }
    content.extend_from_slice(digits);
    element(INTEGER, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000] {
            let content = vec![7; length];
            let written = element(SEQUENCE, &content);
            let mut reader = Reader::new(&written);
            assert_eq!(reader.tagged(SEQUENCE).unwrap().content, content);
            assert!(reader.is_empty());
        }
        for bytes in [&[][..], &[0], &[1], &[0x7f], &[0x80], &[0, 0, 0xff, 1]] {
            let written = unsigned_element(bytes);
            let number = |bytes: &[u8]| {
                bytes
                    .iter()
                    .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
            };
            let read = Reader::new(&written).unsigned().unwrap();
            assert_eq!(number(read), number(bytes));
        }
    }

    #[test]
    fn other_spellings_are_not_read() {
        for bytes in [
            &[0x30][..],
            &[0x30, 1],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x81, 1, 0],
            &[0x30, 0x82, 0, 0x81],
            &[0x30, 0x84, 0, 0, 0, 1, 0],
            &[0x3f, 0x81, 1, 0],
        ] {
            assert!(Reader::new(bytes).any().is_none(), "{bytes:x?}");
        }
        for bytes in [&[2, 0][..], &[2, 1, 0x80], &[2, 2, 0, 1]] {
            assert!(Reader::new(bytes).unsigned().is_none(), "{bytes:x?}");
        }
    }
}
