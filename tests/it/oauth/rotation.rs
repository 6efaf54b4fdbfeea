//! A refresh token is single-use: the next one is in its file before the access token is used.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use epm_sandbox::Sandbox;
use tempfile::TempDir;

use super::RUN;
use crate::harness::{Gate, Ran, Running, playing, shipped, text_of};

/// Runs, and reads the token's file afterwards.
fn run_and_read(gate: Gate) -> (Ran, String, u32) {
    let mut gate = gate;
    let ran = gate.run_again(RUN);
    let path = gate.path("given-token");
    let mode = std::fs::metadata(&path).map_or(0, |metadata| metadata.permissions().mode() & 0o777);
    (ran, text_of(&path), mode)
}

#[test]
fn the_next_token_takes_the_place_of_the_one_that_was_exchanged() {
    let sandbox = shipped("quick-success");
    let old = sandbox.refresh_token();
    let (ran, kept, mode) = run_and_read(Gate::exchanging(&sandbox));
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert_ne!(kept.trim(), old);
    assert_eq!((kept, mode), (format!("{}\n", sandbox.refresh_token()), 0o600));
}

#[test]
fn a_second_run_goes_on_with_the_token_of_the_first() {
    let sandbox = shipped("quick-success");
    let mut gate = Gate::exchanging(&sandbox);
    for exchanges in 1..=3 {
        let ran = gate.run_again(RUN);
        assert_eq!((ran.end(), sandbox.exchanges()), ((0, "succeeded"), exchanges), "{ran:?}");
    }
}

#[test]
fn an_answer_without_a_new_token_leaves_the_old_one() {
    let sandbox = playing("[identity]\nrotates = false\n[[job]]\npolls = [{ status = 0 }]\n");
    let (ran, kept, _) = run_and_read(Gate::exchanging(&sandbox));
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert_eq!(kept.trim(), sandbox.refresh_token());
}

#[test]
fn an_empty_token_is_none_and_one_without_an_access_token_is_kept() {
    let play = |reply: &str| {
        let sandbox =
            playing(&format!("[identity]\nreplies = [{{ {reply} }}, {{}}]\n[[job]]\npolls = [{{ status = 0 }}]\n"));
        let (ran, kept, _) = run_and_read(Gate::exchanging(&sandbox));
        (ran, kept, sandbox)
    };
    let (ran, kept, _) = play("fields = { refresh_token = '' }");
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert!(kept.starts_with("sbx-refresh-0"), "{kept}");
    for reply in ["without = ['access_token']", "fields = { access_token = '' }"] {
        let (ran, kept, sandbox) = play(reply);
        // Its fault is told; the token that came is not lost by it.
        assert_eq!(ran.end(), (31, "unreachable"), "{ran:?}");
        assert_eq!(kept.trim(), sandbox.refresh_token());
    }
}

#[test]
fn a_token_of_the_environment_is_told_to_be_used_up() {
    let sandbox = shipped("quick-success");
    let gate = |token: String| {
        Gate::nowhere().at_identity_service(&sandbox).set("EPM_URL", sandbox.url()).set("EPM_REFRESH_TOKEN", token)
    };
    let ran = gate(sandbox.refresh_token()).run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    ran.mentions(&["`EPM_REFRESH_TOKEN` has just been used up", "--refresh-token-file"]);
    assert_eq!(ran.stderr.matches("used up").count(), 1, "{}", ran.stderr);
    assert!(ran.summary.contains("used up"), "{}", ran.summary);
}

#[test]
fn nothing_is_exchanged_where_the_next_token_could_not_be_kept() {
    let sandbox = shipped("quick-success");
    // Nobody can make a file in that folder.
    let ran = Gate::exchanging(&sandbox).set("EPM_REFRESH_TOKEN_FILE", "/proc/self/comm").run(RUN);
    assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
    ran.mentions(&["the lock `/proc/", "comm.lock` beside the refresh token's file cannot be taken", "hint: "]);
    // A folder stands where the next token is written first.
    let gate = Gate::exchanging(&sandbox);
    std::fs::create_dir(gate.path("given-token.room")).unwrap();
    let ran = gate.run(RUN);
    assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
    ran.mentions(&["given-token` cannot be replaced", "hint: ", "a folder that this user may write to"]);
    assert!(sandbox.token_requests().is_empty() && sandbox.requests().is_empty());
}

/// A service that takes its time for the first exchange, so that something can happen meanwhile.
const SLOW: &str = "[identity]\naccess_serves = 5\nreplies = [{ delay = '1s' }, {}]\n[[job]]\n\
                    polls = [{ times = 6 }, { status = 0 }]\n";

#[test]
fn a_run_whose_token_could_not_be_kept_after_all_goes_on_with_it() {
    let sandbox = playing(SLOW);
    let mut running = Gate::exchanging(&sandbox).start(RUN);
    running.until("the exchange is under way", || sandbox.exchanges() == 1);
    std::fs::remove_file(running.path("given-token.room")).unwrap();
    let (ran, dir) = running.finish_and_keep();
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    ran.mentions(&["cannot be replaced", "given-token` is dead", "epm-gate login"]);
    // The next exchange was one of the token that could not be kept, and had more luck.
    assert_eq!(sandbox.exchanges(), 2);
    assert_eq!(text_of(&dir.path().join("given-token")).trim(), sandbox.refresh_token());
}

/// A token's file that was there, and in whose place a folder stands now: no file can be put there.
struct Displaced {
    path: PathBuf,
    old: String,
    _dir: TempDir,
}

impl Displaced {
    /// Displaces it while the token that it holds is exchanged by a run, which goes on.
    fn during_a_run(sandbox: &Sandbox) -> (Self, Running) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (path, old) = (dir.path().join("token"), sandbox.refresh_token());
        std::fs::write(&path, &old).expect("the file can be written");
        let mut running = with_file(sandbox, &path).start(RUN);
        running.until("the exchange is under way", || sandbox.exchanges() == 1);
        std::fs::remove_file(&path).expect("the file is there");
        std::fs::create_dir(&path).expect("a folder can be made");
        (Self { path, old, _dir: dir }, running)
    }

    /// Puts it back as it was.
    fn restore(&self) {
        std::fs::remove_dir(&self.path).expect("the folder is there");
        std::fs::write(&self.path, &self.old).expect("the file can be written");
    }
}

#[test]
fn a_token_that_was_written_beside_its_file_is_taken_up_by_the_next_run() {
    let sandbox = playing(&SLOW.replace("access_serves = 5\n", ""));
    let (file, running) = Displaced::during_a_run(&sandbox);
    let ran = running.finish();
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    ran.mentions(&["is dead", "token.next`"]);
    file.restore();
    let ran = with_file(&sandbox, &file.path).run(RUN);
    assert_eq!((ran.end(), sandbox.exchanges()), ((0, "succeeded"), 2), "{ran:?}");
    assert_eq!(text_of(&file.path).trim(), sandbox.refresh_token());
}

#[test]
fn a_link_is_followed_to_the_file_that_holds_the_token() {
    let sandbox = shipped("quick-success");
    let gate = Gate::exchanging(&sandbox);
    std::os::unix::fs::symlink("given-token", gate.path("given-link")).unwrap();
    let link = gate.path("given-link");
    let mut gate = gate.set("EPM_REFRESH_TOKEN_FILE", link);
    let ran = gate.run_again(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert_eq!(text_of(&gate.path("given-token")).trim(), sandbox.refresh_token());
    assert!(std::fs::symlink_metadata(gate.path("given-link")).unwrap().is_symlink());
}

/// A first exchange that takes its time, and a token that is renewed four seconds after it was asked for.
fn renewing(second: &str) -> String {
    format!(
        "[identity]\naccess_lasts = '8s'\nreplies = [{{ delay = '1s' }}, {{ {second} }}]\n[[job]]\n\
         polls = [{{ lasts = '3s' }}, {{ status = 0 }}]\n"
    )
}

#[test]
fn a_token_that_stands_beside_its_file_is_not_lost_to_a_renewal_in_vain() {
    let sandbox = playing(&renewing("http = 503"));
    let (file, mut running) = Displaced::during_a_run(&sandbox);
    running.until_it_says("is dead");
    file.restore();
    let ran = running.finish();
    assert_eq!((ran.end(), sandbox.exchanges()), ((0, "succeeded"), 1), "{ran:?}");
    assert!(sandbox.token_requests().len() > 1, "it was never renewed");
    assert_eq!(text_of(&file.path).trim(), sandbox.refresh_token());
}

#[test]
fn a_token_that_could_not_be_kept_and_is_refused_is_not_exchanged_again() {
    let body = r#"{"error":"invalid_grant","error_description":"The token has already been consumed"}"#;
    let sandbox = playing(&renewing(&format!("http = 400, body = '{body}'")));
    let mut running = Gate::exchanging(&sandbox).start(RUN);
    running.until("the exchange is under way", || sandbox.exchanges() == 1);
    std::fs::remove_file(running.path("given-token.room")).unwrap();
    let ran = running.finish();
    assert_eq!((ran.end(), sandbox.token_requests().len()), ((0, "succeeded"), 2), "{ran:?}");
    ran.mentions(&["already been consumed; the access token that is there is used until it ends"]);
}

#[test]
fn a_login_takes_up_what_stands_beside_the_file_before_it_touches_anything() {
    let sandbox = playing(&format!("{}[[job]]\n", renewing("").replace("access_lasts = '8s'", "device = ['denied']")));
    let (file, running) = Displaced::during_a_run(&sandbox);
    assert_eq!(running.finish().code, 0);
    file.restore();
    let ran = with_file(&sandbox, &file.path).run(["login"]);
    assert_eq!(ran.code, 30, "{ran:?}");
    assert_eq!(text_of(&file.path).trim(), sandbox.refresh_token());
}

/// A gate of its own with somebody else's token file.
fn with_file(sandbox: &Sandbox, file: &Path) -> Gate {
    Gate::exchanging(sandbox).set("EPM_REFRESH_TOKEN_FILE", file)
}

#[test]
fn two_gates_at_once_on_one_file_both_pass() {
    let sandbox = playing("[identity]\nreplies = [{ delay = '300ms' }]\n[[job]]\npolls = [{ status = 0 }]\n");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, sandbox.refresh_token()).unwrap();
    let gates = [(); 3].map(|()| with_file(&sandbox, &file).start(RUN));
    for gate in gates {
        let ran = gate.finish();
        assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    }
    assert_eq!(sandbox.exchanges(), 3);
    assert_eq!(text_of(&file).trim(), sandbox.refresh_token());
}

#[test]
fn a_turn_that_another_gate_keeps_ends_at_the_deadline_with_nothing_exchanged() {
    let sandbox = shipped("quick-success");
    let gate = Gate::exchanging(&sandbox).set("EPM_TIMEOUT", "1s");
    let lock = std::fs::File::create(gate.path("given-token.lock")).unwrap();
    lock.lock().unwrap();
    let ran = gate.run(RUN);
    assert_eq!(ran.end(), (31, "unreachable"), "{ran:?}");
    assert!(sandbox.token_requests().is_empty());
}
