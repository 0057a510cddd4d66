import { Webhook } from "svix";
import { naive } from "./shell.mjs";

export default naive(async (request, env) => ({
  id: request.headers.get("svix-id"),
  event: new Webhook(env.SVIX_SECRET).verify(await request.text(), Object.fromEntries(request.headers)),
}));
