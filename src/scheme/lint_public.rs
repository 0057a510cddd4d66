//! What is wrong with a scheme whose signature a public key checks.

use super::{
    IdentityRule, KeyEncoding, LinesForm, Part, Place, Scheme, SignatureEncoding, StatedPart,
    TokenForm,
};

impl Scheme {
    pub(super) fn public_faults(&self, faults: &mut Vec<String>) {
        let encoding = self.key.encoding;
        let is_key = matches!(
            encoding,
            KeyEncoding::PublicKey
                | KeyEncoding::Certificate
                | KeyEncoding::KeySet
                | KeyEncoding::KeyRequest
        );
        if is_key != self.is_public() {
            faults.push("`algorithm` and `key.encoding` do not go together: a MAC has a shared secret (utf8, base64, hex), a signature has a public key (public-key, certificate, key-set, key-request)".into());
            return;
        }
        if (encoding == KeyEncoding::Certificate) != self.certificate.is_some() {
            faults.push(
                "`key.encoding` = \"certificate\" and the table `certificate` belong together"
                    .into(),
            );
        }
        if (encoding == KeyEncoding::KeySet) != self.key_set.is_some() {
            faults.push(
                "`key.encoding` = \"key-set\" and the table `key_set` belong together".into(),
            );
        }
        if (encoding == KeyEncoding::KeyRequest) != self.key_request.is_some() {
            faults.push(
                "`key.encoding` = \"key-request\" and the table `key_request` belong together"
                    .into(),
            );
        }
        if encoding == KeyEncoding::KeyRequest && !self.is_jws() {
            faults.push(
                "a key is asked for by a JWS's `kid`: use `signature.encoding` = \"jws\"".into(),
            );
        }
        let is_token = self.signature.encoding == SignatureEncoding::Token;
        if is_token != self.token.is_some() || is_token != self.signed.contains(&Part::Token) {
            faults.push("a token needs `signature.encoding` = \"token\", `signed` = [\"token\"] and the table `token`".into());
        }
        if encoding == KeyEncoding::KeySet && !is_token {
            faults.push(
                "a set's key is chosen by a token's `kid`: use `signature.encoding` = \"token\""
                    .into(),
            );
        }
        if self.signed.contains(&Part::Lines) != self.lines.is_some() {
            faults.push("`signed` names \"lines\", and the table `lines` says what they are: one does not go without the other".into());
        }
        let signs_pin = self
            .stated_parts()
            .any(|part| matches!(part, StatedPart::Pin(_)));
        let is_asked = encoding == KeyEncoding::KeyRequest;
        if encoding.is_fetched()
            && !is_asked
            && !signs_pin
            && self.pins.iter().all(|pin| pin.at.is_empty())
        {
            faults.push("`pins` is empty: the key is the provider's, so anyone's messages would verify; pin what names the sender".into());
        }
        if self.signed.contains(&Part::Url) && !self.pins.iter().any(|pin| pin.name == "url") {
            faults.push(
                "\"url\" is the source's own URL, so the scheme needs a pin of that name".into(),
            );
        }
        self.host_faults(faults);
        self.request_faults(faults);
        self.line_faults(faults);
        self.token_faults(faults);
        if !self.is_public() {
            let confirms = self.handshakes.iter().any(|shake| shake.confirm.is_some());
            let has_table = self.version.is_some() || self.lines.is_some() || confirms;
            // A Worker without such schemes is built without their code.
            if has_table || self.body_md5.is_some() {
                faults.push("`version`, `lines`, `body_md5` and `handshakes.confirm` are for signatures that a public key checks".into());
            }
            return;
        }
        for part in &self.signed {
            if matches!(
                part.innermost(),
                Part::Secret | Part::SortedJson | Part::SortedQueryExcept(_)
            ) || matches!(part, Part::MacHex(_))
            {
                faults.push(format!("\"{part}\" is a part of MACs"));
            }
        }
        if self.key.append.is_some() {
            faults.push("`key.append` is for MACs".into());
        }
    }

    fn host_faults(&self, faults: &mut Vec<String>) {
        let certificate = self.certificate.iter().flat_map(|form| &form.hosts);
        let confirm = self
            .handshakes
            .iter()
            .filter_map(|shake| shake.confirm.as_ref());
        for host in certificate.chain(confirm.flat_map(|confirm| &confirm.hosts)) {
            let text = String::from(host.clone());
            private_fault(&["https://", &text, "/"].concat(), faults);
            if text.contains("{*}") || !host.names().all(|name| name == "region") {
                faults.push(format!(
                    "host \"{text}\": hosts are written out, with no gap but {{region}}: a pattern could be registered by others"
                ));
            }
        }
        if let Some(set) = &self.key_set {
            let text = String::from(set.url.clone());
            private_fault(&text, faults);
            let host = text
                .strip_prefix("https://")
                .and_then(|rest| rest.split_once('/'));
            if host.is_none_or(|(host, _)| host.contains(['{', '@', ':'])) || text.contains("{*}") {
                faults.push(format!(
                    "`key_set.url` = \"{text}\": write an https URL with a fixed host"
                ));
            }
        }
    }

    /// Credentials go to hosts that the entry names, and to no other.
    fn request_faults(&self, faults: &mut Vec<String>) {
        let Some(form) = &self.key_request else {
            return;
        };
        let pin = |name: &str| self.pins.iter().find(|pin| pin.name == name);
        let text = String::from(form.url.clone());
        private_fault(&text, faults);
        let host = text
            .strip_prefix("https://")
            .and_then(|rest| rest.split_once('/'));
        let is_listed =
            |name: &str| pin(name).is_some_and(|pin| !pin.one_of.is_empty() && !pin.secret);
        if host.is_none_or(|(host, _)| host.contains(['@', ':']))
            || text.contains(['?', '#'])
            || text.contains("{*}")
            || !form.url.names().all(is_listed)
        {
            faults.push(format!(
                "`key_request.url` = \"{text}\": write an https URL without a query; what is filled in is a pin that is `one_of` some"
            ));
        }
        let names = form.pins.iter();
        if form.id.is_empty()
            || !names
                .clone()
                .all(|name| pin(name).is_some() && *name != form.id)
        {
            faults.push("`key_request` needs `id`, and `pins` that the scheme has".into());
        }
    }

    /// Two messages must never have the same lines.
    fn line_faults(&self, faults: &mut Vec<String>) {
        let Some(form) = &self.lines else { return };
        if form.between.is_empty() || form.of.is_empty() {
            faults.push("`lines` needs `between` and at least one kind `of` message".into());
        }
        for kind in &form.of {
            if kind.at.is_none() != kind.equals.is_empty()
                || (kind.at.is_none() && form.of.len() > 1)
            {
                faults.push("`lines.of`: with several kinds each says `at` and `equals`".into());
            }
            let signs_its_kind = kind.at.as_ref().is_none_or(|at| {
                kind.lines
                    .last()
                    .is_some_and(|last| last.at == *at && !last.optional)
            });
            if !signs_its_kind {
                faults.push("`lines.of`: the kind must be the last line, or one kind could pass for another".into());
            }
            if kind.lines.first().is_some_and(|first| first.optional) && form.are_content() {
                faults.push("`lines.of`: the first line may not be optional".into());
            }
            let same_place = |line: &super::SignedLine| {
                LinesForm::are_content(form) == matches!(line.at, Place::Json(_))
            };
            if !kind.lines.iter().all(same_place) {
                faults.push("`lines.of`: lines are either members of the body or headers".into());
            }
            for (index, line) in kind.lines.iter().enumerate() {
                let known = |other: &super::SignedLine| other.label() == line.label();
                if kind.lines[..index].iter().any(known) || line.label().contains(['\n', '/']) {
                    faults.push(format!(
                        "`lines.of`: \"{}\" is no label of its own",
                        line.label()
                    ));
                }
            }
        }
    }

    /// Whether a token must say whose it is, or for whom.
    fn names_its_sender(&self, token: &TokenForm) -> bool {
        let who = ["iss", "aud"].map(|name| Place::Claim(name.to_owned()));
        let mut pinned = self.pins.iter().flat_map(|pin| &pin.at);
        !token.issuers.is_empty() || pinned.any(|place| who.contains(place))
    }

    fn token_faults(&self, faults: &mut Vec<String>) {
        let rules = |rule: &IdentityRule| match rule {
            IdentityRule::Bearer(_) => true,
            IdentityRule::Digest(rule) => rule.discriminator.is_none(),
            IdentityRule::SignedId(_) | IdentityRule::Fields(_) | IdentityRule::Ping(_) => false,
        };
        if self.bears_token() && !self.identity.iter().all(rules) {
            faults.push("a token does not sign the body: every rule of `identity` is { bearer = { fields = [\"json:/…\"] } }, or the last { digest = {} }".into());
        }
        if let Some(token) = &self.token
            && (!self.names_its_sender(token) || token.lifetime_seconds_max == 0)
        {
            faults.push("`token` needs `lifetime_seconds_max`, and `issuers` or a pin at \"claim:iss\" or \"claim:aud\"".into());
        }
        if let Some(token) = &self.token
            && self.algorithm.jws_name() != Some(token.alg.as_str())
        {
            faults.push("`token.alg` is not the name of `algorithm`: a token cannot choose how it is checked".into());
        }
    }
}

/// A provider's keys stand where everybody can read them.
fn private_fault(url: &str, faults: &mut Vec<String>) {
    if crate::config::is_private(url) {
        faults.push(format!(
            "\"{url}\" leads to a private or special address: nothing is fetched from a network of one's own"
        ));
    }
}
