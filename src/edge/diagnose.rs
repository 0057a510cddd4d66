//! Diagnoses of refusals, after their answers.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use js_sys::Uint8Array;
use worker::Delay;

use super::platform::{self, now_ms};
use crate::EMBEDDED_SOURCES;
use crate::audit::DiagnosisLine;
use crate::config::Config;
use crate::diagnosis::{
    BODY_BYTES_MAX, Case, Diagnosis, HASHED_BYTES_MAX, diagnose, is_worthwhile,
};
use crate::gate::LiveSource;
use crate::request::Head;
use crate::verdict::Verdict;

/// How long after the answer. It has left by then, and who measures the next request's time learns
/// nothing of this one's.
const AFTER: Duration = Duration::from_secs(1);

/// Diagnoses that the record may still want: a few, because what is not recorded takes none.
const KEPT_MAX: usize = 64;

thread_local! {
    /// By request id; `None`: it is not over yet.
    static KEPT: RefCell<Vec<(String, Option<String>)>> = const { RefCell::new(Vec::new()) };
}

/// Whether a request's refusal will be diagnosed, or is.
pub fn is_under_way(request_id: &str) -> bool {
    KEPT.with_borrow(|kept| kept.iter().any(|(id, _)| id == request_id))
}

/// What was found, for the record: the mistake's name and its words.
pub fn found(request_id: &str) -> Option<String> {
    KEPT.with_borrow_mut(|kept| {
        let place = kept.iter().position(|(id, _)| id == request_id)?;
        kept.remove(place).1
    })
}

fn keep(request_id: &str, found: Option<String>) {
    KEPT.with_borrow_mut(|kept| {
        if let Some(known) = kept.iter_mut().find(|(id, _)| id == request_id) {
            known.1 = found;
            return;
        }
        if kept.len() >= KEPT_MAX {
            kept.remove(0);
        }
        kept.push((request_id.to_owned(), found));
    });
}

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
    pub fn solve(self, request_id: String) -> impl Future<Output = ()> {
        // From now on, and not from the first look: the record asks before.
        keep(&request_id, None);
        self.solve_later(request_id)
    }

    async fn solve_later(self, request_id: String) {
        Delay::from(AFTER).await;
        #[cfg(feature = "test-hooks")]
        super::test_hooks::mark("diagnosis_begins", &request_id);
        let Some(found) = self.diagnosis() else {
            return;
        };
        // Of a form alone, that nothing is known of it says no more than the verdict's line.
        if self.body.is_some() || found.hypothesis.is_some() {
            let line = DiagnosisLine::new(&found, &self.live, &request_id);
            keep(
                &request_id,
                Some(format!("{}: {}", line.hypothesis, line.words)),
            );
            platform::log(&line);
        }
    }

    fn diagnosis(&self) -> Option<Diagnosis> {
        let body = self.body.as_ref().map(Uint8Array::to_vec);
        // A copy of the scheme, to be varied. Reading it anew needs no code that is not here already.
        let mut config = Config::from_bytes(EMBEDDED_SOURCES).ok()?;
        let scheme = config.schemes.remove(&self.live.source.scheme)?;
        let mut case = Case::of(&self.live, scheme, self.head.clone(), body);
        Some(diagnose(&mut case, HASHED_BYTES_MAX))
    }
}
