//! What is drawn as a glTF 2.0 file (`.glb`, one file): for slides, web pages and printing.
//!
//! Impostors become triangles: spheres icosahedra divided as finely as their number allows, cylinders prisms. Surfaces are
//! computed on the device, as for the view; their nets are lines. A primitive for each representation; colours of atoms are vertex colours in linear light, opacity is the material's. A unit of the
//! scene is an Å; a node above all scales that to a centimetre, so that a protein fits on a table. Specification: Khronos,
//! glTF 2.0, sections 3 (concepts) and 4 (GLB).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use glam::{Mat4, Vec3};
use serde_json::{Value, json};
use thiserror::Error;

use crate::color::{Color, Coloring, ColoringInput, RED_WHITE_BLUE, atom_colors};
use crate::error::ViewerError;
use crate::geometry::mesh::Mesh;
use crate::geometry::{Instances, cartoon, glycans, instances};
use crate::gpu::Gpu;
use crate::renderer::uniforms::{NO_ATOM, PIXEL_RADII, ROUND_ENDS};
use crate::ribbon;
use crate::scene::{Object, Representation, Scene, Shape};
use crate::surface::{SurfaceMesh, SurfaceSource, SurfaceStyle};

/// Metres for an Å.
const METRES: f32 = 0.01;
/// Å for a pixel of the width of lines, which have no size of their own.
const LINE_RADIUS: f32 = 0.04;
/// Vertices of a file at most: larger ones are opened by nothing.
const MOST_VERTICES: usize = 40_000_000;

/// Why a scene is no glTF file.
#[derive(Debug, Error)]
pub enum GltfError {
    /// Nothing is drawn.
    #[error("there is nothing to export: no representation is visible")]
    Empty,
    /// Too much is drawn.
    #[error("the scene has more than {MOST_VERTICES} vertices; hide some of it, or draw ribbons in place of spheres")]
    TooLarge,
    /// A surface could not be computed.
    #[error("a surface of the scene could not be computed: {0}")]
    Surface(#[from] ViewerError),
}

/// Triangles, or lines, with colours.
#[derive(Default)]
struct Solid {
    positions: Vec<Vec3>,
    normals: Vec<Vec3>,
    /// Linear light, 16 bits a channel: eight show steps in the dark.
    colors: Vec<[u16; 4]>,
    indices: Vec<u32>,
    /// Whether two indices make a line, not three a triangle.
    is_net: bool,
}

impl Solid {
    /// Of a mesh whose triangles have the colour of their first corner: corners between two colours are there for each.
    fn of_mesh(mesh: &Mesh, colors: &[u32]) -> Self {
        let mut solid = Self::default();
        let mut known = HashMap::new();
        for corners in mesh.indices.as_chunks::<3>().0 {
            let color = colors.get(mesh.vertices[corners[0] as usize].atom as usize).copied().unwrap_or(u32::MAX);
            for &corner in corners {
                let index = *known.entry((corner, color)).or_insert_with(|| {
                    let vertex = &mesh.vertices[corner as usize];
                    let [x, y, z, _] = vertex.normal.map(f32::from);
                    let normal = Vec3::new(x, y, z).normalize_or(Vec3::Z);
                    solid.vertex(Vec3::from_array(vertex.position), normal, color)
                });
                solid.indices.push(index);
            }
        }
        solid
    }

    /// Of a surface, each vertex in the colour of its nearest atom or of its potential.
    fn of_surface(mesh: &SurfaceMesh, style: &SurfaceStyle, coloring: &Coloring, colors: &[u32]) -> Self {
        let mut solid = Self { is_net: style.net, ..Self::default() };
        for (index, (&position, &normal)) in mesh.positions.iter().zip(&mesh.normals).enumerate() {
            let color = match (coloring, mesh.potentials.get(index)) {
                (Coloring::Electrostatics { range }, Some(potential)) => {
                    Color::ramp(&RED_WHITE_BLUE, 0.5 * (potential / range.max(1e-3) + 1.0)).packed()
                }
                _ => mesh.atoms.get(index).and_then(|atom| colors.get(*atom as usize)).copied().unwrap_or(u32::MAX),
            };
            solid.vertex(position, normal.normalize_or(Vec3::Z), color);
        }
        if style.net {
            // Two triangles of a quadrilateral stand together; their common edge is no edge of the net.
            let mut edges: BTreeSet<[u32; 2]> = BTreeSet::new();
            for pair in mesh.triangles.as_chunks::<2>().0 {
                let sides =
                    pair.iter().flat_map(|&[a, b, c]| [[a, b], [b, c], [c, a]]).map(|[a, b]| [a.min(b), a.max(b)]);
                let sides: Vec<[u32; 2]> = sides.collect();
                let is_outer = |side: &[u32; 2]| sides.iter().filter(|other| *other == side).count() == 1;
                edges.extend(sides.iter().copied().filter(is_outer));
            }
            solid.indices.extend(edges.into_iter().flatten());
        } else {
            solid.indices.extend(mesh.triangles.iter().flatten());
        }
        solid
    }

    fn vertex(&mut self, position: Vec3, normal: Vec3, color: u32) -> u32 {
        let channel = |shift: u32| (color >> shift & 255) as u8;
        let linear = Color::new(channel(0), channel(8), channel(16)).to_linear() * 65_535.0 + 0.5;
        self.positions.push(position);
        self.normals.push(normal);
        self.colors.push([linear.x as u16, linear.y as u16, linear.z as u16, u16::MAX]);
        self.positions.len() as u32 - 1
    }

    fn sphere(&mut self, form: &(Vec<Vec3>, Vec<u32>), center: Vec3, radius: f32, color: u32) {
        let first = self.positions.len() as u32;
        for &direction in &form.0 {
            self.vertex(center + direction * radius, direction, color);
        }
        self.indices.extend(form.1.iter().map(|index| first + index));
    }

    fn cylinder(&mut self, ends: [Vec3; 2], radius: f32, sides: u32, color: u32, is_closed: bool) {
        let axis = (ends[1] - ends[0]).normalize_or_zero();
        if axis == Vec3::ZERO {
            return;
        }
        let (across, aside) = axis.any_orthonormal_pair();
        let direction = |side: u32| {
            let angle = side as f32 / sides as f32 * std::f32::consts::TAU;
            across * angle.cos() + aside * angle.sin()
        };
        let first = self.positions.len() as u32;
        for side in 0..sides {
            let outward = direction(side);
            self.vertex(ends[0] + outward * radius, outward, color);
            self.vertex(ends[1] + outward * radius, outward, color);
        }
        for side in 0..sides {
            let (here, next) = (first + 2 * side, first + 2 * ((side + 1) % sides));
            self.indices.extend([here, next, here + 1, next, next + 1, here + 1]);
        }
        if !is_closed {
            return;
        }
        for (end, normal) in [(ends[0], -axis), (ends[1], axis)] {
            let middle = self.vertex(end, normal, color);
            for side in 0..sides {
                self.vertex(end + direction(side) * radius, normal, color);
            }
            for side in 0..sides {
                let (here, next) = (middle + 1 + side, middle + 1 + (side + 1) % sides);
                self.indices.extend(if normal == axis { [middle, here, next] } else { [middle, next, here] });
            }
        }
    }
}

/// A sphere of radius 1: an icosahedron, each triangle divided into four so many times.
fn icosphere(divisions: u32) -> (Vec<Vec3>, Vec<u32>) {
    let golden = 0.5 * (1.0 + 5_f32.sqrt());
    let mut points: Vec<Vec3> = [
        [-1.0, golden, 0.0],
        [1.0, golden, 0.0],
        [-1.0, -golden, 0.0],
        [1.0, -golden, 0.0],
        [0.0, -1.0, golden],
        [0.0, 1.0, golden],
        [0.0, -1.0, -golden],
        [0.0, 1.0, -golden],
        [golden, 0.0, -1.0],
        [golden, 0.0, 1.0],
        [-golden, 0.0, -1.0],
        [-golden, 0.0, 1.0],
    ]
    .map(|point| Vec3::from_array(point).normalize_or_zero())
    .to_vec();
    let mut triangles: Vec<u32> = vec![
        0, 11, 5, 0, 5, 1, 0, 1, 7, 0, 7, 10, 0, 10, 11, 1, 5, 9, 5, 11, 4, 11, 10, 2, 10, 7, 6, 7, 1, 8, 3, 9, 4, 3,
        4, 2, 3, 2, 6, 3, 6, 8, 3, 8, 9, 4, 9, 5, 2, 4, 11, 6, 2, 10, 8, 6, 7, 9, 8, 1,
    ];
    for _ in 0..divisions {
        let mut middles = HashMap::new();
        let mut finer = Vec::with_capacity(triangles.len() * 4);
        for corner in triangles.as_chunks::<3>().0 {
            let mut middle = |a: u32, b: u32| {
                *middles.entry((a.min(b), a.max(b))).or_insert_with(|| {
                    points.push((points[a as usize] + points[b as usize]).normalize_or_zero());
                    points.len() as u32 - 1
                })
            };
            let [a, b, c] = *corner;
            let (ab, bc, ca) = (middle(a, b), middle(b, c), middle(c, a));
            finer.extend([a, ab, ca, b, bc, ab, c, ca, bc, ab, bc, ca]);
        }
        triangles = finer;
    }
    (points, triangles)
}

/// How finely round things are divided.
struct Fineness {
    sphere: (Vec<Vec3>, Vec<u32>),
    sides: u32,
}

impl Fineness {
    /// For so many spheres and cylinders.
    fn for_count(count: usize) -> Self {
        let (divisions, sides) = match count {
            0..4_000 => (3, 20),
            4_000..40_000 => (2, 12),
            _ => (1, 8),
        };
        Self { sphere: icosphere(divisions), sides }
    }
}

fn drawn(scene: &Scene) -> impl Iterator<Item = (&Object, &Representation)> {
    scene.objects.iter().filter(|object| object.visible).flat_map(|object| {
        let shown = object.representations.iter().filter(|shown| shown.visible && shown.opacity > 0.0);
        shown.map(move |representation| (object, representation))
    })
}

fn colors_of(object: &Object, representation: &Representation) -> Vec<u32> {
    let kinds = match &object.ribbon_kinds {
        Some(kinds) => kinds.to_vec(),
        None => ribbon::assign(&object.topology, &object.positions),
    };
    atom_colors(
        &representation.coloring,
        &ColoringInput { topology: &object.topology, b_factors: &object.b_factors, ribbon_kinds: &kinds },
    )
}

/// The surface of one representation.
fn surface(
    object: &Object,
    representation: &Representation,
    style: &SurfaceStyle,
    gpu: &Gpu,
) -> Result<Solid, ViewerError> {
    let source = SurfaceSource {
        topology: Arc::clone(&object.topology),
        positions: Arc::clone(&object.positions),
        atoms: representation.atoms.clone(),
        style: style.clone(),
        potential: matches!(representation.coloring, Coloring::Electrostatics { .. }),
    };
    let mesh = source.build(gpu, &AtomicBool::new(false))?.unwrap_or_default();
    Ok(Solid::of_surface(&mesh, style, &representation.coloring, &colors_of(object, representation)))
}

/// The triangles of one representation that is no surface.
fn solid(object: &Object, representation: &Representation, fineness: &Fineness) -> Solid {
    let own_colors = colors_of(object, representation);
    if let Shape::Cartoon(style) = &representation.shape {
        let kinds = match &object.ribbon_kinds {
            Some(kinds) => kinds.to_vec(),
            None => ribbon::assign(&object.topology, &object.positions),
        };
        let mesh = cartoon::build(&object.topology, &object.positions, &kinds, &representation.atoms, &[], style);
        return Solid::of_mesh(&mesh, &own_colors);
    }
    if let Shape::Glycans { size } = &representation.shape {
        let mesh = glycans::build(&object.topology, &object.positions, &representation.atoms, *size);
        return Solid::of_mesh(&mesh, &own_colors);
    }
    let mut solid = Solid::default();
    let Instances { spheres, cylinders, flags, points } =
        instances(&representation.shape, &representation.atoms, &object.topology, &representation.coloring);
    let (positions, colors) = match &points {
        Some((positions, colors)) => (positions.as_slice(), colors.as_slice()),
        None => (object.positions.as_slice(), own_colors.as_slice()),
    };
    let place = |atom: u32| positions.get(atom as usize).copied().filter(|place| place.is_finite());
    let color = |atom: u32| colors.get(atom as usize).copied().unwrap_or(u32::MAX);
    let size = |radius: f32| if flags & PIXEL_RADII != 0 { radius * LINE_RADIUS } else { radius };
    for sphere in &spheres {
        if let Some(center) = place(sphere.atom).filter(|_| sphere.radius > 0.0) {
            solid.sphere(&fineness.sphere, center, sphere.radius, color(sphere.atom));
        }
    }
    for cylinder in &cylinders {
        let (Some(a), Some(b)) = (place(cylinder.a), place(cylinder.b)) else { continue };
        let axis = (b - a).normalize_or(Vec3::Z);
        // As `impostors/cylinder.wgsl`: copies of a multiple bond lie in the plane of a third atom.
        let third = if cylinder.plane == NO_ATOM { None } else { place(cylinder.plane) };
        let toward = third
            .and_then(|third| (third - a).reject_from_normalized(axis).try_normalize())
            .unwrap_or_else(|| axis.any_orthonormal_vector());
        let shift = toward * cylinder.offset;
        let fraction = |bits: u32| (bits & 0xffff) as f32 / 65_535.0;
        let (begin, end) = (fraction(cylinder.range), fraction(cylinder.range >> 16));
        let at = |along: f32| a.lerp(b, along) + shift;
        let is_closed = cylinder.flags & ROUND_ENDS != 0;
        let radius = size(cylinder.radius);
        let mut piece = |begin: f32, end: f32, atom: u32| {
            solid.cylinder([at(begin), at(end)], radius, fineness.sides, color(atom), is_closed);
        };
        if begin < 0.5 && end > 0.5 && color(cylinder.a) != color(cylinder.b) {
            piece(begin, 0.5, cylinder.a);
            piece(0.5, end, cylinder.b);
        } else {
            piece(begin, end, if begin < 0.5 { cylinder.a } else { cylinder.b });
        }
    }
    solid
}

const fn is_mesh(shape: &Shape) -> bool {
    matches!(shape, Shape::Cartoon(_) | Shape::Surface(_) | Shape::Glycans { .. })
}

const fn name_of(shape: &Shape) -> &'static str {
    match shape {
        Shape::Cartoon(_) => "cartoon",
        Shape::BallAndStick { .. } => "ball and stick",
        Shape::Sticks { .. } => "sticks",
        Shape::Spheres { .. } => "spheres",
        Shape::Lines { .. } => "lines",
        Shape::Surface(_) => "surface",
        Shape::Glycans { .. } => "glycans",
        Shape::Dashes(_) => "interactions",
        Shape::Measured(_) => "measurements",
        Shape::Box(_) => "box",
    }
}

const FLOAT: u32 = 5126;
const UNSIGNED_SHORT: u32 = 5123;
const UNSIGNED_INT: u32 = 5125;
const VERTICES: u32 = 34_962;
const INDICES: u32 = 34_963;

/// A file under construction.
#[derive(Default)]
struct Document {
    bytes: Vec<u8>,
    views: Vec<Value>,
    accessors: Vec<Value>,
    meshes: Vec<Value>,
    materials: Vec<Value>,
    nodes: Vec<Value>,
}

impl Document {
    /// Adds an accessor over bytes of its own; returns its index.
    fn accessor(&mut self, bytes: &[u8], target: u32, mut accessor: Value) -> usize {
        self.views.push(json!({
            "buffer": 0, "byteOffset": self.bytes.len(), "byteLength": bytes.len(), "target": target
        }));
        self.bytes.extend_from_slice(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        accessor["bufferView"] = json!(self.views.len() - 1);
        self.accessors.push(accessor);
        self.accessors.len() - 1
    }

    fn add(&mut self, name: &str, opacity: f32, solid: &Solid, places: &[Mat4]) {
        // LINES and TRIANGLES of the specification.
        let mode = if solid.is_net { 1 } else { 4 };
        let count = solid.positions.len();
        let (mut low, mut high) = (Vec3::INFINITY, Vec3::NEG_INFINITY);
        for position in &solid.positions {
            (low, high) = (low.min(*position), high.max(*position));
        }
        let positions = self.accessor(
            bytemuck::cast_slice(&solid.positions),
            VERTICES,
            json!({ "componentType": FLOAT, "count": count, "type": "VEC3",
                    "min": low.to_array(), "max": high.to_array() }),
        );
        let normals = self.accessor(
            bytemuck::cast_slice(&solid.normals),
            VERTICES,
            json!({ "componentType": FLOAT, "count": count, "type": "VEC3" }),
        );
        let colors = self.accessor(
            bytemuck::cast_slice(&solid.colors),
            VERTICES,
            json!({ "componentType": UNSIGNED_SHORT, "count": count, "type": "VEC4", "normalized": true }),
        );
        let indices = self.accessor(
            bytemuck::cast_slice(&solid.indices),
            INDICES,
            json!({ "componentType": UNSIGNED_INT, "count": solid.indices.len(), "type": "SCALAR" }),
        );
        let mut material = json!({
            "pbrMetallicRoughness": {
                "baseColorFactor": [1.0, 1.0, 1.0, opacity], "metallicFactor": 0.0, "roughnessFactor": 0.55
            }
        });
        if opacity < 1.0 {
            material["alphaMode"] = json!("BLEND");
        }
        self.materials.push(material);
        self.meshes.push(json!({
            "name": name,
            "primitives": [{
                "attributes": { "POSITION": positions, "NORMAL": normals, "COLOR_0": colors },
                "indices": indices,
                "mode": mode,
                "material": self.materials.len() - 1
            }]
        }));
        for place in places {
            let mut node = json!({ "name": name, "mesh": self.meshes.len() - 1 });
            if *place != Mat4::IDENTITY {
                node["matrix"] = json!(place.to_cols_array());
            }
            self.nodes.push(node);
        }
    }

    fn finish(mut self) -> Result<Vec<u8>, GltfError> {
        let children: Vec<usize> = (0..self.nodes.len()).collect();
        self.nodes.push(json!({ "name": "scene", "children": children, "scale": [METRES, METRES, METRES] }));
        let document = json!({
            "asset": { "version": "2.0", "generator": "K-Fold Studio" },
            "scene": 0,
            "scenes": [{ "nodes": [self.nodes.len() - 1] }],
            "nodes": self.nodes,
            "meshes": self.meshes,
            "materials": self.materials,
            "accessors": self.accessors,
            "bufferViews": self.views,
            "buffers": [{ "byteLength": self.bytes.len() }]
        });
        let mut text = document.to_string().into_bytes();
        text.resize(text.len().next_multiple_of(4), b' ');
        let total = 12 + 8 + text.len() + 8 + self.bytes.len();
        let word = |value: usize| u32::try_from(value).map(u32::to_le_bytes).map_err(|_| GltfError::TooLarge);
        let mut file = Vec::with_capacity(total);
        file.extend_from_slice(b"glTF");
        file.extend_from_slice(&2_u32.to_le_bytes());
        file.extend_from_slice(&word(total)?);
        for (kind, chunk) in [(b"JSON", &text), (b"BIN\0", &self.bytes)] {
            file.extend_from_slice(&word(chunk.len())?);
            file.extend_from_slice(kind);
            file.extend_from_slice(chunk);
        }
        Ok(file)
    }
}

/// The scene as the bytes of a `.glb` file. Highlights are left out; cartoons and surfaces are built here, which takes a
/// moment. A scene with surfaces asks for the device that computes them.
///
/// # Errors
/// When nothing is visible, or too much, or a surface cannot be computed.
pub fn to_glb(scene: &Scene, gpu: impl Fn() -> Result<Gpu, ViewerError>) -> Result<Vec<u8>, GltfError> {
    let round: usize = drawn(scene)
        .filter(|(_, representation)| !is_mesh(&representation.shape))
        .map(|(object, representation)| representation.atoms.indices(&object.topology).len())
        .sum();
    let fineness = Fineness::for_count(round);
    if round.saturating_mul(fineness.sphere.0.len()) > MOST_VERTICES {
        return Err(GltfError::TooLarge);
    }
    let mut document = Document::default();
    let mut held: Option<Gpu> = None;
    let mut vertices = 0;
    for (object, representation) in drawn(scene) {
        let solid = match &representation.shape {
            Shape::Surface(style) => {
                let gpu = match &held {
                    Some(gpu) => gpu,
                    None => held.insert(gpu()?),
                };
                surface(object, representation, style, gpu)?
            }
            _ => solid(object, representation, &fineness),
        };
        vertices += solid.positions.len();
        if vertices > MOST_VERTICES {
            return Err(GltfError::TooLarge);
        }
        if !solid.indices.is_empty() {
            let name = format!("object {} {}", object.id, name_of(&representation.shape));
            document.add(&name, representation.opacity.min(1.0), &solid, object.places());
        }
    }
    if document.meshes.is_empty() {
        return Err(GltfError::Empty);
    }
    document.finish()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use kfold_molecule::formats::read_structure;

    use super::*;
    use crate::scene::AtomSelection;

    #[test]
    fn icospheres_are_closed_and_round() {
        for (divisions, vertices) in [(0, 12), (1, 42), (3, 642)] {
            let (points, triangles) = icosphere(divisions);
            assert_eq!((points.len(), triangles.len()), (vertices, 60 * 4_usize.pow(divisions)));
            assert!(points.iter().all(|point| (point.length() - 1.0).abs() < 1e-5));
            // Every triangle looks outwards.
            assert!(triangles.as_chunks::<3>().0.iter().all(|&[a, b, c]| {
                let [a, b, c] = [a, b, c].map(|index| points[index as usize]);
                (b - a).cross(c - a).dot(a) > 0.0
            }));
        }
    }

    /// Reads a file as the specification says, and checks every accessor against its bytes.
    fn read(file: &[u8]) -> Value {
        let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!(&file[..4], b"glTF");
        assert_eq!((word(4), word(8)), (2, file.len()));
        let text = word(12);
        assert_eq!((&file[16..20], text % 4), (b"JSON".as_slice(), 0));
        let document: Value = serde_json::from_slice(&file[20..20 + text]).unwrap();
        let begin = 28 + text;
        assert_eq!(&file[begin - 4..begin], b"BIN\0");
        let binary = &file[begin..];
        assert_eq!(word(begin - 8), binary.len());
        let number = |value: &Value| value.as_u64().unwrap() as usize;
        assert_eq!(number(&document["buffers"][0]["byteLength"]), binary.len());
        let floats = |index: usize| -> Vec<Vec3> {
            let view = &document["bufferViews"][number(&document["accessors"][index]["bufferView"])];
            let from = number(&view["byteOffset"]);
            assert_eq!(from % 4, 0);
            let bytes = &binary[from..from + number(&view["byteLength"])];
            let values: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
            values.as_chunks::<3>().0.iter().map(|three| Vec3::from_array(*three)).collect()
        };
        for mesh in document["meshes"].as_array().unwrap() {
            let primitive = &mesh["primitives"][0];
            let positions = floats(number(&primitive["attributes"]["POSITION"]));
            let normals = floats(number(&primitive["attributes"]["NORMAL"]));
            assert_eq!(positions.len(), normals.len());
            assert!(positions.iter().all(|place| place.is_finite()));
            assert!(normals.iter().all(|normal| (normal.length() - 1.0).abs() < 1e-3), "{}", mesh["name"]);
            let accessor = &document["accessors"][number(&primitive["indices"])];
            let view = &document["bufferViews"][number(&accessor["bufferView"])];
            let from = number(&view["byteOffset"]);
            let indices = binary[from..from + number(&view["byteLength"])].as_chunks::<4>().0;
            let corners = if primitive["mode"] == 1 { 2 } else { 3 };
            assert_eq!((indices.len(), indices.len() % corners), (number(&accessor["count"]), 0));
            assert!(indices.iter().all(|index| (u32::from_le_bytes(*index) as usize) < positions.len()));
            let low = positions.iter().fold(Vec3::INFINITY, |held, place| held.min(*place));
            let said: Vec<f32> = document["accessors"][number(&primitive["attributes"]["POSITION"])]["min"]
                .as_array()
                .unwrap()
                .iter()
                .map(|value| value.as_f64().unwrap() as f32)
                .collect();
            assert_eq!(low.to_array().to_vec(), said);
        }
        document
    }

    #[test]
    fn a_scene_is_a_valid_file() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/dna-complex/complex.pdb");
        let structure = read_structure(&path).unwrap();
        let object = Object::new(1, structure.first().unwrap())
            .with(Representation::cartoon())
            .with(Representation::ball_and_stick().with_opacity(0.5));
        let file = to_glb(&Scene { objects: vec![object], ..Scene::default() }, no_device).unwrap();
        let document = read(&file);
        assert_eq!(document["meshes"].as_array().unwrap().len(), 2);
        assert_eq!(document["materials"][1]["alphaMode"], "BLEND");
        assert!(matches!(to_glb(&Scene::default(), no_device), Err(GltfError::Empty)));
    }

    fn no_device() -> Result<Gpu, ViewerError> {
        panic!("nothing here needs a device")
    }

    #[test]
    fn surfaces_nets_and_symbols_of_sugars_are_in_the_file() {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples");
        let structure = read_structure(&samples.join("protease/receptor.pdb")).unwrap();
        let model = structure.first().unwrap();
        let few = AtomSelection::filter(&model.topology, |atom| atom < 150);
        let surface = |style: SurfaceStyle| Representation::surface(style).of(few.clone());
        let net = SurfaceStyle { net: true, spacing: 0.8, ..SurfaceStyle::gaussian() };
        let object = Object::new(1, model)
            .with(surface(SurfaceStyle { spacing: 0.8, ..SurfaceStyle::default() }).with_opacity(0.4))
            .with(surface(net))
            .with(
                surface(SurfaceStyle { spacing: 0.8, ..SurfaceStyle::default() })
                    .colored(Coloring::Electrostatics { range: 5.0 }),
            );
        // A glucose, as the dictionary has it.
        let mut sugar = String::new();
        for (index, (name, [x, y, z])) in [
            ("C1", [0.0, 1.4, 0.2]),
            ("C2", [1.3, 0.7, -0.2]),
            ("C3", [1.3, -0.7, 0.2]),
            ("C4", [0.0, -1.4, -0.2]),
            ("C5", [-1.3, -0.7, 0.2]),
            ("O5", [-1.2, 0.7, -0.2]),
            ("C6", [-2.5, -1.4, -0.2]),
        ]
        .into_iter()
        .enumerate()
        {
            let element = &name[..1];
            let line = format!(
                "HETATM{:5}  {name}  GLC B   1    {x:8.3}{y:8.3}{z:8.3}  1.00  0.00           {element}\n",
                index + 1
            );
            sugar.push_str(&line);
        }
        let sugar = kfold_molecule::formats::pdb::read(sugar.as_bytes()).unwrap();
        let symbol = Object::new(2, sugar.first().unwrap()).with(Representation::glycans());
        let file = to_glb(&Scene { objects: vec![object, symbol], ..Scene::default() }, Gpu::headless).unwrap();
        let document = read(&file);
        let meshes = document["meshes"].as_array().unwrap();
        let modes: Vec<u64> = meshes.iter().map(|mesh| mesh["primitives"][0]["mode"].as_u64().unwrap()).collect();
        assert_eq!(modes, [4, 1, 4, 4]);
        assert_eq!(meshes[3]["name"], "object 2 glycans");
        // A net has more edges than a closed surface of triangles with diagonals would leave: two for each vertex.
        let count = |accessor: &Value| {
            document["accessors"][accessor.as_u64().unwrap() as usize]["count"].as_u64().unwrap() as f64
        };
        let net = &meshes[1]["primitives"][0];
        let ratio = count(&net["indices"]) / 2.0 / count(&net["attributes"]["POSITION"]);
        assert!((1.9..2.1).contains(&ratio), "{ratio} edges for each vertex");
    }
}
