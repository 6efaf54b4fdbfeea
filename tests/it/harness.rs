//! Runs the binary as a CI would, and holds every run to what is promised of all of them.

mod checks;
mod plain;
mod platform;
mod ran;
mod receiver;
mod running;

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use epm_sandbox::{
    CLIENT_ID, CLIENT_SECRET, CONFIDENTIAL_CLIENT_ID, JWT_KEY_ID, JWT_KEY_PKCS8, Options, Replay, SCOPE, Sandbox,
    Scenario, USERNAME,
};
use tempfile::TempDir;

pub(crate) use plain::plain;
pub(crate) use platform::On;
pub(crate) use ran::Ran;
pub(crate) use receiver::{Answer, Receiver};
pub(crate) use running::Running;

/// The binary under test.
const BINARY: &str = env!("CARGO_BIN_EXE_epm-gate");

/// A sandbox that plays a shipped scenario.
pub(crate) fn shipped(name: &str) -> Sandbox {
    Sandbox::start(Scenario::shipped(name).expect("a shipped scenario")).expect("a free port")
}

/// A sandbox that answers as this record says.
pub(crate) fn replaying(record: &str) -> Sandbox {
    let replay = Replay::parse("the record", record).unwrap_or_else(|error| panic!("{error}:\n{record}"));
    let options = Options { replay: Some(replay), ..Options::default() };
    Sandbox::start_with(Scenario::catalogue().expect("the shipped scenarios"), options).expect("a free port")
}

/// A sandbox that plays this TOML.
pub(crate) fn playing(toml: &str) -> Sandbox {
    Sandbox::start(Scenario::parse(toml).expect("a scenario")).expect("a free port")
}

/// A call of the gate: its environment and its places.
pub(crate) struct Gate {
    dir: TempDir,
    variables: Vec<(String, Option<String>)>,
    stdin: Stdin,
    before: Vec<String>,
}

/// What the gate finds on its stdin.
enum Stdin {
    Nothing,
    Text(String),
    NobodyCloses,
}

impl Gate {
    /// Knows no service and no credentials. Outputs and summary go to a folder of the call's own, and polls are dense.
    pub(crate) fn nowhere() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let gate = Self { dir, variables: Vec::new(), stdin: Stdin::Nothing, before: Vec::new() };
        let (outputs, summary) = (gate.outputs_dir(), gate.summary_file());
        gate.set("PATH", "/usr/local/bin:/usr/bin:/bin")
            .set("EPM_OUTPUTS_DIR", outputs)
            .set("EPM_SUMMARY", summary)
            .set("EPM_REPORT", "report.json")
            .set("EPM_POLL_MIN", "10ms")
            .set("EPM_POLL_MAX", "50ms")
            .set("EPM_POLL_RATE", "1000")
            .set("EPM_TIMEOUT", "2m")
    }

    /// Knows where the sandbox is, and its user.
    pub(crate) fn against(sandbox: &Sandbox) -> Self {
        Self::nowhere()
            .set("EPM_URL", sandbox.url())
            .set("EPM_USERNAME", sandbox.username())
            .set("EPM_PASSWORD", sandbox.password())
    }

    /// Knows where the sandbox is, and its identity service, whose refresh token stands in a file.
    pub(crate) fn exchanging(sandbox: &Sandbox) -> Self {
        let gate = Self::nowhere().at_identity_service(sandbox).set("EPM_URL", sandbox.url());
        let file = gate.file("given-token", sandbox.refresh_token());
        gate.set("EPM_REFRESH_TOKEN_FILE", file)
    }

    /// Knows where the sandbox is, and its identity service, to which it shows assertions about the sandbox's user.
    pub(crate) fn asserting(sandbox: &Sandbox) -> Self {
        Self::nowhere()
            .at_identity_service(sandbox)
            .set("EPM_URL", sandbox.url())
            .set("EPM_CLIENT_ID", CONFIDENTIAL_CLIENT_ID)
            .set("EPM_CLIENT_SECRET", CLIENT_SECRET)
            .set("EPM_JWT_KEY", JWT_KEY_PKCS8)
            .set("EPM_JWT_KEY_ID", JWT_KEY_ID)
            .set("EPM_JWT_SUBJECT", USERNAME)
    }

    /// Knows the sandbox's identity service, as a public client.
    pub(crate) fn at_identity_service(self, sandbox: &Sandbox) -> Self {
        self.set("EPM_TOKEN_URL", sandbox.token_url()).set("EPM_CLIENT_ID", CLIENT_ID).set("EPM_SCOPE", SCOPE)
    }

    /// With a record of what is said.
    pub(crate) fn recorded(self) -> Self {
        let file = self.path("record.jsonl");
        self.set("EPM_RECORD", file)
    }

    /// As a step of a GitHub workflow.
    pub(crate) fn on_github(self) -> Self {
        let (output, summary) = (self.github_output_file(), self.github_summary_file());
        self.set("CI", "true")
            .set("GITHUB_ACTIONS", "true")
            .set("GITHUB_OUTPUT", output)
            .set("GITHUB_STEP_SUMMARY", summary)
    }

    /// As a step of another platform, with what that tells of its run, and with every file that it takes.
    pub(crate) fn on(self, on: On) -> Self {
        let files = ["dotenv", "junit.xml", "report.html", "annotations.json"].map(|name| self.path(name));
        let temporary = self.path("agent");
        std::fs::create_dir(&temporary).expect("a folder can be made");
        let gate = ["EPM_DOTENV", "EPM_JUNIT", "EPM_HTML", "EPM_ANNOTATIONS"]
            .into_iter()
            .zip(files)
            .fold(self.set_all(on.variables()), |gate, (name, file)| gate.set(name, file));
        if on == On::Azure { gate.set("AGENT_TEMPDIRECTORY", temporary) } else { gate }
    }

    /// With a variable in its environment.
    pub(crate) fn set(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let value = value.as_ref().to_str().expect("UTF-8").to_owned();
        self.variables.push((name.to_owned(), Some(value)));
        self
    }

    /// With each of these.
    pub(crate) fn set_all(self, variables: &[(&str, &str)]) -> Self {
        variables.iter().fold(self, |gate, (name, value)| gate.set(name, value))
    }

    /// Without a variable that is set otherwise.
    pub(crate) fn unset(mut self, name: &str) -> Self {
        self.variables.push((name.to_owned(), None));
        self
    }

    /// With a text on its stdin.
    pub(crate) fn piped(mut self, text: &str) -> Self {
        self.stdin = Stdin::Text(text.to_owned());
        self
    }

    /// With a stdin that stays open.
    pub(crate) fn with_stdin_that_nobody_closes(mut self) -> Self {
        self.stdin = Stdin::NobodyCloses;
        self
    }

    /// Started by a shell that ran this script first.
    #[cfg(unix)]
    pub(crate) fn after_shell(mut self, script: &str) -> Self {
        self.before = ["sh", "-c", &format!("{script}; exec \"$@\""), "sh"].map(str::to_owned).to_vec();
        self
    }

    /// A place in the folder of this call.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A file in that folder.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).expect("a file can be written");
        path.to_str().expect("UTF-8").to_owned()
    }

    pub(crate) fn outputs_dir(&self) -> PathBuf {
        self.path("outputs")
    }

    pub(crate) fn summary_file(&self) -> PathBuf {
        self.path("summary.md")
    }

    pub(crate) fn github_output_file(&self) -> PathBuf {
        self.path("github-output")
    }

    pub(crate) fn github_summary_file(&self) -> PathBuf {
        self.path("github-summary.md")
    }

    /// Runs to the end, and checks what is true of every run.
    pub(crate) fn run<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Ran {
        self.start(arguments).finish()
    }

    /// Runs like [`Self::run`], and leaves the folder for another call.
    pub(crate) fn run_again<A: AsRef<OsStr>>(&mut self, arguments: impl IntoIterator<Item = A>) -> Ran {
        let (variables, before) = (self.variables.clone(), self.before.clone());
        let dir = std::mem::replace(&mut self.dir, tempfile::tempdir().expect("a temporary folder"));
        let (ran, dir) = Self { dir, variables, stdin: Stdin::Nothing, before }.start(arguments).finish_and_keep();
        self.dir = dir;
        ran
    }

    /// Starts it, for whoever wants to act while it runs.
    pub(crate) fn start<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Running {
        let mut command = self.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the gate starts");
        let stdin = child.stdin.take();
        let open_stdin = match (&self.stdin, stdin) {
            (Stdin::Text(text), Some(mut pipe)) => {
                // Whoever reads nothing closes the pipe: that is the gate's right.
                let _ = pipe.write_all(text.as_bytes());
                None
            }
            (_, pipe) => pipe,
        };
        let on = On::of(|name| self.variables.iter().any(|(known, _)| known == name));
        Running::new(child, open_stdin, self.dir, on)
    }

    /// The command itself, for a test with needs of its own.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut words = self.before.iter().map(String::as_str).chain([BINARY]);
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words).args(arguments).env_clear().current_dir(self.dir.path());
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        match self.stdin {
            Stdin::Nothing => command.stdin(Stdio::null()),
            Stdin::Text(_) | Stdin::NobodyCloses => command.stdin(Stdio::piped()),
        };
        command
    }
}

/// Makes a pipe with a name, which nobody has open.
#[cfg(unix)]
pub(crate) fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}

/// The text of a file; empty where there is none.
pub(crate) fn text_of(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
