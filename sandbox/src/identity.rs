//! Who gets a token, and is it still good? The identity service, decided without a socket. // epm-api.md §5.2

mod assertion;
mod client;
mod device;
mod form;
mod refusal;
mod tokens;

use std::collections::HashSet;
use std::time::{Instant, SystemTime};

use serde_json::Value;

use client::Client;
use device::Devices;
use form::Form;
use refusal::Refusal;
use tokens::Tokens;

use crate::answer::{About, Answer};
use crate::login::Entry;
use crate::scenario::{Audience, IdentityScript, Reply, Says};
use crate::script::Cursor;

pub use assertion::{JWT_KEY_ID, JWT_KEY_PKCS1, JWT_KEY_PKCS8};
pub use client::{CLIENT_ID, CLIENT_SECRET, CONFIDENTIAL_CLIENT_ID};
pub use tokens::REFRESH_TOKEN;

/// A scope as a client of the sandbox asks for it; any other is taken too. // epm-api.md §5.2
pub const SCOPE: &str = "urn:opc:serviceInstanceID=687065603urn:opc:resource:consumer::all offline_access";

/// One request to the identity service, as far as the answer depends on it.
pub(crate) struct Ask<'a> {
    pub(crate) method: &'a str,
    /// Scheme, host, port and path as they were asked, without a query.
    pub(crate) url: &'a str,
    pub(crate) authorization: Option<&'a str>,
    pub(crate) content_type: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) now: Instant,
    /// What the sandbox's clock shows.
    pub(crate) clock: SystemTime,
}

/// The answer, and what the journal may say of the request.
pub(crate) struct Answered {
    pub(crate) answer: Answer,
    pub(crate) grant: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) let_in: bool,
}

/// The identity service's state.
pub(crate) struct Identity {
    script: IdentityScript,
    username: String,
    replies: Cursor,
    tokens: Tokens,
    devices: Devices,
    /// The `jti` of each assertion that was taken.
    asserted: HashSet<String>,
}

impl Identity {
    pub(crate) fn new(script: IdentityScript, username: &str, now: Instant) -> Self {
        Self {
            script,
            username: username.into(),
            replies: Cursor::default(),
            tokens: Tokens::new(now),
            devices: Devices::default(),
            asserted: HashSet::new(),
        }
    }

    /// How many refresh tokens were exchanged.
    pub(crate) fn exchanges(&self) -> usize {
        self.tokens.exchanges()
    }

    /// The newest refresh token that was not consumed.
    pub(crate) fn refresh_token(&self) -> &str {
        self.tokens.current()
    }

    /// An access token that nobody asked for here.
    pub(crate) fn access_token(&mut self, now: Instant) -> String {
        self.tokens.access(now)
    }

    /// Whether the pod lets an access token in; one more request is counted for it.
    pub(crate) fn entry(&mut self, token: &str, now: Instant) -> Entry {
        let entry = self.tokens.admit(token, &self.script, now);
        match self.script.audience {
            Audience::Wrong if entry == Entry::LetIn => Entry::Refused("Token Audience"),
            _ => entry,
        }
    }

    /// Answers a request for tokens.
    pub(crate) fn token(&mut self, ask: &Ask<'_>) -> Answered {
        let form = Form::of(ask.body);
        let client = Client::authenticated(ask.authorization, &form);
        let let_in = client.is_ok();
        let answer = ask.misdirected().unwrap_or_else(|| self.scripted(ask, &form, client));
        Answered::new(answer, &form, let_in, ask.authorization)
    }

    /// Answers a device that asks for its code.
    pub(crate) fn device(&mut self, ask: &Ask<'_>) -> Answered {
        let form = Form::of(ask.body);
        // No secret here, not even from a client that has one: so Oracle's page on the device code grant has it.
        let client = Client::named(&form);
        let let_in = client.is_ok();
        let answer = ask.misdirected().unwrap_or_else(|| said(client.and_then(|client| self.code(ask, &form, client))));
        Answered::new(answer, &form, let_in, None)
    }

    /// What the next reply says; where it lets the request through, that is what became of it.
    fn scripted(&mut self, ask: &Ask<'_>, form: &Form, client: Result<Client, Refusal>) -> Answer {
        let reply = self.replies.next(&self.script.replies, ask.now).cloned();
        let usual = match &reply {
            Some(reply) if !reply.taken => Answer::error(503),
            _ => said(
                client.and_then(|client| self.grant(ask, form, client)).map(|tokens| changed(tokens, reply.as_ref())),
            ),
        };
        match &reply {
            Some(reply) => Answer::scripted(reply, usual, About::Service),
            None => usual,
        }
    }

    fn grant(&mut self, ask: &Ask<'_>, form: &Form, client: Client) -> Result<Value, Refusal> {
        form.sound()?;
        self.may_refresh(form)?;
        let refreshes = match form.required("grant_type")? {
            "refresh_token" => self.exchange(ask, form, client)?,
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => self.assert(ask, form, client)?,
            "urn:ietf:params:oauth:grant-type:device_code" => {
                self.devices.poll(form.required("device_code")?, client, &self.script, ask.now)?
            }
            other => return Err(Refusal::of("unsupported_grant_type", format!("EPM sandbox: no grant `{other}`"))),
        };
        Ok(self.tokens.issue(client, &self.script, refreshes, ask.now))
    }

    /// Consumes a refresh token; gives back whether a new one takes its place.
    fn exchange(&mut self, ask: &Ask<'_>, form: &Form, client: Client) -> Result<bool, Refusal> {
        if !self.script.allows_refresh {
            return Err(refusal::refresh_disallowed());
        }
        self.tokens.exchange(form.required("refresh_token")?, client, &self.script, ask.now)?;
        Ok(self.script.rotates)
    }

    fn assert(&mut self, ask: &Ask<'_>, form: &Form, client: Client) -> Result<bool, Refusal> {
        let expected = assertion::Expected { client, username: &self.username, url: ask.url, clock: ask.clock };
        let jti = expected.verify(form.required("assertion")?)?;
        if !self.asserted.insert(jti) {
            return Err(Refusal::of("invalid_grant", "EPM sandbox: an assertion with this `jti` was taken before"));
        }
        Ok(form.is_offline())
    }

    fn code(&mut self, ask: &Ask<'_>, form: &Form, client: Client) -> Result<Value, Refusal> {
        form.sound()?;
        self.may_refresh(form)?;
        if form.required("response_type")? != "device_code" {
            return Err(Refusal::of("invalid_request", "EPM sandbox: `response_type` is `device_code` here"));
        }
        let base = ask.url.strip_suffix("/oauth2/v1/device").unwrap_or(ask.url);
        let code = self.tokens.device_code();
        Ok(self.devices.register(code, client, form.is_offline(), base, &self.script, ask.now))
    }

    /// A refresh token is not handed out where the client may not have any. // epm-api.md §5.2
    fn may_refresh(&self, form: &Form) -> Result<(), Refusal> {
        if form.is_offline() && !self.script.allows_refresh { Err(refusal::refresh_disallowed()) } else { Ok(()) }
    }
}

impl Ask<'_> {
    /// Only a form that is posted is a request. // epm-api.md §6
    fn misdirected(&self) -> Option<Answer> {
        let is_form = self.content_type.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded");
        match self.method {
            "POST" if is_form => None,
            "POST" => Some(Answer::error(415)),
            _ => Some(Answer::error(405)),
        }
    }
}

impl Answered {
    fn new(answer: Answer, form: &Form, let_in: bool, authorization: Option<&str>) -> Self {
        let grant = form.value("grant_type").or(form.value("response_type"));
        Self { answer, grant: grant.map(Into::into), client: client::called(authorization, form), let_in }
    }
}

/// An answer holds tokens, or the reason why not; a cache must not keep it. // RFC 6749 §5.1
fn said(granted: Result<Value, Refusal>) -> Answer {
    match granted {
        Ok(tokens) => Answer::json(200, &tokens).uncached(),
        Err(refusal) => refusal.answer(),
    }
}

/// The tokens as a reply changes them.
fn changed(tokens: Value, reply: Option<&Reply>) -> Value {
    match (tokens, reply.map(|reply| &reply.says)) {
        (Value::Object(mut keys), Some(Says::Envelope(changes))) => {
            keys.extend(changes.fields.clone());
            keys.retain(|key, _| !changes.without.contains(key));
            Value::Object(keys)
        }
        (tokens, _) => tokens,
    }
}
