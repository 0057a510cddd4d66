//! Schemes under which one signature would be many events: each is refused, and its sound neighbour is taken.

use hookgate::config::{built_in, from_toml};
use hookgate::scheme::{IdentityRule, Place};

use super::SOURCES;

const OWN: &str = r#"
[schemes.own]
provider = "Own"
page = "https://example.com/"
algorithm = "hmac-sha256"
key = { encoding = "utf8" }
signature = { at = "header:x-signature", encoding = "hex" }
answer_by_ms = 3000
retry_horizon_seconds = 60
"#;

/// Names and values without anything between them.
const FORM: [&str; 2] = [
    "pins = { url = \"https://gate.example/hooks/shop\" }",
    r#"signed = ["url-and-form"]
identity = [{ digest = {} }]
pins = [{ name = "url" }]
"#,
];

/// Headers with their names, and the list of names among them.
const PAIRS: [&str; 2] = [
    "",
    r#"signed = ["named-headers", "literal:\n", "body"]
identity = [{ signed-id = "header:x-id" }]
named_headers = { at = "header:x-list", split = ",", join = ";", pair = ":", required = ["x-list", "x-id"] }
"#,
];

/// Values alone, behind the list of their names.
const VALUES: [&str; 2] = [
    "",
    r#"signed = ["header-names", "literal:.", "named-headers", "literal:.", "body"]
identity = [{ signed-id = "header:x-id" }]
named_headers = { at = "header:x-list", split = ",", join = ".", required = ["x-id"] }
"#,
];

const CHECKSUM: [&str; 2] = [
    "accept_weak_key = true",
    r#"signed = ["id", "literal:|", "crc32:body"]
id = "header:x-id"
identity = [{ signed-id = "header:x-id" }]
"#,
];

const SENDER: [&str; 2] = [
    "",
    r#"signed = ["time", "literal:."]
signs_sender_only = true
time = { at = "header:x-time", unit = "seconds", tolerance_seconds = 300, future_seconds = 60 }
identity = [{ digest = {} }]
"#,
];

fn read([of_source, of_scheme]: [&str; 2]) -> Result<Vec<String>, Vec<String>> {
    let sources = SOURCES.replace("tenant =", &format!("{of_source}\ntenant ="));
    let read = from_toml(&format!("{sources}{OWN}{of_scheme}"));
    read.map(|(_, findings)| findings.warnings)
}

#[test]
fn one_signature_is_one_event() {
    let unsigned = |place: &str| format!("`identity` uses \"{place}\", which is not signed");
    let crc = "\"crc32:body\" lets whoever has seen one message write other bodies for it";
    let line_feed = "\"literal:\\n\" must follow";
    for (sound, from, to, sentence) in [
        (
            FORM,
            "digest = {}",
            "signed-id = \"form:MessageSid\"",
            &*unsigned("form:MessageSid"),
        ),
        (
            FORM,
            "digest = {}",
            "signed-id = \"query:id\"",
            &*unsigned("query:id"),
        ),
        (
            FORM,
            "digest = {}",
            "signed-id = \"json:/id\"",
            &*unsigned("json:/id"),
        ),
        (
            FORM,
            "digest = {}",
            "digest = { with = [\"form:a\"] }",
            &*unsigned("form:a"),
        ),
        // Which headers are signed is as much of the message as their values are.
        (
            PAIRS,
            "\"x-list\", \"x-id\"",
            "\"x-id\"",
            "the list of names is not signed",
        ),
        (
            PAIRS,
            "at = \"header:x-list\"",
            "at = \"query:x-list\"",
            "the list of names is not signed",
        ),
        (
            VALUES,
            "\"header-names\", \"literal:.\", ",
            "",
            "the list of names is not signed",
        ),
        (
            VALUES,
            "split = \",\"",
            "split = \".\"",
            "`named_headers.split` and `join` have a character in common",
        ),
        (
            PAIRS,
            "split = \",\"",
            "split = \"; \"",
            "`named_headers.split` and `join` have a character in common",
        ),
        // What a value may hold ends no value.
        (PAIRS, "literal:\\n", "literal:.", line_feed),
        (
            PAIRS,
            "[\"named-headers\"",
            "[\"header-names\", \"literal:.\", \"named-headers\"",
            line_feed,
        ),
        (
            PAIRS,
            "pair = \":\"",
            "pair = \"-\"",
            "`named_headers.pair` begins like a header's name",
        ),
        // Bodies of one checksum are made in no time.
        (CHECKSUM, "signed-id = \"header:x-id\"", "digest = {}", crc),
        (
            CHECKSUM,
            "signed-id = \"header:x-id\"",
            "ping = { window_seconds = 60 }",
            crc,
        ),
        (
            CHECKSUM,
            "[\"id\", \"literal:|\", \"crc32:body\"]\nid = \"header:x-id\"",
            "[\"value:header:x-id\", \"literal:\\n\", \"crc32:body\"]",
            crc,
        ),
        (
            SENDER,
            "[\"time\", \"literal:.\"]",
            "[\"literal:hello\"]",
            "`signed` has nothing of the message",
        ),
    ] {
        read(sound).unwrap_or_else(|faults| panic!("{sound:?}: {faults:#?}"));
        assert!(sound[1].contains(from), "{from}");
        let refused = read([sound[0], &sound[1].replace(from, to)]).expect_err(sentence);
        super::assert_said(sentence, &refused);
    }
}

/// A list of names may also stand before the headers that it names.
#[test]
fn a_signed_list_of_names_is_enough() {
    let names_first = PAIRS[1]
        .replace(
            "[\"named-headers\"",
            "[\"header-names\", \"literal:\\n\", \"named-headers\"",
        )
        .replace("\"x-list\", \"x-id\"", "\"x-id\"");
    assert!(read(["", &names_first]).is_ok());
}

/// A Notification of SNS has no signed `Token`, so anyone could write one into it.
#[test]
fn what_one_kind_of_message_signs_names_no_message_of_another_kind() {
    let mut scheme = built_in("aws-sns").unwrap().unwrap();
    let place = |text: &str| Place::try_from(text.to_owned()).unwrap();
    let names = ["json:/MessageId", "json:/Token"].map(place);
    scheme
        .identity
        .insert(0, IdentityRule::Fields(names.to_vec()));
    let faults = scheme.faults();
    assert!(
        matches!(&faults[..], [one] if one.contains("`identity` uses \"json:/Token\", which is not signed")),
        "{faults:#?}"
    );
}

/// It may be wanted, so it is said and not refused.
#[test]
fn a_signature_that_leaves_the_event_out_is_a_warning() {
    let warnings = read(SENDER).unwrap();
    let sentence = "[sources.shop]: the scheme \"own\" proves who sends and not what is sent: whoever has seen one request can send others under its signature, and each is another event";
    assert_eq!(warnings, [sentence]);
    let named = SENDER[1]
        .replace("\"literal:.\"]", "\"literal:.\", \"fixed:8:json:/id\"]")
        .replace("digest = {}", "signed-id = \"json:/id\"");
    let warnings = read(["", &named]).unwrap();
    let sentence = "[sources.shop]: the scheme \"own\" proves who sends and not all that is sent: whoever has seen one request can write another in its place, and what comes first is the event";
    assert_eq!(warnings, [sentence]);
}
