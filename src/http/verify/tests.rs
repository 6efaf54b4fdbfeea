use std::time::Duration;

use rcgen::SanType;

use super::*;
use crate::http::issuing::{Issuer, authority, issued, key, of_authority, params, self_signed};

/// What a verifier says that was given these, and is shown this by `epm.example.com`.
fn said_at(
    now: &str,
    given: &[&CertificateDer<'static>],
    server: &CertificateDer<'_>,
    between: &[CertificateDer<'_>],
) -> Option<Problem> {
    let roots = Roots::of(given.iter().map(|&der| der.clone()));
    let verifier = Verifier::new(&roots, &rustls::crypto::ring::default_provider());
    let now: Timestamp = now.parse().unwrap();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now.as_second().try_into().unwrap()));
    let name = ServerName::try_from("epm.example.com").unwrap();
    match verifier.verify_server_cert(server, between, &name, &[], now) {
        Ok(_) => None,
        Err(Error::InvalidCertificate(CertificateError::Other(OtherError(error)))) => {
            let unverified: &Unverified = error.downcast_ref().unwrap();
            assert_eq!(unverified.server, "epm.example.com");
            Some(unverified.problem.clone())
        }
        Err(other) => panic!("{other}"),
    }
}

fn said(given: &[&CertificateDer<'static>], server: &CertificateDer<'_>) -> Option<Problem> {
    said_at(DURING, given, server, &[])
}

const DURING: &str = "2026-01-10T00:00:00Z";
const HOST: &str = "epm.example.com";

#[test]
fn an_authority_that_was_given_vouches_and_no_other() {
    let (ours, other) = (authority("Acme Root"), authority("Other Root"));
    let server = issued(&params("server", &[HOST]), &ours);
    assert_eq!(said(&[ours.der()], &server), None);
    assert_eq!(said(&[other.der(), ours.der()], &server), None);
    let unknown = Problem::UnknownIssuer { issuer: Foreign::new("Acme Root") };
    assert_eq!(said(&[], &server), Some(unknown.clone()));
    assert_eq!(said(&[other.der()], &server), Some(unknown));
    let namesake = authority("Acme Root");
    let expected = Problem::OtherIssuer { issuer: Foreign::new("Acme Root") };
    assert_eq!(said(&[namesake.der()], &server), Some(expected));
}

#[test]
fn the_last_of_the_issuers_that_are_sent_is_the_one_to_ask_for() {
    let root = authority("Acme Root");
    let between = Issuer::signed_by(of_authority("Acme Issuing 7", &[]), key(), &root).unwrap();
    let server = issued(&params("server", &[HOST]), &between);
    let unknown = |name| Some(Problem::UnknownIssuer { issuer: Foreign::new(name) });
    assert_eq!(said_at(DURING, &[root.der()], &server, &[between.der().clone()]), None);
    assert_eq!(said_at(DURING, &[], &server, &[between.der().clone()]), unknown("Acme Root"));
    assert_eq!(said_at(DURING, &[], &server, &[between.der().clone(), root.der().clone()]), unknown("Acme Root"));
    let beside = authority("Other Root");
    assert_eq!(said_at(DURING, &[], &server, &[between.der().clone(), beside.der().clone()]), unknown("Acme Root"));
    // The server does not send what lies in between.
    assert_eq!(said_at(DURING, &[root.der()], &server, &[]), unknown("Acme Issuing 7"));
}

#[test]
fn dates_are_those_of_the_certificate() {
    let ours = authority("Acme Root");
    let server = issued(&params("server", &[HOST]), &ours);
    let at = |now| said_at(now, &[ours.der()], &server, &[]);
    let (begins, ends): (Timestamp, Timestamp) =
        ("2026-01-01T00:00:00Z".parse().unwrap(), "2026-02-01T00:00:00Z".parse().unwrap());
    let early = "2025-12-31T23:59:59Z";
    assert_eq!(at(early), Some(Problem::NotValidYet { at: begins, now: early.parse().unwrap() }));
    assert_eq!((at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z")), (None, None));
    assert_eq!(at("2026-02-01T00:00:01Z"), Some(Problem::Expired { at: ends }));
}

#[test]
fn a_certificate_for_others_says_for_whom() {
    let ours = authority("Acme Root");
    let mut others = params(HOST, &["a.example.com", "*.b.example.com"]);
    others.subject_alt_names.push(SanType::IpAddress("::1".parse().unwrap()));
    others.subject_alt_names.push(SanType::IpAddress("10.0.0.1".parse().unwrap()));
    others.subject_alt_names.push(SanType::URI("https://a".try_into().unwrap()));
    let names = ["a.example.com", "*.b.example.com", "::1", "10.0.0.1"].map(Foreign::new).to_vec();
    let said_of = |params| said(&[ours.der()], &issued(&params, &ours));
    assert_eq!(said_of(others), Some(Problem::OtherHost { names }));
    assert_eq!(said_of(params(HOST, &[])), Some(Problem::OtherHost { names: Vec::new() }));
    assert_eq!(said_of(params("server", &["*.example.com"])), None);
}

#[test]
fn a_server_that_vouches_for_itself_is_believed_where_it_was_given() {
    for params in [params("server", &[HOST]), of_authority("server", &[HOST])] {
        let (server, other) = (self_signed(&params), self_signed(&params));
        assert_eq!(said(&[], &server), Some(Problem::SelfSigned));
        assert_eq!(said(&[&server], &server), None);
        // An older one of the same name is another.
        assert_eq!(said(&[&other], &server), Some(Problem::SelfSigned));
    }
}

#[test]
fn what_was_given_is_believed_for_its_hosts_and_in_its_time_alone() {
    let of_others = self_signed(&of_authority(HOST, &["a.example.com"]));
    let names = vec![Foreign::new("a.example.com")];
    assert_eq!(said(&[&of_others], &of_others), Some(Problem::OtherHost { names }));
    let ours = self_signed(&of_authority("server", &[HOST]));
    let late = said_at("2027-01-01T00:00:00Z", &[&ours], &ours, &[]);
    assert!(matches!(late, Some(Problem::Expired { .. })), "{late:?}");
    let early = said_at("2025-01-01T00:00:00Z", &[&ours], &ours, &[]);
    assert!(matches!(early, Some(Problem::NotValidYet { .. })), "{early:?}");
}

#[test]
fn the_certificate_of_an_authority_is_no_servers_unless_it_was_given() {
    let ours = authority("Acme Root");
    let below = issued(&of_authority("Acme Issuing 7", &[HOST]), &ours);
    let refused = said(&[ours.der()], &below);
    assert_eq!(refused, Some(Problem::Other { words: "it is that of an authority".to_owned() }));
    assert_eq!(said(&[&below], &below), None);
}

#[test]
fn what_is_no_certificate_is_refused_in_words() {
    let garbage = CertificateDer::from(vec![0x30, 1, 2]);
    assert_eq!(said(&[], &garbage), Some(Problem::Other { words: "`BadEncoding`".to_owned() }));
}

#[test]
fn each_problem_says_what_it_is_and_what_to_do() {
    let at: Timestamp = "2026-02-01T00:00:00Z".parse().unwrap();
    let now = Timestamp::UNIX_EPOCH;
    let foreign = Foreign::new;
    let many = ["a", "b", "c", "d", "e", "f", "g"].map(foreign).to_vec();
    let table = [
        (Problem::Expired { at }, "it expired at 2026-02-01 00:00:00 UTC", "renewed"),
        (
            Problem::NotValidYet { at, now },
            "it is not valid before 2026-02-01 00:00:00 UTC, and this machine's clock says 1970-01-01 00:00:00 UTC",
            "clock",
        ),
        (Problem::OtherHost { names: many }, "it is for `a`, `b`, `c`, `d`, `e` and 2 more", "host in the URL"),
        (Problem::OtherHost { names: vec![] }, "it names no host (a common name does not count)", "names it"),
        (Problem::SelfSigned, "it is self-signed", "--ca-cert FILE"),
        (Problem::UnknownIssuer { issuer: foreign("m`x") }, "its issuer `m'x` is not known", "SSL_CERT_FILE"),
        (
            Problem::OtherIssuer { issuer: foreign("m") },
            "its issuer calls itself `m`, and is not the one that is known by this name",
            "--ca-cert FILE",
        ),
        (Problem::Revoked, "it was revoked", "another certificate"),
        (Problem::Other { words: "`x`".to_owned() }, "`x`", "another certificate"),
    ];
    for (problem, words, help) in table {
        assert_eq!(problem.to_string(), words);
        assert!(problem.help().contains(help), "{words}: {}", problem.help());
        assert!(problem.help().ends_with("no switch turns verification off"), "{words}");
    }
}
