//! Labels on the device: the atlas of letters and where they stand.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use glam::{UVec4, Vec2, Vec4};

use crate::gpu::Gpu;
use crate::labels::Label;
use crate::labels::font::{ATLAS_SIDE, Atlas, EM};
use crate::renderer::pipelines::Pipelines;
use crate::renderer::targets::{Target, texture_entry};

/// `LetterInstance` of `labels/label.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct LetterInstance {
    anchor: Vec4,
    place: Vec4,
    cell: Vec4,
    colors: UVec4,
}

/// Letters of the scene's labels.
pub(crate) struct Words {
    atlas: Atlas,
    held: u64,
    target: Target,
    letters: wgpu::Buffer,
    /// How many letters.
    pub count: u32,
    labels: Arc<Vec<Label>>,
}

impl Words {
    pub fn new(gpu: &Gpu) -> Self {
        let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("letters"),
            size: wgpu::Extent3d { width: ATLAS_SIDE, height: ATLAS_SIDE, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::R8Unorm,
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        Self {
            atlas: Atlas::default(),
            held: 0,
            target: Target { texture, view },
            letters: letter_buffer(gpu, &[]),
            count: 0,
            labels: Arc::default(),
        }
    }

    /// Takes over the labels of a scene.
    pub fn update(&mut self, gpu: &Gpu, labels: &Arc<Vec<Label>>) {
        if Arc::ptr_eq(&self.labels, labels) {
            return;
        }
        self.labels = Arc::clone(labels);
        self.atlas.prepare(labels.iter().map(|label| label.text.as_str()));
        if self.held != self.atlas.generation {
            self.held = self.atlas.generation;
            gpu.queue.write_texture(
                self.target.texture.as_image_copy(),
                &self.atlas.texels,
                wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(ATLAS_SIDE), rows_per_image: None },
                self.target.texture.size(),
            );
        }
        let letters: Vec<LetterInstance> = labels.iter().flat_map(|label| self.letters_of(label)).collect();
        self.count = letters.len() as u32;
        self.letters = letter_buffer(gpu, &letters);
    }

    fn letters_of(&self, label: &Label) -> Vec<LetterInstance> {
        if !label.position.is_finite() || !label.size.is_finite() || !label.shift.is_finite() {
            return Vec::new();
        }
        let (letters, width) = self.atlas.line(&label.text);
        // Pixels for a texel; a line is about 1.2 em high, capitals 0.7.
        let scale = label.size.clamp(4.0, 200.0) / (1.2 * EM);
        let begin = label.shift - Vec2::new(0.5 * width, 0.35 * EM) * scale;
        letters
            .into_iter()
            .map(|letter| {
                let size = Vec2::new(letter.cell.width as f32, letter.cell.height as f32);
                let place = begin + letter.origin * scale;
                let corner = Vec2::new(letter.cell.left as f32, letter.cell.top as f32);
                LetterInstance {
                    anchor: label.position.extend(f32::from(u8::from(label.is_on_top))),
                    place: Vec4::new(place.x, place.y, size.x * scale, size.y * scale),
                    cell: Vec4::new(corner.x, corner.y, size.x, size.y),
                    colors: UVec4::new(label.color.packed(), label.outline.packed(), scale.to_bits(), 0),
                }
            })
            .collect()
    }

    /// What the pass reads, with the depth of what is solid.
    pub fn group(&self, gpu: &Gpu, pipelines: &Pipelines, depth: &Target) -> wgpu::BindGroup {
        gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("labels"),
            layout: &pipelines.label_layout,
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: self.letters.as_entire_binding() },
                texture_entry(1, &self.target),
                wgpu::BindGroupEntry { binding: 2, resource: wgpu::BindingResource::Sampler(&pipelines.sampler) },
                texture_entry(3, depth),
            ],
        })
    }
}

fn letter_buffer(gpu: &Gpu, letters: &[LetterInstance]) -> wgpu::Buffer {
    let bytes: &[u8] = bytemuck::cast_slice(letters);
    let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("letters"),
        size: bytes.len().max(size_of::<LetterInstance>()) as u64,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    gpu.queue.write_buffer(&buffer, 0, bytes);
    buffer
}
