//! The way to EPM as far as a connection: what is used of what was given, which proxy leads where, addresses, TCP.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use crate::epm::url::EpmUrl;
use crate::foreign::quote;
use crate::http::fault::Fault;
use crate::http::proxy::Proxies;
use crate::http::url::host;
use crate::outcome::Outcome;
use crate::pace::brief;

use super::finding::Finding;

/// The variables that speak of proxies; none where they are not set.
pub struct Variables {
    /// Which one gives the proxy.
    pub proxy: Option<String>,
    /// Which one names what is reached past it.
    pub exceptions: Option<String>,
}

/// Where the first connection goes: to the server, or to the proxy on the way to it.
pub(super) struct Hop {
    host: Host<String>,
    port: u16,
    is_proxy: bool,
}

/// What is used of the URL that was given.
pub(super) fn url(url: &EpmUrl, given: &str) -> Finding {
    let (used, given) = (url.to_string(), given.trim());
    let host = quote(&url.host());
    let prefix = url.place().strip_prefix(&url.host()).map(str::to_owned).filter(|prefix| !prefix.is_empty());
    let prefix = prefix.map(|prefix| format!(", prefix {}", quote(&prefix))).unwrap_or_default();
    let cut = if used.eq_ignore_ascii_case(given.trim_end_matches('/')) {
        String::new()
    } else {
        format!("; used of {}", quote(given))
    };
    Finding::ok(format!("{}: host {host}{prefix}{cut}", quote(&used)))
}

/// Which proxies lead to EPM and to the identity service, and by which variable. No password of theirs is shown.
pub(super) fn ways(proxies: &Proxies, variables: &Variables, epm: &Url, identity: Option<&Url>) -> String {
    let to_epm = format!("to {} {}", quote(&host(epm)), way(proxies, variables, epm));
    match identity {
        Some(identity) => {
            let to_identity = way(proxies, variables, identity);
            format!("{to_epm}; to the identity service {} {to_identity}", quote(&host(identity)))
        }
        None => to_epm,
    }
}

fn way(proxies: &Proxies, variables: &Variables, server: &Url) -> String {
    let named = |variable: &Option<String>| variable.as_deref().map(quote).unwrap_or_default();
    match (proxies.on_the_way_to(server), &variables.proxy) {
        (Some(proxy), _) => {
            let user = if proxy.username().is_empty() { "" } else { ", with credentials for it" };
            format!("through the proxy {} (by {}){user}", quote(&host(proxy)), named(&variables.proxy))
        }
        (None, Some(_)) if server.scheme() == "http" => "directly: plain `http://` goes through no proxy".to_owned(),
        (None, Some(_)) => {
            format!("directly, past the proxy of {}, by {}", named(&variables.proxy), named(&variables.exceptions))
        }
        (None, None) => "directly: no proxy is set".to_owned(),
    }
}

impl Hop {
    /// On the way to a server.
    pub(super) fn towards(proxies: &Proxies, server: &Url) -> Self {
        let proxy = proxies.on_the_way_to(server);
        let next = proxy.unwrap_or(server);
        let host = next.host().map_or_else(|| Host::Domain(String::new()), |host| host.to_owned());
        Self { host, port: next.port_or_known_default().unwrap_or_default(), is_proxy: proxy.is_some() }
    }

    fn name(&self) -> String {
        let what = if self.is_proxy { "the proxy " } else { "" };
        format!("{what}{}", quote(&self.host.to_string()))
    }
}

/// The addresses of the host.
pub(super) async fn resolve(hop: &Hop, until: Instant, limit: Duration) -> Result<Vec<SocketAddr>, Finding> {
    let name = match &hop.host {
        Host::Domain(name) => name.clone(),
        Host::Ipv4(address) => return Ok(vec![SocketAddr::new((*address).into(), hop.port)]),
        Host::Ipv6(address) => return Ok(vec![SocketAddr::new((*address).into(), hop.port)]),
    };
    let unresolved = Fault::Unresolved { host: name.clone() };
    let Ok(found) = timeout_at(until, lookup_host((name.as_str(), hop.port))).await else {
        let what = format!("the name {} was not resolved within {}", quote(&name), brief(limit));
        return Err(Finding::failed(Outcome::Unreachable, what, unresolved.help()));
    };
    let found: Vec<SocketAddr> = found.map(Iterator::collect).unwrap_or_default();
    if found.is_empty() {
        return Err(Finding::failed(Outcome::Unreachable, unresolved.to_string(), unresolved.help()));
    }
    Ok(found)
}

/// What was resolved.
pub(super) fn resolved(hop: &Hop, addresses: &[SocketAddr]) -> Finding {
    if !matches!(hop.host, Host::Domain(_)) {
        return Finding::ok(format!("{} is an address already", hop.name()));
    }
    let told: Vec<String> = addresses.iter().map(|address| quote(&address.ip().to_string())).collect();
    Finding::ok(format!(
        "{} has the address{} {}",
        hop.name(),
        if told.len() == 1 { "" } else { "es" },
        told.join(", ")
    ))
}

/// Connects to one of the addresses, each of which has its share of the time.
pub(super) async fn connect(hop: &Hop, addresses: &[SocketAddr], until: Instant) -> Finding {
    let mut dead = Vec::new();
    for (index, address) in addresses.iter().enumerate() {
        let left = until.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        let reason = match timeout_at(Instant::now() + share, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return connected(hop, address, &dead),
            Ok(Err(error)) => quote(&error.to_string()),
            Err(_) => format!("no answer within {}", brief(share)),
        };
        dead.push(format!("{} ({reason})", quote(&address.to_string())));
    }
    let what = format!("no connection to {}: {}", hop.name(), dead.join(", "));
    let proxy = "check host and port of the proxy, and whether this machine may reach it";
    let direct = "check the network, firewall and allowlist between this machine and the service, and whether it is \
                  reached by a proxy alone (`HTTPS_PROXY`)";
    Finding::failed(Outcome::Unreachable, what, if hop.is_proxy { proxy } else { direct })
}

fn connected(hop: &Hop, address: &SocketAddr, dead: &[String]) -> Finding {
    let dead = if dead.is_empty() { String::new() } else { format!("; not to {}", dead.join(", ")) };
    Finding::ok(format!("connected to {} at {}{dead}", hop.name(), quote(&address.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(proxy: Option<&str>, exceptions: Option<&str>) -> Variables {
        Variables { proxy: proxy.map(str::to_owned), exceptions: exceptions.map(str::to_owned) }
    }

    fn parsed(url: &str) -> Url {
        Url::parse(url).unwrap()
    }

    #[test]
    fn what_is_used_of_the_url_is_told() {
        let told = |given: &str| url(&EpmUrl::parse(given).unwrap(), given).what;
        assert_eq!(told("https://epm.example.com/"), "`https://epm.example.com`: host `epm.example.com`");
        assert_eq!(
            told("https://gw.example.com:8443/prod/epmcloud"),
            "`https://gw.example.com:8443/prod`: host `gw.example.com:8443`, prefix `/prod`; used of \
             `https://gw.example.com:8443/prod/epmcloud`"
        );
    }

    #[test]
    fn the_way_is_told_with_its_variable_and_without_the_proxy_s_password() {
        let epm = parsed("https://epm.example.com");
        let identity = parsed("https://idcs.example.com/oauth2/v1/token");
        let proxies = Proxies::parse(Some("http://bob:s3cret@proxy:3128"), Some("idcs.example.com")).unwrap();
        let set = variables(Some("HTTPS_PROXY"), Some("no_proxy"));
        assert_eq!(
            ways(&proxies, &set, &epm, Some(&identity)),
            "to `epm.example.com` through the proxy `proxy:3128` (by `HTTPS_PROXY`), with credentials for it; to the \
             identity service `idcs.example.com` directly, past the proxy of `HTTPS_PROXY`, by `no_proxy`"
        );
        assert_eq!(
            ways(&proxies, &set, &parsed("http://127.0.0.1:8080"), None),
            "to `127.0.0.1:8080` directly: plain `http://` goes through no proxy"
        );
        let none = ways(&Proxies::default(), &variables(None, None), &epm, None);
        assert_eq!(none, "to `epm.example.com` directly: no proxy is set");
    }

    #[test]
    fn the_first_hop_is_the_proxy_where_there_is_one() {
        let proxies = Proxies::parse(Some("proxy.example.com:3128"), Some("10.0.0.0/8")).unwrap();
        let hop = |url: &str| {
            let hop = Hop::towards(&proxies, &parsed(url));
            (hop.host.to_string(), hop.port, hop.is_proxy)
        };
        assert_eq!(hop("https://epm.example.com"), ("proxy.example.com".to_owned(), 3128, true));
        assert_eq!(hop("https://10.1.2.3:8443"), ("10.1.2.3".to_owned(), 8443, false));
        assert_eq!(hop("http://[::1]:80"), ("[::1]".to_owned(), 80, false));
    }

    #[tokio::test]
    async fn a_dead_address_is_passed_over_and_told() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let living = listener.local_addr().unwrap();
        // What was bound and dropped refuses.
        let dead = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let hop = Hop { host: Host::Domain("epm.example.com".to_owned()), port: 1, is_proxy: false };
        let until = Instant::now() + Duration::from_secs(10);
        let found = connect(&hop, &[dead, living], until).await;
        assert_eq!(found.state, crate::report::steps::State::Ok);
        assert!(found.what.contains(&format!("`{living}`; not to `{dead}` (")), "{}", found.what);
        let failed = connect(&hop, &[dead], until).await;
        assert_eq!(failed.outcome, Some(Outcome::Unreachable));
        assert!(failed.what.starts_with("no connection to `epm.example.com`: `127.0.0.1:"), "{}", failed.what);
    }
}
