//! The graphics device: one opened here without a window, or the window's own.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::error::ViewerError;
use crate::renderer::Tier;
use crate::surface::SurfacePipelines;

/// Storage buffers that the vertex stage of the impostors binds.
const VERTEX_STORAGE_BUFFERS: u32 = 4;

/// An adapter's description with its open device and queue. Cloning is cheap and shares the device.
#[derive(Clone, Debug)]
pub struct Gpu {
    pub(crate) info: wgpu::AdapterInfo,
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    /// Filled by the device's lost callback.
    lost: Arc<Mutex<Option<String>>>,
    /// Made when the first surface is.
    surface_pipelines: Arc<OnceLock<SurfacePipelines>>,
}

impl Gpu {
    /// Opens the best adapter without a window. A software adapter is accepted; `WGPU_BACKEND` and
    /// `WGPU_ADAPTER_NAME` choose among several.
    ///
    /// # Errors
    /// When no adapter answers, or the one that does cannot draw.
    pub fn headless() -> Result<Self, ViewerError> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..wgpu::RequestAdapterOptions::default()
        };
        let adapter = pollster::block_on(async {
            match wgpu::util::initialize_adapter_from_env(&instance, None).await {
                Ok(adapter) => Ok(adapter),
                Err(_) => instance.request_adapter(&options).await,
            }
        })
        .map_err(|error| ViewerError::NoAdapter { reason: error.to_string() })?;
        let info = adapter.get_info();
        let offered = adapter.limits();
        let wanted = wgpu::Limits::default();
        let limits = wgpu::Limits {
            max_texture_dimension_2d: offered.max_texture_dimension_2d,
            max_buffer_size: offered.max_buffer_size,
            max_storage_buffer_binding_size: offered.max_storage_buffer_binding_size,
            ..wanted
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("viewer"),
            required_features: Self::wanted_features(&adapter),
            required_limits: limits,
            ..wgpu::DeviceDescriptor::default()
        }))
        .map_err(|error| ViewerError::NoDevice { adapter: info.name.clone(), reason: error.to_string() })?;
        Self::from_device(info, device, queue)
    }

    /// What a device should be opened with where the adapter has it: faster ways to draw.
    #[must_use]
    pub fn wanted_features(adapter: &wgpu::Adapter) -> wgpu::Features {
        adapter.features() & Tier::FEATURES
    }

    /// Uses a device that somebody else opened, as eframe's `RenderState` offers it. Takes the device's lost callback
    /// (eframe has none), to report a lost device as such.
    ///
    /// # Errors
    /// When the device lacks storage buffers in the vertex stage (OpenGL, WebGL).
    pub fn from_device(info: wgpu::AdapterInfo, device: wgpu::Device, queue: wgpu::Queue) -> Result<Self, ViewerError> {
        let limits = device.limits();
        if limits.max_storage_buffers_per_shader_stage < VERTEX_STORAGE_BUFFERS {
            return Err(ViewerError::Unsupported {
                adapter: info.name.clone(),
                backend: info.backend.to_string(),
                missing: format!(
                    "it offers {} storage buffers to a shader and {VERTEX_STORAGE_BUFFERS} are needed",
                    limits.max_storage_buffers_per_shader_stage
                ),
            });
        }
        let lost = Arc::<Mutex<Option<String>>>::default();
        let noted = Arc::clone(&lost);
        device.set_device_lost_callback(move |reason, message| {
            *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(format!("{reason:?}: {message}"));
        });
        Ok(Self { info, device, queue, lost, surface_pipelines: Arc::default() })
    }

    /// Whether the adapter draws with the processor: then fewer pixels matter more than fewer triangles.
    #[must_use]
    pub fn is_software(&self) -> bool {
        self.info.device_type == wgpu::DeviceType::Cpu
    }

    /// The adapter's name with its back end, for "about" panels and logs.
    #[must_use]
    pub fn description(&self) -> String {
        format!("{} ({}, {})", self.info.name, self.info.backend, self.info.driver_info)
    }

    /// Bytes of graphics memory that are allocated now, where the back end counts them. Waits for what is under way.
    ///
    /// # Errors
    /// When the device is lost.
    pub fn allocated_bytes(&self) -> Result<Option<u64>, ViewerError> {
        self.wait()?;
        Ok(self.device.generate_allocator_report().map(|report| report.total_allocated_bytes))
    }

    /// Longest side of a picture in pixels.
    #[must_use]
    pub fn max_side(&self) -> u32 {
        self.device.limits().max_texture_dimension_2d
    }

    pub(crate) fn surface_pipelines(&self) -> &SurfacePipelines {
        self.surface_pipelines.get_or_init(|| SurfacePipelines::new(&self.device))
    }

    /// An error if the device is known to be gone.
    pub(crate) fn check_lost(&self) -> Result<(), ViewerError> {
        match &*self.lost.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(reason) => Err(ViewerError::DeviceLost { reason: reason.clone() }),
            None => Ok(()),
        }
    }

    /// Waits until all submitted work is done and its callbacks have run.
    pub(crate) fn wait(&self) -> Result<(), ViewerError> {
        self.device
            .poll(wgpu::PollType::wait_indefinitely())
            .map(|_| ())
            .map_err(|error| ViewerError::DeviceLost { reason: error.to_string() })
    }

    /// Runs `work` and turns what the graphics library objects to into an error.
    pub(crate) fn guarded<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Self) -> Result<T, ViewerError>,
    ) -> Result<T, ViewerError> {
        self.check_lost()?;
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let internal = self.device.push_error_scope(wgpu::ErrorFilter::Internal);
        let result = work(self);
        let internal = pollster::block_on(internal.pop());
        let validation = pollster::block_on(validation.pop());
        let memory = pollster::block_on(memory.pop());
        if result.is_err() || memory.is_some() || validation.is_some() || internal.is_some() {
            // A lost device says so when it is asked next, and until then its buffers are merely not valid.
            let _ = self.device.poll(wgpu::PollType::Poll);
        }
        self.check_lost()?;
        if memory.is_some() {
            return Err(ViewerError::OutOfMemory { doing });
        }
        if let Some(error) = validation.or(internal) {
            return Err(ViewerError::Refused { doing, reason: error.to_string() });
        }
        result
    }
}
