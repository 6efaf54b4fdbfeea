//! A client that hides nothing: what was sent, what came back byte for byte, and how it ended.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use epm_sandbox::{CLIENT_ID, CLIENT_SECRET, CONFIDENTIAL_CLIENT_ID, Sandbox, Scenario};
use serde_json::Value;

/// A sandbox that plays this text.
pub(crate) fn playing(toml: &str) -> Sandbox {
    Sandbox::start(Scenario::parse(toml).unwrap()).unwrap()
}

/// A sandbox that plays any job in the usual way.
pub(crate) fn usual() -> Sandbox {
    playing("[[job]]")
}

/// What came back, until the connection ended.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) bytes: Vec<u8>,
    /// Whether the connection ended in a reset.
    pub(crate) is_reset: bool,
}

impl Answer {
    pub(crate) fn http(&self) -> u16 {
        let text = self.head();
        text.split(' ').nth(1).and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no answer: {text:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let start = format!("{name}: ");
        self.head().lines().find_map(|line| line.strip_prefix(&start).map(str::to_owned))
    }

    pub(crate) fn body(&self) -> &[u8] {
        self.end_of_head().map_or(&[], |end| &self.bytes[end + 4..])
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(self.body()).unwrap()
    }

    fn head(&self) -> String {
        let end = self.end_of_head().unwrap_or(self.bytes.len());
        String::from_utf8_lossy(&self.bytes[..end]).into_owned()
    }

    fn end_of_head(&self) -> Option<usize> {
        self.bytes.windows(4).position(|window| window == b"\r\n\r\n")
    }
}

/// A submit's body.
pub(crate) fn integration(name: &str) -> String {
    serde_json::json!({"jobType": "INTEGRATION", "jobName": name, "periodName": "{Jan-26}"}).to_string()
}

pub(crate) fn get(sandbox: &Sandbox, path: &str) -> Answer {
    read(send(sandbox, &request(sandbox, "GET", path, "")))
}

pub(crate) fn post(sandbox: &Sandbox, body: &str) -> Answer {
    read(send(sandbox, &request(sandbox, "POST", "/aif/rest/V1/jobs", body)))
}

/// Submits a job and gives its id.
pub(crate) fn submit(sandbox: &Sandbox, name: &str) -> u64 {
    post(sandbox, &integration(name)).json()["jobId"].as_u64().unwrap()
}

/// Asks once for a job's status.
pub(crate) fn poll(sandbox: &Sandbox, id: u64) -> Answer {
    get(sandbox, &format!("/aif/rest/V1/jobs/{id}"))
}

/// A request with the right login, over a connection that ends after it.
pub(crate) fn request(sandbox: &Sandbox, method: &str, path: &str, body: &str) -> String {
    let login = basic(&format!("{}:{}", sandbox.username(), sandbox.password()));
    request_as(&format!("Authorization: {login}\r\nContent-Type: application/json\r\n"), method, path, body)
}

pub(crate) fn request_as(headers: &str, method: &str, path: &str, body: &str) -> String {
    let length = body.len();
    let fixed = "Host: pod.example\r\nUser-Agent: it/1\r\nConnection: close\r\n";
    format!("{method} {path} HTTP/1.1\r\n{fixed}{headers}Content-Length: {length}\r\n\r\n{body}")
}

/// Posts a form, with these headers beside it.
pub(crate) fn post_form(sandbox: &Sandbox, path: &str, headers: &str, fields: &[(&str, &str)]) -> Answer {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let headers = format!("Content-Type: application/x-www-form-urlencoded\r\n{headers}");
    read(send(sandbox, &request_as(&headers, "POST", path, &form)))
}

/// Asks for tokens as the public client.
pub(crate) fn ask(sandbox: &Sandbox, fields: &[(&str, &str)]) -> Answer {
    let fields = [&[("client_id", CLIENT_ID)], fields].concat();
    post_form(sandbox, "/oauth2/v1/token", "", &fields)
}

/// Exchanges a refresh token as the public client.
pub(crate) fn exchange(sandbox: &Sandbox, token: &str) -> Answer {
    ask(sandbox, &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

/// The header by which the confidential client proves itself.
pub(crate) fn confidential() -> String {
    let encoded: String = form_urlencoded::byte_serialize(CLIENT_SECRET.as_bytes()).collect();
    format!("Authorization: {}\r\n", basic(&format!("{CONFIDENTIAL_CLIENT_ID}:{encoded}")))
}

/// Looks at the pod with an access token.
pub(crate) fn look(sandbox: &Sandbox, token: &str) -> Answer {
    read(send(sandbox, &request_as(&format!("Authorization: Bearer {token}\r\n"), "GET", "/aif/rest/", "")))
}

/// The error and its description, beside the HTTP status.
pub(crate) fn refusal(answer: &Answer) -> (u16, String, String) {
    let json = answer.json();
    let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
    (answer.http(), text("error"), text("error_description"))
}

pub(crate) fn basic(credentials: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(credentials))
}

pub(crate) fn send(sandbox: &Sandbox, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(sandbox.url().trim_start_matches("http://")).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

pub(crate) fn read(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let is_reset = stream.read_to_end(&mut bytes).is_err();
    Answer { bytes, is_reset }
}

/// The program, in an environment that no surrounding pipeline reaches into.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_epm-sandbox"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}
