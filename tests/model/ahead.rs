//! What a gate does ahead of every hold: it asks a memory, and puts what travels apart into the archive.

use hookgate::config::Dedup;
use hookgate::ledger::{Ask, Reply};
use hookgate::road::{Asked, Hold};

use super::setting::Bug;
use super::steps::Steps;
use super::world::{Request, Sent};

impl Steps<'_> {
    pub fn ask_kv(&mut self, gate: usize, request: &Request) {
        let seen = self.from.keys[usize::from(request.sent.key)].seen;
        // A read may be stale for as long as it likes.
        let mut answers = vec![(
            Asked::Unseen,
            if seen { "unseen (stale)" } else { "unseen" },
        )];
        if seen {
            answers.push((Asked::Seen, "seen"));
        }
        self.answered(gate, request, "asks KV", answers);
    }

    pub fn ask_ledger(&mut self, gate: usize, request: &Request) {
        let mut next = self.from.clone();
        let answer = match next.ask(self.setting, request.sent.key, Ask::Seek, false) {
            Reply::New => (Asked::Unseen, "unseen"),
            _ => (Asked::Seen, "seen"),
        };
        self.answered(gate, request, "asks the ledger", vec![answer]);
    }

    fn answered(
        &mut self,
        gate: usize,
        request: &Request,
        does: &'static str,
        mut answers: Vec<(Asked, &'static str)>,
    ) {
        if self.from.faults_left > 0 {
            answers.push((Asked::Failed, "failed"));
            answers.push((Asked::Unknown, "slice over"));
            let crash = (does, "the gate crashes");
            self.gate_crashes(self.from.clone(), gate, request, crash);
        }
        for (answer, what) in answers {
            let mut road = request.road.clone();
            let mut step = road.asked(answer);
            if self.setting.bug == Some(Bug::SeenTakenForDuplicate) && answer == Asked::Seen {
                step = road.held(Hold::Conflict);
            }
            let fault = matches!(answer, Asked::Failed | Asked::Unknown);
            let next = self.from.clone();
            let label = (does, what);
            let mut sent = request.sent;
            // On the ledger road KV is asked only while the ledger does not answer, and nobody else knows of a
            // forget: that copy may be swallowed, and the forget is there for the next.
            sent.after_forget &=
                answer != Asked::Seen || does != "asks KV" || !self.is_detour(gate);
            self.go_on(next, gate, (sent, road), step, label, fault);
        }
    }

    fn is_detour(&self, gate: usize) -> bool {
        self.setting.roads[gate] == Dedup::Ledger
    }

    /// Of a put that is not known to be done nothing is left that matters: another request's content
    /// has another key. So what is applied late, or without an answer, is a failure here.
    pub fn put(&mut self, gate: usize, request: &Request) {
        const DOES: &str = "puts the content";
        if self.from.faults_left > 0 {
            let crash = (DOES, "the gate crashes");
            self.gate_crashes(self.from.clone(), gate, request, crash);
        }
        for (is_there, what) in [(true, "done"), (false, "failed, or slice over")] {
            let mut road = request.road.clone();
            let step = road.put(is_there || self.setting.bug == Some(Bug::PutTakenForDone));
            let sent = Sent {
                content: is_there,
                ..request.sent
            };
            let next = self.from.clone();
            self.go_on(next, gate, (sent, road), step, (DOES, what), !is_there);
        }
    }
}
