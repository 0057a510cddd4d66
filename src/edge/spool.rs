//! The third hold: one object in R2 for an event that neither the queue nor the ledger took.

use worker::Env;

use super::platform::{self, binding, describe};
use crate::audit::Notice;
use crate::keys::encode_hex;

/// The prefix of spooled messages in the archive.
const PREFIX: &str = "spool/";
/// How many are drained at a time: each is one read, one send and one delete.
const DRAINED_AT_ONCE: u32 = 100;

/// Puts a message aside. The name is random: two copies of an event must not overwrite each other
/// while one of them is being drained.
///
/// # Errors
/// What the platform said, for the log.
pub async fn put(env: &Env, message: &str) -> Result<(), String> {
    let name = format!("{PREFIX}{}", encode_hex(&platform::random::<16>()));
    let written = async {
        let bucket = env.bucket(binding::ARCHIVE)?;
        bucket.put(name, message.to_owned()).execute().await
    };
    written.await.map(|_| ()).map_err(|error| describe(&error))
}

/// Sends what was put aside to the queue. A crash after the send costs a copy, which the ledger
/// removes.
pub async fn drain(env: &Env) {
    if let Err(detail) = try_drain(env).await {
        platform::notice(&Notice::SpoolFailed { detail: &detail });
    }
}

async fn try_drain(env: &Env) -> Result<(), String> {
    let failed = |error: worker::Error| describe(&error);
    let bucket = env.bucket(binding::ARCHIVE).map_err(failed)?;
    let page = bucket
        .list()
        .prefix(PREFIX)
        .limit(DRAINED_AT_ONCE)
        .execute();
    for object in page.await.map_err(failed)?.objects() {
        let Some(found) = bucket.get(object.key()).execute().await.map_err(failed)? else {
            continue;
        };
        let Some(body) = found.body() else { continue };
        let message = body.text().await.map_err(failed)?;
        // One that the queue refuses must not keep the others waiting.
        if let Err(detail) = platform::send(env, binding::EVENTS, &message).await {
            platform::notice(&Notice::SpoolFailed { detail: &detail });
            continue;
        }
        bucket.delete(object.key()).await.map_err(failed)?;
        platform::notice(&Notice::SpoolDrained);
    }
    Ok(())
}
