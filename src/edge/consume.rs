//! The queues' consumer: events to the backend, dead letters to the archive, and to the record what is its.
//!
//! Every message ends in `ack` or `retry` by itself, whatever happens to its neighbours: an error
//! of the handler would bring the whole batch again, delivered events included.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use js_sys::{Date, Promise};
use wasm_bindgen::prelude::*;
use worker::Env;

use super::bury::{Buried, bury, keep_unless_delivered};
use super::deliver::{Delivery, send_again};
use super::platform::{self, now_ms};
use super::queue::{Batch, QueueMessage};
use super::record_store;
use super::state::State;
use crate::audit::Notice;
use crate::backlog::Backlog;
use crate::consumer::burst_seconds;
use crate::dead::DeadLetter;
use crate::delivery::{Plan, QueueRole, plan, queue_role};
use crate::lanes::{Lane, Lanes, Turn};
use crate::retry::{self, DeathCause};

/// The ledger is near; the queue brings the message again if it does not answer.
pub const LEDGER_MS: u32 = 5_000;
/// For the queues and the archive. A batch is not over before its last message is, and what the
/// others were acknowledged with is not heard before that.
pub const EFFECT_MS: u32 = 5_000;

/// Handles a batch of any queue.
#[wasm_bindgen]
pub fn consume(batch: Batch, env: Env) -> Promise {
    platform::promise(async move {
        // First of all, because it also sees to it that a panic is not printed with its text.
        let state = State::of(&env);
        let role = queue_role(&batch.queue());
        if role.is_none() {
            let name = batch.queue();
            platform::notice(&Notice::QueueUnknown { name: &name });
        }
        if role == Some(QueueRole::Audit) {
            record_store::keep(batch.messages(), &state, &env).await;
            return Ok(JsValue::UNDEFINED);
        }
        let messages = batch.messages().into_iter();
        let jobs: Vec<Job<'_>> = messages
            .map(|message| Job::new(message, role, &state, &env))
            .collect();
        let mut lanes = Lanes::new(jobs.iter().map(Job::lane).collect(), now_ms());
        let mut running = FuturesUnordered::new();
        loop {
            while let Some(turn) = lanes.next(now_ms()) {
                let (Turn::Begin(number) | Turn::Postpone(number)) = turn;
                let job = jobs.get(number);
                running.push(async move {
                    let Some(job) = job else {
                        return (number, false);
                    };
                    let handled = async {
                        match turn {
                            Turn::Begin(_) => job.handle().await,
                            Turn::Postpone(_) => job.postpone().await,
                        }
                    };
                    let hung = AssertUnwindSafe(handled).catch_unwind().await;
                    if hung.is_err() {
                        job.wait();
                    }
                    (number, hung.unwrap_or(false))
                });
            }
            let Some((number, hung)) = running.next().await else {
                drop(running);
                tell_of_the_oldest(&jobs);
                return Ok(JsValue::UNDEFINED);
            };
            lanes.ended(number, hung);
        }
    })
}

/// What is sent again is a new message: how long its event has waited, the queue cannot say.
fn tell_of_the_oldest(jobs: &[Job<'_>]) {
    let sent_again = jobs.iter().filter(|job| job.sent_again.get());
    let events = sent_again.filter_map(|job| match &job.task {
        Task::Event {
            plan: Plan::Deliver { held, .. },
            ..
        } => Some((Date::parse(&held.message.receivedtime) as i64, held)),
        _ => None,
    });
    if let Some((oldest_ms, held)) = events.min_by_key(|(received_ms, _)| *received_ms) {
        let backlog = Backlog {
            source: Some(&held.message.source),
            ..Backlog::new("slow_queue", 1, Some(oldest_ms), now_ms())
        };
        if let Some(alarm) = backlog.alarm() {
            platform::notice(&alarm);
        }
    }
}

/// One message of a batch.
struct Job<'a> {
    message: QueueMessage,
    sent_again: Cell<bool>,
    text: String,
    task: Task<'a>,
    state: &'a State,
    env: &'a Env,
}

enum Task<'a> {
    /// `fresh`: from the fast queue.
    Event {
        plan: Plan<'a>,
        fresh: bool,
    },
    Letter,
    Unknown,
    /// Not now: reading it panicked.
    Wait,
}

impl<'a> Job<'a> {
    fn new(message: QueueMessage, role: Option<QueueRole>, state: &'a State, env: &'a Env) -> Self {
        let text = message.text();
        let task = match role {
            None => Task::Unknown,
            Some(QueueRole::DeadLetters) => Task::Letter,
            Some(role) => {
                let fresh = role == QueueRole::Events;
                let planned = catch_unwind(AssertUnwindSafe(|| plan(&text, &state.gate)));
                planned.map_or(Task::Wait, |plan| Task::Event { plan, fresh })
            }
        };
        Job {
            message,
            sent_again: Cell::new(false),
            text,
            task,
            state,
            env,
        }
    }

    fn lane(&self) -> Option<Lane> {
        match &self.task {
            Task::Event {
                plan: Plan::Deliver { source, route, .. },
                ..
            } => Some(Lane {
                destination: source.source.destination.clone(),
                timeout_seconds: route.destination.timeout_seconds,
            }),
            _ => None,
        }
    }

    /// Carries it out, or decides what becomes of it. True: its backend hangs, or asks for less.
    async fn handle(&self) -> bool {
        let message = &self.message;
        match &self.task {
            Task::Event { plan, fresh } => return self.run(plan, *fresh).await,
            Task::Letter => {
                let letter = DeadLetter::from_queue(&self.text, now_ms());
                match keep_unless_delivered(&letter, self.state, self.env).await {
                    Buried::Kept | Buried::Delivered => message.ack(),
                    Buried::Busy { seconds } => message.retry_in(seconds),
                    Buried::Unkept => self.wait(),
                }
            }
            // What nobody can deliver is kept, never thrown away.
            Task::Unknown => self.give_up(DeathCause::UnknownQueue).await,
            Task::Wait => self.wait(),
        }
        false
    }

    async fn run(&self, plan: &Plan<'_>, fresh: bool) -> bool {
        match plan {
            Plan::Deliver {
                held,
                source,
                route,
            } => {
                if let Some(seconds) = burst_seconds(held, source, now_ms()) {
                    self.sent_again.set(true);
                    send_again(&self.message, &self.text, seconds, self.env).await;
                    return false;
                }
                let delivery = Delivery {
                    message: &self.message,
                    sent_again: &self.sent_again,
                    text: &self.text,
                    held,
                    source,
                    route,
                    fresh,
                    env: self.env,
                };
                return delivery.run().await;
            }
            Plan::GiveUp(cause) => self.give_up(*cause).await,
            Plan::Wait { destination } => {
                platform::notice(&Notice::Waiting { destination });
                self.wait();
            }
        }
        false
    }

    async fn give_up(&self, cause: DeathCause) {
        let attempts = self.message.attempts().max(1);
        if bury(&self.text, cause, attempts, None, self.env).await {
            self.message.ack();
        } else {
            self.wait();
        }
    }

    /// There is no room for it in this batch.
    async fn postpone(&self) -> bool {
        let seconds = match &self.task {
            Task::Event {
                plan: Plan::Deliver { route, .. },
                ..
            } => route.destination.backoff_first_seconds,
            _ => retry::wait_seconds(1),
        };
        self.sent_again.set(true);
        send_again(&self.message, &self.text, seconds, self.env).await;
        false
    }

    fn wait(&self) {
        let seconds = retry::wait_seconds(self.message.attempts());
        self.message.retry_in(seconds);
    }
}
