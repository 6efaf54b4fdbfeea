//! Who is told of the end of a run: a server that keeps what it is sent, and answers as it was told to.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// How it answers a request.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// With this code and no body.
    Code(u16),
    /// With a redirect to itself.
    Redirect,
    /// Never, with the connection held open.
    Hang,
    /// By closing the connection.
    Close,
}

/// A server that notes every request.
pub(crate) struct Receiver {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    /// Answers the first request by the first answer, and all after the last one by that.
    pub(crate) fn start(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/s3cret-place?sig=s3cret-sign", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answers, seen, here) = (answers.to_vec(), Arc::clone(&requests), url.clone());
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for (index, stream) in listener.incoming().flatten().enumerate() {
                let answer = answers[index.min(answers.len() - 1)];
                held.extend(serve(stream, answer, &seen, &here));
            }
        });
        Self { url, requests }
    }

    /// Where it listens: a secret.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What it was sent: whole requests, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no test panics there").clone()
    }

    /// The bodies of what it was sent.
    pub(crate) fn bodies(&self) -> Vec<serde_json::Value> {
        let body = |request: &String| {
            let (_, body) = request.split_once("\r\n\r\n").expect("a head");
            serde_json::from_str(body).expect("JSON")
        };
        self.requests().iter().map(body).collect()
    }
}

/// Reads one request and answers it; what is to stay open is handed back.
fn serve(mut stream: TcpStream, answer: Answer, seen: &Mutex<Vec<String>>, here: &str) -> Option<TcpStream> {
    seen.lock().expect("no test panics there").push(request(&mut stream));
    let head = match answer {
        Answer::Code(code) => format!("HTTP/1.1 {code} As told\r\n"),
        Answer::Redirect => format!("HTTP/1.1 307 Elsewhere\r\nLocation: {here}\r\n"),
        Answer::Hang => return Some(stream),
        Answer::Close => return None,
    };
    // Whoever does not wait for the answer closes the connection: that is the gate's right.
    let _ = write!(stream, "{head}Content-Length: 0\r\nConnection: close\r\n\r\n");
    None
}

fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        let length = |head: &str| {
            let line =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:").map(str::to_owned));
            line.and_then(|length| length.trim().parse().ok()).unwrap_or(0)
        };
        if text.split_once("\r\n\r\n").is_some_and(|(head, body)| body.len() >= length(head)) {
            return text.into_owned();
        }
        match stream.read(&mut piece) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&piece[..count]),
            _ => return text.into_owned(),
        }
    }
}
