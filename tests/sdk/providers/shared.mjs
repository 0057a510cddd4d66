// What the entries of the providers share.
import { randomBytes } from "node:crypto";

export const URL_OF_HOOK = "https://gate.example/hooks/vector";
export const secondsOf = (atMs) => Math.floor(atMs / 1000);
export const whsec = () => `whsec_${randomBytes(24).toString("base64")}`;
export const text = () => randomBytes(24).toString("base64url");

// Disagreements that several share: the case, and why the gate does otherwise.
export const LOSSY = { "a byte that is no UTF-8 where U+FFFD was signed": "the SDK signs text, in which a byte that is no UTF-8 has become U+FFFD: two bodies have one signature. The gate signs the bytes" };
export const FUTURE = { "too far ahead": "the SDK looks at the past only. A time in the future would keep a captured request fresh for as long as its sender likes" };
export const ZERO = { "a zero before the time": "the SDK signs the number that it read. The gate signs the text that came, and takes one way of writing it" };
export const REPRINTED = { ...ZERO, "text behind the time": "the SDK reads the digits and signs those. The gate signs the text that came" };
export const UNBOUNDED = { "forty wrong signatures before the right one": "the SDK compares as many as there are. The gate refuses a list of more than 16 unread" };
export const PARSED = { "a body that is no JSON": "the SDK parses what it has verified. The gate holds bytes, whatever they mean" };
export const CAPITALS = { "hex in capitals": "the SDK reads hex in either case. The provider writes small letters, and the gate takes one form of a signature" };
export const LENIENT_TEXT = "Node's decoder passes over what it does not know, so that many texts are one signature. The gate takes one";
export const LENIENT = { "base64 without its padding": LENIENT_TEXT, "base64 with unused bits set": LENIENT_TEXT, "base64 of URLs": LENIENT_TEXT };
export const DOTTED = { "an id with a dot": "the SDK takes it, though `id.time.body` can then be read in two ways: what was signed as one event is taken as another" };
export const AGELESS_TEXT = "the SDK does not look at the time: that is left to its caller. The gate refuses what is older than the tolerance";
export const AGELESS = { "too old": AGELESS_TEXT, "too far ahead": AGELESS_TEXT };
export const TRUNCATED = { "text behind the signature": "Node's decoder stops at what it does not know, so that anything may stand behind. The gate takes one text" };
/** What comes of comparing what Node's decoder made of the two. */
export const DECODED = { ...LENIENT, ...TRUNCATED, "the header twice": LENIENT_TEXT };
export const LAST_WINS = { "a wrong signature behind the right one": "the SDK keeps the last of several. The gate takes any, as it does for a list of live secrets" };
export const FIRST_ONLY = { "a wrong signature before the right one": "the SDK looks at the first only. The gate takes any, as it does for a list of live secrets" };
