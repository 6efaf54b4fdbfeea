//! What stands in front of a sandbox and lets a number of connections through, then none: the faults of a listener,
//! which no server can commit from behind it.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use epm_sandbox::Sandbox;
use tokio::net::TcpSocket;

/// What meets whoever comes too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// The connection is refused.
    Refuses,
    /// The connection never opens: the queue of those that wait for it is full.
    NeverOpens,
}

impl Door {
    /// What the gate's log says of it.
    pub(super) fn is_told(self) -> &'static str {
        match self {
            Self::Refuses => "no connection to",
            Self::NeverOpens => "no whole answer from",
        }
    }

    fn shut(self, listener: TcpListener, keeper: TcpSocket) -> Shut {
        match self {
            Self::Refuses => {
                // Closing it is not enough: a process that is just being started has it open for a moment as well.
                let _ = TcpStream::from(OwnedFd::from(listener)).shutdown(Shutdown::Both);
                Shut::Refusing(keeper)
            }
            Self::NeverOpens => {
                let fillers = fill(keeper.local_addr().expect("an address"));
                Shut::Full { listener, fillers }
            }
        }
    }
}

/// A relay in a thread of its own.
pub(super) struct Front {
    address: SocketAddr,
    sandbox: SocketAddr,
    shut: Receiver<Shut>,
}

/// A door that is shut, and what keeps it so.
enum Shut {
    /// It keeps the port from everybody else, and does not listen.
    Refusing(TcpSocket),
    Full {
        listener: TcpListener,
        #[expect(dead_code, reason = "they fill the queue for as long as they live")]
        fillers: Vec<TcpStream>,
    },
}

impl Front {
    /// Lets so many connections through. The door is shut before the last of them is served, so that the next request
    /// finds it shut.
    pub(super) fn before(sandbox: &Sandbox, connections: usize, door: Door) -> Self {
        let sandbox = sandbox.url().trim_start_matches("http://").parse().expect("an address");
        let keeper = socket(0).expect("a free port");
        let address = keeper.local_addr().expect("an address");
        let listener = listen(socket(address.port()).expect("a port that is shared")).expect("a listener");
        let (sender, shut) = channel();
        let relay = move || {
            for _ in 1..connections {
                accept(&listener, sandbox);
            }
            let last = (connections > 0).then(|| listener.accept());
            let _ = sender.send(door.shut(listener, keeper));
            if let Some(Ok((client, _))) = last {
                serve(client, sandbox);
            }
        };
        if connections == 0 {
            relay();
        } else {
            std::thread::spawn(relay);
        }
        Self { address, sandbox, shut }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets everybody through from now on.
    pub(super) fn open(&self) {
        let listener = match self.shut.recv().expect("the door is shut") {
            Shut::Refusing(keeper) => listen(keeper).expect("a listener"),
            Shut::Full { listener, .. } => listener,
        };
        let sandbox = self.sandbox;
        std::thread::spawn(move || while accept(&listener, sandbox) {});
    }
}

/// Lets the next connection through. False where there will be none.
fn accept(listener: &TcpListener, sandbox: SocketAddr) -> bool {
    listener.accept().map(|(client, _)| serve(client, sandbox)).is_ok()
}

/// Relays both ways, in threads of its own.
fn serve(client: TcpStream, sandbox: SocketAddr) {
    std::thread::spawn(move || -> io::Result<()> {
        let server = TcpStream::connect(sandbox)?;
        let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
        std::thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
        let _ = io::copy(&mut &server, &mut &client);
        client.shutdown(Shutdown::Both)
    });
}

/// A socket on a port that only sockets of this test share.
fn socket(port: u16) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseport(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    Ok(socket)
}

/// With the shortest queue there is.
fn listen(socket: TcpSocket) -> io::Result<TcpListener> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let listener = runtime.block_on(async { socket.listen(1)?.into_std() })?;
    listener.set_nonblocking(false)?;
    Ok(listener)
}

/// Connects until no connection opens any more.
fn fill(address: SocketAddr) -> Vec<TcpStream> {
    const OPENS: Duration = Duration::from_millis(200);
    std::iter::from_fn(|| TcpStream::connect_timeout(&address, OPENS).ok()).collect()
}
