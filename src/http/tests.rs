use std::net::{IpAddr, SocketAddr};

use rcgen::CertificateParams;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, ServerConfig, WantsServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::issuing::{Issuer, key, of_authority, params};
use super::verify::Problem;
use super::*;
use crate::foreign::Foreign;

const HOST: &str = "epm.example.com";
/// As messages name it, with its port.
const SERVICE: &str = "epm.example.com:443";
const LONG: Duration = Duration::from_secs(30);

type Uncertified = rustls::ConfigBuilder<ServerConfig, WantsServerCert>;

fn builder() -> Uncertified {
    speaking(rustls::ALL_VERSIONS)
}

fn speaking(versions: &[&'static rustls::SupportedProtocolVersion]) -> Uncertified {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ServerConfig::builder_with_provider(provider).with_protocol_versions(versions);
    versions.unwrap().with_no_client_auth()
}

fn lasting(mut params: CertificateParams) -> CertificateParams {
    (params.not_before, params.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2120, 1, 1));
    params
}

fn private(key: &rcgen::KeyPair) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.serialize_der()).into()
}

/// An authority that vouches for years.
fn lasting_authority(name: &str) -> Issuer {
    Issuer::self_signed(lasting(of_authority(name, &[])), key()).unwrap()
}

/// A certificate for this host and its key.
fn pair(host: &str, by: &Issuer) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let key = key();
    let certificate = lasting(params("server", &[host])).signed_by(&key, by).unwrap();
    (vec![certificate.der().clone()], private(&key))
}

/// A server's certificate that no other vouches for, as `openssl req -x509` makes it.
fn own_pair() -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let key = key();
    let certificate = lasting(of_authority("server", &[HOST])).self_signed(&key).unwrap();
    (vec![certificate.der().clone()], private(&key))
}

fn certified(config: Uncertified, by: &Issuer) -> ServerConfig {
    let (chain, key) = pair(HOST, by);
    config.with_single_cert(chain, key).unwrap()
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Answers whatever is asked with `{}`.
async fn serve(config: ServerConfig) -> SocketAddr {
    let (listener, address) = listener().await;
    serve_at(listener, config);
    address
}

fn serve_at(listener: TcpListener, config: ServerConfig) {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            head(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
            let _ = stream.shutdown().await;
        }
    });
}

/// Reads a request to the end of its head.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// A proxy that answers `CONNECT` so, and leads to `server` where that is 200; over TLS where there is a configuration.
async fn proxy(answer: &'static str, server: SocketAddr, tls: Option<ServerConfig>) -> SocketAddr {
    let (listener, address) = listener().await;
    let acceptor = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Some(acceptor) = &acceptor else {
                connect(stream, answer, server).await;
                continue;
            };
            if let Ok(stream) = acceptor.accept(stream).await {
                connect(stream, answer, server).await;
            }
        }
    });
    address
}

async fn connect(mut client: impl AsyncRead + AsyncWrite + Unpin, answer: &str, server: SocketAddr) {
    assert!(head(&mut client).await.starts_with("CONNECT epm.example.com:"));
    let _ = client.write_all(format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes()).await;
    if answer.starts_with("200") {
        let mut server = TcpStream::connect(server).await.unwrap();
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}

/// Who is trusted, and by which proxy the way leads.
fn network(roots: &[&CertificateDer<'static>], proxy: Option<&str>) -> Network {
    let roots = Roots::of(roots.iter().map(|&root| root.clone()));
    Network { roots, proxies: Proxies::parse(proxy, None).unwrap() }
}

/// Asks at [`HOST`], which has these addresses.
async fn asked(network: &Network, addresses: &[SocketAddr], connect: Duration) -> Result<(), Fault> {
    let builder = Transport::new(network).unwrap().builder(connect);
    let answer = answered(builder, addresses).await?;
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"{}".as_slice()));
    Ok(())
}

async fn answered(builder: reqwest::ClientBuilder, addresses: &[SocketAddr]) -> Result<Answer, Fault> {
    let port = addresses[0].port();
    let client = builder.resolve_to_addrs(HOST, addresses).build().unwrap();
    let request = client.get(format!("https://{HOST}:{port}/"));
    exchange(request, SERVICE, Allowance::until(Instant::now() + LONG, LONG)).await
}

/// Answers like [`serve`], with how the connection came about: `Full`, or `Resumed`.
async fn serve_kinds(config: ServerConfig) -> SocketAddr {
    let (listener, address) = listener().await;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            head(&mut stream).await;
            let kind = format!("{:?}", stream.get_ref().1.handshake_kind().unwrap());
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{kind}", kind.len());
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

#[tokio::test]
async fn a_later_connection_resumes_the_session_whichever_client_opens_it() {
    let ours = lasting_authority("Acme Root");
    for version in [&TLS12, &TLS13] {
        let server = serve_kinds(certified(speaking(&[version]), &ours)).await;
        let transport = Transport::new(&network(&[ours.der()], None)).unwrap();
        let asked = async || answered(transport.builder(LONG), &[server]).await.unwrap();
        let (first, second) = (asked().await, asked().await);
        assert_eq!([first.body, second.body], [b"Full".to_vec(), b"Resumed".to_vec()], "{version:?}");
        // What a check tells of the certificate does not hang on which of them it was.
        assert!(first.peer.is_some() && first.peer == second.peer, "{version:?}");
        assert!(second.peer.and_then(|peer| peer.certificate()).is_some(), "{version:?}");
    }
}

#[tokio::test]
async fn speaks_with_who_speaks_tls_1_2_or_1_3_alone() {
    let ours = lasting_authority("Acme Root");
    for version in [&TLS12, &TLS13] {
        let address = serve(certified(speaking(&[version]), &ours)).await;
        assert_eq!(asked(&network(&[ours.der()], None), &[address], LONG).await, Ok(()), "{version:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_does_not_verify_is_told_with_the_host_that_showed_it() {
    let ours = lasting_authority("Acme Root");
    let problem = Problem::UnknownIssuer { issuer: Foreign::new("Acme Root") };
    let refused = Err(Fault::Certificate { host: SERVICE.to_owned(), problem });
    for version in [&TLS12, &TLS13] {
        let address = serve(certified(speaking(&[version]), &ours)).await;
        assert_eq!(asked(&network(&[], None), &[address], LONG).await, refused);
    }
}

#[tokio::test]
async fn a_door_without_tls_is_told_from_one_that_is_shut() {
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
        let _ = copy_bidirectional(&mut stream, &mut tokio::io::empty()).await;
    });
    let reason = "what answers there does not speak TLS".to_owned();
    let expected = Fault::NoConnection { host: SERVICE.to_owned(), reason };
    assert_eq!(asked(&network(&[], None), &[address], LONG).await, Err(expected));
}

#[tokio::test]
async fn the_servers_own_certificate_is_taken_where_it_was_given() {
    let (chain, key) = own_pair();
    let address = serve(builder().with_single_cert(chain.clone(), key).unwrap()).await;
    assert_eq!(asked(&network(&[&chain[0]], None), &[address], LONG).await, Ok(()));
    let refused = Err(Fault::Certificate { host: SERVICE.to_owned(), problem: Problem::SelfSigned });
    assert_eq!(asked(&network(&[], None), &[address], LONG).await, refused);
}

/// Who shows a certificate without having its key.
#[derive(Debug)]
struct Impostor(Arc<CertifiedKey>);

impl ResolvesServerCert for Impostor {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

#[tokio::test]
async fn a_certificate_that_was_given_is_worth_nothing_without_its_key() {
    let ((chain, _), other) = (own_pair(), private(&key()));
    let other = rustls::crypto::ring::sign::any_supported_type(&other).unwrap();
    let impostor = Arc::new(Impostor(Arc::new(CertifiedKey::new(chain.clone(), other))));
    for version in [&TLS12, &TLS13] {
        let address = serve(speaking(&[version]).with_cert_resolver(Arc::clone(&impostor) as _)).await;
        let refused = asked(&network(&[&chain[0]], None), &[address], LONG).await.unwrap_err();
        let Fault::Certificate { problem: Problem::Other { words }, .. } = refused else { panic!("{refused}") };
        assert!(words.contains("did not sign with its key"), "{words}");
    }
}

/// A door at which nobody answers: what knocks is not heard.
#[cfg(target_os = "linux")]
async fn silent(ip: IpAddr, port: u16) -> (TcpListener, Vec<TcpStream>) {
    let address = SocketAddr::from((ip, port));
    let socket = if ip.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    let listener = socket.listen(1).unwrap();
    let mut waiting = Vec::new();
    while let Ok(Ok(knock)) = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        waiting.push(knock);
    }
    (listener, waiting)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_host_is_reached_though_the_first_of_its_addresses_is_dead() {
    let ours = lasting_authority("Acme Root");
    let way = network(&[ours.der()], None);
    let alive = serve(certified(builder(), &ours)).await;
    let at = |ip: &str| SocketAddr::new(ip.parse().unwrap(), alive.port());
    let (second, third) = (at("127.0.0.2"), at("::1"));
    assert_eq!(asked(&way, &[second, alive], LONG).await, Ok(()), "it is shut");
    assert_eq!(asked(&way, &[third, alive], LONG).await, Ok(()), "it is shut");
    let _held = silent(second.ip(), second.port()).await;
    assert_eq!(asked(&way, &[second, alive], Duration::from_secs(4)).await, Ok(()), "nobody answers there");
    let _held = silent(third.ip(), third.port()).await;
    assert_eq!(asked(&way, &[third, alive], Duration::from_secs(4)).await, Ok(()), "nobody answers there");
    assert!(asked(&way, &[second, third], Duration::from_millis(50)).await.is_err(), "nobody answers anywhere");
}

#[tokio::test]
async fn what_a_proxy_refuses_is_told_from_what_the_server_does() {
    let ours = lasting_authority("Acme Root");
    let server = serve(certified(builder(), &ours)).await;
    let host = || SERVICE.to_owned();
    let (refused, denied) = (Fault::ProxyRefused { host: host() }, Fault::ProxyDenied { host: host() });
    let table = [
        ("200 OK", Ok(())),
        ("200 Connection established\r\nvia: x", Ok(())),
        ("401 Unauthorized", Err(refused.clone())),
        ("403 Forbidden", Err(refused.clone())),
        ("407 Proxy Authentication Required", Err(denied)),
        ("500 Unable to connect", Err(refused.clone())),
        ("502 Bad Gateway", Err(refused.clone())),
        ("503 Service Unavailable", Err(refused.clone())),
        ("302 Found\r\nlocation: https://login.example.com", Err(refused)),
    ];
    for (answer, expected) in table {
        let proxy = proxy(answer, server, None).await;
        let way = network(&[ours.der()], Some(&format!("http://{proxy}")));
        assert_eq!(asked(&way, &[server], LONG).await, expected, "{answer}");
    }
}

#[tokio::test]
async fn a_proxy_that_cannot_be_reached_is_told_from_the_server() {
    let (listener, address) = listener().await;
    drop(listener);
    for proxy in [address.to_string(), "no-such-proxy.invalid:3128".to_owned()] {
        let fault = asked(&network(&[], Some(&proxy)), &[address], LONG).await.unwrap_err();
        assert!(matches!(&fault, Fault::NoProxy { reason, .. } if reason.len() > 5), "{fault:?}");
    }
}

#[tokio::test]
async fn tls_leads_to_a_proxy_of_https_too() {
    let ours = lasting_authority("Acme Root");
    let server = serve(certified(builder(), &ours)).await;
    let (chain, key) = pair("localhost", &ours);
    let of_proxy = builder().with_single_cert(chain, key).unwrap();
    let proxy = proxy("200 OK", server, Some(of_proxy)).await;
    let way = |roots: &[_]| network(roots, Some(&format!("https://localhost:{}", proxy.port())));
    assert_eq!(asked(&way(&[ours.der()]), &[server], LONG).await, Ok(()));
    let problem = Problem::UnknownIssuer { issuer: Foreign::new("Acme Root") };
    let expected = Fault::Certificate { host: "localhost".to_owned(), problem };
    assert_eq!(asked(&way(&[]), &[server], LONG).await, Err(expected));
}

#[tokio::test]
async fn an_ipv6_address_behind_a_proxy_is_refused_in_words() {
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        assert!(head(&mut client).await.starts_with("CONNECT [::1]:8443"));
        let _ = client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        let _ = copy_bidirectional(&mut client, &mut tokio::io::empty()).await;
    });
    let client = Transport::new(&network(&[], Some(&format!("http://{address}")))).unwrap().for_reads().unwrap();
    let allowance = Allowance::until(Instant::now() + LONG, LONG);
    let fault = exchange(client.get("https://[::1]:8443/"), "[::1]:8443", allowance).await.err().unwrap();
    assert!(matches!(&fault, Fault::NoConnection { reason, .. } if reason.contains("`NO_PROXY`")), "{fault}");
}
