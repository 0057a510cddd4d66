// What the gate and its hand-written rival are both asked: requests good and bad, and bindings that fail.
import { VERDICTS, DUPLICATE } from "./requests.mjs";
import { freshId, sign } from "../../e2e/support/sign.mjs";
import { sleep } from "../../e2e/support/wait.mjs";

const SCHEME = "standard-webhooks";
const SECRETS = {
  standard: "STANDARD_SECRET",
  "standard-ledger": "STANDARD_LEDGER_SECRET",
  "standard-observed": "STANDARD_OBSERVED_SECRET",
  "standard-rotating": "STANDARD_ROTATING_SECRET",
};

/** A good request; `change` gets it and gives another one. */
const good =
  (
    change = (made) => made,
    { source = "standard", body = '{"type":"order.paid","data":{"n":1}}', secret = SECRETS[source], secondsAgo = 0, ...how } = {},
  ) =>
  (texts) =>
    change(sign(source, SCHEME, texts[secret], body, { id: freshId(), at: Date.now() - secondsAgo * 1_000, ...how }));

/** The same early in a second: what is stamped in whole seconds is then still of that age when it arrives. */
const early = (make) => async (texts) => {
  if (Date.now() % 1_000 > 500) await sleep(1_000 - (Date.now() % 1_000));
  return make(texts);
};

const replaced = (name, value) => (made) => ({
  ...made,
  headers: made.headers.flatMap((pair) => (pair[0] !== name ? [pair] : value === undefined ? [] : [[name, value(pair[1])]])),
});
const added =
  (...pairs) =>
  (made) => ({ ...made, headers: [...made.headers, ...pairs] });
const target = (path) => (made) => ({ ...made, target: path });
const method = (name) => (made) => ({ ...made, method: name, body: "" });

const named = (group, cases) => Object.entries(cases).map(([name, make]) => ({ name: `${group}: ${name}`, make }));
const mac = (text) => text.slice(3);
const other = (tag) => (tag[0] === "A" ? "B" : "A") + tag.slice(1);
const many = (count) => (text) => [...Array(count).fill(`v1,${other(mac(text))}`), text].join(" ");

const BODIES = {
  "no type": '{"a":1}',
  "an empty type": '{"type":""}',
  "a null type": '{"type":null}',
  "a nested type": '{"a":{"type":"inner"},"type":"outer"}',
  "two types": '{"type":"first","type":"second"}',
  "an array": '["type"]',
  "a string": '"type"',
  "a number for a type": '{"type":42}',
  "a negative number for a type": '{"type":-7}',
  "a large number for a type": '{"type":12345678901234567890,"a":{"type":1}}',
  "a number beyond 64 bits for a type": '{"type":18446744073709551616}',
  "the least number for a type": '{"type":-9223372036854775808}',
  "minus nought for a type": '{"type":-0}',
  "a fraction for a type": '{"type":1.0}',
  "an escaped type": '{"\\u0074ype":"a\\u00e9\\n\\"\\\\/b"}',
  "a type with control characters": '{"type":"a\\u0000\\u007f\\u0085b"}',
  "a long type": JSON.stringify({ type: "x".repeat(300) }),
  "a long type of wide characters": JSON.stringify({ type: "測試😀".repeat(60) }),
  "no JSON": "type=order.paid",
  "broken JSON": '{"type":"order.paid"',
  "a byte order mark": '\ufeff{"type":"order.paid"}',
  "white space": ' \n{ "type" : "order.paid" }\n ',
  empty: "",
  bytes: Buffer.from([0, 255, 254, 195, 40, 0]),
  "invalid UTF-8 in JSON": Buffer.concat([Buffer.from('{"type":"'), Buffer.from([255]), Buffer.from('"}')]),
  "as large as may be": Buffer.alloc(92_832, "x"),
};

const KEYS = {
  "the older key": good(undefined, { source: "standard-rotating", secret: "STANDARD_ROTATING_SECRET_OLD" }),
  "the newer key": good(undefined, { source: "standard-rotating" }),
  "another source's key": good(undefined, { source: "standard-rotating", secret: "STANDARD_SECRET" }),
};

const SIGNATURES = {
  missing: good(replaced("webhook-signature")),
  empty: good(replaced("webhook-signature", () => "")),
  forged: good(replaced("webhook-signature", (text) => `v1,${other(mac(text))}`)),
  "over other bytes": good((made) => ({ ...made, body: `${made.body} ` })),
  "one of two": good(replaced("webhook-signature", many(1))),
  "one of sixteen": good(replaced("webhook-signature", many(15))),
  "one of seventeen": good(replaced("webhook-signature", many(16))),
  "with another version": good(replaced("webhook-signature", (text) => `v1a,abc ${text} v2,`)),
  "only another version": good(replaced("webhook-signature", (text) => `v2${text.slice(2)}`)),
  "without a version": good(replaced("webhook-signature", mac)),
  "with spaces": good(replaced("webhook-signature", (text) => `${text}  v1,`)),
  repeated: good((made) => added(["webhook-signature", made.headers.find(([name]) => name === "webhook-signature")[1]])(made)),
  "not base64": good(replaced("webhook-signature", () => "v1,****")),
  "without padding": good(replaced("webhook-signature", (text) => text.replace("=", ""))),
  "with too much padding": good(replaced("webhook-signature", (text) => `${text}=`)),
  "with stray bits": good(replaced("webhook-signature", () => `v1,${"A".repeat(42)}B=`)),
  "with a tab inside": good(replaced("webhook-signature", (text) => `${text.slice(0, 9)}\t${text.slice(9)}`)),
  "of another length": good(replaced("webhook-signature", () => "v1,AAAA")),
  "none, beside one of another length": good(replaced("webhook-signature", () => "v1,AAAA v1,*")),
  "good, beside one that is none": good(replaced("webhook-signature", (text) => `v1,* ${text}`)),
};

const TIMES = {
  missing: good(replaced("webhook-timestamp")),
  ...Object.fromEntries(
    ["", "0", "01", "+1700000000", "1e9", "1700000000.5", "99999999999", "999999999999", "-5"].map((text) => [
      `"${text}"`,
      good(replaced("webhook-timestamp", () => text)),
    ]),
  ),
  "signed as nought": good(undefined, { at: 0 }),
  "at the end of the tolerance": early(good(undefined, { secondsAgo: 300 })),
  "past the tolerance": early(good(undefined, { secondsAgo: 301 })),
  "an hour old": good(undefined, { secondsAgo: 3_600 }),
  "as far ahead as may be": early(good(undefined, { secondsAgo: -300 })),
  "too far ahead": early(good(undefined, { secondsAgo: -301 })),
};

const IDS = {
  missing: good(replaced("webhook-id")),
  empty: good(replaced("webhook-id", () => "")),
  "with a dot": good(undefined, { id: "evt.1" }),
  long: good(undefined, { id: "i".repeat(300) }),
  "with spaces and quotes": good(undefined, { id: 'a "b" \\c' }),
  changed: good(replaced("webhook-id", (text) => `${text}x`)),
};

const HEADS = {
  GET: good(method("GET")),
  HEAD: good(method("HEAD")),
  PUT: good(method("PUT")),
  DELETE: good(method("DELETE")),
  "no source": good(target("/hooks/")),
  "no path": good(target("/")),
  "another path": good(target("/hook/standard")),
  "a longer path": good(target("/hooks/standard/")),
  "an escaped path": good(target("/hooks/standar%64")),
  "a doubled slash": good(target("//hooks/standard")),
  "dots in the path": good(target("/hooks/x/../standard")),
  "a query": good(target("/hooks/standard?a=/hooks/nobody")),
  "a question mark": good(target("/hooks/standard?")),
  "a trace": good(added(["traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"])),
  "a trace of a later version": good(added(["traceparent", "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x"])),
  "a broken trace": good(added(["traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x"])),
  "an empty trace": good(added(["traceparent", `00-${"0".repeat(32)}-00f067aa0ba902b7-01`])),
  "a ray and carried headers": good(
    added(
      ["cf-ray", "8f2c-DUB"],
      ["user-agent", 'A "b"'],
      ["webhook-extra", "é"],
      ["content-encoding", "identity"],
      ["x-other", "1"],
    ),
  ),
  "no content type": good(replaced("content-type")),
  "a long content type": good(replaced("content-type", () => `text/plain; x="${"y".repeat(1_200)}"`)),
  "more headers than fit": good(
    added(...Array.from({ length: 12 }, (_, index) => [`webhook-more-${index}`, '"'.repeat(600 + 10 * index)]), [
      "user-agent",
      "x",
    ]),
  ),
  "headers that just fit": good(added(...Array.from({ length: 6 }, (_, index) => [`webhook-more-${index}`, '"'.repeat(600)]))),
  "large headers beside a long body": good(added(["webhook-more", "z".repeat(4_000)], ["user-agent", "u".repeat(3_000)]), {
    body: Buffer.alloc(60_000, "x"),
  }),
  chunks: good(({ body, ...made }) => ({ ...made, chunks: [body.slice(0, 9), body.slice(9)] })),
  "chunks beyond the limit": good(({ body, ...made }) => ({ ...made, chunks: Array(12).fill(Buffer.alloc(10_000, "x")) })),
  "a declared length beyond the limit": good(undefined, { body: Buffer.alloc(92_833, "x") }),
};

const observed = { source: "standard-observed" };

export const CASES = [
  ...named("body", Object.fromEntries(Object.entries(BODIES).map(([name, body]) => [name, good(undefined, { body })]))),
  ...named("key", KEYS),
  ...named("signature", SIGNATURES),
  ...named("time", TIMES),
  ...named("id", IDS),
  ...named("head", HEADS),
  ...named("observed", {
    good: good(undefined, observed),
    forged: good((made) => ({ ...made, body: `${made.body} ` }), observed),
    stale: good(undefined, { ...observed, secondsAgo: 400 }),
  }),
];

const ledger = { source: "standard-ledger" };
const effects = (...names) => ({ failing: names });
const fault = (name, stubs, how) => ({ name: `bindings: ${name}`, stubs, make: good(undefined, how) });

export const FAULTS = [
  fault("seen before", VERDICTS.duplicate.stubs),
  fault("seen before, and damaged", { seen: "x" }),
  fault("seen before, and empty", { seen: "" }),
  fault("seen before, and forgotten", { ...VERDICTS.duplicate.stubs, reply: '{"reply":"revived","run":1}' }),
  fault("seen before, and no ledger", { ...VERDICTS.duplicate.stubs, ...effects("LEDGER.ask") }),
  fault("KV does not answer", effects("SEEN.get")),
  fault("KV takes nothing", effects("SEEN.put")),
  fault("KV is slow", { delays: { "SEEN.get": 600 } }),
  fault("no queue", effects("EVENTS.send")),
  fault("no queue, and the ledger has it", { ...effects("EVENTS.send"), reply: DUPLICATE }),
  // The send that was given up succeeds after the answer, and is remembered then.
  { ...fault("the queue is slow", { delays: { "EVENTS.send": 2_500 } }), lastly: { "SEEN.put": 2 } },
  fault("no queue and no ledger", effects("EVENTS.send", "LEDGER.ask")),
  fault("no hold at all", effects("EVENTS.send", "LEDGER.ask", "ARCHIVE.put")),
  fault("the ledger's road: new", {}, ledger),
  fault("the ledger's road: duplicate", { reply: DUPLICATE }, ledger),
  fault("the ledger's road: revived", { reply: '{"reply":"revived","run":1}' }, ledger),
  fault("the ledger's road: an unknown reply", { reply: '{"reply":"settled"}' }, ledger),
  fault("the ledger's road: no ledger", effects("LEDGER.ask"), ledger),
  fault(
    "the ledger's road: no ledger, and seen before",
    { ...effects("LEDGER.ask"), seen: VERDICTS.duplicate.stubs.seen },
    ledger,
  ),
  fault("the ledger's road: no ledger and no queue", effects("LEDGER.ask", "EVENTS.send"), ledger),
  fault("the ledger's road: no hold at all", effects("LEDGER.ask", "EVENTS.send", "ARCHIVE.put"), ledger),
  { name: "secrets: the only one is missing", of: "lacking", make: good() },
  { name: "secrets: one is unusable, and the other one signed", of: "lacking", make: KEYS["the newer key"] },
  { name: "secrets: one is unusable, and may have signed", of: "lacking", make: KEYS["the older key"] },
];
