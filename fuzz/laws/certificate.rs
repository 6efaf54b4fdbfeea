//! A certificate: what is told of it is clean, and its dates stand in it.

use epm_gate::http::certificate::Certificate;
use jiff::Timestamp;

use super::is_clean;

pub(super) fn holds(bytes: &[u8]) {
    let Some(certificate) = Certificate::read(bytes) else { return };
    let (issuer, subject) = (certificate.issuer.as_str(), certificate.subject.as_str());
    assert!(is_clean(issuer) && is_clean(subject));
    assert!(!certificate.is_self_signed || issuer == subject);
    assert!(has(bytes, certificate.begins) && has(bytes, certificate.ends));
    let followed = [bytes, b"0"].concat();
    assert_eq!(Certificate::read(&followed), Some(certificate), "what follows it is no part of it");
}

/// Whether this moment is written down there, in either of the two ways; the last of all stands for any later one.
fn has(bytes: &[u8], moment: Timestamp) -> bool {
    let written = moment.strftime("%y%m%d%H%M%SZ").to_string();
    moment == Timestamp::MAX || bytes.windows(written.len()).any(|window| window == written.as_bytes())
}
