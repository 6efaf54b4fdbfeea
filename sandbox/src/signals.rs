//! Signals that ask the program to end, and how they are handed on.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// The runtime of the commands; the sandbox has one of its own.
pub(crate) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

#[cfg(unix)]
mod platform {
    use std::io::{self, IsTerminal as _};

    use rustix::process::{Pid, Signal, kill_process};
    use tokio::signal::unix::{self, SignalKind, signal};

    /// What was caught.
    #[derive(Clone, Copy)]
    pub(crate) enum Caught {
        Interrupt,
        Terminate,
    }

    /// SIGINT and SIGTERM, caught from when this exists.
    pub(crate) struct Signals {
        interrupt: unix::Signal,
        terminate: unix::Signal,
    }

    impl Signals {
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
        }

        pub(crate) async fn next(&mut self) -> io::Result<Caught> {
            tokio::select! {
                _ = self.interrupt.recv() => Ok(Caught::Interrupt),
                _ = self.terminate.recv() => Ok(Caught::Terminate),
            }
        }
    }

    /// Sends a process what was caught. A terminal's Ctrl-C has reached it already: that goes to the whole group.
    pub(crate) fn hand_on(caught: Caught, process: u32) {
        let signal = match caught {
            Caught::Interrupt if io::stdin().is_terminal() => return,
            Caught::Interrupt => Signal::INT,
            Caught::Terminate => Signal::TERM,
        };
        if let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw) {
            // It may have ended by itself in between.
            let _ = kill_process(pid, signal);
        }
    }
}

#[cfg(not(unix))]
mod platform {
    use std::io;

    /// Ctrl-C was caught.
    #[derive(Clone, Copy)]
    pub(crate) struct Caught;

    /// Ctrl-C.
    pub(crate) struct Signals;

    impl Signals {
        #[expect(clippy::unnecessary_wraps, reason = "on unix it can fail")]
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(crate) async fn next(&mut self) -> io::Result<Caught> {
            tokio::signal::ctrl_c().await.map(|()| Caught)
        }
    }

    /// The console has told every process of the group already.
    pub(crate) fn hand_on(_: Caught, _: u32) {}
}

pub(crate) use platform::{Signals, hand_on};
