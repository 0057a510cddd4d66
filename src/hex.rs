//! Bytes as hex digits (RFC 4648, section 8): read in either case, written in lower case.

/// Decodes hex of either case. `None`: a character is no digit, or one has no partner.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| Some(digit_value(*high)? << 4 | digit_value(*low)?))
        .collect()
}

/// Lower-case hex.
pub fn encode(bytes: &[u8]) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digit = |four_bits: u8| HEX[usize::from(four_bits)];
    let digits = bytes
        .iter()
        .map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    // ASCII is UTF-8.
    String::from_utf8(digits.collect::<Vec<_>>().into_flattened()).unwrap_or_default()
}

/// The value of a digit of either case.
pub fn digit_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_comes_back() {
        assert_eq!(decode(b"00fFa1").as_deref(), Some(&[0, 255, 161][..]));
        assert_eq!(encode(&[0, 255, 161]), "00ffa1");
        assert_eq!((decode(b"0"), decode(b"0g")), (None, None));
    }
}
