//! Coordinates of a component, predicted from the bonds so that only what chemistry does not know is stored.
//!
//! Atoms are taken along the bonds, breadth first. The place of an atom is predicted from the bonded atom it hangs on
//! and that atom's other neighbours placed before: opposite to them where three are known, in their plane or to one side
//! of it where two are, on a circle where one is (then the place on the circle is stored too, in steps of 5 degrees). What
//! is left, a few hundredths of an Ångström, is stored exactly: coordinates come back as the whole thousandths they were.
//!
//! Reading must predict bit for bit what writing predicted, on any machine. So only addition, subtraction,
//! multiplication, division and square root are used here: IEEE 754 fixes their results.

use std::collections::HashMap;

use super::range_coder::{Coder, SIGNED};

/// A position or direction.
type Vector = [f64; 3];

/// Steps of a full turn.
const STEPS: usize = 72;
/// Kinds of prediction; see [`Case`].
const CASES: usize = 6;
/// Classes of the size of what is left.
const SIZES: usize = 6;

/// Contexts for the coordinates of components.
pub(super) const CONTEXTS: usize = RESIDUALS + 2 * CASES * 2 * SIZES * SIGNED;
const MISSING: usize = 0;
const SIDES: usize = MISSING + 2 * 2;
const TURNS: usize = SIDES + 2 * 2;
const RESIDUALS: usize = TURNS + 2 * 2 * 3 * 2 * 128;

/// What the graph of a component says about geometry.
pub(super) struct Graph<'a> {
    /// Atomic number of each atom.
    pub elements: &'a [u8],
    /// For each atom its neighbours and the kind of bond, in rising order.
    pub neighbours: &'a [Vec<(usize, BondKind)>],
}

/// What decides a bond's length beside the elements: its order and whether it is aromatic.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct BondKind {
    /// 1, 2, 3; 4 for aromatic, 5 for coordination.
    pub order: u8,
    /// Whether the dictionary calls it aromatic.
    pub is_aromatic: bool,
}

/// Usual bond lengths in thousandths of an Å.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lengths {
    /// By coordinate set, the two elements from the placed atom outward, and the kind of bond.
    pub usual: HashMap<LengthKey, u16>,
}

/// Coordinate set (0 ideal, 1 model), the placed atom's element, the new atom's, order, aromatic.
pub(super) type LengthKey = (u8, u8, u8, u8, bool);

impl Lengths {
    fn of(&self, key: LengthKey) -> f64 {
        self.usual.get(&key).copied().map_or_else(
            || {
                let radius = |number| crate::Element::from_atomic_number(number).covalent_radius();
                f64::from(((radius(key.1) + radius(key.2)) * 1000.0).round())
            },
            f64::from,
        )
    }
}

/// How an atom's place was predicted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    /// Not at all: the first atom of a fragment, or one whose neighbours have no coordinates.
    Free,
    /// From one neighbour.
    Bonded,
    /// On a circle around the bond before.
    Circle,
    /// In the plane of two neighbours of the atom it hangs on.
    Plane,
    /// To one side of that plane.
    Side,
    /// Opposite to three or more neighbours.
    Opposite,
}

/// Codes one coordinate set (0 ideal, 1 model) in whole thousandths of an Å.
pub(super) fn coordinates<C: Coder>(
    coder: &mut C,
    base: usize,
    set: usize,
    graph: &Graph<'_>,
    lengths: &Lengths,
    positions: &mut [Option<[i32; 3]>],
) {
    let mut was_missing = false;
    for position in positions.iter_mut() {
        was_missing = coder.bit(base + MISSING + set * 2 + usize::from(was_missing), position.is_none());
        if C::DECODES {
            *position = (!was_missing).then_some([0; 3]);
        }
    }
    let mut placing = Placing {
        set,
        base,
        graph,
        lengths,
        placed: vec![None; positions.len()],
        last_lengths: HashMap::new(),
        last_sizes: [[3; 2]; CASES],
        last: [0.0; 3],
    };
    for (atom, parent) in breadth_first(graph) {
        if let Some(position) = &mut positions[atom] {
            placing.place(coder, atom, parent, position);
        }
    }
}

/// Atoms along the bonds, each with the one it was reached from.
fn breadth_first(graph: &Graph<'_>) -> Vec<(usize, Option<usize>)> {
    let mut order: Vec<(usize, Option<usize>)> = Vec::with_capacity(graph.elements.len());
    let mut seen = vec![false; graph.elements.len()];
    for start in 0..graph.elements.len() {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        let mut at = order.len();
        order.push((start, None));
        while let Some(&(atom, _)) = order.get(at) {
            for &(next, _) in &graph.neighbours[atom] {
                if !std::mem::replace(&mut seen[next], true) {
                    order.push((next, Some(atom)));
                }
            }
            at += 1;
        }
    }
    order
}

struct Placing<'a> {
    set: usize,
    base: usize,
    graph: &'a Graph<'a>,
    lengths: &'a Lengths,
    placed: Vec<Option<Vector>>,
    /// The last length to a hydrogen by the atom it hangs on: programs that place hydrogens use one length for each kind.
    last_lengths: HashMap<(u8, usize), f64>,
    /// The class of what was last left, by case and by whether it was a hydrogen.
    last_sizes: [[usize; 2]; CASES],
    last: Vector,
}

impl Placing<'_> {
    fn place<C: Coder>(&mut self, coder: &mut C, atom: usize, parent: Option<usize>, position: &mut [i32; 3]) {
        let is_hydrogen = usize::from(self.graph.elements[atom] == 1);
        let actual = position.map(f64::from);
        let parent = parent.and_then(|parent| Some((parent, self.placed[parent]?)));
        let (predicted, case) = match parent {
            Some((parent, origin)) => self.predict(coder, atom, parent, origin, actual),
            None => (self.last, Case::Free),
        };
        let context = self.base + RESIDUALS + ((self.set * CASES + case as usize) * 2 + is_hydrogen) * SIZES * SIGNED;
        let mut size = self.last_sizes[case as usize][is_hydrogen];
        let mut largest = 0;
        for axis in 0..3 {
            // Stays within what the coder takes whatever a damaged file holds.
            let start = (predicted[axis].round() as i32).clamp(-LIMIT, LIMIT);
            let rest = coder.signed(context + size * SIGNED, position[axis].clamp(-LIMIT, LIMIT) - start);
            position[axis] = (start + rest.clamp(-2 * LIMIT, 2 * LIMIT)).clamp(-LIMIT, LIMIT);
            size = size_class(rest);
            largest = largest.max(size);
        }
        self.last_sizes[case as usize][is_hydrogen] = largest;
        let position = position.map(f64::from);
        if let Some((parent, origin)) = parent
            && is_hydrogen == 1
        {
            let length = norm(difference(position, origin));
            self.last_lengths.insert((self.graph.elements[parent], self.graph.neighbours[parent].len()), length);
        }
        self.placed[atom] = Some(position);
        self.last = position;
    }

    /// The length of the bond that the atom hangs on.
    fn length(&self, atom: usize, parent: usize) -> f64 {
        let elements = self.graph.elements;
        if elements[atom] == 1
            && let Some(length) = self.last_lengths.get(&(elements[parent], self.graph.neighbours[parent].len()))
        {
            return *length;
        }
        let kind = self.kind(atom, parent);
        self.lengths.of((self.set as u8, elements[parent], elements[atom], kind.order, kind.is_aromatic))
    }

    fn kind(&self, a: usize, b: usize) -> BondKind {
        let found = self.graph.neighbours[a].iter().find(|(other, _)| *other == b);
        found.map_or(BondKind { order: 1, is_aromatic: false }, |(_, kind)| *kind)
    }

    fn predict<C: Coder>(
        &self,
        coder: &mut C,
        atom: usize,
        parent: usize,
        origin: Vector,
        actual: Vector,
    ) -> (Vector, Case) {
        let around: Vec<(usize, Vector)> = self.graph.neighbours[parent]
            .iter()
            .filter_map(|(next, _)| Some((*next, unit(difference(self.placed[*next]?, origin), X))))
            .collect();
        let length = self.length(atom, parent);
        let degree = self.graph.neighbours[parent].len();
        let is_hydrogen = usize::from(self.graph.elements[atom] == 1);
        match around[..] {
            [] => (origin, Case::Bonded),
            [(before, direction)] => {
                let frame = self.frame(parent, before, direction);
                (self.on_circle(coder, atom, parent, origin, actual, &frame, length), Case::Circle)
            }
            [(_, first), (_, second)] if degree == 3 => {
                (along(origin, unit(sum(first, second), X), -length), Case::Plane)
            }
            [(_, first), (_, second)] => {
                // Tetrahedral: 1/sqrt(3) against the bisector, sqrt(2/3) to one side.
                let middle = along(origin, unit(sum(first, second), X), -0.577_350_269 * length);
                let normal = unit(cross(first, second), Z);
                let sides = [0.816_496_581, -0.816_496_581].map(|share| along(middle, normal, share * length));
                let context = self.base + SIDES + self.set * 2 + is_hydrogen;
                let is_nearer = distance_squared(sides[1], actual) < distance_squared(sides[0], actual);
                (sides[usize::from(coder.bit(context, is_nearer))], Case::Side)
            }
            _ => {
                let all = around.iter().fold([0.0; 3], |held, (_, direction)| sum(held, *direction));
                (along(origin, unit(all, X), -length), Case::Opposite)
            }
        }
    }

    /// Axes for an atom that hangs on `parent`, which hangs on `before`: on along the bond, towards a neighbour of
    /// `before`, and the third; and whether there is such a neighbour.
    fn frame(&self, parent: usize, before: usize, direction: Vector) -> ([Vector; 3], bool) {
        let on = scaled(direction, -1.0);
        let reference = self.graph.neighbours[before]
            .iter()
            .filter(|(next, _)| *next != parent)
            .find_map(|(next, _)| Some(difference(self.placed[*next]?, self.placed[before]?)));
        let wanted = reference.unwrap_or([0.3, 0.5, 0.8]);
        let towards = unit(along(wanted, on, -dot(wanted, on)), perpendicular(on));
        ([on, towards, cross(on, towards)], reference.is_some())
    }

    fn on_circle<C: Coder>(
        &self,
        coder: &mut C,
        atom: usize,
        parent: usize,
        origin: Vector,
        actual: Vector,
        ([on, towards, third], has_reference): &([Vector; 3], bool),
        length: f64,
    ) -> Vector {
        let degree = self.graph.neighbours[parent].len();
        let is_linear = degree == 2 && self.graph.neighbours[parent].iter().any(|(_, kind)| kind.order == 3);
        // Cosine and sine of the angle that the bond turns by.
        let (cosine, sine) = match degree {
            2 if is_linear => (1.0, 0.0),
            3 => (0.5, 0.866_025_404),
            _ => (0.333_806_859, 0.942_641_491),
        };
        let is_hydrogen = usize::from(self.graph.elements[atom] == 1);
        let spread = degree.clamp(2, 4) - 2;
        let context = ((self.set * 2 + is_hydrogen) * 3 + spread) * 2 + usize::from(*has_reference);
        let wanted = if C::DECODES {
            0
        } else {
            // Only the writer measures; what it finds is stored.
            let offset = difference(actual, origin);
            let turn = dot(offset, *third).atan2(dot(offset, *towards)) / std::f64::consts::TAU;
            (turn * STEPS as f64).round().rem_euclid(STEPS as f64) as u32
        };
        let step = coder.symbol(self.base + TURNS + context * 128, 7, wanted) as usize % STEPS;
        let (cosine_turn, sine_turn) = turned(step);
        let sideways = along(scaled(*towards, cosine_turn), *third, sine_turn);
        along(along(origin, *on, cosine * length), sideways, sine * length)
    }
}

/// Coordinates beyond this many thousandths of an Å are not coordinates.
const LIMIT: i32 = 1 << 26;

fn size_class(rest: i32) -> usize {
    match rest.unsigned_abs() {
        0 => 0,
        1..=2 => 1,
        3..=7 => 2,
        8..=31 => 3,
        32..=127 => 4,
        _ => 5,
    }
}

/// Cosine and sine of so many steps.
fn turned(step: usize) -> (f64, f64) {
    // 5 degrees, then by the addition theorem.
    const COSINE: f64 = 0.996_194_698_091_745_5;
    const SINE: f64 = 0.087_155_742_747_658_17;
    (0..step).fold((1.0, 0.0), |(cosine, sine), _| (cosine * COSINE - sine * SINE, sine * COSINE + cosine * SINE))
}

const X: Vector = [1.0, 0.0, 0.0];
const Z: Vector = [0.0, 0.0, 1.0];

fn sum(a: Vector, b: Vector) -> Vector {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

fn difference(a: Vector, b: Vector) -> Vector {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn scaled(a: Vector, by: f64) -> Vector {
    [a[0] * by, a[1] * by, a[2] * by]
}

fn along(start: Vector, direction: Vector, by: f64) -> Vector {
    sum(start, scaled(direction, by))
}

fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: Vector, b: Vector) -> Vector {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn norm(a: Vector) -> f64 {
    dot(a, a).sqrt()
}

fn distance_squared(a: Vector, b: Vector) -> f64 {
    let offset = difference(a, b);
    dot(offset, offset)
}

/// The direction of a vector, or another one where it has none.
fn unit(a: Vector, otherwise: Vector) -> Vector {
    let length = norm(a);
    if length > 1e-6 { scaled(a, 1.0 / length) } else { otherwise }
}

fn perpendicular(a: Vector) -> Vector {
    let aside = if a[0] * a[0] < 0.5 { X } else { Z };
    unit(cross(a, aside), Z)
}

/// Lengths of all bonds in the order of prediction, for the table of usual ones.
pub(super) fn observed_lengths(
    set: usize,
    graph: &Graph<'_>,
    positions: &[Option<[i32; 3]>],
    seen: &mut HashMap<LengthKey, Vec<u16>>,
) {
    for (atom, parent) in breadth_first(graph) {
        let (Some(at), Some((parent, from))) =
            (positions[atom], parent.and_then(|parent| Some((parent, positions[parent]?))))
        else {
            continue;
        };
        let kind = graph.neighbours[atom].iter().find(|(other, _)| *other == parent);
        let length = norm(difference(at.map(f64::from), from.map(f64::from)));
        if let Some((_, kind)) = kind
            && length < 5000.0
        {
            let key = (set as u8, graph.elements[parent], graph.elements[atom], kind.order, kind.is_aromatic);
            seen.entry(key).or_default().push(length.round() as u16);
        }
    }
}
