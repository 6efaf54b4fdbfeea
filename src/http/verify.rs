//! Whether a server is who it says. webpki decides that, and what it refuses stays refused, but for one certificate: the
//! server's own, where the user gave it. What is added is why, in words.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};

use super::certificate::Certificate;
use super::roots::Roots;
use crate::foreign::{Foreign, quote};
use crate::pace::utc;

/// A server that did not show who it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate of {} does not verify: {problem}", quote(server))]
pub struct Unverified {
    /// By which name it was spoken to: that of a proxy, where TLS leads to one.
    pub server: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It, or that of an authority above it, was valid until then.
    #[error("it expired at {}", utc(*at))]
    Expired {
        /// The last second.
        at: Timestamp,
    },
    /// It, or that of an authority above it, is valid from then on.
    #[error("it is not valid before {}, and this machine's clock says {}", utc(*at), utc(*now))]
    NotValidYet {
        /// The first second.
        at: Timestamp,
        /// What this machine takes for the time.
        now: Timestamp,
    },
    /// It names others.
    #[error("{}", whose(names))]
    OtherHost {
        /// Whom it names.
        names: Vec<Foreign>,
    },
    /// Nobody else vouches for it.
    #[error("it is self-signed")]
    SelfSigned,
    /// Nobody knows who vouches for it.
    #[error("its issuer {} is not known", quote(issuer.as_str()))]
    UnknownIssuer {
        /// Who vouches for it, or for the last of those in between.
        issuer: Foreign,
    },
    /// Signed by somebody who has the name of one who is known, and another key.
    #[error("its issuer calls itself {}, and is not the one that is known by this name", quote(issuer.as_str()))]
    OtherIssuer {
        /// What the issuer calls itself.
        issuer: Foreign,
    },
    /// It was taken back.
    #[error("it was revoked")]
    Revoked,
    /// Anything else.
    #[error("{words}")]
    Other {
        /// What webpki says.
        words: String,
    },
}

impl Problem {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Expired { .. } => {
                "have the certificate renewed, or set this machine's clock if it is ahead; no switch turns verification off"
            }
            Self::NotValidYet { .. } => {
                "set this machine's clock if it is behind, or wait for the certificate; no switch turns verification off"
            }
            Self::OtherHost { .. } => {
                "check the host in the URL, or have a certificate made that names it; no switch turns verification off"
            }
            Self::SelfSigned => {
                "give this very certificate by `--ca-cert FILE` or `SSL_CERT_FILE` if it is the server's, got from whoever \
                 runs it; no switch turns verification off"
            }
            Self::UnknownIssuer { .. } | Self::OtherIssuer { .. } => {
                "give the certificate of that authority (your company's, or that of a proxy which inspects TLS) by \
                 `--ca-cert FILE` or `SSL_CERT_FILE`; if it is a public one, the server does not send the certificates in \
                 between; no switch turns verification off"
            }
            Self::Revoked | Self::Other { .. } => {
                "have another certificate made for the server; no switch turns verification off"
            }
        }
    }

    /// What webpki's error means, of the certificates that were presented.
    fn of(error: &CertificateError, server: &[u8], between: &[CertificateDer<'_>], now: UnixTime) -> Self {
        let presented = Certificate::read(server);
        let is_self_signed = presented.as_ref().is_some_and(|certificate| certificate.is_self_signed);
        let issuer = presented.map_or(Foreign::new(""), |certificate| topmost(certificate, between).issuer);
        match error {
            CertificateError::ExpiredContext { not_after, .. } => Self::Expired { at: moment(*not_after) },
            CertificateError::NotValidYetContext { not_before, .. } => {
                Self::NotValidYet { at: moment(*not_before), now: moment(now) }
            }
            CertificateError::NotValidForNameContext { presented, .. } => {
                Self::OtherHost { names: presented.iter().filter_map(|name| host(name)).collect() }
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature if is_self_signed => Self::SelfSigned,
            CertificateError::UnknownIssuer => Self::UnknownIssuer { issuer },
            CertificateError::BadSignature => Self::OtherIssuer { issuer },
            CertificateError::Revoked => Self::Revoked,
            error if is_of_authority(error) && is_self_signed => Self::SelfSigned,
            error if is_of_authority(error) => Self::Other { words: "it is that of an authority".to_owned() },
            other => Self::Other { words: quote(&other.to_string()) },
        }
    }
}

/// Verifies servers.
#[derive(Debug)]
pub(super) struct Verifier {
    roots: RootCertStore,
    /// What the user gave: beside authorities, a server's own certificate.
    given: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// Trusts these alone.
    pub(super) fn new(roots: &Roots, provider: &CryptoProvider) -> Self {
        let algorithms = provider.signature_verification_algorithms;
        Self { roots: roots.store(), given: roots.added().to_vec(), algorithms }
    }

    fn verify(
        &self,
        server: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let certificate = ParsedCertificate::try_from(server)?;
        let signatures = self.algorithms.all;
        match verify_server_cert_signed_by_trust_anchor(&certificate, &self.roots, between, now, signatures) {
            // `openssl req -x509` makes a server's certificate that may sign others too, which webpki takes from nobody.
            // Here the user vouches for it, and whoever has its key could as well have signed another with it. Its dates
            // were looked at before.
            Err(Error::InvalidCertificate(error)) if is_of_authority(&error) && self.given.contains(server) => {}
            other => other?,
        }
        verify_server_name(&certificate, name)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.verify(server, between, name, now) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(Error::InvalidCertificate(error)) => {
                let problem = Problem::of(&error, server, between, now);
                let unverified = Unverified { server: name.to_str().into_owned(), problem };
                Err(CertificateError::Other(OtherError(Arc::new(unverified))).into())
            }
            Err(other) => Err(other),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Whether webpki refused a server's certificate for being one that may sign others. Its error has no type here, only
/// this text.
fn is_of_authority(error: &CertificateError) -> bool {
    matches!(error, CertificateError::Other(OtherError(error)) if error.to_string() == "CaUsedAsEndEntity")
}

/// The last certificate on the way from this one up, as far as the server sent it.
fn topmost(from: Certificate, between: &[CertificateDer<'_>]) -> Certificate {
    let mut known = between.iter().filter_map(|der| Certificate::read(der));
    known.by_ref().fold(from, |top, next| if next.subject == top.issuer { next } else { top })
}

/// A name as webpki lists it: `DnsName("a.example.com")`, `IpAddress(0::1)`. Others than these two name no host.
fn host(listed: &str) -> Option<Foreign> {
    let within = |start: &str, end: &str| listed.strip_prefix(start)?.strip_suffix(end);
    let name = within("DnsName(\"", "\")").map(str::to_owned);
    let address = || {
        let address = within("IpAddress(", ")")?;
        Some(address.parse().map_or_else(|_| address.to_owned(), |address: IpAddr| address.to_string()))
    };
    name.or_else(address).map(|name| Foreign::new(&name))
}

/// Whom a certificate is for that is not for this host.
fn whose(names: &[Foreign]) -> String {
    /// Some have hundreds.
    const SHOWN: usize = 5;
    if names.is_empty() {
        return "it names no host (a common name does not count)".to_owned();
    }
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| quote(name.as_str())).collect();
    let more = names.len().saturating_sub(SHOWN);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("it is for {}{more}", shown.join(", "))
}

fn moment(time: UnixTime) -> Timestamp {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
