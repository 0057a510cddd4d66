//! Every way a request can end.
//!
//! One enum a question: [`Reject`] is what the sender did wrong, [`Trouble`] is what is wrong with
//! us, [`Verdict`] is how the request ended. What the operator's record is told ([`Verdict::reason`])
//! and what the sender is told ([`Verdict::wire`]) are two exhaustive matches: a new reason does
//! not compile until someone decides what the sender may learn from it.

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Verified, new, and held.
    Accepted,
    /// Verified, and held again as another run: the event was among the dead letters, or an operator had it
    /// forgotten.
    Revived,
    /// Verified, and the same event is already held.
    Duplicate,
    /// Answered by itself: it asked for an answer and brought no event. Verified, unless its scheme says
    /// that its provider signs no such request.
    Challenged,
    /// Asked whether it may send, and allowed to: nothing was verified, nothing was brought.
    Permitted {
        /// Which of the source's allowed origins.
        origin: usize,
        /// Requests a minute that it asked for.
        rate: Option<u32>,
    },
    /// Verified, and not taken because the source is in observe mode.
    Observed,
    Refused(Reject),
    Unavailable(Trouble),
}

/// What the sender did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reject {
    UnknownSource,
    MethodNotAllowed,
    BodyTooLarge {
        body_bytes_max: usize,
    },
    MissingSignature,
    MalformedSignature(Shape),
    MissingTime,
    MalformedTime(Shape),
    /// A value that the scheme signs (an id, a nonce) is not there.
    MissingSignedPart,
    MalformedSignedPart(Shape),
    /// Well-formed, and made with none of the source's secrets over these bytes.
    SignatureMismatch,
    /// The message is not of the topic, account or audience that the source pins.
    PinMismatch,
    /// The message names a URL, of its key or to be visited, that the scheme's entry does not allow.
    UrlNotAllowed,
    /// The token's algorithm, issuer or claims are not what the scheme demands.
    TokenNotAllowed,
    /// The body's digest is not the signed one.
    BodyDigestMismatch,
    /// Verified, and signed longer ago than the tolerance.
    Stale {
        age_ms: i64,
    },
    /// Verified, and signed too far ahead of our clock.
    FromFuture {
        ahead_ms: i64,
    },
    /// Verified, and an attribute of the event is not text.
    MalformedEvent(Shape),
    /// A handshake with the wrong token, or with a text that is not echoed.
    HandshakeRefused,
    /// A handshake that hands a secret over, while no operator has opened the window for it.
    HandshakeClosed,
    /// Another secret was handed over in this window before.
    HandshakeTaken,
}

/// What is wrong with the form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// The prefix that the scheme puts in front is not there.
    NoPrefix,
    /// A list without an item of a version that the scheme knows.
    NoKnownVersion,
    /// More items than [`crate::verify::CANDIDATES_MAX`], or more signed headers than are looked up.
    TooMany,
    NotHex,
    NotBase64,
    WrongLength,
    Repeated,
    Undecodable,
    NotATime,
    Empty,
    /// It contains the character that ends it in the signed string.
    ContainsDelimiter,
    NotAJsonObject,
    NotAJsonArray,
    RepeatedName,
    TooDeep,
    /// Not a compact JWS.
    NotAToken,
    /// Not a structured field (RFC 9651) of the kind that is wanted.
    NotAField,
    /// The token names another algorithm than the scheme, or an extension of its own.
    WrongAlgorithm,
}

/// What is wrong with us. Always 503: the sender keeps the event and sends it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// It came to a host that is configured as the operators'.
    ConfigurationBroken,
    /// A configured secret is missing or empty, and no other secret matched.
    SecretMissing,
    /// A configured secret cannot be decoded as the scheme says.
    SecretUnusable,
    /// Two sources that must not share a secret do.
    SecretShared,
    /// A pin is missing, or has not the form that the scheme demands.
    PinUnusable,
    /// Two sources have the same pins.
    PinShared,
    /// The provider's key could not be fetched, or was asked for too often.
    KeyUnfetched,
    /// The provider's set of keys does not have the one that the message names, or not yet.
    KeyUnknown,
    /// The provider's key must not be used: it is another's, too short, or out of date, or its
    /// certificate's chain does not hold.
    KeyUnusable,
    /// The signature could not be checked.
    CheckFailed,
    /// The visit that confirms a subscription failed.
    ConfirmationFailed,
    /// Observe mode in production without an acknowledgement.
    ObserveUnacknowledged,
    /// A destination has no address or no secret; events wait for it.
    DestinationUnusable,
    /// The body could not be read to its end. That may be the sender's doing or ours; a sender that
    /// is still there may send again.
    BodyUnread,
    /// Too many forgeries of this source had large bodies; this one's was not read.
    Flooded,
    /// The body took longer than any may. 503 and not 408 (RFC 9110, section 15.5.9), although that says
    /// what happened: whose slowness it was nobody knows, the network's or this isolate's as well as the
    /// sender's, and some providers take every 4xx as final.
    BodyTooSlow,
    /// This isolate holds as many bytes of requests that have proved nothing as it may.
    NoRoom,
    /// The queue did not take the event.
    HoldFailed,
    /// The queue did not answer in time: the event may be held, or not.
    HoldUnknown,
    /// The archive did not take the event's content, or not in time.
    ContentUnkept,
    /// The archive did not take the secret that a provider handed over.
    OfferUnkept,
    /// The event does not fit into a message although its body is within the limit.
    MessageTooLarge,
    Panicked,
}

/// What the sender may learn, and nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wire {
    Accepted,
    Duplicate,
    Challenged,
    /// It may send: its own origin, and the rate that it asked for.
    Permitted {
        origin: usize,
        rate: Option<u32>,
    },
    NotFound,
    MethodNotAllowed,
    TooLarge,
    Malformed,
    /// One answer for everything that is decided after a MAC was computed.
    NotVerified,
    /// A handshake that is not answered.
    Forbidden,
    Unavailable,
}

impl Verdict {
    /// The kind of end, for the record.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Accepted => "accepted",
            Verdict::Revived => "revived",
            Verdict::Duplicate => "duplicate",
            Verdict::Challenged => "challenged",
            Verdict::Permitted { .. } => "permitted",
            Verdict::Observed => "observed",
            Verdict::Refused(_) => "refused",
            Verdict::Unavailable(_) => "unavailable",
        }
    }

    /// The exact reason, for the record.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Verdict::Accepted
            | Verdict::Revived
            | Verdict::Duplicate
            | Verdict::Challenged
            | Verdict::Permitted { .. }
            | Verdict::Observed => None,
            Verdict::Refused(reject) => Some(reject.name()),
            Verdict::Unavailable(trouble) => Some(trouble.name()),
        }
    }

    /// What the sender is told.
    pub fn wire(self) -> Wire {
        match self {
            Verdict::Accepted | Verdict::Revived => Wire::Accepted,
            Verdict::Duplicate => Wire::Duplicate,
            Verdict::Challenged => Wire::Challenged,
            Verdict::Permitted { origin, rate } => Wire::Permitted { origin, rate },
            Verdict::Observed | Verdict::Unavailable(_) => Wire::Unavailable,
            Verdict::Refused(reject) => match reject {
                Reject::UnknownSource => Wire::NotFound,
                Reject::MethodNotAllowed => Wire::MethodNotAllowed,
                Reject::BodyTooLarge { .. } => Wire::TooLarge,
                Reject::MalformedSignature(_)
                | Reject::MalformedTime(_)
                | Reject::MalformedSignedPart(_)
                | Reject::MalformedEvent(_) => Wire::Malformed,
                Reject::MissingSignature
                | Reject::MissingTime
                | Reject::MissingSignedPart
                | Reject::SignatureMismatch
                | Reject::PinMismatch
                | Reject::UrlNotAllowed
                | Reject::TokenNotAllowed
                | Reject::BodyDigestMismatch
                | Reject::Stale { .. }
                | Reject::FromFuture { .. } => Wire::NotVerified,
                Reject::HandshakeRefused | Reject::HandshakeClosed | Reject::HandshakeTaken => {
                    Wire::Forbidden
                }
            },
        }
    }
}

impl Reject {
    pub fn name(self) -> &'static str {
        match self {
            Reject::UnknownSource => "unknown_source",
            Reject::MethodNotAllowed => "method_not_allowed",
            Reject::BodyTooLarge { .. } => "body_too_large",
            Reject::MissingSignature => "missing_signature",
            Reject::MalformedSignature(_) => "malformed_signature",
            Reject::MissingTime => "missing_time",
            Reject::MalformedTime(_) => "malformed_time",
            Reject::MissingSignedPart => "missing_signed_part",
            Reject::MalformedSignedPart(_) => "malformed_signed_part",
            Reject::SignatureMismatch => "signature_mismatch",
            Reject::PinMismatch => "pin_mismatch",
            Reject::UrlNotAllowed => "url_not_allowed",
            Reject::TokenNotAllowed => "token_not_allowed",
            Reject::BodyDigestMismatch => "body_digest_mismatch",
            Reject::Stale { .. } => "stale",
            Reject::FromFuture { .. } => "from_future",
            Reject::MalformedEvent(_) => "malformed_event",
            Reject::HandshakeRefused => "handshake_refused",
            Reject::HandshakeClosed => "handshake_closed",
            Reject::HandshakeTaken => "handshake_taken",
        }
    }

    /// The fact behind the reason, for the record: a name, and a number where there is one.
    pub fn evidence(self) -> Option<(&'static str, Option<i64>)> {
        match self {
            Reject::MalformedSignature(shape)
            | Reject::MalformedTime(shape)
            | Reject::MalformedSignedPart(shape)
            | Reject::MalformedEvent(shape) => Some((shape.name(), None)),
            Reject::Stale { age_ms } => Some(("age_ms", Some(age_ms))),
            Reject::FromFuture { ahead_ms } => Some(("ahead_ms", Some(ahead_ms))),
            Reject::BodyTooLarge { body_bytes_max } => {
                Some(("body_bytes_max", i64::try_from(body_bytes_max).ok()))
            }
            Reject::UnknownSource
            | Reject::MethodNotAllowed
            | Reject::MissingSignature
            | Reject::MissingTime
            | Reject::MissingSignedPart
            | Reject::SignatureMismatch
            | Reject::PinMismatch
            | Reject::UrlNotAllowed
            | Reject::TokenNotAllowed
            | Reject::BodyDigestMismatch
            | Reject::HandshakeRefused
            | Reject::HandshakeClosed
            | Reject::HandshakeTaken => None,
        }
    }
}

impl Shape {
    pub fn name(self) -> &'static str {
        match self {
            Shape::NoPrefix => "no_prefix",
            Shape::NoKnownVersion => "no_known_version",
            Shape::TooMany => "too_many",
            Shape::NotHex => "not_hex",
            Shape::NotBase64 => "not_base64",
            Shape::WrongLength => "wrong_length",
            Shape::Repeated => "repeated",
            Shape::Undecodable => "undecodable",
            Shape::NotATime => "not_a_time",
            Shape::Empty => "empty",
            Shape::ContainsDelimiter => "contains_delimiter",
            Shape::NotAJsonObject => "not_a_json_object",
            Shape::NotAJsonArray => "not_a_json_array",
            Shape::RepeatedName => "repeated_name",
            Shape::TooDeep => "too_deep",
            Shape::NotAToken => "not_a_token",
            Shape::NotAField => "not_a_field",
            Shape::WrongAlgorithm => "wrong_algorithm",
        }
    }
}

impl Trouble {
    pub fn name(self) -> &'static str {
        match self {
            Trouble::ConfigurationBroken => "configuration_broken",
            Trouble::SecretMissing => "secret_missing",
            Trouble::SecretUnusable => "secret_unusable",
            Trouble::SecretShared => "secret_shared",
            Trouble::PinUnusable => "pin_unusable",
            Trouble::PinShared => "pin_shared",
            Trouble::KeyUnfetched => "key_unfetched",
            Trouble::KeyUnknown => "key_unknown",
            Trouble::KeyUnusable => "key_unusable",
            Trouble::CheckFailed => "check_failed",
            Trouble::ConfirmationFailed => "confirmation_failed",
            Trouble::ObserveUnacknowledged => "observe_unacknowledged",
            Trouble::DestinationUnusable => "destination_unusable",
            Trouble::BodyUnread => "body_unread",
            Trouble::Flooded => "flooded",
            Trouble::BodyTooSlow => "body_too_slow",
            Trouble::NoRoom => "no_room",
            Trouble::HoldFailed => "hold_failed",
            Trouble::HoldUnknown => "hold_unknown",
            Trouble::ContentUnkept => "content_unkept",
            Trouble::OfferUnkept => "offer_unkept",
            Trouble::MessageTooLarge => "message_too_large",
            Trouble::Panicked => "panicked",
        }
    }
}
