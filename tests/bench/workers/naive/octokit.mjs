import { Webhooks } from "@octokit/webhooks";
import { naive } from "./shell.mjs";

let webhooks;

export default naive(async (request, env) => {
  webhooks ??= new Webhooks({ secret: env.GITHUB_SECRET });
  const text = await request.text();
  if (!(await webhooks.verify(text, request.headers.get("x-hub-signature-256") ?? ""))) throw new Error("Invalid signature");
  return { id: request.headers.get("x-github-delivery"), event: JSON.parse(text) };
});
