"""Makes own-token.vector and own-token-keys.json: a request of Amazon EventBridge with a token of an authorization server
of one's own, as docs/own-tokens.md has it.

    python3 tests/documents/own_token.py     (cryptography 48)
"""

import base64
import json
import pathlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

HERE = pathlib.Path(__file__).parent
NOW = 1_760_000_000


def base64url(content):
    content = content if isinstance(content, bytes) else json.dumps(content, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


key = rsa.generate_private_key(65537, 2048)
numbers = key.public_key().public_numbers()
modulus, exponent = (base64url(number.to_bytes(size, "big")) for number, size in ((numbers.n, 256), (numbers.e, 3)))
jwk = {"kty": "RSA", "n": modulus, "e": exponent, "kid": "own", "use": "sig", "alg": "RS256"}
(HERE / "own-token-keys.json").write_text(json.dumps({"keys": [jwk]}, separators=(",", ":")))

claims = {
    "iss": "https://login.example.com/",
    "aud": "https://gate.example/hooks/orders",
    "azp": "eventbridge-orders",
    "iat": NOW - 600,
    "exp": NOW + 3_000,
}
signed = base64url({"alg": "RS256", "kid": "own", "typ": "JWT"}) + "." + base64url(claims)
signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
event = {
    "version": "0",
    "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    "detail-type": "order.paid",
    "source": "shop.orders",
    "detail": {"order": 17},
}
(HERE / "own-token.vector").write_text(
    f"""scheme: eventbridge-oauth
expect: accept
origin: made with Python's cryptography from RFC 7519 and the documented headers (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html)
published: false
pin: audience=https://gate.example/hooks/orders
pin: client=eventbridge-orders
document: https://login.example.com/.well-known/jwks.json own-token-keys.json
now_ms: {NOW}000
method: POST
target: /hooks/vector
header: Authorization: Bearer {signed}.{base64url(signature)}
header: User-Agent: Amazon/EventBridge/ApiDestinations
header: Content-Type: application/json; charset=utf-8
event_id: {event["id"]}
event_type: {event["detail-type"]}

{json.dumps(event)}"""
)
