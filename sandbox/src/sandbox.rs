//! A server that runs for as long as its value lives.

use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::desk::Desk;
use crate::identity::Identity;
use crate::journal::{Journal, Request};
use crate::login::{Login, PASSWORD, USERNAME};
use crate::pod::{Pod, Stored};
use crate::replay::Replay;
use crate::scenario::Scenario;
use crate::server::serve;
use crate::tls::acceptor;
use crate::wire::Door;

/// What can be chosen about a [`Sandbox`] beside its scenario.
#[derive(Default)]
pub struct Options {
    /// The loopback address to listen on; none is `127.0.0.1`.
    pub host: Option<IpAddr>,
    /// The port on that address; 0 takes a free one.
    pub port: u16,
    /// The host that [`Sandbox::url`] names, as a certificate may want it; none is the address itself.
    pub name: Option<String>,
    /// Certificate chain and private key, both PEM, to speak TLS with.
    pub tls: Option<(String, String)>,
    /// The password; none is [`PASSWORD`].
    pub password: Option<String>,
    /// Where a JSON line per request goes, before its answer goes out.
    pub log: Option<Box<dyn Write + Send>>,
    /// A record that answers in place of the scenario.
    pub replay: Option<Replay>,
}

/// A running sandbox, on a thread of its own; dropping it ends it and every connection to it.
pub struct Sandbox {
    url: String,
    login: Login,
    desk: Arc<Desk>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts a sandbox on a free port.
    ///
    /// # Errors
    /// Where the loopback address cannot be listened on.
    pub fn start(scenario: Scenario) -> io::Result<Self> {
        Self::start_with(scenario, Options::default())
    }

    /// Starts a sandbox as chosen.
    ///
    /// # Errors
    /// Where the port cannot be listened on. Of kind `InvalidInput` where the host is no loopback address, or where
    /// certificate and key cannot be used.
    pub fn start_with(scenario: Scenario, options: Options) -> io::Result<Self> {
        let tls = options.tls.as_ref().map(|(chain, key)| acceptor(chain, key)).transpose();
        let tls = tls.map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))?;
        let listener = listen(options.host.unwrap_or(Ipv4Addr::LOCALHOST.into()), options.port)?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", shown(listener.local_addr()?, options.name.as_deref()));
        let login = Login { username: USERNAME.into(), password: options.password.unwrap_or_else(|| PASSWORD.into()) };
        let identity = Identity::new(scenario.identity.clone(), &login.username, Instant::now());
        let (clock, receptions) = (scenario.clock, scenario.connections.clone());
        let breaks = scenario.inbox.breaks.clone();
        let pod = Pod::new(scenario, &login);
        let desk = Desk::new(pod, identity, Journal::new(options.log), login.clone(), clock, scheme);
        let desk = Arc::new(desk.replaying(options.replay).breaking(&breaks));
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let served = Arc::clone(&desk);
        let thread = std::thread::Builder::new().name("epm-sandbox".into()).spawn(move || {
            runtime.block_on(until(stopped, listener, |listener| Door::new(listener, receptions, tls), served));
        })?;
        Ok(Self { url, login, desk, stop: Some(stop), thread: Some(thread) })
    }

    /// The base URL, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The user that is let in.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.login.username
    }

    /// The user's password.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.login.password
    }

    /// Where tokens are handed out.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("{}/oauth2/v1/token", self.url())
    }

    /// Where a device asks for its code.
    #[must_use]
    pub fn device_url(&self) -> String {
        format!("{}/oauth2/v1/device", self.url())
    }

    /// The refresh token that is good now: the newest that was handed out and not consumed.
    #[must_use]
    pub fn refresh_token(&self) -> String {
        self.desk.refreshed().1
    }

    /// A new access token, as one that was had elsewhere: no request and no exchange is counted for it.
    #[must_use]
    pub fn access_token(&self) -> String {
        self.desk.access_token()
    }

    /// How many refresh tokens were exchanged; each was consumed by it, unless the scenario's `rotates` is false.
    #[must_use]
    pub fn exchanges(&self) -> usize {
        self.desk.refreshed().0
    }

    /// Every request to the pod so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.desk.requests().into_iter().filter(|request| !request.is_for_tokens()).collect()
    }

    /// Every request to the identity service so far, in order.
    #[must_use]
    pub fn token_requests(&self) -> Vec<Request> {
        self.desk.requests().into_iter().filter(Request::is_for_tokens).collect()
    }

    /// How many submits arrived, taken or not.
    #[must_use]
    pub fn posts(&self) -> usize {
        self.count(Request::is_submit)
    }

    /// How many submits created a job.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.count(|request| request.taken)
    }

    /// How many uploads arrived, taken or not.
    #[must_use]
    pub fn uploads(&self) -> usize {
        self.count(Request::is_upload)
    }

    /// What lies in the inboxes, by name.
    #[must_use]
    pub fn inbox(&self) -> Vec<Stored> {
        self.desk.stored()
    }

    /// How many requests came without the right login.
    #[must_use]
    pub fn refused_logins(&self) -> usize {
        self.count(|request| !request.let_in)
    }

    fn count(&self, which: impl Fn(&Request) -> bool) -> usize {
        self.requests().iter().filter(|request| which(request)).count()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Listens, but never where others could come in.
fn listen(host: IpAddr, port: u16) -> io::Result<TcpListener> {
    if !host.is_loopback() {
        let why = format!("`{host}` is no loopback address: the sandbox's secrets are known to everyone");
        return Err(io::Error::new(ErrorKind::InvalidInput, why));
    }
    let listener = TcpListener::bind((host, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Host and port, as they stand in a URL.
fn shown(address: SocketAddr, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{name}:{}", address.port()),
        None => address.to_string(),
    }
}

/// Serves until the sender of `stopped` is gone.
async fn until(
    stopped: oneshot::Receiver<()>,
    listener: TcpListener,
    door: impl FnOnce(tokio::net::TcpListener) -> Door,
    desk: Arc<Desk>,
) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    tokio::select! {
        _ = stopped => {}
        _ = serve(door(listener), desk) => {}
    }
}
