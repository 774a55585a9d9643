//! Carbohydrates as symbols: the Symbol Nomenclature for Glycans (Varki et al., Glycobiology 2015, 25, 1323; Neelamegham
//! et al., Glycobiology 2019, 29, 620) in space (after Thieker et al., Glycobiology 2016, 26, 786). A symbol stands in
//! the middle of its ring, its face along the ring's; rods join symbols that are bonded.

use std::f32::consts::TAU;

use glam::Vec3;
use kfold_molecule::{Residue, ResidueKind, Topology};

use super::cartoon::tube;
use super::mesh::Mesh;
use crate::color::Color;
use crate::scene::AtomSelection;

/// The outline of a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outline {
    /// Hexoses.
    Sphere,
    /// N-acetylhexosamines.
    Cube,
    /// Hexosamines: a cube of which half is white.
    CrossedCube,
    /// Hexuronates: a diamond of which half is white.
    DividedDiamond,
    /// Deoxyhexoses.
    Cone,
    /// Pentoses.
    Star,
    /// Nonulosonates.
    Diamond,
    /// Heptoses, muramic acids and others.
    Hexagon,
    /// Ketoses.
    Pentagon,
    /// Dideoxyhexoses.
    Bar,
}

const BLUE: Color = Color::hex(0x0072bc);
const GREEN: Color = Color::hex(0x00a651);
const YELLOW: Color = Color::hex(0xffd400);
const ORANGE: Color = Color::hex(0xf47920);
const PINK: Color = Color::hex(0xf69ea1);
const PURPLE: Color = Color::hex(0xa54399);
const LIGHT_BLUE: Color = Color::hex(0x8fcce9);
const BROWN: Color = Color::hex(0xa17a4d);
const RED: Color = Color::hex(0xed1c24);
/// Of monosaccharides that the table does not know, whose symbol is a white hexagon.
const UNASSIGNED: Color = Color::hex(0xf4f4f4);

/// Symbols by the names of the components, both anomers of each sugar.
const SYMBOLS: &[(&[&str], Outline, Color)] = &[
    (&["GLC", "BGC"], Outline::Sphere, BLUE),
    (&["MAN", "BMA"], Outline::Sphere, GREEN),
    (&["GAL", "GLA"], Outline::Sphere, YELLOW),
    (&["GUP", "GL0"], Outline::Sphere, ORANGE),
    (&["AFD", "ALL"], Outline::Sphere, PURPLE),
    (&["NAG", "NDG"], Outline::Cube, BLUE),
    (&["BM3", "BM7"], Outline::Cube, GREEN),
    (&["NGA", "A2G"], Outline::Cube, YELLOW),
    (&["HSQ"], Outline::Cube, BROWN),
    (&["GCS", "PA1", "SGN", "SUS"], Outline::CrossedCube, BLUE),
    (&["X6X", "1GN"], Outline::CrossedCube, YELLOW),
    (&["GCU", "BDP"], Outline::DividedDiamond, BLUE),
    (&["MAV", "BEM"], Outline::DividedDiamond, GREEN),
    (&["ADA", "GTR"], Outline::DividedDiamond, YELLOW),
    (&["IDR", "IDS"], Outline::DividedDiamond, BROWN),
    (&["G6D"], Outline::Cone, BLUE),
    (&["RAM", "RM4", "RNS"], Outline::Cone, GREEN),
    (&["FUC", "FUL", "FCA", "FCB"], Outline::Cone, RED),
    (&["TYV"], Outline::Bar, GREEN),
    (&["ABE"], Outline::Bar, ORANGE),
    (&["ARA", "ARB", "AHR", "FUB", "64K", "BXY"], Outline::Star, GREEN),
    (&["LDY"], Outline::Star, YELLOW),
    (&["XYS", "XYP", "LXC"], Outline::Star, ORANGE),
    (&["RIB", "RIP"], Outline::Star, PINK),
    (&["KDN"], Outline::Diamond, GREEN),
    (&["SIA", "SLB"], Outline::Diamond, PURPLE),
    (&["NGC", "NGE"], Outline::Diamond, LIGHT_BLUE),
    (&["GMH"], Outline::Hexagon, GREEN),
    (&["KDO"], Outline::Hexagon, YELLOW),
    (&["289"], Outline::Hexagon, PINK),
    (&["AMU", "MUB"], Outline::Hexagon, PURPLE),
    (&["MUR"], Outline::Hexagon, BROWN),
    (&["FRU", "BDF", "LFR"], Outline::Pentagon, GREEN),
    (&["TAG"], Outline::Pentagon, YELLOW),
    (&["SOE"], Outline::Pentagon, ORANGE),
    (&["PSV"], Outline::Pentagon, PINK),
];

fn symbol_of(name: &str) -> (Outline, Color) {
    let known = SYMBOLS.iter().find(|(names, ..)| names.contains(&name));
    known.map_or((Outline::Hexagon, UNASSIGNED), |(_, outline, color)| (*outline, *color))
}

/// The colour of a carbohydrate's symbol.
pub(crate) fn symbol_color(residue: &Residue) -> Option<Color> {
    (residue.kind == ResidueKind::Carbohydrate).then(|| symbol_of(&residue.name).1)
}

/// The ring's atoms by name, of which those that are there are taken: pyranoses, furanoses, sialic acids.
const RINGS: [&[&str]; 5] = [
    &["C1", "C2", "C3", "C4", "C5", "O5"],
    &["C2", "C3", "C4", "C5", "C6", "O6"],
    &["C1", "C2", "C3", "C4", "O4"],
    &["C2", "C3", "C4", "C5", "O5"],
    &["C1", "C2", "C3", "C4", "C5"],
];

/// Where a symbol stands.
struct Place {
    center: Vec3,
    /// Perpendicular to the ring, and from its middle to the first atom.
    up: Vec3,
    along: Vec3,
    /// An atom that has the symbol's colour, and one that is white in symbols of two colours.
    colored: u32,
    white: u32,
}

fn place_of(topology: &Topology, positions: &[Vec3], residue: &Residue) -> Option<Place> {
    let atom = |name: &str| {
        let atom = topology.atom_named(residue, name)?;
        let place = positions.get(atom).copied().filter(|place| place.is_finite())?;
        Some((atom as u32, place))
    };
    let closes = |ring: &Vec<(u32, Vec3)>| {
        ring.first().zip(ring.last()).is_some_and(|(first, last)| first.1.distance(last.1) < 2.0)
    };
    let ring = RINGS
        .iter()
        .filter_map(|names| names.iter().map(|name| atom(name)).collect::<Option<Vec<_>>>())
        .find(closes)?;
    let center = ring.iter().map(|(_, place)| *place).sum::<Vec3>() / ring.len() as f32;
    let up = (0..ring.len())
        .map(|index| (ring[index].1 - center).cross(ring[(index + 1) % ring.len()].1 - center))
        .sum::<Vec3>()
        .try_normalize()?;
    let toward = ring[0].1 - center;
    let along = (toward - up * toward.dot(up)).try_normalize()?;
    Some(Place { center, up, along, colored: ring[0].0, white: ring[1].0 })
}

/// Symbols of this size (Å across) of the carbohydrates among the atoms.
pub(crate) fn build(topology: &Topology, positions: &[Vec3], atoms: &AtomSelection, size: f32) -> Mesh {
    let size = if size.is_finite() { size.clamp(0.5, 20.0) } else { 4.0 };
    let mut mesh = Mesh::default();
    let mut wanted = vec![false; topology.residues.len()];
    for atom in atoms.indices(topology) {
        wanted[topology.atoms[atom as usize].residue as usize] = true;
    }
    let mut places: Vec<Option<Place>> = Vec::with_capacity(topology.residues.len());
    for (residue, wanted) in topology.residues.iter().zip(wanted) {
        let is_drawn = wanted && residue.kind == ResidueKind::Carbohydrate;
        places.push(if is_drawn { place_of(topology, positions, residue) } else { None });
    }
    for (residue, place) in topology.residues.iter().zip(&places) {
        if let Some(place) = place {
            let (outline, _) = symbol_of(&residue.name);
            draw(&mut mesh, outline, place, 0.5 * size);
        }
    }
    for bond in &topology.bonds {
        let residue_of = |atom: u32| topology.atoms.get(atom as usize).map(|atom| atom.residue as usize);
        let (Some(a), Some(b)) = (residue_of(bond.a), residue_of(bond.b)) else { continue };
        let end = |residue: usize, atom: u32| match places.get(residue) {
            Some(Some(place)) => Some((place.center, place.colored)),
            // The other end of a glycan is the atom of the protein that it is on.
            _ => positions.get(atom as usize).copied().filter(|place| place.is_finite()).map(|place| (place, atom)),
        };
        let is_glycan = |residue: usize| places.get(residue).is_some_and(Option::is_some);
        if a != b
            && (is_glycan(a) || is_glycan(b))
            && let (Some((from, first)), Some((to, second))) = (end(a, bond.a), end(b, bond.b))
        {
            let middle = 0.5 * (from + to);
            tube(&mut mesh, from, middle, 0.09 * size, first);
            tube(&mut mesh, middle, to, 0.09 * size, second);
        }
    }
    mesh
}

/// A symbol of this radius.
fn draw(mesh: &mut Mesh, outline: Outline, place: &Place, radius: f32) {
    let side = place.up.cross(place.along);
    let at = |x: f32, y: f32, z: f32| place.center + (place.along * x + side * y + place.up * z) * radius;
    let regular = |corners: usize, inner: f32| -> Vec<(f32, f32)> {
        let count = if inner < 1.0 { 2 * corners } else { corners };
        (0..count)
            .map(|corner| {
                let (sin, cos) = (TAU * corner as f32 / count as f32).sin_cos();
                let reach = if inner < 1.0 && corner % 2 == 1 { inner } else { 1.0 };
                (cos * reach, sin * reach)
            })
            .collect()
    };
    let mut flat = |outline: &[(f32, f32)], half_height: f32| prism(mesh, outline, half_height, &at, place.colored);
    match outline {
        Outline::Star => flat(&regular(5, 0.45), 0.3),
        Outline::Hexagon => flat(&regular(6, 1.0), 0.3),
        Outline::Pentagon => flat(&regular(5, 1.0), 0.3),
        Outline::Bar => flat(&[(1.0, 0.45), (-1.0, 0.45), (-1.0, -0.45), (1.0, -0.45)], 0.3),
        Outline::Cube => cube(mesh, &at, [place.colored; 2]),
        Outline::CrossedCube => cube(mesh, &at, [place.colored, place.white]),
        Outline::Diamond => diamond(mesh, &at, [place.colored; 2]),
        Outline::DividedDiamond => diamond(mesh, &at, [place.colored, place.white]),
        Outline::Cone => cone(mesh, &at, place.colored),
        Outline::Sphere => sphere(mesh, place.center, 0.9 * radius, place.colored),
    }
}

type At<'a> = dyn Fn(f32, f32, f32) -> Vec3 + 'a;

/// A flat face; corners counter-clockwise from outside.
fn face(mesh: &mut Mesh, corners: &[Vec3], atom: u32) {
    let normal = (corners[1] - corners[0]).cross(corners[2] - corners[0]);
    let first = mesh.vertices.len() as u32;
    for &corner in corners {
        mesh.vertex(corner, normal, atom);
    }
    for index in 1..corners.len() as u32 - 1 {
        mesh.triangle(first, first + index, first + index + 1);
    }
}

fn prism(mesh: &mut Mesh, outline: &[(f32, f32)], half_height: f32, at: &At<'_>, atom: u32) {
    let count = outline.len();
    for index in 0..count {
        let ((x0, y0), (x1, y1)) = (outline[index], outline[(index + 1) % count]);
        let corner = |x: f32, y: f32, z: f32| at(x, y, z * half_height);
        face(mesh, &[corner(x0, y0, -1.0), corner(x1, y1, -1.0), corner(x1, y1, 1.0), corner(x0, y0, 1.0)], atom);
        // Stars are not convex: the faces are fans around the middle.
        face(mesh, &[corner(0.0, 0.0, 1.0), corner(x0, y0, 1.0), corner(x1, y1, 1.0)], atom);
        face(mesh, &[corner(0.0, 0.0, -1.0), corner(x1, y1, -1.0), corner(x0, y0, -1.0)], atom);
    }
}

/// A cube; divided along a diagonal where the two atoms differ.
fn cube(mesh: &mut Mesh, at: &At<'_>, atoms: [u32; 2]) {
    let half = 0.75;
    let corners = [(1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0)].map(|(x, y)| (x * half, y * half));
    for index in 0..4 {
        let ((x0, y0), (x1, y1)) = (corners[index], corners[(index + 1) % 4]);
        let atom = atoms[usize::from(index >= 2)];
        face(mesh, &[at(x0, y0, -half), at(x1, y1, -half), at(x1, y1, half), at(x0, y0, half)], atom);
    }
    for (part, atom) in atoms.into_iter().enumerate() {
        let [a, b, c] = [0, 1, 2].map(|step| corners[(2 * part + step) % 4]);
        face(mesh, &[at(a.0, a.1, half), at(b.0, b.1, half), at(c.0, c.1, half)], atom);
        face(mesh, &[at(a.0, a.1, -half), at(c.0, c.1, -half), at(b.0, b.1, -half)], atom);
    }
}

/// Two pyramids, of an atom each.
fn diamond(mesh: &mut Mesh, at: &At<'_>, atoms: [u32; 2]) {
    let corners = [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)].map(|(x, y)| (x * 0.8, y * 0.8));
    for index in 0..4 {
        let ((x0, y0), (x1, y1)) = (corners[index], corners[(index + 1) % 4]);
        face(mesh, &[at(x0, y0, 0.0), at(x1, y1, 0.0), at(0.0, 0.0, 1.0)], atoms[0]);
        face(mesh, &[at(x1, y1, 0.0), at(x0, y0, 0.0), at(0.0, 0.0, -1.0)], atoms[1]);
    }
}

fn cone(mesh: &mut Mesh, at: &At<'_>, atom: u32) {
    const SIDES: usize = 32;
    let corner = |index: usize| (TAU * index as f32 / SIDES as f32).sin_cos();
    for index in 0..SIDES {
        let ((s0, c0), (s1, c1)) = (corner(index), corner(index + 1));
        let (a, b) = (at(c0 * 0.9, s0 * 0.9, -0.7), at(c1 * 0.9, s1 * 0.9, -0.7));
        let tip = at(0.0, 0.0, 0.95);
        // Normals of a cone half as wide as high, from around its axis.
        let slope = |sin: f32, cos: f32| at(cos, sin, 0.55) - at(0.0, 0.0, 0.0);
        let first = mesh.vertex(a, slope(s0, c0), atom);
        let second = mesh.vertex(b, slope(s1, c1), atom);
        let third = mesh.vertex(tip, slope(s0 + s1, c0 + c1), atom);
        mesh.triangle(first, second, third);
        face(mesh, &[at(0.0, 0.0, -0.7), b, a], atom);
    }
}

fn sphere(mesh: &mut Mesh, center: Vec3, radius: f32, atom: u32) {
    const RINGS: u32 = 20;
    const SIDES: u32 = 40;
    let first = mesh.vertices.len() as u32;
    for ring in 0..=RINGS {
        let (ring_sin, ring_cos) = (0.5 * TAU * ring as f32 / RINGS as f32).sin_cos();
        for side in 0..=SIDES {
            let (sin, cos) = (TAU * side as f32 / SIDES as f32).sin_cos();
            let normal = Vec3::new(ring_sin * cos, ring_sin * sin, ring_cos);
            mesh.vertex(center + normal * radius, normal, atom);
        }
    }
    for ring in 0..RINGS {
        for side in 0..SIDES {
            let here = first + ring * (SIDES + 1) + side;
            let below = here + SIDES + 1;
            mesh.triangle(here, below, below + 1);
            mesh.triangle(here, below + 1, here + 1);
        }
    }
}

/// The colour of an atom of a carbohydrate: that of the symbol, but for the second of the ring in those half white.
pub(crate) fn atom_color(topology: &Topology, atom: usize) -> Option<Color> {
    let residue = topology.residue_of(atom);
    let color = symbol_color(residue)?;
    let divided = matches!(symbol_of(&residue.name).0, Outline::CrossedCube | Outline::DividedDiamond);
    Some(if divided && topology.atoms[atom].name == "C2" { Color::WHITE } else { color })
}

#[cfg(test)]
mod tests {
    use kfold_molecule::formats::pdb;

    use super::*;

    #[test]
    fn symbols_are_those_of_the_table() {
        assert_eq!(symbol_of("NAG"), (Outline::Cube, BLUE));
        assert_eq!(symbol_of("FUC"), (Outline::Cone, RED));
        assert_eq!(symbol_of("SIA"), (Outline::Diamond, PURPLE));
        assert_eq!(symbol_of("ZZZ"), (Outline::Hexagon, UNASSIGNED));
        let mut seen = std::collections::HashSet::new();
        assert!(SYMBOLS.iter().flat_map(|(names, ..)| *names).all(|name| seen.insert(name)), "a name stands twice");
    }

    #[test]
    fn every_outline_is_closed_and_faces_outward() {
        let place = Place { center: Vec3::new(3.0, -2.0, 5.0), up: Vec3::Y, along: Vec3::Z, colored: 0, white: 1 };
        for outline in [
            Outline::Sphere,
            Outline::Cube,
            Outline::CrossedCube,
            Outline::DividedDiamond,
            Outline::Cone,
            Outline::Star,
            Outline::Diamond,
            Outline::Hexagon,
            Outline::Pentagon,
            Outline::Bar,
        ] {
            let mut mesh = Mesh::default();
            draw(&mut mesh, outline, &place, 2.0);
            let at = |index: u32| Vec3::from(mesh.vertices[index as usize].position) - place.center;
            let mut edges = std::collections::HashMap::new();
            let mut volume = 0.0;
            for corners in mesh.indices.chunks_exact(3) {
                volume += at(corners[0]).dot(at(corners[1]).cross(at(corners[2]))) / 6.0;
                for (from, to) in [(0, 1), (1, 2), (2, 0)] {
                    let key = |index: u32| at(index).to_array().map(|value| (value * 1024.0).round() as i32);
                    let (a, b) = (key(corners[from]), key(corners[to]));
                    if a != b {
                        *edges.entry((a.min(b), a.max(b))).or_insert(0) += if a < b { 1 } else { -1 };
                    }
                }
            }
            assert!(volume > 2.0, "{outline:?} faces inward: {volume}");
            assert_eq!(edges.values().filter(|count| **count != 0).count(), 0, "{outline:?} is open");
            assert!(mesh.vertices.iter().all(|vertex| vertex.normal[..3] != [0, 0, 0]));
        }
    }

    #[test]
    fn a_chain_of_sugars_is_joined() {
        let mut text = String::new();
        for (residue, (name, x)) in [("NAG", 0.0_f32), ("BMA", 5.2)].into_iter().enumerate() {
            for (index, atom) in ["C1", "C2", "C3", "C4", "C5", "O5"].into_iter().enumerate() {
                let (sin, cos) = (TAU * index as f32 / 6.0).sin_cos();
                text += &format!(
                    "HETATM{:5}  {atom}  {name} A{:4}    {:8.3}{:8.3}   0.000  1.00  0.00           {}\n",
                    residue * 6 + index + 1,
                    residue + 1,
                    x + 1.45 * cos,
                    1.45 * sin,
                    &atom[..1]
                );
            }
        }
        let structure = pdb::read(text.as_bytes()).unwrap();
        let model = &structure.models[0];
        assert!(model.topology.residues.iter().all(|residue| residue.kind == ResidueKind::Carbohydrate));
        let mesh = build(&model.topology, &model.positions, &AtomSelection::All, 4.0);
        let near = |x: f32| mesh.vertices.iter().filter(|vertex| (vertex.position[0] - x).abs() < 2.01).count();
        assert!(near(0.0) > 20 && near(5.2) > 500);
    }
}
