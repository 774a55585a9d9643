//! What can go wrong between here and a picture.

use thiserror::Error;

/// An error of the renderer. The text says what to do where there is something to do.
#[derive(Debug, Error)]
pub enum ViewerError {
    /// No adapter answered at all, not even a software one.
    #[error(
        "no graphics adapter was found ({reason}); install a Vulkan driver, or the software one \
         (Debian and Ubuntu: `apt install mesa-vulkan-drivers libvulkan1`)"
    )]
    NoAdapter {
        /// What the graphics library said.
        reason: String,
    },
    /// The adapter was found but did not open.
    #[error("the graphics adapter \"{adapter}\" could not be opened: {reason}")]
    NoDevice {
        /// Name of the adapter.
        adapter: String,
        /// What the graphics library said.
        reason: String,
    },
    /// The device lacks something that every picture needs.
    #[error(
        "the graphics adapter \"{adapter}\" ({backend}) cannot be used: {missing}; \
         choose the Vulkan, Metal or DirectX 12 back end (environment variable WGPU_BACKEND)"
    )]
    Unsupported {
        /// Name of the adapter.
        adapter: String,
        /// The back end in use.
        backend: String,
        /// What is missing.
        missing: String,
    },
    /// Graphics memory ran out.
    #[error(
        "graphics memory ran out while {doing}; hide some objects, close other programs or make the picture smaller"
    )]
    OutOfMemory {
        /// What was being done.
        doing: &'static str,
    },
    /// The device went away: driver reset, unplugged, put to sleep.
    #[error("the graphics device was lost ({reason}); the view must be built anew")]
    DeviceLost {
        /// What the graphics library said.
        reason: String,
    },
    /// The graphics library refused a call: a mistake of ours.
    #[error("the graphics library refused a call while {doing}: {reason}")]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// What the graphics library said.
        reason: String,
    },
    /// Whoever asked for the picture stopped it.
    #[error("the picture was stopped before it was done")]
    Cancelled,
    /// The size asked for cannot be drawn.
    #[error("a picture of {width} by {height} pixels cannot be drawn on this adapter: each side must be 1 to {limit}")]
    Size {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Largest side.
        limit: u32,
    },
    /// More atoms than one buffer of the adapter holds.
    #[error("object {object} has {atoms} atoms, more than the {limit} that this adapter holds in one buffer")]
    TooManyAtoms {
        /// The object's identifier.
        object: u64,
        /// Its atoms.
        atoms: usize,
        /// The most it could have.
        limit: usize,
    },
    /// Positions and topology disagree.
    #[error("object {object} has {positions} positions for {atoms} atoms; they must be as many")]
    Mismatch {
        /// The object's identifier.
        object: u64,
        /// Length of the position list.
        positions: usize,
        /// Atoms of the topology.
        atoms: usize,
    },
}
