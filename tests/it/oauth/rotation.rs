//! A refresh token is single-use: the next one is in its file before the access token is used.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::RUN;
use crate::harness::{Gate, Ran, playing, shipped, text_of};

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
fn an_answer_without_a_new_token_leaves_the_old_one_as_it_is() {
    let sandbox = playing("[identity]\nrotates = false\n[[job]]\npolls = [{ status = 0 }]\n");
    let gate = Gate::exchanging(&sandbox);
    std::fs::set_permissions(gate.path("given-token"), std::fs::Permissions::from_mode(0o640)).unwrap();
    let (ran, kept, mode) = run_and_read(gate);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert_eq!((kept, mode), (sandbox.refresh_token(), 0o640));
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
    ran.mentions(&["cannot be replaced", "hint: ", "a folder that this user may write to"]);
    assert!(sandbox.token_requests().is_empty() && sandbox.requests().is_empty());
}

#[test]
fn a_file_that_cannot_be_replaced_after_all_is_said_to_be_dead_and_the_run_goes_on() {
    let sandbox = shipped("quick-success");
    let gate = Gate::exchanging(&sandbox);
    // What the next token is written to first.
    std::fs::create_dir(gate.path("given-token.part")).unwrap();
    let old = sandbox.refresh_token();
    let (ran, kept, _) = run_and_read(gate);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    ran.mentions(&["is dead", "epm-gate login"]);
    assert_eq!(kept, old);
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

/// A gate of its own with somebody else's token file.
fn with_file(sandbox: &epm_sandbox::Sandbox, file: &Path) -> Gate {
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
