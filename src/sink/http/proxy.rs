//! Which proxy the environment asks for.

use std::net::IpAddr;

use ureq::{Proxy, ProxyProtocol};

use super::endpoint::Endpoint;
use crate::sink::{Fault, SendError};

/// The proxy to the receiver; `None` if it is reached directly. `variable` reads the environment.
///
/// # Errors
///
/// Retryable, if the proxy that is asked for cannot be used: going around it would be against the
/// operator's word. Its URL may hold a password and is not shown.
pub(super) fn proxy(
    to: &Endpoint,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Proxy>, SendError> {
    let chosen = if to.is_loopback() { None } else { choose(to.is_https(), to.host(), variable) };
    let Some((name, value)) = chosen else { return Ok(None) };
    match Proxy::new(&value) {
        // The client was built without SOCKS.
        Ok(proxy) if matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https) => {
            Ok(Some(proxy))
        }
        _ => Err(SendError::retry(format!(
            "{}: {name} does not name a proxy that can be used; expected one like \
             http://proxy.example.com:3128 (SOCKS is not supported), or the host in NO_PROXY",
            to.origin()
        ))
        .with_fault(Fault::Proxy)),
    }
}

/// The variable that decides, and its value. The rules are those of curl, which most programs on
/// the machine keep to as well.
fn choose(
    https: bool,
    host: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Option<(&'static str, String)> {
    let set = |name| variable(name).filter(|value| !value.trim().is_empty());
    let first =
        |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, set(name)?)));
    let exempt = first(["no_proxy", "NO_PROXY"]);
    if exempt.is_some_and(|(_, list)| list.split([',', ' ']).any(|entry| covers(entry, host))) {
        return None;
    }
    let own =
        first(if https { ["https_proxy", "HTTPS_PROXY"] } else { ["http_proxy", "HTTP_PROXY"] });
    // To a CGI program the latter is a header `Proxy` that some client has sent.
    let cgi = set("REQUEST_METHOD").is_some();
    let own = own.filter(|(name, _)| !(cgi && *name == "HTTP_PROXY"));
    own.or_else(|| first(["all_proxy", "ALL_PROXY"]))
}

/// Whether an entry of `NO_PROXY` covers a host: `*` all of them, an address itself, a network
/// like `10.0.0.0/8` its addresses, and a name itself and all names below it, with or without a dot
/// in front.
fn covers(entry: &str, host: &str) -> bool {
    let (entry, host) = (bare(entry), bare(host));
    if entry == "*" {
        return true;
    }
    if let Ok(address) = host.parse() {
        let (network, bits) = entry.split_once('/').unwrap_or((entry, "128"));
        return network.parse().is_ok_and(|network| within(address, network, bits));
    }
    let name = entry.trim_start_matches("*.").trim_matches('.');
    let host = host.trim_end_matches('.');
    let Some(above) = host.len().checked_sub(name.len()) else { return false };
    // `get`, since an offset into a host of odd characters need not be between two of them.
    !name.is_empty()
        && host.get(above..).is_some_and(|end| end.eq_ignore_ascii_case(name))
        && (above == 0 || host.as_bytes()[above - 1] == b'.')
}

/// Without the brackets that an IPv6 address has in a URL.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Whether the first `bits` of two addresses are the same; all of them if there are fewer.
fn within(address: IpAddr, network: IpAddr, bits: &str) -> bool {
    let Ok(bits) = bits.parse::<u32>() else { return false };
    let (differing, length) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits() ^ b.to_bits()), 32_u32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits(), 128),
        _ => return false,
    };
    differing.checked_shr(length.saturating_sub(bits)).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::http::endpoint::PlainHttp;

    type Variables<'a> = &'a [(&'a str, &'a str)];

    fn chosen(https: bool, variables: Variables<'_>) -> Option<String> {
        let variable = |name: &str| Some(variables.iter().find(|(n, _)| *n == name)?.1.to_owned());
        choose(https, "example.com", variable).map(|(_, value)| value)
    }

    #[test]
    fn the_scheme_of_the_receiver_decides_and_lower_case_comes_first() {
        let all: Variables<'_> = &[
            ("https_proxy", "https lower"),
            ("HTTPS_PROXY", "https upper"),
            ("http_proxy", "http lower"),
            ("HTTP_PROXY", "http upper"),
            ("all_proxy", "all lower"),
            ("ALL_PROXY", "all upper"),
        ];
        // Each step leaves out what the step before has chosen.
        let order = |https: bool| {
            let mut left = all.to_vec();
            let mut order = Vec::new();
            while let Some(value) = chosen(https, &left) {
                left.retain(|(_, other)| *other != value);
                order.push(value);
            }
            order
        };
        assert_eq!(order(true), ["https lower", "https upper", "all lower", "all upper"]);
        assert_eq!(order(false), ["http lower", "http upper", "all lower", "all upper"]);
    }

    #[test]
    fn empty_is_unset() {
        assert_eq!(
            chosen(true, &[("https_proxy", ""), ("HTTPS_PROXY", "p")]).as_deref(),
            Some("p")
        );
        assert_eq!(chosen(true, &[("HTTPS_PROXY", " ")]), None);
        assert_eq!(chosen(true, &[]), None);
        assert_eq!(chosen(true, &[("no_proxy", ""), ("NO_PROXY", "*"), ("ALL_PROXY", "p")]), None);
    }

    #[test]
    fn a_client_of_a_cgi_program_names_no_proxy() {
        let cgi = ("REQUEST_METHOD", "POST");
        assert_eq!(chosen(false, &[cgi, ("HTTP_PROXY", "p")]), None);
        assert_eq!(chosen(false, &[cgi, ("http_proxy", "p")]).as_deref(), Some("p"));
        assert_eq!(chosen(true, &[cgi, ("HTTPS_PROXY", "p")]).as_deref(), Some("p"));
    }

    #[test]
    fn hosts_are_exempt_by_name_address_and_network() {
        for (entry, host, covered) in [
            ("*", "example.com", true),
            ("example.com", "example.com", true),
            ("EXAMPLE.com", "Example.COM", true),
            ("example.com", "a.b.example.com", true),
            (".example.com", "a.example.com", true),
            (".example.com", "example.com", true),
            ("*.example.com", "a.example.com", true),
            ("example.com.", "example.com", true),
            ("example.com", "example.com.", true),
            ("example.com", "badexample.com", false),
            ("a.example.com", "example.com", false),
            ("example.com", "example.com.org", false),
            ("example", "example.com", false),
            ("", "example.com", false),
            (".", "example.com", false),
            ("xample.com", "\u{e9}xample.com", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.10", false),
            ("2.1", "192.0.2.1", false),
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.128/25", "192.0.2.127", false),
            ("0.0.0.0/0", "192.0.2.1", true),
            ("0.0.0.0/0", "[2001:db8::1]", false),
            ("192.0.2.0/x", "192.0.2.1", false),
            ("2001:db8::/32", "[2001:db8:1::1]", true),
            ("2001:db8::/32", "[2001:db9::1]", false),
            ("2001:db8::1", "[2001:DB8:0::1]", true),
            ("[2001:db8::1]", "[2001:db8::1]", true),
            ("192.0.2.0/24", "example.com", false),
        ] {
            assert_eq!(covers(entry, host), covered, "{entry:?} {host:?}");
        }
    }

    #[test]
    fn a_list_has_commas_or_spaces() {
        let to = |list| chosen(true, &[("ALL_PROXY", "p"), ("NO_PROXY", list)]);
        assert_eq!(to("example.org,other.example"), Some("p".to_owned()));
        for list in ["example.org, example.com", "a,,example.com", "a example.com", " example.com "]
        {
            assert_eq!(to(list), None, "{list:?}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_named_without_its_value() {
        let outcome = |url: &str, value: &str| {
            let to = Endpoint::parse(url, PlainHttp::Anywhere).expect("a usable URL");
            proxy(&to, |name| (name == "ALL_PROXY").then(|| value.to_owned()))
        };
        for value in ["http://u:secret@p:3128", "https://p", "p:3128", "HTTP://p"] {
            assert!(outcome("https://example.com/", value).is_ok_and(|p| p.is_some()), "{value}");
            assert!(outcome("http://127.0.0.1/", value).is_ok_and(|p| p.is_none()), "{value}");
        }
        for value in ["socks5://u:secret@p:1080", "ftp://secret", "http://", "a secret", "http://%"]
        {
            let error = outcome("https://example.com/", value).expect_err("no such proxy");
            assert!(error.is_retryable() && error.fault() == Fault::Proxy, "{error:?}");
            let text = error.to_string();
            assert!(text.contains("ALL_PROXY") && !text.contains("secret"), "{text}");
        }
    }
}
