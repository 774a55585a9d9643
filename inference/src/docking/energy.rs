//! The two landscapes of a ligand in a receptor: on grids for the search, pair by pair for the final word.

use std::sync::Arc;

use glam::{Vec3, Vec3A};

use super::grid::{Grids, Map, OUTSIDE_SLOPE};
use super::ligand_tree::{Frame, LigandTree, Placement, Pose};
use super::minimize::Landscape;
use super::pocket::SearchBox;
use super::scoring::{EmpiricalFunction, PairTables};
use super::typing::{AtomType, TypedReceptor};

/// Where repulsion is cut off softly, so that a ligand can pass through what it must: an energy `e > 0` becomes
/// `e c / (e + c)`.
#[derive(Clone, Copy, Debug)]
pub struct Caps {
    /// kcal/mol for one atom in the receptor.
    pub atom: f32,
    /// kcal/mol for one pair inside the ligand.
    pub pair: f32,
}

impl Caps {
    /// While hunting for a minimum, as Vina has it.
    pub const HUNT: Self = Self { atom: 1.5, pair: 10.0 };
    /// For poses that count.
    pub const AUTHENTIC: Self = Self { atom: 1000.0, pair: 1000.0 };
}

/// The factor on the energy and the one on its gradient.
#[inline]
fn capped(energy: f32, cap: f32) -> (f32, f32) {
    if energy > 0.0 {
        let factor = cap / (cap + energy);
        (energy * factor, factor * factor)
    } else {
        (energy, 1.0)
    }
}

/// Springs that hold atoms of the ligand near given places, e.g. those of a scaffold whose pose is known. They guide the
/// search; no score counts them.
#[derive(Clone, Debug, Default)]
pub struct Tether {
    /// Atoms in tree order with their places, Å.
    pub places: Vec<(u32, Vec3A)>,
}

/// Stiffness of a spring, kcal/mol/Å².
const TETHER_STIFFNESS: f32 = 2.0;

impl Tether {
    /// The springs' energy in kcal/mol; their pull is added to the gradient.
    fn pull(&self, coordinates: &[Vec3A], by_coordinate: &mut [Vec3A]) -> f32 {
        let mut energy = 0.0;
        for &(atom, place) in &self.places {
            let away = coordinates[atom as usize] - place;
            energy += TETHER_STIFFNESS * away.length_squared();
            by_coordinate[atom as usize] += 2.0 * TETHER_STIFFNESS * away;
        }
        energy
    }
}

/// What a ligand needs for grid energies, shared by all searches.
#[derive(Clone, Debug)]
pub struct GridField<'a> {
    tree: &'a LigandTree,
    grids: &'a Grids,
    /// One map for each atom that moves, in tree order.
    maps: Vec<Arc<Map>>,
    tether: Option<&'a Tether>,
    /// For each atom that is the first of pairs: its index and where its partners end in `partners`.
    firsts: Vec<(u32, u32)>,
    /// Second atoms, each with the start of the pair's table.
    partners: Vec<(u32, u32)>,
    tables: PairTables,
}

impl<'a> GridField<'a> {
    /// Fails (`None`) when a map of the ligand's types was not added to the grids.
    #[must_use]
    pub fn new(
        tree: &'a LigandTree,
        grids: &'a Grids,
        function: &EmpiricalFunction,
        tether: Option<&'a Tether>,
    ) -> Option<Self> {
        let moving = &tree.types()[..tree.moving_atoms()];
        let maps = moving.iter().map(|&kind| grids.map(kind)).collect::<Option<Vec<_>>>()?;
        // Sorted by their first atom, so that the pairs of an atom are read in a row.
        let mut pairs: Vec<(u32, u32)> = tree.pairs().to_vec();
        pairs.extend(tree.contact_pairs());
        pairs.extend(tree.side_chain_pairs());
        pairs.sort_by_key(|&(first, _)| first);
        let mut kinds: Vec<(AtomType, AtomType)> = Vec::new();
        let mut tables_of_pairs = Vec::with_capacity(pairs.len());
        for &(a, b) in &pairs {
            let (first, second) = (tree.types()[a as usize], tree.types()[b as usize]);
            let kind = (first.min(second), first.max(second));
            tables_of_pairs.push(kinds.iter().position(|known| *known == kind).unwrap_or_else(|| {
                kinds.push(kind);
                kinds.len() - 1
            }));
        }
        let tables = PairTables::new(function, &kinds);
        let mut firsts: Vec<(u32, u32)> = Vec::new();
        let mut partners = Vec::with_capacity(pairs.len());
        for (&(a, b), &table) in pairs.iter().zip(&tables_of_pairs) {
            partners.push((b, tables.start(table) as u32));
            match firsts.last_mut() {
                Some((first, end)) if *first == a => *end += 1,
                _ => firsts.push((a, partners.len() as u32)),
            }
        }
        Some(Self { tree, grids, maps, tether, firsts, partners, tables })
    }

    /// The tree.
    #[must_use]
    pub const fn tree(&self) -> &'a LigandTree {
        self.tree
    }

    /// The box.
    #[must_use]
    pub const fn search_box(&self) -> &SearchBox {
        self.grids.search_box()
    }

    /// What holds the ligand.
    #[must_use]
    pub const fn tether(&self) -> Option<&'a Tether> {
        self.tether
    }
}

/// A ligand on grids.
#[derive(Debug)]
pub struct GridLandscape<'a> {
    field: &'a GridField<'a>,
    /// The conformer.
    pub frame: &'a Frame,
    /// How hard atoms are.
    pub caps: Caps,
    placement: Placement,
    by_coordinate: Vec<Vec3A>,
}

impl<'a> GridLandscape<'a> {
    /// A landscape with its own working memory.
    #[must_use]
    pub fn new(field: &'a GridField<'a>, frame: &'a Frame, caps: Caps) -> Self {
        let by_coordinate = vec![Vec3A::ZERO; field.tree.types().len()];
        Self { field, frame, caps, placement: Placement::default(), by_coordinate }
    }

    /// Heavy atoms of the ligand, in tree order.
    pub fn coordinates(&mut self, pose: &Pose) -> &[Vec3A] {
        self.field.tree.place(self.frame, pose, &mut self.placement);
        &self.placement.coordinates[..self.field.tree.heavy().len()]
    }
}

impl Landscape for GridLandscape<'_> {
    fn evaluate(&mut self, pose: &Pose, gradient: &mut [f32]) -> f32 {
        let field = self.field;
        field.tree.place(self.frame, pose, &mut self.placement);
        let coordinates = &self.placement.coordinates;
        let mut energy = 0.0;
        let ligand_atoms = field.tree.heavy().len();
        for ((map, &position), by_coordinate) in field.maps.iter().zip(coordinates).zip(&mut self.by_coordinate) {
            let (atom_energy, slope) = field.grids.at(map, position, self.caps.atom);
            energy += atom_energy;
            *by_coordinate = slope;
        }
        if field.grids.is_wider_than_box() {
            for (&position, by_coordinate) in coordinates[..ligand_atoms].iter().zip(&mut self.by_coordinate) {
                let (outside, slope) = outside_box(field.search_box(), position);
                energy += outside;
                *by_coordinate += slope;
            }
        }
        self.by_coordinate[field.maps.len()..].fill(Vec3A::ZERO);
        let cutoff = field.tables.cutoff_squared();
        let cap = self.caps.pair;
        let mut start = 0;
        for &(a, end) in &field.firsts {
            let position = coordinates[a as usize];
            let mut force_on_first = Vec3A::ZERO;
            for &(b, table) in &field.partners[start..end as usize] {
                let apart = position - coordinates[b as usize];
                let squared = apart.length_squared();
                if squared < cutoff {
                    let (pair_energy, slope) = field.tables.at(table as usize, squared);
                    let (pair_energy, factor) = capped(pair_energy, cap);
                    energy += pair_energy;
                    let force = apart * (2.0 * slope * factor);
                    force_on_first += force;
                    self.by_coordinate[b as usize] -= force;
                }
            }
            self.by_coordinate[a as usize] += force_on_first;
            start = end as usize;
        }
        if let Some(tether) = field.tether {
            energy += tether.pull(coordinates, &mut self.by_coordinate);
        }
        field.tree.gradient(&mut self.placement, &self.by_coordinate, gradient);
        energy
    }

    fn levers(&self) -> &[f32] {
        self.frame.levers()
    }
}

/// What an atom pays for being outside the box, and the slope.
fn outside_box(search_box: &SearchBox, position: Vec3A) -> (f32, Vec3A) {
    let away = position - position.clamp(Vec3A::from(search_box.low()), Vec3A::from(search_box.high()));
    let slope = Vec3A::select(away.cmpne(Vec3A::ZERO), OUTSIDE_SLOPE * away.signum(), Vec3A::ZERO);
    (OUTSIDE_SLOPE * away.abs().element_sum(), slope)
}

/// The parts of a pose's energy, kcal/mol.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Energies {
    /// Ligand against receptor, flexible residues included.
    pub intermolecular: f32,
    /// Within the ligand.
    pub intramolecular: f32,
    /// Flexible side chains against the rest of the receptor and each other.
    pub side_chains: f32,
}

impl Energies {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> f32 {
        self.intermolecular + self.intramolecular + self.side_chains
    }
}

/// Receptor atoms in cells, for exact sums.
#[derive(Clone, Debug)]
pub struct ReceptorCells {
    low: Vec3,
    counts: [usize; 3],
    cells: Vec<Vec<(Vec3A, AtomType)>>,
}

/// Edge of a cell, Å: half of the cutoff.
const CELL: f32 = 4.0;

impl ReceptorCells {
    /// Sorts the receptor's atoms into cells.
    #[must_use]
    pub fn new(receptor: &TypedReceptor) -> Self {
        let (mut low, mut high) = (Vec3::INFINITY, Vec3::NEG_INFINITY);
        for &position in &receptor.positions {
            low = low.min(position);
            high = high.max(position);
        }
        if receptor.positions.is_empty() {
            (low, high) = (Vec3::ZERO, Vec3::ZERO);
        }
        let counts = ((high - low) / CELL).to_array().map(|extent| (extent.floor() as usize).min(1023) + 1);
        let mut cells = vec![Vec::new(); counts.iter().product()];
        let mut built = Self { low, counts, cells: Vec::new() };
        for (&position, &kind) in receptor.positions.iter().zip(&receptor.types) {
            let [x, y, z] = built.cell(position).map(|cell| cell.max(0) as usize);
            cells[(x * counts[1] + y) * counts[2] + z].push((Vec3A::from(position), kind));
        }
        built.cells = cells;
        built
    }

    fn cell(&self, position: Vec3) -> [i32; 3] {
        let scaled = ((position - self.low) / CELL).floor().to_array();
        std::array::from_fn(|axis| (scaled[axis] as i32).clamp(-3, self.counts[axis] as i32 + 2))
            .map(|index: i32| index)
    }

    /// Calls for each receptor atom that may be within 8 Å.
    fn near(&self, position: Vec3A, mut visit: impl FnMut(Vec3A, AtomType)) {
        let center = self.cell(Vec3::from(position));
        let range = |axis: usize| {
            let last = self.counts[axis] as i32 - 1;
            (center[axis] - 2).max(0)..=(center[axis] + 2).min(last)
        };
        for x in range(0) {
            for y in range(1) {
                for z in range(2) {
                    let index = (x as usize * self.counts[1] + y as usize) * self.counts[2] + z as usize;
                    for &(atom, kind) in &self.cells[index] {
                        visit(atom, kind);
                    }
                }
            }
        }
    }
}

/// A ligand against every atom of the receptor, without grids.
#[derive(Debug)]
pub struct ExactLandscape<'a> {
    tree: &'a LigandTree,
    frame: &'a Frame,
    cells: &'a ReceptorCells,
    function: &'a EmpiricalFunction,
    search_box: Option<SearchBox>,
    tether: Option<&'a Tether>,
    placement: Placement,
    by_coordinate: Vec<Vec3A>,
    scratch: Vec<f32>,
}

impl<'a> ExactLandscape<'a> {
    /// A landscape. `cells` hold the receptor without the tree's flexible residues.
    #[must_use]
    pub fn new(
        tree: &'a LigandTree,
        frame: &'a Frame,
        cells: &'a ReceptorCells,
        function: &'a EmpiricalFunction,
    ) -> Self {
        Self {
            tree,
            frame,
            cells,
            function,
            search_box: None,
            tether: None,
            placement: Placement::default(),
            by_coordinate: vec![Vec3A::ZERO; tree.types().len()],
            scratch: vec![0.0; tree.degrees_of_freedom()],
        }
    }

    /// The same with a box, which to leave costs as much as on the grids, and with what holds the ligand.
    #[must_use]
    pub const fn within(mut self, search_box: SearchBox, tether: Option<&'a Tether>) -> Self {
        self.search_box = Some(search_box);
        self.tether = tether;
        self
    }

    /// The parts of a pose's energy; box and tether are left out.
    pub fn energies(&mut self, pose: &Pose) -> Energies {
        let mut scratch = std::mem::take(&mut self.scratch);
        let energies = self.sum(pose, &mut scratch).0;
        self.scratch = scratch;
        energies
    }

    /// Positions of all atoms of the molecule, and of the receptor's atoms that side chains carry.
    pub fn all_positions(&mut self, pose: &Pose) -> (Vec<Vec3>, Vec<(u32, Vec3)>) {
        self.tree.place(self.frame, pose, &mut self.placement);
        let ligand = self.tree.all_positions(self.frame, &self.placement);
        (ligand, self.tree.side_chain_positions(&self.placement))
    }

    fn sum(&mut self, pose: &Pose, gradient: &mut [f32]) -> (Energies, f32) {
        let tree = self.tree;
        tree.place(self.frame, pose, &mut self.placement);
        self.by_coordinate.fill(Vec3A::ZERO);
        let ligand = tree.heavy().len();
        let energies = Energies {
            intermolecular: (self.receptor_sum(0..ligand) + self.pair_sum(tree.contact_pairs())) as f32,
            intramolecular: self.pair_sum(tree.pairs().iter().copied()) as f32,
            side_chains: (self.receptor_sum(ligand..tree.moving_atoms()) + self.pair_sum(tree.side_chain_pairs()))
                as f32,
        };
        let coordinates = &self.placement.coordinates;
        let mut held = 0.0;
        if let Some(search_box) = &self.search_box {
            for (&position, by_coordinate) in coordinates[..ligand].iter().zip(&mut self.by_coordinate) {
                let (energy, slope) = outside_box(search_box, position);
                held += energy;
                *by_coordinate += slope;
            }
        }
        if let Some(tether) = self.tether {
            held += tether.pull(coordinates, &mut self.by_coordinate);
        }
        tree.gradient(&mut self.placement, &self.by_coordinate, gradient);
        (energies, held)
    }

    /// Atoms against the receptor, in double precision: thousands of small terms of either sign.
    fn receptor_sum(&mut self, atoms: std::ops::Range<usize>) -> f64 {
        let cutoff = self.function.cutoff * self.function.cutoff;
        let mut sum = 0.0;
        for atom in atoms {
            let (position, kind) = (self.placement.coordinates[atom], self.tree.types()[atom]);
            let mut slope = Vec3A::ZERO;
            self.cells.near(position, |wall, other| {
                let apart = position - wall;
                let squared = apart.length_squared();
                if squared < cutoff {
                    let r = squared.sqrt().max(1e-3);
                    let (energy, derivative) = self.function.pair(kind, other, r);
                    sum += f64::from(energy);
                    slope += apart * (derivative / r);
                }
            });
            self.by_coordinate[atom] += slope;
        }
        sum
    }

    fn pair_sum(&mut self, pairs: impl Iterator<Item = (u32, u32)>) -> f64 {
        let cutoff = self.function.cutoff * self.function.cutoff;
        let (coordinates, types) = (&self.placement.coordinates, self.tree.types());
        let mut sum = 0.0;
        for (a, b) in pairs {
            let (a, b) = (a as usize, b as usize);
            let apart = coordinates[a] - coordinates[b];
            let squared = apart.length_squared();
            if squared < cutoff {
                let r = squared.sqrt().max(1e-3);
                let (energy, derivative) = self.function.pair(types[a], types[b], r);
                sum += f64::from(energy);
                let force = apart * (derivative / r);
                self.by_coordinate[a] += force;
                self.by_coordinate[b] -= force;
            }
        }
        sum
    }
}

impl Landscape for ExactLandscape<'_> {
    fn evaluate(&mut self, pose: &Pose, gradient: &mut [f32]) -> f32 {
        let (energies, held) = self.sum(pose, gradient);
        energies.total() + held
    }

    fn levers(&self) -> &[f32] {
        self.frame.levers()
    }
}
