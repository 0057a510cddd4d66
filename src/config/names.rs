//! What names may look like in a sources file.

/// Of a source, a tenant, a destination: 1 to 64 of `a-z`, `0-9` and `-`.
pub(super) fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Of a secret or a variable, as environments have them: 1 to 64 of `A-Z`, `0-9` and `_`, a letter first.
pub(super) fn is_secret_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        && text.starts_with(|first: char| first.is_ascii_uppercase())
}
