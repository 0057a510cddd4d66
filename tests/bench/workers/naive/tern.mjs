// Its platform for Standard Webhooks is the one of a provider that signs that way.
import { WebhookVerificationService } from "@hookflo/tern";
import { naive } from "./shell.mjs";

export default naive(async (request, env) => {
  const result = await WebhookVerificationService.verifyWithPlatformConfig(request, "dodopayments", env.STANDARD_SECRET, 300);
  if (!result.isValid) throw new Error(result.error);
  return { id: result.metadata.id ?? request.headers.get("webhook-id"), event: result.payload };
});
