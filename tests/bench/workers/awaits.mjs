// Waits for the calls that its path names, and for nothing else: what an answer must take at least.
const WAYS = {
  "/queue": async (env) => {
    await env.SEEN.get("key");
    await env.EVENTS.send("text", { contentType: "text" });
  },
  "/seen": async (env) => {
    await env.SEEN.get("key");
    await env.LEDGER.getByName("name").ask("request");
  },
  "/ledger": (env) => env.LEDGER.getByName("name").ask("request"),
};

export default {
  async fetch(request, env) {
    await WAYS[new URL(request.url).pathname](env);
    return new Response("ok");
  },
};
