//! The console: pages for a browser, which ask the rest of `/admin/` for what they show.
//!
//! The files hold no data, so nobody needs to be signed in to read them. They are there only where an operator's
//! door is. What they show was written by strangers in part: whatever got into a page as markup in spite of all care
//! is stopped by [`CONTENT_SECURITY_POLICY`].

use crate::answer::Answer;
use crate::request::Head;

/// What lies below `/admin/`, by its name; `src/console` has the files.
const FILES: [(&str, &str); 15] = [
    ("console.css", CSS),
    ("icon.svg", "image/svg+xml"),
    ("api.mjs", SCRIPT),
    ("app.mjs", SCRIPT),
    ("chart.mjs", SCRIPT),
    ("dom.mjs", SCRIPT),
    ("letters.mjs", SCRIPT),
    ("log.mjs", SCRIPT),
    ("overview.mjs", SCRIPT),
    ("refusal.mjs", SCRIPT),
    ("refusals.mjs", SCRIPT),
    ("signin.mjs", SCRIPT),
    ("sources.mjs", SCRIPT),
    ("text.mjs", SCRIPT),
    ("tlog.mjs", SCRIPT),
];
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
/// What `/admin` itself is.
const PAGE: (&str, &str) = ("index.html", "text/html; charset=utf-8");

/// Scripts and styles are files of this origin, and nothing in a page can become one: no inline text, no `eval`, and
/// with Trusted Types (<https://www.w3.org/TR/trusted-types/>) no markup from strings.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
/// Beside what every answer carries.
const HEADERS: [(&str, &str); 5] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), clipboard-read=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];
/// A year. RFC 6797, section 7.2: over https only.
const HSTS: (&str, &str) = ("strict-transport-security", "max-age=31536000");

/// Which file a request asks for, and its answer without the body. `None`: none of them.
pub fn file(head: &Head, is_https: bool) -> Option<(&'static str, Answer)> {
    if !matches!(head.method.as_str(), "GET" | "HEAD") {
        return None;
    }
    let (name, kind) = match head.path.strip_prefix("/admin")? {
        "" | "/" => PAGE,
        rest => {
            let wanted = rest.strip_prefix('/')?;
            *FILES.iter().find(|(name, _)| *name == wanted)?
        }
    };
    let mut headers = vec![("content-type", kind.to_owned())];
    let secure = is_https.then_some(HSTS);
    let all = HEADERS.into_iter().chain(secure);
    headers.extend(all.map(|(name, value)| (name, value.to_owned())));
    let answer = Answer {
        status: 200,
        headers,
        body: String::new(),
    };
    Some((name, answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(method: &str, target: &str) -> Option<&'static str> {
        file(&Head::new(method, target, []), true).map(|(name, _)| name)
    }

    #[test]
    fn exact_names_are_files_and_nothing_else_is() {
        assert_eq!(named("GET", "/admin"), Some("index.html"));
        assert_eq!(named("GET", "/admin/"), Some("index.html"));
        assert_eq!(named("HEAD", "/admin/?x=y"), Some("index.html"));
        assert_eq!(named("GET", "/admin/app.mjs"), Some("app.mjs"));
        for (method, target) in [
            ("POST", "/admin"),
            ("GET", "/admin/index.html"),
            ("GET", "/admin/App.mjs"),
            ("GET", "/admin/app.mjs/"),
            ("GET", "/admin//app.mjs"),
            ("GET", "/admin/../app.mjs"),
            ("GET", "/admin/%61pp.mjs"),
            ("GET", "/administrator"),
            ("GET", "/admin/v1/dead-letters"),
            ("GET", "/hooks/app.mjs"),
        ] {
            assert_eq!(named(method, target), None, "{method} {target}");
        }
    }

    #[test]
    fn browsers_are_told_to_keep_to_https_over_https() {
        let head = Head::new("GET", "/admin", []);
        for is_https in [true, false] {
            let (_, answer) = file(&head, is_https).unwrap();
            let has = |(name, _): &(&str, String)| *name == HSTS.0;
            assert_eq!(answer.headers.iter().any(has), is_https);
        }
    }

    #[test]
    fn each_name_is_a_file_of_the_console_and_each_file_has_a_name() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/console");
        let mut there: Vec<String> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        there.sort();
        let mut named: Vec<&str> = FILES.map(|(name, _)| name).to_vec();
        // The description of the API is served with the API.
        named.extend([PAGE.0, "openapi.json"]);
        named.sort_unstable();
        assert_eq!(there, named);
        let bundled = include_str!("../edge/console.mjs");
        for name in named {
            assert!(
                bundled.contains(&format!("\"../console/{name}\"")),
                "src/edge/console.mjs: import {name}"
            );
        }
    }
}
