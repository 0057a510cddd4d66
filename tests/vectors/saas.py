#!/usr/bin/env python3
"""Makes the vectors of the SaaS providers that sign with a MAC or send a credential.

Nothing of the gate is used: each provider's way of signing is written down here again, from its documentation, so that a
mistake in a file of src/schemes does not repeat itself in its vectors. Published vectors are taken from saas.json.

    python3 tests/vectors/saas.py            all of them
    python3 tests/vectors/saas.py NAME ...   these schemes

Needs Python 3.11 and nothing else. Run again, it writes the same bytes.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import sys
import tomllib

HERE = pathlib.Path(__file__).parent
NOW = 1760000000  # 2025-10-09T08:53:20Z
URL = "https://hooks.example.com/hooks/vector?from=provider"


def mac(key, text, digest="sha256"):
    return hmac.new(key if isinstance(key, bytes) else key.encode(), text, digest)


def b64(raw):
    return base64.b64encode(raw).decode()


def std(prefix):
    """Standard Webhooks, and Svix under its own names."""

    def sign(secret, body, at, id):
        key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
        tag = b64(mac(key, f"{id}.{at}.".encode() + body).digest())
        return [(f"{prefix}-Id", id), (f"{prefix}-Timestamp", str(at)), (f"{prefix}-Signature", f"v1,{tag}")]

    return sign


def whole(header, form, *, digest="sha256", key=str.encode):
    """The body alone; `form` writes the tag."""

    def sign(secret, body, at, id):
        return [(header, form(mac(key(secret), body, digest).digest()))]

    return sign


def listed(header, between, form):
    """Time and body with `between` in the middle; `form` writes time and tag."""

    def sign(secret, body, at, id):
        return [(header, form(at, mac(secret, f"{at}{between}".encode() + body).digest()))]

    return sign


def plain(header, form="{}"):
    def sign(secret, body, at, id):
        return [(header, form.format(secret))]

    return sign


def hex_(tag):
    return tag.hex()


def zulu(at):
    import datetime

    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def pacific(at):
    return zulu(at - 7 * 3600)[:-1] + "-07:00"


def customerio(secret, body, at, id):
    return [("X-CIO-Timestamp", str(at)), ("X-CIO-Signature", mac(secret, f"v0:{at}:".encode() + body).hexdigest())]


def zendesk(secret, body, at, id):
    time = zulu(at)
    return [("X-Zendesk-Webhook-Signature", b64(mac(secret, time.encode() + body).digest())),
            ("X-Zendesk-Webhook-Signature-Timestamp", time)]


def box(secret, body, at, id):
    time = pacific(at)
    other = b64(mac("another key", body + time.encode()).digest())
    return [("BOX-SIGNATURE-VERSION", "1"), ("BOX-SIGNATURE-ALGORITHM", "HmacSHA256"), ("BOX-DELIVERY-TIMESTAMP", time),
            ("BOX-SIGNATURE-PRIMARY", b64(mac(secret, body + time.encode()).digest())), ("BOX-SIGNATURE-SECONDARY", other)]


def docusign(secret, body, at, id):
    return [("X-DocuSign-Signature-1", b64(mac(secret, body).digest())),
            ("X-DocuSign-Signature-2", b64(mac("another key", body).digest()))]


def hubspot3(secret, body, at, id):
    time = str(at * 1000 + 123)
    return [("X-HubSpot-Signature-v3", b64(mac(secret, b"POST" + URL.encode() + body + time.encode()).digest())),
            ("X-HubSpot-Request-Timestamp", time)]


def hubspot1(secret, body, at, id):
    return [("X-HubSpot-Signature", hashlib.sha256(secret.encode() + body).hexdigest()), ("X-HubSpot-Signature-Version", "v1")]


def hubspot2(secret, body, at, id):
    text = secret.encode() + b"POST" + URL.encode() + body
    return [("X-HubSpot-Signature", hashlib.sha256(text).hexdigest()), ("X-HubSpot-Signature-Version", "v2")]


def square(secret, body, at, id):
    return [("X-Square-HmacSha256-Signature", b64(mac(secret, URL.encode() + body).digest()))]


def segment_batch(secret, body, at, id):
    # What follows the first item is not signed.
    first = json.dumps(json.loads(body)[0], separators=(",", ":")).encode()
    assert body.startswith(b"[" + first)
    return [("X-Signature", mac(secret, first, "sha1").hexdigest())]


def mailgun(secret, body, at, id):
    """Signs within the body."""
    token = hashlib.sha256(id.encode()).hexdigest()[:50]
    tag = mac(secret, f"{at}{token}".encode()).hexdigest()
    signature = {"signature": {"timestamp": str(at), "token": token, "signature": tag}}
    return json.dumps(signature | json.loads(body), separators=(",", ":")).encode()


def figma(secret, body, at, id):
    return json.dumps({"passcode": secret} | json.loads(body), separators=(",", ":")).encode()


def linear(secret, body, at, id):
    stamped = json.dumps(json.loads(body) | {"webhookTimestamp": at * 1000 + 123}, separators=(",", ":")).encode()
    return stamped, [("Linear-Signature", mac(secret, stamped).hexdigest())]


STD_KEY = "whsec_" + b64(b"a key of twenty-four byt")
STD_OTHER = "whsec_" + b64(b"another key of 24 bytes.")
B64_KEY, B64_OTHER = b64(b"a key of 32 bytes in base64 text"), b64(b"another key that is no good here")
HEX_KEY, HEX_OTHER = "A1" * 32, "b2" * 32


class Provider:
    """`first`, `again` and `next` are bodies: an event, its retry and the event after it."""

    def __init__(self, sign, first, next, *, again=None, id=None, type=None, labels=(), later=None, secret="a secret of the provider's",
                 other="another secret", tolerance=None, binary=True, pin=False, target="/hooks/vector"):
        self.sign, self.first, self.next, self.again = sign, first, next, again or first
        self.ids = id if isinstance(id, tuple) else (id, id)
        self.type, self.labels, self.later = type, labels, later
        self.secret, self.other, self.tolerance = secret, other, tolerance
        self.binary, self.pin, self.target = binary, pin, target


def webhooks(prefix, first, next, **more):
    return Provider(std(prefix), first, next, id=("msg_1", "msg_2"), secret=STD_KEY, other=STD_OTHER, tolerance=300, **more)


def of_body(sign, first, next, **more):
    return Provider(sign, first, next, **more)


PROVIDERS = {
    "anthropic": webhooks("Webhook", '{"id":"whe_1","data":{"type":"session.status_idled"},"type":"event"}',
                          '{"id":"whe_2","data":{"type":"session.status_idled"},"type":"event"}', type="session.status_idled"),
    "openai": webhooks("Webhook", '{"id":"evt_1","type":"response.completed"}', '{"id":"evt_2","type":"response.completed"}',
                       type="response.completed"),
    "gitlab-signed": webhooks("Webhook", '{"object_kind":"push","after":"da1560886d4f"}', '{"object_kind":"push","after":"da1560886d50"}',
                              type="Push Hook", labels=[("X-Gitlab-Event", "Push Hook")]),
    "clerk": webhooks("Svix", '{"type":"user.created","data":{"id":"user_1"}}', '{"type":"user.created","data":{"id":"user_2"}}', type="user.created"),
    "resend": webhooks("Svix", '{"type":"email.sent","data":{"email_id":"1"}}', '{"type":"email.sent","data":{"email_id":"2"}}', type="email.sent"),
    "mux": of_body(listed("Mux-Signature", ".", lambda at, tag: f"t={at},v1={tag.hex()}"), '{"id":"e-1","type":"video.asset.ready"}',
                   '{"id":"e-2","type":"video.asset.ready"}', id=("e-1", "e-2"), type="video.asset.ready", tolerance=300),
    "calendly": of_body(listed("Calendly-Webhook-Signature", ".", lambda at, tag: f"t={at},v1={tag.hex()}"),
                        '{"event":"invitee.created","created_at":"2025-10-09T08:53:19.000000Z","payload":{"uri":"https://api.calendly.com/i/1"}}',
                        '{"event":"invitee.created","created_at":"2025-10-09T08:53:20.000000Z","payload":{"uri":"https://api.calendly.com/i/2"}}',
                        type="invitee.created", tolerance=180),
    "workos": of_body(lambda s, b, at, i: [("WorkOS-Signature", f"t={at}123, v1={mac(s, f'{at}123.'.encode() + b).hexdigest()}")],
                      '{"id":"event_1","event":"user.created"}', '{"id":"event_2","event":"user.created"}', id=("event_1", "event_2"),
                      type="user.created", tolerance=180),
    "paddle": of_body(listed("Paddle-Signature", ":", lambda at, tag: f"ts={at};h1={tag.hex()}"),
                      '{"event_id":"evt_1","event_type":"price.created","notification_id":"ntf_1"}',
                      '{"event_id":"evt_2","event_type":"price.created","notification_id":"ntf_3"}',
                      again='{"event_id":"evt_1","event_type":"price.created","notification_id":"ntf_2"}', id=("evt_1", "evt_2"),
                      type="price.created", tolerance=5),
    "coinbase-cdp": of_body(listed("X-Hook0-Signature", ".", lambda at, tag: f"t={at},v0={tag.hex()}"), '{"eventType":"wallet_activity","block":1}',
                            '{"eventType":"wallet_activity","block":2}', type="wallet_activity", tolerance=300),
    "customerio": of_body(customerio, '{"event_id":"01E4C4","object_type":"email","metric":"sent"}',
                          '{"event_id":"01E4C5","object_type":"email","metric":"sent"}', id=("01E4C4", "01E4C5"), type="sent", tolerance=86700),
    "bitbucket": of_body(whole("X-Hub-Signature", lambda tag: "sha256=" + tag.hex()), '{"push":{"changes":[{"new":{"name":"main"}}]}}',
                         '{"push":{"changes":[{"new":{"name":"next"}}]}}', id="uuid-1", type="repo:push",
                         labels=[("X-Request-UUID", "uuid-1"), ("X-Event-Key", "repo:push"), ("X-Attempt-Number", "1")],
                         later=[("X-Request-UUID", "uuid-2"), ("X-Event-Key", "repo:push"), ("X-Attempt-Number", "2")]),
    "jira": of_body(whole("X-Hub-Signature", lambda tag: "sha256=" + tag.hex()), '{"timestamp":1760000000001,"webhookEvent":"jira:issue_updated"}',
                    '{"timestamp":1760000000002,"webhookEvent":"jira:issue_updated"}', id="w-1", type="jira:issue_updated",
                    labels=[("X-Atlassian-Webhook-Identifier", "w-1")], later=[("X-Atlassian-Webhook-Identifier", "w-1"), ("X-Atlassian-Webhook-Retry", "1")]),
    "sentry": of_body(whole("Sentry-Hook-Signature", hex_), '{"action":"created","data":{"issue":{"id":"1"}}}', '{"action":"created","data":{"issue":{"id":"2"}}}',
                      id="r-1", type="issue", labels=[("Request-ID", "r-1"), ("Sentry-Hook-Resource", "issue"), ("Sentry-Hook-Timestamp", str(NOW))],
                      later=[("Request-ID", "r-2"), ("Sentry-Hook-Resource", "issue"), ("Sentry-Hook-Timestamp", str(NOW + 60))]),
    "razorpay": of_body(whole("X-Razorpay-Signature", hex_), '{"event":"payment.captured","created_at":1760000000}', '{"event":"payment.captured","created_at":1760000001}',
                        id="ev-1", type="payment.captured", labels=[("X-Razorpay-Event-Id", "ev-1")], later=[("X-Razorpay-Event-Id", "ev-9")]),
    "launchdarkly": of_body(whole("X-LD-Signature", hex_), '{"_id":"5d9f","kind":"flag","titleVerb":"turned on"}', '{"_id":"5da0","kind":"flag","titleVerb":"turned on"}',
                            id=("5d9f", "5da0"), type="flag"),
    "lemonsqueezy": of_body(whole("X-Signature", hex_), '{"meta":{"event_name":"order_created"},"data":{"id":"1"}}',
                            '{"meta":{"event_name":"order_created"},"data":{"id":"2"}}', type="order_created", labels=[("X-Event-Name", "order_created")]),
    "npm": of_body(whole("X-Npm-Signature", lambda tag: "sha256=" + tag.hex()), '{"event":"package:publish","name":"a","time":1}',
                   '{"event":"package:publish","name":"a","time":2}', type="package:publish"),
    "viber": of_body(whole("X-Viber-Content-Signature", hex_), '{"event":"delivered","timestamp":1457764197627,"message_token":491266184665523145,"user_id":"u"}',
                     '{"event":"seen","timestamp":1457764197628,"message_token":491266184665523145,"user_id":"u"}', id="491266184665523145"),
    "coinbase-commerce": of_body(whole("X-CC-Webhook-Signature", hex_), '{"attempt_number":1,"event":{"id":"e-1","type":"charge:created"}}',
                                 '{"attempt_number":1,"event":{"id":"e-2","type":"charge:created"}}', again='{"attempt_number":2,"event":{"id":"e-1","type":"charge:created"}}',
                                 id=("e-1", "e-2"), type="charge:created"),
    "typeform": of_body(whole("Typeform-Signature", lambda tag: "sha256=" + b64(tag)), '{"event_id":"01A","event_type":"form_response"}',
                        '{"event_id":"01B","event_type":"form_response"}', id=("01A", "01B"), type="form_response"),
    "intercom": of_body(whole("X-Hub-Signature", lambda tag: "sha1=" + tag.hex(), digest="sha1"), '{"id":"notif_1","topic":"conversation.user.created","delivery_attempts":1}',
                        '{"id":"notif_2","topic":"conversation.user.created","delivery_attempts":1}', again='{"id":"notif_1","topic":"conversation.user.created","delivery_attempts":2}',
                        id=("notif_1", "notif_2"), type="conversation.user.created"),
    "segment": of_body(whole("X-Signature", hex_, digest="sha1"), '{"messageId":"ajs-1","type":"track"}', '{"messageId":"ajs-2","type":"track"}',
                       id=("ajs-1", "ajs-2"), type="track"),
    "segment-batch": of_body(segment_batch, '[{"messageId":"ajs-1","type":"track"},{"messageId":"ajs-2","type":"page"}]',
                             '[{"messageId":"ajs-3","type":"track"},{"messageId":"ajs-4","type":"page"}]', id=("ajs-1", "ajs-3"), type="track", binary=False),
    "woocommerce": of_body(whole("X-WC-Webhook-Signature", b64), '{"id":727,"status":"processing"}', '{"id":728,"status":"processing"}', id="d-1", type="order.updated",
                           labels=[("X-WC-Webhook-Topic", "order.updated"), ("X-WC-Webhook-Delivery-ID", "d-1")],
                           later=[("X-WC-Webhook-Topic", "order.updated"), ("X-WC-Webhook-Delivery-ID", "d-2")]),
    "quickbooks": of_body(whole("Intuit-Signature", b64), '{"eventNotifications":[{"realmId":"1","dataChangeEvent":{"entities":[{"name":"Customer","id":"1"}]}}]}',
                          '{"eventNotifications":[{"realmId":"1","dataChangeEvent":{"entities":[{"name":"Customer","id":"2"}]}}]}', secret=B64_KEY, other=B64_OTHER),
    "line": of_body(whole("X-Line-Signature", b64), '{"destination":"U1","events":[{"type":"message","webhookEventId":"01H1"}]}',
                    '{"destination":"U1","events":[{"type":"message","webhookEventId":"01H2"}]}', id=("01H1", "01H2"), type="message"),
    "mollie": of_body(whole("X-Mollie-Signature", lambda tag: "sha256=" + tag.hex()), '{"id":"event_1","type":"payment-link.paid"}',
                      '{"id":"event_2","type":"payment-link.paid"}', id=("event_1", "event_2"), type="payment-link.paid"),
    "terraform-cloud": of_body(whole("X-TFE-Notification-Signature", hex_, digest="sha512"), '{"run_id":"run-1","notifications":[{"trigger":"run:errored"}]}',
                               '{"run_id":"run-2","notifications":[{"trigger":"run:errored"}]}', type="run:errored"),
    "airtable": of_body(whole("X-Airtable-Content-MAC", lambda tag: "hmac-sha256=" + tag.hex(), key=base64.b64decode),
                        '{"base":{"id":"app1"},"webhook":{"id":"ach1"},"timestamp":"2025-10-09T08:53:20.001Z"}',
                        '{"base":{"id":"app1"},"webhook":{"id":"ach1"},"timestamp":"2025-10-09T08:53:20.002Z"}', secret=B64_KEY, other=B64_OTHER),
    "adyen-platform": of_body(whole("HmacSignature", b64, key=bytes.fromhex), '{"data":{"id":"1"},"type":"balancePlatform.transfer.created"}',
                              '{"data":{"id":"2"},"type":"balancePlatform.transfer.created"}', id=("1", "2"), type="balancePlatform.transfer.created", secret=HEX_KEY, other=HEX_OTHER),
    "pagerduty": of_body(whole("X-PagerDuty-Signature", lambda tag: f"v1={'00' * 32},v1={tag.hex()},v2={'00' * 32}"), '{"event":{"id":"01B","event_type":"incident.triggered"}}',
                         '{"event":{"id":"01C","event_type":"incident.triggered"}}', id=("01B", "01C"), type="incident.triggered"),
    "circleci": of_body(whole("Circleci-Signature", lambda tag: f"v1={tag.hex()},v2={'00' * 32}"), '{"id":"c-1","type":"workflow-completed"}',
                        '{"id":"c-2","type":"workflow-completed"}', id=("c-1", "c-2"), type="workflow-completed"),
    "teams-outgoing": of_body(whole("Authorization", lambda tag: "HMAC " + b64(tag), key=base64.b64decode), '{"type":"message","id":"1485983408511","text":"<at>a</at> hi"}',
                              '{"type":"message","id":"1485983408512","text":"<at>a</at> hi"}', id=("1485983408511", "1485983408512"), type="message", secret=B64_KEY, other=B64_OTHER),
    "mailgun-alerts": of_body(whole("X-Sign", hex_), '{"alert":"ip_listed","at":1}', '{"alert":"ip_listed","at":2}'),
    "linear": of_body(linear, '{"action":"update","type":"Issue","createdAt":"2025-10-09T08:53:20.000Z","data":{"id":"i-1","updatedAt":"2025-10-09T08:53:20.000Z"}}',
                      '{"action":"update","type":"Issue","createdAt":"2025-10-09T08:53:21.000Z","data":{"id":"i-1","updatedAt":"2025-10-09T08:53:21.000Z"}}',
                      id="d-1", type="Issue", labels=[("Linear-Delivery", "d-1"), ("Linear-Event", "Issue")], tolerance=60, binary=False),
    "box": of_body(box, '{"type":"webhook_event","id":"b-1","trigger":"FILE.UPLOADED"}', '{"type":"webhook_event","id":"b-2","trigger":"FILE.UPLOADED"}',
                   id=("b-1", "b-2"), type="FILE.UPLOADED", tolerance=600),
    "docusign": of_body(docusign, '{"event":"envelope-completed","generatedDateTime":"2025-10-09T08:53:20.1Z","data":{"envelopeId":"e-1"}}',
                        '{"event":"envelope-completed","generatedDateTime":"2025-10-09T08:53:20.2Z","data":{"envelopeId":"e-2"}}', id=("e-1", "e-2"), type="envelope-completed"),
    "sanity": of_body(lambda s, b, at, i: [("Sanity-Webhook-Signature", "t=%d123,v1=%s" % (at, base64.urlsafe_b64encode(mac(s, b"%d123." % at + b).digest()).decode().rstrip("=")))],
                      '{"_id":"resume"}', '{"_id":"resume"}', id="k-1", labels=[("Idempotency-Key", "k-1")], tolerance=86700),
    "zendesk": of_body(zendesk, '{"type":"zen:event-type:user.created","id":"z1"}', '{"type":"zen:event-type:user.created","id":"z1"}', id="i-1", type="zen:event-type:user.created",
                       labels=[("X-Zendesk-Webhook-Invocation-Id", "i-1")], secret=B64_KEY, other=B64_OTHER, tolerance=86700),
    "square": of_body(square, '{"type":"payment.created","event_id":"s-1"}', '{"type":"payment.created","event_id":"s-2"}', id=("s-1", "s-2"), type="payment.created", pin=True),
    "hubspot-v1": of_body(hubspot1, '[{"eventId":1,"subscriptionType":"contact.creation","attemptNumber":0}]', '[{"eventId":2,"subscriptionType":"contact.creation","attemptNumber":0}]',
                          id=("1", "2"), type="contact.creation", binary=False),
    "hubspot-v2": of_body(hubspot2, '[{"eventId":1,"subscriptionType":"contact.creation","attemptNumber":0}]', '[{"eventId":2,"subscriptionType":"contact.creation","attemptNumber":0}]',
                          id=("1", "2"), type="contact.creation", binary=False, pin=True),
    "hubspot-v3": of_body(hubspot3, '[{"eventId":1,"subscriptionType":"contact.creation","attemptNumber":0}]', '[{"eventId":2,"subscriptionType":"contact.creation","attemptNumber":0}]',
                          id=("1", "2"), type="contact.creation", pin=True, tolerance=300),
    "mailgun": of_body(mailgun, '{"event-data":{"event":"opened","id":"DACS"}}', '{"event-data":{"event":"opened","id":"DACT"}}', id=("DACS", "DACT"), type="opened", tolerance=29400, binary=False),
    "gitlab": of_body(plain("X-Gitlab-Token"), '{"object_kind":"push"}', '{"object_kind":"push"}', id=("k-1", "k-2"), type="Push Hook",
                      labels=[("X-Gitlab-Event", "Push Hook")]),
    "telegram": of_body(plain("X-Telegram-Bot-Api-Secret-Token"), '{"update_id":10000,"message":{"message_id":1}}', '{"update_id":10001,"message":{"message_id":1}}', id=("10000", "10001")),
    "auth0": of_body(plain("Authorization"), '[{"log_id":"900","data":{"type":"s"}}]', '[{"log_id":"901","data":{"type":"s"}}]', id=("900", "901"), type="s"),
    "postmark": of_body(lambda s, b, at, i: [("Authorization", "Basic " + b64(s.encode()))], '{"RecordType":"Open","MessageID":"m-1","ReceivedAt":"2025-10-09T08:53:20Z"}',
                        '{"RecordType":"Open","MessageID":"m-1","ReceivedAt":"2025-10-09T08:53:21Z"}', id="m-1", type="Open", secret="user:password", other="user:passwort"),
    "datadog": of_body(plain("X-Webhook-Token"), '{"id":"1","last_updated":1}', '{"id":"2","last_updated":2}', id=("1", "2")),
    "docker-hub": of_body(lambda s, b, at, i: [], '{"push_data":{"pushed_at":1760000000,"tag":"latest"}}', '{"push_data":{"pushed_at":1760000001,"tag":"latest"}}', secret="token-of-the-url", other="another-token", target="/hooks/vector?token={}"),
    "figma": of_body(figma, '{"timestamp":"2025-10-09T08:53:20Z","webhook_id":"22","event_type":"FILE_UPDATE"}', '{"timestamp":"2025-10-09T08:53:21Z","webhook_id":"22","event_type":"FILE_UPDATE"}', type="FILE_UPDATE"),
}

CREDENTIALS = ["gitlab", "telegram", "auth0", "postmark", "datadog", "docker-hub", "figma"]


def write(scheme, name, lines, body):
    folder = HERE / scheme
    folder.mkdir(exist_ok=True)
    text = "".join(f"{key}: {value}\n" for key, value in [("scheme", scheme), *lines])
    (folder / f"{name}.vector").write_bytes(text.encode() + b"\n" + body)


def make(scheme):
    provider = PROVIDERS[scheme]
    page = tomllib.loads((HERE.parent.parent / f"src/schemes/{scheme}.toml").read_text())["page"]
    is_credential = scheme in CREDENTIALS
    way = "the documented header" if is_credential else "the documented algorithm"
    origin = f"made by saas.py, with Python's hmac module, from {way} ({page})"

    def vector(name, body, *, expect="accept", secret=None, signer=None, at=NOW, now=None, id="msg_1", labels=None, change=None, note=None, extra=(), event=None):
        signer = provider.secret if signer is None else signer
        body = body.encode() if isinstance(body, str) else body
        signed = provider.sign(signer, body, at, id)
        headers = []
        match signed:
            case bytes():
                body = signed
            case (bytes(), list()):
                body, headers = signed
            case _:
                headers = signed
        headers = [("Content-Type", "application/json"), *headers, *(provider.labels if labels is None else labels)]
        target = provider.target.format(signer)
        if scheme == "gitlab":
            headers.append(("Idempotency-Key", event))
        if change:
            headers, body, target = change(headers, body, target)
        lines = [("expect", expect), ("origin", origin), ("published", "false"), ("secret", secret or provider.secret)]
        if provider.pin:
            lines.append(("pin", f"url={URL}"))
        lines += [("now_ms", (now or at) * 1000), ("method", "POST"), ("target", target)]
        lines += [("header", f"{key}: {value}") for key, value in headers]
        if expect == "accept" and name.startswith("pair"):
            lines += [("event_id", event)] if event else []
            lines += [("event_type", provider.type)] if provider.type else []
        lines += [("note", note)] if note else []
        write(scheme, name, [*lines, *extra], body)

    first, then = provider.ids
    later = provider.later
    # Where the id is a header, the retry may have another.
    names = [name for name, value in provider.labels if value == first]
    again = dict(later).get(names[0], first) if later and names else first
    unique = "msg_1", "msg_2"
    vector("pair-first", provider.first, event=first, id=unique[0])
    # A retry comes later; where the time is signed, it is signed anew, but for those whose time is a part of the name.
    keeps = scheme in ("sanity", "zendesk")
    at = NOW if provider.tolerance is None or keeps else NOW + 60
    vector("pair-retry", provider.again, event=again, id=unique[0], at=at, now=NOW + 60, labels=later)
    vector("pair-next", provider.next, event=then, id=unique[1], at=NOW + 61)
    drop = dropper(scheme)
    word = "credential" if is_credential else "signature"
    vector(f"{word}-missing", provider.first, expect="missing_signature", change=drop, event=first)
    if is_credential:
        vector("credential-wrong", provider.first, expect="signature_mismatch", signer=provider.other, event=first)
        vector("credential-longer", provider.first, expect="signature_mismatch", signer=provider.secret + "x", event=first)
        return
    vector("wrong-key", provider.first, expect="signature_mismatch", signer=provider.other, event=first)
    if provider.tolerance is not None:
        vector("stale", provider.first, expect="stale", now=NOW + provider.tolerance + 1, event=first, note="a second older than it may be")
    if scheme == "mailgun":
        vector("digit-moved", provider.first, expect="malformed_signed_part", change=digit_moved, event=first,
               note="the time's last digit stands in front of the token: the same text is signed")
    elif scheme == "segment-batch":
        vector("first-altered", provider.first, expect="signature_mismatch", change=lambda h, b, t: (h, b.replace(b"ajs-1", b"ajs-7"), t), event=first)
    else:
        vector("body-altered", provider.first, expect="signature_mismatch", change=lambda h, b, t: (h, b + b" ", t), event=first, note="a space behind the signed body")
    if provider.binary:
        vector("binary-body", b"\xef\xbb\xbf{\"a\": \x00\xff\xfe(}\r\n\x00", id="msg_binary", event=None, note="the body is signed as bytes")
    if scheme in ("box", "docusign"):
        vector("second-header", provider.next.replace("2", "7"), secret="another key", event=None, note="the receiver knows the key of the second header alone")
    if scheme == "openai":
        vector("secret-without-prefix", provider.next, secret="a key in its own characters", signer="a key in its own characters", id="msg_7", event=None)
    if scheme in ("hubspot-v1", "hubspot-v2"):
        vector("lengthened", provider.first, expect="signature_mismatch", change=lengthened(scheme), event=first,
               note="a hash that was made longer without the secret, over the body, its padding and more")
    if scheme == "sanity":
        vector("unused-bits", provider.first, expect="malformed_signature", change=unused_bits, event=first, note="the last character's unused bits are set")
    for index, entry in enumerate(published(scheme)):
        lines = [("expect", "accept"), ("origin", entry["source"].replace("\n", " ")), ("published", "true")]
        secrets = entry["secret"] if isinstance(entry["secret"], list) else [entry["secret"]]
        lines += [("secret", secret) for secret in secrets]
        lines += [("pin", f"url={entry['url']}")] if provider.pin else []
        now = entry.get("now_unix") or NOW
        lines += [("now_ms", now * 1000), ("method", entry["method"]), ("target", "/hooks/vector")]
        lines += [("header", f"{key}: {value}") for key, value in entry["headers"].items()]
        lines += [(key, entry[key]) for key in ("event_id", "event_type") if entry.get(key)]
        write(scheme, f"published-{index + 1}", lines, (entry["body_utf8"] or "").encode())


def published(scheme):
    names = tomllib.loads((HERE.parent.parent / f"src/schemes/{scheme}.toml").read_text())["about"]["vectors"]
    entries = json.loads((HERE / "saas.json").read_text())
    return [entry for entry in entries if entry["scheme"] in names and entry["published"] and entry["expect"] == "accept"]


def dropper(scheme):
    if scheme == "mailgun":
        return lambda h, b, t: (h, json.dumps(json.loads(b) | {"signature": {key: value for key, value in json.loads(b)["signature"].items() if key != "signature"}}).encode(), t)
    if scheme == "figma":
        return lambda h, b, t: (h, b.replace(b'"passcode"', b'"passport"'), t)
    if scheme == "docker-hub":
        return lambda h, b, t: (h, b, "/hooks/vector")
    names = ("signature", "token", "authorization", "content-mac", "x-sign")
    keep = ("timestamp", "version", "algorithm")

    def drop(headers, body, target):
        def is_signature(name):
            name = name.lower()
            return any(word in name for word in names) and not any(word in name for word in keep)

        return [pair for pair in headers if not is_signature(pair[0])], body, target

    return drop


def digit_moved(headers, body, target):
    entry = json.loads(body)
    signature = entry["signature"]
    signature["token"] = signature["timestamp"][-1] + signature["token"]
    signature["timestamp"] = signature["timestamp"][:-1]
    return headers, json.dumps(entry, separators=(",", ":")).encode(), target


def unused_bits(headers, body, target):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    changed = [(name, value[:-1] + alphabet[alphabet.index(value[-1]) + 1] if name.startswith("Sanity") else value) for name, value in headers]
    return changed, body, target


def lengthened(scheme):
    """Goes on from a SHA-256 that is known, as its sender would have: the state is the hash itself."""

    def change(headers, body, target):
        provider = PROVIDERS[scheme]
        before = len(provider.secret) + (len("POST" + URL) if scheme == "hubspot-v2" else 0)
        length = before + len(body)
        padding = b"\x80" + b"\x00" * ((55 - length) % 64) + (length * 8).to_bytes(8, "big")
        tail = b',{"eventId":666}]'
        known = next(value for name, value in headers if name == "X-HubSpot-Signature")
        longer = extend(known, length + len(padding), tail)
        swapped = [(name, longer if name == "X-HubSpot-Signature" else value) for name, value in headers]
        text = body + padding + tail
        genuine = provider.secret.encode() + (b"POST" + URL.encode() if scheme == "hubspot-v2" else b"") + text
        assert hashlib.sha256(genuine).hexdigest() == longer
        return swapped, text, target

    return change


def extend(known, hashed, tail):
    """SHA-256 (FIPS 180-4) of more, from the hash of `hashed` bytes, which is a multiple of 64."""

    def primes(count):
        found = []
        candidate = 2
        while len(found) < count:
            if all(candidate % prime for prime in found):
                found.append(candidate)
            candidate += 1
        return found

    def cube(prime):
        low, high = 0, 1 << 40
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if middle**3 <= prime << 96 else (low, middle - 1)
        return low & 0xFFFFFFFF

    constants = [cube(prime) for prime in primes(64)]
    state = [int(known[index:index + 8], 16) for index in range(0, 64, 8)]
    length = hashed + len(tail)
    text = tail + b"\x80" + b"\x00" * ((55 - length) % 64) + (length * 8).to_bytes(8, "big")

    def turn(word, by):
        return (word >> by | word << (32 - by)) & 0xFFFFFFFF

    for start in range(0, len(text), 64):
        words = [int.from_bytes(text[start + index:start + index + 4], "big") for index in range(0, 64, 4)]
        for index in range(16, 64):
            one, two = words[index - 15], words[index - 2]
            small = turn(one, 7) ^ turn(one, 18) ^ one >> 3
            large = turn(two, 17) ^ turn(two, 19) ^ two >> 10
            words.append((words[index - 16] + small + words[index - 7] + large) & 0xFFFFFFFF)
        a, b, c, d, e, f, g, h = state
        for index in range(64):
            large = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)
            one = (h + large + (e & f ^ ~e & g) + constants[index] + words[index]) & 0xFFFFFFFF
            two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + (a & b ^ a & c ^ b & c)) & 0xFFFFFFFF
            a, b, c, d, e, f, g, h = (one + two) & 0xFFFFFFFF, a, b, c, (d + one) & 0xFFFFFFFF, e, f, g
        state = [(old + new) & 0xFFFFFFFF for old, new in zip(state, (a, b, c, d, e, f, g, h))]
    return "".join(f"{word:08x}" for word in state)


for scheme in sys.argv[1:] or PROVIDERS:
    make(scheme)
