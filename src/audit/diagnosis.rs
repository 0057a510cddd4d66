//! What is written about a refusal that was diagnosed.

use serde::Serialize;

use crate::diagnosis::Diagnosis;
use crate::gate::LiveSource;

/// What a diagnosis found, in a line of its own: by then the verdict's is written.
#[derive(Debug, Serialize)]
pub struct DiagnosisLine<'a> {
    pub event: &'static str,
    pub request_id: &'a str,
    pub tenant: &'a str,
    pub source: &'a str,
    pub scheme: &'a str,
    /// Its name, or `none`.
    pub hypothesis: &'static str,
    /// The same for people. Constant words, never a part of the request.
    pub words: &'static str,
    /// Whether the signature was found to be right, or only its form looked at.
    pub is_proved: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<&'a str>,
    pub tried: u32,
    pub untried: u32,
}

impl<'a> DiagnosisLine<'a> {
    pub fn new(diagnosis: &'a Diagnosis, live: &'a LiveSource, request_id: &'a str) -> Self {
        DiagnosisLine {
            event: "diagnosis",
            request_id,
            tenant: &live.source.tenant,
            source: &live.name,
            scheme: &live.source.scheme,
            hypothesis: diagnosis.name(),
            words: diagnosis.words(),
            is_proved: diagnosis.is_proved,
            key_id: diagnosis.key_id.as_deref(),
            tried: diagnosis.tried,
            untried: diagnosis.untried,
        }
    }
}
