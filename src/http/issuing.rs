//! Authorities and certificates for tests.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::CertificateDer;

pub(super) type Issuer = CertifiedIssuer<'static, KeyPair>;

/// What is to be certified: a name, and hosts; in the first days of 2026.
pub(super) fn params(name: &str, hosts: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::new(hosts.iter().map(|&host| host.to_owned()).collect::<Vec<_>>()).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2026, 2, 1));
    params
}

pub(super) fn of_authority(name: &str, hosts: &[&str]) -> CertificateParams {
    let mut params = params(name, hosts);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

pub(super) fn authority(name: &str) -> Issuer {
    Issuer::self_signed(of_authority(name, &[]), key()).unwrap()
}

pub(super) fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

pub(super) fn issued(params: &CertificateParams, by: &Issuer) -> CertificateDer<'static> {
    params.signed_by(&key(), by).unwrap().der().clone()
}

pub(super) fn self_signed(params: &CertificateParams) -> CertificateDer<'static> {
    params.self_signed(&key()).unwrap().der().clone()
}
