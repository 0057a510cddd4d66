//! Which URLs may be fetched or visited: `https`, an exact host, a full path, and nothing besides.

use crate::scheme::{CertificateForm, Confirm, Known, Place, Template};

/// Values of a source's pins, and what their forms hold.
pub type Pins = Known;

impl CertificateForm {
    /// Whether the certificate may be fetched from here.
    pub fn allows(&self, url: &str, pins: &Pins) -> bool {
        split(url).is_some_and(|(host, path)| {
            self.region_is_known(pins)
                && is_one_of(&self.hosts, host, pins)
                && fits(&self.path, path, pins)
        })
    }

    /// Whether a certificate may bear this name.
    pub fn allows_subject(&self, name: &str, pins: &Pins) -> bool {
        self.subjects.is_empty() || is_one_of(&self.subjects, name, pins)
    }

    /// Closed lists stay closed only if what is filled in is on a list as well.
    pub fn region_is_known(&self, pins: &Pins) -> bool {
        match pins.get("region") {
            Some(region) => self.regions.contains(region),
            None => !self
                .hosts
                .iter()
                .any(|host| host.names().any(|name| name == "region")),
        }
    }
}

impl Confirm {
    /// The URL to visit, put together anew from its parts. `None`: it is not the one that confirms a
    /// subscription of this source. `value_at` gives the message's values.
    pub fn rebuild(
        &self,
        url: &str,
        pins: &Pins,
        value_at: impl Fn(&Place) -> Option<String>,
    ) -> Option<String> {
        let (url, query) = url.split_once('?')?;
        let (host, path) = split(url)?;
        if !is_one_of(&self.hosts, host, pins) || !fits(&self.path, path, pins) {
            return None;
        }
        let given: Vec<(&str, &str)> = query
            .split('&')
            .map(|pair| pair.split_once('='))
            .collect::<Option<_>>()?;
        if given.len() != self.query.len() {
            return None;
        }
        let mut rebuilt = format!("https://{host}{path}");
        let mut separator = '?';
        for (name, wanted) in &self.query {
            let mut values = given.iter().filter(|(known, _)| known == name);
            let (_, value) = values.next()?;
            let right = values.next().is_none()
                && is_plain(value)
                && match wanted.strip_prefix("json:") {
                    Some(pointer) => {
                        value_at(&Place::Json(pointer.to_owned())).as_deref() == Some(value)
                    }
                    None => fits(&Template::try_from(wanted.clone()).ok()?, value, pins),
                };
            right.then_some(())?;
            rebuilt.push_str(&format!("{separator}{name}={value}"));
            separator = '&';
        }
        Some(rebuilt)
    }
}

/// Host and path of an https URL that has nothing else: no user, no port, no query, no fragment.
fn split(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("https://")?;
    let (host, path) = rest.split_at(rest.find('/')?);
    // What the path holds is for its template to say; a host is compared as a whole.
    (is_plain(path) && !path.contains("..")).then_some((host, path))
}

/// No character that a URL parser would read in another way.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/".contains(&byte);
    text.bytes().all(plain)
}

fn is_one_of(templates: &[Template], text: &str, pins: &Pins) -> bool {
    let filled = |template: &Template| template.fill(pins).is_some_and(|filled| filled == text);
    templates.iter().any(filled)
}

fn fits(template: &Template, text: &str, pins: &Pins) -> bool {
    let mut learnt = Pins::default();
    // A gap that no pin fills would let the message choose.
    template.fits(text, pins, &mut learnt) && learnt.is_empty()
}

/// The values of a source's pins with what their forms hold, each once. `None`: a value does not have
/// its form.
pub fn with_parts<'a>(
    pins: &Pins,
    forms: impl Iterator<Item = (&'a str, Option<&'a Template>)>,
) -> Option<Pins> {
    let mut all = pins.clone();
    for (name, form) in forms {
        let (Some(value), Some(form)) = (pins.get(name), form) else {
            continue;
        };
        let mut learnt = Pins::default();
        let fits = form.fits(value, &Pins::default(), &mut learnt);
        let agrees = learnt
            .iter()
            .all(|(part, value)| all.get(part).is_none_or(|known| known == value));
        (fits && agrees).then_some(())?;
        all.extend(learnt);
    }
    Some(all)
}
