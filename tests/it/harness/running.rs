//! A run that goes on, for whoever wants to act meanwhile. Nothing here waits without a bound.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdin, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tempfile::TempDir;

use super::checks;
use super::platform::On;
use super::ran::Ran;

/// Longer than the `EPM_TIMEOUT` of any run, so a run that reaches it hangs.
const LONGEST: Duration = Duration::from_secs(150);

/// A gate that runs; one that is dropped is killed.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    dir: TempDir,
    on: On,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    /// The lines of the log that were read already.
    read: String,
    /// How many bytes of them `until_it_says` has looked through; other waits read on without looking.
    searched: usize,
}

impl Running {
    pub(super) fn new(mut child: Child, stdin: Option<ChildStdin>, dir: TempDir, on: On) -> Self {
        let stdout = child.stdout.take().expect("a pipe");
        let stderr = child.stderr.take().expect("a pipe");
        Self { child, stdin, dir, on, stdout: whole(stdout), stderr: lines(stderr), read: String::new(), searched: 0 }
    }

    /// A place in the folder of this call.
    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// Waits until the log says this, after what was waited for before.
    #[track_caller]
    pub(crate) fn until_it_says(&mut self, text: &str) {
        loop {
            while let Some(line) = self.read[self.searched..].split_inclusive('\n').next() {
                self.searched += line.len();
                if line.contains(text) {
                    return;
                }
            }
            let Ok(line) = self.stderr.recv_timeout(LONGEST) else {
                panic!("the log never said {text:?}:\n{}", self.read)
            };
            self.read.push_str(&line);
        }
    }

    /// Waits until something is true that no log tells, such as a request that has arrived.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, mut is_true: impl FnMut() -> bool) {
        const TICK: Duration = Duration::from_millis(5);
        for _ in 0..LONGEST.as_millis() / TICK.as_millis() {
            if is_true() {
                return;
            }
            self.read.extend(self.stderr.recv_timeout(TICK));
        }
        panic!("it never came to be that {what}:\n{}", self.read);
    }

    /// Sends it a signal: `INT`, `TERM`, `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(sent.expect("`kill` runs").success());
    }

    /// Sends it a signal again and again, until that has ended it.
    #[cfg(unix)]
    pub(crate) fn until_it_ends_by_signals(&mut self, name: &str) {
        let pid = self.child.id().to_string();
        for _ in 0..1000 {
            if self.child.try_wait().expect("it is ours").is_some() {
                return;
            }
            // It may be gone by now.
            let _ = Command::new("kill").arg(format!("-{name}")).arg(&pid).stderr(std::process::Stdio::null()).status();
            self.read.extend(self.stderr.recv_timeout(Duration::from_millis(10)));
        }
        panic!("no signal has ended it:\n{}", self.read);
    }

    /// Waits for its end, and checks what is true of every run.
    pub(crate) fn finish(self) -> Ran {
        self.finish_and_keep().0
    }

    pub(crate) fn finish_and_keep(mut self) -> (Ran, TempDir) {
        let Ok(stdout) = self.stdout.recv_timeout(LONGEST) else { panic!("it hangs:\n{}", self.read) };
        let mut stderr = std::mem::take(&mut self.read);
        stderr.extend(self.stderr.iter());
        let status = self.child.wait().expect("it has ended");
        drop(self.stdin.take());
        let code = status.code().unwrap_or_else(|| 128 + signal_of(status));
        let dir = std::mem::replace(&mut self.dir, tempfile::tempdir().expect("a temporary folder"));
        let ran = Ran::collect(code, stdout, stderr, dir.path());
        checks::every_run(&ran, dir.path(), self.on);
        (ran, dir)
    }

    /// Ends it at once, as a runner does whose patience is over.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
fn signal_of(status: std::process::ExitStatus) -> i32 {
    std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or_default()
}

#[cfg(not(unix))]
fn signal_of(_: std::process::ExitStatus) -> i32 {
    0
}

/// All of a stream, at its end.
fn whole(mut stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// Each line, as it comes.
fn lines(stream: ChildStderr) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            let text = String::from_utf8_lossy(&line).into_owned();
            line.clear();
            if sender.send(text).is_err() {
                return;
            }
        }
    });
    receiver
}
