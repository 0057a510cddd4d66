//! Diagnoses of refusals, after their answers.

use std::sync::Arc;
use std::time::Duration;

use js_sys::Uint8Array;
use worker::Delay;

use super::platform::{self, now_ms};
use crate::audit::DiagnosisLine;
use crate::diagnosis::{
    BODY_BYTES_MAX, Case, Diagnosis, HASHED_BYTES_MAX, diagnose, is_worthwhile,
};
use crate::gate::LiveSource;
use crate::request::Head;
use crate::verdict::Verdict;

/// How long after the answer. It has left by then, and who measures the next request's time learns
/// nothing of this one's.
const AFTER: Duration = Duration::from_secs(1);

/// A refusal that is worth a diagnosis, with what it takes.
pub struct Puzzle {
    live: Arc<LiveSource>,
    head: Head,
    /// `None`: it was refused before its body was read.
    body: Option<Uint8Array>,
}

impl Puzzle {
    /// `None`: there is nothing to be found out, or too much to be tried, or its source has had as many
    /// as it may have this minute.
    pub fn of(
        verdict: Verdict,
        live: &Arc<LiveSource>,
        head: &Head,
        body: Option<&Uint8Array>,
    ) -> Option<Self> {
        let is_short = |body: &Uint8Array| body.length() as usize <= BODY_BYTES_MAX;
        let fits = is_worthwhile(verdict, &live.scheme) && body.is_none_or(is_short);
        let fits = fits && live.diagnosing.allowance.take(now_ms());
        fits.then(|| Puzzle {
            live: live.clone(),
            head: head.clone(),
            body: body.cloned(),
        })
    }

    /// Tries every hypothesis, a while from now, and writes down what came of it.
    pub async fn solve(self, request_id: String) {
        Delay::from(AFTER).await;
        #[cfg(feature = "test-hooks")]
        super::test_hooks::mark("diagnosis_begins", &request_id);
        let found = self.diagnosis();
        // Of a form alone, that nothing is known of it says no more than the verdict's line.
        if self.body.is_some() || found.hypothesis.is_some() {
            platform::log(&DiagnosisLine::new(&found, &self.live, &request_id));
        }
    }

    fn diagnosis(&self) -> Diagnosis {
        let body = self.body.as_ref().map(Uint8Array::to_vec);
        let case = Case::of(&self.live, &self.head, body.as_deref());
        diagnose(&case, HASHED_BYTES_MAX)
    }
}
