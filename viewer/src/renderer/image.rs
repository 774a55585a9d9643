//! Pictures to keep, drawn in tiles where they are large.
//!
//! A tile is drawn with a margin as wide as any effect looks around itself, and begins at multiples of the pattern that
//! occlusion is sampled with, so that a picture in tiles is the picture drawn at once.

use std::ops::ControlFlow;
use std::sync::mpsc;
use std::time::Duration;

use image::{GenericImage, GenericImageView, RgbaImage};

use crate::camera::{Camera, bounding_sphere};
use crate::error::ViewerError;
use crate::renderer::{LARGE_OCCLUSION_RADIUS, MOST_OCCLUSION_REACH, Part, Renderer};
use crate::scene::Scene;
use crate::settings::RenderSettings;

/// Pixels drawn at once: about sixty bytes each.
const TILE_PIXELS: u64 = 16 << 20;
/// Longest side of a picture.
const MOST_PIXELS_ALONG_A_SIDE: u32 = 16_384;
/// Tiles begin at multiples of this: the pattern of occlusion repeats every four of its pixels, which may be two wide.
const PATTERN: u32 = 8;

const READING: &str = "reading the picture back";
/// How long another thread may take to pass on that a copy has arrived: it does nothing else before.
const TOLD_ELSEWHERE: Duration = Duration::from_secs(10);

/// Called as a picture is drawn with the steps done and their number; may stop it.
pub type Progress<'a> = &'a mut dyn FnMut(u32, u32) -> ControlFlow<()>;

/// Where a tile lies along one side: its own begin and length, and what is drawn around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    begin: u32,
    length: u32,
    drawn_begin: u32,
    drawn_length: u32,
}

/// Divides a side into so many spans with a margin.
fn spans(side: u32, count: u32, margin: u32) -> Vec<Span> {
    let length = side.div_ceil(count).next_multiple_of(PATTERN);
    (0..side)
        .step_by(length as usize)
        .map(|begin| {
            let length = length.min(side - begin);
            let drawn_begin = begin.saturating_sub(margin);
            let drawn_end = (begin + length + margin).min(side);
            Span { begin, length, drawn_begin, drawn_length: drawn_end - drawn_begin }
        })
        .collect()
}

/// The columns and rows of tiles of a picture, each drawn tile of at most so many pixels where the margin allows it.
fn tiles(size: (u32, u32), margin: u32, most_pixels: u64, longest: u32) -> (Vec<Span>, Vec<Span>) {
    let margin = margin.next_multiple_of(PATTERN);
    let most = |spans: &[Span]| spans.iter().map(|span| span.drawn_length).max().unwrap_or(0);
    let mut counts = (1, 1);
    loop {
        let (columns, rows) = (spans(size.0, counts.0, margin), spans(size.1, counts.1, margin));
        let (width, height) = (most(&columns), most(&rows));
        let fits = u64::from(width) * u64::from(height) <= most_pixels && width <= longest && height <= longest;
        // Where the margin is most of a tile, more tiles are no help.
        let is_fine = |count: u32, side: u32| side / count <= (2 * margin).max(64);
        let (is_fine_across, is_fine_down) = (is_fine(counts.0, size.0), is_fine(counts.1, size.1));
        if fits || (is_fine_across && is_fine_down) {
            return (columns, rows);
        }
        if is_fine_down || (!is_fine_across && width >= height) {
            counts.0 += 1;
        } else {
            counts.1 += 1;
        }
    }
}

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
        self.render_in_tiles(scene, camera, (width, height), settings, None, &mut |_, _| ControlFlow::Continue(()))
    }

    /// The same with progress, in tiles of at most `tile_pixels` pixels (`None`: what suits the adapter).
    ///
    /// # Errors
    /// As [`Self::render_to_image`]; [`ViewerError::Cancelled`] when `progress` stops it.
    pub fn render_in_tiles(
        &mut self,
        scene: &Scene,
        camera: &Camera,
        size: (u32, u32),
        settings: &RenderSettings,
        tile_pixels: Option<u64>,
        progress: Progress<'_>,
    ) -> Result<RgbaImage, ViewerError> {
        let (width, height) = size;
        let limit = MOST_PIXELS_ALONG_A_SIDE;
        if width == 0 || height == 0 || width > limit || height > limit {
            return Err(ViewerError::Size { width, height, limit });
        }
        let settings = settings.sane();
        let margin = margin(scene, camera, size, &settings);
        let (columns, rows) = tiles(size, margin, tile_pixels.unwrap_or(TILE_PIXELS), self.gpu().max_side());
        let samples = settings.samples;
        let steps = columns.len() as u32 * rows.len() as u32 * samples;
        let mut done = 0;
        let mut picture = RgbaImage::new(width, height);
        for row in &rows {
            for column in &columns {
                let part = Part {
                    whole: size,
                    origin: (column.drawn_begin, row.drawn_begin),
                    size: (column.drawn_length, row.drawn_length),
                };
                for _ in 0..samples {
                    if progress(done, steps).is_break() {
                        return Err(ViewerError::Cancelled);
                    }
                    self.draw(scene, camera, part, &settings, true)?;
                    // Without waiting, everything would be asked for at once and nothing could be stopped.
                    self.gpu().wait()?;
                    done += 1;
                }
                let drawn = self.read_picture(part.size.0, part.size.1)?;
                let own = drawn.view(
                    column.begin - column.drawn_begin,
                    row.begin - row.drawn_begin,
                    column.length,
                    row.length,
                );
                // A tile lies in its picture.
                let _ = picture.copy_from(&*own, column.begin, row.begin);
            }
        }
        let _ = progress(steps, steps);
        Ok(picture)
    }

    /// How far before the eye, Å along the line of sight of the camera, each pixel of the last picture's solid parts lies,
    /// row by row; infinite where there is nothing. The picture must have been drawn with a resolution scale of 1.
    ///
    /// # Errors
    /// When nothing was drawn or the device is lost.
    pub fn read_depths(&self, camera: &Camera) -> Result<Vec<f32>, ViewerError> {
        let refused = || ViewerError::Refused { doing: "reading depths back", reason: "nothing was drawn".into() };
        let targets = self.targets.as_ref().ok_or_else(refused)?;
        let near = camera.near();
        let values = self.read_texture(&targets.depth.texture, wgpu::TextureAspect::DepthOnly)?;
        let (values, _) = values.as_chunks::<4>();
        Ok(values.iter().map(|value| near / f32::from_le_bytes(*value)).collect())
    }

    /// The pixels of the last picture.
    fn read_picture(&self, width: u32, height: u32) -> Result<RgbaImage, ViewerError> {
        let refused = |reason: &str| ViewerError::Refused { doing: READING, reason: reason.into() };
        let output = self.output.as_ref().ok_or_else(|| refused("nothing was drawn"))?;
        let mut pixels = self.read_texture(&output.target.texture, wgpu::TextureAspect::All)?;
        for pixel in pixels.as_chunks_mut::<4>().0 {
            let alpha = u32::from(pixel[3]);
            match alpha {
                255 => {}
                0 => *pixel = [0; 4],
                _ => {
                    for value in &mut pixel[..3] {
                        *value = ((u32::from(*value) * 255 + alpha / 2) / alpha).min(255) as u8;
                    }
                }
            }
        }
        RgbaImage::from_raw(width, height, pixels).ok_or_else(|| refused("the copy was too short"))
    }

    /// The bytes of a texture with four for each pixel, row by row.
    pub(crate) fn read_texture(
        &self,
        texture: &wgpu::Texture,
        aspect: wgpu::TextureAspect,
    ) -> Result<Vec<u8>, ViewerError> {
        let (width, height) = (texture.width(), texture.height());
        let row = (width * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let (buffer, receiver) = self.gpu().guarded(READING, |gpu| {
            let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("picture"),
                size: u64::from(row) * u64::from(height),
                usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
                mapped_at_creation: false,
            });
            let mut encoder =
                gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("read picture") });
            encoder.copy_texture_to_buffer(
                wgpu::TexelCopyTextureInfo { aspect, ..texture.as_image_copy() },
                wgpu::TexelCopyBufferInfo {
                    buffer: &buffer,
                    layout: wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row), rows_per_image: None },
                },
                texture.size(),
            );
            gpu.queue.submit([encoder.finish()]);
            let (sender, receiver) = mpsc::channel();
            buffer.map_async(wgpu::MapMode::Read, .., move |result| {
                // The receiver outlives the wait below.
                let _ = sender.send(result);
            });
            Ok((buffer, receiver))
        })?;
        self.gpu().wait()?;
        let refused = |reason: String| ViewerError::Refused { doing: READING, reason };
        // Another thread that waits for the device (a surface is being built) may be the one that is told, a moment later.
        match receiver.recv_timeout(TOLD_ELSEWHERE) {
            Ok(Ok(())) => {}
            _ => {
                self.gpu().check_lost()?;
                return Err(refused("the copy did not arrive".into()));
            }
        }
        let bytes = buffer.get_mapped_range(..).map_err(|error| refused(error.to_string()))?;
        let lines = bytes.chunks_exact(row as usize).take(height as usize);
        Ok(lines.flat_map(|line| line.iter().take(width as usize * 4)).copied().collect())
    }
}

/// Pixels that the effects of a picture look at around each of its pixels.
fn margin(scene: &Scene, camera: &Camera, size: (u32, u32), settings: &RenderSettings) -> u32 {
    let height = size.1 as f32;
    let mut reach = 8.0 + 10.0 * settings.line_scale;
    if settings.ambient_occlusion > 0.0 {
        // The large radius of occlusion at the nearest atom, and the most that the shader takes.
        let eye = camera.eye();
        let nearest = scene
            .objects
            .iter()
            .filter(|object| object.visible && !object.positions.is_empty())
            .flat_map(|object| {
                let (center, radius) = bounding_sphere(&object.positions);
                object.places().iter().map(move |place| place.transform_point3(center).distance(eye) - radius - 4.0)
            })
            .fold(f32::INFINITY, f32::min)
            .max(camera.near());
        let pixel = 2.0 / (camera.projection_scale(1.0).y * height);
        reach += (LARGE_OCCLUSION_RADIUS / (nearest * pixel)).min(MOST_OCCLUSION_REACH * height) + 8.0;
    }
    reach.ceil() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_the_picture_once() {
        for (size, margin, most) in [((7680, 4320), 400, TILE_PIXELS), ((240, 180), 20, 9000), ((33, 7), 5, 1)] {
            let (columns, rows) = tiles(size, margin, most, 16_384);
            for (spans, side) in [(&columns, size.0), (&rows, size.1)] {
                assert_eq!(spans[0].begin, 0);
                assert!(spans.windows(2).all(|pair| pair[0].begin + pair[0].length == pair[1].begin));
                assert_eq!(spans.iter().map(|span| span.length).sum::<u32>(), side);
                assert!(spans.iter().all(|span| span.drawn_begin % PATTERN == 0 && span.length > 0));
            }
        }
        let (columns, rows) = tiles((7680, 4320), 960, TILE_PIXELS, 16_384);
        assert!(columns.len() * rows.len() <= 6, "{} by {}", columns.len(), rows.len());
        assert!(tiles((20_000, 100), 8, TILE_PIXELS, 8192).0.iter().all(|span| span.drawn_length <= 8192));
    }
}
