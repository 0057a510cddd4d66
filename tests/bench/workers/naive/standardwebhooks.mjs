import { Webhook } from "standardwebhooks";
import { naive } from "./shell.mjs";

export default naive(async (request, env) => ({
  id: request.headers.get("webhook-id"),
  event: new Webhook(env.STANDARD_SECRET).verify(await request.text(), Object.fromEntries(request.headers)),
}));
