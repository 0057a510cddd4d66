//! What the Worker tries.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use super::plant::*;

/// One for each hypothesis that the Worker tries, and some more of the dear ones.
pub fn plants() -> Vec<Plant> {
    let key = SECRET.as_bytes();
    let body = BODY.as_bytes();
    let text = BODY.trim_end();
    let whsec = STANDARD.decode(&WHSEC[6..]).unwrap();
    let all = format!("msg_1.{TIME}.{BODY}");
    let v1 = |tag: &[u8]| format!("v1,{}", STANDARD.encode(tag));
    let retired = github("retired_secret", b"rotated-out", body, body);
    let mut sha1 = Hmac::<Sha1>::new_from_slice(key).unwrap();
    sha1.update(body);
    let sha1 = sha1.finalize().into_bytes();
    let mut sha512 = Hmac::<Sha512>::new_from_slice(key).unwrap();
    sha512.update(format!("{TIME}.{BODY}").as_bytes());
    let sha512 = format!("t={TIME},v1={}", hex(&sha512.finalize().into_bytes()));
    let stamped = format!("{TIME}.{BODY}");
    let pretty = "{\n  \"id\": \"evt_1\",\n  \"note\": \"caf\u{e9} a/b\",\n  \"amount\": 1.50\n}";
    let spaced = "{\"id\": \"evt_1\", \"note\": \"caf\u{e9} a/b\", \"amount\": 1.50}";
    let sorted = "{\"amount\":1.5,\"id\":\"evt_1\",\"note\":\"caf\u{e9} a/b\"}";
    let sorted_spaced = "{\"amount\": 1.5, \"id\": \"evt_1\", \"note\": \"caf\u{e9} a/b\"}";
    vec![
        Plant {
            retired: Some("rotated-out"),
            ..retired
        },
        standard("secret_not_decoded", &WHSEC.as_bytes()[6..], &all, v1),
        standard("secret_prefix_kept", WHSEC.as_bytes(), &all, v1),
        stripe(
            "secret_prefix_removed",
            WHSEC,
            &WHSEC.as_bytes()[6..],
            TIME,
            &stamped,
        ),
        stripe("secret_decoded", WHSEC, &whsec, TIME, &stamped),
        Plant {
            secret: "00ff10203040".into(),
            ..github("secret_decoded", &[0, 255, 16, 32, 48, 64], body, body)
        },
        github("secret_unset", b"", body, body),
        github("secret_unset", b"undefined", body, body),
        github(
            "secret_whitespace",
            format!("{SECRET}\n").as_bytes(),
            body,
            body,
        ),
        github(
            "secret_whitespace",
            format!("{SECRET}\r\n").as_bytes(),
            body,
            body,
        ),
        github(
            "secret_quotes",
            format!("\"{SECRET}\"").as_bytes(),
            body,
            body,
        ),
        Plant {
            secret: format!("'{SECRET}'"),
            ..github("secret_quotes", key, body, body)
        },
        github_written("signature_in_base64", |tag| {
            format!("sha256={}", STANDARD.encode(tag))
        }),
        standard("signature_in_hex", &whsec, &all, |tag| {
            format!("v1,{}", hex(tag))
        }),
        standard("signature_in_base64url", &whsec, &all, |tag| {
            format!("v1,{}", URL_SAFE_NO_PAD.encode(tag))
        }),
        github_written("signature_upper_case", |tag| {
            format!("sha256={}", hex(tag).to_uppercase())
        }),
        github_written("signature_encoded_twice", |tag| {
            format!("sha256={}", STANDARD.encode(hex(tag)))
        }),
        standard("signature_encoded_twice", &whsec, &all, |tag| {
            format!("v1,{}", STANDARD.encode(hex(tag)))
        }),
        github_written("signature_prefix", hex),
        github_written("signature_prefix", |tag| format!("v1={}", hex(tag))),
        standard("signature_prefix", &whsec, &all, |tag| STANDARD.encode(tag)),
        plant("signature_prefix", "shopify", SECRET, {
            let signature = format!("sha256={}", STANDARD.encode(sha256(key, body)));
            request(
                "/hooks/vector",
                &[("x-shopify-hmac-sha256", signature)],
                body,
            )
        }),
        plant("signature_prefix", "cloudevents", SECRET, {
            request(
                "/hooks/vector",
                &[("authorization", SECRET.to_owned())],
                body,
            )
        }),
        github_written("other_hash", move |_| format!("sha256={}", hex(&sha1))),
        plant(
            "other_hash",
            "stripe",
            SECRET,
            request("/hooks/vector", &[("stripe-signature", sha512)], body),
        ),
        stripe(
            "time_unit",
            SECRET,
            key,
            "1760000000000",
            &format!("1760000000000.{BODY}"),
        ),
        stripe(
            "time_signed_otherwise",
            SECRET,
            key,
            TIME,
            &format!("2025-10-09T08:53:20.000Z.{BODY}"),
        ),
        stripe(
            "time_signed_otherwise",
            SECRET,
            key,
            TIME,
            &format!("1760000000000.{BODY}"),
        ),
        github("body_newline_added", key, body, text.as_bytes()),
        github("body_newline_removed", key, text.as_bytes(), body),
        github("body_crlf", key, b"a\r\nb\r\n", b"a\nb\n"),
        github(
            "body_lf",
            key,
            b"a\nb\r\r\nc\n".strip_suffix(b"").unwrap(),
            b"a\r\nb\r\r\r\nc\n",
        ),
        github("body_bom_removed", key, b"{}", b"\xef\xbb\xbf{}"),
        github("body_bom_added", key, b"\xef\xbb\xbf{}", b"{}"),
        github("body_compact", key, text.as_bytes(), pretty.as_bytes()),
        github("body_spaced", key, spaced.as_bytes(), body),
        github("body_pretty", key, pretty.as_bytes(), body),
        github("body_sorted", key, sorted.as_bytes(), body),
        github("body_sorted", key, sorted_spaced.as_bytes(), body),
        github("body_not_signed", key, b"", body),
        stripe("body_not_signed", SECRET, key, TIME, &format!("{TIME}.")),
        stripe("body_not_signed", SECRET, key, TIME, TIME),
        github("body_hex_decoded", key, b"\x01\xfe", b"01fe"),
        github(
            "body_digest",
            key,
            hex(&Sha256::digest(body)).as_bytes(),
            body,
        ),
        github("body_digest", key, &Sha256::digest(body), body),
        stripe("body_only", SECRET, key, TIME, BODY),
        standard(
            "parts_in_other_order",
            &whsec,
            &format!("{TIME}.msg_1.{BODY}"),
            v1,
        ),
        stripe(
            "parts_in_other_order",
            SECRET,
            key,
            TIME,
            &format!("{BODY}.{TIME}"),
        ),
        stripe(
            "separators_missing",
            SECRET,
            key,
            TIME,
            &format!("{TIME}{BODY}"),
        ),
        stripe("time_changed", SECRET, key, "1760000002", &stamped),
        plant("time_changed", "slack", SECRET, {
            let signature = hex(&sha256(key, format!("v0:1759999998:{BODY}").as_bytes()));
            let headers = [
                ("x-slack-request-timestamp", TIME.to_owned()),
                ("x-slack-signature", format!("v0={signature}")),
            ];
            request("/hooks/vector", &headers, body)
        }),
    ]
}
