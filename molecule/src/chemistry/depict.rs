//! The 2D structure formula of a molecule as data: where atoms go, what is written there, how bonds are drawn.
//!
//! Layout by the toolkit (RDKit's depiction: rings as regular polygons, chains as zigzags, known double bonds as they
//! are). Cages that such a layout folds onto themselves are laid out again by stress majorisation: positions whose
//! distances come close to the number of bonds between atoms (Gansner, Koren & North, Graph Drawing 2004).
//!
//! Hydrogens are written with their atom and not drawn, except isotopes. Each known stereocentre has one wedge or hash,
//! narrow end at the centre, on the bond that shows it most clearly; double bonds of open configuration are crossed.

use glam::{Vec2, Vec3};

use super::ChemistryError;
use super::hydrogens::remove_hydrogens;
use super::perception::{Perception, perceive};
use super::toolkit::{explain, into_toolkit};
use crate::{BondOrder, Element, SmallMolecule, Stereo};

/// A structure formula. Lengths are in bond lengths, x to the right, y up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Depiction {
    /// What is drawn as atoms.
    pub atoms: Vec<DepictedAtom>,
    /// What is drawn as bonds.
    pub bonds: Vec<DepictedBond>,
}

/// An atom of the formula.
#[derive(Clone, Debug, PartialEq)]
pub struct DepictedAtom {
    /// Index of the atom in the molecule.
    pub atom: u32,
    /// Where, in bond lengths.
    pub position: Vec2,
    /// What is written; nothing for the carbons of the skeleton.
    pub label: Option<AtomLabel>,
}

/// What is written at an atom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtomLabel {
    /// Element symbol.
    pub symbol: &'static str,
    /// Mass number, written before the symbol.
    pub isotope: Option<u16>,
    /// Hydrogens written with it.
    pub hydrogens: u8,
    /// Charge in elementary charges.
    pub charge: i8,
    /// Where the hydrogens go.
    pub hydrogen_side: Side,
}

impl AtomLabel {
    /// The label in one line of plain text, e.g. `NH2`, `O-`, `N+`; `hydrogen_side` left puts hydrogens first (`H2N`).
    #[must_use]
    pub fn text(&self) -> String {
        let hydrogens = match self.hydrogens {
            0 => String::new(),
            1 => "H".to_owned(),
            count => format!("H{count}"),
        };
        let isotope = self.isotope.map(|isotope| isotope.to_string()).unwrap_or_default();
        let charge = match self.charge {
            0 => String::new(),
            1 => "+".to_owned(),
            -1 => "-".to_owned(),
            charge if charge > 0 => format!("{charge}+"),
            charge => format!("{}-", charge.unsigned_abs()),
        };
        if self.hydrogen_side == Side::Left {
            format!("{hydrogens}{isotope}{}{charge}", self.symbol)
        } else {
            format!("{isotope}{}{hydrogens}{charge}", self.symbol)
        }
    }
}

/// A side of an atom on paper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Side {
    /// +x.
    #[default]
    Right,
    /// -x.
    Left,
    /// +y.
    Above,
    /// -y.
    Below,
}

/// A bond of the formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepictedBond {
    /// Index into [`Depiction::atoms`]; the narrow end of a wedge or hash.
    pub a: u32,
    /// Index into [`Depiction::atoms`].
    pub b: u32,
    /// Lines to draw.
    pub order: BondOrder,
    /// How a double bond's second line lies. Centred for other bonds.
    pub second_line: SecondLine,
    /// Wedge, hash, or plain.
    pub style: BondStyle,
    /// Whether the bond is aromatic, for those who draw rings with a circle or dashes.
    pub is_aromatic: bool,
}

/// Where the second line of a double bond is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SecondLine {
    /// Two lines at equal distance from the axis.
    #[default]
    Centred,
    /// One line on the axis, a shorter one to its left, seen from `a` to `b`.
    Left,
    /// One line on the axis, a shorter one to its right.
    Right,
}

/// How a bond shows stereochemistry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BondStyle {
    /// It does not.
    #[default]
    Plain,
    /// `b` is nearer to the viewer than `a`.
    Wedge,
    /// `b` is farther away than `a`.
    Hash,
    /// A double bond of open configuration: its lines cross.
    Crossed,
}

impl Depiction {
    /// Lower left and upper right corner of all positions; `None` without atoms.
    #[must_use]
    pub fn bounds(&self) -> Option<(Vec2, Vec2)> {
        let first = self.atoms.first()?.position;
        Some(
            self.atoms
                .iter()
                .fold((first, first), |(low, high), atom| (low.min(atom.position), high.max(atom.position))),
        )
    }
}

/// Most heavy atoms that are laid out: a larger formula says nothing at a glance, and the time grows with the square.
pub const MAX_DRAWN: usize = 200;
/// Up to here a poor layout is tried again in other ways.
const MAX_RETRIED: usize = 80;

/// Lays out the structure formula of a molecule. Stereo is the molecule's own, else what its first conformer shows.
///
/// # Errors
/// When the molecule is empty, has more than [`MAX_DRAWN`] heavy atoms, or breaks the rules of valence.
pub fn layout(molecule: &SmallMolecule) -> Result<Depiction, ChemistryError> {
    let heavy = molecule.heavy_atom_count();
    if heavy > MAX_DRAWN {
        return Err(ChemistryError::Invalid {
            name: molecule.name.clone(),
            reason: format!("{heavy} atoms are too many for a structure formula; up to {MAX_DRAWN} are drawn"),
        });
    }
    let (bare, kept) = remove_hydrogens(&perceive(molecule)?.molecule);
    let mut flat = bare.clone();
    flat.conformers.clear();
    let perception = perceive(&flat)?;
    let positions = positions(&perception.molecule)?;
    let atoms = atoms(&perception, &positions, &kept);
    let bonds = bonds(&perception, &positions);
    Ok(Depiction { atoms, bonds })
}

fn positions(molecule: &SmallMolecule) -> Result<Vec<Vec2>, ChemistryError> {
    let invalid = |error: &(dyn std::error::Error + 'static)| ChemistryError::Invalid {
        name: molecule.name.clone(),
        reason: explain(error).reason,
    };
    let sanitised = into_toolkit(molecule)?;
    let mut best: Option<(f32, Vec<Vec2>)> = None;
    // Plain first; templates know bridged systems; sampling turns branches that would lie on each other.
    for (templates, samples) in [(false, 0), (true, 0), (true, 20)] {
        let params = cosmolkit::Coordinate2DParams {
            use_ring_templates: templates,
            samples,
            flips_per_sample: if samples > 0 { 3 } else { 0 },
            sample_seed: 1,
            ..Default::default()
        };
        let drawn = sanitised.with_2d_coordinates_with_params(&params).map_err(|error| invalid(&error))?;
        let found: Vec<Vec2> =
            drawn.coordinates_2d().unwrap_or_default().iter().map(|&[x, y]| Vec2::new(x as f32, y as f32)).collect();
        if found.len() != molecule.atoms.len() || found.iter().any(|position| !position.is_finite()) {
            continue;
        }
        let found = scaled(molecule, found);
        let quality = quality(molecule, &found);
        if best.as_ref().is_none_or(|(held, _)| quality > *held) {
            best = Some((quality, found));
        }
        if quality >= GOOD || molecule.atoms.len() > MAX_RETRIED {
            break;
        }
    }
    if best.as_ref().is_none_or(|(quality, _)| *quality < TOLERABLE) {
        let found = scaled(molecule, by_stress(molecule));
        let quality = quality(molecule, &found);
        if best.as_ref().is_none_or(|(held, _)| quality > *held) {
            best = Some((quality, found));
        }
    }
    Ok(best.map(|(_, positions)| positions).unwrap_or_default())
}

/// From here on a layout is taken as it is.
const GOOD: f32 = 0.45;
/// Below this atoms lie on each other.
const TOLERABLE: f32 = 0.2;

/// The smallest distance between two atoms in bond lengths, less one for each double bond drawn the wrong way round.
fn quality(molecule: &SmallMolecule, positions: &[Vec2]) -> f32 {
    let mut nearest = 1.0_f32;
    for i in 0..positions.len() {
        for j in 0..i {
            nearest = nearest.min(positions[i].distance(positions[j]));
        }
    }
    let raised: Vec<Vec3> = positions.iter().map(|position| position.extend(0.0)).collect();
    let wrong = molecule
        .stereo
        .iter()
        .filter(|stereo| matches!(stereo, Stereo::DoubleBond { .. }) && stereo.is_satisfied_by(&raised) != Some(true))
        .count();
    nearest - wrong as f32
}

/// Scaled to a mean bond length of 1, centred.
fn scaled(molecule: &SmallMolecule, mut positions: Vec<Vec2>) -> Vec<Vec2> {
    let total: f32 =
        molecule.bonds.iter().map(|bond| positions[bond.a as usize].distance(positions[bond.b as usize])).sum();
    let scale = if total > 0.0 { molecule.bonds.len() as f32 / total } else { 1.0 / 1.5 };
    let centre = positions.iter().sum::<Vec2>() / positions.len().max(1) as f32;
    for position in &mut positions {
        *position = (*position - centre) * scale;
    }
    positions
}

/// Stress majorisation from a spiral: every atom moves to where its neighbours, near and far, would have it.
fn by_stress(molecule: &SmallMolecule) -> Vec<Vec2> {
    let count = molecule.atoms.len();
    let neighbours = molecule.neighbours();
    let mut distances = vec![vec![f32::INFINITY; count]; count];
    for (start, row) in distances.iter_mut().enumerate() {
        row[start] = 0.0;
        let mut queue = std::collections::VecDeque::from([start]);
        while let Some(atom) = queue.pop_front() {
            for &(next, _) in &neighbours[atom] {
                if row[next as usize].is_infinite() {
                    row[next as usize] = row[atom] + 1.0;
                    queue.push_back(next as usize);
                }
            }
        }
        // Fragments stay apart.
        for held in row.iter_mut().filter(|held| held.is_infinite()) {
            *held = 6.0;
        }
    }
    let mut positions: Vec<Vec2> = (0..count)
        .map(|index| Vec2::from_angle(index as f32 * 2.399_963) * (0.7 * (index as f32 + 1.0).sqrt()))
        .collect();
    for _ in 0..300 {
        for i in 0..count {
            let mut sum = Vec2::ZERO;
            let mut weights = 0.0;
            for j in (0..count).filter(|&j| j != i) {
                let wanted = distances[i][j];
                let weight = 1.0 / (wanted * wanted);
                let apart = (positions[i] - positions[j]).normalize_or(Vec2::from_angle((i * 7 + j) as f32));
                sum += (positions[j] + apart * wanted) * weight;
                weights += weight;
            }
            if weights > 0.0 {
                positions[i] = sum / weights;
            }
        }
    }
    positions
}

fn atoms(perception: &Perception, positions: &[Vec2], kept: &[u32]) -> Vec<DepictedAtom> {
    let molecule = &perception.molecule;
    let neighbours = molecule.neighbours();
    molecule
        .atoms
        .iter()
        .enumerate()
        .map(|(index, atom)| {
            let around: Vec<Vec2> = neighbours[index]
                .iter()
                .map(|(next, _)| (positions[*next as usize] - positions[index]).normalize_or_zero())
                .collect();
            let is_skeleton =
                atom.element == Element::C && atom.formal_charge == 0 && atom.isotope.is_none() && !around.is_empty();
            let (symbol, isotope) = match (atom.element, atom.isotope) {
                (Element::H, Some(2)) => ("D", None),
                (Element::H, Some(3)) => ("T", None),
                (element, isotope) => (element.symbol(), isotope),
            };
            let label = (!is_skeleton).then(|| AtomLabel {
                symbol,
                isotope,
                hydrogens: perception.implied_hydrogens[index],
                charge: atom.formal_charge,
                hydrogen_side: hydrogen_side(atom.element, &around),
            });
            DepictedAtom { atom: kept[index], position: positions[index], label }
        })
        .collect()
}

/// The freest side; right before left before below before above.
fn hydrogen_side(element: Element, bonds: &[Vec2]) -> Side {
    if bonds.is_empty() {
        // H2O, HCl, but NH3 and CH4.
        return if matches!(element, Element::O | Element::S) || element.is_halogen() {
            Side::Left
        } else {
            Side::Right
        };
    }
    let mut best = (f32::INFINITY, Side::Right);
    for (side, direction, malus) in [
        (Side::Right, Vec2::X, 0.0),
        (Side::Left, -Vec2::X, 0.05),
        (Side::Below, -Vec2::Y, 0.35),
        (Side::Above, Vec2::Y, 0.35),
    ] {
        let blocked = bonds.iter().map(|bond| bond.dot(direction)).fold(-1.0_f32, f32::max) + malus;
        if blocked < best.0 {
            best = (blocked, side);
        }
    }
    best.1
}

fn bonds(perception: &Perception, positions: &[Vec2]) -> Vec<DepictedBond> {
    let molecule = &perception.molecule;
    let neighbours = molecule.neighbours();
    let mut drawn: Vec<DepictedBond> = molecule
        .bonds
        .iter()
        .enumerate()
        .map(|(index, bond)| DepictedBond {
            a: bond.a,
            b: bond.b,
            order: bond.order,
            second_line: if bond.order == BondOrder::Double {
                second_line(perception, &neighbours, positions, index)
            } else {
                SecondLine::Centred
            },
            style: BondStyle::Plain,
            is_aromatic: perception.aromatic_bonds[index],
        })
        .collect();
    for open in &perception.open_stereo {
        if let Stereo::DoubleBond { atoms: [a, b], .. } = open
            && let Some(bond) = drawn.iter_mut().find(|bond| [bond.a, bond.b] == [*a.min(b), *a.max(b)])
        {
            bond.style = BondStyle::Crossed;
            bond.second_line = SecondLine::Centred;
        }
    }
    draw_wedges(perception, &neighbours, positions, &mut drawn);
    drawn
}

/// Inside the ring (the aromatic, else the smallest one), else on the side with more neighbours.
fn second_line(
    perception: &Perception,
    neighbours: &[Vec<(u32, u32)>],
    positions: &[Vec2],
    index: usize,
) -> SecondLine {
    let bond = perception.molecule.bonds[index];
    let (from, to) = (positions[bond.a as usize], positions[bond.b as usize]);
    let side = |point: Vec2| (to - from).perp_dot(point - from);
    let ring = perception
        .rings
        .iter()
        .filter(|ring| {
            ring.iter().enumerate().any(|(place, &atom)| {
                let next = ring[(place + 1) % ring.len()];
                [atom.min(next), atom.max(next)] == [bond.a, bond.b]
            })
        })
        .min_by_key(|ring| {
            let is_aromatic = ring.iter().all(|&atom| perception.aromatic_atoms[atom as usize]);
            (!is_aromatic, ring.len())
        });
    let balance = match ring {
        Some(ring) => {
            let centre = ring.iter().map(|&atom| positions[atom as usize]).sum::<Vec2>() / ring.len() as f32;
            side(centre)
        }
        None => {
            let around = |atom: u32, other: u32| {
                neighbours[atom as usize].iter().map(|(next, _)| *next).filter(move |next| *next != other)
            };
            if around(bond.a, bond.b).next().is_none() || around(bond.b, bond.a).next().is_none() {
                // The end of a chain: C=O, C=CH2.
                return SecondLine::Centred;
            }
            around(bond.a, bond.b)
                .chain(around(bond.b, bond.a))
                .map(|next| side(positions[next as usize]).clamp(-1.0, 1.0))
                .sum()
        }
    };
    if balance > 0.05 {
        SecondLine::Left
    } else if balance < -0.05 {
        SecondLine::Right
    } else {
        SecondLine::Centred
    }
}

/// One wedge or hash for each centre.
fn draw_wedges(
    perception: &Perception,
    neighbours: &[Vec<(u32, u32)>],
    positions: &[Vec2],
    drawn: &mut [DepictedBond],
) {
    let molecule = &perception.molecule;
    let is_centre = |atom: u32| {
        molecule.stereo.iter().any(|stereo| matches!(stereo, Stereo::Tetrahedral { centre, .. } if *centre == atom))
    };
    // Centres with the fewest neighbours that are no centres choose first.
    let mut centres: Vec<(usize, Stereo)> = molecule
        .stereo
        .iter()
        .filter_map(|stereo| match stereo {
            Stereo::Tetrahedral { centre, .. } => {
                let free = neighbours[*centre as usize].iter().filter(|(next, _)| !is_centre(*next)).count();
                Some((free, *stereo))
            }
            Stereo::DoubleBond { .. } => None,
        })
        .collect();
    centres.sort();
    for (_, stereo) in centres {
        let Stereo::Tetrahedral { centre, counterclockwise, .. } = stereo else { continue };
        let mut best: Option<(f32, u32, bool)> = None;
        for &(next, bond) in &neighbours[centre as usize] {
            let held = drawn[bond as usize];
            if held.style != BondStyle::Plain || molecule.bonds[bond as usize].order != BondOrder::Single {
                continue;
            }
            let volume = volume_with_raised(stereo, next, &neighbours[centre as usize], positions);
            let mut score = volume.abs().min(0.8);
            if is_centre(next) {
                score -= 1.0;
            }
            if perception.ring_bonds[bond as usize] {
                score -= 0.5;
            }
            if neighbours[next as usize].len() == 1 {
                score += 0.2;
            }
            if molecule.atoms[next as usize].element == Element::H {
                score += 0.5;
            }
            if volume.abs() > 0.05 && best.is_none_or(|(held, ..)| score > held) {
                best = Some((score, bond, (volume > 0.0) == counterclockwise));
            }
        }
        if let Some((_, bond, is_wedge)) = best {
            let held = &mut drawn[bond as usize];
            if held.a != centre {
                (held.a, held.b) = (held.b, held.a);
            }
            held.style = if is_wedge { BondStyle::Wedge } else { BondStyle::Hash };
        }
    }
}

/// The signed volume that tells the sense of the centre's three named neighbours, when the bond to `raised` points to
/// the viewer and all others lie in the paper.
fn volume_with_raised(stereo: Stereo, raised: u32, around: &[(u32, u32)], positions: &[Vec2]) -> f32 {
    let Stereo::Tetrahedral { centre, neighbours, .. } = stereo else { return 0.0 };
    let origin = positions[centre as usize];
    let vector = |atom: u32| {
        (positions[atom as usize] - origin).normalize_or_zero().extend(if atom == raised { 1.0 } else { 0.0 })
    };
    let fourth = around.iter().map(|(atom, _)| *atom).find(|atom| !neighbours.contains(atom));
    let [a, b, c] = neighbours.map(vector);
    match fourth.map(vector) {
        Some(d) => (a - d).dot((b - d).cross(c - d)),
        None => a.dot(b.cross(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chemistry::smiles::parse;

    fn drawn(smiles: &str) -> Depiction {
        layout(&parse(smiles).unwrap()).unwrap()
    }

    /// The configurations one reads off the paper: wedge ends up, hash ends down.
    fn read(depiction: &Depiction, wanted: &Stereo) -> Option<bool> {
        let mut positions: Vec<Vec3> = depiction.atoms.iter().map(|atom| atom.position.extend(0.0)).collect();
        let atoms = wanted.atoms();
        for bond in depiction.bonds.iter().filter(|bond| atoms.contains(&bond.a)) {
            match bond.style {
                BondStyle::Wedge => positions[bond.b as usize].z = 1.0,
                BondStyle::Hash => positions[bond.b as usize].z = -1.0,
                _ => {}
            }
        }
        if let Stereo::Tetrahedral { centre, neighbours, counterclockwise } = wanted {
            let around: Vec<u32> = depiction
                .bonds
                .iter()
                .filter_map(|bond| match (bond.a == *centre, bond.b == *centre) {
                    (true, _) => Some(bond.b),
                    (_, true) => Some(bond.a),
                    _ => None,
                })
                .collect();
            let at = |atom: u32| positions[atom as usize] - positions[*centre as usize];
            let [a, b, c] = neighbours.map(at);
            let fourth = around.iter().find(|atom| !neighbours.contains(atom)).map(|&atom| at(atom));
            let d = fourth.unwrap_or_default();
            return Some(((a - d).dot((b - d).cross(c - d)) > 0.0) == *counterclockwise);
        }
        wanted.is_satisfied_by(&positions)
    }

    #[test]
    fn the_picture_shows_the_stereo() {
        for smiles in [
            "C[C@H](N)C(=O)O",
            "C[C@@](F)(Cl)Br",
            "F/C=C/F",
            "F/C=C\\F",
            "OC[C@H]1O[C@@H](O)[C@H](O)[C@@H](O)[C@@H]1O",
            "CC(=O)[C@H]1CC[C@@H]2[C@@]1(CC[C@H]3[C@H]2CCC4=CC(=O)CC[C@]34C)C",
            "C/C=C/C=C\\[C@H](O)[C@@H](C)CC",
        ] {
            let molecule = parse(smiles).unwrap();
            let depiction = layout(&molecule).unwrap();
            assert!(!molecule.stereo.is_empty());
            for stereo in &molecule.stereo {
                assert_eq!(read(&depiction, stereo), Some(true), "{smiles}: {stereo:?}");
            }
        }
    }

    #[test]
    fn labels_say_what_is_not_drawn() {
        let text = |smiles: &str| -> Vec<String> {
            drawn(smiles)
                .atoms
                .iter()
                .map(|atom| atom.label.as_ref().map(AtomLabel::text).unwrap_or_default())
                .collect()
        };
        assert_eq!(text("O"), ["H2O"]);
        assert_eq!(text("C"), ["CH4"]);
        assert_eq!(text("[NH4+]"), ["NH4+"]);
        assert_eq!(text("[Zn+2]"), ["Zn2+"]);
        let mut ethanol = text("CCO");
        ethanol.sort();
        assert!(ethanol == ["", "", "OH"] || ethanol == ["", "", "HO"], "{ethanol:?}");
        assert!(text("C[N+](C)(C)C").contains(&"N+".to_owned()));
        assert!(text("[2H]C").contains(&"D".to_owned()));
    }

    #[test]
    fn atoms_stay_apart_even_in_cages() {
        for smiles in
            ["C12C3C4C1C5C2C3C45", "C1C2CC3CC1CC(C2)C3", "CC1(C)C2CCC1(C)C(=O)C2", "CC(C)(C)C(C(C)(C)C)(C(C)(C)C)O"]
        {
            let depiction = drawn(smiles);
            for i in 0..depiction.atoms.len() {
                for j in 0..i {
                    let apart = depiction.atoms[i].position.distance(depiction.atoms[j].position);
                    assert!(apart > 0.2, "{smiles}: {apart}");
                }
            }
        }
    }

    #[test]
    fn a_formula_too_large_to_read_is_refused() {
        assert!(layout(&parse(&"C".repeat(MAX_DRAWN + 1)).unwrap()).is_err());
    }

    #[test]
    fn double_bonds_turn_to_their_ring_and_open_ones_cross() {
        let benzene = drawn("c1ccccc1");
        let double: Vec<_> = benzene.bonds.iter().filter(|bond| bond.order == BondOrder::Double).collect();
        assert_eq!(double.len(), 3);
        assert!(double.iter().all(|bond| bond.second_line != SecondLine::Centred && bond.is_aromatic));
        assert!(drawn("CC=O").bonds.iter().all(|bond| bond.second_line == SecondLine::Centred));
        assert!(drawn("CC=CC").bonds.iter().any(|bond| bond.style == BondStyle::Crossed));
        assert!(drawn("C/C=C/C").bonds.iter().all(|bond| bond.style == BondStyle::Plain));
    }
}
