// Every provider whose own SDK is on npm and can verify: how that SDK is asked, and where it answers otherwise
// than the gate.
//
// `verify(request)` is false or throws where the SDK refuses; `sign(draft)` gives headers, where the SDK can sign; `text: true`
// where the SDK takes a string, so that a server has decoded the body before. `differs` has, for each case of
// support/cases.mjs in which they disagree, why the gate does as it does.
import { KEYED } from "./providers/keyed.mjs";
import { STATED } from "./providers/stated.mjs";

export const PROVIDERS = [...KEYED, ...STATED];

/** Who signs requests: the SDK, or what stands for it; and `hookgate sign`, where no private key is needed. */
export const signersOf = (provider) => [
  ...(provider.sign ? [provider.signedBy ?? provider.sdk] : []),
  ...(KEYED.includes(provider) || provider.byGate ? [GATE] : []),
];
export const GATE = "the gate";
