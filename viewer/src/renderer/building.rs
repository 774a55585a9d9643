//! What is built on workers and appears when it is ready: cartoons and surfaces.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, mpsc};

use glam::Vec3;
use kfold_molecule::Topology;

use crate::error::ViewerError;
use crate::geometry::cartoon;
use crate::geometry::glycans;
use crate::geometry::mesh::Mesh;
use crate::gpu::Gpu;
use crate::renderer::Waker;
use crate::ribbon::{self, RibbonKind};
use crate::scene::{AtomSelection, CartoonStyle};
use crate::surface::SurfaceSource;

/// Shapes of an object's residues, computed by whoever needs them first.
pub(crate) type SharedKinds = Arc<OnceLock<Vec<RibbonKind>>>;

/// What a cartoon is made of.
#[derive(Clone)]
pub(crate) struct CartoonSource {
    pub topology: Arc<Topology>,
    pub positions: Arc<Vec<Vec3>>,
    pub kinds: Option<Arc<Vec<RibbonKind>>>,
    pub shared_kinds: SharedKinds,
    pub atoms: AtomSelection,
    /// Atoms drawn as sticks or balls besides: the ribbon is joined to them where it passes by.
    pub tethers: Vec<AtomSelection>,
    pub style: CartoonStyle,
}

impl CartoonSource {
    fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.topology, &other.topology)
            && Arc::ptr_eq(&self.positions, &other.positions)
            && same_arc(self.kinds.as_ref(), other.kinds.as_ref())
            && self.atoms == other.atoms
            && self.tethers == other.tethers
            && self.style == other.style
    }

    fn build(&self) -> Mesh {
        let kinds = match &self.kinds {
            Some(kinds) => kinds,
            None => self.shared_kinds.get_or_init(|| ribbon::assign(&self.topology, &self.positions)),
        };
        cartoon::build(&self.topology, &self.positions, kinds, &self.atoms, &self.tethers, &self.style)
    }
}

pub(crate) fn same_arc<T>(a: Option<&Arc<T>>, b: Option<&Arc<T>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        _ => false,
    }
}

/// What symbols of carbohydrates are made of.
#[derive(Clone)]
pub(crate) struct GlycanSource {
    pub topology: Arc<Topology>,
    pub positions: Arc<Vec<Vec3>>,
    pub atoms: AtomSelection,
    pub size: f32,
}

/// What is to be built.
#[derive(Clone)]
pub(crate) enum Source {
    Cartoon(CartoonSource),
    Glycans(GlycanSource),
    Surface(SurfaceSource),
}

/// What was built.
pub(crate) enum Built {
    Mesh(Mesh),
    /// What `mesh/surface.wgsl` reads, and the number of triangles.
    Surface(Vec<u32>, u32),
}

impl Source {
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Cartoon(a), Self::Cartoon(b)) => a.is_same(b),
            (Self::Surface(a), Self::Surface(b)) => a.is_same(b),
            (Self::Glycans(a), Self::Glycans(b)) => {
                Arc::ptr_eq(&a.topology, &b.topology)
                    && Arc::ptr_eq(&a.positions, &b.positions)
                    && a.atoms == b.atoms
                    && a.size == b.size
            }
            _ => false,
        }
    }

    pub fn build(&self, gpu: &Gpu, cancelled: &AtomicBool) -> Result<Built, ViewerError> {
        match self {
            Self::Cartoon(source) => Ok(Built::Mesh(source.build())),
            Self::Glycans(source) => {
                Ok(Built::Mesh(glycans::build(&source.topology, &source.positions, &source.atoms, source.size)))
            }
            Self::Surface(source) => {
                let (words, triangles) = source.build_words(gpu, cancelled)?.unwrap_or_default();
                Ok(Built::Surface(words, triangles))
            }
        }
    }
}

/// Something on its way. While it is built nothing else is begun for the same representation, so that a trajectory
/// played faster than its cartoons are built does not queue them up.
pub(crate) struct Job {
    source: Source,
    receiver: mpsc::Receiver<Result<Built, ViewerError>>,
    done: Arc<AtomicBool>,
    cancelled: Arc<AtomicBool>,
}

impl Drop for Job {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}

impl Job {
    pub fn start(source: Source, gpu: &Gpu, waker: &Waker) -> Self {
        let (sender, receiver) = mpsc::channel();
        let done = Arc::new(AtomicBool::new(false));
        let cancelled = Arc::new(AtomicBool::new(false));
        let (work, finished, stop, waker) =
            (source.clone(), Arc::clone(&done), Arc::clone(&cancelled), Arc::clone(waker));
        let gpu = gpu.clone();
        rayon::spawn(move || {
            // A panic in the pool would end the program; a missing cartoon does not.
            let built = catch_unwind(AssertUnwindSafe(|| work.build(&gpu, &stop)));
            // The receiver may be gone: the representation was removed meanwhile.
            let _ = sender.send(built.unwrap_or_else(|_| Ok(Built::Mesh(Mesh::default()))));
            finished.store(true, Ordering::Release);
            waker();
        });
        Self { source, receiver, done, cancelled }
    }

    /// Whether it has come in.
    pub fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// What it was to build, with the result if that is there.
    pub fn take(&self) -> Option<(Source, Result<Built, ViewerError>)> {
        match self.receiver.try_recv() {
            Ok(built) => Some((self.source.clone(), built)),
            Err(mpsc::TryRecvError::Empty) => None,
            // The pool was shut down: an empty mesh stands for what will not come.
            Err(mpsc::TryRecvError::Disconnected) => Some((self.source.clone(), Ok(Built::Mesh(Mesh::default())))),
        }
    }
}
