//! What each reason means, in plain words, and what to do. `docs/runbook.md` has the same table; `tests/api.rs` holds the
//! three together: the reasons of [`crate::verdict`], the words here, and the page.

/// A reason for people who did not write the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The reason's name in the record.
    pub reason: &'static str,
    pub title: &'static str,
    /// Why, and which members of the record have the facts.
    pub detail: &'static str,
    pub what_to_do: &'static str,
}

/// A name that this version of the gate does not know.
const UNKNOWN: Explanation = Explanation {
    reason: "",
    title: "Not a refusal that this version knows",
    detail: "The record was written by another version of the gate, or tells of something else than a request.",
    what_to_do: "Look at the record's text.",
};

/// A refusal's by the name of its reason; of everything else by its verdict.
pub fn explanation(verdict: &str, reason: &str) -> Explanation {
    let name = match verdict {
        "refused" | "unavailable" => reason,
        other => other,
    };
    let mut known = EXPLANATIONS.iter();
    *known.find(|known| known.reason == name).unwrap_or(&UNKNOWN)
}

const fn of(
    reason: &'static str,
    title: &'static str,
    detail: &'static str,
    what_to_do: &'static str,
) -> Explanation {
    Explanation {
        reason,
        title,
        detail,
        what_to_do,
    }
}

/// In the order of [`crate::verdict`]: first what the sender did, then what is wrong with the gate.
pub const EXPLANATIONS: &[Explanation] = &[
    of(
        "unknown_source",
        "No source has this path",
        "The request was sent to a path that is not configured; unknown_path has it.",
        "Compare it with the URL that the sender was given. Scanners try paths all day: then there is nothing to do.",
    ),
    of(
        "method_not_allowed",
        "The method is not one that the source takes",
        "Mostly a GET by a browser or a probe; method has it.",
        "If the sender means it, look which methods its scheme has in docs/schemes.md.",
    ),
    of(
        "body_too_large",
        "The body is larger than the source's limit",
        "declared_bytes is what the sender announced, evidence_value the limit.",
        "Raise body_bytes_max of the source, or set stream_bytes_max; or have the sender send less.",
    ),
    of(
        "missing_signature",
        "There is no signature",
        "The header or field that the scheme puts its signature in is not there; header_names has those that came.",
        "Have the sender turn signing on. If the header is there under another name, the source has another provider's scheme.",
    ),
    of(
        "malformed_signature",
        "The signature does not have the scheme's form",
        "evidence says what is wrong with it, and diagnosis which mistake makes such a form.",
        "Have the sender write it as docs/schemes.md says: its prefix, its encoding, its length.",
    ),
    of(
        "missing_time",
        "There is no signed time",
        "The scheme signs the time of sending, and it is not there.",
        "Have the sender put it in, where docs/schemes.md says; look for a proxy that removes headers.",
    ),
    of(
        "malformed_time",
        "The signed time does not have the scheme's form",
        "evidence says what is wrong with it; often the unit is another, seconds or milliseconds.",
        "Have the sender write the time as docs/schemes.md says.",
    ),
    of(
        "missing_signed_part",
        "A value that is signed is not there",
        "The scheme signs an id or another value that the request does not have.",
        "Have the sender put it in, where docs/schemes.md says; look for a proxy that removes headers.",
    ),
    of(
        "malformed_signed_part",
        "A value that is signed does not have the scheme's form",
        "evidence says what is wrong with it. A value that could be read in two ways is refused.",
        "Have the sender write it as docs/schemes.md says.",
    ),
    of(
        "signature_mismatch",
        "The signature is wrong",
        "It was made with none of the source's secrets over these bytes; secrets_tried says how many there are. Another secret, changed bytes, or a forgery.",
        "See the diagnosis. If there is none, compare body_sha256 with the sender's bytes, and then the secrets.",
    ),
    of(
        "pin_mismatch",
        "The message is somebody else's",
        "The signature may be right, but the topic, account or audience is not the one that the source pins.",
        "If it should be, correct the pins of the source. Otherwise somebody points his own account at this URL.",
    ),
    of(
        "url_not_allowed",
        "The message names a URL that is not allowed",
        "Of its certificate or to be visited; only the provider's exact hosts are.",
        "If the provider has a new host, it belongs into the scheme. Otherwise it is a forgery.",
    ),
    of(
        "token_not_allowed",
        "The token is not of the kind that is demanded",
        "Its algorithm, issuer or claims are others than the scheme's.",
        "Compare the sender's issuer and audience with the source's pins.",
    ),
    of(
        "body_digest_mismatch",
        "The body is not the one that was signed",
        "The signed digest is another than the body's: something changed the body on the way.",
        "Look for a proxy or a framework that writes the body again.",
    ),
    of(
        "stale",
        "The signature is too old",
        "It is right, and was made longer ago than tolerance_seconds; evidence_value is its age in milliseconds. A delayed delivery, a slow clock, or a replay.",
        "Look at the sender's clock and his queue. Many at once after an outage come again by themselves.",
    ),
    of(
        "from_future",
        "The signature is from the future",
        "It is right, and its time is ahead of ours by evidence_value milliseconds.",
        "Have the sender set his clock.",
    ),
    of(
        "malformed_event",
        "The event cannot be read",
        "The signature is right, but the event's id or type is no text; evidence says what it is.",
        "Have the sender look at what he sends.",
    ),
    of(
        "handshake_refused",
        "A handshake is not answered",
        "Its token is wrong, or it asks for an echo of what is no harmless text.",
        "Repeat the provider's set-up with the right token.",
    ),
    of(
        "handshake_closed",
        "A secret was offered while no window is open",
        "The provider hands its secret over unsigned, and nobody had opened the source for it.",
        "If you are setting the provider up, set handshake_opens, deploy, and repeat it. Otherwise it is an attack.",
    ),
    of(
        "handshake_taken",
        "A second secret was offered",
        "Another one came before it in this window, and was not read yet.",
        "Read the first with scripts/offer; if it is not the provider's, open a new window.",
    ),
    of(
        "configuration_broken",
        "The webhook came to the operators' host",
        "ADMIN_HOST names a host that a sender knows. The sender was told to come again.",
        "Set ADMIN_HOST to a host that no sender knows.",
    ),
    of(
        "secret_missing",
        "A secret of the source is not there",
        "secret_name is configured and not set, and no other secret matched. The sender was told to come again.",
        "Set it: npx wrangler secret put NAME --env ENVIRONMENT.",
    ),
    of(
        "secret_unusable",
        "A secret of the source is no key",
        "secret_name cannot be decoded as the scheme says, or is too short.",
        "Set it again, as the provider shows it, without quotes or spaces.",
    ),
    of(
        "secret_shared",
        "Two have the same secret",
        "Whoever may send to one source, or is sent one tenant's deliveries, could forge the other's: such sources are closed, and such destinations sent nothing.",
        "Give each its own; where both are one sender's, name a group in shared_secret.",
    ),
    of(
        "pin_unusable",
        "A pin of the source is missing or malformed",
        "Without it every customer of the provider could send.",
        "Set the variable that the log names.",
    ),
    of(
        "pin_shared",
        "Two sources have the same pins",
        "One message would be an event of both.",
        "Give each its own topic, account or audience.",
    ),
    of(
        "key_unfetched",
        "The provider's key could not be fetched",
        "Its server did not answer, or was asked often enough in this minute. The sender comes again.",
        "Nothing, if it ends by itself. Otherwise look whether the provider is reachable.",
    ),
    of(
        "key_unknown",
        "The provider does not know the key",
        "The message names a key that is not among the provider's, or not yet.",
        "Nothing, after a rotation. Many of them are forgeries.",
    ),
    of(
        "key_unusable",
        "The provider's key must not be used",
        "It is another's, too short, or out of date, or the chain of its certificate does not hold.",
        "Look at what the provider serves; of a chain, the alarm chain_broken says what is wrong with it.",
    ),
    of(
        "check_failed",
        "The signature could not be checked",
        "The platform's cryptography failed.",
        "Nothing: the sender comes again. If it stays, look at the log's detail.",
    ),
    of(
        "confirmation_failed",
        "The subscription was not confirmed",
        "The provider's confirmation URL did not answer.",
        "Have the provider send the confirmation again.",
    ),
    of(
        "observe_unacknowledged",
        "The source only observes",
        "In production that refuses every delivery, so it has to be said twice.",
        "Remove mode = observe, or set observe_in_production.",
    ),
    of(
        "destination_unusable",
        "The destination has no address or no secret",
        "A destination of this source cannot be used, and events wait for it.",
        "Set the variable or the secret that the log names.",
    ),
    of(
        "body_unread",
        "The body could not be read to its end",
        "The connection broke; whose fault it was nobody knows.",
        "Nothing: the sender comes again.",
    ),
    of(
        "flooded",
        "Too many large forgeries",
        "Large bodies of this source did not verify, many of them, so this one was not read.",
        "Look who sends them. A genuine event comes again and gets through.",
    ),
    of(
        "body_too_slow",
        "The body took too long",
        "It was not there after ten seconds, or thirty as a stream.",
        "Nothing, if it is rare. Otherwise look at the sender's network.",
    ),
    of(
        "no_room",
        "Too many bodies at once",
        "The isolate holds as many bytes of unverified bodies as it may.",
        "Nothing: the sender comes again. Many of them are an attack.",
    ),
    of(
        "hold_failed",
        "The event could not be held",
        "Neither the queue nor the ledger nor the spool took it.",
        "Look at the platform's status and the log's detail. The sender comes again.",
    ),
    of(
        "hold_unknown",
        "It is not known whether the event is held",
        "The queue did not answer in time. If it took the event, the sender's next try is a copy, and is delivered once.",
        "Nothing: the sender comes again.",
    ),
    of(
        "content_unkept",
        "The event's content could not be stored",
        "It is too long for a message, and the archive did not take it.",
        "Look at the platform's status. The sender comes again.",
    ),
    of(
        "offer_unkept",
        "An offered secret could not be stored",
        "The archive did not take it.",
        "Repeat the provider's set-up.",
    ),
    of(
        "message_too_large",
        "The event does not fit into a message",
        "Its body is within the limit, and its headers or names are not.",
        "Have the sender send fewer and shorter headers.",
    ),
    of(
        "panicked",
        "The gate failed",
        "A panic ended this request, and this one only. The log has its place.",
        "Report it, with the log's line. The sender comes again.",
    ),
    of(
        "retention",
        "Records were removed, because their time was over",
        "texts and addresses say how many, and from before when.",
        "Nothing: it is what the tenant's audit_days and client_address_days say.",
    ),
    of(
        "admin",
        "An operator did something",
        "The record says who, what, and what came of it.",
        "Nothing, if you know of it.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_explained_as_that() {
        assert_eq!(explanation("refused", "stale").reason, "stale");
        assert_eq!(explanation("retention", "").reason, "retention");
        assert_eq!(explanation("admin", "redriven").reason, "admin");
        for (verdict, reason) in [("refused", "of-tomorrow"), ("of-tomorrow", ""), ("", "")] {
            assert_eq!(explanation(verdict, reason), UNKNOWN);
        }
    }
}
