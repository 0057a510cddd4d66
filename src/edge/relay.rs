//! The relay: hands the messages that the ledger's object holds to the queue, and carries out what
//! [`crate::relay`] says of those that the queue refuses.
//!
//! A held message stands *in line* until the queue refuses it in earnest; then it is *apart*, and is
//! tried by itself. A round offers the line as one batch, and now and then what is apart.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use worker::Env;

use super::archive;
use super::ledger_object::{Storage, query, read, rows, write};
use super::platform::{self, binding, now_ms, within};
use super::queue;
use super::state::State as GateState;
use crate::audit::Notice;
use crate::dead::DeadLetter;
use crate::event;
use crate::hex;
use crate::ledger::{Request, State, dead};
use crate::relay::{Fate, REFUSALS_MAX, Refusal, fate};
use crate::retry::DeathCause;

/// A batch for the queue: 100 messages, and 256,000 bytes less what the platform adds.
const BATCH_MESSAGES: u32 = 100;
const BATCH_BYTES_MAX: usize = 240_000;
/// One by one, so many refusals before the first success are an outage, which need not be told of
/// each message of a batch.
const REFUSED_IN_OUTAGE: usize = 5;
/// So many of those apart are tried in a round: each is a send.
const APART_AT_ONCE: u32 = 20;
/// No alarm fires beside a running one, so an effect that never settled would stop the relay for good.
const EFFECT_MS: u32 = 5_000;

/// Is anything held?
#[wasm_bindgen(js_name = ledgerIsHolding)]
pub fn is_holding(storage: &Storage) -> Result<bool, JsValue> {
    Ok(query(storage, "SELECT 1 FROM held LIMIT 1", &[])?.length() > 0)
}

/// Does anything stand in line?
#[wasm_bindgen(js_name = ledgerHasLine)]
pub fn has_line(storage: &Storage) -> Result<bool, JsValue> {
    let sql = "SELECT 1 FROM held WHERE refusals = 0 LIMIT 1";
    Ok(query(storage, sql, &[])?.length() > 0)
}

/// One round; `apart_too` offers what is apart as well, `last` is the last request that came with a
/// message. True: the queue took something.
#[wasm_bindgen(js_name = ledgerRelay)]
pub fn relay(storage: Storage, env: Env, apart_too: bool, last: Option<String>) -> Promise {
    platform::promise(async move {
        // Sees to it that a panic is not printed with its text.
        let _ = GateState::of(&env);
        let newest = last.and_then(|last| Some(Request::from_text(&last)?.key));
        let mut round = Round {
            storage,
            env,
            newest,
            took: false,
        };
        // Read first: what this round puts apart has had its turn. Offered last: that the queue takes
        // the line is the proof against what it refuses.
        let apart = if apart_too {
            apart(&round.storage)?
        } else {
            Vec::new()
        };
        if round.offer_line().await? {
            round.offer_apart(&apart).await?;
        }
        Ok(round.took.into())
    })
}

struct Round {
    storage: Storage,
    env: Env,
    /// The key of what came last, where the object remembers.
    newest: Option<String>,
    /// The queue took a message.
    took: bool,
}

/// What came of offering one message.
enum Offer {
    Taken,
    Refused(Refusal),
    /// No answer in time: the queue may have it. A copy is removed before the backend.
    Unknown,
}

impl Round {
    /// False: the queue is in no state to be asked any more.
    async fn offer_line(&mut self) -> Result<bool, JsValue> {
        let batch = batch(&self.storage)?;
        if batch.is_empty() {
            return Ok(true);
        }
        let texts: Vec<&str> = batch.iter().map(|held| held.message.as_str()).collect();
        let sending = queue::send_batch(&self.env, binding::EVENTS, &texts);
        match outcome(within(EFFECT_MS, sending).await) {
            Offer::Taken => {
                self.took = true;
                for held in &batch {
                    forget(&self.storage, held)?;
                }
                Ok(true)
            }
            Offer::Refused(Refusal::Queue) | Offer::Unknown => Ok(false),
            Offer::Refused(Refusal::Message | Refusal::Unclear) => self.one_by_one(batch).await,
        }
    }

    /// A batch fails as a whole; this finds out which of its messages the queue refuses.
    async fn one_by_one(&mut self, batch: Vec<Held>) -> Result<bool, JsValue> {
        // Most of what waits may be refused for ever. What came last is the likeliest to be taken.
        let mut messages = match &self.newest {
            Some(key) => in_line(&self.storage, key)?,
            None => Vec::new(),
        };
        let is_newest = |held: &Held| Some(&held.key) == self.newest.as_ref();
        messages.extend(batch.into_iter().filter(|held| !is_newest(held)));
        let mut unclear = Vec::new();
        let mut goes_on = true;
        for held in &messages {
            match self.offer(held).await? {
                Offer::Taken => {}
                Offer::Refused(Refusal::Message) => self.set_aside(held).await?,
                Offer::Refused(Refusal::Unclear) => unclear.push(held),
                Offer::Refused(Refusal::Queue) | Offer::Unknown => goes_on = false,
            }
            goes_on &= self.took || unclear.len() < REFUSED_IN_OUTAGE;
            if !goes_on {
                break;
            }
        }
        for held in unclear {
            self.judge(held, Refusal::Unclear).await?;
        }
        Ok(goes_on)
    }

    async fn offer_apart(&mut self, apart: &[Held]) -> Result<(), JsValue> {
        for held in apart {
            match self.offer(held).await? {
                Offer::Taken => {}
                Offer::Refused(refusal) => self.judge(held, refusal).await?,
                Offer::Unknown => break,
            }
        }
        Ok(())
    }

    async fn offer(&mut self, held: &Held) -> Result<Offer, JsValue> {
        let sending = queue::send(&self.env, binding::EVENTS, &held.message);
        let offer = outcome(within(EFFECT_MS, sending).await);
        if let Offer::Taken = offer {
            self.took = true;
            forget(&self.storage, held)?;
        }
        Ok(offer)
    }

    async fn judge(&self, held: &Held, refusal: Refusal) -> Result<(), JsValue> {
        match fate(refusal, held.refusals, self.took) {
            Fate::Stay => Ok(()),
            Fate::Apart { refusals } => put_apart(&self.storage, held, refusals),
            Fate::SetAside => self.set_aside(held).await,
        }
    }

    /// To the archive. If that fails it is tried again with those apart, where it is in nobody's way.
    async fn set_aside(&self, held: &Held) -> Result<(), JsValue> {
        put_apart(&self.storage, held, REFUSALS_MAX)?;
        match read(&self.storage, &held.key)?.map(|row| row.state) {
            // An earlier send was reported as refused, and took effect.
            Some(State::Done) => return forget(&self.storage, held),
            Some(State::Claimed { until_ms, .. }) if until_ms > now_ms() => return Ok(()),
            _ => {}
        }
        let letter = DeadLetter::new(&held.message, DeathCause::RefusedByQueue, 0, None, now_ms());
        match within(EFFECT_MS, archive::keep(&self.env, &letter)).await {
            Some(Ok(())) => {
                platform::notice(&Notice::DeadLetterKept { id: &letter.id });
                forget(&self.storage, held)?;
                settle_dead(&self.storage, held)
            }
            Some(Err(archive::Failed)) => Ok(()),
            None => {
                let detail = NO_ANSWER;
                platform::notice(&Notice::ArchiveFailed { detail });
                Ok(())
            }
        }
    }
}

const NO_ANSWER: &str = "no answer in time";

/// Says in the log what failed.
fn outcome(sent: Option<Result<(), String>>) -> Offer {
    let (offer, detail) = match sent {
        Some(Ok(())) => return Offer::Taken,
        Some(Err(detail)) => (Offer::Refused(Refusal::of(&detail)), detail),
        None => (Offer::Unknown, NO_ANSWER.to_owned()),
    };
    platform::notice(&Notice::HoldFailed { detail: &detail });
    offer
}

struct Held {
    key: String,
    refusals: u32,
    message: String,
}

impl Held {
    fn from_row(row: &JsValue) -> Self {
        let row = js_sys::Array::from(row);
        Held {
            key: row.get(0).as_string().unwrap_or_default(),
            refusals: row.get(1).as_f64().unwrap_or_default() as u32,
            message: row.get(2).as_string().unwrap_or_default(),
        }
    }
}

/// As much of the line as one batch takes, from a random place on: keys are digests, so whatever is
/// refused stands in front of the others only by chance, and not the next time.
fn batch(storage: &Storage) -> Result<Vec<Held>, JsValue> {
    let anywhere = JsValue::from_str(&hex::encode(&platform::random::<8>()));
    let mut bytes = 0;
    let mut batch = Vec::new();
    for comparison in [">=", "<"] {
        let sql = format!(
            "SELECT key, refusals, message FROM held WHERE refusals = 0 AND key {comparison} ?
             ORDER BY key LIMIT {BATCH_MESSAGES}"
        );
        // Row by row: a hundred of the largest messages are twelve megabytes.
        for row in rows(storage, &sql, std::slice::from_ref(&anywhere))? {
            let held = Held::from_row(&row?);
            bytes += held.message.len();
            let is_full = batch.len() >= BATCH_MESSAGES as usize || bytes > BATCH_BYTES_MAX;
            if is_full && !batch.is_empty() {
                return Ok(batch);
            }
            batch.push(held);
        }
    }
    Ok(batch)
}

/// The message of this key, if it stands in line.
fn in_line(storage: &Storage, key: &str) -> Result<Vec<Held>, JsValue> {
    let sql = "SELECT key, refusals, message FROM held WHERE refusals = 0 AND key = ?";
    let found = query(storage, sql, &[key.into()])?;
    Ok(found.iter().map(|row| Held::from_row(&row)).collect())
}

fn apart(storage: &Storage) -> Result<Vec<Held>, JsValue> {
    let sql =
        "SELECT key, refusals, message FROM held WHERE refusals > 0 ORDER BY refusals LIMIT ?";
    let found = query(storage, sql, &[APART_AT_ONCE.into()])?;
    Ok(found.iter().map(|row| Held::from_row(&row)).collect())
}

fn put_apart(storage: &Storage, held: &Held, refusals: u32) -> Result<(), JsValue> {
    let sql = "UPDATE held SET refusals = ? WHERE key = ? AND message = ?";
    let (key, message) = (held.key.as_str(), held.message.as_str());
    query(storage, sql, &[refusals.into(), key.into(), message.into()])?;
    Ok(())
}

/// The queue has the message. One that took its place meanwhile (another run) stays.
fn forget(storage: &Storage, held: &Held) -> Result<(), JsValue> {
    let sql = "DELETE FROM held WHERE key = ? AND message = ?";
    let (key, message) = (held.key.as_str(), held.message.as_str());
    query(storage, sql, &[key.into(), message.into()])?;
    Ok(())
}

/// What was set aside is dead like any other: its provider may bring it again.
fn settle_dead(storage: &Storage, held: &Held) -> Result<(), JsValue> {
    let run = event::Held::read(&held.message).map_or(0, |held| held.message.run);
    let row = read(storage, &held.key)?;
    match row.and_then(|row| dead(Some(row), run, None, now_ms(), row.expires_ms)) {
        Some(row) => write(storage, &held.key, &row),
        None => Ok(()),
    }
}
