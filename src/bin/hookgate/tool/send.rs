//! `hookgate send`: signs as the provider of a source would, and posts it.
//!
//! One request after the other over plain HTTP, for a gate on this machine or behind a tunnel of one's
//! own: there is no TLS in this program. `./scripts/send` has it, and sends many at a time.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use hookgate::sign::Signed;
use lexopt::prelude::{Long, Short, ValueExt as _};
use serde_json::{Value, json};

use super::sign::{SignOptions, signed_requests};
use super::terminal::{json as json_line, plain};
use super::{Failure, NOT_JUDGED};

const TIMEOUT: Duration = Duration::from_secs(30);
const ANSWER_BYTES_MAX: u64 = 65_536;
const DEFAULT_URL: &str = "http://127.0.0.1:8787";

const HELP: &str = "\
usage: hookgate send --source NAME [options]

Signs a request as the provider of that source would, posts it to the gate, and prints its answer.

  --url BASE            default http://127.0.0.1:8787; for https:// use ./scripts/send --url
  --json                one JSON object a request: status, headers, body
  and the options of `hookgate sign`: --sources --secret-file --secret --body --event-id --event-type
  --age --tamper --count

Examples
  hookgate send --source github
  hookgate send --source stripe --age 3600            refused: signed an hour ago
  hookgate send --source github --tamper --json

Exit codes
  0  the gate took all of it      1  it refused some of it, or it cannot be signed
  2  wrong usage                  3  no answer
";

pub fn command(mut arguments: lexopt::Parser) -> Result<(), Failure> {
    let mut options = SignOptions::new();
    let mut url = DEFAULT_URL.to_owned();
    let mut as_json = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('h') | Long("help") => {
                print!("{HELP}");
                return Ok(());
            }
            Long("url") => url = arguments.value()?.string()?,
            Long("json") => as_json = true,
            Long(name) => {
                let name = name.to_owned();
                options.take(&name, &mut arguments)?;
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let at = Address::read(&url)?;
    let mut all_taken = true;
    for signed in signed_requests(&options)? {
        let answer = match at.post(&signed) {
            Ok(answer) => answer,
            Err(error) => {
                eprintln!(
                    "hookgate: no answer from {}: {}",
                    plain(&url),
                    plain(&error)
                );
                return Err(Failure::Quietly(NOT_JUDGED));
            }
        };
        let is_taken = (200..300).contains(&answer.status) && !answer.is_koogallerys_refusal();
        all_taken &= is_taken;
        if as_json {
            let headers: Vec<(&str, &str)> = answer
                .headers
                .iter()
                .map(|(name, value)| (&name[..], &value[..]))
                .collect();
            let line = json!({ "status": answer.status, "headers": headers, "body": answer.body });
            println!("{}", json_line(&line));
        } else {
            let id = answer.header("hookgate-request-id").unwrap_or("-");
            let word = if is_taken { "taken" } else { "not taken" };
            println!(
                "{word} ({})  request {}  {}",
                answer.status,
                plain(id),
                plain(&answer.body)
            );
        }
    }
    all_taken.then_some(()).ok_or(Failure::Quietly(1))
}

/// Where a gate listens.
struct Address {
    host: String,
    port: u16,
    /// What stands before the request's own path.
    path: String,
}

impl Address {
    fn read(url: &str) -> Result<Self, Failure> {
        let wrong = |why: &str| Failure::Usage(format!("--url {}: {why}", plain(url)));
        let Some(rest) = url.strip_prefix("http://") else {
            return Err(wrong(
                "begins with http:// here; for https:// use ./scripts/send --url",
            ));
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (
                host,
                port.parse().map_err(|_| wrong("the port is no number"))?,
            ),
            _ => (authority, 80),
        };
        let path = path.trim_end_matches('/');
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if host.is_empty() || !is_plain(host) || !is_plain(path) {
            return Err(wrong("there is no host in it"));
        }
        Ok(Address {
            host: host.to_owned(),
            port,
            path: if path.is_empty() {
                String::new()
            } else {
                format!("/{path}")
            },
        })
    }

    fn post(&self, signed: &Signed) -> Result<Reply, String> {
        let text = |error: std::io::Error| error.to_string();
        let host = self.host.trim_matches(['[', ']']);
        let mut addresses = (host, self.port).to_socket_addrs().map_err(text)?;
        let address = addresses.next().ok_or("the host has no address")?;
        let mut stream = TcpStream::connect_timeout(&address, TIMEOUT).map_err(text)?;
        stream.set_read_timeout(Some(TIMEOUT)).map_err(text)?;
        stream.set_write_timeout(Some(TIMEOUT)).map_err(text)?;
        let mut request = format!(
            "{} {}{} HTTP/1.1\r\nHost: {}:{}\r\n",
            signed.method, self.path, signed.target, self.host, self.port
        );
        for (name, value) in &signed.headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        // One line a header, whatever an option had in it.
        if request.bytes().filter(|byte| *byte == b'\n').count() != signed.headers.len() + 2 {
            return Err("a header or the path has a line feed in it".into());
        }
        request.push_str(&format!(
            "Content-Length: {}\r\nConnection: close\r\n\r\n",
            signed.body.len()
        ));
        stream.write_all(request.as_bytes()).map_err(text)?;
        stream.write_all(&signed.body).map_err(text)?;
        let mut answer = Vec::new();
        stream
            .take(ANSWER_BYTES_MAX)
            .read_to_end(&mut answer)
            .map_err(text)?;
        Reply::read(&answer).ok_or_else(|| "what came is no answer".to_owned())
    }
}

struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Reply {
    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        });
        let mut reply = Reply {
            status,
            headers: headers.collect(),
            body: String::new(),
        };
        let body = &bytes[end + 4..];
        let body = match reply.header("transfer-encoding") {
            Some("chunked") => unchunked(body),
            _ => body.to_vec(),
        };
        reply.body = String::from_utf8_lossy(&body).into_owned();
        Some(reply)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// It is answered over 200 whatever happened; the code says what (src/koogallery).
    fn is_koogallerys_refusal(&self) -> bool {
        let json: Option<Value> = serde_json::from_str(&self.body).ok();
        let code = json.as_ref().and_then(|json| json["resultCode"].as_str());
        code.is_some_and(|code| !matches!(code, "000000" | "000004"))
    }
}

/// RFC 9112, section 7.1. What is cut off is left out.
fn unchunked(bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    let mut rest = bytes;
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = String::from_utf8_lossy(&rest[..end]).into_owned();
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16);
        let chunk = size
            .ok()
            .filter(|size| *size > 0)
            .and_then(|size| rest.get(end + 2..)?.get(..size));
        let Some(chunk) = chunk else { break };
        body.extend_from_slice(chunk);
        rest = rest.get(end + 2 + chunk.len() + 2..).unwrap_or_default();
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_in_both_forms() {
        let reply = Reply::read(b"HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nhello").unwrap();
        assert_eq!(
            (reply.status, reply.header("x-a"), reply.body.as_str()),
            (200, Some("b"), "hello")
        );
        let chunked = b"HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        let reply = Reply::read(chunked).unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (401, "abcde"));
        assert!(Reply::read(b"").is_none() && Reply::read(b"x\r\n\r\n").is_none());
        for bytes in [
            &b"zz\r\n"[..],
            b"5\r\nab",
            b"\r\n",
            b"ffffffffffffffffff\r\na",
        ] {
            assert!(unchunked(bytes).is_empty());
        }
    }

    #[test]
    fn addresses_are_plain_http() {
        let read = |url| {
            Address::read(url)
                .ok()
                .map(|at| (at.host, at.port, at.path))
        };
        assert_eq!(
            read("http://127.0.0.1:8787/"),
            Some(("127.0.0.1".into(), 8787, String::new()))
        );
        assert_eq!(
            read("http://[::1]/a/"),
            Some(("[::1]".into(), 80, "/a".into()))
        );
        for url in [
            "https://gate.example",
            "http://",
            "http://a:b",
            "http://a b/",
            "gate.example",
        ] {
            assert_eq!(read(url), None, "{url}");
        }
    }
}
