//! The shaders: WGSL files of the top-level `shaders/` folder, embedded when the program is built.
//!
//! WGSL has no includes. A line `#import "folder/file.wgsl"` (path from `shaders/`) is replaced by that file, once:
//! a file imported again, by whatever way, adds nothing, as with `#pragma once`. The test at the bottom walks the folder,
//! and fails if a file is not listed here or a module does not pass naga's validation.

use std::collections::HashSet;

macro_rules! embedded {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../shaders/", $path)))),*]
    };
}

/// Path and text of every file.
const FILES: &[(&str, &str)] = embedded![
    "common/color.wgsl",
    "common/draw.wgsl",
    "common/frame.wgsl",
    "common/lighting.wgsl",
    "common/mask.wgsl",
    "common/normal.wgsl",
    "common/peel.wgsl",
    "common/shadow_map.wgsl",
    "common/sphere_bounds.wgsl",
    "common/sphere_ray.wgsl",
    "common/surface.wgsl",
    "impostors/cull_cylinder.wgsl",
    "impostors/cull_sphere.wgsl",
    "impostors/culling.wgsl",
    "impostors/cylinder.wgsl",
    "impostors/small_sphere.wgsl",
    "impostors/sphere.wgsl",
    "labels/label.wgsl",
    "mesh/mesh.wgsl",
    "mesh/surface.wgsl",
    "post/accumulate.wgsl",
    "post/ambient_occlusion.wgsl",
    "post/compose.wgsl",
    "post/depth_pyramid.wgsl",
    "post/edge_areas.wgsl",
    "post/edge_blend.wgsl",
    "post/edges.wgsl",
    "post/flood.wgsl",
    "post/fullscreen.wgsl",
    "post/occlusion_blur.wgsl",
    "post/peel_blend.wgsl",
    "post/scale.wgsl",
    "post/shadow.wgsl",
    "post/visibility.wgsl",
    "surface/arcs.wgsl",
    "surface/atoms.wgsl",
    "surface/excluded.wgsl",
    "surface/gaussian.wgsl",
    "surface/grid.wgsl",
    "surface/nearest.wgsl",
    "surface/net.wgsl",
    "surface/potential.wgsl",
    "surface/running_sum.wgsl",
    "surface/vertex.wgsl",
    "window/opaque.wgsl",
];

/// The text of a file with its imports in place, or the first path that is not among the files.
fn resolve(path: &str) -> Result<String, String> {
    fn append(path: &str, seen: &mut HashSet<String>, text: &mut String) -> Result<(), String> {
        if !seen.insert(path.to_owned()) {
            return Ok(());
        }
        let (_, source) = FILES.iter().find(|(known, _)| *known == path).ok_or_else(|| path.to_owned())?;
        for line in source.lines() {
            match line.trim().strip_prefix("#import") {
                Some(target) => append(target.trim().trim_matches('"'), seen, text)?,
                None => {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
        Ok(())
    }
    let mut text = String::new();
    append(path, &mut HashSet::new(), &mut text)?;
    Ok(text)
}

/// The module of a file. A missing import leaves its line out, and the module is then refused by the device; the test
/// below makes sure that none is missing.
pub(crate) fn module(device: &wgpu::Device, path: &str) -> wgpu::ShaderModule {
    let text = resolve(path).unwrap_or_else(|missing| format!("// no such shader: {missing}"));
    device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(path),
        source: wgpu::ShaderSource::Wgsl(text.into()),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use wgpu::naga::valid::{Capabilities, ValidationFlags, Validator};

    use super::*;

    fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else if path.extension().is_some_and(|extension| extension == "wgsl") {
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"));
            }
        }
    }

    #[test]
    fn every_file_is_listed_and_valid() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shaders");
        let mut found = Vec::new();
        walk(&root, &root, &mut found);
        found.sort();
        let listed: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
        assert_eq!(found, listed, "shaders/ and the list in shaders.rs differ");

        let mut failures = Vec::new();
        for (path, _) in FILES {
            let text = match resolve(path) {
                Ok(text) => text,
                Err(missing) => {
                    failures.push(format!("{path} imports {missing}, which is not there"));
                    continue;
                }
            };
            // Every other file must do on every device.
            let capabilities = match *path {
                "impostors/small_sphere.wgsl" => Capabilities::SHADER_INT64 | Capabilities::SHADER_INT64_ATOMIC_MIN_MAX,
                _ => Capabilities::empty(),
            };
            match wgpu::naga::front::wgsl::parse_str(&text) {
                Err(error) => failures.push(format!("{path}: {}", error.emit_to_string(&text))),
                Ok(module) => {
                    let mut validator = Validator::new(ValidationFlags::all(), capabilities);
                    if let Err(error) = validator.validate(&module) {
                        failures.push(format!("{path}: {}", error.emit_to_string(&text)));
                    }
                }
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }

    #[test]
    fn imports_come_once() {
        let text = resolve("impostors/sphere.wgsl").unwrap();
        assert_eq!(text.matches("struct Frame {").count(), 1);
        assert!(resolve("no/such.wgsl").is_err());
    }
}
