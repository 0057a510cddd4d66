//! A request with a value of it changed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use hookgate::gate::LiveSource;
use hookgate::hex;
use hookgate::keys::LiveKey;
use hookgate::request::Inbound;
use hookgate::verify::{Claims, tag};

use super::Request;
pub use super::forms::{At, FORMS, Form};
pub use super::forms_cloud::CLOUD;
pub use super::forms_handshakes::HANDSHAKES;

use At::{Header, Item, Member, Query};

/// An accepted request with its family and the source that accepts it.
pub struct Case<'a> {
    pub form: &'static Form,
    pub signature: At,
    pub live: &'a LiveSource,
    pub request: &'a Request,
}

/// Whether the scheme stands in a table that was written by hand.
pub fn has_form(scheme: &str) -> bool {
    let mut forms = FORMS.iter().chain(&CLOUD).chain(&HANDSHAKES);
    forms.any(|form| form.schemes.contains(&scheme))
}

impl<'a> Case<'a> {
    pub fn new(scheme: &str, live: &'a LiveSource, request: &'a Request) -> Self {
        let form = FORMS
            .iter()
            .chain(&CLOUD)
            .chain(&HANDSHAKES)
            .find(|form| form.schemes.contains(&scheme))
            .unwrap_or_else(|| panic!("{scheme}: add its family to tests/support/forms.rs and a column to tests/mutations.rs"));
        let index = form
            .schemes
            .iter()
            .position(|name| *name == scheme)
            .unwrap_or(0);
        Case {
            form,
            signature: form.signature[index],
            live,
            request,
        }
    }

    /// The request with the value at `at` changed; none where it does not stand there.
    pub fn with(&self, at: At, change: impl Fn(&str) -> String) -> Vec<Request> {
        self.get(at)
            .map(|value| self.set(at, &change(&value)))
            .into_iter()
            .collect()
    }

    pub fn get(&self, at: At) -> Option<String> {
        match at {
            Header(name) => self.request.head().header(name).map(str::to_owned),
            Member(name) => {
                let members: serde_json::Value = serde_json::from_slice(&self.request.body).ok()?;
                members.get(name)?.as_str().map(str::to_owned)
            }
            Query(name) => self
                .request
                .head()
                .query_pairs()
                .ok()?
                .into_iter()
                .find_map(|(known, value)| (known == name).then_some(value)),
            Item(name) => {
                let list = self.get(self.signature)?;
                list.split(',').find_map(|item| {
                    item.split_once('=')
                        .filter(|pair| pair.0 == name)
                        .map(|pair| pair.1.to_owned())
                })
            }
        }
    }

    pub fn set(&self, at: At, value: &str) -> Request {
        let mut request = self.request.clone();
        match at {
            Header(name) => {
                for header in request
                    .headers
                    .iter_mut()
                    .filter(|header| header.0.eq_ignore_ascii_case(name))
                {
                    value.clone_into(&mut header.1);
                }
            }
            Query(name) => {
                request.target = map_query(&request.target, |known, raw| {
                    let raw = if known == name {
                        percent_encoded(value)
                    } else {
                        raw.to_owned()
                    };
                    Some(format!("{known}={raw}"))
                });
            }
            Member(name) => {
                request.body = self.members(|members| {
                    members.insert(name.to_owned(), value.into());
                })
            }
            Item(name) => {
                return self.items(|item| match item.split_once('=') {
                    Some((known, _)) if known == name => Some(format!("{name}={value}")),
                    _ => Some(item.to_owned()),
                });
            }
        }
        request
    }

    pub fn dropped(&self, at: At) -> Request {
        let mut request = self.request.clone();
        match at {
            Header(name) => request
                .headers
                .retain(|header| !header.0.eq_ignore_ascii_case(name)),
            Query(name) => {
                request.target = map_query(&request.target, |known, raw| {
                    (known != name).then(|| format!("{known}={raw}"))
                });
            }
            Member(name) => {
                request.body = self.members(|members| {
                    members.remove(name);
                })
            }
            Item(name) => {
                return self.items(|item| {
                    item.split_once('=')
                        .is_none_or(|(known, _)| known != name)
                        .then(|| item.to_owned())
                });
            }
        }
        request
    }

    pub fn doubled(&self, at: At) -> Request {
        let mut request = self.request.clone();
        match at {
            Header(name) => {
                let again: Vec<_> = request
                    .headers
                    .iter()
                    .filter(|header| header.0.eq_ignore_ascii_case(name))
                    .cloned()
                    .collect();
                request.headers.extend(again);
            }
            Query(name) => {
                request.target = map_query(&request.target, |known, raw| {
                    let pair = format!("{known}={raw}");
                    Some(if known == name {
                        format!("{pair}&{pair}")
                    } else {
                        pair
                    })
                });
            }
            Member(name) => {
                let value = self.get(at).unwrap_or_default();
                let end = request.body.len() - 1;
                let again = format!(",\"{name}\":\"{value}\"");
                request.body.splice(end..end, again.into_bytes());
            }
            Item(name) => {
                return self.items(|item| match item.split_once('=') {
                    Some((known, _)) if known == name => Some(format!("{item},{item}")),
                    _ => Some(item.to_owned()),
                });
            }
        }
        request
    }

    fn members(&self, change: impl Fn(&mut serde_json::Map<String, serde_json::Value>)) -> Vec<u8> {
        let mut members = serde_json::from_slice(&self.request.body).expect("a JSON object");
        change(&mut members);
        serde_json::to_vec(&members).expect("JSON")
    }

    fn items(&self, change: impl Fn(&str) -> Option<String>) -> Request {
        let list = self.get(self.signature).unwrap_or_default();
        let items: Vec<String> = list.split(',').filter_map(change).collect();
        self.set(self.signature, &items.join(","))
    }

    /// The text of each signature changed, with its prefix left as it is.
    pub fn tags(&self, change: impl Fn(&str) -> String) -> Vec<Request> {
        self.written(|prefix, tag| format!("{prefix}{}", change(tag)))
    }

    /// Each signature changed together with its prefix.
    pub fn written(&self, change: impl Fn(&str, &str) -> String) -> Vec<Request> {
        let one = |item: &str| match item.strip_prefix(self.form.prefix) {
            Some(tag) => change(self.form.prefix, tag),
            None => item.to_owned(),
        };
        self.with(self.signature, |text| match self.form.separator {
            None => one(text),
            Some(separator) => text
                .split(separator)
                .map(one)
                .collect::<Vec<_>>()
                .join(separator),
        })
    }

    /// The bytes of each signature changed; what does not decode stays.
    pub fn tag_bytes(&self, change: impl Fn(&mut Vec<u8>)) -> Vec<Request> {
        self.tags(|text| {
            let decoded = if self.form.hex {
                hex::decode(text.as_bytes())
            } else {
                STANDARD.decode(text).ok()
            };
            let Some(mut bytes) = decoded else {
                return text.to_owned();
            };
            change(&mut bytes);
            self.encoded(&bytes)
        })
    }

    pub fn encoded(&self, tag: &[u8]) -> String {
        if self.form.hex {
            hex::encode(tag)
        } else {
            STANDARD.encode(tag)
        }
    }

    /// `request` with the one signature that the holder of `key` would put on it.
    pub fn signed_again(&self, request: Request, key: &LiveKey) -> Request {
        let head = request.head();
        let claims = Claims::read(&self.live.scheme, &head).expect("well-formed");
        if CLOUD.iter().any(|form| std::ptr::eq(form, self.form)) {
            let inbound = Inbound::new(&head, &request.body, &[]);
            let written = hookgate::sign::signature(&self.live.scheme, key, claims, &inbound);
            let case = Case {
                request: &request,
                ..*self
            };
            return case.set(self.signature, &written.expect("can be signed"));
        }
        let tag = tag(
            &self.live.scheme,
            key,
            &claims,
            &Inbound::new(&head, &request.body, &[]),
        )
        .expect("can be signed");
        let case = Case {
            request: &request,
            ..*self
        };
        let written = format!("{}{}", self.form.prefix, self.encoded(&tag));
        match case
            .get(Item("t"))
            .filter(|_| self.form.separator == Some(","))
        {
            Some(time) => case.set(self.signature, &format!("t={time},{written}")),
            None => case.set(self.signature, &written),
        }
    }

    /// Signed anew, with a time that is `offset_ms` from the clock.
    pub fn signed_at(&self, offset_ms: i64) -> Vec<Request> {
        let Some((at, unit)) = self.form.time else {
            return Vec::new();
        };
        self.timed(
            &hookgate::time::format(self.request.now_ms + offset_ms, unit),
            at,
        )
    }

    /// Signed anew with this time, whatever it is.
    pub fn timed(&self, time: &str, at: At) -> Vec<Request> {
        vec![self.signed_again(self.set(at, time), &self.live.keys[0])]
    }

    pub fn body(&self, change: impl Fn(&mut Vec<u8>)) -> Vec<Request> {
        let mut request = self.request.clone();
        change(&mut request.body);
        vec![request]
    }

    pub fn target(&self, change: impl Fn(&str) -> String) -> Vec<Request> {
        vec![Request {
            target: change(&self.request.target),
            ..self.request.clone()
        }]
    }

    /// The parameters that are signed as content, where a query is.
    pub fn signed_parameters(&self) -> Vec<(String, String)> {
        if self.form.schemes != ["koogallery-v1"] {
            return Vec::new();
        }
        let pairs = self.request.head().query_pairs().unwrap_or_default();
        pairs
            .into_iter()
            .filter(|(name, _)| name != "authToken" && name != "timeStamp")
            .collect()
    }
}

/// Each pair of the query changed or dropped.
pub fn map_query(target: &str, change: impl Fn(&str, &str) -> Option<String>) -> String {
    let Some((path, query)) = target.split_once('?') else {
        return target.to_owned();
    };
    let pairs: Vec<String> = query
        .split('&')
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            change(name, value)
        })
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

/// Every byte written as `%XX`.
pub fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
