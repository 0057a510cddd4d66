//! `hookgate schemes`: the table of schemes as a page (`docs/schemes.md`).

use hookgate::config::{about, built_in};
use hookgate::scheme::{
    About, Algorithm, AnswerStyle, Handshake, IdentityRule, Member, Place, Proof, Scheme, Trust,
};
use hookgate::schemes::BUILT_IN;

use lexopt::prelude::Long;
use serde_json::{Value, json};

use super::Failure;
use super::schemes_needs::needs;
use super::schemes_text::{ABSENT, INTRODUCTION, KOOGALLERY, PLAIN};
use super::terminal::json as json_line;

pub fn command(mut arguments: lexopt::Parser) -> Result<(), Failure> {
    let mut as_list = false;
    let mut as_json = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("list") => as_list = true,
            Long("json") => as_json = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let mut schemes = Vec::new();
    for (name, text) in BUILT_IN {
        match (built_in(name), about(name)) {
            (Some(Ok(scheme)), Some(Ok(about))) => schemes.push((*name, scheme, about, *text)),
            (Some(Err(error)), _) | (_, Some(Err(error))) => {
                return Err(Failure::Refused(vec![format!("{name}: {error}")]));
            }
            _ => {}
        }
    }
    if as_json {
        for (name, scheme, about, _) in &schemes {
            println!("{}", json_line(&to_json(name, scheme, about)));
        }
        return Ok(());
    }
    if as_list {
        list(
            schemes
                .iter()
                .map(|(name, scheme, about, _)| (*name, scheme, about.proof)),
        );
        return Ok(());
    }
    print!("{INTRODUCTION}");
    println!(
        "| scheme | signed id | signed time | replay class | handshake | proved by | vectors from |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for (name, scheme, about, _) in &schemes {
        println!(
            "| [`{name}`](#{name}) | {} | {} | {} | {} | {} | {} |",
            signed_id(scheme),
            signed_time(scheme),
            replay_class(scheme),
            handshake(scheme, about),
            proved_by(about.proof),
            about.vector_source
        );
    }
    for (name, scheme, about, text) in &schemes {
        section(name, scheme, about, text);
    }
    println!("\n{ABSENT}");
    Ok(())
}

/// A scheme as its file has it, and what is told from it.
fn to_json(name: &str, scheme: &Scheme, about: &About) -> Value {
    json!({
        "name": name,
        "entry": scheme,
        "replay_class": replay_class(scheme),
        "proved_by": proof_word(about.proof),
        "vector_source": about.vector_source,
        "timeout_seconds": about.timeout_seconds,
        "retries": about.retries,
        "answers": about.answers,
        "warnings": about.warnings,
    })
}

fn proof_word(proof: Proof) -> &'static str {
    match proof {
        Proof::Published => "published",
        Proof::Sdk => "sdk",
        Proof::Script => "script",
        Proof::Unproven => "unproven",
    }
}

/// Whether nothing of the body can change under the signature.
fn signs_all(scheme: &Scheme) -> bool {
    !(scheme.proves_the_sender_only() || scheme.signs_crc() || scheme.joined.is_some())
}

/// The names by what stops a captured request: README.md's list.
fn list<'a>(schemes: impl Iterator<Item = (&'a str, &'a Scheme, Proof)> + Clone) {
    type Class = (&'static str, fn(&Scheme) -> bool);
    let classes: [Class; 5] = [
        ("Body and time are signed", |scheme| {
            signs_all(scheme) && scheme.time.is_some()
        }),
        ("The body is signed, no time", |scheme| {
            signs_all(scheme) && scheme.time.is_none()
        }),
        (
            "Only a part of the body is signed, or its checksum",
            |scheme| !signs_all(scheme) && !scheme.proves_the_sender_only(),
        ),
        (
            "A token, or a signature of its own, proves the sender and not the event",
            |scheme| scheme.proves_the_sender_only() && !scheme.is_bearer(),
        ),
        ("A credential, **nothing is signed**", Scheme::is_bearer),
    ];
    for (title, belongs) in classes {
        let names: Vec<String> = schemes
            .clone()
            .filter(|(_, scheme, proof)| belongs(scheme) && *proof != Proof::Unproven)
            .map(|(name, ..)| format!("`{name}`"))
            .collect();
        println!("- {title} ({}): {}.", names.len(), names.join(", "));
    }
    let count = |wanted: Proof| {
        schemes
            .clone()
            .filter(|(.., proof)| *proof == wanted)
            .count()
    };
    println!(
        "\nOf these, {} are proved by a vector that their provider or a standard published, {} by their provider's own SDK, and {} by a script outside `src`, which shows that the gate agrees with one reading of the documentation and no more. Not counted, because nothing but the gate's own signer proves them: {}.",
        count(Proof::Published),
        count(Proof::Sdk),
        count(Proof::Script),
        count(Proof::Unproven)
    );
}

fn proved_by(proof: Proof) -> &'static str {
    match proof {
        Proof::Published => "a published vector",
        Proof::Sdk => "the provider's SDK",
        Proof::Script => "a script outside `src`",
        Proof::Unproven => "**unproven**",
    }
}

fn section(name: &str, scheme: &Scheme, about: &About, text: &str) {
    println!("\n## {name}\n\n[{}]({})\n", scheme.provider, scheme.page);
    for warning in &about.warnings {
        println!("**{warning}**\n");
    }
    // The comment that the file begins with.
    let notes = text.lines().map_while(|line| line.strip_prefix('#'));
    for line in notes {
        println!("{}", line.trim_start());
    }
    println!("\n- Signed: {}.", signed(scheme));
    println!("- One event: {}.", one_event(scheme));
    let labels: Vec<String> = scheme.event_id.iter().cloned().map(String::from).collect();
    let called = quoted(&labels, "its key");
    let kinds: Vec<String> = scheme
        .event_type
        .iter()
        .cloned()
        .map(String::from)
        .collect();
    println!("- Called: {called}. Its type: {}.", quoted(&kinds, "none"));
    println!("- A source of it has: {}.", needs(scheme));
    println!("- Answers: {}.", answers(scheme));
    if let Some(why) = &about.answers {
        println!("- What the answer does: {why}");
    }
    let wait = about
        .timeout_seconds
        .map_or("a time that is not documented".to_owned(), |seconds| {
            format!("{seconds} s")
        });
    println!(
        "- The provider waits {wait}; the gate answers within {} ms.",
        scheme.answer_by_ms
    );
    println!(
        "- Sent again: {} Counted with {} s.",
        about.retries, scheme.retry_horizon_seconds
    );
}

fn signed_id(scheme: &Scheme) -> String {
    if scheme.is_bearer() {
        return "none".to_owned();
    }
    scheme
        .identity
        .first()
        .map_or("none".to_owned(), |rule| match rule {
            IdentityRule::SignedId(place) => format!("`{place}`"),
            IdentityRule::Fields(places) => places_of(places),
            IdentityRule::Digest(_) | IdentityRule::Bearer(_) | IdentityRule::Ping(_) => {
                "none".to_owned()
            }
        })
}

fn signed_time(scheme: &Scheme) -> String {
    scheme.time.as_ref().map_or("none".to_owned(), |form| {
        format!("`{}`, {} s", form.at, form.tolerance_seconds)
    })
}

fn replay_class(scheme: &Scheme) -> &'static str {
    match (scheme.proves_the_sender_only(), &scheme.time) {
        (true, _) => "none: body not signed",
        (false, Some(_)) => "time and memory",
        (false, None) if scheme.ping_ms().is_some() => "none: it says no more than \"look\"",
        (false, None) => "memory",
    }
}

fn handshake(scheme: &Scheme, about: &About) -> String {
    let mut ways = Vec::new();
    ways.extend(scheme.handshakes.iter().map(handshake_way));
    if scheme.reads_cloudevents() {
        ways.push("OPTIONS, allowed origins".to_owned());
    }
    ways.extend(about.handshake.clone());
    if ways.is_empty() {
        return "–".to_owned();
    }
    ways.join("; ")
}

fn handshake_way(shake: &Handshake) -> String {
    let asks = match (&shake.method, &shake.at) {
        (Some(method), Some(at)) => format!("{method} with `{at}`"),
        (Some(method), None) => method.clone(),
        (None, Some(at)) => match &shake.equals {
            None => format!("`{at}`"),
            Some(value) => format!("`{at}` = `{value}`"),
        },
        (None, None) => "any".to_owned(),
    };
    let who = match shake.trust {
        Trust::AsEvent => "verified",
        Trust::Anyone => "from anyone",
        Trust::Token => "with the source's token",
        Trust::Window => "from anyone, for 15 minutes",
    };
    let answer = if shake.confirm.is_some() {
        "a visit that confirms the subscription".to_owned()
    } else if shake.members.iter().any(Member::is_mac) {
        "a MAC of its text".to_owned()
    } else if shake.keep.is_some() {
        format!("{}, its secret is kept for the operator", shake.status)
    } else if shake.echo_header.is_some() {
        "its header".to_owned()
    } else if shake.echo.is_some() || !shake.members.is_empty() {
        "its text".to_owned()
    } else {
        let json = shake.json.as_ref().map(|json| format!(" `{json}`"));
        format!("{}{}", shake.status, json.unwrap_or_default())
    };
    format!("{asks}, {who}: {answer}")
}

fn signed(scheme: &Scheme) -> String {
    if scheme.is_bearer() {
        let places: Vec<Place> = scheme.credential_places().cloned().collect();
        return format!("nothing; the credential stands at {}", places_of(&places));
    }
    let parts: Vec<String> = scheme
        .signed
        .iter()
        .map(|part| format!("`{}`", part.to_string().replace('\n', "\\n")))
        .collect();
    let algorithm = match scheme.algorithm {
        Algorithm::HmacSha1 => "HMAC-SHA1",
        Algorithm::HmacSha256 => "HMAC-SHA256",
        Algorithm::HmacSha512 => "HMAC-SHA512",
        Algorithm::Sha256 => "SHA-256 without a key",
        Algorithm::RsaSha1 => "RSA with SHA-1",
        Algorithm::RsaSha256 => "RSA with SHA-256",
        Algorithm::RsaPssSha512 => "RSA-PSS with SHA-512",
        Algorithm::EcdsaP256 | Algorithm::EcdsaP256Der => "ECDSA with P-256",
        Algorithm::Ed25519 => "Ed25519",
        Algorithm::Credential => "nothing",
    };
    let claims: Vec<String> = scheme
        .claims
        .iter()
        .map(|claim| format!("`{claim}`"))
        .collect();
    let bound = match claims.is_empty() {
        true => String::new(),
        false => format!("; the token must have {}", claims.join(" and ")),
    };
    format!(
        "{} by {algorithm}, at `{}`{bound}{}",
        parts.join(" "),
        scheme.signature.at,
        stated(scheme)
    )
}

/// What the parts are made of that only a statement has.
fn stated(scheme: &Scheme) -> String {
    let mut text = String::new();
    if let Some(form) = &scheme.joined {
        text += &format!("; joined by `{}` are {}", form.by, places_of(&form.of));
    }
    if let Some(form) = &scheme.named_headers {
        text += &format!("; the headers are those that `{}` names", form.at);
    }
    if let Some(form) = &scheme.message_signature {
        let lists: Vec<String> = form.required.iter().map(|list| quoted_all(list)).collect();
        text += &format!("; it must cover {}", lists.join(", or "));
    }
    text
}

fn quoted_all(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(" and ")
}

fn one_event(scheme: &Scheme) -> String {
    let rules: Vec<String> = scheme
        .identity
        .iter()
        .map(|rule| match rule {
            IdentityRule::SignedId(place) => format!("`{place}`"),
            IdentityRule::Fields(places) => places_of(places),
            IdentityRule::Bearer(rule) => {
                let unless = rule.unless.as_ref();
                let unless =
                    unless.map_or(String::new(), |place| format!(" unless there is `{place}`"));
                format!("{}, unsigned{unless}", places_of(&rule.fields))
            }
            IdentityRule::Digest(rule) => {
                let mut text = match scheme.proves_the_sender_only() {
                    true => "the body, unsigned".to_owned(),
                    false => "the digest of what is signed less time and nonce".to_owned(),
                };
                if !rule.with.is_empty() {
                    text += &format!(", and {}", places_of(&rule.with));
                }
                if let Some(place) = &rule.discriminator {
                    text += &format!(", and `{place}`, unsigned");
                }
                text
            }
            IdentityRule::Ping(rule) => format!(
                "each by itself, but equal ones within {} s are one, delivered at their end",
                rule.window_seconds
            ),
        })
        .collect();
    rules.join("; else ")
}

fn answers(scheme: &Scheme) -> String {
    match scheme.answer {
        AnswerStyle::Koogallery => KOOGALLERY.to_owned(),
        AnswerStyle::Silent => format!("accepted 200, {PLAIN}; never with a body"),
        AnswerStyle::Plain => {
            let accepted = scheme.accepted.as_ref().map_or("200".to_owned(), |exact| {
                format!("{} `{}`", exact.status, exact.body)
            });
            format!("accepted {accepted}, {PLAIN}")
        }
    }
}

fn places_of(places: &[Place]) -> String {
    let places: Vec<String> = places.iter().map(|place| format!("`{place}`")).collect();
    places.join(" and ")
}

fn quoted(labels: &[String], otherwise: &str) -> String {
    if labels.is_empty() {
        return otherwise.to_owned();
    }
    let labels: Vec<String> = labels
        .iter()
        .map(|label| format!("`{}`", label.replace('|', "\\|")))
        .collect();
    labels.join(", else ")
}
