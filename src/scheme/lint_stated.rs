//! What is wrong with a scheme whose sender states what it signs.

use super::lint::is_header_name;
use super::stated::counted;
use super::{IdentityRule, Part, Place, Scheme, StatedPart};

impl Scheme {
    /// What is wrong with a scheme that states something.
    pub(super) fn stated_faults(&self, faults: &mut Vec<String>) {
        let has = |wanted: &StatedPart| self.stated_parts().any(|part| part == wanted);
        for (name, part, is_there) in [
            ("joined", StatedPart::Joined, self.joined.is_some()),
            (
                "named_headers",
                StatedPart::Headers,
                self.named_headers.is_some(),
            ),
            (
                "message_signature",
                StatedPart::MessageSignature,
                self.message_signature.is_some(),
            ),
        ] {
            if has(&part) != is_there {
                faults.push(format!(
                    "`signed` names \"{part}\", and the table `{name}` says what it is: one does not go without the other"
                ));
            }
        }
        for part in self.stated_parts() {
            match part {
                StatedPart::Pin(name) if !self.pins.iter().any(|pin| pin.name == *name) => {
                    faults.push(format!("\"{part}\" needs a pin of that name"));
                }
                StatedPart::UrlAndForm if !self.pins.iter().any(|pin| pin.name == "url") => {
                    faults.push(format!(
                        "\"{part}\" needs a pin \"url\": the source's own URL"
                    ));
                }
                StatedPart::UrlAndForm | StatedPart::Joined | StatedPart::MessageSignature
                    if self.signed.len() > 1 =>
                {
                    faults.push(format!("\"{part}\" must be all that is signed"));
                }
                StatedPart::HeaderNames if !has(&StatedPart::Headers) => {
                    faults.push(format!(
                        "\"{part}\" without \"named-headers\" signs no header"
                    ));
                }
                _ => {}
            }
        }
        if let Some(form) = &self.joined {
            let members = form.of.iter().all(|place| matches!(place, Place::Json(_)));
            if form.by.chars().count() != 1 || form.of.len() < 2 || !members {
                faults.push(
                    "`joined` needs one character in `by`, and members of the body in `of`".into(),
                );
            }
        }
        if let Some(form) = &self.named_headers
            && (form.split.is_empty() || form.join.is_empty() || form.pair.as_deref() == Some(""))
        {
            faults.push("`named_headers` needs `split`, `join` and, where names are signed with the values, `pair`".into());
        }
        self.named_header_faults(faults);
        self.separator_faults(faults);
        self.checksum_faults(faults);
        if let Some(form) = &self.message_signature {
            let covers = |list: &Vec<String>| list.iter().any(|name| name == "content-digest");
            if form.required.is_empty() || !form.required.iter().all(covers) {
                faults.push("`message_signature.required`: each list needs \"content-digest\", or anyone could change the body".into());
            }
            let created = Place::SignatureField("created".into());
            if self.time.as_ref().is_none_or(|form| form.at != created) {
                faults.push("a message signature needs `time` at \"signature:created\"".into());
            }
        }
        if self.states_mac() {
            for part in &self.signed {
                if matches!(
                    part.innermost(),
                    Part::Secret
                        | Part::SortedJson
                        | Part::SortedFields
                        | Part::SortedQueryExcept(_)
                        | Part::CanonicalRequest
                ) || matches!(part, Part::MacHex(_))
                {
                    faults.push(format!("\"{part}\" does not go with what is stated beside it (`pins`, a token, a time in a claim)"));
                }
            }
            if self.key.append.is_some() {
                faults.push("`key.append` does not go with what is stated beside it".into());
            }
        }
    }
}

impl Scheme {
    /// Which headers are signed is a part of the message: the same string under another list would be
    /// other headers.
    fn named_header_faults(&self, faults: &mut Vec<String>) {
        let Some(form) = &self.named_headers else {
            return;
        };
        let among_them = matches!(&form.at, Place::Header(name) if form.required.contains(name))
            && form.pair.is_some();
        let mut parts = self.stated_parts();
        if !among_them && !parts.any(|part| *part == StatedPart::HeaderNames) {
            faults.push("`named_headers`: the list of names is not signed, so the same signature would be right for other headers: add \"header-names\" to `signed` or, where `pair` is set, the header of `at` to `required`".into());
        }
        if form.split.contains(|part| form.join.contains(part)) {
            faults.push("`named_headers.split` and `join` have a character in common: a name could be taken for a value".into());
        }
        let Some(pair) = &form.pair else { return };
        if pair.starts_with(|first: char| is_header_name(first.encode_utf8(&mut [0; 4]))) {
            faults.push("`named_headers.pair` begins like a header's name: what is one name and its value would be another's too".into());
        }
        for (index, part) in self.signed.iter().enumerate() {
            let ends = |next: &Part| matches!(next, Part::Literal(text) if text.starts_with('\n'));
            if matches!(
                part,
                Part::Stated(StatedPart::HeaderNames | StatedPart::Headers)
            ) && !self.signed.get(index + 1).is_none_or(ends)
            {
                faults.push(format!("`signed`: \"literal:\\n\" must follow \"{part}\": anything else could stand in a header's value"));
            }
        }
    }

    /// A body of the same checksum is made in no time, so the body must not name the event.
    fn checksum_faults(&self, faults: &mut Vec<String>) {
        // Without these no message is well-formed: behind them there is no digest to fall back to.
        let is_there = |place: &Place| {
            self.signed.iter().any(|part| match part {
                Part::Id => self.id.as_ref() == Some(place),
                Part::Time => self.time.as_ref().is_some_and(|time| time.at == *place),
                Part::Fixed(_, at) => at == place,
                _ => false,
            })
        };
        let names_it = match self.identity.last() {
            Some(IdentityRule::SignedId(place)) => is_there(place),
            Some(IdentityRule::Fields(places)) => places.iter().all(is_there),
            _ => false,
        };
        if self.signs_crc() && !names_it {
            faults.push("`identity`: \"crc32:body\" lets whoever has seen one message write other bodies for it, and by a digest each would be another event: let the last rule be `id`, or other signed values that no message lacks".into());
        }
    }

    /// Whether values without names have one end each.
    fn separator_faults(&self, faults: &mut Vec<String>) {
        let Some(form) = &self.named_headers else {
            return;
        };
        let is_wrong = |text: &String| counted(text).is_none();
        if form.separators.iter().any(is_wrong)
            || (form.pair.is_some() && !form.separators.is_empty())
        {
            faults.push("`named_headers.separators` are each \"NAME=TIMES\", for headers whose values are signed without their names: leave it out where `pair` is set".into());
        }
        if form.pair.is_some() {
            return;
        }
        if form.join.chars().count() > 1 {
            faults.push("`named_headers.join` needs one character where values are signed without their names: half of two could belong to a value".into());
        }
        let ends_there = |part: &StatedPart| {
            let part = Part::Stated(part.clone());
            let behind = self
                .signed
                .iter()
                .skip_while(|signed| **signed != part)
                .nth(1);
            behind.is_none_or(|next| *next == Part::Literal(form.join.clone()))
        };
        if !ends_there(&StatedPart::HeaderNames) || !ends_there(&StatedPart::Headers) {
            faults.push(format!(
                "`signed`: \"literal:{}\", which is `named_headers.join`, must follow \"header-names\" and \"named-headers\": what else ended them could stand in a value",
                form.join
            ));
        }
    }
}
