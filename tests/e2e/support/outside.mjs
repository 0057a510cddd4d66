// The world outside the gate: what stands at a URL is what a test puts there, and each visit is kept.
import { Response, fetch } from "miniflare";

/** `outside.put(url, body or a function of the request)`; everything else is 404. */
export function startOutside() {
  const pages = new Map();
  const visits = [];
  return {
    visits,
    of: (url) => visits.filter((visited) => visited === url).length,
    put: (url, page) => pages.set(url, page),
    remove: (url) => pages.delete(url),
    clear: () => pages.clear(),
    /** Answers what the gate asks for. Loopback is the backend, and is let through. */
    async answer(request) {
      if (new URL(request.url).hostname === "127.0.0.1") return fetch(request);
      visits.push(request.url);
      const page = pages.get(request.url);
      if (page === undefined) return new Response("no such page", { status: 404 });
      return typeof page === "function" ? page(request) : new Response(page);
    },
  };
}
