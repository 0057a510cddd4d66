//! The lines of `ADMINS`: what opens, for whom, and what does not.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

use hookgate::admin::Operator;
use hookgate::admin::operators::{Line, Operators, line_of, token};
use hookgate::admin::session::Session;
use hookgate::alerts::{store, tenants};
use hookgate::config::from_toml;
use hookgate::gate::{Gate, LiveSource};
use hookgate::hex;
use sha2::{Digest as _, Sha256};

fn line(words: &str) -> (String, String) {
    let token = token([words.len() as u8; 32]);
    let hash = hex::encode(&Sha256::digest(&token));
    (format!("{words} sha256:{hash}"), token)
}

#[test]
fn a_line_says_who_may_what() {
    let (ana, anas) = line("ana operate *");
    let (bot, bots) = line("audit-bot read acme,globex,_");
    let text =
        format!("# who may what\n\n  {ana}\r\n\t{bot}\nana read acme access:Ana@Example.com\n");
    let operators = Operators::read(&text);
    assert_eq!(operators.faults, [] as [usize; 0]);
    let of = |line: Option<&Line>| line.map(|line| line.operator.clone()).unwrap();
    assert_eq!(
        of(operators.by_token(&anas)),
        Operator::of_everything("ana")
    );
    let bot = of(operators.by_token(&bots));
    assert_eq!((bot.name.as_str(), bot.operates), ("audit-bot", false));
    for (tenant, sees) in [
        ("acme", true),
        ("globex", true),
        ("_", true),
        ("demo", false),
    ] {
        assert_eq!(bot.sees(tenant), sees, "{tenant}");
    }
    assert_eq!(of(operators.by_email("ana@example.COM")).name, "ana");
    assert_eq!(operators.by_email("ana@example.org"), None);
    assert_eq!(operators.by_email(""), None);
}

/// The overview of sources adds up a day of each tenant that it is asked for.
#[test]
fn nothing_is_looked_for_of_a_tenant_that_he_does_not_see() {
    let mut text = r#"version = 1
queue_retention_seconds = 345600
[destinations.backend]
url = "https://backend.example/"
secret = "DELIVERY_SECRET"
"#
    .to_owned();
    for (name, tenant) in [("till", "acme"), ("pos", "globex"), ("shop", "acme")] {
        text += &format!(
            "[sources.{name}]\ntenant = \"{tenant}\"\nscheme = \"stripe\"\nsecrets = [\"{}_SECRET\"]\n",
            name.to_uppercase()
        );
        text += "destination = \"backend\"\ndedup_retention_seconds = 604800\n";
    }
    let (config, _) = from_toml(&text).unwrap();
    let gate = Gate::assemble(config, "test", |name| Some(format!("whsec_{name}0123")));
    for (words, expected) in [
        ("ana read *", r#"["acme","globex"]"#),
        ("bot read globex,_", r#"["globex"]"#),
        ("eve read other", "[]"),
    ] {
        let (line, token) = line(words);
        let operators = Operators::read(&line);
        let operator = &operators.by_token(&token).unwrap().operator;
        let sources = gate.sources().map(|live| -> &LiveSource { live });
        let asked = tenants(sources, |tenant| operator.sees(tenant));
        assert_eq!(asked, expected, "{words}");
    }
    assert!(!store::OVERVIEW.contains("FROM rhythms"), "all of them");
}

#[test]
fn a_line_that_is_none_opens_nothing_and_spoils_no_other() {
    let (good, token) = line("good read acme");
    let hash = good.rsplit_once(' ').unwrap().1;
    for wrong in [
        "".to_owned() + "ana operate *",
        format!("ana operate * {hash} more"),
        format!("ana admin * {hash}"),
        format!("ana Read * {hash}"),
        format!("ana operate Acme {hash}"),
        format!("ana operate acme, {hash}"),
        format!("ana operate acme,* {hash}"),
        format!("ana operate ,acme {hash}"),
        format!("anä operate * {hash}"),
        format!("{} operate * {hash}", "a".repeat(65)),
        "ana operate * sha256:".to_owned(),
        format!("ana operate * {}", &hash[..hash.len() - 1]),
        format!("ana operate * {hash}0"),
        format!("ana operate * {}", hash.replace("sha256", "sha512")),
        format!("ana operate * {token}"),
        "ana operate * access:".to_owned(),
        "ana operate * access:@example.com".to_owned(),
        "ana operate * access:ana".to_owned(),
        format!("ana operate * access:{}@example.com", "a".repeat(250)),
    ] {
        let operators = Operators::read(&format!("{wrong}\n{good}"));
        assert_eq!(operators.faults, [1], "{wrong}");
        assert!(
            operators
                .by_token(&token)
                .is_some_and(|line| !line.operator.operates)
        );
        assert_eq!(operators.by_email(""), None);
    }
    assert!(Operators::read("").is_empty());
    assert!(Operators::read("ana operate * sha256:00").is_empty());
}

#[test]
fn a_name_may_stand_twice_and_a_proof_may_not() {
    let (old, olds) = line("ana operate *");
    let (new, news) = line("ana operate acme");
    let twice = old.replace("operate", "read");
    let operators = Operators::read(&format!(
        "{old}\n{new}\n{twice}\nb read * access:a@b\nb operate * access:A@B"
    ));
    assert_eq!(operators.faults, [3, 5]);
    assert!(
        operators
            .by_token(&olds)
            .is_some_and(|line| line.operator.operates)
    );
    assert!(operators.by_token(&news).is_some());
    assert!(
        operators
            .by_email("a@b")
            .is_some_and(|line| !line.operator.operates)
    );
}

/// Who hashed a word of his own has no token.
#[test]
fn only_what_has_the_form_of_a_token_is_one() {
    let right = token([7; 32]);
    assert_eq!(right.len(), 52);
    for text in [
        "password",
        "",
        "hookgate_",
        &right[..51],
        &right[9..],
        &format!("{right}A"),
    ] {
        let line = line_of("ana", "operate", "*", text).unwrap();
        assert_eq!(Operators::read(&line).by_token(text), None, "{text}");
    }
    let line = line_of("ana", "operate", "*", &right).unwrap();
    let operators = Operators::read(&line);
    assert!(operators.by_token(&right).is_some());
    for wrong in [
        right.to_uppercase(),
        right.replace("_", "-"),
        format!("{right} "),
    ] {
        assert_eq!(operators.by_token(&wrong), None, "{wrong}");
    }
}

#[test]
fn a_session_ends_with_what_its_line_says() {
    let (ana, token) = line("ana operate *");
    let operators = Operators::read(&ana);
    let made = operators.by_token(&token).unwrap();
    let session = made.session("id".to_owned(), 7);
    let spaced = ana.replace(' ', "   ");
    assert!(Operators::read(&spaced).by_session(&session).is_some());
    let hash = ana.rsplit_once(' ').unwrap().1;
    for other in ["ana read *", "ana operate acme", "eve operate *"] {
        let operators = Operators::read(&format!("{other} {hash}"));
        assert_eq!(operators.by_session(&session), None, "{other}");
    }
    // What the database could be made to say.
    for changed in [
        Session {
            id: "other".to_owned(),
            ..session.clone()
        },
        Session {
            expires_ms: 8,
            ..session.clone()
        },
        Session {
            mac: String::new(),
            ..session.clone()
        },
        Session {
            mac: "00".repeat(32),
            ..session.clone()
        },
    ] {
        assert_eq!(operators.by_session(&changed), None, "{changed:?}");
    }
}

/// A line with an address has nothing in it that who writes the database does not know: no session is made of it.
#[test]
fn a_session_is_of_a_token_and_never_of_an_address() {
    let operators = Operators::read("ben operate * access:ben@example.com");
    let ben = operators.by_email("ben@example.com").unwrap();
    let forged = ben.session("id".to_owned(), i64::MAX);
    assert_eq!(operators.by_session(&forged), None);
}

/// Most Workers are built without the code for it.
#[test]
fn without_access_a_line_with_an_address_is_none_and_is_said_to_be() {
    let (ana, token) = line("ana read *");
    let text = format!("{ana}\nben read acme access:ben@example.com\nnobody");
    let [with, without] = [true, false].map(|access| Operators::of(&text, access));
    assert_eq!(with.unreadable().unwrap(), "3");
    let said = "2, 3 (a line with access: takes `access = true` in the sources file)";
    assert_eq!(without.unreadable().unwrap(), said);
    assert!(with.by_email("ben@example.com").is_some());
    assert!(without.by_email("ben@example.com").is_none());
    assert!(without.by_token(&token).is_some());
    assert_eq!(Operators::of(&ana, false).unreadable(), None);
}

/// What is asked of each tenant of a line would be found and counted as often as it is named.
#[test]
fn a_tenant_that_is_named_twice_is_one() {
    let (line, token) = line("ana read globex,acme,globex,acme");
    let operators = Operators::read(&line);
    let ana = &operators.by_token(&token).unwrap().operator;
    assert_eq!(ana.tenants().unwrap(), ["globex", "acme"]);
}

#[test]
fn the_tool_makes_a_token_and_its_line() {
    let run = |arguments: &[&str]| {
        let tool = std::process::Command::new(env!("CARGO_BIN_EXE_hookgate"));
        let ended = { tool }.args(arguments).output().unwrap();
        (
            ended.status.code(),
            String::from_utf8(ended.stdout).unwrap(),
        )
    };
    let (code, output) = run(&[
        "admin",
        "token",
        "ana",
        "--role",
        "operate",
        "--tenants",
        "acme,_",
    ]);
    let [token, line] = output.lines().collect::<Vec<_>>()[..] else {
        panic!("{output}");
    };
    assert_eq!(code, Some(0));
    let operators = Operators::read(line);
    let ana = &operators.by_token(token).unwrap().operator;
    assert!(ana.operates && ana.sees("acme") && ana.sees("_") && !ana.sees("demo"));
    let (_, another) = run(&["admin", "token", "ana"]);
    assert!(!another.contains(token) && another.contains("ana read * sha256:"));
    for wrong in [
        &["admin", "token"][..],
        &["admin", "token", "a b"],
        &["admin", "token", "ana", "--role", "admin"],
        &["admin", "token", "ana", "--tenants", "Acme"],
        &["admin", "token", "ana", "ben"],
        &["admin", "tokens"],
    ] {
        assert_eq!(run(wrong), (Some(2), String::new()), "{wrong:?}");
    }
}
