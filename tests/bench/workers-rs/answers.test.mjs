// Each rival, as ./build made it, answers in workerd: a rival that does not work would be a fast one.
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Miniflare } from "miniflare";

const KEY = randomBytes(24);
const BODY = '{"type":"invoice.paid"}';

function signed(body, key = KEY) {
  const [id, time] = ["msg_1", String(Math.floor(Date.now() / 1_000))];
  const tag = createHmac("sha256", key).update(`${id}.${time}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": `v1,${tag}` };
}

function modules(name) {
  const read = (file, encoding) => readFileSync(join(import.meta.dirname, "out", name, file), encoding);
  return {
    "index.js": { type: "esm", contents: read("index.js", "utf8") },
    "index_bg.wasm": { type: "wasm", contents: read("index_bg.wasm") },
  };
}

for (const name of ["nothing", "read-body", "hmac"]) {
  describe(name, () => {
    let mf;
    before(() => {
      mf = new Miniflare({
        host: "127.0.0.1",
        port: 0,
        telemetry: { enabled: false },
        workers: [
          {
            config: {
              name,
              compatibilityDate: "2026-11-01",
              compatibilityFlags: ["no_nodejs_compat", "no_nodejs_compat_v2"],
              manifest: { mainModule: "index.js", modulesRoot: "/", modules: modules(name) },
              env: { STANDARD_SECRET: { type: "text", value: `whsec_${KEY.toString("base64")}` } },
            },
          },
        ],
      });
    });
    after(() => mf.dispose());

    const send = async (headers, body = BODY) => {
      const answer = await fetch(await mf.ready, { method: "POST", headers, body });
      return [answer.status, await answer.text()];
    };

    test("a genuine request", async () => {
      assert.deepEqual(await send(signed(BODY)), [200, "ok"]);
      const large = "x".repeat(1_048_576);
      assert.deepEqual(await send(signed(large), large), [200, "ok"]);
    });

    // The others look at nothing.
    if (name !== "hmac") return;
    test("one that is not", async () => {
      const refused = [401, "not signed by us"];
      assert.deepEqual(await send(signed(BODY), `${BODY} `), refused);
      assert.deepEqual(await send(signed(BODY, randomBytes(24))), refused);
      assert.deepEqual(await send({}), [401, "unsigned"]);
    });
  });
}
