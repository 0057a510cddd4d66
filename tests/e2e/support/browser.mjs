// A real browser: Chromium, as the system has it.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const ON_MACOS = ["/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

/** Where it is: `CHROMIUM_BIN`, or on the PATH. */
export function browserFile() {
  const onPath = (process.env.PATH ?? "").split(delimiter).flatMap((directory) => NAMES.map((name) => join(directory, name)));
  const candidates = process.env.CHROMIUM_BIN ? [process.env.CHROMIUM_BIN] : [...onPath, ...ON_MACOS];
  const found = candidates.find(isProgram);
  if (found === undefined) throw new Error("missing: chromium (the console is tested in it). Install it with: sudo apt-get install -y chromium (Debian, Ubuntu) | sudo dnf install -y chromium (Fedora) | brew install chromium (macOS); or set CHROMIUM_BIN to one");
  return found;
}

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Nothing of it leaves this machine. */
export const startBrowser = () =>
  chromium.launch({
    executablePath: browserFile(),
    // Its sandbox wants what a container does not give; it sees nothing here but our own pages.
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--no-first-run"],
  });

/**
 * A page of a browser of its own, and what happened in it that must not: dialogs, errors of scripts, refusals of the content security
 * policy, requests to anywhere else, other pages.
 */
export async function openPage(browser, base, options = {}) {
  const context = await browser.newContext({ baseURL: base, viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(10_000);
  const amiss = [];
  await context.exposeBinding("tellOfViolation", (_source, text) => amiss.push(`policy: ${text}`));
  await context.addInitScript(() => addEventListener("securitypolicyviolation", (event) => window.tellOfViolation(`${event.effectiveDirective} ${event.blockedURI}`)));
  const page = await context.newPage();
  context.on("page", (other) => amiss.push(`another page: ${other.url()}`));
  context.on("dialog", (dialog) => {
    amiss.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("pageerror", (error) => amiss.push(`script: ${error.message}`));
  page.on("console", (message) => {
    // The browser's own line for a status of 400 and above; the tests look at those themselves.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) amiss.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== base && !request.url().startsWith("blob:")) amiss.push(`request: ${request.url()}`);
  });
  return { page, context, amiss };
}
