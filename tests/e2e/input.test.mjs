// Bad input: a clear verdict, never a 500, never an accept. The expected answer stands beside each.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { startGate } from "./support/gate.mjs";
import { exchangeBytes } from "./support/http.mjs";
import { freshId, shopEvent, sign } from "./support/sign.mjs";
import { until } from "./support/wait.mjs";

let gate;
before(async () => (gate = await startGate()));
after(() => gate.stop());

const now = () => String(Math.floor(Date.now() / 1000));
const HEX = "ab".repeat(32);
const BASE64 = Buffer.alloc(32, 7).toString("base64");

/** Sends it and expects this end; then that nothing was held, delivered or answered by the platform. */
async function refused(request, status, reason, evidence) {
  const what = `${request.target} ${JSON.stringify(request.headers)?.slice(0, 300)}`;
  const answer = await gate.send(request);
  assert.equal(answer.status, status, `${what}: ${answer.text}`);
  const line = await gate.verdict(answer);
  assert.deepEqual([line.verdict, line.reason, line.evidence], ["refused", reason, evidence], what);
  assert.equal(line.dedup_key, undefined);
}

after(() => {
  // A body that cannot be read to its end may be our trouble too, and is the one 503 here.
  const taken = gate.lines({ event: "verdict", verdict: "unavailable" }).filter(({ reason }) => reason !== "body_unread");
  assert.deepEqual(taken, [], "some input made the gate fail");
  // Nobody keeps the checkpoints of what is recorded here.
  assert.deepEqual(gate.lines({ event: "alarm" }).filter(({ what }) => what !== "log_failed"), []);
  // workerd says so of an alarm that is some milliseconds late, on a busy machine.
  const isOverdue = ({ message }) => message.startsWith("NOSENTRY SQLite alarm overdue");
  const errors = gate.logs.filter((line) => (line.level === "error" || line.level === "warn") && !isOverdue(line));
  assert.deepEqual(errors, []);
});

describe("signatures", () => {
  const github = (...values) => ({ target: "/hooks/github", headers: values.map((value) => ["x-hub-signature-256", value]), body: "{}" });
  const standard = (signature) => ({
    target: "/hooks/standard-webhooks",
    headers: [["webhook-id", "msg_1"], ["webhook-timestamp", now()], ["webhook-signature", signature]],
    body: "{}",
  });
  const stripe = (...values) => ({ target: "/hooks/stripe", headers: values.map((value) => ["stripe-signature", value]), body: "{}" });

  for (const [name, request, status, reason, evidence] of [
    ["none", github(), 401, "missing_signature"],
    ["empty", github(""), 400, "malformed_signature", "empty"],
    ["without its prefix", github(HEX), 400, "malformed_signature", "no_prefix"],
    ["under another prefix", github(`sha1=${HEX}`), 400, "malformed_signature", "no_prefix"],
    ["of the right form and wrong", github(`sha256=${HEX}`), 401, "signature_mismatch"],
    ["in upper-case hex", github(`sha256=${HEX.toUpperCase()}`), 400, "malformed_signature", "not_hex"],
    ["no hex", github(`sha256=${"zz".repeat(32)}`), 400, "malformed_signature", "not_hex"],
    ["an odd number of digits", github(`sha256=${HEX.slice(1)}`), 400, "malformed_signature", "not_hex"],
    ["too short", github(`sha256=${HEX.slice(2)}`), 400, "malformed_signature", "wrong_length"],
    ["too long", github(`sha256=${HEX}ab`), 400, "malformed_signature", "wrong_length"],
    ["twice", github(`sha256=${HEX}`, `sha256=${HEX}`), 400, "malformed_signature", "repeated"],
    ["twice, one of them empty", github("", `sha256=${HEX}`), 400, "malformed_signature", "repeated"],
    ["base64 without padding", standard(`v1,${BASE64.replace("=", "")}`), 400, "malformed_signature", "not_base64"],
    ["base64 with too much padding", standard(`v1,${BASE64}=`), 400, "malformed_signature", "not_base64"],
    ["base64 with stray bits", standard(`v1,${BASE64.replace("c=", "d=")}`), 400, "malformed_signature", "not_base64"],
    ["base64 of the other alphabet", standard(`v1,${"_".repeat(43)}=`), 400, "malformed_signature", "not_base64"],
    ["base64 of 31 bytes", standard(`v1,${Buffer.alloc(31).toString("base64")}`), 400, "malformed_signature", "wrong_length"],
    ["of an unknown version only", standard(`v9,${BASE64}`), 400, "malformed_signature", "no_known_version"],
    ["a list of seventeen", standard(Array(17).fill(`v1,${BASE64}`).join(" ")), 400, "malformed_signature", "too_many"],
    ["a list of sixteen wrong ones", standard(Array(16).fill(`v1,${BASE64}`).join(" ")), 401, "signature_mismatch"],
    ["stripe without a time", stripe(`v1=${HEX}`), 401, "missing_time"],
    ["stripe with two times", stripe(`t=${now()},t=${now()},v1=${HEX}`), 400, "malformed_time", "repeated"],
    ["two stripe headers", stripe(`t=${now()},v1=${HEX}`, `t=${now()},v1=${HEX}`), 400, "malformed_time", "repeated"],
    ["stripe of an old version only", stripe(`t=${now()},v0=${HEX}`), 400, "malformed_signature", "no_known_version"],
    ["100 kB long", github(`sha256=${"ab".repeat(50_000)}`), 400, "malformed_signature", "wrong_length"],
  ]) {
    test(name, () => refused(request, status, reason, evidence));
  }

  test("of no text at all (bytes that are not UTF-8)", async () => {
    const head = "POST /hooks/github HTTP/1.1\r\nhost: gate\r\nconnection: close\r\ncontent-length: 2\r\nx-hub-signature-256: sha256=";
    const answer = await exchangeBytes(gate.url, Buffer.concat([Buffer.from(head), Buffer.from([0xff, 0xfe, 0x80]), Buffer.from("\r\n\r\n{}")]));
    assert.equal(answer.status, 400);
    assert.equal((await gate.verdict(answer)).reason, "malformed_signature");
  });
});

describe("times and ids", () => {
  const at = (...times) => ({
    target: "/hooks/custom",
    headers: [...times.map((time) => ["x-shop-timestamp", time]), ["x-shop-signature", `sha256=${HEX}`]],
    body: "{}",
  });
  for (const time of ["+1700000000", "1.7e9", "-1", "0x10", "17000000000000000000", "99999999999999999999", "01700000000", "1700000000.0", "1_700_000_000", "", "now", Buffer.from("１７００００００００").toString("latin1"), "-9223372036854775808", "NaN"]) {
    test(`a time of ${JSON.stringify(time)}`, () => refused(at(time), 400, "malformed_time", "not_a_time"));
  }
  test("two times", () => refused(at(now(), now()), 400, "malformed_time", "not_a_time"));
  test("no time", () => refused(at(), 401, "missing_time"));

  const message = (...headers) => ({ target: "/hooks/standard-webhooks", headers: [["webhook-timestamp", now()], ["webhook-signature", `v1,${BASE64}`], ...headers], body: "{}" });
  test("no id", () => refused(message(), 401, "missing_signed_part"));
  test("an empty id", () => refused(message(["webhook-id", ""]), 400, "malformed_signed_part", "empty"));
  test("an id with the delimiter", () => refused(message(["webhook-id", "a.b"]), 400, "malformed_signed_part", "contains_delimiter"));
});

describe("queries and canonical bodies", () => {
  // KooGallery is told everything over 200; 000001 and 000002 are its words for 401 and 400.
  async function refusedOver200(request, code, reason, evidence) {
    const answer = await gate.send(request);
    assert.deepEqual([answer.status, answer.json.resultCode], [200, code], request.target);
    const line = await gate.verdict(answer);
    assert.deepEqual([line.verdict, line.reason, line.evidence], ["refused", reason, evidence], request.target);
  }
  const v2 = (body, query = {}) => {
    const all = { signature: HEX, timestamp: String(Date.now()), nonce: "n", ...query };
    const text = Object.entries(all).map(([name, value]) => `${name}=${value}`).join("&");
    return { target: `/hooks/koogallery?${text}`, body };
  };
  for (const [name, request, code, reason, evidence] of [
    ["a broken percent sign", v2("{}", { nonce: "%zz" }), "000001", "malformed_signature", "undecodable"],
    ["a percent sign at the end", v2("{}", { nonce: "%" }), "000001", "malformed_signature", "undecodable"],
    ["bytes that are not UTF-8", v2("{}", { nonce: "%FF" }), "000001", "malformed_signature", "undecodable"],
    ["a repeated signature", { ...v2("{}"), target: `${v2("{}").target}&signature=${HEX}` }, "000001", "malformed_signature", "repeated"],
    ["a repeated nonce", { ...v2("{}"), target: `${v2("{}").target}&nonce=m` }, "000002", "malformed_signed_part", "repeated"],
    ["an empty nonce", v2("{}", { nonce: "" }), "000002", "malformed_signed_part", "empty"],
    ["a time in seconds", v2("{}", { timestamp: now() }), "000002", "malformed_time", "not_a_time"],
    ["an empty body", v2(""), "000002", "malformed_signed_part", "not_a_json_object"],
    ["a list as body", v2("[]"), "000002", "malformed_signed_part", "not_a_json_object"],
    ["a byte order mark", v2("\uFEFF{}"), "000002", "malformed_signed_part", "not_a_json_object"],
    ["a body that is not UTF-8", v2(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), "000002", "malformed_signed_part", "not_a_json_object"],
    ["a name twice", v2('{"a":1,"a":2}'), "000002", "malformed_signed_part", "repeated_name"],
    ["a name twice, once escaped", v2('{"a":1,"\\u0061":2}'), "000002", "malformed_signed_part", "repeated_name"],
    ["deep nesting", v2(`{"a":${"[".repeat(40_000)}${"]".repeat(40_000)}}`), "000002", "malformed_signed_part"],
    ["a signature over something else", v2("{}"), "000001", "signature_mismatch"],
  ]) {
    test(name, async () => {
      if (name !== "deep nesting") return refusedOver200(request, code, reason, evidence);
      const answer = await gate.send(request);
      assert.equal(answer.json.resultCode, code);
      return assert.equal((await gate.verdict(answer)).reason, reason);
    });
  }
});

describe("paths", () => {
  // Each is rightly signed for `custom`, so that only the path can keep it out.
  for (const target of [
    "/hooks/", "/hooks", "//hooks/custom", "/hooks//custom", "/hooks/custom/", "/hooks/custom/x", "/hooks/Custom", "/HOOKS/custom",
    "/hooks/custom%2F", "/hooks/%2Fcustom", "/hooks%2Fcustom", "/hooks/custom%00", "/hooks/%00", "/hooks/%63ustom", "/hooks/custom;v=1", "/hooks/custom%3Fx",
    "/hooks/%2e%2e/custom", "/hooks/../custom", "/hooks/..%2fadmin/v1/dead-letters", "/hooks/__proto__", "/hooks/constructor", "/hooks/%", "/hooks/custom%20", "/hooks/ü",
    `/hooks/${"a".repeat(10_000)}`, `/hooks/${"%2e".repeat(3_000)}`, `/${"hooks/".repeat(1_500)}custom`,
  ]) {
    test(target.slice(0, 40), async () => {
      const event = shopEvent(gate);
      const answer = await exchangeBytes(gate.url, bytesOf({ ...event, target }));
      assert.equal(answer.status, 404, answer.text);
    });
  }

  test("traversal to the operator's door finds it locked", async () => {
    for (const target of ["/hooks/../admin/v1/dead-letters", "/hooks/%2e%2e/admin/v1/dead-letters", "/admin/v1/../v1/dead-letters", "/admin/v1/", "/admin/none"]) {
      const answer = await exchangeBytes(gate.url, bytesOf({ ...shopEvent(gate), method: "GET", target, body: "" }));
      assert.equal(answer.status, 401, target);
    }
  });

  test("what is no request line is nobody's request", async () => {
    const event = shopEvent(gate);
    const { body } = event;
    for (const line of ["POST /hooks/custom\0 HTTP/1.1", "POST /hooks/cus tom HTTP/1.1", "POST HTTP/1.1", "POST hooks/custom HTTP/1.1", "PO ST /hooks/custom HTTP/1.1", "\u0016\u0003\u0001", "POST /hooks/custom HTTP/9.9"]) {
      const bytes = bytesOf(event).toString().replace("POST /hooks/custom HTTP/1.1", line);
      const answer = await exchangeBytes(gate.url, Buffer.from(bytes));
      assert.ok(!(answer.status >= 500) && answer.json?.status !== "accepted", `${JSON.stringify(line)}: ${answer.status} ${answer.text}`);
    }
    assert.ok(body.length > 0);
  });

  function bytesOf({ method = "POST", target, headers, body }) {
    const lines = [`${method} ${target} HTTP/1.1`, "host: gate.example", "connection: close", `content-length: ${Buffer.byteLength(body)}`];
    return Buffer.from([...lines, ...headers.map(([name, value]) => `${name}: ${value}`), "", body].join("\r\n"));
  }
});

describe("bodies", () => {
  const secret = () => gate.secrets.GITHUB_SECRET;
  const ODD = [
    ["empty", Buffer.alloc(0)],
    ["binary", randomBytes(3_000)],
    ["only zeros", Buffer.alloc(1_000)],
    ["a byte order mark", Buffer.from(`\uFEFF{"id":"bom"}`)],
    ["not UTF-8", Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
    ["lone surrogates", Buffer.from('{"id":"\\ud800"}')],
    ["deep nesting", Buffer.from("[".repeat(45_000) + "]".repeat(45_000))],
    ["a number beyond every number", Buffer.from('{"id":1e99999}')],
    ["an id that is an object", Buffer.from('{"id":{"$ne":null},"event":["a"]}')],
  ];
  for (const [name, body] of ODD) {
    test(`${name}: unsigned refused, signed delivered byte for byte`, async () => {
      await refused({ target: "/hooks/github", headers: [["x-hub-signature-256", `sha256=${HEX}`]], body }, 401, "signature_mismatch");
      const id = freshId();
      const answer = await gate.send(sign("github", "github", secret(), body, { id }));
      assert.equal(answer.json?.status, "accepted", answer.text);
      assert.deepEqual((await gate.backend.wait(id))[0].body, body);
      const custom = await gate.send(sign("custom", "my-shop", gate.secrets.CUSTOM_SECRET, body));
      assert.equal(custom.json?.status, "accepted", "an event without a usable id is known by its digest");
      assert.equal((await gate.verdict(custom)).identity, "digest");
    });
  }

  test("ids that would break a header line are made harmless", async () => {
    const id = `${freshId()}\r\nx-injected: 1\u0000é😀${"x".repeat(500)}`;
    const event = shopEvent(gate, "custom", { id });
    const answer = await gate.send(event);
    assert.equal(answer.json?.status, "accepted");
    const { event_id: label } = await gate.verdict(answer);
    assert.ok(label.length <= 200 && !/[\r\n\0]/.test(label));
    const delivery = await until(() => gate.backend.deliveries.find(({ headers }) => headers["hookgate-request-id"] === answer.requestId), "its delivery");
    assert.equal(delivery.headers["x-injected"], undefined);
    assert.match(delivery.headers["hookgate-event-id"], /^[ -~]+$/);
    assert.equal(delivery.body.toString(), event.body);
  });

  test("a body that breaks off is not admitted", async () => {
    const { headers, body } = shopEvent(gate);
    const common = ["POST /hooks/custom HTTP/1.1", "host: gate", ...headers.map(([name, value]) => `${name}: ${value}`)];
    const before = gate.lines({ verdict: "accepted" }).length;
    for (const tail of [`content-length: ${body.length + 10}\r\n\r\n${body}`, `transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n`, `transfer-encoding: chunked\r\n\r\nzz\r\n${body}\r\n0\r\n\r\n`]) {
      const answer = await halfSent(`${common.join("\r\n")}\r\n${tail}`);
      assert.ok(!answer.includes("accepted") && !/^HTTP\/1.1 50[0-2]/.test(answer), answer);
    }
    assert.equal(gate.lines({ verdict: "accepted" }).length, before);
  });

  test("two readings of a length are refused by the platform or the gate", async () => {
    const { headers, body } = shopEvent(gate);
    const common = ["POST /hooks/custom HTTP/1.1", "host: gate", "connection: close", ...headers.map(([name, value]) => `${name}: ${value}`)];
    for (const lengths of [["content-length: 5", `content-length: ${body.length}`], ["content-length: -1"], ["content-length: +5"], ["content-length: 1e9"], ["content-length: 99999999999999999999"], ["content-length: 5", "transfer-encoding: chunked"]]) {
      const answer = await halfSent([...common, ...lengths, "", body].join("\r\n"));
      assert.ok(!answer.includes("accepted") && !/^HTTP\/1.1 50[0-2]/.test(answer), `${lengths}: ${answer}`);
    }
  });

  /** Sends and says that no more will come; what comes back until the other side closes. */
  async function halfSent(text) {
    const { connect } = await import("node:net");
    const url = new URL(gate.url);
    return new Promise((resolve) => {
      const socket = connect({ port: Number(url.port), host: url.hostname, allowHalfOpen: true });
      let answer = "";
      socket.on("data", (part) => (answer += part));
      socket.on("error", () => {});
      socket.on("end", () => socket.destroy());
      socket.on("close", () => resolve(answer));
      socket.setTimeout(1_000, () => socket.destroy());
      socket.end(text);
    });
  }
});

describe("headers", () => {
  test("100 kB of one header", async () => {
    const big = ["x-shop-note", "n".repeat(100_000)];
    const unsigned = await gate.send({ target: "/hooks/custom", headers: [big], body: "{}" });
    assert.equal(unsigned.status, 401);
    const event = shopEvent(gate, "custom", { headers: [big] });
    const answer = await gate.send(event);
    assert.equal(answer.json?.status, "accepted", "a genuine event is not lost for a header");
    const [{ headers }] = await gate.backend.wait(event.id);
    assert.equal(headers["x-shop-note"], undefined);
    assert.equal(headers["x-shop-timestamp"].length, 10);
  });

  test("a thousand headers, and values beyond ASCII", async () => {
    const many = Array.from({ length: 1_000 }, (_, index) => [`x-shop-${index}`, "v"]);
    const event = shopEvent(gate, "custom", { headers: [...many, ["x-shop-latin", "\u00e9\u00ff"]] });
    assert.equal((await gate.send(event)).json?.status, "accepted");
    const [{ headers }] = await gate.backend.wait(event.id);
    assert.equal(headers["x-shop-0"], "v");
  });
});
