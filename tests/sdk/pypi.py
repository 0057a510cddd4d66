"""What the providers' SDKs on PyPI say to requests: a JSON object a line comes in, `true` or `false` a line goes out.

Each has `scheme`, `headers` (names in small letters), `body` (base64), `secrets`, `pins` and `now_ms`.
"""

import base64
import datetime
import json
import logging
import sys
import time
from urllib.parse import parse_qs


def stripe(request, secret):
    from stripe import WebhookSignature

    body = request["body"].decode()
    return WebhookSignature.verify_header(body, request["headers"].get("stripe-signature"), secret, 300)


def standard_webhooks(request, secret):
    from standardwebhooks.webhooks import Webhook

    Webhook(secret).verify(request["body"], request["headers"], json_parse=False)
    return True


def supabase(request, secret):
    # As its page has it: https://supabase.com/docs/guides/auth/auth-hooks
    return standard_webhooks(request, secret.removeprefix("v1,"))


def slack(request, secret):
    from slack_sdk.signature import SignatureVerifier

    return SignatureVerifier(secret).is_valid_request(request["body"], request["headers"])


class Form:
    """A form as the frameworks hand it over: every value of a name."""

    def __init__(self, text):
        self.values = parse_qs(text, keep_blank_values=True, strict_parsing=bool(text))

    def __iter__(self):
        return iter(self.values)

    def __len__(self):
        return len(self.values)

    def getlist(self, name):
        return self.values[name]


def twilio(request, secret):
    from twilio.request_validator import RequestValidator

    body = request["body"].decode()
    query = request["target"].partition("?")[2]
    url = request["pins"]["url"] + (f"?{query}" if query else "")
    content = body if "bodySHA256=" in query else Form(body)
    return RequestValidator(secret).validate(url, content, request["headers"]["x-twilio-signature"])


def adyen_classic(request, secret):
    from Adyen.util import is_valid_hmac_notification

    return bool(is_valid_hmac_notification(json.loads(request["body"]), secret))


def adyen_platform(request, secret):
    from Adyen.util import is_valid_hmac_payload

    return is_valid_hmac_payload(request["headers"]["hmacsignature"], secret, request["body"])


def square(request, secret):
    from square.utils.webhooks_helper import verify_signature

    return verify_signature(
        request_body=request["body"].decode(),
        signature_header=request["headers"]["x-square-hmacsha256-signature"],
        signature_key=secret,
        notification_url=request["pins"]["url"],
    )


SDKS = {
    "adyen-classic": adyen_classic,
    "adyen-platform": adyen_platform,
    "gitlab-signed": standard_webhooks,
    "slack": slack,
    "square": square,
    "standard-webhooks": standard_webhooks,
    "stripe": stripe,
    "supabase": supabase,
    "twilio": twilio,
}


def is_taken(request):
    """Whether the SDK takes it with one of the secrets. What it throws is a refusal."""
    for secret in request["secrets"]:
        try:
            if SDKS[request["scheme"]](request, secret):
                return True
        except Exception:
            continue
    return False


class Clock(datetime.datetime):
    """The clock of the request."""

    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(time.time(), tz)


def main():
    logging.disable(logging.CRITICAL)
    import standardwebhooks.webhooks

    standardwebhooks.webhooks.datetime = Clock
    for line in sys.stdin:
        request = json.loads(line)
        request["body"] = base64.b64decode(request["body"])
        time.time = lambda: request["now_ms"] / 1000
        print(json.dumps(is_taken(request)))


main()
