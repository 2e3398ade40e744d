//! How a client reaches its server: the address, the options of the connection, the stubs.
//!
//! The ledger is a sidecar: it dies and comes back at the same address while the bot goes on. tonic's defaults are made
//! for far-away services; each option in [`endpoint`] says what it is against.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use tokio::sync::watch;
use tonic::transport::Endpoint;

use crate::connection::Connection;
use crate::errors::Error;

/// Version of this client, in step with the server's.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How long an answer may take, retries included, where nothing else was said.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) const LARGEST_MESSAGE: usize = 8 << 20; // bytes; the server's answers stay well below
const LONGEST_CONNECT: Duration = Duration::from_secs(5); // one attempt may take
const PING_INTERVAL: Duration = Duration::from_secs(20); // the server refuses more than one in 10 s
const PING_TIMEOUT: Duration = Duration::from_secs(5); // without an answer to a ping, and the connection counts as lost
const RECEIVE_WINDOW: u32 = 64 << 10; // bytes a slow reader lags behind at most
const CONNECTION_WINDOW: u32 = 8 << 20; // or one slow stream would hold up the calls beside it

/// Options of a connection. The default is a plain connection, the server's default portfolio and [`DEFAULT_TIMEOUT`].
#[derive(Clone)]
pub struct Options {
    /// Of all calls whose request names none; empty is the server's "default".
    pub portfolio: String,
    /// Until an answer must be there, retries included.
    pub timeout: Duration,
    /// Encrypt the connection. Certificates below turn it on, too.
    pub tls: bool,
    /// PEM, that the server's certificate is checked against; empty are those of the system.
    pub root_certificates: Vec<u8>,
    /// PEM, that this bot shows to the server; with its key or not at all.
    pub client_certificate: Vec<u8>,
    /// PEM, belongs to `client_certificate`.
    pub client_key: Vec<u8>,
    /// Sent with every call as `authorization: Bearer ...`. Not in the clear to other machines.
    pub token: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            portfolio: String::new(),
            timeout: DEFAULT_TIMEOUT,
            tls: false,
            root_certificates: Vec::new(),
            client_certificate: Vec::new(),
            client_key: Vec::new(),
            token: String::new(),
        }
    }
}

/// A ledger behind a connection; [`connect`] makes one. Clones share the connection and may be used at once.
#[derive(Clone, Debug)]
pub struct Ledger {
    pub(crate) address: Arc<str>,
    pub(crate) portfolio: Arc<str>,
    pub(crate) timeout: Duration,
    connection: Connection,
    closed: Arc<watch::Sender<bool>>,
}

/// The ledger at `address`, `host:port` or `unix:/path.sock`.
///
/// Nothing is sent yet: the first call connects, and waits for a server that is still starting. Call it inside a tokio
/// runtime, which the connection then lives in.
///
/// # Errors
/// [`Kind::ValueError`](crate::Kind::ValueError): the address or an option is none, or no runtime is there.
pub fn connect(address: &str, options: Options) -> Result<Ledger, Error> {
    if tokio::runtime::Handle::try_current().is_err() {
        return Err(Error::value("connect: no tokio runtime is running here; call it inside one".to_owned()));
    }
    if !is_address(address) {
        return Err(Error::value(format!(
            "address {address:?} is neither host:port nor unix:/path.sock; pass such as 127.0.0.1:50051"
        )));
    }
    check_timeout(options.timeout)?;
    let authorization = authorization(address, &options)?;
    let channel = endpoint(address, &options)?.connect_lazy();
    Ok(Ledger {
        address: address.into(),
        portfolio: options.portfolio.as_str().into(),
        timeout: options.timeout,
        connection: Connection::new(channel, authorization),
        closed: Arc::new(watch::Sender::new(false)),
    })
}

impl Ledger {
    /// The same ledger, with another portfolio for calls whose request names none.
    #[must_use]
    pub fn with_portfolio(&self, portfolio: &str) -> Self {
        Self { portfolio: portfolio.into(), ..self.clone() }
    }

    /// The same ledger, with another time until an answer must be there, retries included.
    ///
    /// # Errors
    /// [`Kind::ValueError`](crate::Kind::ValueError): 0 is not a time to wait.
    pub fn with_timeout(&self, timeout: Duration) -> Result<Self, Error> {
        check_timeout(timeout)?;
        Ok(Self { timeout, ..self.clone() })
    }

    /// Close the ledger and all its clones: streams end, and calls are refused. The connection itself ends when nothing
    /// holds it any more.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    /// The connection itself, for stubs of one's own and for services beside the ledger, such as gRPC's health. What
    /// fails over it is read with [`Error::from`].
    pub fn connection(&self) -> Connection {
        self.connection.clone()
    }

    pub(crate) fn open(&self) -> Result<(), Error> {
        if *self.closed.borrow() {
            return Err(Error::value(format!("the ledger at {} was closed; connect again", self.address)));
        }
        Ok(())
    }

    /// Ends when the ledger is closed.
    pub(crate) fn closing(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut closed = self.closed.subscribe();
        async move {
            // An error says that the ledger is gone, with all its clones.
            let _ = closed.wait_for(|closed| *closed).await;
        }
    }

    pub(crate) fn portfolio_or(&self, portfolio_id: &mut String) {
        if portfolio_id.is_empty() {
            self.portfolio.as_ref().clone_into(portfolio_id);
        }
    }
}

fn check_timeout(timeout: Duration) -> Result<(), Error> {
    if timeout.is_zero() {
        return Err(Error::value("timeout: 0 is not a time to wait; pass more than 0".to_owned()));
    }
    Ok(())
}

fn is_address(address: &str) -> bool {
    if let Some(path) = address.strip_prefix("unix:") {
        return !path.is_empty() && !path.contains(char::is_whitespace);
    }
    let Some((host, port)) = address.rsplit_once(':') else { return false };
    let plain = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(ipv6) => !ipv6.is_empty() && !ipv6.contains(['[', ']', '/']),
        None => !host.is_empty() && !host.contains(['[', ']', '/', ':']),
    };
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    plain && digits && !host.contains(char::is_whitespace) && port.parse::<u16>().is_ok()
}

fn is_encrypted(options: &Options) -> bool {
    options.tls
        || !options.root_certificates.is_empty()
        || !options.client_certificate.is_empty()
        || !options.client_key.is_empty()
}

fn authorization(address: &str, options: &Options) -> Result<Option<HeaderValue>, Error> {
    if options.token.is_empty() {
        return Ok(None);
    }
    if !is_encrypted(options) && !address.starts_with("unix:") && !is_loopback(address) {
        return Err(Error::value(format!(
            "token: address {address:?} is another machine, and the token would go there in the clear; set tls"
        )));
    }
    let mut value = HeaderValue::try_from(format!("Bearer {}", options.token)).map_err(|_| {
        Error::value("token: it holds a character that no header takes; pass it without line ends".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(Some(value))
}

fn is_loopback(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn endpoint(address: &str, options: &Options) -> Result<Endpoint, Error> {
    let refused = |failed: tonic::transport::Error| Error::value(format!("address {address:?}: {}", chain(&failed)));
    let encrypted = is_encrypted(options);
    let target = match (address.starts_with("unix:"), encrypted) {
        (true, true) => {
            return Err(Error::value(format!(
                "tls: address {address:?} is a socket file, which is not encrypted; leave tls and certificates out"
            )));
        }
        (true, false) => address.to_owned(),
        (false, true) => format!("https://{address}"),
        (false, false) => format!("http://{address}"),
    };
    let endpoint = Endpoint::from_shared(target)
        .and_then(|endpoint| endpoint.user_agent(concat!("lotkeeper-rust/", env!("CARGO_PKG_VERSION"))))
        .map_err(refused)?
        .connect_timeout(LONGEST_CONNECT)
        .http2_keep_alive_interval(PING_INTERVAL) // a dead peer is noticed in seconds, not hours
        .keep_alive_timeout(PING_TIMEOUT)
        .keep_alive_while_idle(true) // a stream may be silent for longer than two pings
        .initial_stream_window_size(RECEIVE_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    if encrypted { encrypt(endpoint, options) } else { Ok(endpoint) }
}

#[cfg(feature = "tls")]
fn encrypt(endpoint: Endpoint, options: &Options) -> Result<Endpoint, Error> {
    use tonic::transport::{Certificate, ClientTlsConfig, Identity};

    let mut tls = ClientTlsConfig::new();
    tls = if options.root_certificates.is_empty() {
        tls.with_native_roots()
    } else {
        tls.ca_certificate(Certificate::from_pem(&options.root_certificates))
    };
    match (options.client_certificate.is_empty(), options.client_key.is_empty()) {
        (true, true) => {}
        (false, false) => {
            tls = tls.identity(Identity::from_pem(&options.client_certificate, &options.client_key));
        }
        _ => {
            return Err(Error::value(
                "client_certificate, client_key: one without the other; pass both as their PEM files hold them"
                    .to_owned(),
            ));
        }
    }
    endpoint.tls_config(tls).map_err(|failed| {
        Error::value(format!("certificates: {}; pass them as their PEM files hold them", chain(&failed)))
    })
}

#[cfg(not(feature = "tls"))]
fn encrypt(_: Endpoint, _: &Options) -> Result<Endpoint, Error> {
    Err(Error::value("tls: this build has none; turn the crate's feature \"tls\" on".to_owned()))
}

/// An error with what caused it, which tonic's own words leave out.
pub(crate) fn chain(failed: &(dyn std::error::Error + 'static)) -> String {
    let mut words = failed.to_string();
    let mut cause = failed.source();
    while let Some(deeper) = cause {
        let more = deeper.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        cause = deeper.source();
    }
    words
}
