//! Connections: TLS, and bounds on what somebody who has not said who they are can cost.
//!
//! Before a request is understood a client can only waste time and memory, so both are bounded: connections in all and from
//! one address, the time for the handshake and for the header of each request, the header's size. A client that does not
//! take its answer is dropped when nothing has moved for a while.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, Sleep};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::configuration::{Configuration, Listen};
use crate::error::ServerError;
use crate::log;
use crate::service::Service;

/// For the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// For the header of a request, from its first byte or the end of the one before.
const HEADER: Duration = Duration::from_secs(20);
/// Bytes of a request's header.
const HEADER_BYTES: usize = 32 << 10;
/// Lines of a request's header.
const HEADER_LINES: usize = 64;
/// Without a byte of an answer being taken.
const STALL: Duration = Duration::from_secs(60);
/// For requests that are being answered when the service stops.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// Reads certificate and key.
pub(crate) fn tls(listen: &Listen) -> Result<Option<TlsAcceptor>, ServerError> {
    let (Some(certificate), Some(key)) = (&listen.certificate, &listen.key) else { return Ok(None) };
    let problem = |path: &Path, problem: String| ServerError::Tls { path: path.to_owned(), problem };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| problem(certificate, format!("no certificate in PEM form: {error}")))?;
    let secret =
        PrivateKeyDer::from_pem_file(key).map_err(|error| problem(key, format!("no key in PEM form: {error}")))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
        .map_err(|error| problem(certificate, format!("certificate and key do not fit: {error}")))?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(server))))
}

/// Answers connections until the service stops, and then for a while those that are being answered.
pub(crate) async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, router: Router, service: Arc<Service>) {
    let limits = &service.configuration.limits;
    let all = Arc::new(Semaphore::new(limits.connections as usize));
    let addresses = Addresses::new(&service.configuration);
    let graceful = GracefulShutdown::new();
    let mut stop = service.stop_signal();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files, a client that left at once: neither ends the service.
                log::warning("accept", &[("error", &error)]);
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // Dropped without an answer: an answer would cost more than the connection.
        let Ok(permit) = Arc::clone(&all).try_acquire_owned() else { continue };
        let Some(guest) = addresses.enter(address.ip()) else { continue };
        let watcher = graceful.watcher();
        let (tls, router) = (tls.clone(), router.clone());
        tokio::spawn(async move {
            let _held = (permit, guest);
            let _ = stream.set_nodelay(true);
            let stream = match tls {
                None => Stream::Plain(stream),
                Some(tls) => match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                    Ok(Ok(stream)) => Stream::Tls(Box::new(stream)),
                    Ok(Err(_)) | Err(_) => return,
                },
            };
            let service = router.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(ConnectInfo(address));
                request.map(axum::body::Body::new)
            });
            let mut builder = http1::Builder::new();
            builder
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER)
                .max_buf_size(HEADER_BYTES)
                .max_headers(HEADER_LINES)
                .half_close(false);
            let stream = TokioIo::new(Impatient::new(stream));
            let connection = builder.serve_connection(stream, TowerToHyperService::new(service));
            // A client that breaks off is no event.
            let _ = watcher.watch(connection).await;
        });
    }
    drop(listener);
    if tokio::time::timeout(LAST_ANSWERS, graceful.shutdown()).await.is_err() {
        log::warning("stopped_while_answering", &[]);
    }
}

/// Connections by address.
struct Addresses {
    at_most: Option<u64>,
    counts: Arc<Mutex<HashMap<IpAddr, u64>>>,
}

/// A connection that is counted while this lives.
struct Guest {
    address: IpAddr,
    counts: Arc<Mutex<HashMap<IpAddr, u64>>>,
}

impl Addresses {
    fn new(configuration: &Configuration) -> Self {
        // Behind a proxy all come from one address.
        let is_counted = !configuration.listen.plain_http_behind_proxy;
        let at_most = is_counted.then_some(configuration.limits.connections_per_address);
        Self { at_most, counts: Arc::default() }
    }

    fn enter(&self, address: IpAddr) -> Option<Guest> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if self.at_most.is_some_and(|at_most| *count >= at_most) {
            return None;
        }
        *count += 1;
        Some(Guest { address, counts: Arc::clone(&self.counts) })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
        }
    }
}

/// A stream that gives up when what it writes is not taken for [`STALL`].
struct Impatient {
    stream: Stream,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Impatient {
    fn new(stream: Stream) -> Self {
        Self { stream, stalled: None }
    }

    fn wait<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.stalled = None;
            return result;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + STALL)));
        match stalled.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Impatient {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // How long reading may take is hyper's and the handlers' matter.
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Impatient {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.wait(context, result)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_flush(context);
        this.wait(context, result)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_shutdown(context);
        this.wait(context, result)
    }
}

/// The address that a listener has.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address).await.map_err(|source| ServerError::Listen { address, source })
}
