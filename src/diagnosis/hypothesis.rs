//! The list of hypotheses.

use super::case::{Case, Change};
use super::{bodies, secrets, signatures, signed_string};

/// A mistake that a sender may have made, or whoever set the gate up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hypothesis {
    RetiredSecret,
    SecretNotDecoded,
    SecretPrefixKept,
    SecretPrefixRemoved,
    SecretDecoded,
    SecretUnset,
    SecretWhitespace,
    SecretQuotes,
    SignatureInBase64,
    SignatureInHex,
    SignatureInBase64Url,
    SignatureUpperCase,
    SignatureEncodedTwice,
    SignaturePrefix,
    OtherHash,
    TimeUnit,
    TimeSignedOtherwise,
    BodyNewlineAdded,
    BodyNewlineRemoved,
    BodyCrlf,
    BodyLf,
    BodyBomRemoved,
    BodyBomAdded,
    BodyCompact,
    BodySpaced,
    BodyPretty,
    BodySorted,
    BodyNotSigned,
    BodyHexDecoded,
    BodyDigest,
    BodyOnly,
    PartsInOtherOrder,
    SeparatorsMissing,
    TimeChanged,
}

impl Hypothesis {
    /// In the order in which they are tried: what is likely and cheap comes first.
    pub const ALL: &[Hypothesis] = &[
        Hypothesis::SignaturePrefix,
        Hypothesis::SignatureInBase64,
        Hypothesis::SignatureInHex,
        Hypothesis::SignatureInBase64Url,
        Hypothesis::SignatureUpperCase,
        Hypothesis::SignatureEncodedTwice,
        Hypothesis::TimeUnit,
        Hypothesis::RetiredSecret,
        Hypothesis::BodyNewlineAdded,
        Hypothesis::BodyNewlineRemoved,
        Hypothesis::BodyCompact,
        Hypothesis::SecretNotDecoded,
        Hypothesis::SecretPrefixKept,
        Hypothesis::SecretPrefixRemoved,
        Hypothesis::SecretDecoded,
        Hypothesis::BodySpaced,
        Hypothesis::BodyOnly,
        Hypothesis::BodyNotSigned,
        Hypothesis::OtherHash,
        Hypothesis::SecretUnset,
        Hypothesis::SecretWhitespace,
        Hypothesis::SecretQuotes,
        Hypothesis::BodyPretty,
        Hypothesis::BodySorted,
        Hypothesis::BodyCrlf,
        Hypothesis::BodyLf,
        Hypothesis::BodyBomRemoved,
        Hypothesis::BodyBomAdded,
        Hypothesis::BodyHexDecoded,
        Hypothesis::BodyDigest,
        Hypothesis::TimeSignedOtherwise,
        Hypothesis::PartsInOtherOrder,
        Hypothesis::SeparatorsMissing,
        Hypothesis::TimeChanged,
    ];

    /// What may be otherwise if the mistake was made. Nothing where it cannot have been.
    pub(super) fn changes(self, case: &Case<'_>) -> Vec<Change> {
        let mut changes = Vec::new();
        let of: fn(&Case<'_>, &mut Vec<Change>) = match self {
            Hypothesis::RetiredSecret => secrets::retired,
            Hypothesis::SecretNotDecoded => secrets::not_decoded,
            Hypothesis::SecretPrefixKept => secrets::prefix_kept,
            Hypothesis::SecretPrefixRemoved => secrets::prefix_removed,
            Hypothesis::SecretDecoded => secrets::decoded,
            Hypothesis::SecretUnset => secrets::unset,
            Hypothesis::SecretWhitespace => secrets::whitespace,
            Hypothesis::SecretQuotes => secrets::quotes,
            Hypothesis::SignatureInBase64 => signatures::in_base64,
            Hypothesis::SignatureInHex => signatures::in_hex,
            Hypothesis::SignatureInBase64Url => signatures::in_base64url,
            Hypothesis::SignatureUpperCase => signatures::upper_case,
            Hypothesis::SignatureEncodedTwice => signatures::encoded_twice,
            Hypothesis::SignaturePrefix => signatures::prefix,
            Hypothesis::OtherHash => secrets::other_hash,
            Hypothesis::TimeUnit => signed_string::time_unit,
            Hypothesis::TimeSignedOtherwise => signed_string::time_signed_otherwise,
            Hypothesis::BodyNewlineAdded => bodies::newline_added,
            Hypothesis::BodyNewlineRemoved => bodies::newline_removed,
            Hypothesis::BodyCrlf => bodies::crlf,
            Hypothesis::BodyLf => bodies::lf,
            Hypothesis::BodyBomRemoved => bodies::bom_removed,
            Hypothesis::BodyBomAdded => bodies::bom_added,
            Hypothesis::BodyCompact => bodies::compact,
            Hypothesis::BodySpaced => bodies::spaced,
            Hypothesis::BodyPretty => bodies::pretty,
            Hypothesis::BodySorted => bodies::sorted,
            Hypothesis::BodyNotSigned => signed_string::body_not_signed,
            Hypothesis::BodyHexDecoded => bodies::hex_decoded,
            Hypothesis::BodyDigest => bodies::digest,
            Hypothesis::BodyOnly => signed_string::body_only,
            Hypothesis::PartsInOtherOrder => signed_string::other_order,
            Hypothesis::SeparatorsMissing => signed_string::separators_missing,
            Hypothesis::TimeChanged => signed_string::time_changed,
        };
        of(case, &mut changes);
        changes
    }

    /// The name, for the record.
    pub const fn name(self) -> &'static str {
        match self {
            Hypothesis::RetiredSecret => "retired_secret",
            Hypothesis::SecretNotDecoded => "secret_not_decoded",
            Hypothesis::SecretPrefixKept => "secret_prefix_kept",
            Hypothesis::SecretPrefixRemoved => "secret_prefix_removed",
            Hypothesis::SecretDecoded => "secret_decoded",
            Hypothesis::SecretUnset => "secret_unset",
            Hypothesis::SecretWhitespace => "secret_whitespace",
            Hypothesis::SecretQuotes => "secret_quotes",
            Hypothesis::SignatureInBase64 => "signature_in_base64",
            Hypothesis::SignatureInHex => "signature_in_hex",
            Hypothesis::SignatureInBase64Url => "signature_in_base64url",
            Hypothesis::SignatureUpperCase => "signature_upper_case",
            Hypothesis::SignatureEncodedTwice => "signature_encoded_twice",
            Hypothesis::SignaturePrefix => "signature_prefix",
            Hypothesis::OtherHash => "other_hash",
            Hypothesis::TimeUnit => "time_unit",
            Hypothesis::TimeSignedOtherwise => "time_signed_otherwise",
            Hypothesis::BodyNewlineAdded => "body_newline_added",
            Hypothesis::BodyNewlineRemoved => "body_newline_removed",
            Hypothesis::BodyCrlf => "body_crlf",
            Hypothesis::BodyLf => "body_lf",
            Hypothesis::BodyBomRemoved => "body_bom_removed",
            Hypothesis::BodyBomAdded => "body_bom_added",
            Hypothesis::BodyCompact => "body_compact",
            Hypothesis::BodySpaced => "body_spaced",
            Hypothesis::BodyPretty => "body_pretty",
            Hypothesis::BodySorted => "body_sorted",
            Hypothesis::BodyNotSigned => "body_not_signed",
            Hypothesis::BodyHexDecoded => "body_hex_decoded",
            Hypothesis::BodyDigest => "body_digest",
            Hypothesis::BodyOnly => "body_only",
            Hypothesis::PartsInOtherOrder => "parts_in_other_order",
            Hypothesis::SeparatorsMissing => "separators_missing",
            Hypothesis::TimeChanged => "time_changed",
        }
    }

    /// What was done, in words that a sender can act on.
    pub const fn words(self) -> &'static str {
        match self {
            Hypothesis::RetiredSecret => "signed with a secret that was rotated out",
            Hypothesis::SecretNotDecoded => {
                "the secret's characters were the key, without decoding them"
            }
            Hypothesis::SecretPrefixKept => "the secret's prefix was left on",
            Hypothesis::SecretPrefixRemoved => {
                "the secret's prefix was taken off, but belongs to the key"
            }
            Hypothesis::SecretDecoded => "the secret was decoded in a way that is not the scheme's",
            Hypothesis::SecretUnset => "signed with an empty secret, or with the word undefined",
            Hypothesis::SecretWhitespace => "the key had a space or a newline around it",
            Hypothesis::SecretQuotes => "the secret has quotes around it on one side",
            Hypothesis::SignatureInBase64 => "the signature is written in base64 instead of hex",
            Hypothesis::SignatureInHex => "the signature is written in hex instead of base64",
            Hypothesis::SignatureInBase64Url => {
                "the signature is in base64 for URLs or without its padding"
            }
            Hypothesis::SignatureUpperCase => "the signature is in upper-case hex",
            Hypothesis::SignatureEncodedTwice => "the signature is base64 of hex: encoded twice",
            Hypothesis::SignaturePrefix => {
                "the signature lacks the scheme's prefix or has one that is not the scheme's"
            }
            Hypothesis::OtherHash => "made with another hash than the scheme's",
            Hypothesis::TimeUnit => {
                "the timestamp is in another unit: milliseconds for seconds or the reverse"
            }
            Hypothesis::TimeSignedOtherwise => {
                "the timestamp was signed in another form than it was sent in"
            }
            Hypothesis::BodyNewlineAdded => {
                "the signature is right for the body with a trailing newline"
            }
            Hypothesis::BodyNewlineRemoved => {
                "the signature is right for the body without its trailing newline"
            }
            Hypothesis::BodyCrlf => "the signature is right for the body with CRLF line ends",
            Hypothesis::BodyLf => "the signature is right for the body with LF line ends",
            Hypothesis::BodyBomRemoved => {
                "the signature is right for the body without its byte order mark"
            }
            Hypothesis::BodyBomAdded => {
                "the signature is right for the body with a byte order mark"
            }
            Hypothesis::BodyCompact => "the signature is right for the body as compact JSON",
            Hypothesis::BodySpaced => {
                "the signature is right for the body as JSON with a space behind each comma and colon"
            }
            Hypothesis::BodyPretty => "the signature is right for the body as indented JSON",
            Hypothesis::BodySorted => {
                "the signature is right for the body as JSON with sorted names"
            }
            Hypothesis::BodyNotSigned => "the body was left out of the signed string",
            Hypothesis::BodyHexDecoded => "the body was decoded from hex before it was signed",
            Hypothesis::BodyDigest => "a digest of the body was signed instead of the body",
            Hypothesis::BodyOnly => {
                "the body alone was signed, without what the scheme puts around it"
            }
            Hypothesis::PartsInOtherOrder => "the parts of the signed string are in another order",
            Hypothesis::SeparatorsMissing => "the separators of the signed string are missing",
            Hypothesis::TimeChanged => "the timestamp was changed after signing, by seconds",
        }
    }
}
