//! Whatever EPM or a proxy sends back, no secret is shown. The harness searches every byte of every run for it.

use std::io::Read;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;

use crate::harness::{Gate, playing, shipped};

const RUN: [&str; 3] = ["run", "--job-name", "GLDATA"];

#[test]
fn a_password_that_epm_sends_back_is_masked_in_every_form() {
    // As it is, in JSON, in a URL, in a form, and in base64.
    let forms = [
        r#"k9+Sand/box=&\"Qz7>~?"#,
        r#"k9+Sand/box=&\\\"Qz7>~?"#,
        "k9%2BSand%2Fbox%3D%26%22Qz7%3E~%3F",
        "k9%2bsand%2fbox%3d%26%22qz7%3e~%3f",
        "k9%2BSand%2Fbox%3D%26%22Qz7%3E%7E%3F",
        "azkrU2FuZC9ib3g9JiJRejc+fj8=",
    ];
    let text = forms.join(" ");
    let sandbox = playing(&format!(
        "about = \"It echoes.\"\n[[job]]\npolls = [{{ status = 1, job_status = \"{text}\", details = \"{text}\" }}]\n\
         log = \"\"\"\n ERROR {text}\n\"\"\"\n"
    ));
    for format in ["text", "json"] {
        let ran = Gate::against(&sandbox).on_github().set("EPM_LOG_FORMAT", format).run(RUN);
        assert_eq!(ran.end(), (10, "failed"), "{ran:?}");
        assert!(ran.output("details").starts_with("*** ***"), "{}", ran.output("details"));
    }
}

#[test]
fn a_password_in_a_redirect_is_masked() {
    let sandbox = playing(
        "about = \"It echoes.\"\n[[job]]\n\
         submit = [{ http = 302, headers = { Location = 'https://x.invalid/?p=k9+Sand/box=&\"Qz7>~?' } }]\n",
    );
    let ran = Gate::against(&sandbox).on_github().run(RUN);
    assert_eq!(ran.end(), (30, "access-denied"), "{ran:?}");
    ran.says(&["redirect", "https://x.invalid/?p=***"]);
}

#[test]
fn no_proxy_is_told_the_password_for_a_service_on_this_machine() {
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a free port");
    proxy.set_nonblocking(true).expect("a listener that does not block");
    let address = format!("http://{}", proxy.local_addr().expect("an address"));
    let sandbox = shipped("quick-success");
    let ran = Gate::against(&sandbox).set("HTTP_PROXY", &address).set("http_proxy", &address).run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    let mut heard = Vec::new();
    if let Ok((mut connection, _)) = proxy.accept() {
        let _ = connection.read_to_end(&mut heard);
        panic!("the proxy was asked: {}", String::from_utf8_lossy(&heard));
    }
}

#[test]
fn a_password_that_is_not_utf8_is_refused_rather_than_guessed_at() {
    let sandbox = shipped("succeeds");
    let gate = Gate::against(&sandbox).unset("EPM_PASSWORD");
    let mut command = gate.command(RUN);
    let output = command.env("EPM_PASSWORD", std::ffi::OsStr::from_bytes(b"p\xe4ss")).output().expect("the gate runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("`EPM_PASSWORD`: it is not UTF-8 text"), "{output:?}");
    assert!(sandbox.requests().is_empty());
}

#[test]
fn a_variable_of_a_flag_that_has_none_is_refused_by_name() {
    for (variable, flag) in [("EPM_DRY_RUN", "--dry-run"), ("EPM_FRESH", "--fresh")] {
        let ran = Gate::against(&shipped("succeeds")).set(variable, "true").run(RUN);
        assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
        ran.says(&["hint: ", variable, flag]);
    }
}

#[test]
fn a_domain_is_not_put_in_front_twice() {
    let sandbox = shipped("succeeds");
    let gate = Gate::against(&sandbox).set("EPM_USERNAME", "acme.bob").set("EPM_IDENTITY_DOMAIN", "acme");
    let ran = gate.run(RUN);
    assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
    ran.says(&["begins with the domain `acme` already"]);
}
