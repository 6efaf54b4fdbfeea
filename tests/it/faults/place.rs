//! Where a fault strikes, and how that is brought about.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use epm_sandbox::Sandbox;

use crate::harness::{Gate, Ran, playing};

use super::front::{Door, Front};

/// What goes wrong.
pub(super) enum Strike {
    /// This answer, in the keys of a scenario.
    Answer(&'static str),
    /// This befalls an answer that would be a good one.
    Befalls(&'static str),
    /// The same, and it takes as long as the request may take.
    Holds(&'static str),
    /// The connection is reset with the request unread.
    Unread,
    /// The host's name has no address.
    Unresolved,
    /// What listens there speaks no TLS.
    NotTls,
    /// What listens there takes the connection, and says nothing.
    SilentTls,
    /// The proxy on the way to it answers so, and opens no way.
    Proxy(&'static str),
    /// No connection is made.
    Shut(Door),
}

/// Where it strikes: at this request, for good or twice; everything else goes well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Look,
    Submit,
    Poll,
    Log,
    TwoPolls,
}

impl Place {
    pub(super) const ALL: [Self; 5] = [Self::Look, Self::Submit, Self::Poll, Self::Log, Self::TwoPolls];

    /// How many connections are made before it, where each request but that for the hour has its own.
    fn connections_before(self) -> usize {
        match self {
            Self::Look => 0,
            Self::Submit => 1,
            Self::Poll | Self::TwoPolls => 2,
            Self::Log => 3,
        }
    }
}

/// What a run came to.
pub(super) struct Played {
    pub(super) ran: Ran,
    pub(super) posts: usize,
    pub(super) taken: usize,
}

impl Played {
    pub(super) fn has_log(&self) -> bool {
        self.ran.stderr.contains("it was this")
    }
}

/// A name that no resolver needs to be asked for: its first label is longer than a label may be.
const UNRESOLVED: &str = "https://this-name-has-a-label-that-is-longer-than-the-63-bytes-of-rfc-1035.example";

/// Each request has a connection of its own.
const CLOSED: &str = "headers = { Connection = 'close' }";

/// Runs into a fault. `taken`: whether a submit that meets it makes a job.
pub(super) fn play(strike: &Strike, place: Place, taken: bool, budgets: &[&'static str]) -> Played {
    let sandbox = playing(&scenario(strike, place, taken));
    let gate = Gate::against(&sandbox);
    let flags = if budgets.is_empty() { flags(strike, place) } else { budgets.to_vec() };
    let ran = match strike {
        Strike::Unresolved => past_the_sandbox(gate, UNRESOLVED, place, &flags),
        Strike::NotTls => past_the_sandbox(gate, &sandbox.url().replace("http:", "https:"), place, &flags),
        Strike::SilentTls => {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let url = format!("https://{}", listener.local_addr().expect("an address"));
            past_the_sandbox(gate, &url, place, &flags)
        }
        Strike::Proxy(answer) => {
            let gate = gate.set("HTTPS_PROXY", proxy(answer));
            past_the_sandbox(gate, "https://epm.example.com", place, &flags)
        }
        Strike::Shut(door) => through_a_front(gate, &sandbox, *door, place, &flags),
        _ => gate.run(run().chain(flags)),
    };
    Played { ran, posts: sandbox.posts(), taken: sandbox.taken() }
}

fn run() -> impl Iterator<Item = &'static str> {
    ["run", "--job-name", "GLDATA"].into_iter()
}

/// There is one host, and so it is gone from the start: a submit meets that without a look, a poll only in `attach`.
fn past_the_sandbox(gate: Gate, url: &str, place: Place, flags: &[&'static str]) -> Ran {
    let command: &[&str] = match place {
        Place::Poll => &["attach", "2100"],
        Place::Submit => &["run", "--job-name", "GLDATA", "--look", "off"],
        _ => &["run", "--job-name", "GLDATA"],
    };
    gate.set("EPM_URL", url).run(command.iter().chain(flags))
}

/// Answers whoever comes, until the process ends.
fn proxy(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let asked = BufReader::new(&stream).lines().map_while(Result::ok).any(|line| line.is_empty());
            let head = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = (&stream).write_all(if asked { head.as_bytes() } else { b"" });
        }
    });
    url
}

fn through_a_front(gate: Gate, sandbox: &Sandbox, door: Door, place: Place, flags: &[&'static str]) -> Ran {
    let front = Front::before(sandbox, place.connections_before(), door);
    let mut running = gate.set("EPM_URL", front.url()).start(run().chain(flags.iter().copied()));
    if place == Place::TwoPolls {
        running.until_it_says(door.is_told());
        front.open();
    }
    running.finish()
}

/// The look finds the door open, the first submits find it shut.
pub(super) fn play_until_a_submit_gets_through(door: Door) -> Played {
    let sandbox = playing(&closing("", Place::Submit));
    let front = Front::before(&sandbox, Place::Submit.connections_before(), door);
    let flags = ["--submit-timeout", "1s"];
    let mut running = Gate::against(&sandbox).set("EPM_URL", front.url()).start(run().chain(flags));
    running.until_it_says("no connection to");
    front.open();
    Played { ran: running.finish(), posts: sandbox.posts(), taken: sandbox.taken() }
}

/// Budgets that make a cell short. What does not strike has more time than it needs.
fn flags(strike: &Strike, place: Place) -> Vec<&'static str> {
    let mut flags = match place {
        Place::TwoPolls => vec![],
        _ => vec!["--outage-budget", "300ms", "--unknown-grace", "300ms"],
    };
    if matches!(strike, Strike::Befalls(_)) && place == Place::Log {
        // Another attempt hangs on what the log says: 100 MB of it have more time than an excerpt is worth.
        flags.extend(["--retries", "1"]);
    }
    if matches!(strike, Strike::Holds(_) | Strike::SilentTls | Strike::Shut(Door::NeverOpens)) {
        flags.extend([if place == Place::Submit { "--submit-timeout" } else { "--request-timeout" }, "1s"]);
        if place == Place::Log {
            // A log that has no end is read for as long as there is time.
            flags.extend(["--timeout", "4s"]);
        }
    }
    flags
}

fn scenario(strike: &Strike, place: Place, taken: bool) -> String {
    match strike {
        Strike::Answer(keys) => striking(keys, place, taken),
        // What would be a success is what a gate could be deceived by.
        Strike::Befalls(keys) | Strike::Holds(keys) => match place {
            Place::Poll | Place::TwoPolls => striking(&format!("status = 0, {keys}"), place, taken),
            _ => striking(keys, place, taken),
        },
        Strike::Unread => unread(place),
        Strike::Unresolved | Strike::NotTls | Strike::SilentTls | Strike::Proxy(_) => striking("", place, taken),
        Strike::Shut(_) => closing("", place),
    }
}

fn striking(keys: &str, place: Place, taken: bool) -> String {
    match place {
        Place::Look => format!("[look]\nreplies = [{{ {keys} }}]\n[[job]]\npolls = [{{ status = 0 }}]"),
        Place::Submit => {
            let keys = if keys.is_empty() { String::new() } else { format!("{keys}, taken = {taken}") };
            format!("[[job]]\nsubmit = [{{ {keys} }}]\npolls = [{{ status = 0 }}]")
        }
        Place::Poll => format!("[[job]]\npolls = [{{ {keys} }}]"),
        Place::TwoPolls => format!("[[job]]\npolls = [{{ {keys}, times = 2 }}, {{ status = 0 }}]"),
        Place::Log => {
            format!("[[job]]\npolls = [{{ status = 1 }}]\nlog = ' ERROR it was this'\ndownload = [{{ {keys} }}]")
        }
    }
}

fn unread(place: Place) -> String {
    let open = "'open', ".repeat(place.connections_before());
    let strikes = if place == Place::TwoPolls { "'reset', 'reset', 'open'" } else { "'reset'" };
    closing(&format!("connections = [{open}{strikes}]\n"), place)
}

/// All goes well, over a connection for each request; but the hour of the maintenance is asked for over that of the look.
fn closing(connections: &str, place: Place) -> String {
    let status = i32::from(place == Place::Log);
    format!(
        "{connections}[maintenance]\nreplies = [{{ {CLOSED} }}]\n\
         [[job]]\npolls = [{{ status = {status}, {CLOSED} }}]\nlog = ' ERROR it was this'"
    )
}
