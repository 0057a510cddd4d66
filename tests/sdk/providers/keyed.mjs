// Schemes with one shared secret.
import { createHash, randomBytes } from "node:crypto";
import { AGELESS, CAPITALS, DECODED, DOTTED, FIRST_ONLY, FUTURE, LAST_WINS, LENIENT, LOSSY, PARSED, REPRINTED, secondsOf, text, TRUNCATED, UNBOUNDED, URL_OF_HOOK, whsec, ZERO } from "./shared.mjs";

const ONE_ONLY = "the SDK wants exactly one. The gate takes any of several, as in every list of this form";
const EXTENDED = { "a body that is no JSON": "whoever has seen a hash without a key can make one for a longer body. The gate wants JSON, which cannot be made longer" };

/** Those that are Standard Webhooks by another name. */
const standard = (scheme, prefix, sdk, verify, more = {}) => ({
  scheme,
  sdk,
  text: true,
  secret: whsec,
  sign: async ({ secret, text: body, id, atMs }) => {
    const { Webhook } = await import("standardwebhooks");
    const signature = new Webhook(secret).sign(id, new Date(secondsOf(atMs) * 1000), body);
    return [[`${prefix}-id`, id], [`${prefix}-timestamp`, String(secondsOf(atMs))], [`${prefix}-signature`, signature]];
  },
  verify,
  differs: { ...LOSSY, ...REPRINTED, ...UNBOUNDED, ...DOTTED, ...PARSED },
  ...more,
});

export const KEYED = [
  {
    scheme: "stripe",
    sdk: "stripe",
    secret: whsec,
    sign: async ({ secret, text: payload, atMs }) => {
      const { default: Stripe } = await import("stripe");
      return [["Stripe-Signature", Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: secondsOf(atMs) })]];
    },
    verify: async ({ body, headers, secret }) => {
      const { default: Stripe } = await import("stripe");
      Stripe.webhooks.constructEvent(body, headers["stripe-signature"], secret);
    },
    differs: { ...LOSSY, ...FUTURE, ...REPRINTED, ...UNBOUNDED, ...PARSED },
  },
  {
    scheme: "github",
    sdk: "@octokit/webhooks-methods",
    text: true,
    secret: text,
    sign: async ({ secret, text: payload }) => {
      const { sign } = await import("@octokit/webhooks-methods");
      return [["X-Hub-Signature-256", await sign(secret, payload)]];
    },
    verify: async ({ text: payload, headers, secret }) => {
      const { verify } = await import("@octokit/webhooks-methods");
      return verify(secret, payload, headers["x-hub-signature-256"]);
    },
    differs: { ...LOSSY },
  },
  standard("standard-webhooks", "webhook", "standardwebhooks", async ({ text: body, headers, secret }) => {
    const { Webhook } = await import("standardwebhooks");
    new Webhook(secret).verify(body, headers);
  }),
  standard("supabase", "webhook", "standardwebhooks", async ({ text: body, headers, secret }) => {
    const { Webhook } = await import("standardwebhooks");
    new Webhook(secret).verify(body, headers);
  }),
  standard("svix", "svix", "svix", async ({ text: body, headers, secret }) => {
    const { Webhook } = await import("svix");
    new Webhook(secret).verify(body, headers);
  }, {
    sign: async ({ secret, text: body, id, atMs }) => {
      const { Webhook } = await import("svix");
      return [["svix-id", id], ["svix-timestamp", String(secondsOf(atMs))], ["svix-signature", new Webhook(secret).sign(id, new Date(secondsOf(atMs) * 1000), body)]];
    },
    differs: { ...LOSSY, ...REPRINTED, ...UNBOUNDED, ...DOTTED },
  }),
  {
    scheme: "slack",
    sdk: "@slack/bolt",
    text: true,
    secret: text,
    verify: async ({ text: body, headers, secret }) => {
      const { verifySlackRequest } = (await import("@slack/bolt/dist/receivers/verify-request.js")).default;
      // As its receivers call it: the time is a number by then.
      verifySlackRequest({ signingSecret: secret, body, headers: { ...headers, "x-slack-request-timestamp": Number(headers["x-slack-request-timestamp"]) } });
    },
    differs: { ...LOSSY, ...FUTURE, ...ZERO },
  },
  {
    scheme: "shopify",
    source: 'discriminator_values = ["orders/create"]',
    sdk: "@shopify/shopify-api",
    text: true,
    secret: text,
    verify: async ({ text: rawBody, headers, secret, method, url }) => {
      await import("@shopify/shopify-api/adapters/node");
      const { shopifyApi, ApiVersion, LogSeverity } = await import("@shopify/shopify-api");
      const [apiVersion] = Object.values(ApiVersion);
      const shopify = shopifyApi({ apiKey: "key", apiSecretKey: secret, apiVersion, hostName: "gate.example", isEmbeddedApp: false, logger: { level: LogSeverity.Error, log: () => {} } });
      const others = { "x-shopify-topic": "orders/create", "x-shopify-shop-domain": "shop.example", "x-shopify-api-version": "2026-10", "x-shopify-webhook-id": "id" };
      const rawRequest = { method, url: new URL(url).pathname, headers: { ...others, ...headers } };
      return (await shopify.webhooks.validate({ rawBody, rawRequest, rawResponse: {} })).valid;
    },
    differs: { ...LOSSY },
  },
  {
    scheme: "netlify",
    sdk: "jose",
    secret: text,
    sign: async ({ secret, body }) => {
      const { SignJWT } = await import("jose");
      const sha256 = createHash("sha256").update(body).digest("hex");
      return [["X-Webhook-Signature", await new SignJWT({ iss: "netlify", sha256 }).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(Buffer.from(secret))]];
    },
    // As Netlify's page has it: the token's signature, its issuer, and the body's digest in it.
    verify: async ({ body, headers, secret }) => {
      const { jwtVerify } = await import("jose");
      const { payload } = await jwtVerify(headers["x-webhook-signature"], Buffer.from(secret), { issuer: "netlify", algorithms: ["HS256"] });
      return payload.sha256 === createHash("sha256").update(body).digest("hex");
    },
    differs: {},
  },
  // -- keyed MACs of services
  {
    scheme: "adyen-platform",
    sdk: "@adyen/api-library",
    text: true,
    secret: () => randomBytes(32).toString("hex"),
    sign: async ({ secret, text: data }) => {
      const { default: { hmacValidator: Validator } } = await import("@adyen/api-library");
      return [["HmacSignature", new Validator().calculateHmac(data, secret)]];
    },
    verify: async ({ text: data, headers, secret }) => {
      const { default: { hmacValidator: Validator } } = await import("@adyen/api-library");
      return new Validator().validateHMACSignature(secret, headers.hmacsignature, data);
    },
    differs: { ...LOSSY, ...DECODED },
  },
  standard("anthropic", "webhook", "@anthropic-ai/sdk", async ({ text: body, headers, secret }) => {
    const { default: Anthropic } = await import("@anthropic-ai/sdk");
    new Anthropic({ apiKey: "key" }).beta.webhooks.unwrap(body, { headers, key: secret });
  }),
  standard("clerk", "svix", "svix", async ({ text: body, headers, secret }) => {
    const { Webhook } = await import("svix");
    new Webhook(secret).verify(body, headers);
  }, { differs: { ...LOSSY, ...REPRINTED, ...UNBOUNDED, ...DOTTED } }),
  standard("resend", "svix", "resend", async ({ text: payload, headers, secret }) => {
    const { Resend } = await import("resend");
    const named = { id: headers["svix-id"], timestamp: headers["svix-timestamp"], signature: headers["svix-signature"] };
    new Resend("re_key").webhooks.verify({ payload, headers: named, webhookSecret: secret });
  }),
  standard("gitlab-signed", "webhook", "standardwebhooks", async ({ text: body, headers, secret }) => {
    const { Webhook } = await import("standardwebhooks");
    new Webhook(secret).verify(body, headers);
  }),
  standard("openai", "webhook", "openai", async ({ text: body, headers, secret }) => {
    const { default: OpenAI } = await import("openai");
    await new OpenAI({ apiKey: "key" }).webhooks.verifySignature(body, headers, secret);
  }, { differs: { ...LOSSY, ...LENIENT, ...TRUNCATED, ...UNBOUNDED, ...DOTTED } }),
  {
    scheme: "coinbase-cdp",
    sdk: "hook0-client",
    secret: text,
    verify: async ({ body, headers, secret }) => {
      const { verifyWebhookSignatureWithCurrentTime } = (await import("hook0-client")).default;
      return verifyWebhookSignatureWithCurrentTime(headers["x-hook0-signature"], body, new Headers(headers), secret, 300, new Date());
    },
    differs: { ...CAPITALS, ...TRUNCATED, ...LAST_WINS, ...UNBOUNDED, ...REPRINTED },
  },
  {
    scheme: "coinbase-commerce",
    sdk: "coinbase-commerce-node",
    text: true,
    secret: text,
    sign: async ({ secret, text: payload }) => {
      const { default: { Webhook } } = await import("coinbase-commerce-node");
      return [["X-CC-Webhook-Signature", Webhook.computeSignature(payload, secret)]];
    },
    verify: async ({ text: payload, headers, secret }) => {
      const { default: { Webhook } } = await import("coinbase-commerce-node");
      return Webhook.verifySigHeader(payload, headers["x-cc-webhook-signature"], secret);
    },
    differs: { ...LOSSY },
  },
  {
    scheme: "line",
    sdk: "@line/bot-sdk",
    secret: text,
    verify: async ({ body, headers, secret }) => {
      const { validateSignature } = await import("@line/bot-sdk");
      return validateSignature(body, secret, headers["x-line-signature"]);
    },
    differs: { ...DECODED },
  },
  {
    scheme: "linear",
    sdk: "@linear/sdk",
    body: (id, atMs) => JSON.stringify({ action: "create", type: "Issue", createdAt: "2026-11-22T20:00:00.000Z", data: { id, title: "invoice \u{FFFD}" }, webhookTimestamp: atMs }),
    secret: text,
    verify: async ({ body, headers, secret }) => {
      const { LinearWebhookClient } = await import("@linear/sdk/webhooks");
      return new LinearWebhookClient(secret).verify(body, headers["linear-signature"]);
    },
    differs: {},
  },
  {
    scheme: "mux",
    sdk: "@mux/mux-node",
    text: true,
    secret: text,
    verify: async ({ text: body, headers, secret }) => {
      const { default: Mux } = await import("@mux/mux-node");
      await new Mux({ tokenId: "id", tokenSecret: "secret", webhookSecret: secret }).webhooks.verifySignature(body, headers, secret);
    },
    differs: { ...LOSSY, ...FUTURE, ...REPRINTED, ...UNBOUNDED },
  },
  {
    scheme: "paddle",
    sdk: "@paddle/paddle-node-sdk",
    text: true,
    secret: () => `pdl_ntfset_${text()}`,
    verify: async ({ text: body, headers, secret }) => {
      const { Paddle, LogLevel } = await import("@paddle/paddle-node-sdk");
      return new Paddle("key", { logLevel: LogLevel.none }).webhooks.isSignatureValid(body, secret, headers["paddle-signature"]);
    },
    differs: { ...LOSSY, ...FUTURE, ...REPRINTED, ...UNBOUNDED, ...LAST_WINS },
  },
  {
    scheme: "razorpay",
    sdk: "razorpay",
    text: true,
    secret: text,
    verify: async ({ text: body, headers, secret }) => {
      const { default: Razorpay } = await import("razorpay");
      return Razorpay.validateWebhookSignature(body, headers["x-razorpay-signature"], secret);
    },
    differs: { ...LOSSY },
  },
  {
    scheme: "viber",
    sdk: "viber-bot",
    secret: text,
    verify: async ({ body, headers, secret }) => {
      const { default: Validator } = await import("viber-bot/lib/message/message-validator.js");
      return new Validator({ debug: () => {} }, secret).validateMessage(headers["x-viber-content-signature"], body);
    },
    differs: {},
  },
  {
    scheme: "workos",
    sdk: "@workos-inc/node",
    text: true,
    secret: text,
    sign: async ({ secret, text: payload, atMs }) => {
      const { WorkOS } = await import("@workos-inc/node");
      const signature = await new WorkOS("key").webhooks.computeSignature(atMs, payload, secret);
      return [["WorkOS-Signature", `t=${atMs}, v1=${signature}`]];
    },
    verify: async ({ text: payload, headers, secret }) => {
      const { WorkOS } = await import("@workos-inc/node");
      return new WorkOS("key").webhooks.verifyHeader({ payload, sigHeader: headers["workos-signature"], secret });
    },
    differs: { 
      ...LOSSY,
      ...FIRST_ONLY,
      ...FUTURE,
      "the right signature under another version": "the SDK takes the second item of the list, whatever it is called. The gate takes `v1`, and ignores a version that it does not know",
     },
  },
  {
    scheme: "sanity",
    sdk: "@sanity/webhook",
    text: true,
    secret: text,
    sign: async ({ secret, text: body, atMs }) => {
      const { encodeSignatureHeader } = await import("@sanity/webhook");
      return [["sanity-webhook-signature", await encodeSignatureHeader(body, atMs, secret)]];
    },
    verify: async ({ text: body, headers, secret }) => {
      const { isValidSignature } = await import("@sanity/webhook");
      return isValidSignature(body, headers["sanity-webhook-signature"], secret);
    },
    differs: { 
      ...LOSSY,
      ...AGELESS,
      "the signature twice": ONE_ONLY,
      "a wrong signature before the right one": ONE_ONLY,
      "a wrong signature behind the right one": ONE_ONLY,
     },
  },
  {
    scheme: "box",
    sdk: "box-node-sdk",
    text: true,
    secret: text,
    verify: async ({ text: body, headers, secret }) => {
      const { WebhooksManager } = await import("box-node-sdk/managers/webhooks");
      const fixed = { "box-signature-version": "1", "box-signature-algorithm": "HmacSHA256" };
      return WebhooksManager.validateMessage(body, { ...fixed, ...headers }, secret, { secondaryKey: secret });
    },
    differs: { ...LOSSY, ...DECODED },
  },
  {
    scheme: "square",
    sdk: "square",
    text: true,
    secret: text,
    source: 'pins = { url = "https://gate.example/hooks/vector" }',
    verify: async ({ text: requestBody, headers, secret, url }) => {
      const { default: { WebhooksHelper } } = await import("square");
      return WebhooksHelper.verifySignature({ requestBody, signatureHeader: headers["x-square-hmacsha256-signature"], signatureKey: secret, notificationUrl: url });
    },
    differs: { ...LOSSY },
  },
  ...["v1", "v2", "v3"].map((version) => ({
    scheme: `hubspot-${version}`,
    sdk: "@hubspot/api-client",
    text: true,
    secret: text,
    source: version === "v1" ? "" : 'pins = { url = "https://gate.example/hooks/vector" }',
    sign: async ({ secret, text: requestBody, atMs }) => {
      const { default: { Signature } } = await import("@hubspot/api-client");
      const signature = Signature.getSignature("POST", version, { clientSecret: secret, requestBody, url: URL_OF_HOOK, timestamp: atMs });
      return version === "v3" ? [["X-HubSpot-Signature-v3", signature], ["X-HubSpot-Request-Timestamp", String(atMs)]] : [["X-HubSpot-Signature", signature]];
    },
    verify: async ({ text: requestBody, headers, secret, method, url }) => {
      const { default: { Signature } } = await import("@hubspot/api-client");
      const signature = headers[version === "v3" ? "x-hubspot-signature-v3" : "x-hubspot-signature"];
      const timestamp = version === "v3" ? Number(headers["x-hubspot-request-timestamp"]) : undefined;
      return Signature.isValid({ signatureVersion: version, signature, clientSecret: secret, requestBody, url, method, timestamp });
    },
    differs: { ...LOSSY, ...(version === "v3" ? { ...FUTURE, ...ZERO } : EXTENDED) },
  })),
  // No provider's own, but written by others than us.
  ...[["lemonsqueezy", "lemonsqueezy"], ["woocommerce", "woocommerce"], ["sentry", "sentry"]].map(([scheme, platform]) => ({
    scheme,
    sdk: "@hookflo/tern",
    source: scheme === "woocommerce" ? 'discriminator_values = ["orders/create"]' : "",
    secret: text,
    verify: async ({ body, headers, secret, method, url }) => {
      const { default: { WebhookVerificationService: Service } } = await import("@hookflo/tern");
      const request = new Request(url, { method, headers, body });
      return (await Service.verifyWithPlatformConfig(request, platform, secret)).isValid;
    },
    differs: { ...LOSSY },
  })),
  // -- with a handshake
  {
    scheme: "notion",
    sdk: "@notionhq/client",
    secret: () => `secret_${text()}`,
    sign: async ({ secret, body }) => {
      const { signWebhookPayload } = await import("@notionhq/client");
      return [["X-Notion-Signature", await signWebhookPayload({ body, verificationToken: secret })]];
    },
    verify: async ({ body, headers, secret }) => {
      const { verifyWebhookSignature } = await import("@notionhq/client");
      return verifyWebhookSignature({ body, signature: headers["x-notion-signature"], verificationToken: secret });
    },
    differs: { ...CAPITALS },
  },
];
