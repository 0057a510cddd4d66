//! Where the sender signs the URL that it was given: as it may have been given instead.

use super::case::{Case, Change};
use crate::request::{Head, decode_percent, encode_percent};
use crate::scheme::{Part, StatedPart};

/// Headers in which the host stands that the sender, or whoever stood in between, asked for.
const HOST_HEADERS: [&str; 3] = ["host", "x-forwarded-host", "x-original-host"];

/// The name of the pin that states it.
const PIN: &str = "url";

/// A URL in its parts, each with what begins it.
#[derive(Clone)]
struct Url<'u> {
    /// `https://`.
    protocol: &'u str,
    host: &'u str,
    path: &'u str,
    /// With its question mark, or nothing.
    query: &'u str,
}

impl<'u> Url<'u> {
    fn read(url: &'u str) -> Option<Self> {
        let behind = url.find("://")? + 3;
        let (protocol, rest) = url.split_at(behind);
        let (rest, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Some(Url {
            protocol,
            host,
            path,
            query,
        })
    }

    fn text(&self) -> String {
        [self.protocol, self.host, self.path, self.query].concat()
    }
}

/// Whether the request's own query stands behind the source's URL.
fn takes_query(part: &Part) -> bool {
    match part.innermost() {
        Part::Url => true,
        Part::Stated(stated) => stated.needs_url(),
        _ => false,
    }
}

fn is_url(part: &Part) -> bool {
    takes_query(part)
        || matches!(part.innermost(), Part::Stated(StatedPart::Pin(name)) if name == PIN)
}

/// The source with each of these URLs in the place of its own.
fn instead(case: &Case<'_>, changes: &mut Vec<Change>, urls: &dyn Fn(&Url<'_>) -> Vec<String>) {
    if !case.scheme.signed.iter().any(is_url) {
        return;
    }
    let Some(known) = case.pins.get(PIN) else {
        return;
    };
    let Some(url) = Url::read(known) else { return };
    for other in urls(&url) {
        if other != *known {
            let mut pins = case.pins.clone();
            pins.insert(PIN.to_owned(), other);
            changes.push(Change::Pins(pins));
        }
    }
}

/// `http` for `https`, or the reverse.
pub(super) fn protocol(case: &Case<'_>, changes: &mut Vec<Change>) {
    instead(case, changes, &|url| {
        let protocols = ["https://", "http://"];
        let others = protocols.map(|protocol| Url {
            protocol,
            ..url.clone()
        });
        others.iter().map(Url::text).collect()
    });
}

/// The host that the request names, with and without `www` and the standard port, and in small letters.
pub(super) fn host(case: &Case<'_>, changes: &mut Vec<Change>) {
    let asked = HOST_HEADERS.map(|name| case.head.header(name).unwrap_or_default());
    instead(case, changes, &|url| {
        let mut hosts = Vec::new();
        for host in asked.iter().copied().chain([url.host]) {
            let host = host.split(':').next().unwrap_or_default();
            let host = host.to_ascii_lowercase();
            if host.is_empty() {
                continue;
            }
            let bare = host.strip_prefix("www.").unwrap_or(&host);
            for name in [bare.to_owned(), ["www.", bare].concat()] {
                let with = |port: &str| [name.as_str(), port].concat();
                hosts.extend(["", ":443", ":80"].map(with));
            }
        }
        let with = |host: &String| {
            Url {
                host,
                ..url.clone()
            }
            .text()
        };
        hosts.iter().map(with).collect()
    });
}

/// A slash at its end or none, or the path that was requested.
pub(super) fn path(case: &Case<'_>, changes: &mut Vec<Change>) {
    instead(case, changes, &|url| {
        let bare = url.path.trim_end_matches('/');
        let paths = [
            bare.to_owned(),
            [bare, "/"].concat(),
            case.head.path.clone(),
        ];
        let with = |path: &String| {
            Url {
                path,
                ..url.clone()
            }
            .text()
        };
        paths.iter().map(with).collect()
    });
}

/// Without its query, or with that of the request.
pub(super) fn query(case: &Case<'_>, changes: &mut Vec<Change>) {
    let asked = case.head.query.as_deref().unwrap_or_default();
    instead(case, changes, &|url| {
        let queries = [String::new(), ["?", asked].concat()];
        let with = |query: &String| {
            Url {
                query,
                ..url.clone()
            }
            .text()
        };
        queries.iter().map(with).collect()
    });
    if case.scheme.signed.iter().any(takes_query) && case.head.query.is_some() {
        let headers = case.head.headers().to_vec();
        let head = Head::new(&case.head.method, &case.head.path, headers);
        changes.push(Change::Head(head));
    }
}

/// With its percent-escapes undone, or with them.
pub(super) fn escapes(case: &Case<'_>, changes: &mut Vec<Change>) {
    instead(case, changes, &|url| {
        let text = url.text();
        let encoded = url.path.split('/').map(encode_percent);
        let path = encoded.collect::<Vec<String>>().join("/");
        let encoded = Url {
            path: &path,
            ..url.clone()
        };
        decode_percent(&text)
            .ok()
            .into_iter()
            .chain([encoded.text()])
            .collect()
    });
}
