// Schemes with a key pair, a token, or a form of what is signed that only the sender states. `hookgate sign` has no
// private keys, so there the SDK signs, or Node's own crypto where the SDK cannot; where a secret does it, both sign (`byGate`).
import { createHash, createHmac, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { AGELESS, CAPITALS, DECODED, FUTURE, LAST_WINS, LENIENT, LENIENT_TEXT, LOSSY, REPRINTED, secondsOf, text, TRUNCATED, UNBOUNDED, URL_OF_HOOK, ZERO } from "./shared.mjs";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const ed25519 = () => generateKeyPairSync("ed25519");
const p256 = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = (key) => key.export({ type: "spki", format: "pem" });

const TWO_SIGNATURES = { "the header twice": "to the SDK the header is a dictionary, whose last member of a name counts. The gate takes one signature a message" };

/** Discord's two: the same signature. */
const discord = (scheme) => ({
  scheme,
  sdk: "discord-interactions",
  signedBy: "node:crypto",
  pair: () => {
    const { publicKey, privateKey } = ed25519();
    return { secret: publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("hex"), key: privateKey };
  },
  sign: ({ key, body, atMs }) => {
    const time = String(secondsOf(atMs));
    return [["X-Signature-Ed25519", sign(null, Buffer.concat([Buffer.from(time), body]), key).toString("hex")], ["X-Signature-Timestamp", time]];
  },
  verify: async ({ body, headers, secret }) => {
    const { verifyKey } = await import("discord-interactions");
    return verifyKey(body, headers["x-signature-ed25519"], headers["x-signature-timestamp"], secret);
  },
  differs: { ...CAPITALS, ...AGELESS },
});

/** RFC 9421 with one of its algorithms. */
const messageSignature = (scheme, algorithm, pair, sdkKey) => ({
  scheme,
  byGate: algorithm.startsWith("hmac"),
  source: `pins = { url = "${URL_OF_HOOK}" }`,
  sdk: "http-message-signatures",
  pair,
  sign: async ({ key, body, atMs }) => {
    const { httpbis, createSigner } = (await import("http-message-signatures")).default;
    const digest = `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
    const request = { method: "POST", url: URL_OF_HOOK, headers: { "Content-Digest": digest } };
    const fields = ["@method", "@target-uri", "content-digest"];
    const config = { key: createSigner(key, algorithm, "key-1"), fields, params: ["created", "keyid"], paramValues: { created: new Date(atMs) } };
    const { headers } = await httpbis.signMessage(config, request);
    return Object.entries(headers);
  },
  // As the two standards have it: the message's signature, and then the digest that it covers.
  verify: async ({ body, headers, secret, method, url }) => {
    const { httpbis, createVerifier } = (await import("http-message-signatures")).default;
    const config = {
      keyLookup: () => ({ id: "key-1", algs: [algorithm], verify: createVerifier(sdkKey(secret), algorithm) }),
      requiredFields: ["@method", "@target-uri", "content-digest"],
      requiredParams: ["created"],
      maxAge: 300,
      tolerance: 60,
    };
    if ((await httpbis.verifyMessage(config, { method, url, headers })) !== true) return false;
    return headers["content-digest"] === `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
  },
  differs: {
    ...TWO_SIGNATURES,
    ...ZERO,
    "base64 without its padding": LENIENT_TEXT,
    "base64 with unused bits set": LENIENT_TEXT,
  },
});

const ADYEN_ITEM = (id) => ({
  pspReference: id,
  originalReference: "",
  merchantAccountCode: "TestMerchant",
  merchantReference: "invoice-1",
  amount: { value: 1130, currency: "EUR" },
  eventCode: "AUTHORISATION",
  success: "true",
  additionalData: {},
});

export const STATED = [
  discord("discord-interactions"),
  {
    scheme: "sendgrid",
    sdk: "@sendgrid/eventwebhook",
    signedBy: "node:crypto",
    pair: () => {
      const { publicKey, privateKey } = p256();
      return { secret: publicKey.export({ type: "spki", format: "der" }).toString("base64"), key: privateKey };
    },
    sign: ({ key, body, atMs }) => {
      const time = String(secondsOf(atMs));
      // Its length varies; with padding, so that every run has the cases of padding.
      let signature;
      do signature = sign("sha256", Buffer.concat([Buffer.from(time), body]), key).toString("base64");
      while (!signature.endsWith("="));
      return [["X-Twilio-Email-Event-Webhook-Signature", signature], ["X-Twilio-Email-Event-Webhook-Timestamp", time]];
    },
    verify: async ({ body, headers, secret }) => {
      const { EventWebhook } = (await import("@sendgrid/eventwebhook")).default;
      const webhook = new EventWebhook();
      const named = (name) => headers[`x-twilio-email-event-webhook-${name}`];
      return webhook.verifySignature(webhook.convertPublicKeyToECDSA(secret), body, named("signature"), named("timestamp"));
    },
    differs: { ...LOSSY, ...DECODED, ...AGELESS },
  },
  {
    scheme: "twilio",
    byGate: true,
    source: `pins = { url = "${URL_OF_HOOK}" }`,
    sdk: "twilio",
    secret: text,
    body: (id) => `MessageSid=${id}&Body=invoice+Z%C3%BCrich+%F0%9F%98%80&From=%2B14158675309&MessageStatus=sent&Empty=`,
    content: "application/x-www-form-urlencoded",
    sign: async ({ secret, text: body }) => {
      const { getExpectedTwilioSignature } = (await import("twilio/lib/webhooks/webhooks.js")).default;
      return [["X-Twilio-Signature", getExpectedTwilioSignature(secret, URL_OF_HOOK, Object.fromEntries(new URLSearchParams(body)))]];
    },
    verify: async ({ text: body, headers, secret, url }) => {
      const { default: twilio } = await import("twilio");
      return twilio.validateRequest(secret, headers["x-twilio-signature"], url, Object.fromEntries(new URLSearchParams(body)));
    },
    differs: {},
  },
  {
    scheme: "adyen-classic",
    byGate: true,
    sdk: "@adyen/api-library",
    secret: () => randomBytes(32).toString("hex"),
    body: (id) => JSON.stringify({ live: "false", notificationItems: [{ NotificationRequestItem: ADYEN_ITEM(id) }] }),
    signBody: async ({ secret, text: body }) => {
      const { default: { hmacValidator: Validator } } = await import("@adyen/api-library");
      const content = JSON.parse(body);
      const item = content.notificationItems[0].NotificationRequestItem;
      item.additionalData.hmacSignature = new Validator().calculateHmac(item, secret);
      return JSON.stringify(content);
    },
    sign: () => [],
    verify: async ({ text: body, secret }) => {
      const { default: { hmacValidator: Validator } } = await import("@adyen/api-library");
      return new Validator().validateHMAC(JSON.parse(body).notificationItems[0].NotificationRequestItem, secret);
    },
    differs: { ...LENIENT, ...TRUNCATED },
  },
  {
    scheme: "plaid",
    sdk: "jose",
    pair: () => {
      const { publicKey, privateKey } = p256();
      return { secret: JSON.stringify({ ...publicKey.export({ format: "jwk" }), alg: "ES256", use: "sig", kid: "key-1" }), key: privateKey };
    },
    sign: async ({ key, body, atMs }) => {
      const { SignJWT } = await import("jose");
      const claims = { iat: secondsOf(atMs), request_body_sha256: sha256(body) };
      return [["Plaid-Verification", await new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: "key-1", typ: "JWT" }).sign(key)]];
    },
    // The steps of Plaid's page.
    verify: async ({ body, headers, secret }) => {
      const { importJWK, jwtVerify } = await import("jose");
      const { payload } = await jwtVerify(headers["plaid-verification"], await importJWK(JSON.parse(secret)), { algorithms: ["ES256"], maxTokenAge: "5 min" });
      return payload.request_body_sha256 === sha256(body);
    },
    differs: {},
  },
  {
    scheme: "monday",
    byGate: true,
    source: `pins = { audience = "${URL_OF_HOOK}" }`,
    sdk: "jose",
    secret: text,
    sign: async ({ secret, atMs }) => {
      const { SignJWT } = await import("jose");
      const claims = { aud: URL_OF_HOOK, iat: secondsOf(atMs), exp: secondsOf(atMs) + 300 };
      return [["Authorization", await new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(Buffer.from(secret))]];
    },
    verify: async ({ headers, secret, url }) => {
      const { jwtVerify } = await import("jose");
      await jwtVerify(headers.authorization, Buffer.from(secret), { algorithms: ["HS256"], audience: url });
    },
    differs: {},
  },
  {
    scheme: "atlassian-connect",
    byGate: true,
    source: 'pins = { client_key = "client-1" }',
    sdk: "atlassian-jwt",
    secret: text,
    sign: async ({ secret, atMs }) => {
      const { encodeSymmetric, createQueryStringHash, fromMethodAndUrl } = (await import("atlassian-jwt")).default;
      const qsh = createQueryStringHash(fromMethodAndUrl("post", new URL(URL_OF_HOOK).pathname));
      const claims = { iss: "client-1", iat: secondsOf(atMs), exp: secondsOf(atMs) + 180, qsh };
      return [["Authorization", `JWT ${encodeSymmetric(claims, secret)}`]];
    },
    // As Atlassian's page has it: the token, its hash of the request, and its end.
    verify: async ({ headers, secret, url }) => {
      const { decodeSymmetric, createQueryStringHash, fromMethodAndUrl } = (await import("atlassian-jwt")).default;
      const [scheme, token] = headers.authorization.split(" ");
      const { qsh, exp } = decodeSymmetric(token, secret, "HS256");
      const { pathname, search } = new URL(url);
      return scheme === "JWT" && qsh === createQueryStringHash(fromMethodAndUrl("post", pathname + search)) && exp * 1000 > Date.now();
    },
    differs: {},
  },
  {
    scheme: "contentful",
    byGate: true,
    sdk: "@contentful/node-apps-toolkit",
    text: true,
    secret: () => randomBytes(32).toString("hex"),
    sign: async ({ secret, text: body, atMs }) => {
      const { signRequest } = await import("@contentful/node-apps-toolkit");
      const headers = { "X-Contentful-Topic": "ContentManagement.Entry.publish", "Content-Type": "application/json" };
      const signed = signRequest(secret, { method: "POST", path: new URL(URL_OF_HOOK).pathname, headers, body }, atMs);
      return [["X-Contentful-Topic", headers["X-Contentful-Topic"]], ...Object.entries(signed)];
    },
    verify: async ({ text: body, headers, secret, method, url }) => {
      const { verifyRequest } = await import("@contentful/node-apps-toolkit");
      return verifyRequest(secret, { method, path: new URL(url).pathname, headers, body }, 30);
    },
    differs: { ...LOSSY, ...FUTURE, ...REPRINTED },
  },
  {
    scheme: "hook0-headers",
    byGate: true,
    sdk: "hook0-client",
    signedBy: "node:crypto",
    secret: text,
    sign: async ({ secret, body, atMs }) => {
      const time = secondsOf(atMs);
      const mac = createHmac("sha256", secret).update(`${time}.x-event-id x-event-type.evt_1.billing.invoice.paid.`).update(body).digest("hex");
      return [["x-event-id", "evt_1"], ["x-event-type", "billing.invoice.paid"], ["X-Hook0-Signature", `t=${time},h=x-event-id x-event-type,v1=${mac}`]];
    },
    verify: async ({ body, headers, secret }) => {
      const { verifyWebhookSignatureWithCurrentTime } = (await import("hook0-client")).default;
      return verifyWebhookSignatureWithCurrentTime(headers["x-hook0-signature"], body, new Headers(headers), secret, 300, new Date());
    },
    differs: { ...CAPITALS, ...TRUNCATED, ...UNBOUNDED, ...REPRINTED, ...LAST_WINS },
  },
  messageSignature("http-message-signature-ed25519", "ed25519", () => {
    const { publicKey, privateKey } = ed25519();
    return { secret: pem(publicKey), key: privateKey };
  }, (secret) => secret),
  messageSignature("http-message-signature-ecdsa", "ecdsa-p256-sha256", () => {
    const { publicKey, privateKey } = p256();
    return { secret: pem(publicKey), key: privateKey };
  }, (secret) => secret),
  messageSignature("http-message-signature-rsa", "rsa-v1_5-sha256", () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    return { secret: pem(publicKey), key: privateKey };
  }, (secret) => secret),
  messageSignature("http-message-signature-hmac", "hmac-sha256", () => {
    const key = randomBytes(48);
    return { secret: key.toString("base64"), key };
  }, (secret) => Buffer.from(secret, "base64")),
];
