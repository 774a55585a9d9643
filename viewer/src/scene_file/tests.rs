//! Scenes that are read, and what is refused.

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
