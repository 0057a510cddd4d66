//! Every rule for `sources.toml` and for schemes: an example that breaks it, and the sentence that
//! the person who wrote it gets.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use hookgate::config::{BODY_BYTES_LIMIT, Config, Destination, from_toml};
use hookgate::schemes::BUILT_IN;
use support::config_rules::{GOOD, RULES};
use support::root;

#[test]
fn each_rule_has_its_sentence() {
    from_toml(GOOD).unwrap_or_else(|errors| panic!("{}", errors.join("\n")));
    let mut wrong = Vec::new();
    for (line, replacement, sentence) in RULES {
        let text = change(line, replacement);
        match from_toml(&text) {
            Ok(_) => wrong.push(format!("accepted: {replacement:?}, expected: {sentence}")),
            Err(errors) if errors.iter().any(|error| error.contains(sentence)) => {}
            Err(errors) => wrong.push(format!(
                "{replacement:?}: expected {sentence:?}, got:\n    {}",
                errors.join("\n    ")
            )),
        }
    }
    println!("{} rules", RULES.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_stands_at_the_edge_of_a_rule_is_in_order() {
    for (line, replacement) in [
        ("queue_retention", "queue_retention_seconds = 1209600"),
        ("dedup_retention", "dedup_retention_seconds = 86700"),
        ("dedup_retention", "dedup_retention_seconds = 34560000"),
        ("tenant", "tenant = \"a\"\nbody_bytes_max = 1"),
        ("tenant", "tenant = \"a\"\ndeliveries_per_second_max = 1"),
        ("tenant", "tenant = \"a\"\ndeliveries_per_second_max = 1000"),
        ("tenant", "tenant = \"a\"\nbody_bytes_max = 1048576"),
        (
            "tenant",
            "tenant = \"a\"\nmode = \"observe\"\nbody_bytes_max = 1048576",
        ),
        ("secrets", "secrets = [\"A_1\", \"A_2\"]"),
        ("url", "url = \"$BACKEND_URL\""),
        (
            "secret ",
            "secret = \"D\"\nsign = \"original\"\nbackend_ignores_age = true",
        ),
        (
            "secret ",
            "secret = \"D\"\nsign = \"original\"\nattempts_max = 10\nbackoff_max_seconds = 10\ntimeout_seconds = 20",
        ),
        (
            "signed",
            "signed = [\"literal:v0:\", \"id\", \"literal::\", \"time\", \"literal::\", \"mac-hex:body\"]",
        ),
        ("answer_by", "answer_by_ms = 200"),
    ] {
        let result = from_toml(&change(line, replacement));
        assert!(
            result.is_ok(),
            "{replacement}: {}",
            result.err().unwrap_or_default().join("\n")
        );
    }
    assert_eq!(BODY_BYTES_LIMIT, 1_048_576);
}

/// Whoever can sign for one backend could write deliveries to the other.
#[test]
fn a_delivery_secret_belongs_to_one_backend_or_to_one_tenant() {
    for (url, tenant, allowed) in [
        ("https://backend.example/hooks", "other", true),
        ("https://other.example/", "acme", true),
        ("https://other.example/", "other", false),
    ] {
        let tables = format!(
            "[destinations.two]\nurl = \"{url}\"\nsecret = \"DELIVERY_SECRET\"\n[sources.two]\ntenant = \"{tenant}\"\nscheme = \"github\"\nsecrets = [\"OTHER\"]\ndestination = \"two\"\ndedup_retention_seconds = 2592000\n[schemes.shop]"
        );
        let read = from_toml(&change("[schemes.shop]", &tables));
        assert_eq!(read.is_ok(), allowed, "{url} {tenant}");
    }
}

#[test]
fn a_scheme_without_a_time_is_remembered_for_thirty_days() {
    let with = |days: u32| {
        change("scheme ", "scheme = \"github\"").replace(
            "dedup_retention_seconds = 2592000",
            &format!("dedup_retention_seconds = {}", days * 86_400),
        )
    };
    let errors = from_toml(&with(29)).unwrap_err();
    assert!(errors[0].contains("a captured request stays valid for ever; remember events for at least 2592000 (30 days)"), "{errors:?}");
    from_toml(&with(30)).unwrap();
}

#[test]
fn a_schemes_name_is_a_word() {
    for name in ["a b", "", "A", "a\\nb", &"a".repeat(65)] {
        let text = GOOD
            .replace("scheme = \"shop\"", &format!("scheme = \"{name}\""))
            .replace("[schemes.shop]", &format!("[schemes.\"{name}\"]"));
        let errors = from_toml(&text).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(
            errors[0].ends_with("a scheme's name is 1 to 64 characters of a-z, 0-9 and -"),
            "{errors:?}"
        );
    }
}

#[test]
fn every_mistake_is_named_at_once() {
    let text = GOOD
        .replace("version = 1", "version = 3")
        .replace("tenant = \"acme\"", "tenant = \"\"")
        .replace("answer_by_ms = 5000", "answer_by_ms = 1")
        .replace("https://", "ftp://");
    assert_eq!(from_toml(&text).unwrap_err().len(), 4);
    let empty = "version = 1\nqueue_retention_seconds = 60\n";
    assert_eq!(
        from_toml(empty).unwrap_err(),
        ["no source: add a table [sources.NAME]"]
    );
}

#[test]
fn urls_of_destinations_leave_this_machine_encrypted() {
    for good in [
        "https://backend.example",
        "https://backend.example:8443/a?b=c",
        "https://[2001:db8::1]/",
        "http://127.0.0.1",
        "http://127.0.0.1:8788/",
        "http://localhost:1/a",
        "http://[::1]/",
        "http://[::1]:80/",
    ] {
        assert!(Destination::is_url(good), "{good}");
    }
    for bad in [
        "",
        "https://",
        "https:///a",
        "https://:443/",
        "http://backend.example/",
        "http://127.0.0.1.evil.example/",
        "http://127.0.0.1@evil.example/",
        "http://127.0.0.1:x@evil.example/",
        "http://localhost:a@evil.example:80/",
        "http://evil.example/127.0.0.1",
        "https://user:password@backend.example/",
        "https://user@backend.example/",
        "HTTPS://backend.example/",
        "ftp://backend.example/",
        "//backend.example/",
        "https://back end/",
        "https://é/",
        "https://a\\@b/",
        "javascript:alert(1)",
        "http://127.0.0.1\\@evil.example/",
        "http://[::1]evil.example/",
        "https://10.0.0.%31/hook",
        "https://%6cocalhost/hook",
    ] {
        assert!(!Destination::is_url(bad), "{bad}");
    }
}

#[test]
fn what_is_worth_a_look_is_a_warning() {
    let warnings = |text: &str| from_toml(text).unwrap().1.warnings;
    assert_eq!(warnings(GOOD), [""; 0]);
    let observing = warnings(&change("tenant", "tenant = \"acme\"\nmode = \"observe\""));
    assert_eq!(
        observing,
        ["[sources.shop]: mode = \"observe\" takes no event; every delivery is answered 503"]
    );
    let keeping = warnings(&change("tenant", "tenant = \"acme\"\nquarantine = true"));
    assert_eq!(keeping.len(), 1);
    assert!(
        keeping[0].contains("[sources.shop]: quarantine = true keeps bodies and credentials")
            && keeping[0].contains("QUARANTINE_KEY"),
        "{keeping:?}"
    );
    let secrets = |count: usize| {
        let names: Vec<String> = (0..count).map(|number| format!("\"S{number}\"")).collect();
        warnings(&change(
            "secrets",
            &format!("secrets = [{}]", names.join(",")),
        ))
    };
    assert_eq!(secrets(55), [""; 0]);
    assert!(
        secrets(56)[0].starts_with("57 secrets: one Worker has room for 128 variables and secrets")
    );
}

#[test]
fn the_shipped_files_are_in_order_and_survive_embedding() {
    let mut checked = 0;
    for name in ["sources.toml", "tests/e2e/sources.toml"] {
        let Ok(text) = std::fs::read_to_string(root().join(name)) else {
            assert_ne!(name, "sources.toml", "sources.toml is missing");
            continue;
        };
        let (config, _) =
            from_toml(&text).unwrap_or_else(|errors| panic!("{name}: {}", errors.join("\n")));
        let again = Config::from_bytes(&config.to_bytes());
        let json = |config: &Config| serde_json::to_string(config).unwrap();
        assert_eq!(json(&again), json(&config), "{name}");
        checked += 1;
    }
    println!("{checked} files");
    // What another build wrote is never read as something else: it may be too short, or too long.
    let embedded = hookgate::EMBEDDED_SOURCES;
    Config::from_bytes(embedded);
    std::panic::set_hook(Box::new(|_| {}));
    for bytes in (0..embedded.len())
        .map(|end| embedded[..end].to_vec())
        .chain([[embedded, &[0]].concat()])
    {
        assert!(
            std::panic::catch_unwind(|| Config::from_bytes(&bytes)).is_err(),
            "{}",
            bytes.len()
        );
    }
    let _ = std::panic::take_hook();
}

#[test]
fn the_demo_names_its_secrets_after_its_sources() {
    let (config, findings) =
        from_toml(&std::fs::read_to_string(root().join("sources.toml")).unwrap()).unwrap();
    assert_eq!(findings.warnings, [""; 0]);
    for (name, source) in &config.sources {
        let expected = format!("{}_SECRET", name.to_uppercase().replace('-', "_"));
        assert_eq!(source.secrets[0].name(), expected);
    }
}

#[test]
fn built_in_schemes_are_without_fault() {
    for (name, _) in BUILT_IN {
        let scheme = hookgate::config::built_in(name)
            .unwrap()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(scheme.faults(), [""; 0], "{name}");
        assert!(
            scheme.page.starts_with("https://") && !scheme.provider.is_empty(),
            "{name}"
        );
    }
}

fn change(line: &str, replacement: &str) -> String {
    let mut changed = 0;
    let lines: Vec<&str> = GOOD
        .lines()
        .map(|known| {
            if known.starts_with(line) && changed == 0 {
                changed += 1;
                replacement
            } else {
                known
            }
        })
        .collect();
    assert_eq!(changed, 1, "no line begins with {line:?}");
    lines.join("\n")
}

#[test]
fn a_group_of_sources_has_one_scheme() {
    let second = |scheme: &str| {
        let source = format!(
            "[sources.two]\ntenant = \"acme\"\nscheme = \"{scheme}\"\nsecrets = [\"OTHER\"]\nshared_secret = \"group\"\ndestination = \"backend\"\ndedup_retention_seconds = 2592000\n[schemes.shop]"
        );
        GOOD.replace(
            "tenant = \"acme\"",
            "tenant = \"acme\"\nshared_secret = \"group\"",
        )
        .replace("[schemes.shop]", &source)
    };
    assert!(from_toml(&second("shop")).is_ok());
    let errors = from_toml(&second("github")).unwrap_err().join("\n");
    assert!(
        errors.contains("need the same scheme, the same discriminator_values"),
        "{errors}"
    );
    // What one of them has forgotten, the other still takes.
    let longer = second("shop").replacen("seconds = 2592000", "seconds = 2592001", 1);
    let errors = from_toml(&longer).unwrap_err().join("\n");
    assert!(
        errors.contains("the same ledger_shards and the same dedup_retention_seconds"),
        "{errors}"
    );
}

#[test]
fn every_scheme_verifies_what_it_signs() {
    for (name, _) in BUILT_IN {
        let scheme = hookgate::config::built_in(name).unwrap().unwrap();
        assert_eq!(hookgate::sign::self_test(&scheme), Ok(()), "{name}");
    }
    let (shipped, _) =
        from_toml(&std::fs::read_to_string(root().join("sources.toml")).unwrap()).unwrap();
    for (name, scheme) in &shipped.schemes {
        assert_eq!(hookgate::sign::self_test(scheme), Ok(()), "{name}");
    }
}

#[test]
fn a_change_that_would_forget_events_is_called_one() {
    let with = |lines: &str| {
        let text = GOOD.replace("tenant = \"acme\"", lines);
        from_toml(&text).unwrap().0
    };
    let sharded = |shards: &str| with(&format!("tenant = \"acme\"\nledger_shards = {shards}"));
    let gaps = |before: &Config, after: &Config| hookgate::config::gaps(before, after).join("\n");
    let deployed = sharded("[1, 4]");
    for after in ["[1, 4]", "[1, 4, 16]", "[0, 4]", "[0, 0, 8]"] {
        assert_eq!(gaps(&deployed, &sharded(after)), "", "{after}");
    }
    for after in ["[4]", "[1]", "[2, 4]", "[1, 8]", "[4, 1]"] {
        let gaps = gaps(&deployed, &sharded(after));
        assert!(
            gaps.contains("[sources.shop]: ledger_shards was [1, 4]"),
            "{after}: {gaps}"
        );
    }
    assert!(
        !gaps(&sharded("[0, 4]"), &deployed).is_empty(),
        "a retired epoch that comes back"
    );
    assert!(
        gaps(
            &deployed,
            &with("tenant = \"other\"\nledger_shards = [1, 4]")
        )
        .contains("part of every key")
    );
    let text = GOOD.replace("[sources.shop]", "[sources.shop-2]");
    let renamed = from_toml(&text).unwrap().0;
    assert!(gaps(&deployed, &renamed).contains("is deployed and not in this file"));
}
