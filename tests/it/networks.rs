//! What lies between: certificates of authorities that are given, certificates that are refused, IPv6, gateways.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv6Addr, TcpListener, TcpStream};

use epm_sandbox::{Options, Sandbox, Scenario};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    date_time_ymd,
};

use crate::harness::{Gate, Ran, shipped};

const RUN: [&str; 3] = ["run", "--job-name", "GLDATA"];

type Authority = CertifiedIssuer<'static, KeyPair>;

/// What is to be certified: a name, and hosts; in these years.
fn params(name: &str, hosts: &[&str], years: (i32, i32)) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
    let mut params = CertificateParams::new(hosts).expect("hosts");
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(years.0, 1, 2), date_time_ymd(years.1, 3, 4));
    params
}

const NOW: (i32, i32) = (2020, 2120);

fn of_authority(mut params: CertificateParams) -> CertificateParams {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn authority(name: &str) -> Authority {
    Authority::self_signed(of_authority(params(name, &[], NOW)), key()).expect("an authority")
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

/// A sandbox that shows the certificate of `params`, signed by an authority or by itself; and that certificate.
fn showing(params: &CertificateParams, by: Option<&Authority>) -> (Sandbox, Certificate) {
    let key = key();
    let certificate = match by {
        Some(authority) => params.signed_by(&key, authority),
        None => params.self_signed(&key),
    };
    let certificate = certificate.expect("a certificate");
    let tls = Some((certificate.pem(), key.serialize_pem()));
    let options = Options { tls, name: Some("localhost".to_owned()), ..Options::default() };
    (serving(options), certificate)
}

fn serving(options: Options) -> Sandbox {
    let scenario = Scenario::shipped("succeeds").expect("a shipped scenario");
    Sandbox::start_with(scenario, options).expect("a free port")
}

/// A sandbox that this authority vouches for.
fn vouched_for(by: &Authority) -> Sandbox {
    showing(&params("server", &["localhost"], NOW), Some(by)).0
}

fn assert_passed(ran: &Ran) {
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
}

/// A run that meets a certificate it refuses: nothing is sent, and it does not ask twice.
#[track_caller]
fn refused(sandbox: &Sandbox, gate: Gate, problem: &[&str], help: &[&str]) -> Ran {
    let ran = gate.run(RUN);
    assert_eq!(ran.end(), (31, "unreachable"), "{ran:?}");
    assert_eq!((ran.output("submitted"), sandbox.requests().len()), ("no", 0), "{ran:?}");
    ran.says(&[&["error: ", "the certificate of `localhost:", "` does not verify"], problem].concat());
    ran.says(&[&["hint: ", "no switch turns verification off"], help].concat());
    ran
}

#[test]
fn authorities_are_given_as_pem_as_der_or_several_at_once() {
    let (ours, other) = (authority("Acme Root"), authority("Other Root"));
    let sandbox = vouched_for(&ours);
    let bundle = format!("# Other Root\n{}\r\n\n# Acme Root\n{}\n# end", other.pem(), ours.pem());
    let with_key = format!("{}{}", other.key().serialize_pem(), ours.pem());
    let of_windows = format!("\u{feff}{}", ours.pem().replace('\n', "\r\n"));
    let files: [Vec<u8>; 5] =
        [ours.pem().into(), ours.der().to_vec(), bundle.into(), with_key.into(), of_windows.into()];
    for (at, bytes) in files.iter().enumerate() {
        let gate = Gate::against(&sandbox);
        let file = gate.file("roots", bytes);
        let ran = gate.run([&RUN[..], &["--ca-cert", &file]].concat());
        assert_eq!(ran.end(), (0, "succeeded"), "file {at}: {ran:?}");
    }
}

#[test]
fn authorities_are_given_by_a_variable_and_the_flag_wins() {
    let (ours, other) = (authority("Acme Root"), authority("Other Root"));
    let sandbox = vouched_for(&ours);
    let with = |flag: &str, variables: &[(&str, &str)]| {
        let gate = Gate::against(&sandbox);
        gate.file("ours", ours.pem());
        gate.file("other", other.pem());
        let flag = if flag.is_empty() { vec![] } else { vec!["--ca-cert", flag] };
        gate.set_all(variables).run([&RUN[..], &flag].concat())
    };
    assert_passed(&with("", &[("EPM_CA_CERT", "ours")]));
    assert_passed(&with("", &[("SSL_CERT_FILE", "ours")]));
    assert_passed(&with("", &[("SSL_CERT_FILE", "ours"), ("EPM_CA_CERT", "")]));
    assert_passed(&with("", &[("EPM_CA_CERT", "ours"), ("SSL_CERT_FILE", "none")]));
    assert_passed(&with("ours", &[("EPM_CA_CERT", "none"), ("SSL_CERT_FILE", "none")]));
    let ran = with("other", &[("EPM_CA_CERT", "ours"), ("SSL_CERT_FILE", "ours")]);
    assert_eq!(ran.end(), (31, "unreachable"), "{ran:?}");
}

#[test]
fn a_file_that_adds_no_authority_is_refused_by_name() {
    let sandbox = vouched_for(&authority("Acme Root"));
    let pem = authority("Other Root").pem();
    let broken = pem.replace("-----END", "----- END");
    let no_base64 = pem.replace("MII", "M!I");
    let garbage = format!("{pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let only_garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let key = key().serialize_pem();
    let table: [(&[u8], &str); 8] = [
        (b"", "holds no certificate"),
        (b"no certificate at all\n", "holds no certificate"),
        (key.as_bytes(), "holds no certificate"),
        (broken.as_bytes(), "certificate 1"),
        (no_base64.as_bytes(), "certificate 1"),
        (only_garbage.as_bytes(), "certificate 1"),
        (b"\x30\x03\x02\x01\x01", "holds no certificate"),
        (b"\x30\x81\x02\x01\x01", "certificate 1"),
    ];
    for (content, problem) in table {
        for (flag, name) in [(true, "`--ca-cert`"), (false, "`SSL_CERT_FILE`")] {
            let gate = Gate::against(&sandbox);
            let file = gate.file("roots.pem", content);
            let ran = if flag {
                gate.run([&RUN[..], &["--ca-cert", &file]].concat())
            } else {
                gate.set("SSL_CERT_FILE", &file).run(RUN)
            };
            assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
            ran.says(&["error: ", name, "roots.pem", problem]);
            ran.says(&["hint: ", "-----BEGIN CERTIFICATE-----"]);
        }
    }
    let ran = Gate::against(&sandbox).run([&RUN[..], &["--ca-cert", "none.pem"]].concat());
    assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
    ran.says(&["error: ", "`--ca-cert`", "cannot read `none.pem`"]);
    assert!(sandbox.requests().is_empty());
    let gate = Gate::against(&sandbox);
    let file = gate.file("roots.pem", garbage);
    assert_eq!(gate.run([&RUN[..], &["--ca-cert", &file]].concat()).code, 31, "one of the two is an authority");
}

#[test]
fn a_certificate_out_of_its_dates_says_which() {
    let ours = authority("Acme Root");
    let trusting = |sandbox: &Sandbox| {
        let gate = Gate::against(sandbox);
        let file = gate.file("roots.pem", ours.pem());
        gate.set("EPM_CA_CERT", file)
    };
    let (sandbox, _) = showing(&params("server", &["localhost"], (2020, 2021)), Some(&ours));
    refused(&sandbox, trusting(&sandbox), &["it expired at 2021-03-04 00:00:00 UTC"], &["renewed", "clock"]);
    let (sandbox, _) = showing(&params("server", &["localhost"], (2100, 2120)), Some(&ours));
    let problem = ["it is not valid before 2100-01-02 00:00:00 UTC", "clock says 20"];
    refused(&sandbox, trusting(&sandbox), &problem, &["clock"]);
    let names = ["a.example.com", "127.0.0.1"];
    let (sandbox, _) = showing(&params("server", &names, NOW), Some(&ours));
    refused(&sandbox, trusting(&sandbox), &["it is for `a.example.com`, `127.0.0.1`"], &["host in the URL"]);
}

#[test]
fn an_issuer_that_is_not_known_is_named_with_what_to_do() {
    let sandbox = vouched_for(&authority("mitmproxy"));
    let help = ["`--ca-cert FILE`", "`SSL_CERT_FILE`", "inspects TLS"];
    let ran = refused(&sandbox, Gate::against(&sandbox), &["its issuer `mitmproxy` is not known"], &help);
    assert!(ran.summary.contains("`mitmproxy`") && ran.summary.contains("`--ca-cert FILE`"), "{}", ran.summary);
    let hostile = authority("\u{1b}[31m`::error::x`\n##[group]");
    let sandbox = vouched_for(&hostile);
    refused(&sandbox, Gate::against(&sandbox), &["is not known"], &help[..1]);
}

#[test]
fn a_server_that_vouches_for_itself_is_believed_where_its_certificate_is_given() {
    let plain = params("server", &["localhost"], NOW);
    for params in [plain.clone(), of_authority(plain)] {
        let (sandbox, certificate) = showing(&params, None);
        let help = ["`--ca-cert FILE`", "`SSL_CERT_FILE`"];
        refused(&sandbox, Gate::against(&sandbox), &["it is self-signed"], &help);
        let gate = Gate::against(&sandbox);
        let file = gate.file("server.pem", certificate.pem());
        assert_passed(&gate.run([&RUN[..], &["--ca-cert", &file]].concat()));
    }
}

#[test]
fn a_service_at_an_ipv6_address_is_reached() {
    let ours = authority("Acme Root");
    let key = key();
    let certificate = params("server", &["::1"], NOW).signed_by(&key, &ours).expect("a certificate");
    let host = Some(Ipv6Addr::LOCALHOST.into());
    let tls = Some((certificate.pem(), key.serialize_pem()));
    for tls in [None, tls] {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let sandbox = serving(Options { host, tls, ..Options::default() });
        assert!(sandbox.url().starts_with(&format!("{scheme}://[::1]:")), "{}", sandbox.url());
        let gate = Gate::against(&sandbox);
        let file = gate.file("roots.pem", ours.pem());
        let flags = ["--ca-cert", &file, "--expect-host", "[::1]"];
        let ran = gate.run([&RUN[..], &flags].concat());
        assert_passed(&ran);
        ran.says(&["GLDATA", "`[::1]:"]);
    }
}

/// A gateway that has the service below `/epm/prod`, and nothing beside it. It ends with the process.
fn gateway(sandbox: &Sandbox) -> String {
    let server = sandbox.url().trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/epm/prod", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            pass_on(&client, &server);
        }
    });
    url
}

/// Passes one request on, and its answer back.
fn pass_on(mut client: &TcpStream, server: &str) {
    let mut reader = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|length| length > 0) {}
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.and_then(|length| length.parse().ok()).unwrap_or_default()];
    let _ = reader.read_exact(&mut body);
    if !head.lines().next().is_some_and(|line| line.contains(" /epm/prod/")) {
        let _ = client.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        return;
    }
    let head = head.replacen("/epm/prod/", "/", 1).replacen("\r\n", "\r\nconnection: close\r\n", 1);
    let mut server = TcpStream::connect(server).expect("the sandbox is there");
    server.write_all(&[head.as_bytes(), &body].concat()).expect("it takes the request");
    let _ = std::io::copy(&mut server, &mut client);
}

#[test]
fn a_service_behind_a_prefix_is_reached_by_run_and_attach() {
    let sandbox = shipped("succeeds");
    let url = gateway(&sandbox);
    let ran = Gate::against(&sandbox).set("EPM_URL", format!("{url}/epmcloud/")).run(RUN);
    assert_passed(&ran);
    let attach = ["attach", ran.output("jobId"), "--url", &url];
    assert_passed(&Gate::against(&sandbox).unset("EPM_URL").run(attach));
}
