//! Scenes that are read, and what is refused.

use glam::Quat;
use kfold_molecule::formats::pdb;

use super::*;
use crate::color::Color;

const TEXT: &str = r##"{
    "version": 1,
    "molecules": [
        { "file": "receptor.pdb", "representations": [
            { "as": "cartoon", "color": "rainbow", "opacity": 0.5 },
            { "as": "sticks", "atoms": "resi 1", "color": "element:#e0a030", "radius": 0.2 }
        ] }
    ],
    "camera": { "look_at": "name CA", "turn": [30, 0], "zoom": 1.5 },
    "style": "dark",
    "effects": { "shadows": 1 },
    "background": "#102030",
    "size": [640, 480],
    "labels": [{ "atoms": "resi 1" }, { "atoms": "name CA", "text": "알파", "on_top": true }],
    "measurements": [["name N", "name CA"]],
    "outlined": "resn GLY"
}"##;

fn model() -> Model {
    let text = "ATOM      1  N   GLY A   1       0.000   0.000   0.000  1.00 10.00           N\n\
                ATOM      2  CA  GLY A   1       1.450   0.000   0.000  1.00 20.00           C\n";
    pdb::read(text.as_bytes()).unwrap().models.remove(0)
}

#[test]
fn a_scene_is_read_built_and_written() {
    let file = SceneFile::parse(TEXT).unwrap();
    let built = file.build(&[model()]).unwrap();
    assert_eq!(built.size, (640, 480));
    assert_eq!(built.settings.background, Color::hex(0x102030));
    assert_eq!(built.settings.shadows, 1.0);
    let representations = &built.scene.objects[0].representations;
    assert_eq!(representations[0].opacity, 0.5);
    assert!(matches!(representations[1].shape, Shape::Sticks { radius, .. } if radius == 0.2));
    let words: Vec<&str> = built.scene.labels.iter().map(|label| label.text.as_str()).collect();
    assert_eq!(words, ["GLY 1", "알파", "1.45 Å"]);
    assert_eq!(built.scene.selected.len(), 1);
    assert_eq!(SceneFile::parse(&file.to_text().unwrap()).unwrap(), file);
    let kept = CameraEntry::from(&built.camera);
    let again = SceneFile { camera: kept, ..file }.build(&[model()]).unwrap();
    assert!(again.camera.center.distance(built.camera.center) < 1e-4);
    assert!((again.camera.distance - built.camera.distance).abs() < 1e-3);
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let refused = |from: &str, to: &str| {
        assert!(TEXT.contains(from), "{from}");
        let changed = TEXT.replacen(from, to, 1);
        match SceneFile::parse(&changed) {
            Err(error) => error.to_string(),
            Ok(file) => file.build(&[model()]).expect_err("refused").to_string(),
        }
    };
    for (from, to, part) in [
        ("\"version\": 1", "\"version\": 9", "versions 1 to 1"),
        ("receptor.pdb", "../receptor.pdb", "below"),
        ("receptor.pdb", "/etc/passwd", "below"),
        ("\"rainbow\"", "\"rainbows\"", "no colour is called `rainbows`"),
        ("0.5", "1.5", "opacity"),
        ("\"cartoon\"", "\"ribbon\"", "ribbon"),
        ("\"turn\"", "\"trun\"", "trun"),
        ("[640, 480]", "[640, 99999]", "size"),
        ("resi 1", "resi", "selection, column"),
        ("resi 1", "chain Q", "no atom is selected"),
        ("[30, 0]", "[1e39, 0]", "turn"),
    ] {
        let said = refused(from, to);
        assert!(said.contains(part), "{from} to {to}: {said}");
    }
    assert!(SceneFile::parse(&" ".repeat(MOST_BYTES + 1)).is_err());
    assert!(SceneFile::parse(&"[".repeat(100_000)).is_err());
    assert!(SceneFile::parse(TEXT).unwrap().build(&[]).is_err());
}

#[test]
fn colours_keep_their_names() {
    for name in ["chain", "element:chain", "element:#e0a030", "b_factor", "b_factor:5:60.5", "#0a0b0c", "plddt"] {
        let color = ColorName::try_from(name.to_owned()).unwrap();
        assert_eq!(String::from(color), name);
    }
    for wrong in ["", "#12", "#zzzzzz", "b_factor:9:1", "element:", "b_factor:nan:1"] {
        assert!(ColorName::try_from(wrong.to_owned()).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_drawn_is_written_and_read_again() {
    use kfold_molecule::analysis::interactions::InteractionKind;

    use crate::surface::SurfaceStyle;

    let one = model();
    let putty = crate::scene::CartoonStyle {
        backbone: BackboneStyle::Putty(Putty::of_plddt(Arc::new(one.b_factors.clone()))),
        ..crate::scene::CartoonStyle::default()
    };
    let dash = Dash { points: [Vec3::ZERO, Vec3::X], kind: InteractionKind::SaltBridge };
    let second = AtomSelection::of(vec![1]);
    let first = Object::new(7, &one)
        .with(Representation::new(Shape::Cartoon(putty), Coloring::Plddt))
        .with(Representation::dashes(vec![dash]));
    let style = SurfaceStyle { net: true, cavities: true, ..SurfaceStyle::gaussian() };
    let other = Object::new(9, &one)
        .with(Representation::surface(style).of(second.clone()).with_opacity(0.5))
        .with(Representation::sticks().of(second.clone()));
    let values = Coloring::Values {
        values: Arc::new(vec![0.25, f32::NAN]),
        low: 0.0,
        high: 0.5,
        ramp: vec![Color::BLACK, Color::WHITE],
    };
    let colors = Coloring::Atoms(Arc::new(vec![Color::hex(0x0010_2030); 2]));
    let tube = crate::scene::CartoonStyle {
        backbone: BackboneStyle::Putty(Putty { values: Arc::new(vec![1.5, 0.5]), thin: 0.0, thick: 2.0 }),
        ..crate::scene::CartoonStyle::default()
    };
    let places = vec![Mat4::IDENTITY, Mat4::from_rotation_translation(Quat::from_rotation_z(1.0), Vec3::Y * 30.0)];
    let other = other
        .with(Representation::spheres(0.5).colored(values.clone()))
        .with(Representation::lines().colored(colors.clone()))
        .with(Representation::new(Shape::Cartoon(tube), Coloring::Chain))
        .copied(places.clone());
    let scene = Scene { objects: vec![first, other], selected: vec![(9, second)], ..Scene::default() };
    let camera = Camera { center: Vec3::ONE, distance: 30.0, ..Camera::default() };
    let views = [("front".to_owned(), camera)];
    let labels = [Label { shift: Vec2::new(0.0, 10.0), ..Label::new(Vec3::Y, "LYS 9") }];
    let measurements = [vec![Vec3::ZERO, Vec3::X * 2.0]];
    let beside = Beside { style: Preset::Soft, views: &views, labels: &labels, measurements: &measurements };
    let file = SceneFile::of_scene(&scene, &camera, &beside, |object| format!("{}.cif", object.id).into());
    let read = SceneFile::parse(&file.to_text().unwrap()).unwrap();
    assert_eq!(read, file);
    assert_eq!(read.views[0].name, "front");
    let built = read.build(&[one.clone(), one]).unwrap();
    let [first, other] = built.scene.objects.as_slice() else { panic!() };
    assert!(matches!(&first.representations[0].shape, Shape::Cartoon(style)
        if matches!(&style.backbone, BackboneStyle::Putty(putty) if putty.thick == 35.0)));
    assert_eq!(first.representations[0].coloring, Coloring::Plddt);
    assert!(matches!(&first.representations[1].shape, Shape::Dashes(dashes) if **dashes == [dash]));
    assert!(matches!(&other.representations[0].shape, Shape::Surface(style) if style.net && style.cavities));
    assert_eq!(other.representations[0].opacity, 0.5);
    for representation in &other.representations[..2] {
        assert_eq!(representation.atoms.indices(&other.topology), [1]);
    }
    assert_eq!(built.scene.selected[0].1.indices(&other.topology), [1]);
    assert!((built.camera.distance - 30.0).abs() < 1e-3);
    let Coloring::Values { values: read, low, high, ramp } = &other.representations[2].coloring else { panic!() };
    assert!(
        read[0] == 0.25 && read[1].is_nan() && (*low, *high) == (0.0, 0.5) && *ramp == [Color::BLACK, Color::WHITE]
    );
    assert_eq!(other.representations[3].coloring, colors);
    assert!(matches!(&other.representations[4].shape, Shape::Cartoon(style) if matches!(&style.backbone,
        BackboneStyle::Putty(putty) if *putty.values == [1.5, 0.5] && (putty.thin, putty.thick) == (0.0, 2.0))));
    assert_eq!(other.places().len(), 2);
    assert!(other.places()[1].abs_diff_eq(places[1], 1e-4), "{}", other.places()[1]);
    let words: Vec<(&str, f32)> = built.scene.labels.iter().map(|label| (label.text.as_str(), label.shift.y)).collect();
    assert_eq!(words, [("LYS 9", 10.0), ("2.00 Å", 0.0)]);
    assert_eq!(built.scene.labels[0].position, Vec3::Y);
}

#[test]
fn lists_of_a_stranger_take_no_more_than_the_atoms() {
    let text = |color: &str| {
        format!(
            r##"{{"version": 1, "molecules": [{{"file": "a.pdb", "representations": [{{"as": "spheres", "color": {color}}}]}}]}}"##
        )
    };
    let long = text(r##"{"values": [[1.0, 4294967295], [2.0, 4294967295]], "low": 0, "high": 1}"##);
    let built = SceneFile::parse(&long).unwrap().build(&[model()]).unwrap();
    let coloring = &built.scene.objects[0].representations[0].coloring;
    assert!(matches!(coloring, Coloring::Values { values, .. } if values.len() == 2));
    for (color, part) in [
        (r#"{"values": [[1.0, 2]], "low": 1, "high": 1}"#, "low and a high"),
        (r#"{"values": [[1.0, 2]], "low": 1}"#, "high"),
        (r#"{"value": []}"#, "value"),
        (r#"{}"#, "either"),
        (r##"{"colors": [["#12", 1]]}"##, "#rrggbb"),
        ("7", "the name of a colour"),
    ] {
        let error = SceneFile::parse(&text(color)).unwrap_err().to_string();
        assert!(error.contains(part), "{color}: {error}");
    }
}
