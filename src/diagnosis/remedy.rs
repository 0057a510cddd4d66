//! What to do about each hypothesis.

use super::Hypothesis;

impl Hypothesis {
    /// What the sender, or whoever runs the gate, should do.
    pub const fn remedy(self) -> &'static str {
        match self {
            Hypothesis::RetiredSecret => {
                "Give the sender the live secret. Until then, both may be live: name both in `secrets`."
            }
            Hypothesis::SecretNotDecoded => {
                "Decode the secret from base64 or hex first, without its prefix; the bytes are the key."
            }
            Hypothesis::SecretPrefixKept => {
                "Take the prefix (whsec_ or its like) off before the secret is used."
            }
            Hypothesis::SecretPrefixRemoved => {
                "Use the secret as it was given, its prefix included."
            }
            Hypothesis::SecretDecoded => {
                "Use the characters of the secret as the key, or decode them as the scheme says: see docs/schemes.md."
            }
            Hypothesis::SecretUnset => {
                "The sender's program found no secret: look for the variable's name, and have it stop when it is empty."
            }
            Hypothesis::SecretWhitespace => "Trim what is read from the file or the variable.",
            Hypothesis::SecretQuotes => {
                "Take the quotes away, here or there: they are a shell's, not the secret's."
            }
            Hypothesis::SignatureInBase64 => "Write the signature in lower-case hex.",
            Hypothesis::SignatureInHex => "Write the signature in base64 of its bytes.",
            Hypothesis::SignatureInBase64Url => {
                "Use the alphabet with + and /, and keep the = at the end."
            }
            Hypothesis::SignatureUpperCase => "Write the hex in lower case.",
            Hypothesis::SignatureEncodedTwice => {
                "Encode the bytes of the MAC, not its hex: digest(), not hexdigest()."
            }
            Hypothesis::SignaturePrefix => {
                "Write in front of the signature what the scheme says, and nothing else."
            }
            Hypothesis::OtherHash => "Use the hash that the scheme names: see docs/schemes.md.",
            Hypothesis::TimeUnit => {
                "Send and sign the time in the scheme's unit: mostly whole seconds since 1970."
            }
            Hypothesis::TimeSignedOtherwise => {
                "Make the text of the time once; sign it and send it."
            }
            Hypothesis::BodyNewlineAdded => {
                "Sign the bytes that are sent: a newline was signed that is not sent. curl's --data takes it out; use --data-binary."
            }
            Hypothesis::BodyNewlineRemoved => {
                "Sign the bytes that are sent: a newline is sent that was not signed. echo and many editors add one."
            }
            Hypothesis::BodyCrlf | Hypothesis::BodyLf => {
                "Sign the bytes that are sent. Something on the way, or reading in text mode, changes line ends."
            }
            Hypothesis::BodyBomRemoved | Hypothesis::BodyBomAdded => {
                "Sign the bytes that are sent: write and read the body as UTF-8 without a byte order mark."
            }
            Hypothesis::BodyCompact
            | Hypothesis::BodySpaced
            | Hypothesis::BodyPretty
            | Hypothesis::BodySorted => {
                "Make the JSON once, sign that text and send the same text: no framework may write it again."
            }
            Hypothesis::BodyNotSigned => {
                "Put the body into the signed string; look whether it was read before."
            }
            Hypothesis::BodyHexDecoded => "Sign the body's characters as they are sent.",
            Hypothesis::BodyDigest => "Sign the body itself, not its digest.",
            Hypothesis::BodyOnly => {
                "Sign everything that the scheme says, in its order: see docs/schemes.md."
            }
            Hypothesis::PartsInOtherOrder => {
                "Put the parts in the scheme's order: see docs/schemes.md."
            }
            Hypothesis::SeparatorsMissing => {
                "Put the scheme's separators between the parts: see docs/schemes.md."
            }
            Hypothesis::TimeChanged => {
                "Read the clock once: sign that time and send it. A retry is signed anew."
            }
        }
    }
}
