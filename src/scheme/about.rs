//! What the table says about a scheme besides how to verify it.

use serde::Deserialize;

/// How far a scheme is proved: by whom its best vector was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// By nobody but this gate's own signer, which reads the same table.
    #[default]
    Unproven,
    /// By a script outside `src`, from what the provider documents.
    Script,
    /// The provider's SDK makes the same.
    Sdk,
    /// By the provider: secret, input and signature are published.
    Published,
}

/// For people, and for the tool. Nothing of it decides anything.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// What files of test vectors call this scheme. Where several providers share a name there,
    /// `NAME@PROVIDER`.
    #[serde(default)]
    pub vectors: Vec<String>,
    /// Where the vectors come from, in a few words.
    #[serde(default)]
    pub vector_source: String,
    /// The best that a vector of this scheme proves.
    #[serde(default)]
    pub proof: Proof,
    /// Seconds that the provider waits for an answer; `None` where it does not say.
    #[serde(default)]
    pub timeout_seconds: Option<u32>,
    /// When the provider sends again, and on which answers.
    #[serde(default)]
    pub retries: String,
    /// What depends on how the provider is answered.
    #[serde(default)]
    pub answers: Option<String>,
    /// What is done before the first event, where the table's other fields do not say it.
    #[serde(default)]
    pub handshake: Option<String>,
    /// Where the scheme gives less than people think, a sentence each.
    #[serde(default)]
    pub warnings: Vec<String>,
}

impl About {
    /// Whether an entry of a vector file with these names is one of this scheme.
    pub fn is_meant_by(&self, scheme: &str, provider: &str) -> bool {
        self.vectors.iter().any(|name| match name.split_once('@') {
            Some((name, of)) => name == scheme && of == provider,
            None => name == scheme,
        })
    }
}
