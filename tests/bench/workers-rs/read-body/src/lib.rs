//! A floor: a Worker that reads the body and does nothing with it.

use worker::{Context, Env, Request, Response, Result, event};

#[event(fetch)]
async fn fetch(mut request: Request, _env: Env, _context: Context) -> Result<Response> {
    request.bytes().await?;
    Response::ok("ok")
}
