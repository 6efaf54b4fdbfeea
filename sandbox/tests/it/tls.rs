//! The sandbox over TLS, and on another address.

use std::io::{Read as _, Write as _};
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::Arc;

use epm_sandbox::{Options, Sandbox, Scenario, TLS_CA, TLS_CERT, TLS_KEY};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

use crate::harness::{Answer, integration, poll, program, request};

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn options() -> Options {
    Options { tls: Some((TLS_CERT.into(), TLS_KEY.into())), ..Options::default() }
}

fn serving(toml: &str) -> Sandbox {
    Sandbox::start_with(Scenario::parse(toml).unwrap(), options()).unwrap()
}

fn socket(sandbox: &Sandbox) -> TcpStream {
    TcpStream::connect(sandbox.url().trim_start_matches("https://")).unwrap()
}

/// Sends a request over TLS, to a server that `trusted` has to vouch for.
fn send(sandbox: &Sandbox, trusted: &str, version: &'static SupportedProtocolVersion, request: &str) -> Tls {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider())).with_protocol_versions(&[version]);
    let config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let mut stream = StreamOwned::new(client, socket(sandbox));
    let _ = stream.write_all(request.as_bytes());
    stream
}

fn read(mut stream: Tls) -> Answer {
    let mut bytes = Vec::new();
    let is_reset = stream.read_to_end(&mut bytes).is_err();
    Answer { bytes, is_reset }
}

fn submit(sandbox: &Sandbox) -> Answer {
    let request = request(sandbox, "POST", "/aif/rest/V1/jobs", &integration("X"));
    read(send(sandbox, TLS_CA, &TLS13, &request))
}

#[test]
fn both_versions_are_spoken_and_links_say_so() {
    let sandbox = serving("[[job]]");
    assert!(sandbox.url().starts_with("https://127.0.0.1:") && sandbox.token_url().starts_with("https://"));
    for (offered, version) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        let mut stream = send(&sandbox, TLS_CA, offered, &request(&sandbox, "POST", "/aif/rest/V1/jobs", "{}"));
        stream.read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(stream.conn.protocol_version(), Some(version));
    }
    let link = submit(&sandbox).json()["links"][0]["href"].clone();
    assert_eq!(link, "https://pod.example/aif/rest/V1/jobs/2100");
}

#[test]
fn a_handshake_that_fails_or_hangs_is_nobody_elses_concern() {
    let sandbox = serving("[[job]]");
    let silent = socket(&sandbox);
    let mut plain = socket(&sandbox);
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut said = Vec::new();
    let _ = plain.read_to_end(&mut said);
    assert!(!said.starts_with(b"HTTP"), "{said:?}");
    // A client that does not know the issuer hangs up.
    let refused = read(send(&sandbox, STRANGER, &TLS13, &request(&sandbox, "GET", "/aif/rest/", "")));
    assert!(refused.is_reset && refused.bytes.is_empty(), "{refused:?}");
    assert_eq!((submit(&sandbox).http(), sandbox.requests().len()), (200, 1));
    drop(silent);
}

/// A certificate that has issued nothing.
const STRANGER: &str = TLS_CERT;

#[test]
fn faults_befall_answers_beneath_tls() {
    let submitting = |reply: &str| submit(&serving(&format!("[[job]]\nsubmit = [{{ {reply} }}]")));
    for reset in ["fault = 'reset-before'", "fault = 'reset-after'"] {
        let answer = submitting(reset);
        assert!(answer.is_reset && answer.bytes.is_empty(), "{reset}: {answer:?}");
    }
    let half = submitting("fault = 'half-head'");
    assert!(half.is_reset && half.bytes.starts_with(b"HTTP/1.1 200 OK\r\n") && half.body().is_empty(), "{half:?}");
    let half = submitting("fault = 'half-body', body = '0123456789'");
    assert!(half.is_reset, "{half:?}");
    assert_eq!(half.body(), b"01234");
    let long = submitting("padding = 300000");
    assert!(!long.is_reset && long.body().len() > 300_000);
}

#[test]
fn a_connection_is_reset_in_its_handshake() {
    let sandbox = serving("connections = ['reset', 'open']\n[[job]]");
    let answer = submit(&sandbox);
    assert!(answer.is_reset && answer.bytes.is_empty(), "{answer:?}");
    assert_eq!((submit(&sandbox).http(), sandbox.posts()), (200, 1));
}

#[test]
fn the_address_names_the_host_that_was_chosen() {
    let options = Options { name: Some("localhost".into()), ..options() };
    let sandbox = Sandbox::start_with(Scenario::parse("[[job]]").unwrap(), options).unwrap();
    assert!(sandbox.url().starts_with("https://localhost:"), "{}", sandbox.url());
}

#[test]
fn ipv6_is_served_where_the_machine_has_it() {
    let options = Options { host: Some(Ipv6Addr::LOCALHOST.into()), ..Options::default() };
    let started = Sandbox::start_with(Scenario::parse("[[job]]").unwrap(), options);
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        assert!(started.is_err());
        return;
    }
    let sandbox = started.unwrap();
    assert!(sandbox.url().starts_with("http://[::1]:"), "{}", sandbox.url());
    assert_eq!(poll(&sandbox, 7).http(), 404);
}

#[test]
fn nothing_but_a_loopback_address_and_a_certificate_with_its_key_is_taken() {
    let start = |options| Sandbox::start_with(Scenario::parse("[[job]]").unwrap(), options).err().unwrap();
    let everywhere = Options { host: Some(Ipv6Addr::UNSPECIFIED.into()), ..Options::default() };
    assert!(start(everywhere).to_string().contains("`::` is no loopback address"));
    let keyless = Options { tls: Some((TLS_CERT.into(), TLS_CERT.into())), ..Options::default() };
    assert!(start(keyless).to_string().contains("no private key"));
}

#[test]
fn the_program_takes_certificate_and_key_from_files() {
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/keys");
    let (cert, key) = (format!("{keys}/tls-cert.pem"), format!("{keys}/tls-key.pem"));
    let serve = |cert: &str, key: &str| {
        let mut command = program();
        command.args(["serve", "--name", "localhost", "--tls-cert", cert, "--tls-key", key]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut child = serve(&cert, &key);
    let mut first = [0; 31];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(first, *b"listening on https://localhost:");
    child.kill().unwrap();
    child.wait().unwrap();
    for (cert, key, says) in [
        (cert.as_str(), cert.as_str(), "error: there is no private key in the PEM\n"),
        ("/nowhere.pem", key.as_str(), "error: cannot read `/nowhere.pem`\n"),
    ] {
        let output = serve(cert, key).wait_with_output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(text.starts_with(says), "{text}");
    }
}
