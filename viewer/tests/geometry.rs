//! What is drawn lies where it should: checked against arithmetic, not against pictures.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::Arc;

use common::{molecule, plain, renderer};
use glam::{Mat4, Quat, Vec2, Vec3};
use kfold_molecule::{BondOrder, Element};
use kfold_viewer::{
    AtomSelection, Camera, Color, Coloring, Dash, DockingBox, Object, RenderSettings, Representation, Scene, Shape,
    ViewerError,
};

const WIDTH: u32 = 240;
const HEIGHT: u32 = 160;

fn size() -> Vec2 {
    Vec2::new(WIDTH as f32, HEIGHT as f32)
}

fn scene(object: Object) -> Scene {
    Scene { objects: vec![object], ..Scene::default() }
}

fn camera(distance: f32) -> Camera {
    Camera { distance, ..Camera::default() }
}

/// Numbers between 0 and 1 that look random and are the same each time.
fn scatter(count: usize) -> Vec<f32> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1_u64 << 24) as f32
        })
        .collect()
}

#[test]
fn a_sphere_has_its_exact_outline() {
    let carbon = molecule(&[(Element::C, Vec3::ZERO)], &[]);
    let object = Object::new(1, carbon.first().unwrap()).with(Representation::spheres(1.0));
    let radius = Element::C.vdw_radius();
    for distance in [8.0, 30.0] {
        let camera = camera(distance);
        let image = renderer().render_to_image(&scene(object.clone()), &camera, WIDTH, HEIGHT, &plain()).unwrap();
        let drawn = image.pixels().filter(|pixel| pixel.0[3] > 127).count() as f32;
        // The outline of a sphere on the axis is a circle: the tangent cone's.
        let slope = radius / (distance * distance - radius * radius).sqrt();
        let pixels = slope * camera.projection_scale(size().x / size().y).y * size().y * 0.5;
        let expected = std::f32::consts::PI * pixels * pixels;
        assert!((drawn - expected).abs() < 2.5 * pixels.max(4.0), "{drawn} pixels, not {expected}");
    }
}

/// The first sphere that a ray meets behind the near plane.
fn cast(camera: &Camera, pixel: Vec2, spheres: &[(Vec3, f32)]) -> Option<(usize, f32)> {
    let ray = camera.ray(pixel, size());
    let forward = (camera.center - camera.eye()).normalize_or_zero();
    let near = camera.near() / ray.direction.dot(forward);
    let mut best: Option<(usize, f32)> = None;
    for (index, &(center, radius)) in spheres.iter().enumerate() {
        let offset = center - ray.origin;
        let closest = offset.dot(ray.direction);
        let inside = radius * radius - (offset - ray.direction * closest).length_squared();
        if inside > 0.0 {
            let (enter, leave) = (closest - inside.sqrt(), closest + inside.sqrt());
            let hit = if enter < near && leave > near { near } else { enter };
            if hit >= near && best.is_none_or(|held| hit < held.1) {
                best = Some((index, hit));
            }
        }
    }
    best
}

#[test]
fn picking_agrees_with_rays_cast_on_the_processor() {
    let values = scatter(120);
    let atoms: Vec<(Element, Vec3)> = values
        .chunks_exact(3)
        .map(|v| (Element::C, Vec3::new(v[0] * 12.0 - 6.0, v[1] * 8.0 - 4.0, v[2] * 16.0 - 8.0)))
        .collect();
    let structure = molecule(&atoms, &[]);
    let object = Object::new(7, structure.first().unwrap()).with(Representation::spheres(1.0));
    let spheres: Vec<(Vec3, f32)> = atoms.iter().map(|atom| (atom.1, Element::C.vdw_radius())).collect();
    let scene = scene(object);
    let mut renderer = renderer();
    // From outside, from close by where perspective is strong, and cut open by the near plane.
    let mut turned = camera(14.0);
    turned.orbit(0.8, 0.4);
    let cut = Camera { front_clip: Some(0.5), ..camera(24.0) };
    for camera in [camera(30.0), turned, cut] {
        renderer.render(&scene, &camera, (WIDTH, HEIGHT), &plain()).unwrap();
        let mut hits = 0;
        for place in scatter(160).chunks_exact(2) {
            let pixel = Vec2::new((place[0] * size().x).floor() + 0.5, (place[1] * size().y).floor() + 0.5);
            let Some((expected, distance)) = cast(&camera, pixel, &spheres) else { continue };
            // Not where spheres meet or end within a pixel.
            let unsure = [Vec2::X, Vec2::Y, -Vec2::X, -Vec2::Y].iter().any(|&aside| {
                cast(&camera, pixel + aside * 0.6, &spheres)
                    .is_none_or(|(other, at)| other != expected || (at - distance).abs() > 2.0)
            });
            if unsure {
                continue;
            }
            let pick = renderer.pick(pixel.x, pixel.y).unwrap().unwrap();
            assert_eq!((pick.object, pick.atom as usize), (7, expected), "at {pixel} of {camera:?}");
            hits += 1;
        }
        assert!(hits > 15, "only {hits} rays hit anything");
    }
}

#[test]
fn the_nearer_sphere_hides_the_other_and_they_meet_where_they_should() {
    let colors = [Color::hex(0xff0000), Color::hex(0x0000ff)];
    let pair = |depths: [f32; 2], aside: f32| {
        let objects = [0, 1]
            .map(|index| {
                let place = Vec3::new(if index == 0 { -aside } else { aside }, 0.0, depths[index]);
                let structure = molecule(&[(Element::C, place)], &[]);
                Object::new(index as u64, structure.first().unwrap())
                    .with(Representation::spheres(1.0).colored(Coloring::Uniform(colors[index])))
            })
            .to_vec();
        Scene { objects, ..Scene::default() }
    };
    let mut renderer = renderer();
    for (depths, red_first) in [([2.0, -2.0], true), ([-2.0, 2.0], false)] {
        let image = renderer.render_to_image(&pair(depths, 0.0), &camera(20.0), WIDTH, HEIGHT, &plain()).unwrap();
        let pixel = image.get_pixel(WIDTH / 2, HEIGHT / 2).0;
        assert_eq!(pixel[0] > pixel[2], red_first, "{pixel:?}");
    }
    // Side by side at the same depth they meet in the middle plane, seen as a straight line.
    let image = renderer.render_to_image(&pair([0.0, 0.0], 1.0), &camera(20.0), WIDTH, HEIGHT, &plain()).unwrap();
    for y in (HEIGHT / 2 - 6)..(HEIGHT / 2 + 6) {
        let (left, right) = (image.get_pixel(WIDTH / 2 - 2, y).0, image.get_pixel(WIDTH / 2 + 1, y).0);
        assert!(left[0] > left[2] && right[2] > right[0], "row {y}: {left:?} {right:?}");
    }
}

#[test]
fn a_cylinder_has_its_width_and_two_halves() {
    let structure =
        molecule(&[(Element::C, Vec3::X * -4.0), (Element::C, Vec3::X * 4.0)], &[(0, 1, BondOrder::Single)]);
    let object = Object::new(3, structure.first().unwrap())
        .with(Representation::new(Shape::Sticks { radius: 0.5, bond_orders: true }, Coloring::Chain));
    let mut renderer = renderer();
    let camera = camera(20.0);
    let image = renderer.render_to_image(&scene(object), &camera, WIDTH, HEIGHT, &plain()).unwrap();
    let column = (0..HEIGHT).filter(|&y| image.get_pixel(WIDTH / 2, y).0[3] > 127).count() as f32;
    let scale = camera.projection_scale(size().x / size().y).y * size().y;
    let expected = scale * 0.5 / (400.0_f32 - 0.25).sqrt();
    assert!((column - expected).abs() <= 1.5, "{column} pixels wide, not {expected}");
    let left = renderer.pick(size().x * 0.4, size().y * 0.5).unwrap().unwrap();
    let right = renderer.pick(size().x * 0.6, size().y * 0.5).unwrap().unwrap();
    assert_eq!((left.atom, right.atom), (0, 1));
    assert_eq!(renderer.pick(2.0, 2.0).unwrap(), None);
    assert_eq!(renderer.pick(-5.0, 1e9).unwrap(), None);
}

#[test]
fn a_double_bond_has_a_gap() {
    let structure = molecule(
        &[(Element::C, Vec3::X * -2.0), (Element::C, Vec3::X * 2.0), (Element::C, Vec3::new(3.0, 2.0, 0.0))],
        &[(0, 1, BondOrder::Double), (1, 2, BondOrder::Single)],
    );
    let object = Object::new(3, structure.first().unwrap())
        .with(Representation::new(Shape::Sticks { radius: 0.4, bond_orders: true }, Coloring::Chain));
    let image = renderer().render_to_image(&scene(object), &camera(12.0), WIDTH, HEIGHT, &plain()).unwrap();
    // Down the middle of the bond: nothing, copy, gap, copy, nothing.
    let solid: Vec<bool> = (0..HEIGHT).map(|y| image.get_pixel(WIDTH / 2 - 8, y).0[3] > 127).collect();
    let changes = solid.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert_eq!(changes, 4);
}

#[test]
fn nothing_is_drawn_when_nothing_changed() {
    let structure = molecule(&[(Element::O, Vec3::ZERO)], &[]);
    let mut scene = scene(Object::new(1, structure.first().unwrap()).with(Representation::spheres(1.0)));
    let camera = camera(10.0);
    let mut renderer = renderer();
    let settings = RenderSettings::default();
    let size = (WIDTH, HEIGHT);
    renderer.render(&scene, &camera, size, &settings).unwrap();
    assert!(!renderer.needs_render(&scene, &camera, size, &settings));
    let generation = renderer.texture_generation();
    // New coordinates, a hovered atom, another camera or setting: each is a change.
    let mut turned = camera;
    turned.orbit(0.1, 0.0);
    assert!(renderer.needs_render(&scene, &turned, size, &settings));
    assert!(renderer.needs_render(&scene, &camera, size, &RenderSettings { depth_cue: 0.1, ..settings }));
    scene.hovered.push((1, AtomSelection::All));
    assert!(renderer.needs_render(&scene, &camera, size, &settings));
    renderer.render(&scene, &camera, size, &settings).unwrap();
    scene.objects[0].positions = Arc::new(vec![Vec3::X]);
    assert!(renderer.needs_render(&scene, &camera, size, &settings));
    renderer.render(&scene, &camera, size, &settings).unwrap();
    assert_eq!(renderer.texture_generation(), generation, "the texture stays while its size does");
    renderer.render(&scene, &camera, (WIDTH, HEIGHT + 2), &settings).unwrap();
    assert_ne!(renderer.texture_generation(), generation);
}

#[test]
fn a_resting_picture_is_refined_and_then_left_alone() {
    let structure = molecule(&[(Element::O, Vec3::ZERO)], &[]);
    let scene = scene(Object::new(1, structure.first().unwrap()).with(Representation::spheres(1.0)));
    let settings = RenderSettings { samples: 4, ..plain() };
    let mut renderer = renderer();
    let camera = camera(9.5);
    for _ in 0..4 {
        assert!(renderer.needs_render(&scene, &camera, (60, 60), &settings));
        renderer.render(&scene, &camera, (60, 60), &settings).unwrap();
    }
    assert!(!renderer.needs_render(&scene, &camera, (60, 60), &settings));
    let image = renderer.render_to_image(&scene, &camera, 60, 60, &settings).unwrap();
    let soft = image.pixels().filter(|pixel| (40..216).contains(&pixel.0[3])).count();
    assert!(soft > 20, "the outline is smooth: {soft} pixels are partly covered");
}

#[test]
fn moved_atoms_are_drawn_where_they_went() {
    let structure = molecule(&[(Element::O, Vec3::ZERO), (Element::O, Vec3::X)], &[]);
    let mut scene = scene(Object::new(1, structure.first().unwrap()).with(Representation::spheres(0.3)));
    let camera = camera(20.0);
    let mut renderer = renderer();
    renderer.render(&scene, &camera, (WIDTH, HEIGHT), &plain()).unwrap();
    for target in [Vec3::new(2.0, 1.0, 0.0), Vec3::new(-3.0, -1.0, 1.0)] {
        scene.objects[0].positions = Arc::new(vec![Vec3::Z * 100.0, target]);
        renderer.render(&scene, &camera, (WIDTH, HEIGHT), &plain()).unwrap();
        let (pixel, _) = camera.project(target, size()).unwrap();
        assert_eq!(renderer.pick(pixel.x, pixel.y).unwrap().map(|pick| pick.atom), Some(1));
    }
}

#[test]
fn selected_atoms_get_an_outline() {
    let structure = molecule(&[(Element::C, Vec3::X * -3.0), (Element::C, Vec3::X * 3.0)], &[]);
    let mut scene = scene(Object::new(1, structure.first().unwrap()).with(Representation::spheres(1.0)));
    scene.selected.push((1, AtomSelection::of(vec![1])));
    let image = renderer().render_to_image(&scene, &camera(20.0), WIDTH, HEIGHT, &plain()).unwrap();
    let green = |half: std::ops::Range<u32>| {
        half.flat_map(|x| (0..HEIGHT).map(move |y| (x, y)))
            .filter(|&(x, y)| {
                let [r, g, b, a] = image.get_pixel(x, y).0;
                a > 200 && g > 150 && r < 110 && b < 150
            })
            .count()
    };
    assert_eq!(green(0..WIDTH / 2), 0);
    assert!(green(WIDTH / 2..WIDTH) > 60);
}

#[test]
fn a_changed_highlight_gives_the_same_picture_as_drawing_it_at_once() {
    let structure = molecule(&[(Element::C, Vec3::X * -2.0), (Element::N, Vec3::X * 2.0)], &[]);
    let mut scene = scene(Object::new(1, structure.first().unwrap()).with(Representation::spheres(1.0)));
    let mut renderer = renderer();
    let (camera, settings) = (camera(18.0), RenderSettings::default());
    renderer.render(&scene, &camera, (WIDTH, HEIGHT), &settings).unwrap();
    scene.hovered.push((1, AtomSelection::of(vec![0])));
    scene.selected.push((1, AtomSelection::of(vec![1])));
    renderer.render(&scene, &camera, (WIDTH, HEIGHT), &settings).unwrap();
    // Nothing is left to draw, so this only reads the picture.
    let stepwise = renderer.render_to_image(&scene, &camera, WIDTH, HEIGHT, &settings).unwrap();
    renderer.render(&Scene::default(), &camera, (16, 16), &settings).unwrap();
    let at_once = renderer.render_to_image(&scene, &camera, WIDTH, HEIGHT, &settings).unwrap();
    assert_eq!(stepwise, at_once);
}

#[test]
fn wrong_input_is_refused_with_a_reason() {
    let structure = molecule(&[(Element::C, Vec3::ZERO), (Element::C, Vec3::X)], &[]);
    let mut object = Object::new(9, structure.first().unwrap()).with(Representation::spheres(1.0));
    object.positions = Arc::new(vec![Vec3::ZERO]);
    let mut renderer = renderer();
    let camera = camera(10.0);
    let refused = renderer.render(&scene(object), &camera, (64, 64), &plain()).map(|_| ());
    assert!(matches!(refused, Err(ViewerError::Mismatch { object: 9, positions: 1, atoms: 2 })));
    assert!(renderer.needs_render(&Scene::default(), &camera, (64, 64), &plain()), "an error leaves nothing drawn");
    for size in [(0, 10), (10, 0), (1_000_000, 10)] {
        let refused = renderer.render(&Scene::default(), &camera, size, &plain()).map(|_| ());
        assert!(matches!(refused, Err(ViewerError::Size { .. })), "{size:?}");
    }
}

#[test]
fn odd_scenes_are_survived() {
    let structure = molecule(
        &[(Element::C, Vec3::splat(f32::NAN)), (Element::C, Vec3::ZERO), (Element::C, Vec3::ZERO)],
        &[(0, 1, BondOrder::Double), (1, 2, BondOrder::Aromatic)],
    );
    let mut object = Object::new(1, structure.first().unwrap());
    for representation in [
        Representation::cartoon(),
        Representation::ball_and_stick(),
        Representation::sticks(),
        Representation::lines(),
        Representation::spheres(f32::NAN),
        Representation::dashes(vec![Dash {
            points: [Vec3::ZERO, Vec3::splat(f32::INFINITY)],
            kind: kfold_molecule::analysis::interactions::InteractionKind::Metal,
        }]),
        Representation::docking_box(DockingBox { center: Vec3::ZERO, size: Vec3::splat(-1.0) }, Color::BLACK),
        Representation::sticks().of(AtomSelection::of(vec![5, 700])).with_opacity(f32::NAN),
    ] {
        object = object.with(representation.clone()).with(representation.with_opacity(0.4));
    }
    let mut renderer = renderer();
    let camera = Camera { distance: 1.0, ..Camera::default() };
    let settings =
        RenderSettings { resolution_scale: f32::NAN, silhouette_width: 1e9, samples: 0, ..RenderSettings::default() };
    renderer.render(&scene(object), &camera, (32, 32), &settings).unwrap();
    renderer.render(&Scene::default(), &camera, (1, 1), &settings).unwrap();
}

#[test]
fn depths_are_those_of_spheres_and_cylinders() {
    let (a, b) = (Vec3::new(-2.5, 0.4, -1.0), Vec3::new(2.5, -0.6, 2.0));
    let bond = molecule(&[(Element::C, a), (Element::C, b)], &[(0, 1, BondOrder::Single)]);
    let ball = molecule(&[(Element::N, Vec3::new(0.5, 2.0, 1.5)), (Element::O, Vec3::new(-1.0, 3.0, -4.0))], &[]);
    let objects = vec![
        Object::new(1, bond.first().unwrap())
            .with(Representation::new(Shape::Sticks { radius: 0.45, bond_orders: true }, Coloring::Chain)),
        Object::new(2, ball.first().unwrap()).with(Representation::spheres(1.0)),
    ];
    let spheres = [
        (Vec3::new(0.5, 2.0, 1.5), Element::N.vdw_radius()),
        (Vec3::new(-1.0, 3.0, -4.0), Element::O.vdw_radius()),
        (a, 0.45),
        (b, 0.45),
    ];
    let mut renderer = renderer();
    let mut turned = camera(14.0);
    turned.orbit(0.7, -0.3);
    for camera in [camera(25.0), turned] {
        renderer
            .render(&Scene { objects: objects.clone(), ..Scene::default() }, &camera, (WIDTH, HEIGHT), &plain())
            .unwrap();
        let depths = renderer.read_depths(&camera).unwrap();
        let forward = (camera.center - camera.eye()).normalize_or_zero();
        let axis = (b - a).normalize_or_zero();
        let (mut checked, mut worst) = (0, 0.0_f32);
        for y in 0..HEIGHT {
            for x in 0..WIDTH {
                let drawn = depths[(y * WIDTH + x) as usize];
                let ray = camera.ray(Vec2::new(x as f32 + 0.5, y as f32 + 0.5), size());
                let ball = cast(&camera, Vec2::new(x as f32 + 0.5, y as f32 + 0.5), &spheres);
                // The body of the cylinder: the ray and the axis in the plane across it.
                let across = |vector: Vec3| vector - axis * vector.dot(axis);
                let (direction, offset) = (across(ray.direction), across(ray.origin - a));
                let (square, half) = (direction.length_squared(), direction.dot(offset));
                let inside = half * half - square * (offset.length_squared() - 0.45 * 0.45);
                let body = (inside > 0.0)
                    .then(|| (-half - inside.sqrt()) / square)
                    .filter(|hit| (0.0..=a.distance(b)).contains(&(ray.origin + ray.direction * *hit - a).dot(axis)));
                let hit = [ball.map(|(_, hit)| hit), body].into_iter().flatten().fold(f32::INFINITY, f32::min);
                if hit.is_finite() && drawn.is_finite() {
                    let expected = hit * ray.direction.dot(forward);
                    // Along outlines the surface is steep and the last digits of a pixel's place matter.
                    let error = (expected - drawn).abs();
                    if error > 0.02 {
                        let normal_is_aside = ball.is_some_and(|(index, at)| {
                            let place = ray.origin + ray.direction * at;
                            (place - spheres[index].0).normalize_or_zero().dot(ray.direction).abs() < 0.15
                        });
                        assert!(normal_is_aside || inside < 0.02, "pixel {x} {y}: {drawn} Å, not {expected} Å");
                    } else {
                        worst = worst.max(error);
                        checked += 1;
                    }
                }
            }
        }
        assert!(checked > 1500, "{checked} pixels");
        assert!(worst <= 0.02, "{worst}");
    }
}

#[test]
fn many_frames_take_no_more_memory_than_a_few() {
    let structure = molecule(&[(Element::C, Vec3::ZERO), (Element::N, Vec3::X * 2.0)], &[]);
    let mut scene = scene(Object::new(1, structure.first().unwrap()).with(Representation::spheres(1.0)));
    scene.selected.push((1, AtomSelection::of(vec![1])));
    let mut renderer = renderer();
    let mut camera = camera(20.0);
    let settings = RenderSettings::default();
    let mut draw = |count: u32| {
        for _ in 0..count {
            camera.orbit(0.01, 0.0);
            renderer.render(&scene, &camera, (24, 16), &settings).unwrap();
            renderer.pick(12.0, 8.0).unwrap();
        }
        renderer.gpu().allocated_bytes().unwrap().expect("this back end counts its memory")
    };
    let after_few = draw(20);
    let after_many = draw(10_000);
    assert_eq!(after_many, after_few, "bytes held by the device");
}

/// Atoms that fill a cube of this side.
fn cube_of_carbons(count: usize, side: f32) -> kfold_molecule::Structure {
    let atoms: Vec<(Element, Vec3)> = scatter(3 * count)
        .as_chunks::<3>()
        .0
        .iter()
        .map(|[x, y, z]| (Element::C, (Vec3::new(*x, *y, *z) - 0.5) * side))
        .collect();
    let bonds: Vec<(u32, u32, BondOrder)> =
        (1..count as u32).map(|index| (index - 1, index, BondOrder::Single)).collect();
    // Long bonds, so that sticks reach from chunk to chunk.
    molecule(&atoms, &bonds[..count.min(bonds.len()) / 4])
}

/// Four copies, one of them over another.
fn four_places(side: f32) -> Vec<Mat4> {
    let turned = |angle: f32, place: Vec3| {
        Mat4::from_rotation_translation(
            Quat::from_axis_angle(Vec3::new(1.0, 2.0, 0.5).normalize_or_zero(), angle),
            place,
        )
    };
    vec![
        turned(0.0, Vec3::X * -0.6 * side),
        turned(1.0, Vec3::X * 0.6 * side),
        turned(2.0, Vec3::new(0.0, 0.9 * side, -0.4 * side)),
        turned(3.0, Vec3::new(0.2 * side, -0.3 * side, 0.5 * side)),
    ]
}

/// Each picture of a camera that jumps, drawn live with hidden parts left out, against the same drawn whole.
fn assert_nothing_seen_is_missing(scene: &Scene, distance: f32) {
    // To the last digit, which the compute tier rounds otherwise (`both_tiers_draw_the_same_picture` compares them).
    // A device of its own: another test counts what is held by the shared one.
    let gpu = kfold_viewer::Gpu::headless().unwrap();
    let mut renderer = kfold_viewer::Renderer::with_tier(gpu, kfold_viewer::Tier::Triangles).unwrap();
    let settings = RenderSettings { samples: 1, ..plain() };
    // Jumps that no picture before prepares for: around, into the midst, away.
    let mut camera = camera(distance);
    let mut seen = Vec::new();
    let picks = |renderer: &mut kfold_viewer::Renderer| -> Vec<_> {
        (0..8).map(|step| renderer.pick(step as f32 * 28.0 + 9.0, 80.0).unwrap()).collect()
    };
    for (turn, zoom) in [(0.0, 1.0), (0.05, 1.0), (2.5, 1.0), (0.3, 8.0), (1.0, 0.1)] {
        camera.orbit(turn, 0.2 * turn);
        camera.zoom(zoom);
        renderer.render(scene, &camera, (WIDTH, HEIGHT), &settings).unwrap();
        seen.push((camera, renderer.read_depths(&camera).unwrap(), picks(&mut renderer)));
    }
    for (camera, depths, picked) in seen {
        // Pictures to keep are drawn whole.
        renderer.render_to_image(&Scene::default(), &camera, 8, 8, &settings).unwrap();
        renderer.render_to_image(scene, &camera, WIDTH, HEIGHT, &settings).unwrap();
        let whole = renderer.read_depths(&camera).unwrap();
        let different = depths.iter().zip(&whole).filter(|(a, b)| a != b).count();
        assert_eq!(different, 0, "pixels differ: {camera:?}");
        assert_eq!(picked, picks(&mut renderer), "{camera:?}");
    }
}

#[test]
fn leaving_hidden_spheres_out_changes_no_pixel() {
    let structure = cube_of_carbons(6000, 40.0);
    let object = Object::new(1, structure.first().unwrap());
    assert_nothing_seen_is_missing(&scene(object.clone().with(Representation::spheres(1.0))), 110.0);
    assert_nothing_seen_is_missing(&scene(object.with(Representation::ball_and_stick())), 110.0);
}

#[test]
fn leaving_hidden_copies_out_changes_no_pixel() {
    let structure = cube_of_carbons(2000, 28.0);
    let object = Object::new(1, structure.first().unwrap()).copied(four_places(28.0));
    assert_nothing_seen_is_missing(&scene(object.clone().with(Representation::spheres(1.0))), 150.0);
    assert_nothing_seen_is_missing(&scene(object.with(Representation::sticks())), 150.0);
}

#[test]
fn copies_are_the_same_as_objects_moved() {
    let structure = cube_of_carbons(60, 10.0);
    let model = structure.first().unwrap();
    let places = four_places(10.0);
    let copied = Object::new(1, model).copied(places.clone()).with(Representation::ball_and_stick());
    let moved = |(id, place): (u64, &Mat4)| {
        let mut model = model.clone();
        model.positions.iter_mut().for_each(|point| *point = place.transform_point3(*point));
        Object::new(id, &model).with(Representation::ball_and_stick())
    };
    let apart = Scene { objects: (1..).zip(&places).map(moved).collect(), ..Scene::default() };
    let camera = Camera::looking_at(&copied.points(&AtomSelection::All), size().x / size().y);
    let mut renderer = renderer();
    let mut draw = |scene: &Scene| {
        renderer.render(scene, &camera, (WIDTH, HEIGHT), &plain()).unwrap();
        let depths = renderer.read_depths(&camera).unwrap();
        let picks: Vec<_> = scatter(200)
            .chunks_exact(2)
            .map(|place| renderer.pick(place[0] * size().x, place[1] * size().y).unwrap())
            .collect();
        (depths, picks)
    };
    let (one, picked) = draw(&scene(copied));
    let (other, expected) = draw(&apart);
    let differs = |(a, b): (&f32, &f32)| (a - b).abs() > 0.01 && a != b;
    let different = one.iter().zip(&other).filter(|pair| differs(*pair)).count();
    assert!(different < 40, "{different} pixels differ");
    assert!(expected.iter().flatten().count() > 20, "rays hit something");
    let as_object = |pick: &kfold_viewer::Pick| (u64::from(pick.copy) + pick.object, pick.atom);
    let wrong = picked.iter().zip(&expected).filter(|(a, b)| a.as_ref().map(as_object) != b.as_ref().map(as_object));
    assert!(wrong.count() <= 1, "{picked:?} {expected:?}");
}

#[test]
fn picking_of_copies_agrees_with_rays_cast_on_the_processor() {
    let structure = cube_of_carbons(1500, 22.0);
    let places = four_places(22.0);
    let model = structure.first().unwrap();
    let object = Object::new(7, model).copied(places.clone()).with(Representation::spheres(1.0));
    let spheres: Vec<(Vec3, f32)> = places
        .iter()
        .flat_map(|place| model.positions.iter().map(|point| place.transform_point3(*point)))
        .map(|center| (center, Element::C.vdw_radius()))
        .collect();
    let mut camera = camera(90.0);
    camera.orbit(0.4, 0.2);
    let mut renderer = renderer();
    let scene = scene(object);
    // The second picture leaves out what the first did not see.
    for _ in 0..2 {
        camera.orbit(0.1, 0.0);
        renderer.render(&scene, &camera, (WIDTH, HEIGHT), &plain()).unwrap();
        let mut hits = 0;
        for place in scatter(400).chunks_exact(2) {
            let pixel = Vec2::new((place[0] * size().x).floor() + 0.5, (place[1] * size().y).floor() + 0.5);
            let Some((expected, distance)) = cast(&camera, pixel, &spheres) else { continue };
            let unsure = [Vec2::X, Vec2::Y, -Vec2::X, -Vec2::Y].iter().any(|&aside| {
                cast(&camera, pixel + aside * 0.6, &spheres)
                    .is_none_or(|(other, at)| other != expected || (at - distance).abs() > 2.0)
            });
            if unsure {
                continue;
            }
            let pick = renderer.pick(pixel.x, pixel.y).unwrap().unwrap();
            let atoms = model.positions.len();
            assert_eq!((pick.object, pick.copy as usize, pick.atom as usize), (7, expected / atoms, expected % atoms));
            hits += 1;
        }
        assert!(hits > 15, "only {hits} rays hit anything");
    }
}

#[test]
fn far_atoms_are_thinned_out_below_a_pixel() {
    // From so far that an atom is a sixth of a pixel: the picture live, with an atom in many drawn, against the whole.
    let structure = cube_of_carbons(20_000, 60.0);
    let object = Object::new(1, structure.first().unwrap()).with(Representation::spheres(1.0));
    let scene = scene(object);
    let camera = camera(2000.0);
    let mut renderer = renderer();
    let settings = RenderSettings { samples: 1, ..plain() };
    renderer.render(&scene, &camera, (WIDTH, HEIGHT), &settings).unwrap();
    let thinned = renderer.read_depths(&camera).unwrap();
    renderer.render_to_image(&Scene::default(), &camera, 8, 8, &settings).unwrap();
    renderer.render_to_image(&scene, &camera, WIDTH, HEIGHT, &settings).unwrap();
    let whole = renderer.read_depths(&camera).unwrap();
    let is_filled = |depth: &f32| depth.is_finite();
    let (kept, all) = (thinned.iter().filter(|d| is_filled(d)).count(), whole.iter().filter(|d| is_filled(d)).count());
    assert!(all > 60 && kept * 10 > all * 9 && kept * 10 < all * 13, "{kept} pixels of {all}");
    assert!(thinned != whole, "nothing was left out");
}

#[test]
fn tubes_stand_for_a_cartoon_until_it_is_built() {
    let structure = kfold_molecule::formats::read_structure(&common::sample("adenylate-kinase/closed.pdb")).unwrap();
    let object = Object::new(1, structure.first().unwrap()).with(Representation::cartoon());
    let camera = Camera::looking_at(&object.positions, size().x / size().y);
    let scene = scene(object);
    let mut renderer = renderer();
    let drawn = |renderer: &mut kfold_viewer::Renderer| {
        renderer.render(&scene, &camera, (WIDTH, HEIGHT), &plain()).unwrap();
        renderer.read_depths(&camera).unwrap().iter().filter(|depth| depth.is_finite()).count()
    };
    let first = drawn(&mut renderer);
    assert!(renderer.is_building(), "the first picture does not wait");
    assert!(first > 300, "{first} pixels of the first picture");
    let start = std::time::Instant::now();
    while renderer.is_building() {
        assert!(start.elapsed().as_secs() < 60, "the cartoon never came");
        std::thread::sleep(std::time::Duration::from_millis(5));
        drawn(&mut renderer);
    }
    let built = drawn(&mut renderer);
    assert!(built > first, "ribbons are wider than tubes: {built} pixels after {first}");
    // Nothing of the tubes stays: a picture that waited is the same.
    let live = renderer.read_depths(&camera).unwrap();
    renderer.render_to_image(&Scene::default(), &camera, 8, 8, &plain()).unwrap();
    renderer.render_to_image(&scene, &camera, WIDTH, HEIGHT, &plain()).unwrap();
    assert!(live == renderer.read_depths(&camera).unwrap(), "tubes or ribbons are missing");
}
