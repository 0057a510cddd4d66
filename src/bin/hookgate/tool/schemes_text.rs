//! What `docs/schemes.md` says besides its table.

pub const INTRODUCTION: &str = "\
# Schemes

How each sender signs, what stops a replay, how it is answered, when it sends again, what a source of it needs, and how well that is
proved: a table of all, then a section for each. Made by `cargo run --bin hookgate -- schemes` from the files in `src/schemes`, which
say the same to the gate; a test compares them. What a provider does not document is said to be so.

A source names its scheme ([configuration.md](configuration.md)), and `./scripts/send SOURCE` sends a first event to it, signed
as its provider would, wherever a secret is all that takes. A sender that is not here is one entry: [add-a-scheme.md](add-a-scheme.md).

**Signed id** is what names an event. Where there is none, its signed content does: two deliveries with the same content are one
event. **Signed time** has the age up to which a request is taken.

**Replay class** says what stops somebody who has captured one genuine request and sends it again.
*Time and memory*: the signed time, and the memory of events for as long as it is fresh. *Memory*: no
time is signed, so only the memory does, for as long as the source keeps it (30 days at least). *None*:
the body is not signed; whoever has seen the credential can send anything, so the id only folds the
sender's own retries.

**Handshake** is what a provider asks before it sends, and what it is answered. *Verified*: the question is signed. *From anyone*:
it is not, and the answer is harmless ([guarantees.md](guarantees.md#handshakes)).

**Proved by** says how good the best vector is. A published one has secret, input and signature of the provider, or of the
standard that it follows. An SDK's is made by the provider's code. A script's is made from the documentation, by code
that is not the gate's (`tests/vectors/saas.py`, or as its `origin` says): both may have read it wrongly. *Unproven* is what
only the gate's own signer makes.

";

/// What was looked at and left out.
pub const ABSENT: &str = "\
## What is not here

- Alibaba Cloud EventBridge V1: its HMAC key travels encrypted with the provider's private key, and
  recovering it with the public one is no operation of WebCrypto; documentation and SDK differ about a
  line feed as well. V2 is the scheme to choose.
- Tencent Cloud TDMQ CMQ: nothing is signed, no credential is documented, and the endpoints are plain HTTP.
- DigitalOcean: no signed customer webhook is documented.
- Supabase Database Webhooks: nothing is signed; with a custom header, `ibm-event-notifications` shows how to
  write such a scheme.
- Huawei's `SDK-HMAC-SM3`, `SDK-SM2-SM3`, `SDK-ECDSA-P256-SHA256` and `V11-HMAC-SHA256`.
- Salesforce outbound messages: SOAP with an XML answer, proved by a client certificate on the connection, which a
  Worker sees only where Cloudflare is set up for it.
- Microsoft Graph's notifications with resource data: their tokens stand in the body, and the data is encrypted.
- Mailgun's forms (older webhooks, routes), and Mollie's older webhooks, which sign nothing. Shopify's Events API, for the name of its header.
- RFC 9421 with ECDSA over P-384, components with parameters, more than one signature a message.
- Fastly's CDN alerts and log streaming: their challenge is not documented well enough to answer it.";

/// Answers that do not depend on the scheme.
pub const PLAIN: &str = "duplicate like accepted; malformed 400, not verified or too old 401, too large 413; our own failure 503 with `Retry-After`, never the sender's fault";
pub const KOOGALLERY: &str = "HTTP 200 with a signed `resultCode`: accepted and duplicate 000000 (`newInstance` with its `instanceId`), questions 000004 while nothing is known; refused, and then not signed, 000001 or 000002; our own failure 000005";
