//! From what is shown to what is drawn.
//!
//! A [`Plan`] says what the view should show; it is cheap to make every frame and to compare with the last one. When it
//! differs, the scene thread turns it into the viewer's [`Scene`]: chooses atoms, assigns helices and strands, finds the
//! side chains around the ligand.

use std::sync::Arc;

use glam::Vec3;
use kfold_molecule::analysis::interactions::Interaction;
use kfold_molecule::structure::{Model, ResidueKind};
use kfold_molecule::{SmallMolecule, Structure};
use kfold_viewer::{
    AtomSelection, CarbonColor, Color, Coloring, Dash, DockingBox, Object, ObjectId, Representation, Scene,
};

use super::document::{ColourBy, Representation as Drawn, ViewSettings};
use super::problems::find_residue;

/// The receptor's identifier in the scene.
pub const RECEPTOR: ObjectId = 1;
/// The ligand's.
pub const LIGAND: ObjectId = 2;
/// The reference ligand's.
pub const REFERENCE: ObjectId = 3;
/// The search box's.
pub const SEARCH_BOX: ObjectId = 4;

/// Side chains with an atom this near to the ligand are drawn, Å.
const SITE_DISTANCE: f32 = 4.5;

/// Carbon of the ligand. Colours of things, not of the window, stand here with the other choices of the scene and are
/// the same on light and dark ground; they are stronger than the chains' so that they stand out.
pub const LIGAND_CARBON: u32 = 0x1FA35C;
/// Carbon of the reference.
pub const REFERENCE_CARBON: u32 = 0xC2308E;
/// Carbon of the pocket's residues.
const MARKED_CARBON: u32 = 0xD9B53C;

/// What the view should show.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The receptor and which of its models.
    pub receptor: Option<(Arc<Structure>, usize)>,
    /// The ligand; its first conformer is drawn.
    pub ligand: Option<Arc<SmallMolecule>>,
    /// A ligand to compare with.
    pub reference: Option<Arc<SmallMolecule>>,
    /// Interactions of the ligand.
    pub interactions: Option<Arc<Vec<Interaction>>>,
    /// Centre and edge lengths of the search box, Å.
    pub search_box: Option<(Vec3, Vec3)>,
    /// Residues of the pocket, `A:145`.
    pub marked: Vec<String>,
    /// Values to colour residues by, one a residue, with the highest.
    pub residue_values: Option<(Arc<Vec<f32>>, f32)>,
    /// Whether the receptor's B-factors are pLDDT.
    pub has_plddt: bool,
    /// How it is drawn.
    pub view: ViewSettings,
    /// On a dark ground.
    pub is_dark: bool,
}

fn same<T>(a: Option<&Arc<T>>, b: Option<&Arc<T>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        _ => false,
    }
}

impl PartialEq for Plan {
    /// Heavy parts are compared by identity: equal plans draw the same.
    fn eq(&self, other: &Self) -> bool {
        let receptor = |plan: &Self| plan.receptor.as_ref().map(|(structure, model)| (Arc::as_ptr(structure), *model));
        let values =
            |plan: &Self| plan.residue_values.as_ref().map(|(values, high)| (Arc::as_ptr(values), high.to_bits()));
        receptor(self) == receptor(other)
            && same(self.ligand.as_ref(), other.ligand.as_ref())
            && same(self.reference.as_ref(), other.reference.as_ref())
            && same(self.interactions.as_ref(), other.interactions.as_ref())
            && self.search_box == other.search_box
            && self.marked == other.marked
            && values(self) == values(other)
            && self.has_plddt == other.has_plddt
            && self.view == other.view
            && self.is_dark == other.is_dark
    }
}

impl Plan {
    /// Whether there is anything to see.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.receptor.is_none() && self.ligand.is_none() && self.reference.is_none()
    }

    /// Whether it shows other molecules than the other plan, so that the camera should look anew.
    #[must_use]
    pub fn shows_other_molecules(&self, other: &Self) -> bool {
        let receptor = |plan: &Self| {
            plan.receptor
                .as_ref()
                .and_then(|(structure, _)| structure.first())
                .map(|model| Arc::as_ptr(&model.topology))
        };
        receptor(self) != receptor(other)
    }
}

/// A built scene.
pub struct Built {
    /// What it was built from.
    pub plan: Plan,
    /// What is drawn.
    pub scene: Scene,
    /// Everything's positions, for framing; Å.
    pub all: Vec<Vec3>,
    /// The ligand's positions, else the pocket's; Å.
    pub focus: Vec<Vec3>,
}

/// Builds the scene of a plan.
#[must_use]
pub fn build(plan: Plan) -> Built {
    let mut scene = Scene::default();
    let mut all = Vec::new();
    let mut focus = Vec::new();
    let ligand = plan.ligand.as_ref().and_then(|ligand| model_of(ligand, "LIG"));
    let reference = plan.reference.as_ref().and_then(|reference| model_of(reference, "REF"));
    let site_center = ligand.as_ref().or(reference.as_ref());
    if let Some(model) = site_center {
        focus.clone_from(&model.positions);
    }
    if let Some(model) = plan.receptor.as_ref().and_then(|(structure, index)| structure.models.get(*index)) {
        let object = receptor(&plan, model, site_center, &mut focus);
        all.extend(object.points(&AtomSelection::filter(&model.topology, |atom| {
            model.topology.residue_of(atom).kind != ResidueKind::Water
        })));
        scene.objects.push(object);
    }
    if let Some(model) = &reference {
        let atoms = AtomSelection::All.without_carbon_hydrogens(&model.topology);
        let colours = Coloring::Element(CarbonColor::Uniform(Color::hex(REFERENCE_CARBON)));
        // Beside a pose it steps back.
        let opacity = if ligand.is_some() { 0.5 } else { 1.0 };
        all.extend(&model.positions);
        scene.objects.push(
            Object::new(REFERENCE, model)
                .with(Representation::sticks().of(atoms).colored(colours).with_opacity(opacity)),
        );
    }
    if let Some(model) = &ligand {
        let atoms = AtomSelection::All.without_carbon_hydrogens(&model.topology);
        let colours = Coloring::Element(CarbonColor::Uniform(Color::hex(LIGAND_CARBON)));
        all.extend(&model.positions);
        let mut object = Object::new(LIGAND, model).with(Representation::ball_and_stick().of(atoms).colored(colours));
        if let Some(interactions) = plan.interactions.as_ref().filter(|_| plan.view.interactions) {
            let dashes =
                interactions.iter().map(|found| Dash { points: found.points, kind: found.kind }).collect::<Vec<_>>();
            if !dashes.is_empty() {
                object = object.with(Representation::dashes(dashes));
            }
        }
        scene.objects.push(object);
    }
    if let Some((center, size)) = plan.search_box.filter(|_| plan.view.search_box) {
        let colour = Color::hex(if plan.is_dark { 0x74B3F0 } else { 0x1B5EA6 });
        // A box belongs to no atoms: an object needs a model, so it hangs on an empty one.
        let carrier = Model { number: 1, topology: Arc::default(), positions: Vec::new(), b_factors: Vec::new() };
        scene.objects.push(
            Object::new(SEARCH_BOX, &carrier).with(Representation::docking_box(DockingBox { center, size }, colour)),
        );
        if focus.is_empty() {
            focus.extend([center - size * 0.5, center + size * 0.5]);
        }
        if all.is_empty() {
            all.extend([center - size * 0.5, center + size * 0.5]);
        }
    }
    Built { plan, scene, all, focus }
}

fn model_of(molecule: &SmallMolecule, name: &str) -> Option<Model> {
    molecule.to_structure("", name).models.into_iter().next()
}

fn receptor(plan: &Plan, model: &Model, site: Option<&Model>, focus: &mut Vec<Vec3>) -> Object {
    let topology = &model.topology;
    let polymer = AtomSelection::polymer(topology);
    let colouring = polymer_colouring(plan, model);
    let mut object = Object::new(RECEPTOR, model);
    object = object.with(match plan.view.representation {
        Drawn::Cartoon => Representation::cartoon().of(polymer).colored(colouring),
        Drawn::Sticks => {
            Representation::sticks().of(polymer.without_carbon_hydrogens(topology)).colored(atom_colouring(colouring))
        }
        Drawn::Spheres => Representation::spheres(1.0).of(polymer).colored(atom_colouring(colouring)),
    });
    let others = AtomSelection::ligands(topology).without_carbon_hydrogens(topology);
    object = object.with(Representation::sticks().of(others));
    object = object.with(Representation::spheres(0.5).of(AtomSelection::of_kinds(topology, &[ResidueKind::Ion])));
    if plan.view.waters {
        object =
            object.with(Representation::spheres(0.25).of(AtomSelection::of_kinds(topology, &[ResidueKind::Water])));
    }
    if plan.view.representation == Drawn::Cartoon {
        let mut marked = Vec::new();
        for name in &plan.marked {
            if let Some(residue) = find_residue(topology, name) {
                marked.extend(topology.atoms_of(residue).map(|atom| atom as u32));
            }
        }
        if focus.is_empty() {
            focus.extend(marked.iter().filter_map(|atom| model.positions.get(*atom as usize)));
        }
        if !marked.is_empty() {
            object = object.with(
                Representation::sticks()
                    .of(AtomSelection::of(marked))
                    .colored(Coloring::Element(CarbonColor::Uniform(Color::hex(MARKED_CARBON)))),
            );
        }
        if let Some(site) = site.filter(|_| plan.view.site) {
            let near = AtomSelection::side_chains_near(topology, &model.positions, &site.positions, SITE_DISTANCE)
                .without_carbon_hydrogens(topology);
            object = object.with(Representation::sticks().of(near).colored(Coloring::Element(CarbonColor::Chain)));
        }
    }
    object
}

fn polymer_colouring(plan: &Plan, model: &Model) -> Coloring {
    if let Some((values, high)) = &plan.residue_values {
        let atoms =
            model.topology.atoms.iter().map(|atom| values.get(atom.residue as usize).copied().unwrap_or(0.0)).collect();
        return Coloring::Values { values: Arc::new(atoms), low: 0.0, high: high.max(0.1), ramp: Vec::new() };
    }
    match plan.view.colour {
        ColourBy::Chain => Coloring::Chain,
        ColourBy::SecondaryStructure => Coloring::SecondaryStructure,
        ColourBy::Position => Coloring::Rainbow,
        ColourBy::Element => Coloring::Element(CarbonColor::Grey),
        ColourBy::BFactor if plan.has_plddt => Coloring::Plddt,
        ColourBy::BFactor => {
            let finite = || model.b_factors.iter().copied().filter(|value| value.is_finite());
            let low = finite().fold(f32::INFINITY, f32::min);
            let high = finite().fold(f32::NEG_INFINITY, f32::max);
            if low < high { Coloring::BFactor { low, high } } else { Coloring::Chain }
        }
        // Without an ensemble there is no fluctuation to show.
        ColourBy::Fluctuation => Coloring::Chain,
    }
}

/// With atoms drawn one by one, a chain's colour is for its carbons only.
fn atom_colouring(colouring: Coloring) -> Coloring {
    match colouring {
        Coloring::Chain => Coloring::Element(CarbonColor::Chain),
        other => other,
    }
}
