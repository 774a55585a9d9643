//! One component's atoms, bonds and coordinates as coded bits: what each bit depends on.
//!
//! The order is chosen so that what is known early tells much of what follows: elements and charges; bonds with their
//! orders (free valences then say where a hydrogen goes); flags; names, which mostly count up or repeat the number of the
//! heavy atom a hydrogen is on; coordinates, from the bonds. [`code`] serves both directions, see [`Coder`].

use glam::Vec3;
use smol_str::SmolStr;

use super::geometry::{self, BondKind, Graph, Lengths};
use super::range_coder::{Coder, NUMBER, SIGNED};
use super::{BondStereo, CentreStereo, Component, ComponentAtom, ComponentBond};
use crate::{BondOrder, Element};

/// A component with more atoms than this is no component.
pub(super) const MAX_ATOMS: usize = 4096;
/// No atom has more bonds to atoms before it.
const MAX_BONDS_BACK: u32 = 64;
/// No atom name is longer.
pub(super) const MAX_NAME: usize = 12;
/// The element number that stands for deuterium.
const DEUTERIUM: u32 = 119;

/// Each name is the first context of its kind.
macro_rules! contexts {
    ($start:expr;) => {
        /// How many contexts a component's bits have.
        pub(super) const CONTEXTS: usize = $start;
    };
    ($start:expr; $name:ident: $size:expr, $($rest:tt)*) => {
        const $name: usize = $start;
        contexts! { $start + $size; $($rest)* }
    };
}

contexts! { 0;
    ATOM_COUNT: NUMBER,
    POLYMER: 8,
    ELEMENT: (CLASSES + 1) * (CLASSES + 1) * 128,
    CHARGE: CLASSES * SIGNED,
    BONDS_BACK: 2 * CLASSES * NUMBER,
    HYDROGEN_ON: 4 * SIGNED,
    BOND_BACK: 3 * 2 * NUMBER,
    BOND_PLAIN: 1,
    BOND_AROMATIC: CLASSES * CLASSES * 4,
    BOND_ORDER: 2 * 4 * CLASSES * CLASSES * 8,
    BOND_STEREO: 2 * 8 * 4,
    ATOM_AROMATIC: 2,
    LEAVING: POLYMER_KINDS * CLASSES * 2,
    CENTRE_STEREO: CLASSES * 5 * 3 * 2 * 4,
    NAME: NAME_CONTEXTS,
    HAS_OTHER_NAMES: 1,
    OTHER_NAME_SAME: 2,
    OTHER_NAME: NAME_CONTEXTS,
    COORDINATES: geometry::CONTEXTS,
}

/// Values of [`super::Polymer`].
const POLYMER_KINDS: usize = 5;

/// Classes of elements that behave alike: H, C, N, O, P and S, halogens, metals, the rest.
const CLASSES: usize = 8;

fn class_of(element: Element) -> usize {
    match element.atomic_number() {
        1 => 0,
        6 => 1,
        7 => 2,
        8 => 3,
        15 | 16 => 4,
        9 | 17 | 35 | 53 => 5,
        _ if element.is_metal() => 6,
        _ => 7,
    }
}

/// Bonds that an element usually forms.
pub(super) fn usual_valence(element: Element, charge: i8) -> i32 {
    let charge = i32::from(charge);
    match element.atomic_number() {
        6 | 14 => 4 - charge.abs(),
        7 => 3 + charge,
        5 => 3 - charge,
        8 => 2 + charge,
        16 | 34 => 2 + charge,
        _ => 0,
    }
}

/// Codes everything of a component but what the catalogue holds (code, names, type, ...).
pub(super) fn code<C: Coder>(coder: &mut C, component: &mut Component, lengths: &Lengths) {
    let count = coder.number(ATOM_COUNT, component.atoms.len() as u32).min(MAX_ATOMS as u32) as usize;
    if C::DECODES {
        component.atoms = vec![ComponentAtom::default(); count];
        component.ideal = vec![None; count];
        component.model = vec![None; count];
        component.bonds.clear();
    }
    // Only what leaving flags depend on: the catalogue has the type itself.
    let polymer = coder.symbol(POLYMER, 3, component.polymer() as u32) as usize;
    elements(coder, component);
    let mut drawing = bonds(coder, component);
    flags(coder, component, &drawing, polymer.min(POLYMER_KINDS - 1));
    names(coder, component, &drawing);
    let elements: Vec<u8> = component.atoms.iter().map(|atom| atom.element.atomic_number()).collect();
    drawing.sort();
    let graph = Graph { elements: &elements, neighbours: &drawing.neighbours };
    for (set, positions) in [&mut component.ideal, &mut component.model].into_iter().enumerate() {
        let mut coded = whole(positions);
        geometry::coordinates(coder, COORDINATES, set, &graph, lengths, &mut coded);
        if C::DECODES {
            *positions = coded
                .into_iter()
                .map(|held| held.map(|[x, y, z]| Vec3::new(x as f32, y as f32, z as f32) / 1000.0))
                .collect();
        }
    }
    if C::DECODES {
        component.bonds.sort_unstable_by_key(|bond| (bond.a, bond.b));
    }
}

/// Coordinates as whole thousandths of an Å, which is what the dictionary gives.
pub(super) fn whole(positions: &[Option<Vec3>]) -> Vec<Option<[i32; 3]>> {
    positions
        .iter()
        .map(|held| held.map(|place| (place * 1000.0).round().to_array().map(|value| value as i32)))
        .collect()
}

/// Neighbours and kinds of bonds of a whole component, for what the tool measures before coding.
pub(super) fn neighbours_of(component: &Component) -> Vec<Vec<(usize, BondKind)>> {
    let mut drawing = Drawing { neighbours: vec![Vec::new(); component.atoms.len()] };
    for bond in in_coding_order(component) {
        drawing.add(&bond);
    }
    drawing.sort();
    drawing.neighbours
}

fn in_coding_order(component: &Component) -> Vec<ComponentBond> {
    let mut bonds = component.bonds.clone();
    bonds.sort_unstable_by_key(|bond| (bond.b, std::cmp::Reverse(bond.a)));
    bonds
}

fn elements<C: Coder>(coder: &mut C, component: &mut Component) {
    let (mut previous, mut before) = (CLASSES, CLASSES);
    for atom in &mut component.atoms {
        let given = if atom.is_deuterium { DEUTERIUM } else { u32::from(atom.element.atomic_number()) };
        let number = coder.symbol(ELEMENT + (previous * (CLASSES + 1) + before) * 128, 7, given);
        if C::DECODES {
            atom.is_deuterium = number == DEUTERIUM;
            atom.element = if atom.is_deuterium { Element::H } else { Element::from_atomic_number(number as u8) };
        }
        before = previous;
        previous = class_of(atom.element);
        let charge = coder.signed(CHARGE + previous * SIGNED, i32::from(atom.charge));
        if C::DECODES {
            atom.charge = charge.clamp(-100, 100) as i8;
        }
    }
}

pub(super) fn number_of(order: BondOrder) -> u8 {
    match order {
        BondOrder::Single => 1,
        BondOrder::Double => 2,
        BondOrder::Triple => 3,
        BondOrder::Aromatic => 4,
        BondOrder::Coordination => 5,
    }
}

fn order_of(number: u32) -> BondOrder {
    match number {
        2 => BondOrder::Double,
        3 => BondOrder::Triple,
        4 => BondOrder::Aromatic,
        5 => BondOrder::Coordination,
        _ => BondOrder::Single,
    }
}

/// The bonds known so far.
struct Drawing {
    neighbours: Vec<Vec<(usize, BondKind)>>,
}

impl Drawing {
    fn add(&mut self, bond: &ComponentBond) {
        let kind = BondKind { order: number_of(bond.order), is_aromatic: bond.is_aromatic };
        self.neighbours[bond.a as usize].push((bond.b as usize, kind));
        self.neighbours[bond.b as usize].push((bond.a as usize, kind));
    }

    fn sort(&mut self) {
        for around in &mut self.neighbours {
            around.sort_unstable_by_key(|(other, _)| *other);
        }
    }

    fn has(&self, atom: usize, is: impl Fn(BondKind) -> bool) -> usize {
        usize::from(self.neighbours[atom].iter().any(|(_, kind)| is(*kind)))
    }

    fn is_free(&self, atom: usize, atoms: &[ComponentAtom]) -> bool {
        let used: i32 = self.neighbours[atom].iter().map(|(_, kind)| i32::from(kind.order)).sum();
        usual_valence(atoms[atom].element, atoms[atom].charge) > used
    }
}

fn bonds<C: Coder>(coder: &mut C, component: &mut Component) -> Drawing {
    let given = if C::DECODES { Vec::new() } else { in_coding_order(component) };
    let mut given = given.as_slice();
    let atoms = &component.atoms;
    let mut drawing = Drawing { neighbours: vec![Vec::new(); atoms.len()] };
    let mut previous_count = 1;
    let mut hydrogen_on = 0;
    for atom in 0..atoms.len() {
        let here = given.iter().take_while(|bond| bond.b as usize == atom).count();
        let (mine, rest) = given.split_at(here);
        given = rest;
        let class = class_of(atoms[atom].element);
        let context = BONDS_BACK + (class * 2 + usize::from(previous_count == 1)) * NUMBER;
        let count = coder.number(context, here as u32).min(MAX_BONDS_BACK).min(atom as u32);
        previous_count = count;
        let mut below = atom;
        for place in 0..count as usize {
            let wanted = mine.get(place);
            let partner = if class == 0 && count == 1 {
                // A hydrogen: mostly on the next atom that has a valence to spare.
                let expected = (hydrogen_on..atom)
                    .find(|other| atoms[*other].element != Element::H && drawing.is_free(*other, atoms))
                    .unwrap_or(hydrogen_on.min(atom - 1));
                let same = usize::from(expected == hydrogen_on);
                let free = usize::from(drawing.is_free(expected, atoms));
                let offset = wanted.map_or(0, |bond| bond.a as i32 - expected as i32);
                let offset = coder.signed(HYDROGEN_ON + (same * 2 + free) * SIGNED, offset);
                hydrogen_on = (expected as i64 + i64::from(offset)).clamp(0, atom as i64 - 1) as usize;
                hydrogen_on
            } else {
                if below == 0 {
                    break;
                }
                let is_free = usize::from(drawing.is_free(below - 1, atoms));
                let context = BOND_BACK + (place.min(2) * 2 + is_free) * NUMBER;
                let back = coder.number(context, wanted.map_or(0, |bond| (below - 1) as u32 - bond.a));
                below - 1 - (back as usize).min(below - 1)
            };
            below = partner;
            let bond = kind(coder, atoms, &drawing, partner, atom, wanted);
            drawing.add(&bond);
            if C::DECODES {
                component.bonds.push(bond);
            }
        }
    }
    drawing
}

/// Codes what kind of bond it is.
fn kind<C: Coder>(
    coder: &mut C,
    atoms: &[ComponentAtom],
    drawing: &Drawing,
    a: usize,
    b: usize,
    wanted: Option<&ComponentBond>,
) -> ComponentBond {
    let mut bond = wanted.copied().unwrap_or(ComponentBond {
        a: a as u32,
        b: b as u32,
        order: BondOrder::Single,
        is_aromatic: false,
        stereo: BondStereo::None,
    });
    let classes = [a, b].map(|atom| class_of(atoms[atom].element));
    if classes.contains(&0) {
        let is_plain = bond.order == BondOrder::Single && !bond.is_aromatic && bond.stereo == BondStereo::None;
        if !coder.bit(BOND_PLAIN, !is_plain) {
            return bond;
        }
    }
    let pair = classes[0] * CLASSES + classes[1];
    let aromatic = |kind: BondKind| kind.is_aromatic;
    let around = drawing.has(a, aromatic) * 2 + drawing.has(b, aromatic);
    bond.is_aromatic = coder.bit(BOND_AROMATIC + pair * 4 + around, bond.is_aromatic);
    let double = |kind: BondKind| kind.order == 2;
    let around = drawing.has(a, double) * 2 + drawing.has(b, double);
    let context = (usize::from(bond.is_aromatic) * 4 + around) * CLASSES * CLASSES + pair;
    bond.order = order_of(coder.symbol(BOND_ORDER + context * 8, 3, u32::from(number_of(bond.order))));
    let context = BOND_STEREO + (usize::from(bond.is_aromatic) * 8 + usize::from(number_of(bond.order))) * 4;
    bond.stereo = match coder.symbol(context, 2, bond.stereo as u32) {
        1 => BondStereo::E,
        2 => BondStereo::Z,
        _ => BondStereo::None,
    };
    bond
}

fn flags<C: Coder>(coder: &mut C, component: &mut Component, drawing: &Drawing, polymer: usize) {
    let mut was_leaving = 0;
    for index in 0..component.atoms.len() {
        let around = &drawing.neighbours[index];
        let hydrogens = around.iter().filter(|(other, _)| component.atoms[*other].element == Element::H).count();
        let aromatic = drawing.has(index, |kind| kind.is_aromatic);
        let atom = &mut component.atoms[index];
        let class = class_of(atom.element);
        atom.is_aromatic = coder.bit(ATOM_AROMATIC + aromatic, atom.is_aromatic);
        let context = LEAVING + (polymer * CLASSES + class) * 2 + was_leaving;
        atom.is_leaving = coder.bit(context, atom.is_leaving);
        was_leaving = usize::from(atom.is_leaving);
        let context = ((class * 5 + around.len().min(4)) * 3 + hydrogens.min(2)) * 2 + aromatic;
        atom.stereo = match coder.symbol(CENTRE_STEREO + context * 4, 2, atom.stereo as u32) {
            1 => CentreStereo::R,
            2 => CentreStereo::S,
            _ => CentreStereo::None,
        };
    }
}

/// Contexts of one kind of names.
const NAME_CONTEXTS: usize = 2 + EXPECTED + 2 * 2 * 4 * 128;
const EXPECTED: usize = 2 * 3 * 4 * 4 * 4;

/// What names are expected to be, from those before.
#[derive(Default)]
struct NameHabits {
    /// The last one of each element (by atomic number), after the symbol.
    last: std::collections::HashMap<u8, SmolStr>,
    last_heavy: SmolStr,
    /// Whether the first and second expectation came true last time, for heavy atoms and hydrogens.
    came_true: [[bool; 2]; 2],
}

fn names<C: Coder>(coder: &mut C, component: &mut Component, drawing: &Drawing) {
    let mut habits = NameHabits::default();
    // What the first hydrogen on an atom has after that atom's number, by how many hydrogens the atom has.
    let mut additions = [const { SmolStr::new_static("") }; 4];
    let mut suffixes: Vec<SmolStr> = vec![SmolStr::default(); component.atoms.len()];
    for index in 0..component.atoms.len() {
        let element = component.atoms[index].element;
        let symbol = element.symbol().to_ascii_uppercase();
        let symbol = if component.atoms[index].is_deuterium { "D" } else { symbol.as_str() };
        let is_hydrogen = element == Element::H;
        let host = drawing.neighbours[index].first().map(|(host, _)| *host).filter(|host| is_hydrogen && *host < index);
        let siblings: Vec<usize> = host.map_or_else(Vec::new, |host| {
            let on_host = drawing.neighbours[host].iter().map(|(other, _)| *other);
            on_host.filter(|other| component.atoms[*other].element == Element::H).collect()
        });
        let is_later = siblings.iter().any(|other| *other < index);
        let group = siblings.len().min(3);
        let counted = habits.last.get(&element.atomic_number()).map_or_else(SmolStr::default, |last| successor(last));
        let other = match host {
            Some(host) => SmolStr::from(format!("{}{}", suffixes[host], additions[group])),
            None => successor(&habits.last_heavy),
        };
        let expected = if host.is_some() && !is_later { [other, counted] } else { [counted, other] };
        let suffix = name(coder, NAME, symbol, &expected, &mut habits, is_hydrogen, &component.atoms[index].name);
        if let Some(host) = host
            && !is_later
            && let Some(addition) = suffix.strip_prefix(suffixes[host].as_str())
        {
            additions[group] = addition.into();
        }
        if !is_hydrogen {
            habits.last_heavy.clone_from(&suffix.0);
        }
        habits.last.insert(element.atomic_number(), suffix.0.clone());
        component.atoms[index].name = suffix.1;
        suffixes[index] = suffix.0;
    }
    other_names(coder, component);
}

/// Names of the time before 2007, where they differ.
fn other_names<C: Coder>(coder: &mut C, component: &mut Component) {
    let any = component.atoms.iter().any(|atom| !atom.other_name.is_empty());
    if !coder.bit(HAS_OTHER_NAMES, any) {
        return;
    }
    let mut habits = NameHabits::default();
    let mut was_same = false;
    for atom in &mut component.atoms {
        was_same = coder.bit(OTHER_NAME_SAME + usize::from(was_same), atom.other_name.is_empty());
        let is_hydrogen = atom.element == Element::H;
        let number = atom.element.atomic_number();
        if !was_same {
            // The last character of a hydrogen's name once stood in front of it.
            let turned = match atom.name.char_indices().next_back() {
                Some((place, last)) if is_hydrogen => format!("{last}{}", &atom.name[..place]).into(),
                _ => atom.name.clone(),
            };
            let counted = habits.last.get(&number).map_or_else(SmolStr::default, |last| successor(last));
            let found = name(coder, OTHER_NAME, "", &[turned, counted], &mut habits, is_hydrogen, &atom.other_name);
            atom.other_name = found.1;
        }
        let held = if was_same { &atom.name } else { &atom.other_name };
        habits.last.insert(number, held.clone());
    }
}

/// What follows the element's symbol, and the whole name.
struct Named(SmolStr, SmolStr);

impl Named {
    fn strip_prefix(&self, prefix: &str) -> Option<&str> {
        self.0.strip_prefix(prefix)
    }
}

/// Codes one name, character by character, each first as one of the expected ones.
fn name<C: Coder>(
    coder: &mut C,
    base: usize,
    symbol: &str,
    expected: &[SmolStr; 2],
    habits: &mut NameHabits,
    is_hydrogen: bool,
    given: &str,
) -> Named {
    let kind = usize::from(is_hydrogen);
    let starts = given.starts_with(symbol);
    let has_symbol = !coder.bit(base + kind, !starts);
    let rest = if starts { &given[symbol.len()..] } else { given };
    let mut rest = rest.bytes();
    let mut found: Vec<u8> = Vec::new();
    let habit = usize::from(habits.came_true[kind][0]) * 2 + usize::from(habits.came_true[kind][1]);
    loop {
        // Zero is the end.
        let wanted = rest.next().unwrap_or(0);
        let candidates = expected.each_ref().map(|text| {
            text.as_bytes().starts_with(&found).then(|| text.as_bytes().get(found.len()).copied().unwrap_or(0))
        });
        let place = found.len().min(2);
        let context = base + 2 + ((kind * 3 + place) * 4 + habit) * 16;
        let mut character = None;
        let mut try_one = |coder: &mut C, which: usize, candidate: u8| {
            if character.is_none() && !coder.bit(context + which, wanted != candidate) {
                character = Some(candidate);
            }
        };
        match candidates {
            [Some(first), Some(second)] if first == second => try_one(coder, 0, first),
            [Some(first), Some(second)] => {
                try_one(coder, 1 + usize::from(first == 0), first);
                try_one(coder, 3 + usize::from(second == 0), second);
            }
            [Some(first), None] => try_one(coder, 5 + usize::from(first == 0), first),
            [None, Some(second)] => try_one(coder, 7 + usize::from(second == 0), second),
            [None, None] => {}
        }
        let character = character.unwrap_or_else(|| {
            let previous = match found.last() {
                None => 0,
                Some(digit) if digit.is_ascii_digit() => 1,
                Some(letter) if letter.is_ascii_alphabetic() => 2,
                Some(_) => 3,
            };
            let context = base + 2 + EXPECTED + ((kind * 2 + usize::from(place == 0)) * 4 + previous) * 128;
            coder.symbol(context, 7, u32::from(wanted)) as u8
        });
        if character == 0 || found.len() == MAX_NAME {
            break;
        }
        found.push(character);
    }
    habits.came_true[kind] = expected.each_ref().map(|text| text.as_bytes() == found);
    // All below 128, so this is text.
    let suffix = SmolStr::from(String::from_utf8_lossy(&found));
    let whole = if has_symbol { SmolStr::from(format!("{symbol}{suffix}")) } else { suffix.clone() };
    Named(suffix, whole)
}

/// The name after this one when counting: the trailing number, or the last letter, one further.
fn successor(text: &str) -> SmolStr {
    let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (stem, number) = text.split_at(text.len() - digits);
    if digits > 0
        && digits <= 6
        && let Ok(value) = number.parse::<u32>()
    {
        return SmolStr::from(format!("{stem}{:0digits$}", value + 1));
    }
    match text.char_indices().next_back() {
        Some((place, last @ ('A'..='Y' | 'a'..='y'))) => {
            SmolStr::from(format!("{}{}", &text[..place], (last as u8 + 1) as char))
        }
        Some(_) => SmolStr::new(text),
        None => SmolStr::new_static("1"),
    }
}
