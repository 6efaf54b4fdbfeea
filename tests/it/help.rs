//! What the program says about itself.

use crate::harness::{Gate, plain};

#[test]
fn of_each_command() {
    for command in ["", "run", "submit", "attach", "status", "check", "explain"] {
        let arguments = [command, "--help"].into_iter().filter(|word| !word.is_empty());
        let ran = Gate::nowhere().run(arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        let name = if command.is_empty() { "help".to_owned() } else { format!("help-{command}") };
        let mut settings = plain();
        // Defaults are durations, and belong to the help.
        settings.set_filters(Vec::<(&str, &str)>::new());
        settings.bind(|| insta::assert_snapshot!(name, ran.stdout.trim()));
    }
}

#[test]
fn the_short_flag_says_the_same() {
    for command in ["run", "submit", "attach", "status", "check", "explain"] {
        let help = |flag: &str| Gate::nowhere().run([command, flag]).stdout;
        assert_eq!(help("-h"), help("--help"));
    }
}

#[test]
fn names_every_flag_of_the_contract() {
    let help = Gate::nowhere().run(["run", "--help"]).stdout;
    for flag in [
        "job-type",
        "job-name",
        "import-mode",
        "export-mode",
        "period-name",
        "start-period",
        "end-period",
        "file-name",
        "upload",
        "overwrite",
        "variable",
        "set",
        "payload",
        "dry-run",
        "url",
        "expect-host",
        "username",
        "identity-domain",
        "password-file",
        "look",
        "timeout",
        "poll-min",
        "poll-max",
        "poll-cost",
        "poll-rate",
        "request-timeout",
        "submit-timeout",
        "refuse-before-maintenance",
        "outage-budget",
        "unknown-grace",
        "fail-on-warning",
        "require-output",
        "min-duration",
        "rules",
        "max-rejected",
        "min-rows",
        "fail-on-stage-failure",
        "ci",
        "outputs-dir",
        "summary",
        "print",
        "color",
        "log-format",
        "help",
    ] {
        assert!(help.contains(&format!("--{flag}")), "{flag}");
    }
    assert!(!help.contains("--password "), "no flag takes a secret's value");
}

#[test]
fn version() {
    let ran = Gate::nowhere().run(["--version"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, concat!("epm-gate ", env!("CARGO_PKG_VERSION"), "\n")));
}
