//! Which proxy leads to a server, by `HTTPS_PROXY` and `NO_PROXY`.
//!
//! The variables have no standard. What is read here is what curl reads (everything.curl.dev/usingcurl/proxies/env),
//! and ports and `*.suffix` besides, as Go, Python and wget do.

use std::net::IpAddr;

use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// The proxy for `https://`, and the servers that are reached past it. Plain `http://` never goes through one: it is
/// let through only because it stays on this machine.
#[derive(Clone, Default)]
pub struct Proxies {
    https: Option<Url>,
    exceptions: Vec<Exception>,
}

/// A proxy that cannot be used. No variant shows the URL, since a password may stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a URL, or one without a host.
    #[error("it is not the URL of a proxy")]
    NotAUrl,
    /// SOCKS and the like.
    #[error("it is not an HTTP proxy")]
    NotHttp,
}

impl Error {
    /// What would be right.
    pub fn help(self) -> &'static str {
        "write `http://HOST:PORT`, or `http://USER:PASSWORD@HOST:PORT` with what is special in the password \
         percent-encoded"
    }
}

/// A server, or several, to be reached without the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Exception {
    servers: Servers,
    /// On this port alone.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Servers {
    All,
    Network(IpNet),
    /// A name, and all below it.
    Domain(String),
}

impl Proxies {
    /// Reads the values of the two variables. `no` is lenient, as it is everywhere: what cannot be read names no server.
    ///
    /// # Errors
    ///
    /// A proxy that is no URL, or none of HTTP.
    pub fn parse(https: Option<&str>, no: Option<&str>) -> Result<Self, Error> {
        let entries = no.unwrap_or_default().split([',', ' ', '\t', '\n']).filter(|entry| !entry.is_empty());
        let exceptions = entries.filter_map(Exception::parse).collect();
        Ok(Self { https: https.map(proxy).transpose()?, exceptions })
    }

    /// The proxy on the way to a server, if there is one.
    pub fn on_the_way_to(&self, server: &Url) -> Option<&Url> {
        let is_exception = || self.exceptions.iter().any(|exception| exception.names(server));
        self.https.as_ref().filter(|_| server.scheme() == "https" && !is_exception())
    }

    /// The password in the proxy's URL, if there is one: as it stands there, as it is meant, and with its user, as it is
    /// sent.
    pub fn passwords(&self) -> Vec<String> {
        let Some(url) = self.https.as_ref() else { return Vec::new() };
        let Some(written) = url.password() else { return Vec::new() };
        let meant = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let sent = format!("{}:{}", meant(url.username()), meant(written));
        vec![written.to_owned(), meant(written), sent]
    }
}

/// `HOST:PORT` alone is meant as `http://`, as everywhere.
fn proxy(text: &str) -> Result<Url, Error> {
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&whole).map_err(|_| Error::NotAUrl)?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        "http" | "https" => Err(Error::NotAUrl),
        _ => Err(Error::NotHttp),
    }
}

impl Exception {
    fn parse(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self { servers: Servers::All, port: None });
        }
        if let Some(servers) = network(entry) {
            return Some(Self { servers, port: None });
        }
        let (name, port) = match entry.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        let servers = network(name).unwrap_or_else(|| Servers::Domain(domain(name)));
        (servers != Servers::Domain(String::new())).then_some(Self { servers, port })
    }

    fn names(&self, server: &Url) -> bool {
        let is_port = self.port.is_none() || self.port == server.port_or_known_default();
        is_port && self.servers.contain(server)
    }
}

impl Servers {
    fn contain(&self, server: &Url) -> bool {
        match (self, server.host()) {
            (Self::All, _) => true,
            (Self::Network(network), Some(Host::Ipv4(address))) => network.contains(&IpAddr::V4(address)),
            (Self::Network(network), Some(Host::Ipv6(address))) => network.contains(&IpAddr::V6(address)),
            (Self::Domain(domain), Some(Host::Domain(name))) => is_within(name, domain),
            _ => false,
        }
    }
}

/// An address, with or without brackets, or a network in CIDR.
fn network(text: &str) -> Option<Servers> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = || bare.parse::<IpAddr>().map(IpNet::from);
    bare.parse().or_else(|_| address()).ok().map(Servers::Network)
}

/// `.example.com` and `*.example.com` are `example.com` and all below it, as `example.com` itself is.
fn domain(text: &str) -> String {
    text.trim_start_matches('*').trim_start_matches('.').trim_end_matches('.').to_ascii_lowercase()
}

fn is_within(name: &str, domain: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: Option<&str> = Some("http://proxy.example.com:3128");

    fn goes_direct(no: &str, server: &str) -> bool {
        let proxies = Proxies::parse(PROXY, Some(no)).unwrap();
        proxies.on_the_way_to(&Url::parse(server).unwrap()).is_none()
    }

    #[test]
    fn the_servers_that_need_no_proxy_are_told_by_name_suffix_port_address_and_network() {
        let table = [
            ("", "https://epm.example.com", false),
            ("*", "https://epm.example.com", true),
            ("epm.example.com", "https://epm.example.com", true),
            ("EPM.example.com.", "https://epm.Example.com", true),
            ("epm.example.com", "https://a.epm.example.com", true),
            ("epm.example.com", "https://other-epm.example.com", false),
            ("example.com", "https://notexample.com", false),
            (".example.com", "https://epm.example.com", true),
            (".example.com", "https://example.com", true),
            ("*.example.com", "https://epm.example.com", true),
            ("a, b ,epm.example.com", "https://epm.example.com", true),
            ("a b epm.example.com", "https://epm.example.com", true),
            ("epm.example.com:443", "https://epm.example.com", true),
            ("epm.example.com:8443", "https://epm.example.com", false),
            ("epm.example.com:8443", "https://epm.example.com:8443", true),
            ("epm.example.com:no", "https://epm.example.com", false),
            (":443", "https://epm.example.com", false),
            (".", "https://epm.example.com", false),
            ("10.0.0.7", "https://10.0.0.7", true),
            ("10.0.0.7:443", "https://10.0.0.7", true),
            ("10.0.0.7:444", "https://10.0.0.7", false),
            ("10.0.0.0/8", "https://10.200.0.7", true),
            ("10.0.0.0/8", "https://11.0.0.7", false),
            ("10.0.0.0/8", "https://epm.example.com", false),
            ("fd00::/8", "https://[fd00::7]", true),
            ("fd00::7", "https://[fd00::7]", true),
            ("[fd00::7]", "https://[fd00::7]", true),
            ("[fd00::7]:443", "https://[fd00::7]", true),
            ("[fd00::7]:444", "https://[fd00::7]", false),
            ("fd00::8", "https://[fd00::7]", false),
        ];
        for (no, server, direct) in table {
            assert_eq!(goes_direct(no, server), direct, "{no:?} and {server}");
        }
    }

    #[test]
    fn nothing_but_https_goes_through_a_proxy() {
        let way = |https, server: &str| {
            let proxies = Proxies::parse(https, None).unwrap();
            proxies.on_the_way_to(&Url::parse(server).unwrap()).map(ToString::to_string)
        };
        assert_eq!(way(PROXY, "https://a"), Some("http://proxy.example.com:3128/".to_owned()));
        assert_eq!(way(Some(" proxy:3128 "), "https://a"), Some("http://proxy:3128/".to_owned()));
        assert_eq!(way(Some("https://u:p@proxy"), "https://a"), Some("https://u:p@proxy/".to_owned()));
        assert_eq!((way(PROXY, "http://127.0.0.1"), way(None, "https://a")), (None, None));
    }

    #[test]
    fn what_is_no_http_proxy_is_refused_without_showing_it() {
        let refused = |text| Proxies::parse(Some(text), None).err();
        assert_eq!(refused("socks5://user:secret@proxy:1080"), Some(Error::NotHttp));
        for text in ["http://", "http://:secret@", "://", "http://proxy:99999", "http://a b"] {
            assert_eq!(refused(text), Some(Error::NotAUrl), "{text}");
        }
    }

    #[test]
    fn a_password_is_known_as_it_is_written_meant_and_sent() {
        let passwords = |text| Proxies::parse(Some(text), None).unwrap().passwords();
        assert_eq!(passwords("http://user:p%40ss@proxy"), ["p%40ss", "p@ss", "user:p@ss"]);
        assert!(passwords("http://proxy").is_empty());
    }
}
