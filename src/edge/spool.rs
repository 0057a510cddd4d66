//! The third hold: one object in R2 for an event that neither the queue nor the ledger took.

use std::cell::{Cell, RefCell};

use wasm_bindgen::JsValue;
use worker::Env;

use super::alerts::Watch;
use super::bucket::{Bucket, PAGE_MAX, PageStart};
use super::bury::{self, Buried};
use super::platform::{self, Bound, Effect, all, binding, describe_value, now_ms, within};
use super::queue;
use super::schedule;
use super::state::State;
use crate::audit::Notice;
use crate::backlog::Backlog;
use crate::dead::DeadLetter;
use crate::hex;
use crate::relay::{Fate, Refusal, fate};
use crate::retry::DeathCause;

/// The prefix of spooled messages in the archive.
const PREFIX: &str = "spool/";
const PAGE: u32 = 100;
/// A cron drains so many at most, and for so long: the next one comes after five minutes.
const OBJECTS_MAX: u32 = 2_000;
const DRAIN_MS: i64 = 200_000;
/// Of six connections; the others are the schedule's.
const AT_ONCE: usize = 2;
/// So many refusals before the first success are an outage.
const REFUSED_IN_OUTAGE: u32 = 100;
/// Of those that the queue refuses without a reason, so many are judged in a cron: their texts are
/// kept until its end.
const JUDGED_MAX: usize = 20;
const EFFECT_MS: u32 = 5_000;
/// To ask the ledger, to look whether the letter is there, and to write it.
const BURY_MS: u32 = 3 * EFFECT_MS;

/// Puts a message aside. The name is random: two copies of an event must not overwrite each other
/// while one of them is being drained.
///
/// # Errors
/// What the platform said, for the log.
pub async fn put(env: &Env, message: &str) -> Result<(), String> {
    let written = env.archive().write(&random_name(), message);
    written.await.map_err(|error| describe_value(&error))
}

fn random_name() -> String {
    format!("{PREFIX}{}", hex::encode(&platform::random::<16>()))
}

/// How often the queue refused a message stands behind its name: `spool/{random}-{refusals}`.
fn refusals(name: &str) -> u32 {
    let refusals = name
        .rsplit_once('-')
        .and_then(|(_, text)| text.parse().ok());
    refusals.unwrap_or_default()
}

/// Sends what was put aside to the queue. What befalls one object is its own affair; only a queue
/// that is out of order ends the drain. A crash after a send costs a copy, which the ledger removes.
pub async fn drain(state: &State, env: &Env, watch: &Watch) {
    let drain = Drain {
        state,
        env,
        bucket: env.archive(),
        end_ms: now_ms().saturating_add(DRAIN_MS),
        left: Cell::new(OBJECTS_MAX),
        is_over: Cell::new(false),
        took: Cell::new(false),
        unclear: Cell::new(0),
        refused: RefCell::default(),
    };
    // From a random place on, and then what is before it: names are random, so whatever stays stands
    // in front of the others only by chance, and not the next time.
    let anywhere = random_name();
    drain.pages(anywhere.clone(), None).await;
    drain.pages(PREFIX.to_owned(), Some(&anywhere)).await;
    drain.judge().await;
    drain.look(watch).await;
}

struct Drain<'a> {
    state: &'a State,
    env: &'a Env,
    bucket: Bucket,
    end_ms: i64,
    /// Objects that this cron may still look at.
    left: Cell<u32>,
    is_over: Cell<bool>,
    /// The queue took a message.
    took: Cell<bool>,
    /// How many it refused without a reason, and the first of them.
    unclear: Cell<u32>,
    refused: RefCell<Vec<Spooled>>,
}

struct Spooled {
    name: String,
    message: String,
}

impl Drain<'_> {
    /// Drains what comes after a name, up to another.
    async fn pages(&self, mut after: String, last: Option<&str>) {
        while !self.is_over() {
            let page = self.bucket.page(PREFIX, PAGE, PageStart::After(&after));
            let page = match in_time(page).await {
                Ok(page) => page,
                Err(detail) => return failed(&detail),
            };
            let mut names: Vec<String> = page.listed().map(|object| object.key()).collect();
            let found = names.len();
            names.retain(|name| last.is_none_or(|last| name.as_str() <= last));
            let is_last = names.len() < found || !page.truncated();
            after = names.last().cloned().unwrap_or_default();
            let one = |name| -> Effect<'_, ()> { Box::pin(self.one(name)) };
            all(names.into_iter().map(one).collect(), AT_ONCE).await;
            if is_last {
                return;
            }
        }
    }

    async fn one(&self, name: String) {
        if self.is_over() {
            return;
        }
        self.left.set(self.left.get() - 1);
        if let Err(detail) = self.send(name).await {
            failed(&detail);
        }
    }

    fn is_over(&self) -> bool {
        let is_outage = !self.took.get() && self.unclear.get() >= REFUSED_IN_OUTAGE;
        self.is_over.get() || is_outage || self.left.get() == 0 || now_ms() >= self.end_ms
    }

    async fn send(&self, name: String) -> Result<(), String> {
        let Some(spooled) = self.read(name).await? else {
            return Ok(());
        };
        let sending = queue::send(self.env, binding::EVENTS, &spooled.message);
        let Some(sent) = within(EFFECT_MS, sending).await else {
            self.is_over.set(true);
            return Err(NO_ANSWER.to_owned());
        };
        let Err(detail) = sent else {
            self.took.set(true);
            self.delete(&spooled.name).await?;
            platform::notice(&Notice::SpoolDrained);
            return Ok(());
        };
        match Refusal::of(&detail) {
            Refusal::Queue => self.is_over.set(true),
            Refusal::Message => self.set_aside(&spooled).await?,
            Refusal::Unclear => {
                self.unclear.set(self.unclear.get() + 1);
                let mut refused = self.refused.borrow_mut();
                if refused.len() < JUDGED_MAX {
                    refused.push(spooled);
                }
            }
        }
        Err(detail)
    }

    /// What was refused without a reason, once it is known whether the queue took anything else.
    async fn judge(&self) {
        for spooled in self.refused.take() {
            let refusals = refusals(&spooled.name);
            let judged = match fate(Refusal::Unclear, refusals, self.took.get()) {
                Fate::Stay => Ok(()),
                Fate::Apart { refusals } => self.count(&spooled, refusals).await,
                Fate::SetAside => self.set_aside(&spooled).await,
            };
            if let Err(detail) = judged {
                failed(&detail);
            }
        }
    }

    /// A crash in between costs a copy, which the ledger removes.
    async fn count(&self, spooled: &Spooled, refusals: u32) -> Result<(), String> {
        let name = format!("{}-{refusals}", random_name());
        in_time(self.bucket.write(&name, &spooled.message)).await?;
        self.delete(&spooled.name).await
    }

    async fn set_aside(&self, spooled: &Spooled) -> Result<(), String> {
        let message = &spooled.message;
        let letter = DeadLetter::new(message, DeathCause::RefusedByQueue, 0, None, now_ms());
        let keeping = bury::keep_unless_delivered(&letter, self.state, self.env);
        match within(BURY_MS, keeping).await {
            Some(Buried::Kept | Buried::Delivered) => self.delete(&spooled.name).await,
            // The next cron comes by again; the log says what failed.
            Some(Buried::Busy { .. } | Buried::Unkept) => Ok(()),
            None => Err(NO_ANSWER.to_owned()),
        }
    }

    async fn read(&self, name: String) -> Result<Option<Spooled>, String> {
        let message = in_time(self.bucket.read(&name)).await?;
        Ok(message.map(|message| Spooled { name, message }))
    }

    /// What is left of it. One page of the platform's: what is more is not counted.
    async fn look(&self, watch: &Watch) {
        let page = self.bucket.page(PREFIX, PAGE_MAX, PageStart::First);
        let left = match in_time(page).await {
            Ok(page) => page,
            Err(detail) => return failed(&detail),
        };
        let oldest_ms = left.listed().map(|object| object.uploaded_ms()).min();
        let objects = left.objects().length();
        let backlog = Backlog::new("spool", objects.into(), oldest_ms, now_ms());
        watch.saw(&backlog);
        if objects > 0 {
            schedule::record(&backlog);
        }
    }

    async fn delete(&self, name: &str) -> Result<(), String> {
        in_time(self.bucket.delete(name)).await
    }
}

const NO_ANSWER: &str = "no answer in time";

async fn in_time<T>(effect: Effect<'_, Result<T, JsValue>>) -> Result<T, String> {
    match within(EFFECT_MS, effect).await {
        Some(done) => done.map_err(|error| describe_value(&error)),
        None => Err(NO_ANSWER.to_owned()),
    }
}

fn failed(detail: &str) {
    platform::notice(&Notice::SpoolFailed { detail });
}
