//! One event on its way to its backend: claim, attempt, report.

use std::cell::Cell;
use std::sync::Arc;
use worker::Env;

use super::backend::post;
use super::bury::bury;
use super::consume::{EFFECT_MS, LEDGER_MS};
use super::ledger;
use super::platform::{self, Effect, binding, now_ms, within};
use super::queue::{self, QueueMessage};
use crate::audit::{DeliveryLine, Notice};
use crate::consumer::{Action, End, Errand, Report, Step, lease_ms};
use crate::delivery;
use crate::event::{Held, at_run};
use crate::gate::{LiveDestination, LiveSource};
use crate::ledger::{Ask, Claim, Owner, Reply};
use crate::retry::{self, Attempt, Next, slow_seconds};

/// One event on its way to its backend.
pub struct Delivery<'a> {
    pub message: &'a QueueMessage,
    pub sent_again: &'a Cell<bool>,
    pub text: &'a str,
    pub held: &'a Held,
    pub source: &'a Arc<LiveSource>,
    pub route: &'a LiveDestination,
    pub fresh: bool,
    pub env: &'a Env,
}

impl Delivery<'_> {
    /// Carries out what [`Errand`] says. True: the backend hangs, or asks for less.
    pub async fn run(&self) -> bool {
        #[cfg(feature = "test-hooks")]
        super::test_hooks::panic_at_poison(self.held);
        let owner = Owner::from_le_bytes(platform::random());
        let mut errand = Errand::new(owner, self.message.attempts().max(1));
        let mut tried = None;
        let mut step = errand.start();
        loop {
            step = match step {
                Step::Do(Action::Claim) => {
                    let claim = self.claim(errand.owner).await;
                    errand.claimed(claim, now_ms())
                }
                Step::Do(Action::Deliver { attempt }) => {
                    let (outcome, next) = self.attempt(attempt).await;
                    tried = Some((attempt, outcome, next));
                    errand.delivered(next)
                }
                Step::Do(Action::Bury(cause)) => {
                    let attempts = tried.map_or(1, |(attempt, ..)| attempt);
                    let status = tried.and_then(|(_, outcome, _)| outcome.status());
                    let kept = bury(self.text, cause, attempts, status, self.env).await;
                    errand.buried(kept)
                }
                Step::Do(Action::Report(report)) => {
                    let slow = tried.and_then(|(_, outcome, next)| slow_seconds(outcome, next));
                    self.report(report, errand.owner, slow).await;
                    errand.reported()
                }
                Step::End(end) => {
                    self.end(end).await;
                    return tried.is_some_and(|(_, outcome, _)| outcome.is_no_answer());
                }
            };
        }
    }

    async fn ask(&self, ask: Ask) -> Option<Reply> {
        let key = &self.held.message.dedupkey;
        let asking = ledger::ask(self.env, self.source, key, ask, LEDGER_MS);
        asking.await.ok()
    }

    async fn claim(&self, owner: Owner) -> Option<Claim> {
        // Before the claim: what is not to be delivered now is nobody's.
        if self.fresh
            && let Some(until_ms) = ledger::tenants_turn(self.env, self.source, LEDGER_MS).await
        {
            return Some(Claim::Later { until_ms });
        }
        let ask = Ask::Claim {
            run: self.held.message.run,
            owner,
            lease_ms: lease_ms(self.route.destination.timeout_seconds),
            fresh: self.fresh.then(|| self.source.fresh()),
        };
        match self.ask(ask).await? {
            Reply::Go { attempt } => Some(Claim::Go { attempt }),
            Reply::Busy { until_ms } => Some(Claim::Busy { until_ms }),
            Reply::Later { until_ms } => Some(Claim::Later { until_ms }),
            Reply::Rerun { run } => Some(Claim::Rerun { run }),
            Reply::Settled => {
                let request_id = &self.held.message.requestid;
                platform::notice(&Notice::CopyRemoved { request_id });
                Some(Claim::Settled)
            }
            _ => None,
        }
    }

    async fn report(&self, report: Report, owner: Owner, slow_seconds: Option<u32>) {
        let run = self.held.message.run;
        let ask = match report {
            Report::Done => Ask::Done { run },
            Report::Dead => Ask::Dead {
                run,
                owner: Some(owner),
            },
            Report::Release => Ask::Release {
                run,
                owner,
                slow_seconds,
            },
        };
        // Unheard, `done` leaves a lease that runs out; the log has the ledger's failure.
        let _ = self.ask(ask).await;
    }

    async fn attempt(&self, attempt: u32) -> (Attempt, Next) {
        let started_ms = now_ms();
        // A condition would leave the code of the effect in: it is awaited.
        #[cfg(uses_decryption)]
        let opened = super::decrypt::opened(self.held, self.source).await;
        #[cfg(not(uses_decryption))]
        let opened: Option<Held> = None;
        let held = opened.as_ref().unwrap_or(self.held);
        let outcome = post(held, self.route, attempt, self.env).await;
        let random = u32::from_le_bytes(platform::random());
        let next = retry::next(&self.route.destination, attempt, outcome, random);
        let destination = &self.source.source.destination;
        let webhook_id = delivery::webhook_id(held);
        let line = DeliveryLine::new(held, destination, &webhook_id, attempt, outcome, next);
        platform::log(&DeliveryLine {
            duration_ms: now_ms().saturating_sub(started_ms),
            ..line
        });
        (outcome, next)
    }

    async fn end(&self, end: End) {
        match end {
            End::Acknowledge => self.message.ack(),
            End::Retry { seconds } => self.message.retry_in(seconds),
            End::SendAgain { seconds } => {
                self.sent_again.set(true);
                send_again(self.message, self.text, seconds, self.env).await;
            }
            End::SendAs { run } => {
                let sent = match at_run(self.text, run) {
                    Some(text) => {
                        let sending = queue::send(self.env, binding::EVENTS, &text);
                        within(EFFECT_MS, sending).await
                    }
                    None => None,
                };
                match sent {
                    Some(Ok(())) => self.message.ack(),
                    Some(Err(_)) | None => self.message.retry_in(retry::wait_seconds(1)),
                }
            }
        }
    }
}

/// Through the slow queue; if that does not take it, the message itself comes again.
pub fn send_again<'a>(
    message: &'a QueueMessage,
    text: &str,
    seconds: u32,
    env: &Env,
) -> Effect<'a, ()> {
    let sent = queue::send_later(env, binding::EVENTS_SLOW, text, seconds);
    Box::pin(async move {
        match within(EFFECT_MS, sent).await {
            Some(Ok(())) => message.ack(),
            Some(Err(_)) | None => message.retry_in(seconds),
        }
    })
}
