//! Pictures to keep.

use std::sync::mpsc;

use image::RgbaImage;

use crate::camera::Camera;
use crate::error::ViewerError;
use crate::renderer::Renderer;
use crate::scene::Scene;
use crate::settings::RenderSettings;

impl Renderer {
    /// Draws a picture of this size with everything in it, waiting for cartoons and for all samples of the settings
    /// (see [`RenderSettings::still`]). Colour is not premultiplied, as PNG files have it.
    ///
    /// # Errors
    /// When the size cannot be drawn, an object is inconsistent, memory runs out or the device is lost.
    pub fn render_to_image(
        &mut self,
        scene: &Scene,
        camera: &Camera,
        width: u32,
        height: u32,
        settings: &RenderSettings,
    ) -> Result<RgbaImage, ViewerError> {
        for _ in 0..settings.sane().samples {
            self.draw(scene, camera, (width, height), settings, true)?;
        }
        self.read_picture(width, height)
    }

    /// The pixels of the last picture.
    fn read_picture(&self, width: u32, height: u32) -> Result<RgbaImage, ViewerError> {
        let doing = "reading the picture back";
        let Some(output) = &self.output else {
            return Err(ViewerError::Refused { doing, reason: "nothing was drawn".into() });
        };
        let row = (width * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let (buffer, receiver) = self.gpu.guarded(doing, |gpu| {
            let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("picture"),
                size: u64::from(row) * u64::from(height),
                usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
                mapped_at_creation: false,
            });
            let mut encoder =
                gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("read picture") });
            encoder.copy_texture_to_buffer(
                output.target.texture.as_image_copy(),
                wgpu::TexelCopyBufferInfo {
                    buffer: &buffer,
                    layout: wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row), rows_per_image: None },
                },
                wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
            );
            gpu.queue.submit([encoder.finish()]);
            let (sender, receiver) = mpsc::channel();
            buffer.map_async(wgpu::MapMode::Read, .., move |result| {
                // The receiver outlives the wait below.
                let _ = sender.send(result);
            });
            Ok((buffer, receiver))
        })?;
        self.gpu.wait()?;
        let refused = |reason: String| ViewerError::Refused { doing, reason };
        match receiver.try_recv() {
            Ok(Ok(())) => {}
            _ => {
                self.gpu.check_lost()?;
                return Err(refused("the copy did not arrive".into()));
            }
        }
        let bytes = buffer.get_mapped_range(..).map_err(|error| refused(error.to_string()))?;
        let mut pixels = Vec::with_capacity(width as usize * height as usize * 4);
        for line in bytes.chunks_exact(row as usize) {
            for pixel in line.chunks_exact(4).take(width as usize) {
                let alpha = u32::from(pixel[3]);
                match alpha {
                    255 => pixels.extend_from_slice(pixel),
                    0 => pixels.extend([0; 4]),
                    _ => {
                        let straight = |value: u8| ((u32::from(value) * 255 + alpha / 2) / alpha).min(255) as u8;
                        pixels.extend([straight(pixel[0]), straight(pixel[1]), straight(pixel[2]), pixel[3]]);
                    }
                }
            }
        }
        RgbaImage::from_raw(width, height, pixels).ok_or_else(|| refused("the copy was too short".into()))
    }
}
