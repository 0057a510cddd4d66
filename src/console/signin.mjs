// Signing in and out. The token goes to the gate once, and comes back as a cookie that no script can read.

import { ask } from "./api.mjs";
import { el, failure, field } from "./dom.mjs";

export function signin({ signedIn, reason }) {
  const place = el("div", { class: "outcome" });
  const input = el("input", { type: "password", name: "token", autocomplete: "off", autocapitalize: "off", spellcheck: "false", required: true });
  const button = el("button", { class: "primary" }, "Sign in");
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await ask("session", { method: "POST", body: { token: input.value.trim() } });
      input.value = "";
      await signedIn();
    } catch (problem) {
      place.replaceChildren(failure(problem.status === 401 ? { title: "No operator has this token." } : problem));
      input.select();
    } finally {
      button.disabled = false;
    }
  };
  return el(
    "div",
    { class: "view narrow" },
    el("h1", { tabindex: "-1" }, "Sign in"),
    reason ? el("p", { class: "notice" }, reason) : "",
    el("form", { class: "panel stacked", submit }, field("Operator's token", input, "It is exchanged for a session of this browser, and kept nowhere here."), el("div", { class: "actions" }, button), place),
    el("p", { class: "hint" }, "Where Cloudflare Access stands in front of the console, it signs you in, and this page is not shown."),
  );
}

/** Ends the session; says whether somebody is signed in all the same, as Cloudflare Access does it. */
export async function signout() {
  await ask("session", { method: "DELETE" });
  return ask("whoami").then(
    (who) => el("p", { class: "notice" }, `The session is over, and you are signed in as ${who.name} all the same: Cloudflare Access does that. `, el("a", { href: "/cdn-cgi/access/logout" }, "Sign out there.")),
    () => undefined,
  );
}
