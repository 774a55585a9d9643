//! Molecular surfaces against arithmetic and against another program.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::f32::consts::PI;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use common::{molecule, plain, renderer, sample};
use glam::Vec3;
use kfold_molecule::formats::read_structure;
use kfold_molecule::{Element, Structure};
use kfold_viewer::{
    AtomSelection, Camera, Object, Renderer, Representation, Scene, SurfaceKind, SurfaceMesh, SurfaceSource,
    SurfaceStyle,
};

const PROBE: f32 = 1.4;

fn source(structure: &Structure, style: SurfaceStyle) -> SurfaceSource {
    let model = structure.first().unwrap();
    SurfaceSource {
        topology: Arc::clone(&model.topology),
        positions: Arc::new(model.positions.clone()),
        atoms: AtomSelection::All,
        style,
        potential: false,
    }
}

fn built(source: &SurfaceSource) -> SurfaceMesh {
    let gpu = renderer().gpu().clone();
    source.build(&gpu, &AtomicBool::new(false)).unwrap().unwrap()
}

fn excluded(spacing: f32) -> SurfaceStyle {
    SurfaceStyle { kind: SurfaceKind::SolventExcluded { probe: PROBE }, spacing, ..SurfaceStyle::default() }
}

fn carbons(places: &[Vec3]) -> Structure {
    molecule(&places.iter().map(|&place| (Element::C, place)).collect::<Vec<_>>(), &[])
}

/// Every edge is shared by two triangles that run through it in opposite directions, every vertex has one fan of triangles,
/// and Euler's number of each piece is that of a closed surface with handles. Returns the pieces' numbers.
fn assert_closed(mesh: &SurfaceMesh) -> Vec<i64> {
    let count = mesh.positions.len();
    // From a half-edge to the third corner of its triangle.
    let mut half_edges = std::collections::HashMap::new();
    for &[a, b, c] in &mesh.triangles {
        for (from, to, third) in [(a, b, c), (b, c, a), (c, a, b)] {
            assert_ne!(from, to, "an edge from a vertex to itself");
            let before = half_edges.insert((from, to), third);
            assert_eq!(before, None, "the edge from {from} to {to} has two triangles on one side");
        }
    }
    let open = half_edges.keys().filter(|(from, to)| !half_edges.contains_key(&(*to, *from))).count();
    assert_eq!(open, 0, "edges without an opposite");
    // Turning around a vertex passes all of its edges.
    let mut degrees = vec![0_usize; count];
    let mut starts = vec![None; count];
    for (from, to) in half_edges.keys() {
        degrees[*from as usize] += 1;
        starts[*from as usize] = Some(*to);
    }
    for vertex in 0..count as u32 {
        let Some(start) = starts[vertex as usize] else { continue };
        let (mut at, mut steps) = (start, 0);
        while steps == 0 || at != start {
            at = half_edges[&(vertex, at)];
            steps += 1;
            assert!(steps <= degrees[vertex as usize]);
        }
        assert_eq!(steps, degrees[vertex as usize], "vertex {vertex} has more than one fan");
    }
    let mut pieces: Vec<usize> = (0..count).collect();
    fn root(pieces: &mut [usize], mut index: usize) -> usize {
        while pieces[index] != index {
            pieces[index] = pieces[pieces[index]];
            index = pieces[index];
        }
        index
    }
    for &(from, to) in half_edges.keys() {
        let (one, other) = (root(&mut pieces, from as usize), root(&mut pieces, to as usize));
        pieces[one] = other;
    }
    let mut numbers = std::collections::BTreeMap::<usize, i64>::new();
    for vertex in (0..count).filter(|vertex| degrees[*vertex] > 0) {
        *numbers.entry(root(&mut pieces, vertex)).or_default() += 1;
    }
    for (from, _) in half_edges.keys().filter(|(from, to)| from < to) {
        *numbers.entry(root(&mut pieces, *from as usize)).or_default() -= 1;
    }
    for [corner, ..] in &mesh.triangles {
        *numbers.entry(root(&mut pieces, *corner as usize)).or_default() += 1;
    }
    let numbers: Vec<i64> = numbers.into_values().collect();
    assert!(numbers.iter().all(|number| *number <= 2 && number % 2 == 0), "Euler numbers {numbers:?}");
    numbers
}

fn assert_near(what: &str, value: f32, expected: f32, relative: f32) {
    assert!((value / expected - 1.0).abs() < relative, "{what}: {value}, not {expected}");
}

#[test]
fn a_sphere_has_its_area_and_volume() {
    let radius = Element::C.vdw_radius();
    for style in [excluded(0.3), SurfaceStyle { spacing: 0.3, ..SurfaceStyle::gaussian() }] {
        // Not at a point of the grid.
        let center = Vec3::new(0.123, -4.567, 8.901);
        let mesh = built(&source(&carbons(&[center]), style));
        assert_eq!(assert_closed(&mesh), [2], "one ball without a hole");
        assert_near("area", mesh.area(), 4.0 * PI * radius * radius, 0.01);
        assert_near("volume", mesh.volume(), 4.0 / 3.0 * PI * radius.powi(3), 0.015);
        for (position, normal) in mesh.positions.iter().zip(&mesh.normals) {
            assert!((position.distance(center) - radius).abs() < 1e-3, "{position} lies on the sphere");
            assert!(normal.dot((position - center) / radius) > 0.999, "{normal} points outward at {position}");
        }
    }
}

/// Area and volume of the solvent-excluded surface of two equal balls: two caps, and between them the inner side of a
/// torus on which the probe rolls (Connolly, J. Appl. Cryst. 1983, 16, 548).
fn two_balls(radius: f32, distance: f32) -> (f32, f32) {
    let grown = radius + PROBE;
    let half = 0.5 * distance;
    // The probe's middle runs on a circle of this radius.
    let ring = (grown * grown - half * half).sqrt();
    // Angle at the probe between the plane in the middle and the middle of a ball.
    let angle = (half / grown).asin();
    let torus_area = 2.0 * (2.0 * PI) * PROBE * (ring * angle - PROBE * angle.sin());
    // Where the probe touches, the ball is cut: height of what stays.
    let touch = half * radius / grown;
    let cap_height = radius + touch;
    let cap_area = 2.0 * (2.0 * PI) * radius * cap_height;
    let cap_volume = 2.0 * PI * cap_height * cap_height * (3.0 * radius - cap_height) / 3.0;
    // Between the planes of touching, by discs: radius ring - sqrt(probe² - x²).
    let width = half - touch;
    let steps = 20_000;
    let disc = |step: usize| {
        let x = width * ((step as f32 + 0.5) / steps as f32);
        let radius = ring - (PROBE * PROBE - x * x).sqrt();
        f64::from(PI * radius * radius)
    };
    let middle = 2.0 * f64::from(width) / steps as f64 * (0..steps).map(disc).sum::<f64>();
    (torus_area + cap_area, cap_volume + middle as f32)
}

#[test]
fn two_balls_have_a_saddle_between_them() {
    let radius = Element::C.vdw_radius();
    for distance in [1.5, 2.6, 3.8] {
        let structure = carbons(&[Vec3::ZERO, Vec3::new(0.6, 0.0, 0.8) * distance]);
        let mesh = built(&source(&structure, excluded(0.25)));
        assert_closed(&mesh);
        let (area, volume) = two_balls(radius, distance);
        assert_near("area", mesh.area(), area, 0.01);
        assert_near("volume", mesh.volume(), volume, 0.015);
    }
}

#[test]
fn three_balls_have_a_dimple_where_the_probe_rests() {
    let side = 3.4_f32;
    let places = [Vec3::ZERO, Vec3::X * side, Vec3::new(0.5, 0.75_f32.sqrt(), 0.0) * side];
    let mesh = built(&source(&carbons(&places), excluded(0.25)));
    assert_closed(&mesh);
    let middle = (places[0] + places[1] + places[2]) / 3.0;
    let grown = Element::C.vdw_radius() + PROBE;
    let height = (grown * grown - middle.distance_squared(places[0])).sqrt();
    let bottom = mesh
        .positions
        .iter()
        .filter(|position| position.truncate().distance(middle.truncate()) < 0.2)
        .map(|position| position.z.abs())
        .fold(f32::INFINITY, f32::min);
    // Below the resting probe; the vertex need not be the lowest point.
    assert!((bottom - (height - PROBE)).abs() < 0.02, "{bottom}, not {}", height - PROBE);
}

/// A hollow ball of atoms: inside is room for many probes.
fn shell() -> Structure {
    let count = 220;
    let golden = PI * (3.0 - 5.0_f32.sqrt());
    let places: Vec<Vec3> = (0..count)
        .map(|index| {
            let y = 1.0 - 2.0 * (index as f32 + 0.5) / count as f32;
            let (sin, cos) = (golden * index as f32).sin_cos();
            let across = (1.0 - y * y).sqrt();
            Vec3::new(across * cos, y, across * sin) * 9.0
        })
        .collect();
    carbons(&places)
}

#[test]
fn cavities_are_dropped_or_kept() {
    let structure = shell();
    let without = built(&source(&structure, excluded(0.5)));
    let with = built(&source(&structure, SurfaceStyle { cavities: true, ..excluded(0.5) }));
    assert_closed(&with);
    let inner = |mesh: &SurfaceMesh| mesh.positions.iter().filter(|position| position.length() < 8.5).count();
    assert_eq!(inner(&without), 0);
    assert!(inner(&with) > 500);
    assert!(with.volume() < 0.7 * without.volume());
}

#[test]
fn equal_input_gives_an_equal_mesh() {
    let structure = read_structure(&sample("adenylate-kinase/closed.pdb")).unwrap();
    let source = source(&structure, excluded(0.8));
    let first = built(&source);
    assert!(first.triangles.len() > 1000);
    assert_eq!(first, built(&source));
}

#[test]
fn a_pocket_is_cut_out_of_its_protein() {
    let structure = read_structure(&sample("adenylate-kinase/closed.pdb")).unwrap();
    let whole = source(&structure, excluded(0.7));
    let model = structure.first().unwrap();
    let near = AtomSelection::residues_near(&model.topology, &model.positions, &[model.positions[700]], 6.0);
    let style = SurfaceStyle { of: Some(AtomSelection::All), ..excluded(0.7) };
    let part = built(&SurfaceSource { atoms: near.clone(), style, ..whole.clone() });
    let whole = built(&whole);
    assert!(part.triangles.len() * 4 < whole.triangles.len());
    let near = near.indices(&model.topology);
    // What is shown lies on the whole surface: between its own vertices, which are elsewhere on the grid.
    let own = part.positions.iter().zip(&part.atoms).filter(|(_, atom)| near.contains(atom));
    for (position, _) in own.step_by(17) {
        let nearest = whole.positions.iter().map(|other| other.distance(*position)).fold(f32::INFINITY, f32::min);
        assert!(nearest < 0.75, "{position} is {nearest} Å from the whole surface");
    }
}

#[test]
fn potentials_follow_coulomb() {
    use kfold_molecule::{Bond, SmallMolecule, SmallMoleculeAtom};
    let atom = SmallMoleculeAtom { element: Element::NA, formal_charge: 1, ..SmallMoleculeAtom::default() };
    let ion = SmallMolecule {
        atoms: vec![atom],
        bonds: Vec::<Bond>::new(),
        conformers: vec![vec![Vec3::ZERO]],
        ..SmallMolecule::default()
    };
    let mesh = built(&SurfaceSource { potential: true, ..source(&ion.to_structure("A", "NA"), excluded(0.4)) });
    let distance = Element::NA.vdw_radius() + 1.4;
    for potential in &mesh.potentials {
        assert_near("potential", *potential, 332.06371 / (4.0 * distance * distance), 0.01);
    }
}

#[test]
fn nonsense_is_survived() {
    let empty = carbons(&[]);
    if empty.first().is_some() {
        assert!(built(&source(&empty, excluded(0.5))).triangles.is_empty());
    }
    let odd = [
        vec![Vec3::NAN],
        vec![Vec3::ZERO; 40],
        (0..60).map(|index| Vec3::X * 0.01 * index as f32).collect(),
        vec![Vec3::ZERO, Vec3::X * 600.0],
    ];
    for places in odd {
        let style =
            SurfaceStyle { spacing: f32::NAN, kind: SurfaceKind::SolventExcluded { probe: -1.0 }, ..excluded(0.5) };
        for style in [excluded(0.7), style, SurfaceStyle { spacing: 0.9, ..SurfaceStyle::gaussian() }] {
            let mesh = built(&source(&carbons(&places), style));
            assert!(mesh.positions.iter().all(|position| position.is_finite()));
        }
    }
}

#[test]
fn a_protein_agrees_with_counted_points() {
    let structure = read_structure(&sample("adenylate-kinase/closed.pdb")).unwrap();
    let mesh = built(&source(&structure, SurfaceStyle { cavities: true, ..excluded(0.5) }));
    assert_closed(&mesh);
    // tests/oracle/surface_volume.py, whose points on the spheres are 0.12 Å apart.
    assert_near("volume", mesh.volume(), 26_135.0, 0.01);
    assert_near("area", mesh.area(), 10_273.0, 0.02);
}

#[test]
fn surfaces_of_a_protein_are_watertight() {
    let structure = read_structure(&sample("adenylate-kinase/closed.pdb")).unwrap();
    // Coarse grids, in which two sheets often share a cell.
    for style in [
        SurfaceStyle { spacing: 0.7, ..SurfaceStyle::gaussian() },
        SurfaceStyle { spacing: 1.0, cavities: true, ..SurfaceStyle::gaussian() },
        SurfaceStyle { cavities: true, ..excluded(0.75) },
        excluded(0.5),
    ] {
        let mesh = built(&source(&structure, style));
        let numbers = assert_closed(&mesh);
        assert!(!numbers.is_empty() && mesh.volume() > 20_000.0, "{numbers:?}, {} A3", mesh.volume());
        // A reader of files that joins what lies in one place does not undo it.
        let mut places: Vec<_> = mesh.positions.iter().map(|place| place.to_array().map(f32::to_bits)).collect();
        places.sort_unstable();
        assert!(places.windows(2).all(|pair| pair[0] != pair[1]), "two vertices lie in one place");
    }
}

/// Columns of the last picture where anything is, and how many pixels they hold.
fn seen(renderer: &Renderer, camera: &Camera, width: usize) -> (usize, f32) {
    let depths = renderer.read_depths(camera).unwrap();
    let columns: Vec<usize> =
        depths.iter().enumerate().filter(|(_, depth)| depth.is_finite()).map(|(pixel, _)| pixel % width).collect();
    (columns.len(), columns.iter().sum::<usize>() as f32 / columns.len().max(1) as f32)
}

#[test]
fn while_atoms_move_the_surface_before_stays_until_the_next_is_there() {
    let structure = carbons(&[Vec3::ZERO, Vec3::new(1.5, 0.0, 0.0), Vec3::new(0.0, 1.5, 0.0)]);
    let model = structure.first().unwrap();
    let style = SurfaceStyle { spacing: 0.8, ..SurfaceStyle::gaussian() };
    let mut object = Object::new(71, model).with(Representation::surface(style));
    let camera = Camera { distance: 40.0, ..Camera::default() };
    let (size, settings) = ((96, 64), plain());
    let mut renderer = renderer();
    let draw = |renderer: &mut Renderer, object: &Object| {
        let scene = Scene { objects: vec![object.clone()], ..Scene::default() };
        renderer.render(&scene, &camera, size, &settings).unwrap();
        (renderer.is_building(), seen(renderer, &camera, 96))
    };
    let wait = |renderer: &mut Renderer, object: &Object| {
        for _ in 0..2000 {
            let (is_building, found) = draw(renderer, object);
            if !is_building && found.0 > 0 {
                return found;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("no surface came");
    };
    let (pixels, at_first) = wait(&mut renderer, &object);
    // Played faster than surfaces are built, the object made anew for each model as the window does it: none of the pictures
    // is empty or has half a surface.
    for step in 1..=12 {
        let mut moved = model.clone();
        moved.positions.iter_mut().for_each(|place| *place += Vec3::X * 0.5 * step as f32);
        let style = SurfaceStyle { spacing: 0.9, ..SurfaceStyle::gaussian() };
        let atoms = AtomSelection::of(vec![0, 1, 2]);
        object = Object::new(71, &moved).with(Representation::surface(style).of(atoms));
        let (_, (now, _)) = draw(&mut renderer, &object);
        assert!(now * 10 > pixels * 8, "step {step}: {now} pixels of {pixels}");
    }
    // At rest it is where the atoms are: six Å to the right.
    let (_, at_last) = wait(&mut renderer, &object);
    let pixel = 64.0 / (2.0 * camera.distance * (0.5 * camera.vertical_fov).tan());
    assert!((at_last - at_first - 6.0 * pixel).abs() < 1.5, "{at_first} to {at_last}, a pixel is {pixel} of an Å");
}
