//! The HTTP service over jobs: `kfold-studio serve`.
//!
//! A client submits a query with its files, follows the job and fetches its outputs; workers run it on this machine or on
//! Slurm. What a job is, what it produced and what happened to it stands in its directory as for any other job
//! (`kfold_inference::job`); beside it there is one SQLite file (`index`) with users' tokens and the queue. The HTTP side
//! (`api`) writes wishes into the index, one thread (`scheduler`) fulfils them, and neither keeps anything that the
//! other, or the next process, could not find there.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod api;
mod clock;
pub mod configuration;
mod error;
mod executor;
pub mod index;
mod listener;
mod log;
mod metrics;
mod rate;
mod scheduler;
mod series;
mod service;
pub mod token;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use kfold_inference::remote::protocol::EngineOffer;

use crate::configuration::{Configuration, ExecutorName};
use crate::executor::Executor;
use crate::executor::isolation::Isolation;
use crate::executor::local::Local;
use crate::executor::slurm::Slurm;
use crate::index::Index;
use crate::scheduler::Scheduler;
use crate::service::Service;

pub use crate::error::ServerError;

/// A service that runs.
pub struct Server {
    address: SocketAddr,
    service: Arc<Service>,
    scheduler: Option<JoinHandle<()>>,
    http: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts the service: when this returns it answers. Jobs of an earlier service go on.
    ///
    /// # Errors
    /// When the configuration asks for what cannot be, or data folder or address cannot be used.
    pub fn start(configuration: Configuration, engines: Vec<EngineOffer>) -> Result<Self, ServerError> {
        configuration.check().map_err(ServerError::Other)?;
        let isolation = Isolation::new(&configuration)?;
        let executor: Box<dyn Executor> = match configuration.workers.executor {
            ExecutorName::Local => Box::new(Local::new(isolation.clone(), &configuration.workers)),
            ExecutorName::Slurm => Box::new(Slurm::new(isolation.clone(), configuration.slurm.clone())?),
        };
        let tls = listener::tls(&configuration.listen)?;
        let wanted = configuration.listen.address;
        let service = Arc::new(Service::open(configuration, engines, isolation.is_without_network())?);

        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("http")
            .enable_all()
            .build()
            .map_err(|error| ServerError::Other(format!("cannot start threads: {error}")))?;
        let listener = runtime.block_on(listener::listen(wanted))?;
        let address = listener.local_addr().map_err(|source| ServerError::Listen { address: wanted, source })?;
        let thread = |error| ServerError::Other(format!("cannot start a thread: {error}"));
        let scheduler = Scheduler::new(Arc::clone(&service), executor);
        let scheduler =
            std::thread::Builder::new().name("scheduler".into()).spawn(move || scheduler.run()).map_err(thread)?;
        let (router, shared) = (api::router(Arc::clone(&service)), Arc::clone(&service));
        let has_tls = tls.is_some();
        let http = std::thread::Builder::new()
            .name("listener".into())
            .spawn(move || {
                runtime.block_on(listener::serve(listener, tls, router, shared));
                runtime.shutdown_timeout(std::time::Duration::from_secs(5));
            })
            .map_err(thread)?;
        log::info("listening", &[("address", &address), ("tls", &has_tls), ("version", &env!("CARGO_PKG_VERSION"))]);
        Ok(Self { address, service, scheduler: Some(scheduler), http: Some(http) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops: requests that are being answered are, and workers go on for the next service to find.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.service.stop();
        for thread in [self.http.take(), self.scheduler.take()].into_iter().flatten() {
            // A panic in it was told already.
            let _ = thread.join();
        }
        log::info("stopped", &[]);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.http.is_some() {
            self.end();
        }
    }
}

/// The index of a data folder, for the command line beside a service that runs.
///
/// # Errors
/// When the folder cannot be made or the index cannot be opened.
pub fn open_index(data: &Path) -> Result<Index, ServerError> {
    service::prepare_data(data)?;
    Ok(Index::open(&service::index_path(data), 1)?)
}

/// The OpenAPI document of the interface.
#[must_use]
pub fn openapi() -> serde_json::Value {
    api::document()
}
