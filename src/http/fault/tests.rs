use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::*;
use crate::http::{Network, Transport};

#[test]
fn only_what_never_left_may_be_sent_again() {
    let host = || "h".to_owned();
    let reason = String::new;
    let table = [
        (Fault::Unresolved { host: host() }, true, Hope::Minute),
        (Fault::Certificate { host: host(), problem: Problem::SelfSigned }, true, Hope::None),
        (Fault::NoConnection { host: host(), reason: reason() }, true, Hope::Budget),
        (Fault::ProxyDenied { host: host() }, true, Hope::None),
        (Fault::ProxyRefused { host: host() }, true, Hope::Minute),
        (Fault::NoProxy { host: host(), reason: reason() }, true, Hope::Minute),
        (Fault::Timeout { host: host(), limit: LONG }, false, Hope::Budget),
        (Fault::Broken { host: host(), reason: reason() }, false, Hope::Budget),
        (Fault::TooLarge { status: 200, limit: 1 }, false, Hope::Budget),
    ];
    for (fault, before, hope) in table {
        assert_eq!((fault.is_before_sending(), fault.hope()), (before, hope), "{fault}");
    }
}

/// What a request to this address comes to, whose connection may take so long to open.
async fn fault_of(url: &str, connect: Duration) -> Fault {
    let client = Transport::new(&Network::default()).unwrap().for_one_request(connect * 2).unwrap();
    let answer = async { client.get(url).send().await?.bytes().await };
    Fault::of(&answer.await.unwrap_err(), "h", Duration::from_secs(30))
}

const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_name_that_does_not_resolve_is_told_from_a_door_that_is_shut() {
    let host = || "h".to_owned();
    assert_eq!(fault_of("http://no-such-host.invalid/", LONG).await, Fault::Unresolved { host: host() });
    let shut = TcpSocket::new_v4().unwrap();
    shut.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let url = format!("http://{}", shut.local_addr().unwrap());
    let Fault::NoConnection { reason, .. } = fault_of(&url, LONG).await else { panic!("it was shut") };
    assert!(reason.contains("refused"), "{reason}");
}

#[tokio::test]
async fn a_door_that_never_opens_is_no_connection_either() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    // Until no more are taken in: what then knocks is not heard.
    while let Ok(Ok(knock)) = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        waiting.push(knock);
    }
    let reason = "it was not opened in time".to_owned();
    let expected = Fault::NoConnection { host: "h".to_owned(), reason };
    assert_eq!(fault_of(&format!("http://{address}"), Duration::from_millis(50)).await, expected);
}

#[tokio::test]
async fn an_answer_that_breaks_off_has_been_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{").await;
    });
    let fault = fault_of(&url, LONG).await;
    assert!(matches!(&fault, Fault::Broken { reason, .. } if reason.len() > 2), "{fault}");
    assert!(!fault.is_before_sending());
}

#[test]
fn each_fault_says_what_to_do() {
    let (host, reason) = (|| "h".to_owned(), String::new);
    let table = [
        (Fault::Unresolved { host: host() }, "resolves"),
        (Fault::Certificate { host: host(), problem: Problem::SelfSigned }, "--ca-cert"),
        (Fault::NoConnection { host: host(), reason: reason() }, "network"),
        (Fault::ProxyDenied { host: host() }, "HTTPS_PROXY"),
        (Fault::ProxyRefused { host: host() }, "lets this host through"),
        (Fault::NoProxy { host: host(), reason: reason() }, "NO_PROXY"),
        (Fault::Timeout { host: host(), limit: LONG }, "network"),
        (Fault::Broken { host: host(), reason: reason() }, "network"),
        (Fault::TooLarge { status: 200, limit: 1 }, "page in front"),
    ];
    for (fault, told) in table {
        assert!(fault.help().contains(told), "{fault}: {}", fault.help());
    }
}
