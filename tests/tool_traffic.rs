//! The tool with traffic: what another configuration would do to it, and sending some.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::{Value, json};
use support::NOW_MS;
use support::tool::{Bench, WITH, hub, pay, sources};

#[test]
fn whatif_finds_what_another_configuration_would_do() {
    let bench = Bench::new("whatif");
    let mut late = pay("evt_2");
    late["received_ms"] = json!(NOW_MS + 200_000);
    let mut forged = hub("{\"a\":1}");
    forged["body"] = json!("{}");
    let traffic = [hub("{\"a\":1}"), pay("evt_1"), late, forged];
    let traffic: Vec<String> = traffic.iter().map(Value::to_string).collect();
    bench.write("traffic", traffic.join("\n"));
    let whatif = |new: &str, more: &[&str]| {
        bench.write("new.toml", new);
        bench.json(
            &[
                &["whatif", "sources.toml", "new.toml", "traffic"],
                &WITH[..],
                more,
            ]
            .concat(),
            b"",
        )
    };
    let (code, said) = whatif(&sources(), &[]);
    assert_eq!(
        (code, &said["requests"], &said["same"], &said["changes"]),
        (0, &json!(4), &json!(4), &json!([]))
    );
    // A shorter tolerance refuses what was taken.
    let change = |said: &Value| said["changes"][0].clone();
    let strict = sources().replace(
        "secrets = [\"STRIPE\"]",
        "secrets = [\"STRIPE\"]\ntolerance_seconds = 100",
    );
    let (code, said) = whatif(&strict, &[]);
    assert_eq!(code, 1, "{said}");
    assert_eq!(
        change(&said),
        json!({ "source": "pay", "change": "refused_now", "before": "accepted", "after": "stale", "count": 1, "first_line": 3 })
    );
    // A source that is gone.
    let gone = sources().split("[sources.pay]").next().unwrap().to_owned();
    let (code, said) = whatif(&gone, &[]);
    assert_eq!(
        (code, &change(&said)["after"], &change(&said)["count"]),
        (1, &json!("unknown_source"), &json!(2))
    );
    // Another tenant.
    let (code, said) = whatif(&sources().replacen("acme", "other", 1), &[]);
    assert_eq!((code, &change(&said)["change"]), (0, &json!("moved")));
    // Another identity: copies of these events would not be known.
    let shared = sources().replace(
        "secrets = [\"STRIPE\"]",
        "secrets = [\"STRIPE\"]\nshared_secret = \"group\"",
    );
    let (code, said) = whatif(&shared, &[]);
    assert_eq!(
        (code, &change(&said)["change"]),
        (1, &json!("another_event")),
        "{said}"
    );
    // A secret that is not there: nothing is known, and that is said.
    let renamed = sources().replace("\"HUB\"", "\"HUB_2\"");
    let (code, said) = whatif(&renamed, &[]);
    assert_eq!(
        (code, &change(&said)["change"]),
        (3, &json!("not_judged")),
        "{said}"
    );
    // Another clock for all.
    let (code, said) = whatif(&strict, &["--clock", "signed"]);
    assert_eq!((code, &said["same"]), (0, &json!(4)), "{said}");
}

#[test]
fn send_signs_posts_and_says_what_came() {
    let bench = Bench::new("send");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/base/", listener.local_addr().unwrap());
    let answering = std::thread::spawn(move || {
        let answers = [
            "HTTP/1.1 200 OK\r\nhookgate-request-id: req_1\r\ncontent-length: 2\r\n\r\n{}",
            "HTTP/1.1 401 No\r\ntransfer-encoding: chunked\r\n\r\n3\r\n\u{1b}[2\r\n0\r\n\r\n",
        ];
        answers.map(|answer| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut part = [0; 4_096];
            // The body is the end of it, and short.
            while !request.windows(4).any(|four| four == b"\r\n\r\n") || !request.ends_with(b"}") {
                let count = stream.read(&mut part).unwrap();
                request.extend_from_slice(&part[..count]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request).unwrap()
        })
    });
    bench.write("body.json", "{\"id\":\"{{event_id}}\"}");
    let arguments = [
        "send",
        "--source",
        "hub",
        "--secret-file",
        "vars",
        "--body",
        "body.json",
        "--url",
        &url,
    ];
    let ended = bench.run(&arguments);
    assert_eq!(
        (ended.code, ended.output.as_str()),
        (0, "taken (200)  request req_1  {}\n")
    );
    let (code, said) = bench.json(&arguments, b"");
    assert_eq!(
        (code, &said["status"], &said["body"]),
        (1, &json!(401), &json!("\u{1b}[2"))
    );
    let [request, _] = answering.join().unwrap();
    assert!(
        request.starts_with("POST /base/hooks/hub HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.ends_with("\r\n\r\n{\"id\":\"demo-1\"}"),
        "{request}"
    );
    // Nobody there any more.
    assert_eq!(bench.run(&arguments).code, 3);
    let injected = bench.run(&[
        "send",
        "--source",
        "hub",
        "--secret-file",
        "vars",
        "--event-type",
        "a\nb: c",
        "--url",
        &url,
    ]);
    assert_eq!(injected.code, 3, "{}", injected.errors);
}
