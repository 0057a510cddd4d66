//! What of a stranger's text may stand in a record: bounded, and nothing that could be a credential.
//!
//! Senders put tokens into paths, names of headers and user agents, by mistake or because somebody told them
//! to. What is random cannot be told from a word with certainty. So only what looks like a word is shown; the
//! query string never is, and of a header the name alone.

use std::net::IpAddr;

use crate::event::REDACTED;

/// No word of a product is as long, and every token is longer.
const RUN_MAX: usize = 19;
const WORD_BYTES_MAX: usize = 48;
/// The longest words of headers' names are `synchronization` and `acknowledgement`.
const LETTERS_MAX: usize = 15;
/// `v2`, `x-amz-content-sha256`, `2026`. A token in hexadecimal or in base 36 has more.
const DIGITS_MAX: usize = 4;
/// So many letters without a vowel are an abbreviation (`https`), and more are none.
const CONSONANTS_MAX: usize = 5;
/// Groups that could be hexadecimal: a word has one (`add`, `cafe`) or two, an identifier with separators more.
const HEX_GROUPS_MAX: usize = 2;
/// What providers begin their keys with, where a separator follows: Stripe, GitHub, GitLab, Slack, Shopify, npm,
/// PyPI, DigitalOcean, Hugging Face, Svix, SendGrid.
const KEY_PREFIXES: [&str; 24] = [
    "sk",
    "pk",
    "rk",
    "ghp",
    "gho",
    "ghu",
    "ghs",
    "ghr",
    "github_pat",
    "glpat",
    "xoxa",
    "xoxb",
    "xoxe",
    "xoxp",
    "xoxr",
    "xoxs",
    "xapp",
    "shpat",
    "shpss",
    "npm",
    "pypi",
    "dop",
    "hf",
    "whsec",
];
const PATH_BYTES_MAX: usize = 160;
const USER_AGENT_BYTES_MAX: usize = 200;
/// Letters and digits of a product with its version. A UUID and the keys of clouds have more.
const PRODUCT_CHARACTERS_MAX: usize = 24;
const HEADER_NAMES_MAX: usize = 64;
/// The longest name of a member that a sample shows.
const MEMBER_BYTES_MAX: usize = 32;

/// A path, with what is no word replaced. `is_known`: it is one of a source's own, which stand in the
/// configuration.
pub fn path(path: &str, is_known: bool) -> String {
    let mut shown = String::new();
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            shown.push('/');
        }
        let is_name = is_known && index <= 2;
        if shown.len() + segment.len() > PATH_BYTES_MAX {
            shown.push_str(REDACTED);
            break;
        }
        shown.push_str(if is_name || is_word(segment) {
            segment
        } else {
            REDACTED
        });
    }
    shown
}

/// Names of headers, one a line.
pub fn header_names(lines: &str) -> Vec<&str> {
    let names = lines.lines().take(HEADER_NAMES_MAX);
    names
        .map(|name| if is_word(name) { name } else { REDACTED })
        .collect()
}

/// A user agent, without words that could be tokens.
pub fn user_agent(text: &str) -> String {
    let mut shown = String::new();
    for word in text.split(' ') {
        let word = if is_product(word) { word } else { REDACTED };
        if shown.len() + word.len() > USER_AGENT_BYTES_MAX {
            break;
        }
        if !shown.is_empty() {
            shown.push(' ');
        }
        shown.push_str(word);
    }
    shown
}

/// Neither a pair of a name and a value, nor an address with a query or a password, nor as long as a token.
fn is_product(word: &str) -> bool {
    let characters = word.bytes().filter(u8::is_ascii_alphanumeric).count();
    let is_mixed = word
        .bytes()
        .any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    word.bytes().all(|byte| byte.is_ascii_graphic())
        && !word.contains(['=', '@', '?'])
        && longest_run(word) <= RUN_MAX
        && !(is_mixed && characters > PRODUCT_CHARACTERS_MAX)
}

/// The network of a client's address: its first 24 bits, or 48 of IPv6. `None`: it is no address.
pub fn network(address: &str) -> Option<String> {
    Some(match address.parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(address) => {
            let [one, two, three, _] = address.octets();
            format!("{one}.{two}.{three}.0/24")
        }
        IpAddr::V6(address) => {
            let [one, two, three, ..] = address.segments();
            format!("{one:x}:{two:x}:{three:x}::/48")
        }
    })
}

/// How the beginning of a body is built: each letter as `a`, each digit as `0`, and of JSON the members' names.
/// It tells a byte order mark, line ends, indentation and the order of members, and no value.
pub fn sample(bytes: &[u8]) -> String {
    let mut shown = String::new();
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let is_quote = *first == b'"' && !shown.ends_with('\\');
        if let Some(name) = is_quote.then(|| member(after)).flatten() {
            shown.push('"');
            shown.push_str(name);
            rest = after.get(name.len()..).unwrap_or_default();
            continue;
        }
        shown.push(match *first {
            b'a'..=b'z' | b'A'..=b'Z' => 'a',
            b'0'..=b'9' => '0',
            b'\t' | b'\r' | b'\n' | b' '..=b'~' => char::from(*first),
            _ => '?',
        });
        rest = after;
    }
    shown
}

/// The name that a quote begins, if it is one of a JSON member and a plain word.
fn member(after_quote: &[u8]) -> Option<&str> {
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    let end = after_quote.iter().position(|byte| !is_letter(byte))?;
    let (name, rest) = after_quote.split_at_checked(end)?;
    let mut rest = rest.strip_prefix(b"\"")?.iter();
    let follows = rest.find(|byte| !byte.is_ascii_whitespace())?;
    let is_name = *follows == b':' && (1..=MEMBER_BYTES_MAX).contains(&name.len());
    let name = std::str::from_utf8(name).ok().filter(|_| is_name)?;
    is_word(&separated(name)).then_some(name)
}

/// `createdAt` as `created-at`.
fn separated(name: &str) -> String {
    let mut words = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            words.push('-');
        }
        words.push(character.to_ascii_lowercase());
    }
    words
}

/// What people call things: groups of letters with few digits behind them. No rule can know every token from every word:
/// one of a few lower-case letters that can be spoken passes.
fn is_word(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_separator = |character| matches!(character, '-' | '_' | '.');
    let is_key = |prefix: &&str| {
        let rest = text.strip_prefix(*prefix);
        rest.is_some_and(|rest| rest.starts_with(is_separator))
    };
    let mut groups = text.split(is_separator);
    let is_hex =
        |group: &&str| group.len() > 1 && group.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.len() <= WORD_BYTES_MAX
        && digits <= DIGITS_MAX
        && !KEY_PREFIXES.iter().any(is_key)
        && groups.clone().filter(is_hex).count() <= HEX_GROUPS_MAX
        && groups.all(is_group)
}

/// Lower-case letters that can be spoken, and then digits.
fn is_group(group: &str) -> bool {
    let letters = group.trim_end_matches(|character: char| character.is_ascii_digit());
    let mut without_vowel = letters.split(['a', 'e', 'i', 'o', 'u', 'y']);
    letters.len() <= LETTERS_MAX
        && letters.bytes().all(|byte| byte.is_ascii_lowercase())
        && without_vowel.all(|part| part.len() <= CONSONANTS_MAX)
}

/// The most letters and digits in a row.
fn longest_run(text: &str) -> usize {
    let runs = text.split(|character: char| !character.is_ascii_alphanumeric());
    runs.map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the kinds that providers give out.
    const TOKENS: [&str; 16] = [
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        "550e8400-e29b-41d4-a716-446655440000",
        "AKIAIOSFODNN7EXAMPLE",
        "aB3dE5gH7jK9mN1p",
        "xoxb-17653672481-19874698323",
        "sk_live_abcdefghijklmno",
        "sk_test_tokenofletters",
        "whsec_letters.only",
        "ghp_mnopqrstuvwxyza",
        "github_pat_letters",
        "de-ad-be-ef-ca-fe",
        "deadbeef-cafe-face-feed-facade",
        "qwrtzpsdfgh",
        "ab1cd2ef",
        "abcdefghijklmnopq",
    ];

    /// Every one of them stands in a scheme or in a proxy's requests.
    #[test]
    fn what_senders_call_things_is_shown() {
        for word in [
            "x-amz-content-sha256",
            "x-twilio-email-event-webhook-signature",
            "strict-transport-security",
            "cf-connecting-ip",
            "x-b3-traceid",
            "x-hub-signature-256",
            "svix-id",
            "x-goog-resource-state",
            "upgrade-insecure-requests",
            "x-koogallery-token",
            "v2",
            "oauth2",
            "shop-2026",
            "https",
            "add-face",
            "",
        ] {
            assert!(is_word(word), "{word}");
        }
    }

    #[test]
    fn a_path_shows_words_only() {
        assert_eq!(path("/hooks/githb", false), "/hooks/githb");
        assert_eq!(path("/hooks/shop-2026/v2", true), "/hooks/shop-2026/v2");
        assert_eq!(path("/", false), "/");
        for token in TOKENS {
            let shown = path(&format!("/hooks/{token}/x"), false);
            assert_eq!(shown, "/hooks/hookgate-redacted/x", "{token}");
            let shown = path(&format!("/hooks/github/{token}"), true);
            assert_eq!(shown, "/hooks/github/hookgate-redacted", "{token}");
        }
        assert_eq!(
            path("/%2e%2e/a b", false),
            "/hookgate-redacted/hookgate-redacted"
        );
        let long = path(&"/abc".repeat(1_000), false);
        assert!(long.len() < 200 && long.ends_with(REDACTED), "{long}");
    }

    #[test]
    fn names_of_headers_are_bounded() {
        let names =
            header_names("content-type\nx-amz-content-sha256\n4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(names, ["content-type", "x-amz-content-sha256", REDACTED]);
        assert_eq!(header_names(&"a\n".repeat(1_000)).len(), HEADER_NAMES_MAX);
        assert_eq!(header_names(&"a".repeat(1_000)), [REDACTED]);
    }

    #[test]
    fn a_user_agent_shows_products_and_no_tokens() {
        let known = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Shopify-Captain-Hook";
        assert_eq!(user_agent(known), known);
        assert_eq!(
            user_agent("curl/8 4bf92f3577b34da6a3ce929d0e0e4736 end\u{7}"),
            "curl/8 hookgate-redacted hookgate-redacted"
        );
        assert!(user_agent(&"word ".repeat(1_000)).len() <= USER_AGENT_BYTES_MAX);
        let bot = "shop-bot/2.1 (+https://developers.shop.example/webhooks/agents)";
        assert_eq!(user_agent(bot), bot);
        for token in [
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "550e8400-e29b-41d4-a716-446655440000",
            "YWxpY2U6aHVudGVyMg==",
            "password=hunter2",
            "(+https://alice:S3cr3tPw@shop.example/)",
            "https://shop.example/?aB3dE5",
        ] {
            assert_eq!(user_agent(token), REDACTED, "{token}");
        }
    }

    #[test]
    fn a_network_is_not_an_address() {
        for (address, expected) in [
            ("203.0.113.77", Some("203.0.113.0/24")),
            ("2001:db8:1:2:3:4:5:6", Some("2001:db8:1::/48")),
            ("::1", Some("0:0:0::/48")),
            ("::ffff:203.0.113.77", Some("203.0.113.0/24")),
            ("203.0.113", None),
            ("", None),
        ] {
            assert_eq!(network(address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn a_sample_shows_how_a_body_is_built_and_no_value() {
        let body =
            "\u{feff}{\"id\" : 12,\r\n \"token\":\"aB3:9\", \"4bf92f\":null, \"a\\\"b\":\"c\"}";
        assert_eq!(
            sample(body.as_bytes()),
            "???{\"id\" : 00,\r\n \"token\":\"aa0:0\", \"0aa00a\":aaaa, \"a\\\"a\":\"a\"}"
        );
        assert_eq!(sample(b"{\"createdAt\":7}"), "{\"createdAt\":0}");
        assert_eq!(sample(b"token=s3cret&x"), "aaaaa=a0aaaa&a");
        assert_eq!(sample(b"\"unfinished"), "\"aaaaaaaaaa");
        for token in TOKENS {
            let shown = sample(format!("{{\"{token}\":\"{token}\"}}").as_bytes());
            assert!(!shown.contains(token), "{shown}");
        }
    }
}
