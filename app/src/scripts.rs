//! Scripts that rebuild the view in PyMOL and in ChimeraX.
//!
//! A script and the structures that it opens lie side by side: `NAME.pml` or `NAME.cxc`, and a file of mmCIF for each object of the
//! view. What is drawn, in which colours and from where is taken from the scene itself, so that whatever the view shows is there:
//! cartoon, sticks, spheres, the lines of interactions, hidden atoms. Both programs open files beside a script that is opened
//! from its own folder.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use glam::{Mat3, Vec3};
use kfold_molecule::formats::mmcif;
use kfold_molecule::{Model, Structure, Topology};
use kfold_viewer::{Camera, Color, Object, Scene, Shape, colors_of_atoms, interaction_color};

/// Whose script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// PyMOL.
    PyMol,
    /// UCSF ChimeraX.
    ChimeraX,
}

/// The files of a script: name and content, the script last.
#[must_use]
pub fn files(program: Program, name: &str, scene: &Scene, camera: &Camera, aspect: f32) -> Vec<(String, String)> {
    let drawn = |object: &&Object| object.visible && !object.positions.is_empty();
    let objects: Vec<&Object> = scene.objects.iter().filter(drawn).collect();
    let mut files = Vec::new();
    let mut entries = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        let file = format!("{name}_{}.cif", index + 1);
        files.push((file.clone(), object_text(object, name)));
        entries.push((*object, file));
    }
    let script = match program {
        Program::PyMol => pymol(&entries, camera),
        Program::ChimeraX => chimerax(&entries, camera, aspect),
    };
    let extension = if program == Program::PyMol { "pml" } else { "cxc" };
    files.push((format!("{name}.{extension}"), script));
    files
}

/// The atoms of an object of the view as mmCIF.
#[must_use]
pub fn object_text(object: &Object, name: &str) -> String {
    mmcif::write(&structure_of(object, name))
}

fn structure_of(object: &Object, name: &str) -> Structure {
    let mut topology = Topology::clone(&object.topology);
    // Both programs name atoms by their numbers in the file.
    for (index, atom) in topology.atoms.iter_mut().enumerate() {
        atom.serial = index as i32 + 1;
    }
    for chain in topology.chains.iter_mut().filter(|chain| chain.id.is_empty()) {
        chain.id = "A".into();
    }
    let mut b_factors = object.b_factors.to_vec();
    b_factors.resize(object.positions.len(), 0.0);
    let model = Model { number: 1, topology: Arc::new(topology), positions: object.positions.to_vec(), b_factors };
    Structure { name: name.to_owned(), models: vec![model] }
}

fn hex(color: Color) -> String {
    format!("{:02x}{:02x}{:02x}", color.r, color.g, color.b)
}

/// Numbers from 1 as `1-5+8`.
fn ranges(atoms: &[u32], join: &str) -> String {
    let mut parts: Vec<(u32, u32)> = Vec::new();
    for &atom in atoms {
        match parts.last_mut() {
            Some((_, last)) if atom == *last + 1 => *last = atom,
            _ => parts.push((atom, atom)),
        }
    }
    let text = |(first, last): &(u32, u32)| {
        if first == last { (first + 1).to_string() } else { format!("{}-{}", first + 1, last + 1) }
    };
    parts.iter().map(text).collect::<Vec<_>>().join(join)
}

/// Atoms by their colour, in the order of colours' first atoms.
fn by_color(colors: &[Color], atoms: &[u32]) -> Vec<(Color, Vec<u32>)> {
    let mut groups: BTreeMap<[u8; 3], Vec<u32>> = BTreeMap::new();
    for &atom in atoms {
        let color = colors.get(atom as usize).copied().unwrap_or(Color::WHITE);
        groups.entry([color.r, color.g, color.b]).or_default().push(atom);
    }
    groups.into_iter().map(|([red, green, blue], atoms)| (Color::new(red, green, blue), atoms)).collect()
}

/// The longest list of atoms on a line, so that no line is refused.
const MOST_ATOMS: usize = 400;

fn pymol(entries: &[(&Object, String)], camera: &Camera) -> String {
    let mut text = String::from(
        "# Rebuilds a view of K-Fold Studio in PyMOL. Open it from its own folder.\nreinitialize\nset connect_mode, 0\n",
    );
    let mut lines = 0;
    for (index, (object, file)) in entries.iter().enumerate() {
        let name = format!("object_{}", index + 1);
        let _ = writeln!(text, "load {file}, {name}\nhide everything, {name}");
        for representation in object.representations.iter().filter(|representation| representation.visible) {
            let atoms = representation.atoms.indices(&object.topology);
            let shape = match &representation.shape {
                Shape::Cartoon(_) => "cartoon",
                Shape::Sticks { .. } | Shape::BallAndStick { .. } => "sticks",
                Shape::Spheres { .. } => "spheres",
                Shape::Lines { .. } => "lines",
                Shape::Dashes(dashes) => {
                    for dash in dashes.iter() {
                        lines += 1;
                        dash_of_pymol(&mut text, lines, dash.points, interaction_color(dash.kind));
                    }
                    continue;
                }
                _ => continue,
            };
            let colors = colors_of_atoms(&representation.coloring, object);
            for chunk in atoms.chunks(MOST_ATOMS) {
                let _ = writeln!(text, "show {shape}, {name} and id {}", ranges(chunk, "+"));
            }
            for (color, atoms) in by_color(&colors, &atoms) {
                for chunk in atoms.chunks(MOST_ATOMS) {
                    let list = ranges(chunk, "+");
                    if shape == "cartoon" {
                        let _ = writeln!(text, "set cartoon_color, 0x{}, {name} and id {list}", hex(color));
                    } else {
                        let _ = writeln!(text, "color 0x{}, {name} and id {list}", hex(color));
                    }
                }
            }
            if let Shape::Spheres { scale } = &representation.shape {
                for chunk in atoms.chunks(MOST_ATOMS) {
                    let _ = writeln!(text, "set sphere_scale, {scale:.3}, {name} and id {}", ranges(chunk, "+"));
                }
            }
            if representation.opacity < 1.0 {
                let setting = match shape {
                    "cartoon" => "cartoon_transparency",
                    "spheres" => "sphere_transparency",
                    _ => "stick_transparency",
                };
                let _ = writeln!(text, "set {setting}, {:.2}, {name}", 1.0 - representation.opacity);
            }
        }
    }
    let rotation = Mat3::from_quat(camera.view_from_world);
    let numbers = |values: &[f32]| values.iter().map(|value| format!("{value:.6}")).collect::<Vec<_>>().join(", ");
    let (center, distance) = (camera.center, camera.distance);
    let front = camera.front_clip.map_or(1.0, |clip| (distance - clip).max(1.0));
    let _ = writeln!(text, "set stick_radius, 0.15\nset valence, 0\nset depth_cue, 0\nbg_color white");
    let _ = writeln!(text, "set field_of_view, {:.3}", camera.vertical_fov.to_degrees());
    let _ = writeln!(
        text,
        "set_view ({}, {}, {}, {})",
        numbers(&rotation.to_cols_array()),
        numbers(&[0.0, 0.0, -distance]),
        numbers(&center.to_array()),
        numbers(&[front, distance * 2.0 + 100.0, 0.0])
    );
    text
}

fn dash_of_pymol(text: &mut String, number: usize, [from, to]: [Vec3; 2], color: Color) {
    let place = |point: Vec3| format!("[{:.3}, {:.3}, {:.3}]", point.x, point.y, point.z);
    let name = format!("line_{number}");
    for (end, point) in [("a", from), ("b", to)] {
        let _ = writeln!(text, "pseudoatom {name}_{end}, pos={}", place(point));
        let _ = writeln!(text, "hide everything, {name}_{end}");
    }
    let _ = writeln!(text, "distance {name}, {name}_a, {name}_b\nhide labels, {name}");
    let _ = writeln!(text, "set dash_color, 0x{}, {name}", hex(color));
}

/// Atoms as ChimeraX names them: by chain, residue and name.
fn chimerax_atoms(model: usize, topology: &Topology, atoms: &[u32], has_names: bool) -> Vec<String> {
    let mut of_residues: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for &atom in atoms {
        of_residues.entry(topology.atoms[atom as usize].residue).or_default().push(atom);
    }
    let mut whole: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut parts = Vec::new();
    for (index, atoms) in of_residues {
        let residue = &topology.residues[index as usize];
        let chain = topology.chain_of(residue).id.as_str();
        let chain = if chain.is_empty() { "A" } else { chain };
        if !has_names || atoms.len() == residue.atoms.len() {
            whole.entry(chain).or_default().push(residue.number_text());
        } else {
            let names: Vec<String> =
                atoms.iter().map(|atom| without_wild_cards(&topology.atoms[*atom as usize].name)).collect();
            parts.push(format!("#{model}/{chain}:{}@{}", residue.number_text(), names.join(",")));
        }
    }
    let whole = whole.into_iter().flat_map(|(chain, numbers)| {
        let chunks = numbers.chunks(MOST_ATOMS / 4).map(|chunk| chunk.join(",")).collect::<Vec<_>>();
        chunks.into_iter().map(move |numbers| format!("#{model}/{chain}:{numbers}"))
    });
    let mut all: Vec<String> = whole.collect();
    all.extend(parts.chunks(40).map(|chunk| chunk.join(" ")));
    all
}

/// A name in which a star is a star (atomspec.html, Wild Cards).
fn without_wild_cards(name: &str) -> String {
    name.chars().fold(String::new(), |mut text, letter| {
        match letter {
            '*' | '?' | '[' | ']' => text.extend(['[', letter, ']']),
            letter => text.push(letter),
        }
        text
    })
}

/// A file's name as ChimeraX reads it: quoted where it would end at a space.
fn chimerax_file(file: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
    if file.chars().all(is_plain) {
        return file.to_owned();
    }
    format!("\"{}\"", file.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Commands and options as the pages of docs/user/commands in ChimeraX's repository have them (2026-01).
fn chimerax(entries: &[(&Object, String)], camera: &Camera, aspect: f32) -> String {
    let mut text =
        String::from("# Rebuilds a view of K-Fold Studio in ChimeraX. Open it from its own folder.\nclose session\n");
    for (_, file) in entries {
        let _ = writeln!(text, "open {}", chimerax_file(file));
    }
    text.push_str("hide atoms\nhide cartoons\nset bgColor white\nlighting soft\n");
    let mut dashes = entries.len();
    for (index, (object, _)) in entries.iter().enumerate() {
        let model = index + 1;
        for representation in object.representations.iter().filter(|representation| representation.visible) {
            let atoms = representation.atoms.indices(&object.topology);
            let (style, target) = match &representation.shape {
                Shape::Cartoon(_) => (None, "cartoons"),
                Shape::Sticks { .. } | Shape::Lines { .. } => (Some("stick"), "atoms"),
                Shape::BallAndStick { .. } => (Some("ball"), "atoms"),
                Shape::Spheres { .. } => (Some("sphere"), "atoms"),
                Shape::Dashes(lines) => {
                    dashes += 1;
                    // A shape of an id that another shape has would replace it: each line is a model below one of all.
                    for (line, dash) in lines.iter().enumerate() {
                        let [from, to] = dash.points;
                        let _ = writeln!(
                            text,
                            "shape cylinder radius 0.06 fromPoint {:.3},{:.3},{:.3} toPoint {:.3},{:.3},{:.3} \
                             color #{} modelId #{dashes}.{}",
                            from.x,
                            from.y,
                            from.z,
                            to.x,
                            to.y,
                            to.z,
                            hex(interaction_color(dash.kind)),
                            line + 1
                        );
                    }
                    continue;
                }
                _ => continue,
            };
            let is_cartoon = target == "cartoons";
            let topology = &object.topology;
            for list in chimerax_atoms(model, topology, &atoms, !is_cartoon) {
                let _ = writeln!(text, "show {list} {target}");
                if let Some(style) = style {
                    let _ = writeln!(text, "style {list} {style}");
                }
            }
            let colors = colors_of_atoms(&representation.coloring, object);
            for (color, atoms) in by_color(&colors, &atoms) {
                // A ribbon has one colour a residue.
                for list in chimerax_atoms(model, topology, &atoms, !is_cartoon) {
                    let _ =
                        writeln!(text, "color {list} #{} target {}", hex(color), if is_cartoon { "c" } else { "ab" });
                }
            }
            if representation.opacity < 1.0 {
                let percent = (100.0 * (1.0 - representation.opacity)).round();
                let target = if is_cartoon { "c" } else { "ab" };
                for list in chimerax_atoms(model, topology, &atoms, !is_cartoon) {
                    let _ = writeln!(text, "transparency {list} {percent:.0} target {target}");
                }
            }
        }
    }
    let world_from_view = Mat3::from_quat(camera.view_from_world).transpose();
    let eye = camera.eye();
    let rows: Vec<String> = (0..3)
        .map(|row| {
            let axis = world_from_view.row(row);
            format!("{:.5},{:.5},{:.5},{:.4}", axis.x, axis.y, axis.z, eye[row])
        })
        .collect();
    // ChimeraX's angle of view is the horizontal one.
    let across = 2.0 * ((camera.vertical_fov * 0.5).tan() * aspect).atan();
    let _ = writeln!(text, "camera fieldOfView {:.3}\nview matrix camera {}", across.to_degrees(), rows.join(","));
    text
}

#[cfg(test)]
mod tests {
    use glam::Quat;
    use kfold_molecule::analysis::interactions::InteractionKind;
    use kfold_molecule::formats::pdb;
    use kfold_viewer::{AtomSelection, Coloring, Dash, Representation};

    use super::*;

    const TEXT: &str = "\
ATOM      1  N   SER A   1       0.000   0.000   0.000  1.00 10.00           N
ATOM      2  CA  SER A   1       1.500   0.000   0.000  1.00 20.00           C
ATOM      3  CA  GLY A   2       4.000   0.000   0.000  1.00 90.00           C
HETATM    4  C1  LIG B   7      30.000   0.000   0.000  1.00 50.00           C
HETATM    5  C2  LIG B   7      31.500   0.000   0.000  1.00 50.00           C
";

    fn scene() -> Scene {
        let structure = pdb::read(TEXT.as_bytes()).unwrap();
        let model = structure.first().unwrap();
        let object = Object::new(1, model)
            .with(Representation::cartoon().of(AtomSelection::of(vec![0, 1, 2])).colored(Coloring::Chain))
            .with(
                Representation::sticks()
                    .of(AtomSelection::of(vec![3]))
                    .colored(Coloring::Uniform(Color::hex(0x010203))),
            );
        Scene { objects: vec![object], ..Scene::default() }
    }

    #[test]
    fn scripts_name_what_the_view_shows() {
        let camera = Camera::default();
        let of_pymol = files(Program::PyMol, "view", &scene(), &camera, 1.5);
        assert_eq!(of_pymol.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["view_1.cif", "view.pml"]);
        let text = &of_pymol[1].1;
        assert!(text.contains("show cartoon, object_1 and id 1-3\n"), "{text}");
        assert!(
            text.contains("show sticks, object_1 and id 4\n") && text.contains("color 0x010203, object_1 and id 4")
        );
        let of_chimerax = files(Program::ChimeraX, "view", &scene(), &camera, 1.5);
        let text = &of_chimerax[1].1;
        assert!(text.contains("open view_1.cif\n") && text.contains("show #1/A:1,2 cartoons\n"), "{text}");
        assert!(
            text.contains("show #1/B:7@C1 atoms\n") && text.contains("color #1/B:7@C1 #010203 target ab"),
            "{text}"
        );
    }

    #[test]
    fn chimerax_is_told_only_commands_that_it_has_and_each_line_is_a_model() {
        let mut scene = scene();
        let dash = |y: f32| Dash { points: [Vec3::ZERO, Vec3::Y * y], kind: InteractionKind::HydrogenBond };
        let mut lines = Representation::sticks();
        lines.shape = Shape::Dashes(Arc::new(vec![dash(1.0), dash(2.0)]));
        scene.objects[0].representations[0].opacity = 0.5;
        scene.objects[0].representations.push(lines);
        let text = files(Program::ChimeraX, "my view", &scene, &Camera::default(), 1.5).pop().unwrap().1;
        let known = [
            "#",
            "camera",
            "close",
            "color",
            "hide",
            "lighting",
            "open",
            "set",
            "shape",
            "show",
            "style",
            "transparency",
            "view",
        ];
        for line in text.lines() {
            assert!(known.contains(&line.split(' ').next().unwrap()), "{line}");
        }
        assert!(text.contains("open \"my view_1.cif\"\n"), "{text}");
        assert!(text.contains("modelId #2.1\n") && text.contains("modelId #2.2\n"), "{text}");
        assert!(text.contains("transparency #1/A:1,2 50 target c\n"), "{text}");
        assert_eq!(without_wild_cards("O5*"), "O5[*]");
        assert_eq!(chimerax_file("a \"b\".cif"), "\"a \\\"b\\\".cif\"");
    }

    #[test]
    fn the_camera_stands_where_ours_stands() {
        let camera = Camera {
            center: Vec3::new(1.0, 2.0, 3.0),
            distance: 40.0,
            view_from_world: Quat::from_rotation_y(std::f32::consts::FRAC_PI_2),
            ..Camera::default()
        };
        let view = |text: &str, key: &str| -> Vec<f32> {
            let line = text.lines().find(|line| line.starts_with(key)).unwrap();
            let numbers = line[key.len()..].replace(['(', ')', ' '], "");
            numbers.split(',').map(|number| number.parse().unwrap()).collect()
        };
        // PyMOL: x_camera = R (x - origin) + position, R by columns.
        let text = &files(Program::PyMol, "v", &scene(), &camera, 1.0).pop().unwrap().1;
        let numbers = view(text, "set_view");
        let rotation = Mat3::from_cols_slice(&numbers[..9]);
        let point = Vec3::new(4.0, -1.0, 8.0);
        let by_pymol = rotation * (point - Vec3::from_slice(&numbers[12..15])) + Vec3::from_slice(&numbers[9..12]);
        let ours = camera.view_from_world_matrix().transform_point3(point);
        assert!(by_pymol.distance(ours) < 1e-3, "{by_pymol} {ours}");
        // ChimeraX: the camera's place by rows, so it maps view to world.
        let text = &files(Program::ChimeraX, "v", &scene(), &camera, 1.0).pop().unwrap().1;
        let numbers = view(text, "view matrix camera ");
        let row =
            |index: usize| Vec3::from_slice(&numbers[4 * index..4 * index + 3]).dot(ours) + numbers[4 * index + 3];
        assert!(Vec3::new(row(0), row(1), row(2)).distance(point) < 1e-2);
    }
}
