//! What the tool says of a recorded request, and how it ends.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use serde_json::json;
use support::tool::{Bench, SECRET, WITH, hub, pay, source};
use support::{NOW_MS, gate, held, signed};

#[test]
fn verify_says_what_the_gate_would_say() {
    let bench = Bench::new("verify");
    let verify = |input: &str, more: &[&str]| {
        bench.json(
            &[&["verify", "-"], &WITH[..], more].concat(),
            input.as_bytes(),
        )
    };
    let good = hub("{\"a\":1}").to_string();
    let (code, said) = verify(&good, &[]);
    assert_eq!(
        (code, &said["verdict"], &said["key_id"]),
        (0, &json!("accepted"), &json!("HUB"))
    );
    let forged = good.replace("{\\\"a\\\":1}", "{\\\"a\\\":2}");
    let (code, said) = verify(&forged, &[]);
    assert_eq!((code, &said["reason"]), (1, &json!("signature_mismatch")));
    // Its clock.
    let stale = pay("evt_1").to_string();
    let (code, said) = verify(&stale, &[]);
    assert_eq!((code, &said["reason"]), (1, &json!("stale")));
    assert!(
        said["why"]
            .as_str()
            .unwrap()
            .contains("300 s are tolerated"),
        "{said}"
    );
    for clock in [
        "signed",
        "1760000000",
        "1760000000000",
        "2025-10-09T08:53:20Z",
        "1760000300",
    ] {
        assert_eq!(verify(&stale, &["--clock", clock]).0, 0, "{clock}");
    }
    assert_eq!(
        verify(&stale, &["--clock", "1759999000"]).1["reason"],
        "from_future"
    );
    let mut received = pay("evt_1");
    received["received_ms"] = json!(NOW_MS + 1_000);
    assert_eq!(verify(&received.to_string(), &[]).0, 0);
    // Without its secret nothing is known.
    let (code, said) = bench.json(&["verify", "-"], good.as_bytes());
    assert_eq!((code, &said["reason"]), (3, &json!("secret_missing")));
    assert!(
        said["why"].as_str().unwrap().contains("HUB"),
        "the secret's name: {said}"
    );
    // In words, for people.
    bench.write("forged.json", &forged);
    let ended = bench.run(&["verify", "forged.json", "--secret-file", "vars"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.output.starts_with("refused: signature_mismatch\n")
            && ended.output.contains("hookgate diagnose")
    );
}

#[test]
fn verify_reads_what_the_gate_holds_and_what_came_over_the_wire() {
    let bench = Bench::new("held");
    let gate = gate(
        &[source("hub", "github", &["HUB"], "")],
        "",
        &[("HUB", SECRET)],
    );
    let request = signed(gate.source("hub").unwrap(), b"{\"a\":1}", "evt");
    let held = held(gate.source("hub").unwrap(), &request);
    let message = hookgate_message(&held);
    bench.write("message.json", &message);
    let letter = json!({
        "deadletterversion": "1", "id": "x-0-y", "reason": "gone", "attempts": 3, "died_at": "2025-10-09T09:00:00Z", "message": message,
    });
    bench.write("letter.json", letter.to_string());
    for file in ["message.json", "letter.json"] {
        let ended = bench.run(&["verify", file, "--secret-file", "vars"]);
        assert_eq!(ended.code, 0, "{file}: {}{}", ended.output, ended.errors);
        assert!(
            ended.output.contains(&held.message.dedupkey),
            "{file}: {}",
            ended.output
        );
    }
    let signature = request
        .headers
        .iter()
        .find(|(name, _)| name.contains("signature"))
        .unwrap();
    let wire = format!(
        "POST /somewhere HTTP/1.1\r\nContent-Length: 7\r\n{}: {}\r\n\r\n{{\"a\":1}}\n",
        signature.0, signature.1
    );
    bench.write("request.http", wire);
    let arguments = ["verify", "request.http", "--secret-file", "vars"];
    let ended = bench.run(&arguments);
    assert_eq!(ended.code, 1, "whose is it?");
    assert!(ended.errors.contains("--source"), "{}", ended.errors);
    let ended = bench.run(&[&arguments[..], &["--source", "hub"]].concat());
    assert_eq!(ended.code, 0, "{}", ended.output);
    assert!(
        ended.output.contains("the rest was left out"),
        "{}",
        ended.output
    );
}

/// The message as the queue has it.
fn hookgate_message(held: &hookgate::event::Held) -> String {
    serde_json::to_string(&held.message).unwrap()
}

#[test]
fn hostile_text_stays_text() {
    let bench = Bench::new("hostile");
    let evil = "\u{1b}[2J\u{9b}31m\u{202e}evil\u{7}";
    let wire = format!("POST /hooks/{evil} HTTP/1.1\n{evil}: {evil}\n\n{evil}");
    for command in ["verify", "diagnose"] {
        // `run` looks at every character that is printed.
        assert_eq!(
            bench
                .run_with(&[command, "-", "--secret-file", "vars"], wire.as_bytes())
                .code,
            1
        );
        let broken = format!("POST / HTTP/1.1\n{evil}");
        assert_eq!(bench.run_with(&[command, "-"], broken.as_bytes()).code, 1);
    }
    let mut line = hub("{}");
    line["target"] = json!(format!("/hooks/{evil}"));
    bench.write("traffic", format!("{line}\n{evil}\n"));
    for more in [&[][..], &["--json"]] {
        let arguments = [
            &["whatif", "sources.toml", "sources.toml", "traffic"],
            &WITH[..],
            more,
        ]
        .concat();
        assert_eq!(bench.run(&arguments).code, 3);
    }
    bench.run(&["verify", evil]);
    bench.run(&["verify", "-", "--clock", evil]);
}

#[test]
fn diagnose_names_the_mistake_and_what_to_do() {
    let bench = Bench::new("diagnose");
    let diagnose =
        |input: &str| bench.json(&[&["diagnose", "-"], &WITH[..]].concat(), input.as_bytes());
    let mut newline = hub("{\"a\":1}");
    newline["body"] = json!("{\"a\":1}\n");
    let (code, said) = diagnose(&newline.to_string());
    let first = &said["findings"][0];
    assert_eq!(
        (code, &first["mistakes"][0]["hypothesis"], &first["key_id"]),
        (1, &json!("body_newline_removed"), &json!("HUB"))
    );
    assert!(
        first["mistakes"][0]["remedy"]
            .as_str()
            .unwrap()
            .contains("echo and many editors add one")
    );
    let mut forged = hub("{\"a\":1}");
    forged["body"] = json!("{\"a\":2}");
    let (code, said) = diagnose(&forged.to_string());
    assert_eq!((code, &said["findings"]), (3, &json!([])));
    assert!(said["tried"].as_u64().unwrap() > 500, "{said}");
    // It is not about the signature.
    let (code, said) = diagnose(&pay("evt_1").to_string());
    assert_eq!((code, &said["reason"]), (0, &json!("stale")));
    assert_eq!(
        bench
            .json(&["diagnose", "-"], hub("{}").to_string().as_bytes())
            .0,
        3,
        "no secret"
    );
    let ended = bench.run_with(
        &["diagnose", "-", "--secret-file", "vars"],
        newline.to_string().as_bytes(),
    );
    assert!(
        ended.output.contains("without its trailing newline") && ended.output.contains("remedy"),
        "{}",
        ended.output
    );
}

#[test]
fn every_command_teaches_and_every_wrong_usage_is_2() {
    let bench = Bench::new("usage");
    for command in ["verify", "diagnose", "whatif", "sign", "send"] {
        let ended = bench.run(&[command, "--help"]);
        assert_eq!(ended.code, 0);
        for word in [
            "usage: ",
            "Examples",
            "Exit codes",
            &format!("hookgate {command} "),
        ] {
            assert!(
                ended.output.contains(word),
                "{command}: {word}: {}",
                ended.output
            );
        }
        assert_eq!(bench.run(&[command, "--nonsense"]).code, 2, "{command}");
    }
    for command in ["keygen", "vkey", "verify"] {
        let ended = bench.run(&["audit", command, "--help"]);
        assert_eq!(ended.code, 0, "{command}");
        assert!(ended.output.contains(&format!("hookgate audit {command} ")));
    }
    let all = bench.run(&["--help"]).output;
    for command in [
        "lint", "verify", "diagnose", "whatif", "sign", "send", "schemes", "vectors",
    ] {
        assert!(all.contains(&format!("  hookgate {command} ")), "{command}");
    }
    for arguments in [
        &["verify"][..],
        &["verify", "a", "b"],
        &["whatif", "a", "b"],
        &["verify", "-", "--clock", "soon"],
        &["nonsense"],
        &["send", "--source", "hub", "--url", "ftp://x"],
    ] {
        assert_eq!(bench.run(arguments).code, 2, "{arguments:?}");
    }
    for arguments in [
        &["verify", "nowhere"][..],
        &["sign", "--source", "nobody"],
        &["whatif", "a", "b", "c"],
    ] {
        assert_eq!(bench.run(arguments).code, 1, "{arguments:?}");
    }
}

/// A reader that has seen enough ends the tool, and nothing of it panics.
#[test]
fn a_closed_pipe_is_no_panic() {
    use std::io::Read as _;
    for command in [
        &["schemes"][..],
        &["schemes", "--json"],
        &["schemes", "--list"],
    ] {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_hookgate"))
            .args(command)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = child.stdout.take().unwrap();
        output.read_exact(&mut [0; 10]).unwrap();
        drop(output);
        let ended = child.wait_with_output().unwrap();
        let errors = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(errors, "", "{command:?}");
        // The list is short enough to be written before anybody stops reading.
        assert!(matches!(ended.status.code(), Some(141 | 0)), "{command:?}");
        assert!(ended.status.code() == Some(141) || command.contains(&"--list"));
    }
}

#[test]
fn what_lint_and_schemes_say_can_be_read_by_programs() {
    let bench = Bench::new("as-json");
    let (code, said) = bench.json(&["lint"], b"");
    assert_eq!((code, &said["verdict"]), (0, &json!("in_order")));
    assert_eq!((&said["sources"], &said["faults"]), (&json!(2), &json!([])));
    bench.write(
        "bad.toml",
        "version = 1\n[sources.a]\nscheme = \"nobody\"\n",
    );
    for (file, word) in [("bad.toml", "bad.toml"), ("nowhere.toml", "nowhere.toml: ")] {
        let (code, said) = bench.json(&["lint", "--sources", file], b"");
        assert_eq!((code, &said["verdict"]), (1, &json!("refused")), "{said}");
        let fault = said["faults"][0].as_str().unwrap();
        assert!(fault.contains(word), "{said}");
    }
    let ended = bench.run(&["schemes", "--json"]);
    let lines: Vec<serde_json::Value> = ended
        .output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), hookgate::schemes::BUILT_IN.len());
    for (line, (name, _)) in lines.iter().zip(hookgate::schemes::BUILT_IN) {
        assert_eq!(line["name"], *name);
        // What is printed is the entry.
        let entry: hookgate::scheme::Scheme =
            serde_json::from_value(line["entry"].clone()).unwrap();
        assert_eq!(entry.faults(), Vec::<String>::new(), "{name}");
        assert!(line["replay_class"].is_string() && line["proved_by"].is_string());
    }
}
