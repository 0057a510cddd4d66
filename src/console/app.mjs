// The console. What is looked at stands behind the # of the address, filters included: it can be sent to a colleague, the back button
// works, and it reaches no log of a server.

import { ask } from "./api.mjs";
import { addressOf, el, failure, link, say } from "./dom.mjs";
import { forget, letter, letters } from "./letters.mjs";
import { log } from "./log.mjs";
import { overview } from "./overview.mjs";
import { refusal } from "./refusal.mjs";
import { refusals } from "./refusals.mjs";
import { signin, signout } from "./signin.mjs";

/** By the first word of the path: the page, the page of one of its things, and its name. */
const PAGES = {
  "": { page: overview, name: "Overview" },
  refusals: { page: refusals, one: refusal, name: "Refusals" },
  letters: { page: letters, one: letter, name: "Dead letters" },
  forget: { page: forget, name: "Forget" },
  log: { page: log, name: "Log" },
};

const main = document.getElementById("main");
const nav = document.getElementById("nav");
const who = document.getElementById("who");
/** Who is signed in, as far as is known. */
let operator;
/** The form that asks who it is, while it is asked: what somebody has begun to type is not taken away. */
let form;
let turn = 0;

function place() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split(/\?(.*)/s);
  const [word = "", ...rest] = path.replace(/^\//, "").split("/");
  return { word, rest: rest.map(decoded), params: Object.fromEntries(new URLSearchParams(query)) };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function show() {
  turn += 1;
  const mine = turn;
  main.setAttribute("aria-busy", "true");
  let shown;
  let name = "Sign in";
  try {
    const known = operator ?? (await ask("whoami"));
    // An answer that comes after somebody went on, signed in or signed out says nothing of who is here now.
    if (mine !== turn) return;
    operator = known;
    form = undefined;
    ({ shown, name } = await shownAt(place()));
  } catch (problem) {
    if (mine !== turn) return;
    if (problem.status === 401) {
      const reason = operator === undefined ? undefined : "The session is over. Sign in again to go on here.";
      operator = undefined;
      shown = form ??= signin({ signedIn: show, reason });
    } else {
      name = "Not shown";
      shown = el("div", { class: "view" }, el("h1", { tabindex: "-1" }, problem.status === 404 ? "There is no such thing" : "That could not be shown"), failure(problem));
      // A mistake of the console's own; what it was about may be a stranger's text, so only its kind.
      if (problem.status === undefined) console.error(`console: ${problem.name}`);
    }
  }
  if (mine !== turn) return;
  frame();
  if (main.firstChild !== shown) main.replaceChildren(shown);
  main.removeAttribute("aria-busy");
  main.dataset.at = location.hash;
  document.title = `${name} · hookgate`;
  say(name);
  if (main.contains(document.activeElement) || document.activeElement === document.body || document.activeElement?.closest("#nav")) {
    // A page that was just loaded begins at its top, as every page.
    const start = main.querySelector("input[name=token]") ?? (mine > 1 ? main.querySelector("h1") : undefined);
    start?.focus({ preventScroll: true });
  }
  scrollTo(0, 0);
}

async function shownAt({ word, rest, params }) {
  const found = Object.hasOwn(PAGES, word) ? PAGES[word] : undefined;
  const page = rest.length > 0 ? found?.one : found?.page;
  if (!page) return { name: "Not found", shown: el("div", { class: "view" }, el("h1", { tabindex: "-1" }, "There is no such page"), el("p", {}, link("/", {}, "Overview"))) };
  const asked = { rest, params, go, scope: { tenants: operator.tenants ?? undefined }, operates: operator.roles.includes("operate") };
  return { name: found.name, shown: await page(asked) };
}

/** What stands above every page. */
function frame() {
  nav.hidden = operator === undefined;
  const { word } = place();
  nav.replaceChildren(...Object.entries(PAGES).map(([path, { name }]) => el("a", { href: addressOf(`/${path}`), "aria-current": path === word && "page" }, name)));
  if (operator === undefined) return who.replaceChildren();
  const scope = operator.tenants ? operator.tenants.join(", ") : "all tenants";
  const leave = el("button", { type: "button", class: "quiet", click: async () => {
    const told = await signout().catch(failure);
    operator = undefined;
    await show();
    if (told) main.prepend(told);
    else say("Signed out");
  } }, "Sign out");
  return who.replaceChildren(el("span", { class: "operator", title: `${operator.roles.join(", ")} · ${scope}` }, operator.name, el("span", { class: "aside" }, operator.roles.join(", "))), leave);
}

function go(path, params) {
  const next = addressOf(path, params);
  if (next === location.hash) void show();
  else location.hash = next;
}

document.querySelector(".skip").addEventListener("click", (event) => {
  // The address belongs to the pages.
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", () => void show());
void show();
