// Questions to `/admin/v1`. The browser has a session or Cloudflare Access's cookie; no token is kept here.

/** What the gate answers with when it does not do what was asked (RFC 9457), and what a browser says when it does not answer. */
export class Problem extends Error {
  constructor({ status = 0, title = "No answer from the gate", detail, request_id: requestId } = {}) {
    super(title);
    Object.assign(this, { status, title, detail, requestId });
  }
}

export function addressOf(path, params = {}) {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== undefined && value !== null && value !== "")).toString();
  return `/admin/v1/${path}${query === "" ? "" : `?${query}`}`;
}

/** The answer to a question, as a response that is fine. */
export async function fetched(path, { params, method = "GET", body } = {}) {
  let response;
  try {
    response = await fetch(addressOf(path, params), {
      method,
      // No form of another page can send this one: the gate asks for it where something is changed.
      headers: { "hookgate-console": "1", ...(body !== undefined && { "content-type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      // Cloudflare Access sends whoever it does not know elsewhere; that is no answer of the gate's.
      redirect: "error",
    });
  } catch {
    throw new Problem({ detail: "If Cloudflare Access stands in front of it, load the page again to sign in." });
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  throw new Problem({ ...told, status: response.status, title: told.title ?? `The gate answered ${response.status}` });
}

export async function ask(path, options) {
  const response = await fetched(path, options);
  return response.status === 204 ? undefined : response.json();
}

/** The answer, or the problem in its place: for a part of a page that can be missing. */
export const attempt = (path, options) => ask(path, options).catch((problem) => problem);
