//! Which fault an error of reqwest is: what lies beneath it, and is told by type where there is one.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use rustls::{AlertDescription, CertificateError, Error as Tls, InvalidMessage, OtherError};

use super::Fault;
use crate::foreign::quote;
use crate::http::verify::{Problem, Unverified};

impl Fault {
    /// What reqwest's error means. `limit` is how long the request had.
    pub(in crate::http) fn of(error: &reqwest::Error, host: &str, limit: Duration) -> Self {
        if let Some(fault) = chain(error).find_map(|cause| of_tls(cause, error.is_connect(), host)) {
            return fault;
        }
        if error.is_connect()
            && let Some(fault) = chain(error).find_map(|cause| of_proxy(cause, error, host))
        {
            return fault;
        }
        let host = host.to_owned();
        if error.is_dns() {
            return Self::Unresolved { host };
        }
        if error.is_connect() {
            return Self::NoConnection { host, reason: why_unconnected(error) };
        }
        if error.is_timeout() {
            return Self::Timeout { host, limit };
        }
        Self::Broken { host, reason: root_cause(error) }
    }
}

/// What kept TLS from beginning, where this cause is of that. In the midst of a connection the same errors are others,
/// but for one: a server of TLS 1.3 that misses a certificate of ours says so when the connection is open to us already,
/// and has read nothing from it by then (RFC 8446 §4.4.2.4, §6.2; rustls offers no authentication later on).
fn of_tls(cause: &(dyn StdError + 'static), is_connect: bool, host: &str) -> Option<Fault> {
    let reason = match cause.downcast_ref()? {
        Tls::InvalidCertificate(error) => return Some(of_certificate(error, host)),
        Tls::AlertReceived(AlertDescription::CertificateRequired) => {
            "it wants a client certificate, which cannot be given"
        }
        Tls::InvalidMessage(InvalidMessage::InvalidContentType) if is_connect => {
            "what answers there does not speak TLS"
        }
        Tls::AlertReceived(AlertDescription::ProtocolVersion) if is_connect => "it speaks neither TLS 1.2 nor 1.3",
        Tls::AlertReceived(AlertDescription::HandshakeFailure) if is_connect => {
            "it has no cipher in common with this program, or wants a client certificate, which cannot be given"
        }
        _ => return None,
    };
    Some(Fault::NoConnection { host: host.to_owned(), reason: reason.to_owned() })
}

/// What [`verify`](crate::http::verify) says of a certificate; or what rustls says of the handshake that goes with it.
fn of_certificate(error: &CertificateError, host: &str) -> Fault {
    let known = match error {
        CertificateError::Other(OtherError(error)) => error.downcast_ref::<Unverified>(),
        _ => None,
    };
    let host = host.to_owned();
    match known.cloned() {
        Some(Unverified { server, problem }) if is_name_of(&server, &host) => Fault::Certificate { host, problem },
        Some(Unverified { server, problem }) => Fault::Certificate { host: server, problem },
        None => {
            let words = match error {
                CertificateError::BadSignature => {
                    "the server did not sign with its key, or with one of RSA below 2048 bits".to_owned()
                }
                other => quote(&other.to_string()),
            };
            Fault::Certificate { host, problem: Problem::Other { words } }
        }
    }
}

/// Whether this is the name or the address in `host`, which may have a port.
fn is_name_of(server: &str, host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    [host, name].iter().any(|name| name.trim_matches(['[', ']']) == server)
}

/// What a proxy did, where this cause is of one: hyper-util's error of a tunnel has no type that could be asked, only
/// these texts, and no code but 407.
fn of_proxy(cause: &(dyn StdError + 'static), error: &reqwest::Error, host: &str) -> Option<Fault> {
    let host = host.to_owned();
    match cause.to_string().strip_prefix("tunnel error: ")? {
        "proxy authorization required" => Some(Fault::ProxyDenied { host }),
        "unsuccessful" => Some(Fault::ProxyRefused { host }),
        "failed to create underlying connection" => Some(Fault::NoProxy { host, reason: why_unconnected(error) }),
        _ => None,
    }
}

fn why_unconnected(error: &reqwest::Error) -> String {
    match root_cause(error) {
        _ if is_timeout(error) => "it was not opened in time".to_owned(),
        // reqwest's own fault, and only there (its issue 3094).
        root if root == "`Invalid Server Name`" => {
            "an IPv6 address cannot be asked through a proxy; name a host, or put the address into `NO_PROXY`"
                .to_owned()
        }
        root => root,
    }
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn StdError + 'static) = *error;
        // An `io::Error` passes over what it wraps: its source is the source of that.
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    })
}

fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let cause = chain(error).last().map(ToString::to_string).unwrap_or_default();
    quote(&cause)
}

fn is_timeout(error: &(dyn StdError + 'static)) -> bool {
    chain(error).any(|cause| {
        let of_system = cause.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::TimedOut);
        of_system || cause.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout)
    })
}

#[cfg(test)]
mod tests;
