//! One test vector, as `tests/vectors/README.md` describes the JSON form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookgate::request::Head;
use serde_json::{Map, Value};

/// A vector. Members that nothing here looks at are hints for people.
#[derive(Clone, Debug)]
pub struct Entry {
    pub provider: String,
    pub scheme: String,
    /// `accept` or `reject`.
    pub expect: String,
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// All of them are live.
    pub secrets: Vec<String>,
    /// The clock to verify at; `None`: freshness is not judged.
    pub now_ms: Option<i64>,
    pub event_id: Option<String>,
    pub event_type: Option<String>,
    /// The exact answer to a handshake.
    pub answer: Option<ExpectedAnswer>,
    /// Everything, for what only some kinds of entry have.
    pub members: Map<String, Value>,
}

/// What is demanded of an answer; what is not named may be anything.
#[derive(Clone, Debug)]
pub struct ExpectedAnswer {
    pub status: Option<u64>,
    pub headers: Vec<(String, String)>,
    /// A text is demanded as it stands, an object by its content.
    pub body: Option<Value>,
}

impl Entry {
    /// # Errors
    /// A sentence: where the file is not an array of vectors.
    pub fn read_all(text: &str) -> Result<Vec<Self>, String> {
        let values: Vec<Map<String, Value>> = serde_json::from_str(text)
            .map_err(|error| format!("not a file of vectors: {error}"))?;
        values
            .into_iter()
            .enumerate()
            .map(|(index, members)| {
                Self::read(members).map_err(|error| format!("entry {index}: {error}"))
            })
            .collect()
    }

    fn read(members: Map<String, Value>) -> Result<Self, String> {
        let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
        let need = |name: &str| text(name).ok_or(format!("\"{name}\" is missing"));
        let number = |name: &str| members.get(name).and_then(Value::as_i64);
        let expect = need("expect")?;
        if expect != "accept" && expect != "reject" {
            return Err(format!("expect = \"{expect}\": accept or reject"));
        }
        let body = match text("body_base64") {
            Some(encoded) => STANDARD
                .decode(encoded)
                .map_err(|_| "\"body_base64\" is not base64")?,
            None => text("body_utf8").unwrap_or_default().into_bytes(),
        };
        let secrets = match members.get("secret") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(list)) => list.iter().map(as_text).collect(),
            Some(one) => vec![as_text(one)],
        };
        let seconds = number("now_unix").or_else(|| number("timestamp_unix"));
        let now_ms = number("now_unix_ms").or_else(|| Some(seconds?.saturating_mul(1_000)));
        let answer = ["expected_response", "expected_reply"]
            .iter()
            .find_map(|name| members.get(*name)?.as_object())
            .map(ExpectedAnswer::of);
        Ok(Entry {
            provider: text("provider").unwrap_or_default(),
            scheme: need("scheme")?,
            expect,
            method: need("method")?,
            url: text("url").unwrap_or_default(),
            headers: pairs(members.get("headers")),
            body,
            secrets,
            now_ms,
            event_id: text("event_id"),
            event_type: text("event_type"),
            answer,
            members,
        })
    }

    /// The head of the request, at the path it was sent to.
    pub fn head(&self) -> Head {
        let bare = Head::from_lines(&format!("{}\n{}", self.method, self.url));
        let target = match &bare.query {
            Some(query) => format!("{}?{query}", bare.path),
            None => bare.path,
        };
        Head::new(&self.method, &target, self.headers.clone())
    }

    /// A text of a member that only some entries have.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name)?.as_str()
    }

    /// To find the entry again in its file.
    pub fn title(&self) -> &str {
        self.text("source").unwrap_or(&self.provider)
    }
}

impl ExpectedAnswer {
    fn of(members: &Map<String, Value>) -> Self {
        ExpectedAnswer {
            status: members.get("status").and_then(Value::as_u64),
            headers: pairs(members.get("headers")),
            body: members.get("body").filter(|body| !body.is_null()).cloned(),
        }
    }
}

fn pairs(headers: Option<&Value>) -> Vec<(String, String)> {
    let members = headers.and_then(Value::as_object);
    members
        .into_iter()
        .flatten()
        .flat_map(|(name, value)| {
            let values = match value {
                Value::Array(list) => list.iter().map(as_text).collect(),
                one => vec![as_text(one)],
            };
            values.into_iter().map(|value| (name.clone(), value))
        })
        .collect()
}

/// Keys are texts or JSON objects.
fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
