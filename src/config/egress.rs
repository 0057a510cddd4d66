//! Where nothing may be sent: addresses that mean something else on every network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Worker variable: lets what is sent go to this machine or its network, where `"true"`.
const ALLOW_PRIVATE_DESTINATIONS: &str = "ALLOW_PRIVATE_DESTINATIONS";

/// Whether what is sent may go to a private network here. Whatever the variable says elsewhere: a deployed
/// gate must not be led into a network.
pub fn may_be_private(environment: &str, variable: impl FnOnce(&str) -> Option<String>) -> bool {
    matches!(environment, "development" | "test")
        && variable(ALLOW_PRIVATE_DESTINATIONS).as_deref() == Some("true")
}

/// Names that are never public (RFC 6761, RFC 6762, RFC 8375, and ICANN's `internal`).
const PRIVATE_NAMES: [&str; 5] = ["localhost", "local", "internal", "home.arpa", "test"];

/// Whether the host of an http or https URL is a private, link-local or otherwise special address, or
/// a name that only a private network knows. A number that is no plain IPv4 address counts as one,
/// because URL parsers read it as an address all the same (`0x7f.1`, `2130706433`), and so does a host with
/// `%`, which they decode.
pub fn is_private(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some(inside) = authority.strip_prefix('[') {
        let address = inside.split(']').next().unwrap_or_default().parse();
        return address.map_or(true, is_private_v6);
    }
    if authority.contains('%') {
        return true;
    }
    let host = authority.split(':').next().unwrap_or_default();
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let last = host.rsplit('.').next().unwrap_or_default();
    let hex = last
        .strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    if hex || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return host.parse().map_or(true, is_private_v4);
    }
    let is_below = |name: &str| {
        host.strip_suffix(name)
            .is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    PRIVATE_NAMES.iter().any(|name| is_below(name))
}

/// The special-purpose registry (RFC 6890): what is not reachable from everywhere.
fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || first == 0
        || first >= 240
        || (first == 100 && (64..128).contains(&second))
        || (first == 192 && second == 0 && third == 0)
        || (first == 198 && (18..20).contains(&second))
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    // An IPv4 address in disguise is judged as what it is.
    if let IpAddr::V4(inside) = IpAddr::V6(address).to_canonical() {
        return is_private_v4(inside);
    }
    // Global unicast is 2000::/3; 2002::/16 and 64:ff9b::/96 lead to IPv4 addresses.
    let segments = address.segments();
    segments[0] & 0xe000 != 0x2000 || segments[0] == 0x2002
}

#[cfg(test)]
mod tests {
    use super::is_private;

    #[test]
    fn private_addresses_are_known_in_every_spelling() {
        for url in [
            "http://127.0.0.1:8788/",
            "http://localhost/",
            "https://LOCALHOST./",
            "https://a.localhost/",
            "https://printer.local/",
            "https://db.internal:5432/x",
            "https://10.0.0.1/",
            "https://172.16.0.1/",
            "https://172.31.255.255/",
            "https://192.168.1.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/",
            "https://0.0.0.0/",
            "https://255.255.255.255/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://127.0.0.0x1/",
            "https://[::1]/",
            "https://[::]/",
            "https://[fe80::1]/",
            "https://[fd00::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[::ffff:a00:1]/",
            "https://[64:ff9b::a00:1]/",
            "https://[2002:a00:1::]/",
            "https://[x]/",
            "https://10.0.0.%31/hook",
            "https://%6cocalhost/hook",
            "https://backend.example%2e/",
        ] {
            assert!(is_private(url), "{url}");
        }
        for url in [
            "https://backend.example/",
            "https://backend.example:8443/10.0.0.1",
            "https://8.8.8.8/",
            "https://172.32.0.1/",
            "https://[2606:4700::1111]:443/",
            "https://localhost.example/",
            "https://mylocal/",
            "https://backend.example/%6cocalhost",
        ] {
            assert!(!is_private(url), "{url}");
        }
    }
}
