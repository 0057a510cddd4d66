import Stripe from "stripe";
import { naive } from "./shell.mjs";

const stripe = new Stripe("sk_test_none");
const crypto = Stripe.createSubtleCryptoProvider();

export default naive(async (request, env) => {
  const signature = request.headers.get("stripe-signature");
  const event = await stripe.webhooks.constructEventAsync(await request.text(), signature, env.STRIPE_SECRET, undefined, crypto);
  return { id: event.id, event };
});
