//! From what is shown to what is drawn.
//!
//! A [`Plan`] says what the view should show; it is cheap to make every frame and to compare with the last one. When it
//! differs, the scene thread turns it into the viewer's objects: chooses atoms, assigns helices and strands, finds the
//! side chains around the ligand. What is selected is found there too; where nothing else changed, nothing else is built.

use std::sync::Arc;

use glam::Vec3;
use kfold_molecule::analysis::interactions::{Interaction, InteractionKind};
use kfold_molecule::analysis::superpose::superpose;
use kfold_molecule::assemblies::Assembly;
use kfold_molecule::selection::Target;
use kfold_molecule::structure::{Model, ResidueKind};
use kfold_molecule::{AtomSet, Selection, SmallMolecule, Structure};
use kfold_viewer::{
    AtomSelection, BackboneStyle, CarbonColor, CartoonStyle, Color, Coloring, Dash, DockingBox, Legend, LegendEntry,
    Object, ObjectId, Putty, Representation, Shape, SurfaceStyle, chain_color, interaction_color,
};

use crate::assembly;

use super::document::{Backbone, ColourBy, Representation as PolymerStyle, SurfacePart, ViewSettings};
use super::ensemble::followed_atoms;
use super::problems::find_residue;

/// The receptor's identifier in the scene.
pub const RECEPTOR: ObjectId = 1;
/// The ligand's.
pub const LIGAND: ObjectId = 2;
/// The reference ligand's.
pub const REFERENCE: ObjectId = 3;
/// The structure's that is compared.
pub const COMPARED: ObjectId = 5;
/// The search box's.
pub const SEARCH_BOX: ObjectId = 4;

/// Side chains with an atom this near to the ligand are drawn, Å.
const SITE_DISTANCE: f32 = 4.5;

/// Electrostatic potential of the strongest colours, kcal/(mol e).
const POTENTIAL_RANGE: f32 = 10.0;

/// Carbon of the ligand. Colours of things, not of the window, stand here with the other choices of the scene and are
/// the same on light and dark ground; they are stronger than the chains' so that they stand out.
pub const LIGAND_CARBON: u32 = 0x1FA35C;
/// Carbon of the reference.
pub const REFERENCE_CARBON: u32 = 0xC2308E;
/// The structure that is compared.
pub const COMPARED_COLOUR: u32 = 0xE09A2B;
/// The first of the other poses.
const FIRST_OVERLAY: ObjectId = 100;
/// The first of the other samples.
const FIRST_SAMPLE: ObjectId = 1000;
/// The second part of an assembly: chains that other operators move than those of the first, which is the receptor's.
pub const SECOND_PART: ObjectId = 2000;
/// Opacity of the best of the other samples, and of the last.
const SAMPLE_OPACITY: (f32, f32) = (0.55, 0.15);
/// Grid of surfaces while models are played, Å: coarse, so that they keep up.
const PLAYED_SPACING: f32 = 0.8;
/// What has no interaction, where colours tell of interactions.
const WITHOUT_INTERACTION: u32 = 0xC9CED6;
/// Carbon of the pocket's residues.
const MARKED_CARBON: u32 = 0xD9B53C;

/// What the view should show.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The receptor and which of its models.
    pub receptor: Option<(Arc<Structure>, usize)>,
    /// The assembly of the receptor that is drawn in its place.
    pub assembly: Option<Arc<Assembly>>,
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
    /// A structure laid on the receptor.
    pub compared: Option<Arc<Structure>>,
    /// Other poses, drawn faintly.
    pub overlay: Vec<Arc<SmallMolecule>>,
    /// The samples of a prediction, or the models of an ensemble, that the receptor is one of.
    pub samples: Samples,
    /// Fluctuation of residues for tubes that show it, Å.
    pub fluctuation: Option<Arc<Vec<f32>>>,
    /// Whether models are played one after the other.
    pub is_playing: bool,
    /// Whether the receptor's B-factors are pLDDT.
    pub has_plddt: bool,
    /// How it is drawn.
    pub view: ViewSettings,
    /// What is outlined.
    pub selection: Option<Selection>,
    /// On a dark ground.
    pub is_dark: bool,
}

/// Samples, best first.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    /// Structure, model and name of each.
    pub all: Vec<(Arc<Structure>, usize, String)>,
    /// Which of them is the receptor.
    pub shown: usize,
    /// Whether they lie where they are to be seen; else they are laid on the receptor.
    pub have_places: bool,
    /// Whether the others are drawn too.
    pub are_overlaid: bool,
}

impl PartialEq for Samples {
    fn eq(&self, other: &Self) -> bool {
        let key = |samples: &Self| (samples.shown, samples.have_places, samples.are_overlaid, samples.all.len());
        key(self) == key(other)
            && self.all.iter().zip(&other.all).all(|(a, b)| Arc::ptr_eq(&a.0, &b.0) && (a.1, &a.2) == (b.1, &b.2))
    }
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
        self.differs_in_selection_only(other) && self.selection == other.selection
    }
}

impl Plan {
    /// Whether the other plan draws the same, if something else may be outlined.
    #[must_use]
    pub fn differs_in_selection_only(&self, other: &Self) -> bool {
        let receptor = |plan: &Self| plan.receptor.as_ref().map(|(structure, model)| (Arc::as_ptr(structure), *model));
        let values =
            |plan: &Self| plan.residue_values.as_ref().map(|(values, high)| (Arc::as_ptr(values), high.to_bits()));
        receptor(self) == receptor(other)
            && same(self.assembly.as_ref(), other.assembly.as_ref())
            && same(self.ligand.as_ref(), other.ligand.as_ref())
            && same(self.reference.as_ref(), other.reference.as_ref())
            && same(self.interactions.as_ref(), other.interactions.as_ref())
            && self.search_box == other.search_box
            && self.marked == other.marked
            && values(self) == values(other)
            && same(self.compared.as_ref(), other.compared.as_ref())
            && self.overlay.len() == other.overlay.len()
            && self.overlay.iter().zip(&other.overlay).all(|(a, b)| Arc::ptr_eq(a, b))
            && self.samples == other.samples
            && same(self.fluctuation.as_ref(), other.fluctuation.as_ref())
            && self.is_playing == other.is_playing
            && self.has_plddt == other.has_plddt
            && self.view == other.view
            && self.is_dark == other.is_dark
    }

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
        receptor(self) != receptor(other) || !same(self.assembly.as_ref(), other.assembly.as_ref())
    }
}

/// A built scene.
pub struct Built {
    /// What it was built from.
    pub plan: Plan,
    /// What is drawn; nothing when that is what was drawn before.
    pub drawn: Option<Drawn>,
    /// What is outlined.
    pub selected: Selected,
}

/// What is drawn.
#[derive(Default)]
pub struct Drawn {
    /// The molecules.
    pub objects: Vec<Object>,
    /// Everything's positions, for framing; Å.
    pub all: Vec<Vec3>,
    /// The ligand's positions, else the pocket's; Å.
    pub focus: Vec<Vec3>,
    /// What colours mean, of the polymer and of its surface.
    pub legends: Vec<(ColourBy, Legend)>,
    /// The kinds of interactions that are drawn.
    pub interactions: Vec<InteractionKind>,
}

/// What is selected.
#[derive(Clone, Debug, Default)]
pub struct Selected {
    /// The atoms of each object.
    pub atoms: Vec<(ObjectId, AtomSelection)>,
    /// How many they are.
    pub atom_count: usize,
    /// Residues with a selected atom.
    pub residue_count: usize,
    /// Where they are, Å.
    pub points: Vec<Vec3>,
}

/// The molecules of a plan as models.
struct Molecules<'a> {
    receptor: Option<&'a Model>,
    ligand: Option<Model>,
    reference: Option<Model>,
    name: &'a str,
}

impl<'a> Molecules<'a> {
    fn of(plan: &'a Plan) -> Self {
        let receptor = plan.receptor.as_ref();
        Self {
            receptor: receptor.and_then(|(structure, index)| structure.models.get(*index)),
            ligand: plan.ligand.as_ref().and_then(|ligand| model_of(ligand, "LIG")),
            reference: plan.reference.as_ref().and_then(|reference| model_of(reference, "REF")),
            name: receptor.map_or("", |(structure, _)| &structure.name),
        }
    }

    fn parts(&self) -> Vec<(ObjectId, &Model)> {
        let parts = [(RECEPTOR, self.receptor), (LIGAND, self.ligand.as_ref()), (REFERENCE, self.reference.as_ref())];
        parts.into_iter().filter_map(|(object, model)| Some((object, model?))).collect()
    }

    /// The atoms of each molecule that a selection selects. It sees them side by side as one model, so that `within 5 of
    /// ligand` knows the pose that lies in the receptor.
    fn select(&self, selection: &Selection) -> Vec<(ObjectId, AtomSet)> {
        let parts = self.parts();
        let models: Vec<&Model> = parts.iter().map(|(_, model)| *model).collect();
        let joined;
        let model = match models.as_slice() {
            [] => return Vec::new(),
            [only] => *only,
            several => {
                joined = Model::join(several);
                &joined
            }
        };
        let atoms = selection.select_in(&Target { name: self.name, ..Target::new(model) });
        let mut first = 0;
        let of_part = |(object, model): (ObjectId, &Model)| {
            let count = model.topology.atoms.len();
            let own = AtomSet::from_indices(count, (0..count).filter(|atom| atoms.contains(first + atom)));
            first += count;
            (object, own)
        };
        parts.into_iter().map(of_part).collect()
    }

    fn selected(&self, selection: &Selection) -> Selected {
        let mut selected = Selected::default();
        for ((object, model), (_, atoms)) in self.parts().into_iter().zip(self.select(selection)) {
            selected.atom_count += atoms.len();
            selected.residue_count += atoms.residues(&model.topology).len();
            selected.points.extend(atoms.iter().filter_map(|atom| model.positions.get(atom)));
            if !atoms.is_empty() {
                selected.atoms.push((object, AtomSelection::of_set(&atoms)));
            }
        }
        selected
    }
}

/// Builds the scene of a plan, or finds what is selected only, where what was drawn `before` stays.
#[must_use]
pub fn build(plan: Plan, before: Option<&Plan>) -> Built {
    let molecules = Molecules::of(&plan);
    let mut selected = plan.selection.as_ref().map(|selection| molecules.selected(selection)).unwrap_or_default();
    if let (Some(assembly), Some(model)) = (&plan.assembly, molecules.receptor)
        && let Some((_, atoms)) = selected.atoms.iter().find(|(object, _)| *object == RECEPTOR).cloned()
    {
        let parts = assembly.places(&model.topology).map_or(1, |places| places.len());
        selected.atoms.extend((1..parts).map(|part| (SECOND_PART + part as ObjectId - 1, atoms.clone())));
    }
    let stays = before.is_some_and(|before| before.differs_in_selection_only(&plan));
    let drawn = (!stays).then(|| draw(&plan, &molecules));
    Built { plan, drawn, selected }
}

fn draw(plan: &Plan, molecules: &Molecules<'_>) -> Drawn {
    let Molecules { ligand, reference, .. } = molecules;
    let mut drawn = Drawn::default();
    let mut shown: Vec<(ObjectId, AtomSet)> = match &plan.view.hidden {
        Some(hidden) => molecules.select(hidden),
        None => Vec::new(),
    };
    shown.iter_mut().for_each(|(_, atoms)| atoms.invert());
    let shown_of = |object: ObjectId| shown.iter().find(|(id, _)| *id == object).map(|(_, atoms)| atoms);
    let is_shown = |object, atom: u32| shown_of(object).is_none_or(|atoms| atoms.contains(atom as usize));
    let shown_points = |object, model: &Model| {
        let points = model.positions.iter().enumerate().filter(|(atom, _)| is_shown(object, *atom as u32));
        points.map(|(_, point)| *point).collect::<Vec<Vec3>>()
    };
    let site_center = ligand.as_ref().or(reference.as_ref());
    if let Some(model) = site_center {
        drawn.focus.clone_from(&model.positions);
    }
    if let Some(model) = molecules.receptor {
        let colouring = polymer_colouring(plan, plan.view.colour, model);
        drawn.legends = legends(plan, &colouring, model);
        let bound = AtomSelection::ligands(&model.topology).indices(&model.topology);
        let bound: Vec<Vec3> = bound.iter().filter_map(|atom| model.positions.get(*atom as usize).copied()).collect();
        let site = match site_center {
            Some(center) => Some(center.positions.as_slice()),
            // The ligand of a predicted complex is part of it.
            None if plan.has_plddt && !bound.is_empty() => Some(bound.as_slice()),
            None => None,
        };
        if drawn.focus.is_empty() {
            drawn.focus.extend(site.unwrap_or_default());
        }
        let object = receptor(plan, model, colouring, site, &mut drawn.focus);
        for (object, of_part) in assembly::parts(object, plan.assembly.as_deref(), SECOND_PART) {
            drawn.all.extend(object.points(&AtomSelection::filter(&model.topology, |atom| {
                model.topology.residue_of(atom).kind != ResidueKind::Water
                    && is_shown(RECEPTOR, atom as u32)
                    && of_part.as_ref().is_none_or(|atoms| atoms.contains(atom))
            })));
            drawn.objects.push(object);
        }
    }
    if let Some(model) = plan.compared.as_ref().and_then(|structure| structure.first()) {
        let colour = Coloring::Uniform(Color::hex(COMPARED_COLOUR));
        let polymer = AtomSelection::polymer(&model.topology);
        let others = AtomSelection::ligands(&model.topology).without_carbon_hydrogens(&model.topology);
        let carbons = Coloring::Element(CarbonColor::Uniform(Color::hex(COMPARED_COLOUR)));
        drawn.objects.push(
            Object::new(COMPARED, model)
                .with(Representation::cartoon().of(polymer).colored(colour).with_opacity(0.45))
                .with(Representation::sticks().of(others).colored(carbons)),
        );
    }
    if let Some(model) = molecules.receptor.filter(|_| plan.samples.are_overlaid) {
        drawn.objects.extend(samples(plan, model));
    }
    for (index, molecule) in plan.overlay.iter().enumerate() {
        let Some(model) = model_of(molecule, "LIG") else { continue };
        let atoms = AtomSelection::All.without_carbon_hydrogens(&model.topology);
        let colours = Coloring::Element(CarbonColor::Uniform(chain_color(index)));
        drawn.objects.push(
            Object::new(FIRST_OVERLAY + index as ObjectId, &model)
                .with(Representation::sticks().of(atoms).colored(colours).with_opacity(0.6)),
        );
    }
    if let Some(model) = reference {
        let atoms = AtomSelection::All.without_carbon_hydrogens(&model.topology);
        let colours = Coloring::Element(CarbonColor::Uniform(Color::hex(REFERENCE_CARBON)));
        // Beside a pose it steps back.
        let opacity = if ligand.is_some() { 0.5 } else { 1.0 };
        drawn.all.extend(shown_points(REFERENCE, model));
        drawn.objects.push(
            Object::new(REFERENCE, model)
                .with(Representation::sticks().of(atoms).colored(colours).with_opacity(opacity)),
        );
    }
    if let Some(model) = ligand {
        let atoms = AtomSelection::All.without_carbon_hydrogens(&model.topology);
        let colours = Coloring::Element(CarbonColor::Uniform(Color::hex(LIGAND_CARBON)));
        drawn.all.extend(shown_points(LIGAND, model));
        let mut object = Object::new(LIGAND, model).with(Representation::ball_and_stick().of(atoms).colored(colours));
        if let Some(interactions) = plan.interactions.as_ref().filter(|_| plan.view.interactions) {
            let is_seen = |found: &&Interaction| {
                found.ligand_atoms.iter().any(|atom| is_shown(LIGAND, *atom))
                    && found.receptor_atoms.iter().any(|atom| is_shown(RECEPTOR, *atom))
            };
            let dashes = interactions.iter().filter(is_seen);
            let dashes = dashes.map(|found| Dash { points: found.points, kind: found.kind }).collect::<Vec<_>>();
            if !dashes.is_empty() {
                drawn.interactions.extend(dashes.iter().map(|dash| dash.kind));
                object = object.with(Representation::dashes(dashes));
            }
        }
        drawn.objects.push(object);
    }
    if ligand.is_none()
        && let Some(interactions) = plan.interactions.as_ref().filter(|_| plan.view.interactions)
        && let Some(object) = drawn.objects.first_mut().filter(|object| object.id == RECEPTOR)
    {
        // The ligand is part of the complex.
        let is_seen = |found: &&Interaction| found.receptor_atoms.iter().any(|atom| is_shown(RECEPTOR, *atom));
        let dashes = interactions.iter().filter(is_seen);
        let dashes: Vec<Dash> = dashes.map(|found| Dash { points: found.points, kind: found.kind }).collect();
        if !dashes.is_empty() {
            drawn.interactions.extend(dashes.iter().map(|dash| dash.kind));
            object.representations.push(Representation::dashes(dashes));
        }
    }
    drawn.interactions.sort_unstable();
    drawn.interactions.dedup();
    let only_shown = |object: Object| match shown_of(if object.id >= SECOND_PART { RECEPTOR } else { object.id }) {
        Some(atoms) => object.showing_only(atoms),
        None => object,
    };
    drawn.objects = drawn.objects.into_iter().map(only_shown).collect();
    if let Some((center, size)) = plan.search_box.filter(|_| plan.view.search_box) {
        let colour = Color::hex(if plan.is_dark { 0x74B3F0 } else { 0x1B5EA6 });
        // A box belongs to no atoms: an object needs a model, so it hangs on an empty one.
        let carrier = Model { number: 1, topology: Arc::default(), positions: Vec::new(), b_factors: Vec::new() };
        drawn.objects.push(
            Object::new(SEARCH_BOX, &carrier).with(Representation::docking_box(DockingBox { center, size }, colour)),
        );
        if drawn.focus.is_empty() {
            drawn.focus.extend([center - size * 0.5, center + size * 0.5]);
        }
        if drawn.all.is_empty() {
            drawn.all.extend([center - size * 0.5, center + size * 0.5]);
        }
    }
    drawn
}

fn model_of(molecule: &SmallMolecule, name: &str) -> Option<Model> {
    molecule.to_structure("", name).models.into_iter().next()
}

fn receptor(plan: &Plan, model: &Model, colouring: Coloring, site: Option<&[Vec3]>, focus: &mut Vec<Vec3>) -> Object {
    let topology = &model.topology;
    let polymer = AtomSelection::polymer(topology);
    let mut object = Object::new(RECEPTOR, model);
    let of_atoms = |shown: Representation| {
        shown.of(polymer.without_carbon_hydrogens(topology)).colored(atom_colouring(colouring.clone()))
    };
    object = object.with(match plan.view.representation {
        PolymerStyle::Cartoon => cartoon(plan, model).of(polymer.clone()).colored(colouring.clone()),
        PolymerStyle::BallAndStick => of_atoms(Representation::ball_and_stick()),
        PolymerStyle::Sticks => of_atoms(Representation::sticks()),
        PolymerStyle::Lines => of_atoms(Representation::lines()),
        PolymerStyle::Spheres => {
            Representation::spheres(1.0).of(polymer.clone()).colored(atom_colouring(colouring.clone()))
        }
        PolymerStyle::Surface => surface(plan, model, &colouring).of(polymer.clone()),
    });
    let surface_part = match plan.view.surface.part {
        _ if plan.view.representation == PolymerStyle::Surface => SurfacePart::Off,
        part => part,
    };
    match (surface_part, site) {
        (SurfacePart::Pocket, Some(site)) => {
            let near = AtomSelection::residues_near(topology, &model.positions, site, SITE_DISTANCE);
            let mut pocket = surface(plan, model, &atom_colouring(colouring)).of(near);
            if let Shape::Surface(style) = &mut pocket.shape {
                style.of = Some(polymer);
            }
            object = object.with(pocket);
        }
        (SurfacePart::Whole, _) => object = object.with(surface(plan, model, &colouring).of(polymer)),
        _ => {}
    }
    let sugars = [ResidueKind::Carbohydrate];
    let others = if plan.view.glycan_symbols {
        object = object.with(Representation::glycans().of(AtomSelection::of_kinds(topology, &sugars)));
        AtomSelection::of_kinds(topology, &[ResidueKind::Ligand])
    } else {
        AtomSelection::ligands(topology)
    };
    object = object.with(Representation::sticks().of(others.without_carbon_hydrogens(topology)));
    object = object.with(Representation::spheres(0.5).of(AtomSelection::of_kinds(topology, &[ResidueKind::Ion])));
    if plan.view.waters {
        object =
            object.with(Representation::spheres(0.25).of(AtomSelection::of_kinds(topology, &[ResidueKind::Water])));
    }
    if plan.view.representation == PolymerStyle::Cartoon {
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
            let near = AtomSelection::side_chains_near(topology, &model.positions, site, SITE_DISTANCE)
                .without_carbon_hydrogens(topology);
            object = object.with(Representation::sticks().of(near).colored(Coloring::Element(CarbonColor::Chain)));
        }
    }
    object
}

/// The polymer's cartoon, all of it, by chain.
fn cartoon(plan: &Plan, model: &Model) -> Representation {
    let b_factors = || Arc::new(model.b_factors.clone());
    let backbone = match (plan.view.backbone, &plan.fluctuation) {
        (Backbone::TubularHelices, _) => BackboneStyle::TubularHelices,
        (Backbone::Trace, _) => BackboneStyle::Trace { radius: 0.3 },
        (Backbone::PuttyBFactor, _) if !plan.has_plddt => BackboneStyle::Putty(Putty::of_range(b_factors())),
        (Backbone::PuttyBFactor | Backbone::PuttyPlddt, _) => BackboneStyle::Putty(Putty::of_plddt(b_factors())),
        (Backbone::PuttyFluctuation, Some(values)) => {
            let of_atom = |atom: &kfold_molecule::structure::Atom| values.get(atom.residue as usize).copied();
            let atoms = model.topology.atoms.iter().map(|atom| of_atom(atom).unwrap_or(0.0));
            BackboneStyle::Putty(Putty::of_range(Arc::new(atoms.collect())))
        }
        // Without an ensemble there is no fluctuation to show.
        (Backbone::Ribbon | Backbone::PuttyFluctuation, _) => BackboneStyle::Ribbon,
    };
    let style = CartoonStyle { bases: plan.view.bases, backbone, ..CartoonStyle::default() };
    Representation::new(Shape::Cartoon(style), Coloring::Chain)
}

/// The surface as it is set, of all atoms.
fn surface(plan: &Plan, model: &Model, colouring: &Coloring) -> Representation {
    let settings = &plan.view.surface;
    let usual = if settings.gaussian { SurfaceStyle::gaussian() } else { SurfaceStyle::default() };
    let spacing = if plan.is_playing { PLAYED_SPACING } else { usual.spacing };
    let style = SurfaceStyle { net: settings.net, cavities: settings.cavities, spacing, ..usual };
    let colouring = match settings.colour {
        Some(colour) => polymer_colouring(plan, colour, model),
        None => colouring.clone(),
    };
    Representation::surface(style).colored(colouring).with_opacity(settings.opacity)
}

/// The other samples, the worse the fainter.
fn samples(plan: &Plan, receptor: &Model) -> Vec<Object> {
    let others = plan.samples.all.iter().enumerate().filter(|(index, _)| *index != plan.samples.shown);
    let last = plan.samples.all.len().saturating_sub(1).max(1) as f32;
    let object = |(index, (structure, number, _)): (usize, &(Arc<Structure>, usize, String))| {
        let model = structure.models.get(*number)?;
        let laid;
        let model = if plan.samples.have_places {
            model
        } else {
            laid = laid_on(model, receptor);
            &laid
        };
        let topology = &model.topology;
        let colouring = match plan.view.colour {
            ColourBy::Sample => Coloring::Uniform(chain_color(index)),
            colour => polymer_colouring(plan, colour, model),
        };
        let opacity = SAMPLE_OPACITY.0 + (SAMPLE_OPACITY.1 - SAMPLE_OPACITY.0) * index as f32 / last;
        let ligands = AtomSelection::ligands(topology).without_carbon_hydrogens(topology);
        let carbons = match &colouring {
            Coloring::Uniform(colour) => CarbonColor::Uniform(*colour),
            _ => CarbonColor::Grey,
        };
        Some(
            Object::new(FIRST_SAMPLE + index as ObjectId, model)
                .with(
                    cartoon(plan, model).of(AtomSelection::polymer(topology)).colored(colouring).with_opacity(opacity),
                )
                .with(Representation::sticks().of(ligands).colored(Coloring::Element(carbons)).with_opacity(opacity)),
        )
    };
    others.filter_map(object).collect()
}

/// A model laid on another by the atoms that stand for its residues, where both have as many.
fn laid_on(model: &Model, target: &Model) -> Model {
    let points = |model: &Model| -> Vec<Vec3> {
        let followed = followed_atoms(&model.topology);
        followed.into_iter().filter_map(|(_, atom)| model.positions.get(atom).copied()).collect()
    };
    let (mobile, fixed) = (points(model), points(target));
    let mut laid = model.clone();
    if mobile.len() == fixed.len()
        && let Some(found) = superpose(&mobile, &fixed)
    {
        laid.positions.iter_mut().for_each(|position| *position = found.transform.apply(*position));
    }
    laid
}

fn legends(plan: &Plan, colouring: &Coloring, model: &Model) -> Vec<(ColourBy, Legend)> {
    let of_samples = || {
        let names = plan.samples.all.iter().enumerate();
        Legend::Classes(
            names.map(|(index, (.., name))| (chain_color(index), LegendEntry::Named(name.clone()))).collect(),
        )
    };
    let colour = plan.view.colour;
    let own = match colour {
        ColourBy::Sample if !plan.samples.all.is_empty() => of_samples(),
        _ => Legend::of(colouring, &model.topology),
    };
    let has_surface = plan.view.surface.part != SurfacePart::Off || plan.view.representation == PolymerStyle::Surface;
    let of_surface = plan.view.surface.colour.filter(|surface| has_surface && *surface != colour);
    let of_surface =
        of_surface.map(|colour| (colour, Legend::of(&polymer_colouring(plan, colour, model), &model.topology)));
    let hides_own = of_surface.is_some() && plan.view.representation == PolymerStyle::Surface;
    let own = (colour, if hides_own { Legend::Empty } else { own });
    std::iter::once(own).chain(of_surface).collect()
}

/// Each residue in the colour of its interaction with the ligand, the strongest where there are several.
fn interaction_colours(plan: &Plan, model: &Model) -> Coloring {
    let mut of_residues = vec![None; model.topology.residues.len()];
    // Those that hold the least come first.
    let mut found: Vec<&Interaction> = plan.interactions.iter().flat_map(|found| found.iter()).collect();
    let weak = [InteractionKind::Hydrophobic, InteractionKind::WeakHydrogenBond];
    found.sort_by_key(|found| !weak.contains(&found.kind));
    for interaction in found {
        for atom in &interaction.receptor_atoms {
            if let Some(atom) = model.topology.atoms.get(*atom as usize)
                && let Some(colour) = of_residues.get_mut(atom.residue as usize)
            {
                *colour = Some(interaction_color(interaction.kind));
            }
        }
    }
    let colour = |residue: u32| of_residues.get(residue as usize).copied().flatten();
    let atoms = model.topology.atoms.iter().map(|atom| colour(atom.residue).unwrap_or(Color::hex(WITHOUT_INTERACTION)));
    Coloring::Atoms(Arc::new(atoms.collect()))
}

fn polymer_colouring(plan: &Plan, colour: ColourBy, model: &Model) -> Coloring {
    let has_values = matches!(colour, ColourBy::Fluctuation | ColourBy::Difference);
    if let Some((values, high)) = plan.residue_values.as_ref().filter(|_| has_values) {
        let atoms =
            model.topology.atoms.iter().map(|atom| values.get(atom.residue as usize).copied().unwrap_or(0.0)).collect();
        return Coloring::Values { values: Arc::new(atoms), low: 0.0, high: high.max(0.1), ramp: Vec::new() };
    }
    match colour {
        ColourBy::Sample if !plan.samples.all.is_empty() => Coloring::Uniform(chain_color(plan.samples.shown)),
        ColourBy::Interaction => interaction_colours(plan, model),
        ColourBy::Chain => Coloring::Chain,
        ColourBy::Entity => Coloring::Entity,
        ColourBy::ResidueClass => Coloring::ResidueClass,
        ColourBy::Hydropathy => Coloring::Hydropathy,
        ColourBy::Charge => Coloring::Charge,
        ColourBy::Electrostatics => Coloring::Electrostatics { range: POTENTIAL_RANGE },
        ColourBy::Plddt => Coloring::Plddt,
        ColourBy::PlddtScale => Coloring::PlddtScale,
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
        // Without an ensemble there is no fluctuation to show, without another structure no difference.
        ColourBy::Fluctuation | ColourBy::Difference | ColourBy::Sample => Coloring::Chain,
    }
}

/// With atoms drawn one by one, a chain's colour is for its carbons only.
fn atom_colouring(colouring: Coloring) -> Coloring {
    match colouring {
        Coloring::Chain => Coloring::Element(CarbonColor::Chain),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use kfold_molecule::formats::read_structure;

    use super::*;

    fn sample(path: &str) -> Structure {
        read_structure(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(path)).unwrap()
    }

    #[test]
    fn other_samples_are_laid_on_the_shown_one_and_fade_by_rank() {
        let shown = Arc::new(sample("adenylate-kinase/closed.pdb"));
        let mut turned = Structure::clone(&shown);
        let turn = glam::Quat::from_rotation_y(1.2);
        for place in &mut turned.models[0].positions {
            *place = turn * *place + Vec3::new(30.0, -12.0, 5.0);
        }
        let turned = Arc::new(turned);
        let name = |number: usize| format!("sample {number}");
        let all = vec![
            (Arc::clone(&turned), 0, name(0)),
            (Arc::clone(&shown), 0, name(1)),
            (Arc::clone(&turned), 0, name(2)),
            (turned, 0, name(3)),
        ];
        let samples = Samples { all, shown: 1, have_places: false, are_overlaid: true };
        let view = ViewSettings { colour: ColourBy::Sample, ..ViewSettings::default() };
        let plan = Plan { receptor: Some((Arc::clone(&shown), 0)), samples, view, ..Plan::default() };
        let drawn = build(plan.clone(), None).drawn.unwrap();
        let others: Vec<&Object> = drawn.objects.iter().filter(|object| object.id >= FIRST_SAMPLE).collect();
        assert_eq!(others.len(), 3);
        let first = &shown.models[0].positions;
        for other in &others {
            let worst = other.positions.iter().zip(first).map(|(a, b)| a.distance(*b)).fold(0.0, f32::max);
            assert!(worst < 0.01, "{worst} Å apart");
        }
        let opacities: Vec<f32> = others.iter().map(|other| other.representations[0].opacity).collect();
        assert!(opacities.windows(2).all(|pair| pair[0] > pair[1]) && opacities[2] > 0.1, "{opacities:?}");
        assert_eq!(others[0].representations[0].coloring, Coloring::Uniform(chain_color(0)));
        let receptor = drawn.objects.iter().find(|object| object.id == RECEPTOR).unwrap();
        assert_eq!(receptor.representations[0].coloring, Coloring::Uniform(chain_color(1)));
        let Legend::Classes(entries) = &drawn.legends[0].1 else { panic!() };
        assert_eq!(entries.len(), 4);

        // Alone, the one that is shown keeps its colour.
        let alone = Plan { samples: Samples { are_overlaid: false, ..plan.samples.clone() }, ..plan };
        assert_eq!(build(alone, None).drawn.unwrap().objects.len(), 1);
    }

    #[test]
    fn residues_take_the_colour_of_their_strongest_interaction() {
        let structure = Arc::new(sample("kinase/receptor.pdb"));
        let atom = structure.models[0].topology.residues[40].atoms.start;
        let found = |kind, atom| Interaction {
            kind,
            ligand_atoms: vec![0],
            receptor_atoms: vec![atom],
            residue: String::new(),
            ligand_residue: String::new(),
            distance: 3.0,
            angle: None,
            points: [Vec3::ZERO, Vec3::X],
            geometry: Default::default(),
        };
        let interactions = vec![found(InteractionKind::HydrogenBond, atom), found(InteractionKind::Hydrophobic, atom)];
        let view = ViewSettings { colour: ColourBy::Interaction, ..ViewSettings::default() };
        let plan = Plan {
            receptor: Some((Arc::clone(&structure), 0)),
            interactions: Some(Arc::new(interactions)),
            view,
            ..Plan::default()
        };
        let drawn = build(plan, None).drawn.unwrap();
        assert_eq!(drawn.interactions, [InteractionKind::HydrogenBond, InteractionKind::Hydrophobic]);
        let Coloring::Atoms(colours) = &drawn.objects[0].representations[0].coloring else { panic!() };
        assert_eq!(colours[atom as usize], interaction_color(InteractionKind::HydrogenBond));
        assert_eq!(colours[0], Color::hex(WITHOUT_INTERACTION));
    }

    #[test]
    fn surfaces_and_tubes_are_drawn_as_they_are_set() {
        let structure = Arc::new(sample("kinase/receptor.pdb"));
        let plan = |change: &dyn Fn(&mut ViewSettings)| {
            let mut view = ViewSettings::default();
            change(&mut view);
            Plan { receptor: Some((Arc::clone(&structure), 0)), view, ..Plan::default() }
        };
        let shapes = |plan: Plan| {
            let drawn = build(plan, None).drawn.unwrap();
            drawn.objects[0]
                .representations
                .iter()
                .map(|shown| (shown.shape.clone(), shown.opacity))
                .collect::<Vec<_>>()
        };
        let glass = shapes(plan(&|view| {
            view.surface.part = SurfacePart::Whole;
            view.surface.opacity = 0.4;
            view.surface.cavities = true;
        }));
        let surface = glass.iter().find_map(|(shape, opacity)| match shape {
            Shape::Surface(style) => Some((style.clone(), *opacity)),
            _ => None,
        });
        let (style, opacity) = surface.unwrap();
        assert!(style.cavities && style.of.is_none() && opacity == 0.4);
        let playing = Plan { is_playing: true, ..plan(&|view| view.representation = PolymerStyle::Surface) };
        let coarse = shapes(playing);
        assert!(matches!(&coarse[0].0, Shape::Surface(style) if style.spacing == PLAYED_SPACING));
        let tube = shapes(plan(&|view| view.backbone = Backbone::PuttyBFactor));
        assert!(matches!(&tube[0].0, Shape::Cartoon(style) if matches!(style.backbone, BackboneStyle::Putty(_))));
    }
}
