//! Formats of the record of refusals, pinned: what the audit queue carries, and the bytes that are hashed. They
//! outlive a deploy, and the hashed ones outlive everything: a leaf is in a tenant's log for ever.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::audit::health::Shown;
use hookgate::audit::queued::Queued;
use hookgate::audit::store::{Over, removal};
use hookgate::audit::{Draft, Facts, Tally, VerdictLine, leaf_hash, line, readmission};
use hookgate::config::Retention;
use hookgate::tlog::entry::{Entry, What};
use hookgate::verdict::Verdict;

const NOW_MS: i64 = 1_800_000_000_000;
const SALT: [u8; 16] = [1; 16];
const ADDRESS_SALT: [u8; 16] = [2; 16];

fn verdict_line() -> String {
    line(&VerdictLine {
        event: "verdict",
        request_id: "req_1",
        verdict: "refused",
        reason: Some("signature_mismatch"),
        tenant: Some("demo"),
        source: Some("shop"),
        method: "POST",
        body_bytes: Some(5),
        ..VerdictLine::default()
    })
}

fn draft(line: &str) -> Draft<'_> {
    Draft {
        request_id: "req_1",
        tenant: "demo",
        source: "shop",
        verdict: "refused",
        reason: "signature_mismatch",
        at_ms: NOW_MS,
        path: "/hooks/shop",
        line,
    }
}

const FACTS: Facts<'_> = Facts {
    address: "203.0.113.77",
    keeps_address: true,
    asn: 64_496,
    user_agent: "curl/8.5.0",
    header_names: "content-type\nx-signature",
    body_sha256: Some(&[0xab, 0xcd]),
    body_start: b"{\"id\":1}",
    diagnosis: Some("the signature is right for the body with a trailing newline"),
};

const TEXT: &str = concat!(
    r#"{"v":1,"record":"refusal","time":"2027-01-15T08:00:00.000Z","request_id":"req_1","trace_id":"","#,
    r#""verdict":"refused","reason":"signature_mismatch","tenant":"demo","source":"shop","method":"POST","body_bytes":5,"#,
    r#""duration_ms":0,"path":"/hooks/shop","asn":64496,"client_network":"203.0.113.0/24","#,
    r#""client_address_sha256":"8ec48d24ab2a3f957c55508863220139e9fdb126e63f2e15c4265616847773f3","#,
    r#""user_agent":"curl/8.5.0","header_names":["content-type","x-signature"],"body_sha256":"abcd","#,
    r#""body_sample":"{\"id\":0}","diagnosis":"the signature is right for the body with a trailing newline"}"#
);

/// A change here makes the leaves of a later version other leaves: `"v":1` says how its text is to be read.
#[test]
fn the_record() {
    let line = verdict_line();
    let entry = draft(&line).entry(FACTS, ADDRESS_SALT);
    assert_eq!(entry.text, TEXT);
    assert!(serde_json::from_str::<serde_json::Value>(&entry.text).is_ok());
}

/// Both hashes were computed with Python's hashlib, this one over a zero byte, sixteen ones and the text.
#[test]
fn the_leaf() {
    assert_eq!(
        hex(&leaf_hash(&SALT, TEXT)),
        "e4c32da479264b65ababa57f8c0a3b2529d32e0fc04d3696b00487cfc9a1bcb0"
    );
    assert_ne!(leaf_hash(&SALT, TEXT), leaf_hash(&ADDRESS_SALT, TEXT));
}

/// A change here makes messages that are on the queue during a deploy unreadable to the other version.
#[test]
fn the_message_of_a_record() {
    let line = verdict_line();
    let message = draft(&line).entry(FACTS, ADDRESS_SALT).message(SALT);
    assert_eq!(
        message,
        format!(
            concat!(
                r#"{{"auditversion":1,"id":"req_1","tenant":"demo","source":"shop","at_ms":1800000000000,"#,
                r#""verdict":"refused","reason":"signature_mismatch","leaf_hash":"{}","salt":"{}","text":{},"#,
                r#""address":"203.0.113.77","address_salt":"{}"}}"#
            ),
            hex(&leaf_hash(&SALT, TEXT)),
            "01".repeat(16),
            serde_json::to_string(TEXT).unwrap(),
            "02".repeat(16),
        )
    );
    assert_eq!(Queued::read(&message).unwrap().id, "req_1");
}

/// A tenant that has no addresses stored: neither the message nor the text has one, or its hash.
#[test]
fn an_address_that_is_not_kept() {
    let line = verdict_line();
    for (address, keeps_address) in [("203.0.113.77", false), ("", true), ("nonsense", true)] {
        let facts = Facts {
            address,
            keeps_address,
            ..FACTS
        };
        let entry = draft(&line).entry(facts, ADDRESS_SALT);
        let message = entry.message(SALT);
        assert_eq!(entry.address, None);
        assert!(
            !message.contains("203.0.113.77") && !message.contains("address"),
            "{message}"
        );
        let network = entry.text.contains("\"client_network\":\"203.0.113.0/24\"");
        assert_eq!(network, !keeps_address, "{address}");
    }
}

#[test]
fn the_message_of_counts() {
    let mut tally = Tally::default();
    tally.count(Verdict::Duplicate, "demo", "shop", NOW_MS);
    tally.count(Verdict::Duplicate, "demo", "shop", NOW_MS + 1);
    assert_eq!(
        tally.flush(|| "cnt_1".to_owned()),
        [concat!(
            r#"{"auditversion":1,"id":"cnt_1","counts":[{"tenant":"demo","source":"shop","verdict":"duplicate","#,
            r#""reason":"","minute":30000000,"number":2,"first_ms":1800000000000,"last_ms":1800000000001}]}"#
        )]
    );
}

/// What is noted of sources travels with the counts; a version that does not know it leaves it.
#[test]
fn the_message_of_health() {
    let mut tally = Tally::default();
    tally.count(Verdict::Accepted, "demo", "shop", NOW_MS);
    for (key_id, skew_ms) in [("OLD_SECRET", Some(-2_500)), ("NEW_SECRET", Some(299_000))] {
        let shown = Shown {
            key_id: Some(key_id),
            skew_ms,
        };
        tally.shown("demo", "shop", shown, NOW_MS);
    }
    let messages = tally.flush(|| "cnt_1".to_owned());
    assert_eq!(
        messages,
        [concat!(
            r#"{"auditversion":1,"id":"cnt_1","counts":[{"tenant":"demo","source":"shop","verdict":"accepted","#,
            r#""reason":"","minute":30000000,"number":1,"first_ms":1800000000000,"last_ms":1800000000000}],"#,
            r#""health":[{"tenant":"demo","source":"shop","minute":30000000,"#,
            r#""keys":{"OLD_SECRET":1800000000000,"NEW_SECRET":1800000000000},"skew":{"14":1,"30":1}}]}"#
        )]
    );
    assert!(messages.iter().all(|text| Queued::read(text).is_some()));
}

#[test]
fn the_record_of_a_removal() {
    let retention = Retention {
        audit_days: 90,
        client_address_days: 30,
    };
    let entry = removal("ret_1", "demo", retention, 12, 3, NOW_MS);
    assert_eq!(
        entry.text,
        concat!(
            r#"{"v":1,"record":"retention","time":"2027-01-15T08:00:00.000Z","tenant":"demo","audit_days":90,"#,
            r#""client_address_days":30,"texts":12,"texts_before_ms":1792195200000,"addresses":3,"#,
            r#""addresses_before_ms":1797379200000}"#
        )
    );
    let over = Over::at(retention, NOW_MS);
    assert!(over.texts_before_ms < over.addresses_before_ms);
}

/// What an operator did, and no end of a request: how it was judged stands in its text alone.
#[test]
fn the_record_of_a_readmission() {
    let gate = support::gate_for("github", &[support::a_secret("github", 1)]);
    let entry = readmission("req_2", support::only(&gate), &verdict_line(), NOW_MS);
    let columns = (entry.source, entry.verdict, entry.reason);
    assert_eq!(columns, ("vector", "admin", "refusal_readmitted"));
    let text: serde_json::Value = serde_json::from_str(&entry.text).unwrap();
    let told = ["record", "verdict", "reason"].map(|name| text[name].as_str().unwrap());
    assert_eq!(told, ["readmission", "refused", "signature_mismatch"]);
}

#[test]
fn a_draft_comes_back_as_it_was_and_a_line_that_is_too_long_is_left_out() {
    let line = verdict_line();
    let lines = draft(&line).to_lines();
    assert_eq!(Draft::from_lines(&lines), Some(draft(&line)));
    assert_eq!(Draft::from_lines("req_1\ndemo"), None);
    let long = line.replace("req_1", &"x".repeat(10_000));
    let text = draft(&long).entry(FACTS, ADDRESS_SALT).text;
    assert!(
        text.len() < 2_000 && text.contains("\"line\":\"too long\""),
        "{text}"
    );
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A change here makes entries that stand in a log unreadable to whoever checks it, and they stand there for ever:
/// another format is another version, and this one stays readable.
#[test]
fn the_entries_of_the_log() {
    let entry = |what| Entry {
        id: "req_1".to_owned(),
        time_ms: 1_800_000_000_000,
        commitment: leaf_hash(&SALT, TEXT),
        what,
    };
    let record = concat!(
        "hookgate-audit/v1 record\nreq_1\n1800000000000\n",
        "5MMtpHkmS2Wrq6V/jAo7JSnTLg/ATTaWsASHz8mhvLA=\n",
    );
    let text = entry(What::Record).to_text().unwrap();
    assert_eq!(text, record);
    let before_ms = 1_792_000_000_000;
    let run = entry(What::Retention {
        before_ms,
        count: 7,
    });
    let expected = text.replace(" record\n", " retention\n") + "1792000000000\n7\n";
    assert_eq!(run.to_text(), Some(expected));
    // As the messages say.
    let logged = |message: &str| Queued::read(message).unwrap().record.unwrap();
    let line = verdict_line();
    let message = draft(&line).entry(FACTS, ADDRESS_SALT).message(SALT);
    assert_eq!(logged(&message).entry, entry(What::Record));
    assert_eq!(logged(&message).tenant, "demo");
    let retention = Retention {
        audit_days: 90,
        client_address_days: 30,
    };
    let removed = removal("ret_1", "demo", retention, 12, 3, NOW_MS);
    let text = logged(&removed.message(SALT)).entry.to_text().unwrap();
    assert!(text.starts_with("hookgate-audit/v1 retention\nret_1\n1800000000000\n"));
    assert!(text.ends_with("\n1792195200000\n12\n"), "{text}");
}
