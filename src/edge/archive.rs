//! Dead letters in R2: one object each, written once.

use worker::Env;

use super::platform::binding;
use crate::dead::{DeadLetter, PREFIX};

/// The archive did not do what it was asked.
#[derive(Clone, Copy, Debug)]
pub struct ArchiveFailed;

/// Keeps a letter. One that is there already is the same event's, and may bear an operator's mark:
/// it is left alone.
pub async fn keep(env: &Env, letter: &DeadLetter) -> Result<(), ArchiveFailed> {
    let bucket = env.bucket(binding::ARCHIVE).map_err(failed)?;
    if bucket.head(letter.key()).await.map_err(failed)?.is_some() {
        return Ok(());
    }
    write(env, letter).await
}

/// Writes a letter, whatever is there.
pub async fn write(env: &Env, letter: &DeadLetter) -> Result<(), ArchiveFailed> {
    let bucket = env.bucket(binding::ARCHIVE).map_err(failed)?;
    let text = serde_json::to_string(letter).map_err(|_| ArchiveFailed)?;
    bucket
        .put(letter.key(), text)
        .execute()
        .await
        .map_err(failed)?;
    Ok(())
}

pub async fn read(env: &Env, id: &str) -> Result<Option<DeadLetter>, ArchiveFailed> {
    let bucket = env.bucket(binding::ARCHIVE).map_err(failed)?;
    let Some(object) = bucket
        .get(format!("{PREFIX}{id}"))
        .execute()
        .await
        .map_err(failed)?
    else {
        return Ok(None);
    };
    let Some(body) = object.body() else {
        return Err(ArchiveFailed);
    };
    let text = body.text().await.map_err(failed)?;
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|_| ArchiveFailed)
}

/// Up to `limit` letters after `cursor`, and the cursor of the next page.
pub async fn list(
    env: &Env,
    cursor: Option<&str>,
    limit: u32,
) -> Result<(Vec<DeadLetter>, Option<String>), ArchiveFailed> {
    let bucket = env.bucket(binding::ARCHIVE).map_err(failed)?;
    let mut request = bucket.list().prefix(PREFIX).limit(limit);
    if let Some(cursor) = cursor {
        request = request.cursor(cursor);
    }
    let page = request.execute().await.map_err(failed)?;
    let mut letters = Vec::new();
    for object in page.objects() {
        let key = object.key();
        if let Some(letter) = read(env, key.trim_start_matches(PREFIX)).await? {
            letters.push(letter);
        }
    }
    Ok((letters, page.truncated().then(|| page.cursor()).flatten()))
}

fn failed<E>(_: E) -> ArchiveFailed {
    ArchiveFailed
}
