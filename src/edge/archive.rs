//! Dead letters in R2: one object each.

use worker::{Bucket, Env};

use super::content;
use super::platform::{self, binding, describe};
use crate::audit::Notice;
use crate::dead::{DeadLetter, PREFIX, Summary};

/// The archive did not do what it was asked. The log says why.
#[derive(Clone, Copy, Debug)]
pub struct Failed;

/// A page of dead letters, and where the next one begins.
pub struct Page {
    pub letters: Vec<Summary>,
    pub cursor: Option<String>,
}

/// Keeps a letter, its content first: a letter that is there has its content, as far as there was one.
/// One that is there already is the same message's, and may bear an operator's mark: it is left alone.
pub async fn keep(env: &Env, letter: &DeadLetter) -> Result<(), Failed> {
    if bucket(env)?
        .head(letter.key())
        .await
        .map_err(failed)?
        .is_some()
    {
        return Ok(());
    }
    if let Some((key, check)) = letter.content() {
        // A content that is missing is missing from its letter too, which may say so.
        content::duplicate(env, &check.key, &key).await?;
    }
    write(env, letter).await
}

/// Writes a letter, whatever is there.
pub async fn write(env: &Env, letter: &DeadLetter) -> Result<(), Failed> {
    let text = serde_json::to_string(letter).map_err(|_| Failed)?;
    let bucket = bucket(env)?;
    let put = bucket.put(letter.key(), text).execute();
    put.await.map_err(failed)?;
    Ok(())
}

/// # Errors
/// Also where the object is there and is not a letter.
pub async fn read(env: &Env, id: &str) -> Result<Option<DeadLetter>, Failed> {
    let bucket = bucket(env)?;
    let get = bucket.get(format!("{PREFIX}{id}")).execute();
    let Some(object) = get.await.map_err(failed)? else {
        return Ok(None);
    };
    let body = object.body().ok_or(Failed)?;
    let text = body.text().await.map_err(failed)?;
    DeadLetter::from_archive(&text).map(Some).ok_or(Failed)
}

/// Up to `limit` letters after `cursor`. One that cannot be read is listed as such.
pub async fn list(env: &Env, cursor: Option<&str>, limit: u32) -> Result<Page, Failed> {
    let bucket = bucket(env)?;
    let mut request = bucket.list().prefix(PREFIX).limit(limit);
    if let Some(cursor) = cursor {
        request = request.cursor(cursor);
    }
    let found = request.execute().await.map_err(failed)?;
    let mut letters = Vec::new();
    for object in found.objects() {
        let key = object.key();
        let id = key.strip_prefix(PREFIX).unwrap_or(&key);
        letters.push(match read(env, id).await {
            Ok(Some(letter)) => letter.summary(),
            Ok(None) => continue,
            Err(Failed) => Summary::unreadable(id),
        });
    }
    let cursor = found.truncated().then(|| found.cursor()).flatten();
    Ok(Page { letters, cursor })
}

fn bucket(env: &Env) -> Result<Bucket, Failed> {
    env.bucket(binding::ARCHIVE).map_err(failed)
}

fn failed(error: worker::Error) -> Failed {
    platform::notice(&Notice::ArchiveFailed {
        detail: &describe(&error),
    });
    Failed
}
