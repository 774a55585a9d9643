//! Pictures, compared with those kept in `tests/golden` (`UPDATE_GOLDEN=1` draws them anew; look at them before you
//! commit). Small and few: what arithmetic can check is in `geometry.rs`.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{assert_golden, renderer, sample};
use glam::Vec3;
use kfold_molecule::analysis::interactions::InteractionKind;
use kfold_molecule::formats::{read_small_molecules, read_structure};
use kfold_viewer::{
    AtomSelection, Camera, CarbonColor, Color, Coloring, Dash, DockingBox, Object, RenderSettings, Representation,
    Scene,
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
