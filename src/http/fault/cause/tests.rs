use std::sync::Arc;

use super::*;

/// What this means beneath other errors, while a connection is opened and later.
fn met(error: Tls) -> [Option<Fault>; 2] {
    let wrapped = io::Error::other(io::Error::other(error));
    [true, false].map(|is_connect| chain(&wrapped).find_map(|cause| of_tls(cause, is_connect, "h:8443")))
}

#[test]
fn a_certificate_is_found_however_deep_it_lies() {
    let said = |server: &str| Unverified { server: server.to_owned(), problem: Problem::SelfSigned };
    let refused = |server| CertificateError::Other(OtherError(Arc::new(said(server))));
    let certificate = |host: &str, problem| {
        [true, false].map(|_| Some(Fault::Certificate { host: host.to_owned(), problem: Problem::clone(&problem) }))
    };
    assert_eq!(met(refused("h").into()), certificate("h:8443", Problem::SelfSigned));
    assert_eq!(met(refused("proxy").into()), certificate("proxy", Problem::SelfSigned));
    let words = "the server did not sign with its key, or with one of RSA below 2048 bits".to_owned();
    assert_eq!(met(CertificateError::BadSignature.into()), certificate("h:8443", Problem::Other { words }));
    let words = "`BadEncoding`".to_owned();
    assert_eq!(met(CertificateError::BadEncoding.into()), certificate("h:8443", Problem::Other { words }));
}

#[test]
fn what_keeps_tls_from_beginning_is_told_in_words() {
    let table = [
        (Tls::InvalidMessage(InvalidMessage::InvalidContentType), Some("does not speak TLS"), false),
        (Tls::AlertReceived(AlertDescription::ProtocolVersion), Some("neither TLS 1.2 nor 1.3"), false),
        (Tls::AlertReceived(AlertDescription::HandshakeFailure), Some("no cipher in common"), false),
        (Tls::AlertReceived(AlertDescription::CertificateRequired), Some("wants a client certificate"), true),
        (Tls::AlertReceived(AlertDescription::InternalError), None, false),
        (Tls::DecryptError, None, false),
    ];
    for (error, words, is_told_later) in table {
        let [early, late] = met(error.clone());
        assert_eq!(early.is_some_and(|fault| fault.to_string().contains(words.unwrap())), words.is_some(), "{error}");
        assert_eq!(late.is_some(), is_told_later, "{error}");
    }
    assert!(chain(&io::Error::other("no")).find_map(|cause| of_tls(cause, true, "h")).is_none());
}

#[test]
fn a_host_is_known_by_its_name_with_a_port_and_without() {
    let table = [
        ("epm.example.com", "epm.example.com", true),
        ("epm.example.com", "epm.example.com:8443", true),
        ("127.0.0.1", "127.0.0.1:8443", true),
        ("::1", "[::1]", true),
        ("::1", "[::1]:8443", true),
        ("proxy.example.com", "epm.example.com:8443", false),
        ("example.com", "epm.example.com", false),
        ("127.0.0.1", "[::1]:8443", false),
    ];
    for (server, host, expected) in table {
        assert_eq!(is_name_of(server, host), expected, "{server} and {host}");
    }
}

#[test]
fn a_time_that_is_up_is_found_however_deep_it_lies() {
    let up = || io::Error::new(io::ErrorKind::TimedOut, "time is up");
    assert!(is_timeout(&up()) && is_timeout(&io::Error::other(up())));
    assert!(!is_timeout(&io::Error::new(io::ErrorKind::ConnectionRefused, "refused")));
}
