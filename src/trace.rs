//! W3C Trace Context (level 1): one `traceparent` from the sender's request to the backend's.

/// Takes over a valid `traceparent` with a new span, or starts a trace. `random` is 24 fresh bytes.
///
/// Source: <https://www.w3.org/TR/trace-context/#traceparent-header>. An invalid header is treated
/// as absent, as section 4.3 asks.
pub fn continue_or_start(header: Option<&str>, random: &[u8; 24]) -> String {
    let hex = crate::hex::encode(random);
    let (trace, span) = hex.split_at(32);
    match header.and_then(parse) {
        Some((trace, flags)) => ["00", trace, span, flags].join("-"),
        None => ["00", trace, span, "01"].join("-"),
    }
}

/// The trace id of a `traceparent` that we made.
pub fn trace_id(traceparent: &str) -> &str {
    traceparent.split('-').nth(1).unwrap_or_default()
}

fn parse(header: &str) -> Option<(&str, &str)> {
    let header = header.trim();
    let lower_hex = |text: &str, length: usize| {
        text.len() == length
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let not_zero = |text: &str| text.bytes().any(|byte| byte != b'0');
    let mut fields = header.split('-');
    let (version, trace, span, flags) = (
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
    );
    let sound = lower_hex(version, 2)
        && version != "ff"
        && lower_hex(trace, 32)
        && not_zero(trace)
        && lower_hex(span, 16)
        && not_zero(span)
        && lower_hex(flags, 2)
        && (version != "00" || fields.next().is_none());
    sound.then_some((trace, flags))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_valid_trace_is_continued_under_a_new_span() {
        let made = continue_or_start(Some(&format!("00-{TRACE}-00f067aa0ba902b7-00")), &[7; 24]);
        assert_eq!(made, format!("00-{TRACE}-0707070707070707-00"));
        assert_eq!(trace_id(&made), TRACE);
        assert!(
            continue_or_start(
                Some(&format!("cc-{TRACE}-00f067aa0ba902b7-01-future")),
                &[7; 24]
            )
            .contains(TRACE)
        );
    }

    #[test]
    fn anything_else_starts_a_trace() {
        for header in [
            None,
            Some(String::new()),
            Some(format!("ff-{TRACE}-00f067aa0ba902b7-01")),
            Some(format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32))),
            Some(format!("00-{TRACE}-{}-01", "0".repeat(16))),
            Some(format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase())),
            Some(format!("00-{TRACE}-00f067aa0ba902b7-01-x")),
            Some(format!(
                "00-{TRACE}-00f067aa0ba902b7-01, 00-{TRACE}-00f067aa0ba902b7-01"
            )),
        ] {
            let made = continue_or_start(header.as_deref(), &[1; 24]);
            assert_eq!(
                made,
                format!("00-{}-{}-01", "01".repeat(16), "01".repeat(8)),
                "{header:?}"
            );
        }
    }
}
