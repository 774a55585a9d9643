//! Pictures, compared with those kept in `tests/golden` (`UPDATE_GOLDEN=1` draws them anew; look at them before you
//! commit). Small and few: what arithmetic can check is in `geometry.rs`.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::ops::ControlFlow;
use std::sync::Arc;

use common::{assert_golden, molecule, renderer, sample};
use glam::Vec3;
use kfold_molecule::Element;
use kfold_molecule::analysis::interactions::InteractionKind;
use kfold_molecule::formats::{read_small_molecules, read_structure};
use kfold_viewer::{
    AtomSelection, BackboneStyle, BaseStyle, Camera, CarbonColor, Color, Coloring, Dash, DockingBox, Label, Object,
    Preset, Quality, RenderSettings, Representation, Scene, Shape, SurfaceStyle, measurement,
};

const WIDTH: u32 = 240;
const HEIGHT: u32 = 180;
const ASPECT: f32 = WIDTH as f32 / HEIGHT as f32;

/// Few samples: smooth enough to be compared, quick enough for every run.
fn settings() -> RenderSettings {
    RenderSettings { samples: 4, ..RenderSettings::default() }
}

fn structure(id: u64, path: &str) -> Object {
    Object::new(id, read_structure(&sample(path)).unwrap().first().unwrap())
}

fn ligand(id: u64, path: &str) -> Object {
    let molecules = read_small_molecules(&sample(path)).unwrap();
    Object::new(id, molecules[0].to_structure("L", "LIG").first().unwrap())
}

fn check(name: &str, scene: &Scene, camera: &Camera, settings: &RenderSettings) {
    let image = renderer().render_to_image(scene, camera, WIDTH, HEIGHT, settings).unwrap();
    assert_golden(name, &image);
}

#[test]
fn cartoon_of_a_protein() {
    let object = structure(1, "adenylate-kinase/closed.pdb").with(Representation::cartoon().colored(Coloring::Rainbow));
    let camera = Camera::looking_at(&object.positions, ASPECT);
    let scene = Scene { objects: vec![object], ..Scene::default() };
    check("cartoon", &scene, &camera, &settings());
}

#[test]
fn silhouettes_and_flat_light() {
    let object = structure(1, "adenylate-kinase/closed.pdb")
        .with(Representation::cartoon().colored(Coloring::SecondaryStructure));
    let camera = Camera::looking_at(&object.positions, ASPECT);
    let scene = Scene { objects: vec![object], ..Scene::default() };
    let flat = RenderSettings {
        lighting: kfold_viewer::Lighting::Flat,
        silhouette_width: 1.0,
        background: Color::hex(0xf4f1ea),
        ..settings()
    };
    check("silhouettes", &scene, &camera, &flat);
}

#[test]
fn cartoon_of_dna() {
    let object = structure(1, "dna-complex/complex.pdb").with_default_representations();
    let camera = Camera::looking_at(&object.positions, ASPECT);
    let scene = Scene { objects: vec![object], ..Scene::default() };
    check("dna", &scene, &camera, &settings());
}

#[test]
fn ligand_with_bond_orders_interactions_and_box() {
    let object = ligand(1, "kinase/ligand.sdf");
    let shown = AtomSelection::All.without_carbon_hydrogens(&object.topology);
    let camera = Camera::looking_at(&object.points(&shown), ASPECT);
    let middle = camera.center;
    let object = object
        .with(Representation::ball_and_stick().of(shown))
        .with(Representation::dashes(vec![
            Dash { points: [middle, middle + Vec3::new(3.0, 2.0, 1.0)], kind: InteractionKind::HydrogenBond },
            Dash { points: [middle, middle + Vec3::new(-3.0, 2.5, 1.0)], kind: InteractionKind::SaltBridge },
        ]))
        .with(Representation::docking_box(DockingBox { center: middle, size: Vec3::splat(6.0) }, Color::hex(0x3f8fd0)));
    let scene = Scene { objects: vec![object], ..Scene::default() };
    check("ligand", &scene, &camera, &settings());
}

#[test]
fn spheres_with_occlusion() {
    let object = structure(1, "kinase/receptor.pdb")
        .with(Representation::spheres(1.0).colored(Coloring::Element(CarbonColor::Chain)));
    let camera = Camera::looking_at(&object.positions, ASPECT);
    let scene = Scene { objects: vec![object], ..Scene::default() };
    check("spheres", &scene, &camera, &RenderSettings { samples: 2, ..settings() });
}

#[test]
fn transparent_ribbon_before_and_behind_a_ligand() {
    let protein = structure(1, "nuclear-receptor/receptor.pdb").with(Representation::cartoon().with_opacity(0.4));
    let ligand = ligand(2, "nuclear-receptor/ligand.sdf").with(Representation::sticks());
    let mut camera = Camera::looking_at(&ligand.positions, ASPECT);
    camera.zoom(0.5);
    let scene = Scene { objects: vec![protein, ligand], ..Scene::default() };
    check("transparent", &scene, &camera, &settings());
    // From the other side: order must not matter.
    camera.orbit(std::f32::consts::PI, 0.0);
    check("transparent-behind", &scene, &camera, &settings());
}

#[test]
fn selection_and_hover() {
    let object = ligand(1, "kinase/ligand.sdf").with(Representation::sticks());
    let camera = Camera::looking_at(&object.positions, ASPECT);
    let scene = Scene {
        selected: vec![(1, AtomSelection::of((0..12).collect()))],
        hovered: vec![(1, AtomSelection::of((20..26).collect()))],
        objects: vec![object],
        ..Scene::default()
    };
    check("highlight", &scene, &camera, &RenderSettings { samples: 1, ..settings() });
}

#[test]
fn equal_scenes_give_equal_pixels() {
    let object = ligand(1, "kinase/ligand.sdf").with(Representation::ball_and_stick());
    let camera = Camera::looking_at(&object.positions, ASPECT);
    let scene = Scene { objects: vec![object], ..Scene::default() };
    let mut renderer = renderer();
    let first = renderer.render_to_image(&scene, &camera, WIDTH, HEIGHT, &settings()).unwrap();
    renderer.render_to_image(&Scene::default(), &camera, 32, 32, &settings()).unwrap();
    let second = renderer.render_to_image(&scene, &camera, WIDTH, HEIGHT, &settings()).unwrap();
    assert_eq!(first, second);
}

/// Two rings of transparent spheres around solid ones, seen from both sides: exact layers, in the right order.
#[test]
fn exact_transparency_from_two_cameras() {
    let red = Color::hex(0xd04030);
    let blue = Color::hex(0x3060d0);
    let ball = |id: u64, place: Vec3, color: Color, opacity: f32| {
        let structure = molecule(&[(Element::C, place)], &[]);
        let spheres = Representation::spheres(1.4).colored(Coloring::Uniform(color)).with_opacity(opacity);
        Object::new(id, structure.first().unwrap()).with(spheres)
    };
    let objects = vec![
        ball(1, Vec3::new(-0.8, 0.0, 3.0), red, 0.5),
        ball(2, Vec3::new(0.8, 0.0, -3.0), blue, 0.5),
        ball(3, Vec3::new(0.0, 1.2, 0.0), Color::hex(0x40a050), 1.0),
    ];
    let scene = Scene { objects, ..Scene::default() };
    let mut camera = Camera { distance: 22.0, ..Camera::default() };
    let exact = RenderSettings { quality: Quality::High, ambient_occlusion: 0.0, depth_cue: 0.0, ..settings() };
    check("exact-transparency", &scene, &camera, &exact);
    let front = renderer().render_to_image(&scene, &camera, WIDTH, HEIGHT, &exact).unwrap();
    camera.orbit(std::f32::consts::PI, 0.0);
    check("exact-transparency-behind", &scene, &camera, &exact);
    let behind = renderer().render_to_image(&scene, &camera, WIDTH, HEIGHT, &exact).unwrap();
    // Where the balls cover each other below the solid one, the nearer gives the tone: red from here, blue from there.
    let place = (WIDTH / 2, HEIGHT / 2 + 25);
    let (one, other) = (front.get_pixel(place.0, place.1).0, behind.get_pixel(place.0, place.1).0);
    assert!(one[0] > one[2] && other[2] > other[0], "{one:?} {other:?}");
}

#[test]
fn shadows_fall_away_from_the_key_light() {
    // A small ball before a wall of atoms, the light from the upper left: its shadow is at the lower right.
    let mut atoms: Vec<(Element, Vec3)> = (0..400)
        .map(|index| (Element::C, Vec3::new((index % 20) as f32 - 9.5, (index / 20) as f32 - 9.5, 0.0)))
        .collect();
    atoms.push((Element::C, Vec3::new(0.0, 0.0, 6.0)));
    let wall = molecule(&atoms, &[]);
    let object = Object::new(1, wall.first().unwrap())
        .with(Representation::spheres(1.0).colored(Coloring::Uniform(Color::hex(0xd8d0c0))));
    let scene = Scene { objects: vec![object], ..Scene::default() };
    let camera = Camera { distance: 40.0, ..Camera::default() };
    let lit = RenderSettings { ambient_occlusion: 0.0, depth_cue: 0.0, shadows: 1.0, ..settings() };
    check("shadows", &scene, &camera, &lit);
    let with = renderer().render_to_image(&scene, &camera, WIDTH, HEIGHT, &lit).unwrap();
    let without =
        renderer().render_to_image(&scene, &camera, WIDTH, HEIGHT, &RenderSettings { shadows: 0.0, ..lit }).unwrap();
    let darker = |right: bool, below: bool| {
        let mut sum = 0_i32;
        for (x, y, pixel) in with.enumerate_pixels() {
            if (x > WIDTH / 2) == right && (y > HEIGHT / 2) == below {
                sum += i32::from(without.get_pixel(x, y).0[1]) - i32::from(pixel.0[1]);
            }
        }
        sum
    };
    let lower_right = darker(true, true);
    assert!(lower_right > 2000, "{lower_right}");
    assert!(lower_right > 4 * darker(false, false).abs(), "{lower_right} {}", darker(false, false));
}

#[test]
fn hidden_parts_of_a_selection_shine_through() {
    let hidden = molecule(&[(Element::C, Vec3::new(0.0, 0.0, -6.0))], &[]);
    let front = molecule(&[(Element::C, Vec3::new(-1.2, 0.0, 4.0))], &[]);
    let grey = Coloring::Uniform(Color::hex(0xb0b0b0));
    let objects = vec![
        Object::new(1, hidden.first().unwrap()).with(Representation::spheres(2.0).colored(grey.clone())),
        Object::new(2, front.first().unwrap()).with(Representation::spheres(1.6).colored(grey)),
    ];
    let scene = Scene { objects, selected: vec![(1, AtomSelection::All)], ..Scene::default() };
    let camera = Camera { distance: 26.0, ..Camera::default() };
    check("ghost", &scene, &camera, &settings());
    let picture = renderer().render_to_image(&scene, &camera, WIDTH, HEIGHT, &settings()).unwrap();
    // Hidden, but tinted; the same ball where nothing is behind it is grey.
    let [r, g, b, _] = picture.get_pixel(WIDTH / 2 - 8, HEIGHT / 2).0;
    assert!(g > r + 15 && g > b + 10, "{r} {g} {b}");
}

#[test]
fn words_are_hidden_by_what_lies_before_them() {
    let ball = molecule(&[(Element::C, Vec3::ZERO)], &[]);
    let (object, lines) =
        (Object::new(1, ball.first().unwrap()), measurement(&[Vec3::X * -5.0, Vec3::X * 5.0], Color::BLACK));
    let (lines, value) = lines.unwrap();
    let object = object.with(Representation::spheres(1.2).colored(Coloring::Uniform(Color::hex(0x9ab8d8)))).with(lines);
    let labels = vec![
        Label::new(Vec3::new(0.0, 0.3, -6.0), "behind"),
        Label { size: 26.0, ..Label::new(Vec3::new(0.0, 3.2, 0.0), "리간드 Asp189") },
        Label { shift: glam::Vec2::new(0.0, -24.0), ..Label::new(Vec3::new(0.0, -2.6, -6.0), "on top") }.on_top(),
        Label { shift: glam::Vec2::new(60.0, 12.0), ..value },
    ];
    let scene = Scene { objects: vec![object], labels: Arc::new(labels), ..Scene::default() };
    let camera = Camera { distance: 22.0, ..Camera::default() };
    let settings = RenderSettings { depth_cue: 0.0, ..settings() };
    check("labels", &scene, &camera, &settings);
    let picture = renderer().render_to_image(&scene, &camera, WIDTH, HEIGHT, &settings).unwrap();
    let dark = |top: u32, bottom: u32| {
        (top..bottom)
            .flat_map(|y| (0..WIDTH).map(move |x| (x, y)))
            .filter(|&(x, y)| picture.get_pixel(x, y).0[0] < 90)
            .count()
    };
    assert!(dark(30, 70) > 100, "the word above has ink: {}", dark(30, 70));
    let middle = (WIDTH / 2 - 20..WIDTH / 2 + 20).filter(|&x| picture.get_pixel(x, HEIGHT / 2 - 4).0[0] < 60).count();
    assert_eq!(middle, 0, "the word behind the ball is hidden");
}

/// A channel may differ by this much between a picture drawn at once and in tiles: other sums of the same numbers.
const SEAM_CHANNEL: u8 = 6;
/// Share of pixels that may differ by more: a sample that falls on the other side of an edge.
const SEAM_SHARE: f64 = 0.002;

#[test]
fn a_picture_in_tiles_is_the_picture_drawn_at_once() {
    let protein = structure(1, "nuclear-receptor/receptor.pdb").with(Representation::cartoon().with_opacity(0.5));
    let ligand = ligand(2, "nuclear-receptor/ligand.sdf").with(Representation::ball_and_stick());
    let camera = Camera::looking_at(&protein.positions, ASPECT);
    let scene = Scene { objects: vec![protein, ligand], selected: vec![(2, AtomSelection::All)], ..Scene::default() };
    let settings = RenderSettings {
        samples: 2,
        quality: Quality::High,
        shadows: 0.7,
        silhouette_width: 1.0,
        ..RenderSettings::default()
    };
    let mut renderer = renderer();
    let mut steps = 0;
    let mut draw = |pixels: Option<u64>| {
        let mut count = |_: u32, all: u32| {
            steps = all;
            ControlFlow::Continue(())
        };
        renderer.render_in_tiles(&scene, &camera, (WIDTH, HEIGHT), &settings, pixels, &mut count).unwrap()
    };
    let whole = draw(None);
    let tiled = draw(Some(9000));
    assert!(steps >= 8, "{steps} steps: several tiles");
    let differs =
        |(a, b): (&image::Rgba<u8>, &image::Rgba<u8>)| a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > SEAM_CHANNEL);
    let different = whole.pixels().zip(tiled.pixels()).filter(|pair| differs(*pair)).count();
    let share = different as f64 / f64::from(WIDTH * HEIGHT);
    assert!(share <= SEAM_SHARE, "{:.2} % of the pixels differ", 100.0 * share);
    // Stopped half way: no picture.
    let mut stop = |done: u32, _: u32| if done < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
    let stopped = renderer.render_in_tiles(&scene, &camera, (WIDTH, HEIGHT), &settings, Some(9000), &mut stop);
    assert!(matches!(stopped, Err(kfold_viewer::ViewerError::Cancelled)));
}

#[test]
fn presets_are_apart() {
    let object = structure(1, "adenylate-kinase/closed.pdb").with(Representation::cartoon());
    let camera = Camera::looking_at(&object.positions, ASPECT);
    let scene = Scene { objects: vec![object], ..Scene::default() };
    for preset in Preset::ALL {
        let settings = RenderSettings { samples: 4, ..preset.settings().still() };
        check(&format!("preset-{}", preset.name()), &scene, &camera, &settings);
    }
}

#[test]
fn surface_by_potential() {
    let object = structure(1, "adenylate-kinase/closed.pdb");
    let polymer = AtomSelection::polymer(&object.topology);
    let style = SurfaceStyle { spacing: 0.75, ..SurfaceStyle::default() };
    let surface = Representation::surface(style).of(polymer).colored(Coloring::Electrostatics { range: 10.0 });
    let object = object.with(surface);
    let camera = Camera::looking_at(&object.positions, ASPECT);
    let scene = Scene { objects: vec![object], ..Scene::default() };
    check("surface", &scene, &camera, &settings());
}

#[test]
fn net_of_a_pocket_around_its_ligand() {
    let receptor = structure(1, "protease/receptor.pdb");
    let ligand = ligand(2, "protease/ligand.sdf").with(Representation::sticks());
    let near = AtomSelection::residues_near(&receptor.topology, &receptor.positions, &ligand.positions, 4.0);
    let of = Some(AtomSelection::polymer(&receptor.topology));
    let style = SurfaceStyle { spacing: 0.6, net: true, of, ..SurfaceStyle::gaussian() };
    let colors = Coloring::Element(CarbonColor::Chain);
    let receptor = receptor.with(Representation::surface(style).of(near).colored(colors));
    let camera = Camera::looking_into_pocket(&ligand.positions, &receptor.positions, ASPECT);
    let scene = Scene { objects: vec![receptor, ligand], ..Scene::default() };
    check("pocket-net", &scene, &camera, &settings());
}

#[test]
fn tubular_helices_and_slabs() {
    let mut object = structure(1, "dna-complex/complex.pdb").with_default_representations();
    for representation in &mut object.representations {
        if let Shape::Cartoon(style) = &mut representation.shape {
            style.backbone = BackboneStyle::TubularHelices;
            style.bases = BaseStyle::Slabs;
        }
    }
    let camera = Camera::looking_at(&object.positions, ASPECT);
    let scene = Scene { objects: vec![object], ..Scene::default() };
    check("tubes", &scene, &camera, &settings());
}

/// Root of the mean square of what two pictures' channels differ by, 0-1.
fn error(one: &image::RgbaImage, other: &image::RgbaImage) -> f64 {
    let squares = one.as_raw().iter().zip(other.as_raw()).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
    (squares.sum::<f64>() / one.as_raw().len() as f64).sqrt() / 255.0
}

/// What the filter before this one (after Lottes, FXAA, 2009) left of the same picture's error.
const ERROR_BEFORE: f64 = 0.0244;

#[test]
fn smoothed_edges_are_near_those_of_many_samples() {
    // Sticks at all slants in one colour before another: without smoothing a pixel has the one or the other, and depth tells
    // which.
    let ends = (0..13).map(|index| {
        let angle = 0.11 + index as f32 * 0.475;
        (Element::C, Vec3::new(angle.cos(), angle.sin(), 0.0) * 9.0)
    });
    let atoms: Vec<_> = std::iter::once((Element::C, Vec3::ZERO)).chain(ends).collect();
    let bonds: Vec<_> = (1..14).map(|end| (0, end, kfold_molecule::BondOrder::Single)).collect();
    let star = molecule(&atoms, &bonds);
    let (ink, ground) = (Color::hex(0x20_4080), Color::hex(0xf0_f0e8));
    let sticks = Shape::Sticks { radius: 0.5, bond_orders: false };
    let object = Object::new(1, star.first().unwrap()).with(Representation::new(sticks, Coloring::Uniform(ink)));
    let scene = Scene { objects: vec![object], ..Scene::default() };
    let camera = Camera { distance: 40.0, ..Camera::default() };
    let flat = RenderSettings {
        lighting: kfold_viewer::Lighting::Flat,
        background: ground,
        ambient_occlusion: 0.0,
        depth_cue: 0.0,
        ..RenderSettings::default()
    };
    let mut renderer = renderer();
    let mut draw = |samples: u32| {
        renderer.render_to_image(&scene, &camera, WIDTH, HEIGHT, &RenderSettings { samples, ..flat }).unwrap()
    };
    let truth = draw(64);
    let smoothed = draw(1);
    let depths = renderer.read_depths(&camera).unwrap();
    let color = |color: Color| image::Rgba([color.r, color.g, color.b, 255]);
    let hard = image::RgbaImage::from_fn(WIDTH, HEIGHT, |x, y| {
        color(if depths[(y * WIDTH + x) as usize].is_finite() { ink } else { ground })
    });
    let (with, without) = (error(&smoothed, &truth), error(&hard, &truth));
    assert!(with < 0.6 * without, "{with:.4} of {without:.4} without smoothing");
    assert!(with < ERROR_BEFORE, "{with:.4}, before {ERROR_BEFORE}");
}
