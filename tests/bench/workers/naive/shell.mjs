// The Worker that tutorials show: verify with the provider's package, look in KV, send to a queue.

/** `verify(request, env)` resolves to `{ id, event }`, or throws what is wrong with the request. */
export const naive = (verify) => ({
  async fetch(request, env) {
    if (request.method !== "POST") return new Response("Method not allowed", { status: 405 });
    let verified;
    try {
      verified = await verify(request, env);
    } catch (error) {
      return Response.json({ error: error.message }, { status: 400 });
    }
    const { id, event } = verified;
    if ((await env.SEEN.get(id)) !== null) return Response.json({ status: "duplicate" });
    await env.EVENTS.send({ id, event });
    await env.SEEN.put(id, "1", { expirationTtl: 86_400 });
    return Response.json({ status: "accepted" });
  },
});
