//! The consumers of events: `edge/consume.rs` around the shipped `Errand`.

use std::sync::OnceLock;

use hookgate::config::Destination;
use hookgate::consumer::{Action, End, Errand, Report, Step};
use hookgate::ledger::{Ask, Claim, Owner, Reply, State as RowState};
use hookgate::retry::{self, Attempt};

use super::setting::Bug;
use super::steps::Steps;
use super::world::{CONSUMERS, Delivery, KEYS, LateAsk, NOW, RUNS, State};

const LEASE_MS: i64 = 45_000;
const CRASH: &str = "the consumer crashes";

fn destination() -> &'static Destination {
    static DESTINATION: OnceLock<Destination> = OnceLock::new();
    DESTINATION.get_or_init(|| {
        let text =
            "url = \"https://backend.example/\"\nsecret = \"DELIVERY_SECRET\"\nattempts_max = 2\n";
        toml::from_str(text).unwrap()
    })
}

impl Steps<'_> {
    pub fn of_consumers(&mut self) {
        if let Some(slot) = (0..CONSUMERS).find(|slot| self.from.consumers[*slot].is_none()) {
            for key in 0..KEYS as u8 {
                for run in 0..RUNS as u8 {
                    if self.from.keys[usize::from(key)].ready[usize::from(run)] > 0 {
                        self.claim(slot, key, run);
                    }
                }
            }
        }
        for slot in 0..CONSUMERS {
            let Some(delivery) = self.from.consumers[slot].clone() else {
                continue;
            };
            match delivery.action {
                Action::Deliver { attempt } => self.deliver(slot, &delivery, attempt),
                Action::Bury(_) => self.bury(slot, &delivery),
                Action::Report(report) => self.report(slot, &delivery, report),
                Action::Claim => {}
            }
        }
    }

    fn claim(&mut self, slot: usize, key: u8, run: u8) {
        let mut next = self.from.clone();
        next.key(key).ready[usize::from(run)] -= 1;
        let owner = self.from.fresh_owner();
        let mut errand = Errand::new(owner, 1);
        let ask = claim_of(run, owner);

        // Not heard: `Errand` has it brought again, and the claim may come late.
        assert!(matches!(
            errand.clone().claimed(None, NOW),
            Step::End(End::Retry { .. })
        ));
        let mut unheard = self.from.clone();
        unheard.ask(self.setting, key, ask, false);
        let label = ("claims", "applied, but not heard");
        self.push(unheard, "consumer", label, Some(key), true, None);
        let mut late = self.from.clone();
        if late.ask_later(key, LateAsk::Claim { run, owner }) {
            let label = ("claims", "no answer, to be applied later");
            self.push(late, "consumer", label, Some(key), true, None);
        }

        let claim = if self.setting.bug == Some(Bug::AskThenMark) {
            match self.from.keys[usize::from(key)].row.map(|row| row.state) {
                Some(RowState::Done | RowState::Dead) => Claim::Settled,
                _ => Claim::Go { attempt: 1 },
            }
        } else {
            match next.ask(self.setting, key, ask, false) {
                Reply::Go { attempt } => Claim::Go { attempt },
                Reply::Busy { until_ms } => Claim::Busy { until_ms },
                Reply::Later { until_ms } => Claim::Later { until_ms },
                Reply::Rerun { run } => Claim::Rerun { run },
                _ => Claim::Settled,
            }
        };
        let what = match claim {
            Claim::Go { .. } => "go",
            Claim::Busy { .. } => "busy",
            Claim::Later { .. } => "later",
            Claim::Rerun { .. } => "it was forgotten: another run",
            Claim::Settled => "settled",
        };
        let step = errand.claimed(Some(claim), NOW);
        let delivery = Delivery {
            key,
            run,
            errand,
            action: Action::Claim,
            acknowledged: self.setting.bug == Some(Bug::AckBeforeDone),
        };
        self.follow(next, slot, delivery, step, ("claims", what), false);
    }

    fn deliver(&mut self, slot: usize, delivery: &Delivery, attempt: u32) {
        let answered = |status| Attempt::Answered {
            status,
            retry_after_seconds: None,
        };
        let outcomes = [
            (answered(200), true, "200"),
            (answered(500), false, "500"),
            (answered(400), false, "400"),
            (Attempt::Unreachable, false, "unreachable"),
            (Attempt::TimedOut, true, "processed after our time-out"),
            (answered(500), true, "processed, and 500"),
        ];
        for (outcome, processed, what) in outcomes {
            let fault = what != "200";
            let mut next = self.from.clone();
            let key = next.key(delivery.key);
            key.delivered += u8::from(processed);
            key.rerun_done |= processed && key.forgotten.is_some_and(|run| delivery.run >= run);
            key.window |= processed && fault;
            let mut delivery = delivery.clone();
            let decision = retry::next(destination(), attempt, outcome, 0);
            let step = delivery.errand.delivered(decision);
            self.follow(next, slot, delivery, step, ("delivers", what), fault);
        }
        self.crash(self.from.clone(), slot, delivery, "delivers");
    }

    fn bury(&mut self, slot: usize, delivery: &Delivery) {
        for (on_queue, in_archive, said, what) in [
            (true, false, true, "on the queue of dead letters"),
            (
                true,
                false,
                false,
                "on the queue of dead letters, but not heard",
            ),
            (
                true,
                true,
                true,
                "on the queue, but not heard, and in the archive",
            ),
            (false, true, true, "in the archive"),
            (false, true, false, "in the archive, but not heard"),
            (false, false, false, "not kept"),
        ] {
            let mut next = self.from.clone();
            if on_queue && !next.ask_later(delivery.key, LateAsk::Letter { run: delivery.run }) {
                continue;
            }
            next.key(delivery.key).letters |= u16::from(in_archive) << delivery.run;
            let mut delivery = delivery.clone();
            let step = delivery.errand.buried(said);
            self.follow(
                next,
                slot,
                delivery,
                step,
                ("buries", what),
                !said || in_archive,
            );
        }
        self.crash(self.from.clone(), slot, delivery, "buries");
    }

    fn report(&mut self, slot: usize, delivery: &Delivery, report: Report) {
        let run = delivery.run;
        let owner = delivery.errand.owner;
        let (name, late, ask) = match report {
            Report::Done => (
                "reports done",
                LateAsk::Done { run },
                Ask::Done { run: run.into() },
            ),
            Report::Dead => (
                "reports dead",
                LateAsk::Dead { run, owner },
                dead_of(run, Some(owner)),
            ),
            Report::Release => (
                "releases",
                LateAsk::Release { run, owner },
                self.release_of(self.from, delivery.key, run, owner),
            ),
        };
        let step = delivery.errand.reported();
        let mut heard = self.from.clone();
        heard.ask(self.setting, delivery.key, ask, false);
        self.follow(
            heard.clone(),
            slot,
            delivery.clone(),
            step,
            (name, "heard"),
            false,
        );
        let label = (name, "heard, and the acknowledgement is lost");
        self.come_back(heard, slot, delivery, label);
        // Between delivery and `done`: the window.
        let mut lost = self.from.clone();
        lost.key(delivery.key).window |= report == Report::Done;
        let mut later = lost.clone();
        self.crash(lost.clone(), slot, delivery, name);
        self.follow(lost, slot, delivery.clone(), step, (name, "lost"), true);
        if later.ask_later(delivery.key, late) {
            let label = (name, "no answer, to be applied later");
            self.follow(later, slot, delivery.clone(), step, label, true);
        }
    }

    pub fn release_of(&self, state: &State, key: u8, run: u8, owner: Owner) -> Ask {
        let mut owner = owner;
        if self.setting.bug == Some(Bug::ReleaseByStranger)
            && let Some(RowState::Claimed { owner: holder, .. }) =
                state.keys[usize::from(key)].row.map(|row| row.state)
        {
            owner = holder;
        }
        let run = run.into();
        Ask::Release {
            run,
            owner,
            slow_seconds: None,
        }
    }

    fn crash(&mut self, state: State, slot: usize, delivery: &Delivery, at: &'static str) {
        self.come_back(state, slot, delivery, (at, CRASH));
    }

    /// The message was not acknowledged: it comes again.
    fn come_back(
        &mut self,
        mut next: State,
        slot: usize,
        delivery: &Delivery,
        label: (&'static str, &'static str),
    ) {
        next.consumers[slot] = None;
        if !delivery.acknowledged {
            next.key(delivery.key).ready[usize::from(delivery.run)] += 1;
        }
        self.push(next, "consumer", label, Some(delivery.key), true, None);
    }

    /// What `Errand` says comes next.
    fn follow(
        &mut self,
        mut next: State,
        slot: usize,
        mut delivery: Delivery,
        step: Step,
        label: (&'static str, &'static str),
        fault: bool,
    ) {
        let (key, run) = (delivery.key, usize::from(delivery.run));
        let acknowledged = delivery.acknowledged;
        next.consumers[slot] = None;
        match step {
            Step::Do(action) => {
                delivery.action = action;
                next.consumers[slot] = Some(delivery);
            }
            Step::End(End::Acknowledge) => {}
            Step::End(End::Retry { .. }) => next.key(key).ready[run] += u8::from(!acknowledged),
            Step::End(End::SendAs { run: next_run }) => {
                let mut unsent = next.clone();
                unsent.key(key).ready[run] += u8::from(!acknowledged);
                self.push(unsent, "consumer", (label.0, CRASH), Some(key), true, None);
                if self.setting.bug != Some(Bug::RerunUnsent) {
                    next.key(key).ready[next_run as usize] += 1;
                }
                let mut twice = next.clone();
                twice.key(key).ready[run] += u8::from(!acknowledged);
                let label = (label.0, "sent as another run, but not acknowledged");
                self.push(twice, "consumer", label, Some(key), true, None);
            }
            Step::End(End::SendAgain { .. }) => {
                next.key(key).waiting[run] += 1;
                let mut twice = next.clone();
                twice.key(key).ready[run] += 1;
                let label = (label.0, "sent again, but not acknowledged");
                self.push(twice, "consumer", label, Some(key), true, None);
            }
        }
        self.push(next, "consumer", label, Some(key), fault, None);
    }
}

pub fn dead_of(run: u8, owner: Option<Owner>) -> Ask {
    let run = run.into();
    Ask::Dead { run, owner }
}

pub fn claim_of(run: u8, owner: Owner) -> Ask {
    Ask::Claim {
        run: run.into(),
        owner,
        lease_ms: LEASE_MS,
        fresh: None,
    }
}
