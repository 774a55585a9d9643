//! Which atom lies under the cursor.
//!
//! The geometry pass writes the number of its atom into every pixel. Picking copies a few pixels around the cursor and
//! takes the nearest that has one, so that a thin stick need not be hit exactly. The copy comes back some milliseconds
//! later: [`Renderer::begin_pick`] and [`Renderer::poll_pick`] never wait, [`Renderer::pick`] does.

use std::sync::mpsc;

use crate::error::ViewerError;
use crate::gpu::Gpu;
use crate::renderer::Renderer;
use crate::renderer::objects::NumberRange;
use crate::scene::ObjectId;

/// Pixels around the cursor that count, to each side.
const REACH: u32 = 3;
/// Rows of a copy begin at multiples of this.
const ROW_BYTES: u32 = wgpu::COPY_BYTES_PER_ROW_ALIGNMENT;

/// An atom under the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pick {
    /// The object.
    pub object: ObjectId,
    /// Index of the atom in the object's topology. Of a cartoon: the CA or the backbone atom of the residue.
    pub atom: u32,
    /// Which of the object's copies; 0 where it stands once.
    pub copy: u32,
}

/// A copy on its way.
struct Request {
    buffer: wgpu::Buffer,
    receiver: mpsc::Receiver<Result<(), wgpu::BufferAsyncError>>,
    numbers: Vec<NumberRange>,
    /// Size of the copy, and the cursor in it.
    size: (u32, u32),
    cursor: (u32, u32),
}

/// The copy that was asked for last.
#[derive(Default)]
pub(crate) struct PickState {
    request: Option<Request>,
}

impl Request {
    /// The answer of a copy that has arrived.
    fn answer(&self) -> Result<Option<Pick>, ViewerError> {
        let bytes = self.buffer.get_mapped_range(..).map_err(|error| ViewerError::Refused {
            doing: "reading the atom under the cursor",
            reason: error.to_string(),
        })?;
        let mut best: Option<(u32, u32)> = None;
        for row in 0..self.size.1 {
            for column in 0..self.size.0 {
                let at = (row * ROW_BYTES + column * 4) as usize;
                let Some(four) = bytes.get(at..at + 4).and_then(|slice| <[u8; 4]>::try_from(slice).ok()) else {
                    continue;
                };
                let number = u32::from_le_bytes(four);
                let (x, y) = (column.abs_diff(self.cursor.0), row.abs_diff(self.cursor.1));
                let distance = x * x + y * y;
                if number != 0 && distance <= REACH * REACH && best.is_none_or(|held| distance < held.0) {
                    best = Some((distance, number - 1));
                }
            }
        }
        let Some((_, index)) = best else { return Ok(None) };
        Ok(self.numbers.iter().find(|range| index >= range.first && (index as usize) < range.end()).map(|range| {
            let number = index - range.first;
            Pick { object: range.object, atom: number % range.count, copy: number / range.count }
        }))
    }
}

impl Renderer {
    /// The atom at a pixel of the last picture, counted from its left and top; waits for the device.
    ///
    /// # Errors
    /// When the device is lost.
    pub fn pick(&mut self, x: f32, y: f32) -> Result<Option<Pick>, ViewerError> {
        self.begin_pick(x, y)?;
        if self.pick.request.is_none() {
            return Ok(None);
        }
        self.gpu.wait()?;
        Ok(self.poll_pick()?.flatten())
    }

    /// Asks for the atom at a pixel of the last picture. A question not yet answered is forgotten.
    ///
    /// # Errors
    /// When the device is lost.
    pub fn begin_pick(&mut self, x: f32, y: f32) -> Result<(), ViewerError> {
        self.pick.request = None;
        let (Some(targets), Some(output)) = (&self.targets, &self.output) else { return Ok(()) };
        if !(x >= 0.0 && y >= 0.0 && x < output.size.0 as f32 && y < output.size.1 as f32) {
            return Ok(());
        }
        let drawn = targets.key.drawn;
        let place = |value: f32, drawn: u32, whole: u32| ((value * drawn as f32 / whole as f32) as u32).min(drawn - 1);
        let cursor = (place(x, drawn.0, output.size.0), place(y, drawn.1, output.size.1));
        let low = (cursor.0.saturating_sub(REACH), cursor.1.saturating_sub(REACH));
        let high = ((cursor.0 + REACH + 1).min(drawn.0), (cursor.1 + REACH + 1).min(drawn.1));
        let size = (high.0 - low.0, high.1 - low.1);
        let numbers = self.objects.numbers.clone();
        let request = self.gpu.guarded("asking for the atom under the cursor", |gpu| {
            let buffer = copy_numbers(gpu, &targets.numbers.texture, low, size);
            let (sender, receiver) = mpsc::channel();
            buffer.map_async(wgpu::MapMode::Read, .., move |result| {
                // Nobody waits any more when the receiver is gone.
                let _ = sender.send(result);
            });
            let cursor = (cursor.0 - low.0, cursor.1 - low.1);
            Ok(Request { buffer, receiver, numbers, size, cursor })
        })?;
        self.pick.request = Some(request);
        Ok(())
    }

    /// The answer to [`Self::begin_pick`]: `None` while it is on its way or when nothing was asked, else what lies
    /// there.
    ///
    /// # Errors
    /// When the device is lost.
    pub fn poll_pick(&mut self) -> Result<Option<Option<Pick>>, ViewerError> {
        if self.pick.request.is_none() {
            return Ok(None);
        }
        self.gpu
            .device
            .poll(wgpu::PollType::Poll)
            .map_err(|error| ViewerError::DeviceLost { reason: error.to_string() })?;
        let Some(request) = self.pick.request.take() else { return Ok(None) };
        match request.receiver.try_recv() {
            Err(mpsc::TryRecvError::Empty) => {
                self.pick.request = Some(request);
                Ok(None)
            }
            Ok(Ok(())) => request.answer().map(Some),
            Ok(Err(_)) | Err(mpsc::TryRecvError::Disconnected) => {
                self.gpu.check_lost()?;
                Ok(Some(None))
            }
        }
    }
}

fn copy_numbers(gpu: &Gpu, texture: &wgpu::Texture, low: (u32, u32), size: (u32, u32)) -> wgpu::Buffer {
    let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("atom under the cursor"),
        size: u64::from(ROW_BYTES * size.1),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("pick") });
    encoder.copy_texture_to_buffer(
        wgpu::TexelCopyTextureInfo {
            texture,
            mip_level: 0,
            origin: wgpu::Origin3d { x: low.0, y: low.1, z: 0 },
            aspect: wgpu::TextureAspect::All,
        },
        wgpu::TexelCopyBufferInfo {
            buffer: &buffer,
            layout: wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(ROW_BYTES), rows_per_image: None },
        },
        wgpu::Extent3d { width: size.0, height: size.1, depth_or_array_layers: 1 },
    );
    gpu.queue.submit([encoder.finish()]);
    buffer
}
