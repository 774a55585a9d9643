//! Drawing a ligand: a small editor of structural formulas.
//!
//! An edit is a change of the molecule's graph ([`edit`]). The chemistry thread judges it: a molecule that keeps the rules of
//! valence comes back laid out, and becomes the next step; another is refused with the reason, and nothing changes. The
//! drawing has its own undo; putting it into the query is one step of the document's.

mod edit;

use std::sync::Arc;

use egui::{RichText, Ui, vec2};
use kfold_inference::query::{Entity, LigandSource};
use kfold_molecule::chemistry::depict::{self, Depiction};
use kfold_molecule::chemistry::{canonical_smiles, describe, perceive, remove_hydrogens};
use kfold_molecule::{BondOrder, Element, SmallMolecule};

use super::super::app::Studio;
use super::super::background::{Background, Lane};
use super::super::document;
use super::super::message::Message;
use super::super::theme::{self, palette};
use super::super::widgets::depiction::{Part, Parts, pick_in_depiction};
use super::super::widgets::icon::Icon;
use super::super::widgets::{Tone, icon_button, message, note, segmented};
use super::editor::News;
use crate::texts::Texts;
use edit::Edit;

/// Elements that are offered.
const ELEMENTS: [Element; 10] = [
    Element::C,
    Element::N,
    Element::O,
    Element::S,
    Element::F,
    Element::CL,
    Element::BR,
    Element::I,
    Element::P,
    Element::B,
];
/// Steps of a drawing that can be taken back.
const STEPS: usize = 200;
/// Height of the formula, points.
const HEIGHT: f32 = 380.0;
/// The window, about.
const SIZE: egui::Vec2 = vec2(628.0, 640.0);

/// What a click does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tool {
    /// Adds an atom of the element at hand to the atom that is clicked.
    #[default]
    Add,
    /// Makes the atom another element.
    Change,
    /// Gives the bond this order, or makes one between two atoms clicked one after the other.
    Bond,
    /// Adds a benzene ring.
    Ring,
    /// One charge more.
    Plus,
    /// One charge less.
    Minus,
    /// Deletes the atom or the bond.
    Erase,
}

/// A molecule that keeps the rules, laid out.
#[derive(Clone, Debug)]
pub struct Drawn {
    molecule: SmallMolecule,
    depiction: Depiction,
    smiles: String,
    formula: String,
    weight: f64,
}

/// Judges a molecule and lays it out.
fn drawn(molecule: &SmallMolecule) -> Result<Drawn, String> {
    let explain = |error: kfold_molecule::chemistry::ChemistryError| error.to_string();
    let perceived = perceive(molecule).map_err(explain)?.molecule;
    let mut bare = remove_hydrogens(&perceived).0;
    bare.conformers.clear();
    let depiction = depict::layout(&bare).map_err(explain)?;
    let smiles = canonical_smiles(&bare).map_err(explain)?;
    let descriptors = describe(&bare).map_err(explain)?;
    Ok(Drawn { molecule: bare, depiction, smiles, formula: descriptors.formula, weight: descriptors.molecular_weight })
}

/// An open drawing.
pub struct Sketch {
    /// The ligand that it will replace; a new one without.
    entity: Option<usize>,
    steps: Vec<Arc<Drawn>>,
    /// The step that is shown.
    at: usize,
    tool: Tool,
    element: Element,
    order: BondOrder,
    /// The first atom of a new bond.
    first: Option<u32>,
    /// The edit that is being judged.
    waiting: Option<u64>,
    next: u64,
    problem: Option<String>,
}

impl Sketch {
    fn new(entity: Option<usize>) -> Self {
        Self {
            entity,
            steps: Vec::new(),
            at: 0,
            tool: Tool::Add,
            element: Element::C,
            order: BondOrder::Double,
            first: None,
            waiting: None,
            next: 0,
            problem: None,
        }
    }

    fn shown(&self) -> Option<&Arc<Drawn>> {
        self.steps.get(self.at)
    }

    fn undo(&mut self) {
        self.at = self.at.saturating_sub(1);
        self.first = None;
        self.problem = None;
    }

    fn redo(&mut self) {
        self.at = (self.at + 1).min(self.steps.len().saturating_sub(1));
        self.first = None;
        self.problem = None;
    }

    /// Asks whether this molecule can be.
    fn propose(&mut self, background: &Background, molecule: SmallMolecule) {
        let number = self.next;
        let is_queued = background.attempt(
            Lane::Chemistry,
            move || drawn(&molecule).map(Box::new),
            move |result| Message::Query(News::Sketched { number, result }),
        );
        if is_queued {
            self.next += 1;
            self.waiting = Some(number);
        }
    }

    /// Takes the answer.
    pub(super) fn take(&mut self, number: u64, result: Result<Drawn, String>) {
        if self.waiting != Some(number) {
            return;
        }
        self.waiting = None;
        match result {
            Ok(drawn) => {
                self.problem = None;
                self.steps.truncate(self.at + 1);
                self.steps.push(Arc::new(drawn));
                if self.steps.len() > STEPS {
                    self.steps.remove(0);
                }
                self.at = self.steps.len() - 1;
            }
            Err(problem) => self.problem = Some(problem),
        }
        self.first = None;
    }

    /// What a click on a part of the formula asks for.
    fn edit_of(&mut self, part: Part, drawn: &Drawn) -> Option<Edit> {
        let atom_of = |index: usize| drawn.depiction.atoms.get(index).map(|atom| atom.atom);
        match part {
            Part::Atom(index) => {
                let atom = atom_of(index)?;
                Some(match self.tool {
                    Tool::Add => Edit::Add { to: atom, element: self.element },
                    Tool::Change => Edit::Element { atom, element: self.element },
                    Tool::Ring => Edit::Ring { to: atom },
                    Tool::Plus => Edit::Charge { atom, by: 1 },
                    Tool::Minus => Edit::Charge { atom, by: -1 },
                    Tool::Erase => Edit::EraseAtom { atom },
                    Tool::Bond => match self.first.take() {
                        Some(first) if first != atom => Edit::Bond { a: first, b: atom, order: self.order },
                        Some(_) => return None,
                        None => {
                            self.first = Some(atom);
                            return None;
                        }
                    },
                })
            }
            Part::Bond(index) => {
                let bond = drawn.depiction.bonds.get(index)?;
                let (a, b) = (atom_of(bond.a as usize)?, atom_of(bond.b as usize)?);
                Some(match self.tool {
                    Tool::Erase => Edit::EraseBond { a, b },
                    Tool::Bond => Edit::Bond { a, b, order: self.order },
                    _ => {
                        let order = match bond.order {
                            BondOrder::Single => BondOrder::Double,
                            BondOrder::Double => BondOrder::Triple,
                            _ => BondOrder::Single,
                        };
                        Edit::Bond { a, b, order }
                    }
                })
            }
        }
    }
}

/// How a bond is called.
fn order_key(order: BondOrder) -> &'static str {
    match order {
        BondOrder::Double => "sketch-double",
        BondOrder::Triple => "sketch-triple",
        _ => "sketch-single",
    }
}

impl Studio {
    /// Opens the drawing of a ligand, or of a new one.
    pub(super) fn open_sketch(&mut self, entity: Option<usize>, molecule: Option<SmallMolecule>) {
        let mut sketch = Sketch::new(entity);
        sketch.propose(&self.background, molecule.unwrap_or_else(edit::benzene));
        self.query_editor.sketch = Some(sketch);
    }

    /// Undo and redo go to the drawing while it is open. Whether it took them.
    pub(in super::super) fn undo_sketch(&mut self, forth: bool) -> bool {
        let Some(sketch) = &mut self.query_editor.sketch else { return false };
        if forth {
            sketch.redo();
        } else {
            sketch.undo();
        }
        true
    }

    /// The drawing, in a window of its own.
    pub(super) fn sketch_ui(&mut self, context: &egui::Context) {
        let Some(mut sketch) = self.query_editor.sketch.take() else { return };
        let texts = Arc::clone(&self.texts);
        let (mut is_open, mut is_used) = (true, false);
        egui::Window::new(texts.get("sketch-title"))
            .id(egui::Id::unique("sketch"))
            .open(&mut is_open)
            .collapsible(false)
            .resizable(false)
            .default_pos(context.content_rect().center() - SIZE * 0.5)
            .default_size(SIZE)
            .show(context, |ui| {
                ui.set_width(600.0);
                is_used = sketch_body(ui, &texts, &mut sketch, &self.background);
            });
        if is_used && let Some(drawn) = sketch.shown() {
            let source = LigandSource::Smiles(drawn.smiles.clone());
            self.history.commit(&self.document);
            match sketch.entity.and_then(|index| self.document.query.sequences.get_mut(index)) {
                Some(Entity::Ligand(ligand)) => ligand.source = source,
                _ => {
                    document::add_ligand(&mut self.document.query, source);
                }
            }
            self.history.commit(&self.document);
        } else if is_open {
            self.query_editor.sketch = Some(sketch);
        }
    }
}

/// The tools, the formula, the button. Whether the drawing is to be used.
fn sketch_body(ui: &mut Ui, texts: &Texts, sketch: &mut Sketch, background: &Background) -> bool {
    let colours = palette(ui);
    ui.horizontal(|ui| {
        let can_undo = sketch.at > 0;
        let can_redo = sketch.at + 1 < sketch.steps.len();
        if icon_button(ui, Icon::Undo, &texts.get("sketch-undo"), can_undo).clicked() {
            sketch.undo();
        }
        if icon_button(ui, Icon::Redo, &texts.get("sketch-redo"), can_redo).clicked() {
            sketch.redo();
        }
        let tools = [
            (Tool::Add, "sketch-add"),
            (Tool::Change, "sketch-change"),
            (Tool::Bond, "sketch-bond"),
            (Tool::Ring, "sketch-ring"),
            (Tool::Plus, "sketch-plus"),
            (Tool::Minus, "sketch-minus"),
            (Tool::Erase, "sketch-erase"),
        ];
        let choices = tools.map(|(tool, key)| (tool, texts.get(key)));
        if segmented(ui, &texts.get("sketch-tool"), &mut sketch.tool, &choices) {
            sketch.first = None;
        }
    });
    ui.horizontal(|ui| match sketch.tool {
        Tool::Add | Tool::Change => {
            let choices = ELEMENTS.map(|element| (element, element.symbol().to_owned()));
            segmented(ui, &texts.get("sketch-element"), &mut sketch.element, &choices);
        }
        Tool::Bond => {
            let orders = [BondOrder::Single, BondOrder::Double, BondOrder::Triple];
            let choices = orders.map(|order| (order, texts.get(order_key(order))));
            segmented(ui, &texts.get("sketch-order"), &mut sketch.order, &choices);
        }
        _ => {
            ui.add_space(theme::CONTROL_HEIGHT);
        }
    });
    let hint = match sketch.tool {
        Tool::Add => "sketch-add-hint",
        Tool::Change => "sketch-change-hint",
        Tool::Bond => "sketch-bond-hint",
        Tool::Ring => "sketch-ring-hint",
        Tool::Plus | Tool::Minus => "sketch-charge-hint",
        Tool::Erase => "sketch-erase-hint",
    };
    note(ui, &texts.get(hint));
    if let Some(drawn) = sketch.shown().cloned() {
        formula_ui(ui, texts, sketch, &drawn, background);
        ui.horizontal(|ui| {
            let line = texts.with(
                "sketch-numbers",
                [("formula", drawn.formula.clone().into()), ("weight", format!("{:.1}", drawn.weight).into())],
            );
            ui.label(RichText::new(line).small().color(colours.text_muted));
        });
        ui.add(egui::Label::new(RichText::new(&drawn.smiles).monospace().small()).truncate());
    } else {
        ui.allocate_ui(vec2(ui.available_width(), HEIGHT), |ui| {
            ui.spinner();
        });
    }
    if let Some(problem) = &sketch.problem {
        message(ui, Tone::Bad, &texts.with("sketch-refused", [("reason", problem.clone().into())]));
    }
    ui.add_space(theme::GAP);
    let can_use = sketch.shown().is_some() && sketch.waiting.is_none();
    let label = texts.get(if sketch.entity.is_some() { "sketch-use" } else { "sketch-use-new" });
    let size = vec2(180.0, 30.0);
    let button = theme::primary_button(colours, &label, size);
    ui.add_enabled_ui(can_use, |ui| ui.add_sized(size, button)).inner.clicked()
}

fn formula_ui(ui: &mut Ui, texts: &Texts, sketch: &mut Sketch, drawn: &Drawn, background: &Background) {
    let names = drawn.molecule.atom_names();
    let name_at = |index: u32| {
        let atom = drawn.depiction.atoms.get(index as usize).map_or(0, |atom| atom.atom);
        names.get(atom as usize).map(ToString::to_string).unwrap_or_default()
    };
    let name_of = |part: Part| match part {
        Part::Atom(index) => texts.with("sketch-atom", [("name", name_at(index as u32).into())]),
        Part::Bond(index) => {
            let (a, b) = drawn.depiction.bonds.get(index).map_or((0, 0), |bond| (bond.a, bond.b));
            texts.with("sketch-bond-between", [("a", name_at(a).into()), ("b", name_at(b).into())])
        }
    };
    let chosen: Vec<Part> = drawn
        .depiction
        .atoms
        .iter()
        .position(|atom| Some(atom.atom) == sketch.first)
        .map(Part::Atom)
        .into_iter()
        .collect();
    let parts = Parts { name_of: &name_of, with_bonds: true, chosen: &chosen, longest_bond: 46.0 };
    let picked = pick_in_depiction(ui, &drawn.depiction, HEIGHT, &texts.get("sketch-formula"), &parts);
    if let Some(part) = picked.filter(|_| sketch.waiting.is_none())
        && let Some(edit) = sketch.edit_of(part, drawn)
    {
        match edit::apply(&drawn.molecule, edit) {
            Some(molecule) => sketch.propose(background, molecule),
            None => sketch.problem = Some(texts.get("sketch-last-atom")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kfold_molecule::chemistry::smiles;

    fn after(smiles_text: &str, edits: &[Edit]) -> Result<String, String> {
        let mut molecule = drawn(&smiles::parse(smiles_text).unwrap()).unwrap().molecule;
        for edit in edits {
            molecule = edit::apply(&molecule, *edit).unwrap();
        }
        drawn(&molecule).map(|drawn| drawn.smiles)
    }

    #[test]
    fn edits_give_the_molecules_they_say() {
        let canonical = |text: &str| canonical_smiles(&smiles::parse(text).unwrap()).unwrap();
        let n = Element::N;
        assert_eq!(after("c1ccccc1", &[Edit::Element { atom: 0, element: n }]), Ok(canonical("c1ccncc1")));
        assert_eq!(after("c1ccccc1", &[Edit::Add { to: 2, element: Element::O }]), Ok(canonical("Oc1ccccc1")));
        assert_eq!(after("C", &[Edit::Ring { to: 0 }]), Ok(canonical("Cc1ccccc1")));
        let double = Edit::Bond { a: 0, b: 1, order: BondOrder::Double };
        assert_eq!(after("CC", &[double]), Ok("C=C".to_owned()));
        let ring = Edit::Bond { a: 0, b: 5, order: BondOrder::Single };
        assert_eq!(after("CCCCCC", &[ring]), Ok("C1CCCCC1".to_owned()));
        assert_eq!(after("CN", &[Edit::Charge { atom: 1, by: 1 }]), Ok("C[NH3+]".to_owned()));
        assert_eq!(after("CCOCCC", &[Edit::EraseAtom { atom: 2 }]), Ok("CCC".to_owned()), "the larger piece stays");
        assert_eq!(after("C1CC1", &[Edit::EraseBond { a: 0, b: 1 }]), Ok("CCC".to_owned()));
    }

    #[test]
    fn what_breaks_the_rules_is_refused() {
        let error =
            after("c1ccccc1", &[Edit::Add { to: 0, element: Element::C }, Edit::Add { to: 0, element: Element::C }]);
        assert!(error.is_err(), "{error:?}");
        let methane = drawn(&smiles::parse("C").unwrap()).unwrap().molecule;
        assert!(edit::apply(&methane, Edit::EraseAtom { atom: 0 }).is_none());
    }

    #[test]
    fn stereo_that_is_not_touched_stays() {
        // L-alanine: a fluorine on the methyl carbon leaves the centre alone; making the centre nitrogen ends it.
        let molecule = smiles::parse("C[C@H](N)C(=O)O").unwrap();
        let added = after("C[C@H](N)C(=O)O", &[Edit::Add { to: 0, element: Element::F }]).unwrap();
        assert!(added.contains('@'), "{added}");
        assert_eq!(molecule.stereo.len(), 1);
        let erased = after("C[C@H](N)C(=O)O", &[Edit::EraseAtom { atom: 2 }]).unwrap();
        assert!(!erased.contains('@'), "{erased}");
    }

    #[test]
    fn a_drawing_goes_back_and_forth() {
        let step = |text: &str| drawn(&smiles::parse(text).unwrap());
        let mut sketch = Sketch::new(None);
        for (number, text) in ["C", "CC", "CCO"].into_iter().enumerate() {
            sketch.waiting = Some(number as u64);
            sketch.take(number as u64, step(text));
        }
        sketch.undo();
        sketch.undo();
        sketch.undo();
        assert_eq!(sketch.shown().unwrap().smiles, "C");
        sketch.redo();
        assert_eq!(sketch.shown().unwrap().smiles, "CC");
        sketch.waiting = Some(9);
        sketch.take(9, Err("no".to_owned()));
        assert_eq!((sketch.shown().unwrap().smiles.as_str(), sketch.problem.as_deref()), ("CC", Some("no")));
        sketch.waiting = Some(10);
        sketch.take(10, step("CCN"));
        sketch.redo();
        assert_eq!(sketch.shown().unwrap().smiles, "CCN", "what was undone is gone");
    }
}
