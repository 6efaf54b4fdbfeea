//! `epm-sandbox exec`: the command's environment, its end and its signals.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};

use crate::harness::program;

fn exec(script: &str) -> Output {
    program()
        .args(["exec", "--", "sh", "-c", script])
        .envs(["HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"].map(|name| (name, "http://x")))
        .envs(["EPM_ACCESS_TOKEN", "EPM_REFRESH_TOKEN", "EPM_TOKEN_URL", "EPM_JWT_KEY"].map(|name| (name, "x")))
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_command_finds_the_sandbox_and_no_way_past_it() {
    let output = exec("env | grep -iE '^EPM_|PROXY' | sort");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], format!("EPM_PASSWORD={}", epm_sandbox::PASSWORD));
    assert!(lines[1].starts_with("EPM_URL=http://127.0.0.1:"), "{text}");
    assert_eq!(lines[2..], ["EPM_USERNAME=close.bot@example.com"]);
}

#[test]
fn the_command_s_exit_code_is_the_program_s() {
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137), ("kill -TERM $$", 143)] {
        let output = exec(script);
        assert_eq!(output.status.code(), Some(code), "{script}");
        let closing = format!("epm-sandbox: the command ended with exit code {code}; POSTs taken: 0\n");
        assert_eq!(stderr(&output), closing);
    }
}

#[test]
fn a_command_that_cannot_run_gets_the_code_of_a_shell() {
    for (command, code) in [("no-such-command", 127), ("/", 126)] {
        let output = program().args(["exec", "--", command]).output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        let said = stderr(&output);
        assert!(said.starts_with(&format!("epm-sandbox: cannot run `{command}`: ")), "{said}");
    }
}

#[test]
fn a_signal_is_handed_on_and_the_command_s_end_awaited() {
    for (signal, code) in [("TERM", 9), ("INT", 8)] {
        let script = "trap 'kill $!; exit 9' TERM; trap 'kill $!; exit 8' INT; sleep 60 & echo ready; wait";
        let mut command = program();
        command.args(["exec", "--", "sh", "-c", script]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}");
    }
}

#[test]
fn a_job_that_the_command_submits_is_counted() {
    let submit = r#"printf 'POST /aif/rest/V1/jobs HTTP/1.0\r\nAuthorization: Basic %s\r\nContent-Type: application/json\r\nContent-Length: 39\r\n\r\n{"jobType":"INTEGRATION","jobName":"X"}' "$(printf %s "$EPM_USERNAME:$EPM_PASSWORD" | base64 -w0)" "#;
    let script = format!("exec 3<>\"/dev/tcp/127.0.0.1/${{EPM_URL##*:}}\"; {submit} >&3; cat <&3");
    let output = program().args(["exec", "--", "bash", "-c", &script]).output().unwrap();
    assert!(stderr(&output).ends_with("exit code 0; POSTs taken: 1\n"), "{}", stderr(&output));
}
