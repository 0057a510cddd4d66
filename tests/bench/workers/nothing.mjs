// A floor: a Worker that does nothing.
export default { fetch: () => new Response("ok") };
