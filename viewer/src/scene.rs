//! What is to be drawn: objects, and how each of them is shown.
//!
//! A scene is plain data that the window owns and changes as it likes. Everything heavy is behind an `Arc`; the renderer
//! compares pointers, not contents, to find what changed. To change coordinates put a new `Arc` in place; objects of an
//! ensemble share their topology.

use std::sync::Arc;

use glam::{Mat4, Vec3};
use kfold_molecule::analysis::interactions::InteractionKind;
use kfold_molecule::{AtomSet, Element, Model, ResidueKind, Topology};
use serde::{Deserialize, Serialize};

use crate::color::{CarbonColor, Color, Coloring};
use crate::labels::Label;
use crate::ribbon::RibbonKind;
use crate::surface::SurfaceStyle;

/// Identifies an object in a scene; chosen by whoever makes the scene, unique in it.
pub type ObjectId = u64;

/// Everything in the view.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// Objects in drawing order (which only matters for picking ties).
    pub objects: Vec<Object>,
    /// Atoms drawn with a bright outline.
    pub selected: Vec<(ObjectId, AtomSelection)>,
    /// Atoms under the cursor, drawn lighter with a soft outline.
    pub hovered: Vec<(ObjectId, AtomSelection)>,
    /// Words at places.
    pub labels: Arc<Vec<Label>>,
}

/// A molecule with its coordinates, shown in one or more ways.
#[derive(Clone, Debug)]
pub struct Object {
    /// Identifier.
    pub id: ObjectId,
    /// Atoms and bonds.
    pub topology: Arc<Topology>,
    /// Å, one for each atom.
    pub positions: Arc<Vec<Vec3>>,
    /// B-factors or pLDDT, one for each atom; may be empty.
    pub b_factors: Arc<Vec<f32>>,
    /// Shape of the ribbon at each residue. `None`: the cartoon assigns it from the coordinates.
    pub ribbon_kinds: Option<Arc<Vec<RibbonKind>>>,
    /// Where copies of it stand, as rigid motions of its coordinates; empty: once, where they are. The device holds its
    /// atoms once. Highlights mark every copy.
    pub copies: Arc<Vec<Mat4>>,
    /// Whether it is drawn.
    pub visible: bool,
    /// How it is shown; an object without representations is not.
    pub representations: Vec<Representation>,
}

/// One way in which some atoms of an object are drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Representation {
    /// What is drawn.
    pub shape: Shape,
    /// Of which atoms.
    pub atoms: AtomSelection,
    /// In which colours. Dashes have their own.
    pub coloring: Coloring,
    /// 1 is solid. Below, what lies behind shows through; such parts are not picked.
    pub opacity: f32,
    /// Whether it is drawn.
    pub visible: bool,
}

/// What a representation draws.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Ribbons for proteins and nucleic acids.
    Cartoon(CartoonStyle),
    /// Balls for atoms, sticks for bonds; bond orders are drawn.
    BallAndStick {
        /// Radius of a ball as a fraction of the van der Waals radius.
        ball_scale: f32,
        /// Radius of a stick, Å.
        stick_radius: f32,
    },
    /// Sticks with round ends.
    Sticks {
        /// Radius, Å.
        radius: f32,
        /// Whether double, triple and aromatic bonds are drawn as such.
        bond_orders: bool,
    },
    /// Spheres of the van der Waals radius times a scale.
    Spheres {
        /// 1 for space-filling.
        scale: f32,
    },
    /// Lines of constant width.
    Lines {
        /// Pixels.
        width: f32,
    },
    /// Carbohydrates as symbols of the SNFG, joined by rods.
    Glycans {
        /// Size of a symbol, Å.
        size: f32,
    },
    /// Molecular surfaces.
    Surface(SurfaceStyle),
    /// Interactions as dashed lines in the colours of their kinds; the atoms and colouring of the representation are not
    /// used.
    Dashes(Arc<Vec<Dash>>),
    /// Dashed lines that measure, in the colour of the representation; its atoms are not used.
    Measured(Arc<Vec<[Vec3; 2]>>),
    /// The edges of a box, for the search space of docking; the atoms are not used.
    Box(DockingBox),
}

/// A dashed line between two points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dash {
    /// Ends, Å.
    pub points: [Vec3; 2],
    /// Sets the colour.
    pub kind: InteractionKind,
}

/// An axis-aligned box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DockingBox {
    /// Middle, Å.
    pub center: Vec3,
    /// Full length of the edges, Å.
    pub size: Vec3,
}

/// Dimensions of a cartoon, Å; the defaults have ChimeraX's proportions (2.0 wide, 0.4 thick).
#[derive(Clone, Debug, PartialEq)]
pub struct CartoonStyle {
    /// Width of helices and strands.
    pub width: f32,
    /// Thickness of helices and strands.
    pub thickness: f32,
    /// Diameter of coils.
    pub coil: f32,
    /// Width of the widest part of an arrow as a multiple of the strand's.
    pub arrow: f32,
    /// Cross sections for each residue; even.
    pub divisions: u32,
    /// How the bases of nucleic acids are drawn.
    pub bases: BaseStyle,
    /// How the backbone is drawn.
    pub backbone: BackboneStyle,
}

/// How the backbone of a cartoon is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum BackboneStyle {
    /// Ribbons with arrows.
    #[default]
    Ribbon,
    /// The same with a straight tube around each helix.
    TubularHelices,
    /// A tube as thick as a value.
    Putty(Putty),
    /// Straight tubes from CA to CA, or C4' to C4'.
    Trace {
        /// Å.
        radius: f32,
    },
}

/// Values that a tube's thickness shows: B-factors, pLDDT, RMSF.
#[derive(Clone, Debug)]
pub struct Putty {
    /// One for each atom; those of the backbone's guide atoms count.
    pub values: Arc<Vec<f32>>,
    /// Value where the tube is thinnest (0.2 Å).
    pub thin: f32,
    /// Value where it is thickest (1.8 Å); below `thin` for what is worse the lower it is.
    pub thick: f32,
}

impl PartialEq for Putty {
    /// Lists are equal when they are the same list.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.values, &other.values) && self.thin == other.thin && self.thick == other.thick
    }
}

impl Putty {
    /// Of pLDDT: thick where the prediction is unsure.
    #[must_use]
    pub const fn of_plddt(values: Arc<Vec<f32>>) -> Self {
        Self { values, thin: 95.0, thick: 35.0 }
    }

    /// From the lowest to the highest of the values.
    #[must_use]
    pub fn of_range(values: Arc<Vec<f32>>) -> Self {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let (thin, thick) = (finite().fold(f32::INFINITY, f32::min), finite().fold(f32::NEG_INFINITY, f32::max));
        if thin < thick { Self { values, thin, thick } } else { Self { values, thin: 0.0, thick: 1.0 } }
    }
}

/// How the bases of nucleic acids are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BaseStyle {
    /// One rung for each base, from the backbone to its far end.
    Ladder,
    /// The rings filled, with a rung to the backbone.
    #[default]
    FilledRings,
    /// A slab for each base, with a rung to the backbone.
    Slabs,
    /// Bases are not drawn.
    Hidden,
}

impl Default for CartoonStyle {
    fn default() -> Self {
        Self {
            width: 2.0,
            thickness: 0.4,
            coil: 0.45,
            arrow: 1.6,
            divisions: 8,
            bases: BaseStyle::default(),
            backbone: BackboneStyle::default(),
        }
    }
}

/// A set of an object's atoms.
#[derive(Clone, Debug, Default)]
pub enum AtomSelection {
    /// All atoms of the primary location (the blank altloc, or the most occupied).
    #[default]
    All,
    /// These atoms, indices ascending.
    Atoms(Arc<Vec<u32>>),
}

impl PartialEq for AtomSelection {
    /// Selections are equal when they are the same list, not when two lists hold the same atoms.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, Self::All) => true,
            (Self::Atoms(a), Self::Atoms(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl AtomSelection {
    /// These atoms, in any order.
    #[must_use]
    pub fn of(mut atoms: Vec<u32>) -> Self {
        atoms.sort_unstable();
        atoms.dedup();
        Self::Atoms(Arc::new(atoms))
    }

    /// The atoms of the primary location for which `wanted(atom index)` holds.
    #[must_use]
    pub fn filter(topology: &Topology, mut wanted: impl FnMut(usize) -> bool) -> Self {
        Self::Atoms(Arc::new(
            (0..topology.atoms.len())
                .filter(|&atom| wanted(atom) && topology.is_primary_location(atom))
                .map(|atom| atom as u32)
                .collect(),
        ))
    }

    /// What a selection of the molecule library selects.
    #[must_use]
    pub fn of_set(atoms: &AtomSet) -> Self {
        Self::Atoms(Arc::new(atoms.iter().map(|atom| atom as u32).collect()))
    }

    /// Those of its atoms that are in the set as well.
    #[must_use]
    pub fn within(&self, topology: &Topology, atoms: &AtomSet) -> Self {
        let mut indices = self.indices(topology);
        indices.retain(|atom| atoms.contains(*atom as usize));
        Self::Atoms(Arc::new(indices))
    }

    /// The atoms of residues of these kinds.
    #[must_use]
    pub fn of_kinds(topology: &Topology, kinds: &[ResidueKind]) -> Self {
        Self::filter(topology, |atom| kinds.contains(&topology.residue_of(atom).kind))
    }

    /// Protein and nucleic acids.
    #[must_use]
    pub fn polymer(topology: &Topology) -> Self {
        Self::of_kinds(topology, &[ResidueKind::Protein, ResidueKind::Dna, ResidueKind::Rna])
    }

    /// Ligands, cofactors and sugars.
    #[must_use]
    pub fn ligands(topology: &Topology) -> Self {
        Self::of_kinds(topology, &[ResidueKind::Ligand, ResidueKind::Carbohydrate])
    }

    /// Side chains, with their CA, of the polymer's residues with any atom within `distance` Å of the points: sticks that
    /// stand on the ribbon. Glycine has none.
    #[must_use]
    pub fn side_chains_near(topology: &Topology, positions: &[Vec3], points: &[Vec3], distance: f32) -> Self {
        let near = residues_near(topology, positions, points, distance);
        Self::filter(topology, |atom| {
            let residue = topology.residue_of(atom);
            let backbone = matches!(topology.atoms[atom].name.as_str(), "N" | "C" | "O" | "OXT" | "H" | "HA")
                && residue.name != "PRO";
            near.get(topology.atoms[atom].residue as usize).copied().unwrap_or(false)
                && residue.is_polymer()
                && residue.name != "GLY"
                && !backbone
        })
    }

    /// Whole residues of any kind with an atom within `distance` Å of the points.
    #[must_use]
    pub fn residues_near(topology: &Topology, positions: &[Vec3], points: &[Vec3], distance: f32) -> Self {
        let near = residues_near(topology, positions, points, distance);
        Self::filter(topology, |atom| near.get(topology.atoms[atom].residue as usize).copied().unwrap_or(false))
    }

    /// The same without hydrogens on carbon, as chemists draw molecules.
    #[must_use]
    pub fn without_carbon_hydrogens(&self, topology: &Topology) -> Self {
        let mut hide = vec![false; topology.atoms.len()];
        for bond in &topology.bonds {
            let (a, b) = (bond.a as usize, bond.b as usize);
            if let (Some(first), Some(second)) = (topology.atoms.get(a), topology.atoms.get(b)) {
                hide[a] |= first.element == Element::H && second.element == Element::C;
                hide[b] |= second.element == Element::H && first.element == Element::C;
            }
        }
        Self::Atoms(Arc::new(
            self.indices(topology)
                .into_iter()
                .filter(|&atom| !hide.get(atom as usize).copied().unwrap_or(false))
                .collect(),
        ))
    }

    /// The atoms' indices, ascending; those beyond the topology are left out.
    #[must_use]
    pub fn indices(&self, topology: &Topology) -> Vec<u32> {
        let count = topology.atoms.len() as u32;
        match self {
            Self::All => (0..count).filter(|&atom| topology.is_primary_location(atom as usize)).collect(),
            Self::Atoms(atoms) => atoms.iter().copied().filter(|&atom| atom < count).collect(),
        }
    }
}

/// For each residue whether one of its atoms lies within `distance` of one of the points.
fn residues_near(topology: &Topology, positions: &[Vec3], points: &[Vec3], distance: f32) -> Vec<bool> {
    let mut near = vec![false; topology.residues.len()];
    let (center, radius) = crate::camera::bounding_sphere(points);
    let reach = (radius + distance) * (radius + distance);
    let limit = distance * distance;
    for (atom, &position) in topology.atoms.iter().zip(positions) {
        let Some(flag) = near.get_mut(atom.residue as usize) else { continue };
        if !*flag
            && position.distance_squared(center) <= reach
            && points.iter().any(|point| point.distance_squared(position) <= limit)
        {
            *flag = true;
        }
    }
    near
}

impl Object {
    /// A visible object with a model's coordinates and no representation yet.
    #[must_use]
    pub fn new(id: ObjectId, model: &Model) -> Self {
        Self {
            id,
            topology: Arc::clone(&model.topology),
            positions: Arc::new(model.positions.clone()),
            b_factors: Arc::new(model.b_factors.clone()),
            ribbon_kinds: None,
            copies: Arc::default(),
            visible: true,
            representations: Vec::new(),
        }
    }

    /// The same in copies, as [`Object::copies`].
    #[must_use]
    pub fn copied(self, copies: Vec<Mat4>) -> Self {
        Self { copies: Arc::new(copies), ..self }
    }

    /// Where its copies stand: at least one.
    #[must_use]
    pub fn places(&self) -> &[Mat4] {
        if self.copies.is_empty() { &[Mat4::IDENTITY] } else { &self.copies }
    }

    /// The same with a representation more.
    #[must_use]
    pub fn with(mut self, representation: Representation) -> Self {
        self.representations.push(representation);
        self
    }

    /// The same with every representation cut down to these atoms. Dashes and boxes, which have no atoms, stay.
    #[must_use]
    pub fn showing_only(mut self, atoms: &AtomSet) -> Self {
        for representation in &mut self.representations {
            representation.atoms = representation.atoms.within(&self.topology, atoms);
        }
        self
    }

    /// Positions of some of its atoms, in all copies, for framing.
    #[must_use]
    pub fn points(&self, atoms: &AtomSelection) -> Vec<Vec3> {
        let indices = atoms.indices(&self.topology);
        let own = || indices.iter().filter_map(|atom| self.positions.get(*atom as usize));
        self.places().iter().flat_map(|place| own().map(|point| place.transform_point3(*point))).collect()
    }

    /// The representations that a newly opened structure gets: cartoon by chain for polymers, sticks for ligands, balls
    /// for ions, small balls for water.
    #[must_use]
    pub fn with_default_representations(self) -> Self {
        let topology = Arc::clone(&self.topology);
        let has = |kinds: &[ResidueKind]| topology.residues.iter().any(|residue| kinds.contains(&residue.kind));
        let mut object = self;
        if has(&[ResidueKind::Protein, ResidueKind::Dna, ResidueKind::Rna]) {
            object = object.with(Representation::cartoon());
        }
        if has(&[ResidueKind::Ligand, ResidueKind::Carbohydrate]) {
            object = object.with(
                Representation::sticks().of(AtomSelection::ligands(&topology).without_carbon_hydrogens(&topology)),
            );
        }
        if has(&[ResidueKind::Ion]) {
            object =
                object.with(Representation::spheres(0.5).of(AtomSelection::of_kinds(&topology, &[ResidueKind::Ion])));
        }
        object
    }
}

impl Representation {
    /// A visible, solid representation of all atoms.
    #[must_use]
    pub fn new(shape: Shape, coloring: Coloring) -> Self {
        Self { shape, atoms: AtomSelection::All, coloring, opacity: 1.0, visible: true }
    }

    /// Cartoon by chain.
    #[must_use]
    pub fn cartoon() -> Self {
        Self::new(Shape::Cartoon(CartoonStyle::default()), Coloring::Chain)
    }

    /// Balls and sticks by element.
    #[must_use]
    pub fn ball_and_stick() -> Self {
        Self::new(Shape::BallAndStick { ball_scale: 0.25, stick_radius: 0.14 }, Coloring::Element(CarbonColor::Grey))
    }

    /// Sticks by element.
    #[must_use]
    pub fn sticks() -> Self {
        Self::new(Shape::Sticks { radius: 0.22, bond_orders: true }, Coloring::Element(CarbonColor::Grey))
    }

    /// Spheres by element; scale 1 fills space.
    #[must_use]
    pub fn spheres(scale: f32) -> Self {
        Self::new(Shape::Spheres { scale }, Coloring::Element(CarbonColor::Grey))
    }

    /// Lines by element.
    #[must_use]
    pub fn lines() -> Self {
        Self::new(Shape::Lines { width: 2.0 }, Coloring::Element(CarbonColor::Grey))
    }

    /// Carbohydrates as symbols, in the colours of the SNFG.
    #[must_use]
    pub fn glycans() -> Self {
        Self::new(Shape::Glycans { size: 3.8 }, Coloring::Glycans)
    }

    /// A surface by chain.
    #[must_use]
    pub fn surface(style: SurfaceStyle) -> Self {
        Self::new(Shape::Surface(style), Coloring::Chain)
    }

    /// Dashed lines.
    #[must_use]
    pub fn dashes(lines: Vec<Dash>) -> Self {
        Self::new(Shape::Dashes(Arc::new(lines)), Coloring::Uniform(Color::WHITE))
    }

    /// The edges of a box in one colour.
    #[must_use]
    pub fn docking_box(bounds: DockingBox, color: Color) -> Self {
        Self::new(Shape::Box(bounds), Coloring::Uniform(color))
    }

    /// The same for these atoms.
    #[must_use]
    pub fn of(self, atoms: AtomSelection) -> Self {
        Self { atoms, ..self }
    }

    /// The same in these colours.
    #[must_use]
    pub fn colored(self, coloring: Coloring) -> Self {
        Self { coloring, ..self }
    }

    /// The same with this opacity, 0-1.
    #[must_use]
    pub fn with_opacity(self, opacity: f32) -> Self {
        Self { opacity, ..self }
    }
}
