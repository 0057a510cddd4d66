//! What stands in heads: what is read can be written again, and is read alike.

use hookgate::admin::door::Settings;
use hookgate::admin::operators::{line_of, token};
use hookgate::admin::{Command, Door, Knock};
use hookgate::cloudevents;
use hookgate::dead::is_letter_id;
use hookgate::request::{Head, decode_pairs, decode_percent, encode_pairs, encode_percent};
use hookgate::scheme::TimeUnit;
use hookgate::{retry, time, trace};

use crate::input;
use crate::support::NOW_MS;

const UNITS: [TimeUnit; 6] = [
    TimeUnit::Seconds,
    TimeUnit::Milliseconds,
    TimeUnit::CompactUtc,
    TimeUnit::BasicUtc,
    TimeUnit::Rfc3339,
    TimeUnit::HttpDate,
];

pub fn holds(bytes: &[u8]) {
    let text = input::text(bytes);
    for line in text.lines() {
        of_a_value(line);
    }
    pairs(bytes);
    let head = Head::from_lines(&text);
    let _ = (cloudevents::mode(&head), cloudevents::is_text(&head));
    for (name, _) in head.headers() {
        if let Some(attribute) = name.strip_prefix("ce-")
            && let Some(value) = head.header(name)
            && let Ok(read) = cloudevents::attribute(&head, attribute)
        {
            // Decoding never makes a text longer.
            assert!(read.len() <= value.len(), "{value:?} is read as {read:?}");
        }
    }
    let token = token([7; 32]);
    let admins = line_of("ana", "operate", "*", &token);
    let settings = Settings {
        admins,
        ..Settings::default()
    };
    let door = Door::bring_up("test", settings);
    assert!(
        !matches!(door.knock(&head), Knock::Token(_)) || text.contains(&token),
        "an operator without the token"
    );
    if let Some(Command::Show { id } | Command::Content { id } | Command::Redrive { id }) =
        Command::parse(&head)
    {
        assert!(
            is_letter_id(&id),
            "{id:?} would be a part of an archive key"
        );
    }
}

fn of_a_value(value: &str) {
    for unit in UNITS {
        if let Some(ms) = time::parse(value, unit) {
            assert!((0..=253_402_300_799_999).contains(&ms), "{value:?}: {ms}");
            let written = time::format(ms, unit);
            assert_eq!(time::parse(&written, unit), Some(ms), "{value:?}, {unit:?}");
            // One spelling for one time; of RFC 3339's fraction the zeroes may be left out.
            if unit != TimeUnit::Rfc3339 {
                assert_eq!(written, value, "{unit:?}");
            }
        }
    }
    let _ = time::parse_http_date(value);
    let _ = retry::retry_after_seconds(value, NOW_MS);
    let made = trace::continue_or_start(Some(value), &[7; 24]);
    let plain = made
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    assert!(made.len() == 55 && plain, "{value:?} becomes {made:?}");
    assert_eq!(trace::continue_or_start(Some(&made), &[7; 24]), made);
    if let Ok(decoded) = decode_percent(value) {
        assert_eq!(
            decode_percent(&encode_percent(&decoded)).as_ref(),
            Ok(&decoded)
        );
    }
}

fn pairs(bytes: &[u8]) {
    let Ok(mut read) = decode_pairs(bytes) else {
        return;
    };
    let again = decode_pairs(encode_pairs(&read).as_bytes());
    assert_eq!(again.as_ref(), Ok(&read));
    // The other reader repairs what ours refuses, and what ours takes it reads alike.
    let other: Vec<(String, String)> = url::form_urlencoded::parse(bytes).into_owned().collect();
    read.retain(|(name, value)| !(name.is_empty() && value.is_empty()));
    let mut other = other;
    other.retain(|(name, value)| !(name.is_empty() && value.is_empty()));
    assert_eq!(read, other);
}
