//! What has been read and drawn so far, by what it was made from.
//!
//! The document names files and SMILES; this cache holds what they are. Asking for something that is not here starts the
//! work in the background and answers [`Loaded::Waiting`]; the window is woken when it is done. Each part is bounded.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use glam::Vec3;
use kfold_molecule::assemblies::Assembly;
use kfold_molecule::chemistry::depict::Depiction;
use kfold_molecule::chemistry::{self, Descriptors};
use kfold_molecule::components;
use kfold_molecule::formats;
use kfold_molecule::structure::{ResidueKind, Topology};
use kfold_molecule::{SmallMolecule, Structure};

use super::background::{Background, Lane, LigandKey, Loaded};
use super::message::Message;

/// Structures kept; the ones that are shown are held by their users anyway.
const STRUCTURES: usize = 24;
/// Ligand pictures kept: every prefix of a SMILES that is typed makes one.
const LIGANDS: usize = 1024;
/// Heavy atoms a residue needs to count as a bound ligand rather than an ion or buffer.
const LIGAND_ATOMS: usize = 7;

/// A ligand as the query panel shows it.
#[derive(Clone, Debug)]
pub struct LigandPicture {
    /// Its 2D layout.
    pub depiction: Depiction,
    /// Its numbers.
    pub descriptors: Descriptors,
    /// The molecule that was laid out.
    pub molecule: SmallMolecule,
    /// For each atom of the layout its name as a query calls it: the dictionary's, else the element and a number.
    pub names: Vec<String>,
}

/// One chain in the summary of a structure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainSummary {
    /// The author's id.
    pub id: String,
    /// What its polymer is.
    pub kind: ResidueKind,
    /// Residues of the polymer.
    pub residues: usize,
}

/// What a structure file holds, in a few lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Polymers in file order.
    pub chains: Vec<ChainSummary>,
    /// Component codes of what is neither polymer nor water, with counts.
    pub others: Vec<(String, usize)>,
    /// Residues large enough to be a bound ligand: the name a pocket uses (`A:999`) and one for people (`AQ4 A 999`).
    pub bound: Vec<(String, String)>,
    /// Water molecules.
    pub waters: usize,
    /// Models.
    pub models: usize,
}

/// The caches.
#[derive(Default)]
pub struct Library {
    structures: HashMap<PathBuf, Loaded<Structure>>,
    molecules: HashMap<PathBuf, Loaded<Vec<SmallMolecule>>>,
    ligands: HashMap<LigandKey, Loaded<LigandPicture>>,
    summaries: HashMap<PathBuf, Summary>,
    points: HashMap<PathBuf, Vec<Vec3>>,
    firsts: HashMap<PathBuf, Arc<SmallMolecule>>,
    assemblies: HashMap<PathBuf, Arc<Vec<Arc<Assembly>>>>,
}

impl Library {
    /// The structure in a file.
    pub fn structure(&mut self, background: &Background, path: &Path) -> Loaded<Structure> {
        if let Some(held) = self.structures.get(path) {
            return held.clone();
        }
        let file = path.to_owned();
        let read = file.clone();
        let queued = background.attempt(
            Lane::Files,
            move || formats::read_structure(&read).map(Arc::new).map_err(|error| error.to_string()),
            move |result| Message::StructureRead { path: file, result },
        );
        if queued {
            if self.structures.len() >= STRUCTURES {
                self.structures.retain(|_, held| matches!(held, Loaded::Waiting));
            }
            self.structures.insert(path.to_owned(), Loaded::Waiting);
        }
        Loaded::Waiting
    }

    /// The biological assemblies that can be made of the structure in a file; none until they were read.
    pub fn assemblies(&mut self, background: &Background, path: &Path) -> Arc<Vec<Arc<Assembly>>> {
        if let Some(held) = self.assemblies.get(path) {
            return Arc::clone(held);
        }
        let Some(structure) = self.held_structure(path).cloned() else { return Arc::default() };
        let file = path.to_owned();
        let read = move || {
            // A file that says something wrong about them is drawn as it is.
            let mut found = formats::read_assemblies(&file).unwrap_or_default();
            let topology = structure.first().map(|model| Arc::clone(&model.topology)).unwrap_or_default();
            found.retain(|assembly| assembly.places(&topology).is_ok());
            let found = Arc::new(found.into_iter().map(Arc::new).collect());
            Message::Apply(Box::new(move |studio| drop(studio.library.assemblies.insert(file, found))))
        };
        if background.submit(Lane::Files, read) {
            if self.assemblies.len() >= STRUCTURES {
                self.assemblies.clear();
            }
            self.assemblies.insert(path.to_owned(), Arc::default());
        }
        Arc::default()
    }

    /// The molecules in a file.
    pub fn molecules(&mut self, background: &Background, path: &Path) -> Loaded<Vec<SmallMolecule>> {
        if let Some(held) = self.molecules.get(path) {
            return held.clone();
        }
        let file = path.to_owned();
        let read = file.clone();
        let queued = background.attempt(
            Lane::Files,
            move || formats::read_small_molecules(&read).map(Arc::new).map_err(|error| error.to_string()),
            move |result| Message::MoleculesRead { path: file, result },
        );
        if queued {
            self.molecules.insert(path.to_owned(), Loaded::Waiting);
        }
        Loaded::Waiting
    }

    /// A ligand's picture and numbers.
    pub fn ligand(&mut self, background: &Background, key: &LigandKey) -> Loaded<LigandPicture> {
        if let Some(held) = self.ligands.get(key) {
            return held.clone();
        }
        let (wanted, drawn) = (key.clone(), key.clone());
        let queued = background.attempt(
            Lane::Chemistry,
            move || picture(&drawn).map(Arc::new),
            move |result| Message::LigandReady { key: wanted, result },
        );
        if queued {
            if self.ligands.len() >= LIGANDS {
                self.ligands.retain(|_, held| matches!(held, Loaded::Waiting));
            }
            self.ligands.insert(key.clone(), Loaded::Waiting);
        }
        Loaded::Waiting
    }

    /// Positions in Å of the ligand in a file (SDF, MOL or PDB), when it is read.
    pub fn ligand_points(&mut self, background: &Background, path: &Path) -> Option<&[Vec3]> {
        if !self.points.contains_key(path) {
            let points = if is_structure_file(path) {
                self.structure(background, path).ready()?.first()?.positions.clone()
            } else {
                self.molecules(background, path).ready()?.first()?.conformers.first()?.clone()
            };
            self.points.insert(path.to_owned(), points);
        }
        self.points.get(path).map(Vec::as_slice)
    }

    /// Why [`Self::ligand_points`] will not come.
    #[must_use]
    pub fn ligand_points_failure(&self, path: &Path) -> Option<String> {
        let structure = self.structures.get(path).and_then(Loaded::failure);
        let molecule = self.molecules.get(path).and_then(Loaded::failure);
        structure.or(molecule).map(str::to_owned)
    }

    /// What a structure holds.
    pub fn chain_summary(&mut self, path: &Path, structure: &Structure) -> Summary {
        self.summaries.entry(path.to_owned()).or_insert_with(|| summarise(structure)).clone()
    }

    /// The structure in a file, if it has been read.
    #[must_use]
    pub fn held_structure(&self, path: &Path) -> Option<&Arc<Structure>> {
        self.structures.get(path)?.ready()
    }

    /// The first molecule with coordinates in a file, as one to draw.
    pub fn first_molecule(&mut self, background: &Background, path: &Path) -> Option<Arc<SmallMolecule>> {
        if is_structure_file(path) {
            return None;
        }
        if let Some(held) = self.firsts.get(path) {
            return Some(Arc::clone(held));
        }
        let first = self.molecules(background, path).ready()?.first()?.clone();
        if first.conformers.is_empty() {
            return None;
        }
        let first = Arc::new(first);
        self.firsts.insert(path.to_owned(), Arc::clone(&first));
        Some(first)
    }

    /// Forgets a file, so that it is read again.
    pub fn forget(&mut self, path: &Path) {
        self.structures.remove(path);
        self.molecules.remove(path);
        self.summaries.remove(path);
        self.points.remove(path);
        self.firsts.remove(path);
        self.ligands.remove(&LigandKey::File(path.to_owned()));
    }

    /// Takes what a thread made; gives back messages that are not for the library.
    pub fn take(&mut self, message: Message) -> Option<Message> {
        fn loaded<T>(result: Result<Arc<T>, String>) -> Loaded<T> {
            match result {
                Ok(value) => Loaded::Ready(value),
                Err(reason) => Loaded::Failed(reason),
            }
        }
        match message {
            Message::StructureRead { path, result } => {
                self.summaries.remove(&path);
                self.structures.insert(path, loaded(result));
            }
            Message::MoleculesRead { path, result } => {
                self.molecules.insert(path, loaded(result));
            }
            Message::LigandReady { key, result } => {
                self.ligands.insert(key, loaded(result));
            }
            other => return Some(other),
        }
        None
    }
}

fn is_structure_file(path: &Path) -> bool {
    super::files::FileKind::of(path) == Some(super::files::FileKind::Structure)
}

fn picture(key: &LigandKey) -> Result<LigandPicture, String> {
    let molecule = match key {
        LigandKey::Smiles(smiles) => chemistry::smiles::parse(smiles).map_err(|error| error.to_string())?,
        LigandKey::File(path) => formats::read_small_molecules(path)
            .map_err(|error| error.to_string())?
            .into_iter()
            .next()
            .ok_or_else(|| format!("{} holds no molecule", path.display()))?,
        LigandKey::Component(code) => {
            let molecule = components::molecule(code).map_err(|error| error.to_string())?;
            // Its configuration is in the ideal coordinates, which give way to the picture's.
            let perceived = chemistry::perceive(&molecule).map_err(|error| error.to_string())?.molecule;
            chemistry::remove_hydrogens(&perceived).0
        }
    };
    let descriptors = chemistry::describe(&molecule).map_err(|error| error.to_string())?;
    let depiction = chemistry::depict::layout(&molecule).map_err(|error| error.to_string())?;
    let all = names(&molecule);
    let names = depiction.atoms.iter().map(|atom| all.get(atom.atom as usize).cloned().unwrap_or_default()).collect();
    Ok(LigandPicture { depiction, descriptors, molecule, names })
}

/// Names of atoms as K-Fold gives them: those of the dictionary, else the element's symbol and a running number.
fn names(molecule: &SmallMolecule) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut name = |atom: &kfold_molecule::SmallMoleculeAtom| {
        let symbol = atom.element.symbol();
        let count = counts.entry(symbol).or_default();
        *count += 1;
        if atom.name.is_empty() { format!("{symbol}{count}") } else { atom.name.to_string() }
    };
    molecule.atoms.iter().map(&mut name).collect()
}

/// Chains, ligands and waters of the first model.
#[must_use]
pub fn summarise(structure: &Structure) -> Summary {
    let mut summary = Summary { models: structure.models.len(), ..Summary::default() };
    let Some(model) = structure.first() else { return summary };
    let topology: &Topology = &model.topology;
    let mut others: BTreeMap<String, usize> = BTreeMap::new();
    for chain in &topology.chains {
        let mut residues = 0;
        let mut kind = None;
        let range = chain.residues.start as usize..chain.residues.end as usize;
        for residue in topology.residues.get(range).unwrap_or_default() {
            match residue.kind {
                ResidueKind::Water => summary.waters += 1,
                ResidueKind::Protein | ResidueKind::Dna | ResidueKind::Rna => {
                    residues += 1;
                    kind.get_or_insert(residue.kind);
                }
                ResidueKind::Ion | ResidueKind::Carbohydrate | ResidueKind::Ligand => {
                    *others.entry(residue.name.to_string()).or_default() += 1;
                    let heavy = topology
                        .atoms_of(residue)
                        .filter_map(|atom| topology.atoms.get(atom))
                        .filter(|atom| atom.element != kfold_molecule::Element::H)
                        .count();
                    if residue.kind == ResidueKind::Ligand && heavy >= LIGAND_ATOMS {
                        let number = residue.number_text();
                        summary.bound.push((
                            format!("{}:{number}", chain.id),
                            format!("{} {} {number}", residue.name, chain.id),
                        ));
                    }
                }
            }
        }
        if let Some(kind) = kind {
            summary.chains.push(ChainSummary { id: chain.id.to_string(), kind, residues });
        }
    }
    summary.others = others.into_iter().collect();
    summary
}
