//! The record for other programs: lines of JSON, a table, or events of a SIEM's schema.
//!
//! What strangers wrote is in all of it. So everything is ASCII without control characters, whatever a terminal
//! makes of others; and a cell that a spreadsheet would take for a formula begins with an apostrophe
//! (OWASP, "CSV Injection").

use super::parameters::Unfit;
use super::records::{ITEM, Search};
use super::siem;
use crate::answer::Answer;
use crate::request::Head;

/// The header with the cursor of the next page.
const CURSOR: &str = "hookgate-cursor";

/// The table's columns: the name, and what it is of a row with its `readable` text. All as texts.
const COLUMNS: [(&str, &str); 25] = [
    ("id", "id"),
    (
        "at",
        "strftime('%Y-%m-%dT%H:%M:%fZ', at_ms / 1000.0, 'unixepoch')",
    ),
    ("tenant", "tenant"),
    ("source", "source"),
    ("verdict", "verdict"),
    ("reason", "reason"),
    ("evidence", "readable ->> 'evidence'"),
    ("evidence_value", "readable ->> 'evidence_value' || ''"),
    ("diagnosis", "readable ->> 'diagnosis'"),
    ("key_id", "readable ->> 'key_id'"),
    ("event_id", "readable ->> 'event_id'"),
    ("method", "readable ->> 'method'"),
    ("path", "readable ->> 'path'"),
    ("body_bytes", "readable ->> 'body_bytes' || ''"),
    ("body_sha256", "readable ->> 'body_sha256'"),
    ("client_address", "address"),
    ("client_network", "readable ->> 'client_network'"),
    ("asn", "readable ->> 'asn' || ''"),
    ("country", "readable ->> 'country'"),
    ("user_agent", "readable ->> 'user_agent'"),
    ("header_names", "readable ->> 'header_names'"),
    ("ray_id", "readable ->> 'ray_id'"),
    ("leaf_hash", "leaf_hash"),
    ("expired", "iif(text IS NULL, 'true', 'false')"),
    (
        "configured",
        "iif(tenant IN (SELECT value FROM json_each(?CONFIGURED)), 'true', 'false')",
    ),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Ndjson,
    Csv,
    Ocsf,
}

/// What is exported, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    pub search: Search,
    format: Format,
    /// Not the first page: a table's head is written once.
    goes_on: bool,
}

impl Export {
    /// # Errors
    /// A parameter that is unknown, or has a value that it cannot have.
    pub fn of(head: &Head) -> Result<Export, Unfit> {
        let (search, parameters) = Search::export(head)?;
        let format = match parameters.text("format").unwrap_or("ndjson") {
            "ndjson" => Format::Ndjson,
            "csv" => Format::Csv,
            "ocsf" => Format::Ocsf,
            _ => return Err(Unfit::value("format", "ndjson, csv or ocsf")),
        };
        Ok(Export {
            search,
            format,
            goes_on: parameters.text("cursor").is_some(),
        })
    }

    /// What to find of the page's rows: a line for each.
    pub fn what(&self) -> String {
        let line = match self.format {
            Format::Ndjson => ITEM.to_owned(),
            Format::Ocsf => siem::EVENT.to_owned(),
            Format::Csv => {
                let columns: Vec<&str> = COLUMNS.iter().map(|(_, value)| *value).collect();
                ["json_array(", &columns.join(", "), ")"].concat()
            }
        };
        // Inside JSON there is no line feed.
        ["group_concat(", &line, ", char(10))"].concat()
    }

    /// The page. `found` is a line a row, `next` the cursor of the next page.
    pub fn answer(&self, found: &str, next: Option<String>) -> Answer {
        let (kind, body) = match self.format {
            Format::Ndjson | Format::Ocsf => ("application/x-ndjson", lines(found)),
            Format::Csv => ("text/csv; charset=utf-8", self.table(found)),
        };
        let mut headers = vec![("content-type", kind.to_owned())];
        headers.extend(next.map(|next| (CURSOR, next)));
        Answer {
            status: 200,
            headers,
            body,
        }
    }

    /// RFC 4180.
    fn table(&self, found: &str) -> String {
        let mut table = String::new();
        if !self.goes_on {
            let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
            table += &(names.join(",") + "\r\n");
        }
        for line in found.lines() {
            let cells: Vec<Option<String>> = serde_json::from_str(line).unwrap_or_default();
            for (place, cell) in cells.iter().enumerate() {
                if place > 0 {
                    table.push(',');
                }
                put_cell(&mut table, cell.as_deref().unwrap_or_default());
            }
            table += "\r\n";
        }
        table
    }
}

/// Each line with its end.
fn lines(found: &str) -> String {
    let mut text = ascii(found);
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// JSON, unchanged in meaning, without a character that could act on a terminal: inside its strings, and there
/// alone, may be others than printable ASCII.
pub fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        put_ascii(&mut text, character, character == '\n');
    }
    text
}

fn put_ascii(text: &mut String, character: char, is_allowed: bool) {
    if is_allowed || matches!(character, ' '..='~') {
        return text.push(character);
    }
    for unit in character.encode_utf16(&mut [0; 2]) {
        text.push_str("\\u");
        for shift in [12, 8, 4, 0] {
            let digit = u32::from(*unit >> shift & 15);
            text.extend(char::from_digit(digit, 16));
        }
    }
}

/// What begins like a formula begins with an apostrophe, also behind spaces; what a terminal would act on is escaped. In
/// many countries a spreadsheet splits lines at semicolons, and knows no quotes within what it takes for a cell: so each
/// semicolon is the beginning of a cell too, where a quotation mark hides nothing.
fn put_cell(table: &mut String, text: &str) {
    let is_plain = !text.contains(['"', ',', ';', '\r', '\n']) && text.trim() == text;
    if !is_plain {
        table.push('"');
    }
    for (place, part) in text.split(';').enumerate() {
        let start = match place {
            0 => part.trim_start_matches(' '),
            _ => part.trim_start_matches([' ', '"']),
        };
        if place > 0 {
            table.push(';');
        }
        if start.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
            table.push('\'');
        }
        for character in part.chars() {
            if character == '"' {
                table.push('"');
            }
            put_ascii(table, character, false);
        }
    }
    if !is_plain {
        table.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str) -> String {
        let mut table = String::new();
        put_cell(&mut table, text);
        table
    }

    #[test]
    fn no_cell_is_a_formula_or_a_sequence_for_a_terminal() {
        for (text, expected) in [
            ("curl/8", "curl/8"),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "\"'\\u0009=1\""),
            ("\r=1", "\"'\\u000d=1\""),
            (" =1", "\"' =1\""),
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("a,b", "\"a,b\""),
            ("a;b", "\"a;b\""),
            ("x;+cmd|' /C calc'!A0", "\"x;'+cmd|' /C calc'!A0\""),
            ("=1;y; =1;@A1;", "\"'=1;y;' =1;'@A1;\""),
            ("x;\"=1;\t2", "\"x;'\"\"=1;'\\u00092\""),
            ("a\"b", "\"a\"\"b\""),
            ("a\nb", "\"a\\u000ab\""),
            ("\u{1b}[31m", "\\u001b[31m"),
            ("\u{9b}31m\u{202e}", "\\u009b31m\\u202e"),
            ("é😀", "\\u00e9\\ud83d\\ude00"),
            ("", ""),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }

    #[test]
    fn json_means_the_same_in_ascii() {
        let json = serde_json::to_string("\u{7f}\u{9b}é\u{202e}😀\"\\\u{1b}").unwrap();
        let text = ascii(&json);
        assert!(
            text.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{text}"
        );
        let (before, after): (String, String) = (
            serde_json::from_str(&json).unwrap(),
            serde_json::from_str(&text).unwrap(),
        );
        assert_eq!(before, after);
    }

    #[test]
    fn a_table_has_its_head_once() {
        let export = |query: &str| {
            Export::of(&Head::new("GET", &format!("/admin/v1/export?{query}"), [])).unwrap()
        };
        let first =
            export("format=csv").answer("[\"a\",null,\"=x\"]\n[\"b\"]", Some("c".to_owned()));
        let (head, rows) = first.body.split_once("\r\n").unwrap();
        assert!(head.starts_with("id,at,tenant,"));
        assert_eq!(rows, "a,,'=x\r\nb\r\n");
        assert_eq!(first.headers[1], ("hookgate-cursor", "c".to_owned()));
        assert_eq!(
            export("format=ndjson").answer("{}\n{}", None).body,
            "{}\n{}\n"
        );
        assert_eq!(export("format=ndjson").answer("", None).body, "");
        let head = Head::new("GET", "/admin/v1/export?format=xml", []);
        assert!(Export::of(&head).is_err());
    }
}
