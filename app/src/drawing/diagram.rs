//! The ligand's site on paper: its structural formula in the middle, the residues that it touches around it, a line for each kind
//! of interaction.
//!
//! Residues are placed one after the other, those with most to do first, each at the best of many places around the atoms that it
//! touches: nothing may lie on anything else, then lines should not cross, pass over atoms or be long. A few rounds move each
//! once more with all others in place. It is deterministic, and no two things overlap: where there is no room, the search goes
//! farther out. Source of the idea: Clark & Labute, J. Chem. Inf. Model. 2007, 47, 1933, which does it by simulated annealing.

use glam::{Vec2, vec2};
use kfold_molecule::SmallMolecule;
use kfold_molecule::analysis::interactions::{Interaction, InteractionKind, Side};
use kfold_molecule::chemistry::depict::Depiction;
use kfold_viewer::interaction_color;

use super::formula::formula;
use super::{Drawing, Ink, Shape, Stroke, Word, fonts};

/// Length of a bond of the ligand, points.
const BOND: f32 = 30.0;
/// Letters of residues.
const LETTERS: f32 = 11.0;
/// Letters of distances.
const SMALL: f32 = 9.0;
/// Free space that an atom of the ligand claims, points.
const ATOM_AIR: f32 = 15.0;
/// Free space between residues, points.
const AIR: f32 = 7.0;
/// Rounds of moving each residue once more.
const ROUNDS: usize = 3;
/// Most residues drawn.
const MOST_RESIDUES: usize = 40;

/// A residue of the diagram.
#[derive(Clone, Debug, PartialEq)]
pub struct Contact {
    /// As interactions call it: `A ASP 381`.
    pub residue: String,
    /// Corners of its box, points.
    pub low: Vec2,
    /// Lower right corner.
    pub high: Vec2,
    /// Its interactions, by index in the list that the diagram was made from.
    pub interactions: Vec<usize>,
}

/// The diagram, and where its residues are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diagram {
    /// The picture.
    pub drawing: Drawing,
    /// Its residues.
    pub contacts: Vec<Contact>,
}

/// A line from the ligand to a residue: the nearest of its interactions of one kind.
struct Line {
    kind: InteractionKind,
    /// Where on the ligand.
    anchor: Vec2,
    distance: f32,
    /// Towards the residue (true), towards the ligand (false), or neither.
    to_residue: Option<bool>,
    water: bool,
}

struct Node {
    residue: String,
    words: [String; 2],
    half: Vec2,
    place: Vec2,
    lines: Vec<Line>,
    interactions: Vec<usize>,
}

impl Node {
    fn anchor(&self) -> Vec2 {
        self.lines.iter().map(|line| line.anchor).sum::<Vec2>() / self.lines.len().max(1) as f32
    }
}

/// Makes the diagram. `kind_name` names kinds of interaction, `description` the picture.
#[must_use]
pub fn diagram(
    molecule: &SmallMolecule,
    depiction: &Depiction,
    interactions: &[Interaction],
    kind_name: impl Fn(InteractionKind) -> String,
    description: String,
) -> Diagram {
    let ligand = formula(depiction, BOND);
    let mut nodes = nodes(molecule, depiction, &ligand.places, interactions);
    let taken: Vec<Vec2> = ligand.places.iter().chain(&ligand.hydrogens).copied().collect();
    place(&mut nodes, &taken);
    let mut shapes = Vec::new();
    for node in &nodes {
        for line in &node.lines {
            draw_line(&mut shapes, node, line);
        }
    }
    // Letters of the ligand stay readable where a line has to pass.
    shapes.extend(ligand.shapes);
    for node in &nodes {
        draw_distances(&mut shapes, node);
    }
    let mut contacts = Vec::new();
    for node in &nodes {
        draw_node(&mut shapes, node);
        let (low, high) = (node.place - node.half, node.place + node.half);
        contacts.push(Contact { residue: node.residue.clone(), low, high, interactions: node.interactions.clone() });
    }
    let mut kinds: Vec<InteractionKind> = nodes.iter().flat_map(|node| &node.lines).map(|line| line.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    add_legend(&mut shapes, &kinds, kind_name);
    let mut drawing = Drawing { size: Vec2::ZERO, description, shapes };
    let shift = drawing.fit(10.0);
    for contact in &mut contacts {
        contact.low += shift;
        contact.high += shift;
    }
    Diagram { drawing, contacts }
}

/// The residues with their lines, those with most interactions first.
fn nodes(molecule: &SmallMolecule, depiction: &Depiction, places: &[Vec2], interactions: &[Interaction]) -> Vec<Node> {
    let neighbours = molecule.neighbours();
    let depicted = |atom: u32| depiction.atoms.iter().position(|held| held.atom == atom);
    // A hydrogen is not drawn: its heavy atom stands for it.
    let place_of = |atom: u32| {
        let own = depicted(atom);
        let other = || neighbours.get(atom as usize)?.iter().find_map(|(neighbour, _)| depicted(*neighbour));
        own.or_else(other).and_then(|index| places.get(index).copied())
    };
    let mut nodes: Vec<Node> = Vec::new();
    for (index, found) in interactions.iter().enumerate() {
        let points: Vec<Vec2> = found.ligand_atoms.iter().filter_map(|atom| place_of(*atom)).collect();
        if points.is_empty() {
            continue;
        }
        let anchor = points.iter().copied().sum::<Vec2>() / points.len() as f32;
        let to_residue = match found.kind {
            InteractionKind::HydrogenBond | InteractionKind::WeakHydrogenBond | InteractionKind::HalogenBond => {
                found.geometry.donor.map(|donor| donor == Side::Ligand)
            }
            _ => None,
        };
        let water = found.kind == InteractionKind::WaterBridge;
        let line = Line { kind: found.kind, anchor, distance: found.distance, to_residue, water };
        let node = match nodes.iter().position(|node| node.residue == found.residue) {
            Some(place) => &mut nodes[place],
            None => {
                let words = words(&found.residue);
                let wide = words.iter().map(|word| fonts::width(word, LETTERS, true)).fold(22.0, f32::max);
                nodes.push(Node {
                    residue: found.residue.clone(),
                    words,
                    half: vec2(wide * 0.5 + 7.0, 16.0),
                    place: Vec2::ZERO,
                    lines: Vec::new(),
                    interactions: Vec::new(),
                });
                let last = nodes.len() - 1;
                &mut nodes[last]
            }
        };
        node.interactions.push(index);
        // Contacts of carbons are many and each says little: the nearest stands for all of a residue. Of other kinds every
        // atom of the ligand has its own line.
        let is_one = |held: &&mut Line| {
            held.kind == line.kind
                && (line.kind == InteractionKind::Hydrophobic || held.anchor.distance(line.anchor) < 1.0)
        };
        match node.lines.iter_mut().find(is_one) {
            Some(held) if held.distance <= line.distance => {}
            Some(held) => *held = line,
            None => node.lines.push(line),
        }
    }
    nodes.sort_by_key(|node| std::cmp::Reverse(node.lines.len()));
    nodes.truncate(MOST_RESIDUES);
    nodes
}

/// The two lines of a residue's box: `ASP 381` and `chain A`'s letter.
fn words(residue: &str) -> [String; 2] {
    let parts: Vec<&str> = residue.split_whitespace().collect();
    match parts.as_slice() {
        [chain, name, number] => [(*name).to_owned(), format!("{chain} {number}")],
        _ => [residue.to_owned(), String::new()],
    }
}

/// What a place costs: overlaps above all, then what makes a picture hard to read.
fn cost(node: &Node, place: Vec2, others: &[&Node], atoms: &[Vec2]) -> f32 {
    let mut cost = 0.0;
    for other in others {
        let apart = (place - other.place).abs() - node.half - other.half - Vec2::splat(AIR);
        if apart.max_element() < 0.0 {
            cost += 1e5 - 100.0 * apart.max_element();
        }
    }
    for atom in atoms {
        let apart = ((place - *atom).abs() - node.half).max(Vec2::ZERO).length();
        if apart < ATOM_AIR {
            cost += 1e5 + 100.0 * (ATOM_AIR - apart);
        }
    }
    for line in &node.lines {
        let end = edge(place, node.half, line.anchor);
        let length = end.distance(line.anchor);
        cost += (length - BOND * 1.6).abs() * if length < BOND * 1.6 { 2.0 } else { 1.0 };
        for atom in atoms {
            if atom.distance(line.anchor) > BOND * 0.9 && to_segment(*atom, line.anchor, end) < BOND * 0.4 {
                cost += 60.0;
            }
        }
        for other in others {
            if crosses_box(line.anchor, end, other.place, other.half + Vec2::splat(2.0)) {
                cost += 900.0;
            }
            for held in &other.lines {
                let other_end = edge(other.place, other.half, held.anchor);
                if crosses(line.anchor, end, held.anchor, other_end) {
                    cost += 220.0;
                }
                if crosses_box(held.anchor, other_end, place, node.half + Vec2::splat(2.0)) {
                    cost += 900.0;
                }
            }
        }
    }
    cost
}

fn place(nodes: &mut [Node], atoms: &[Vec2]) {
    const DIRECTIONS: usize = 40;
    let middle = atoms.iter().copied().sum::<Vec2>() / atoms.len().max(1) as f32;
    let radius = atoms.iter().map(|atom| atom.distance(middle)).fold(0.0, f32::max);
    let mut is_placed = vec![false; nodes.len()];
    for round in 0..=ROUNDS {
        for index in 0..nodes.len() {
            let others: Vec<&Node> = (0..nodes.len())
                .filter(|other| *other != index && is_placed[*other])
                .map(|other| &nodes[other])
                .collect();
            let node = &nodes[index];
            let anchor = node.anchor();
            let mut best = (f32::INFINITY, node.place);
            if round > 0 {
                best.0 = cost(node, node.place, &others, atoms);
            }
            let mut reach = 4.0 * BOND;
            loop {
                let mut distance = BOND * 0.8;
                while distance <= reach {
                    for step in 0..DIRECTIONS {
                        let angle = std::f32::consts::TAU * step as f32 / DIRECTIONS as f32;
                        let place = anchor + Vec2::from_angle(angle) * distance;
                        let found = cost(node, place, &others, atoms);
                        if found < best.0 {
                            best = (found, place);
                        }
                    }
                    distance += BOND * 0.4;
                }
                // Nothing free yet: farther out there is room for all.
                if best.0 < 1e5 || reach > 2.0 * radius + 60.0 * BOND {
                    break;
                }
                reach *= 1.6;
            }
            nodes[index].place = best.1;
            is_placed[index] = true;
        }
    }
}

/// Where a line from a point meets a box.
fn edge(place: Vec2, half: Vec2, from: Vec2) -> Vec2 {
    let way = from - place;
    let share = (half / way.abs().max(Vec2::splat(1e-3))).min_element();
    place + way * share.min(1.0)
}

fn to_segment(point: Vec2, a: Vec2, b: Vec2) -> f32 {
    let along = b - a;
    let share = ((point - a).dot(along) / along.length_squared().max(1e-6)).clamp(0.0, 1.0);
    point.distance(a + along * share)
}

fn crosses(a: Vec2, b: Vec2, c: Vec2, d: Vec2) -> bool {
    // Lines that begin at one atom do not cross there.
    if a.distance(c) < 1.0 {
        return false;
    }
    let side = |from: Vec2, to: Vec2, point: Vec2| (to - from).perp_dot(point - from);
    side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
}

fn crosses_box(a: Vec2, b: Vec2, place: Vec2, half: Vec2) -> bool {
    let inside = |point: Vec2| (point - place).abs().cmple(half).all();
    if inside(a) || inside(b) {
        return true;
    }
    let corners = [vec2(-1.0, -1.0), vec2(1.0, -1.0), vec2(1.0, 1.0), vec2(-1.0, 1.0)].map(|sign| place + half * sign);
    (0..4).any(|index| crosses(a, b, corners[index], corners[(index + 1) % 4]))
}

fn stroke_of(kind: InteractionKind) -> Stroke {
    let ink = Ink::from(interaction_color(kind));
    match kind {
        InteractionKind::Metal => Stroke::new(1.8, ink),
        InteractionKind::Hydrophobic => Stroke::dashed(1.2, ink, [1.5, 3.5]),
        InteractionKind::WeakHydrogenBond => Stroke::dashed(1.3, ink, [2.5, 3.0]),
        InteractionKind::PiStacking | InteractionKind::CationPi => Stroke::dashed(1.6, ink, [7.0, 3.5]),
        _ => Stroke::dashed(1.7, ink, [4.5, 3.0]),
    }
}

fn draw_line(shapes: &mut Vec<Shape>, node: &Node, line: &Line) {
    let stroke = stroke_of(line.kind);
    let end = edge(node.place, node.half, line.anchor);
    let along = (end - line.anchor).normalize_or_zero();
    // Begins clear of the letters of its atom.
    let start = line.anchor + along * (BOND * 0.28).min(end.distance(line.anchor) * 0.4);
    shapes.push(Shape::Line(vec![start, end], stroke));
    if matches!(line.kind, InteractionKind::PiStacking | InteractionKind::CationPi) {
        let fill = Some(stroke.ink);
        shapes.push(Shape::Circle { center: line.anchor, radius: 3.0, fill, stroke: None });
    }
    if let Some(to_residue) = line.to_residue {
        let (tip, way) = if to_residue { (end, along) } else { (start, -along) };
        let across = vec2(way.y, -way.x) * 3.2;
        let foot = tip - way * 7.0;
        shapes.push(Shape::Area(vec![tip, foot + across, foot - across], stroke.ink));
    }
    if line.water {
        let center = (start + end) * 0.5;
        let ring = Some(Stroke::new(1.2, stroke.ink));
        shapes.push(Shape::Circle { center, radius: 6.5, fill: Some(Ink::Ground), stroke: ring });
        shapes.push(Shape::Word(Word::new(center, "W", 8.0, Ink::Oxygen).centred()));
    }
}

fn draw_distances(shapes: &mut Vec<Shape>, node: &Node) {
    for line in &node.lines {
        if matches!(line.kind, InteractionKind::Hydrophobic) {
            continue;
        }
        let end = edge(node.place, node.half, line.anchor);
        let share = if line.water { 0.76 } else { 0.56 };
        let place = line.anchor + (end - line.anchor) * share;
        let word = Word::new(place, format!("{:.1}", line.distance), SMALL, Ink::Muted).centred();
        let half = vec2(word.width() * 0.5 + 1.5, SMALL * 0.56);
        let (low, high) = (place - half, place + half);
        shapes.push(Shape::Rect { low, high, radius: 2.0, fill: Some(Ink::Ground), stroke: None });
        shapes.push(Shape::Word(word));
    }
}

/// What a residue's side chain is, for the colour of its box.
fn character(name: &str) -> Ink {
    match name {
        "ASP" | "GLU" => Ink::Oxygen,
        "ARG" | "LYS" | "HIS" => Ink::Nitrogen,
        "SER" | "THR" | "ASN" | "GLN" | "TYR" | "CYS" => Ink::Halogen,
        "ALA" | "VAL" | "LEU" | "ILE" | "MET" | "PHE" | "TRP" | "PRO" | "GLY" => Ink::Muted,
        _ => Ink::Accent,
    }
}

fn draw_node(shapes: &mut Vec<Shape>, node: &Node) {
    let (low, high) = (node.place - node.half, node.place + node.half);
    let [name, number] = &node.words;
    let ink = character(name);
    let stroke = Some(Stroke::new(1.4, ink));
    shapes.push(Shape::Rect { low, high, radius: 9.0, fill: Some(Ink::Ground), stroke });
    let up = if number.is_empty() { 0.0 } else { 6.5 };
    shapes.push(Shape::Word(Word::new(node.place - vec2(0.0, up), name, LETTERS, ink).centred().strong()));
    if !number.is_empty() {
        let word = Word::new(node.place + vec2(0.0, 7.0), number, LETTERS - 1.0, Ink::Text);
        shapes.push(Shape::Word(word.centred()));
    }
}

fn add_legend(shapes: &mut Vec<Shape>, kinds: &[InteractionKind], kind_name: impl Fn(InteractionKind) -> String) {
    let (mut low, mut high) = (Vec2::INFINITY, Vec2::NEG_INFINITY);
    for (first, last) in shapes.iter().map(super::bounds) {
        (low, high) = (low.min(first), high.max(last));
    }
    if !low.is_finite() || kinds.is_empty() {
        return;
    }
    let width = (high.x - low.x).max(260.0);
    let mut place = vec2(low.x, high.y + 26.0);
    for kind in kinds {
        let name = kind_name(*kind);
        let needed = 34.0 + fonts::width(&name, 10.0, false) + 14.0;
        if place.x > low.x && place.x + needed > low.x + width {
            place = vec2(low.x, place.y + 16.0);
        }
        shapes.push(Shape::Line(vec![place, place + vec2(26.0, 0.0)], stroke_of(*kind)));
        shapes.push(Shape::Word(Word::new(place + vec2(32.0, 0.0), name, 10.0, Ink::Muted)));
        place.x += needed;
    }
}

#[cfg(test)]
mod tests {
    use glam::Vec3;
    use kfold_molecule::analysis::interactions::Geometry;
    use kfold_molecule::chemistry::{depict, smiles};

    use super::*;

    fn interaction(kind: InteractionKind, atom: u32, residue: &str, distance: f32) -> Interaction {
        Interaction {
            kind,
            ligand_atoms: vec![atom],
            receptor_atoms: vec![0],
            residue: residue.to_owned(),
            ligand_residue: String::new(),
            distance,
            angle: None,
            points: [Vec3::ZERO; 2],
            geometry: Geometry { donor: Some(Side::Ligand), ..Geometry::default() },
        }
    }

    fn made(text: &str, per_atom: usize) -> (Diagram, usize) {
        let molecule = smiles::parse(text).unwrap();
        let depiction = depict::layout(&molecule).unwrap();
        let kinds = [InteractionKind::HydrogenBond, InteractionKind::Hydrophobic, InteractionKind::WaterBridge];
        let names = ["ASP", "LEU", "HIS", "PHE"];
        let interactions: Vec<Interaction> = (0..molecule.heavy_atom_count() * per_atom)
            .map(|index| {
                let atom = (index / per_atom) as u32;
                let residue = format!("A {} {}", names[index % 4], 100 + index);
                interaction(kinds[index % 3], atom, &residue, 2.5 + index as f32 * 0.1)
            })
            .collect();
        let count = interactions.len().min(MOST_RESIDUES);
        (diagram(&molecule, &depiction, &interactions, |kind| format!("{kind:?}"), String::new()), count)
    }

    #[test]
    fn nothing_lies_on_anything_else() {
        for (text, per_atom) in [
            ("c1ccccc1O", 2),
            ("CC(=O)Oc1ccccc1C(=O)O", 3),
            ("C", 12),
            ("C#Cc1cccc(c1)Nc2ncnc3c2cc(c(c3)OCCOC)OCCOC", 1),
        ] {
            let (diagram, count) = made(text, per_atom);
            assert_eq!(diagram.contacts.len(), count, "{text}");
            for (index, a) in diagram.contacts.iter().enumerate() {
                assert!(a.low.cmpge(Vec2::ZERO).all() && a.high.cmple(diagram.drawing.size).all(), "{a:?} is outside");
                for b in &diagram.contacts[index + 1..] {
                    let apart = a.low.cmpgt(b.high).any() || b.low.cmpgt(a.high).any();
                    assert!(apart, "{text}: {a:?} lies on {b:?}");
                }
            }
        }
    }

    #[test]
    fn equal_inputs_give_equal_pictures() {
        assert_eq!(made("CC(=O)Oc1ccccc1C(=O)O", 2).0, made("CC(=O)Oc1ccccc1C(=O)O", 2).0);
    }

    #[test]
    fn contacts_of_carbons_are_one_line_a_residue() {
        let molecule = smiles::parse("CCCC").unwrap();
        let depiction = depict::layout(&molecule).unwrap();
        let found: Vec<Interaction> =
            (0..4).map(|atom| interaction(InteractionKind::Hydrophobic, atom, "A LEU 9", 3.5 + atom as f32)).collect();
        let made = diagram(&molecule, &depiction, &found, |_| "carbon".into(), String::new());
        assert_eq!(made.contacts.len(), 1);
        assert_eq!(made.contacts[0].interactions, [0, 1, 2, 3]);
        let dotted = |shape: &&Shape| matches!(shape, Shape::Line(_, stroke) if stroke.dash.is_some());
        // The line itself, and the one of the legend.
        assert_eq!(made.drawing.shapes.iter().filter(dotted).count(), 2);
    }
}
