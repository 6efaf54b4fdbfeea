//! The step `tls`, against a sandbox that shows a certificate of the test's own.

use std::time::Duration;

use epm_sandbox::{Options, Sandbox, Scenario};
use jiff::Timestamp;
use jiff::tz::Offset;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};

use super::check;
use crate::harness::Gate;

/// An authority, and a sandbox with a certificate of its that ends so many days from now.
struct Place {
    sandbox: Sandbox,
    authority: String,
}

fn params(name: &str, hosts: &[&str], days: i64) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
    let mut params = CertificateParams::new(hosts).expect("names");
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let day = Duration::from_hours(24 * days.unsigned_abs());
    let now = Timestamp::now();
    let ends = Offset::UTC.to_datetime(if days < 0 { now - day } else { now + day }).date();
    let (month, day) = (ends.month().unsigned_abs(), ends.day().unsigned_abs());
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(ends.year().into(), month, day);
    params
}

fn place(host: &str, days: i64) -> Place {
    let mut authority = params("Test Authority", &[], 400);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let server = params("pod.example", &[host], days).signed_by(&key, &authority).expect("a certificate");
    let options = Options { tls: Some((server.pem(), key.serialize_pem())), ..Options::default() };
    let sandbox = Sandbox::start_with(Scenario::parse("[[job]]").expect("a scenario"), options).expect("a free port");
    Place { sandbox, authority: authority.pem() }
}

impl Place {
    /// A gate that trusts the authority.
    fn trusting(&self) -> Gate {
        let gate = Gate::against(&self.sandbox);
        let file = gate.file("given-ca.pem", &self.authority);
        gate.set("EPM_CA_CERT", file)
    }
}

#[test]
fn version_issuer_and_end_of_the_certificate_are_told() {
    let place = place("127.0.0.1", 100);
    let found = check(place.trusting());
    assert_eq!(found.ran.end(), (0, "succeeded"), "{:?}", found.ran);
    let parts = ["TLS 1.3: the certificate of `pod.example`, issued by `Test Authority`, ends at 2", "in 99 days"];
    found.tells("tls", "ok", &parts);
    assert_eq!((found.all("skipped").len(), place.sandbox.posts()), (0, 0));
}

#[test]
fn a_certificate_that_ends_soon_is_a_warning() {
    let found = check(place("127.0.0.1", 5).trusting());
    assert_eq!(found.ran.end(), (0, "warned"), "{:?}", found.ran);
    found.tells("tls", "warning", &["in 4 days", "have it renewed"]);
}

#[test]
fn what_is_wrong_with_a_certificate_ends_the_way_before_credentials_are_shown() {
    let (expired, stranger, unknown) = (place("127.0.0.1", -5), place("other.example", 100), place("127.0.0.1", 100));
    let table = [
        (expired.trusting(), &expired, "expired"),
        (stranger.trusting(), &stranger, "other.example"),
        (Gate::against(&unknown.sandbox), &unknown, "--ca-cert"),
    ];
    for (gate, place, told) in table {
        let found = check(gate);
        assert_eq!(found.ran.end(), (31, "unreachable"), "{:?}", found.ran);
        found.tells("tls", "failed", &["the certificate of `127.0.0.1:", "does not verify", told]);
        found.tells("credentials", "skipped", &["EPM could not be asked"]);
        assert_eq!(found.all("failed"), ["tls"]);
        assert!(place.sandbox.requests().is_empty());
    }
}
