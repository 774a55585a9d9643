//! 3D structures of a molecule: distance geometry with experimental torsion preferences, then force-field minimisation.
//!
//! Starting coordinates by ETKDGv3 (Wang et al., J. Chem. Inf. Model. 2020, 60, 2044), then MMFF94 (Halgren, J. Comput.
//! Chem. 1996, 17, 490) or, for molecules it has no parameters for, UFF (Rappé et al., J. Am. Chem. Soc. 1992, 114,
//! 10024).
//!
//! What we add: every conformer is measured against the stereo that was asked for, after minimisation, and a wrong one
//! is never handed on; a centre that the input left open takes the configuration of the first conformer in all of
//! them, so that all conformers are one compound, and the choice is reported; the work runs in a thread of its own, so
//! that the caller can cancel it and it cannot run for ever. The result depends on molecule and seed alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use cosmolkit as kit;
use glam::Vec3;

use super::ChemistryError;
use super::hydrogens::{add_hydrogens, fragments};
use super::perception::{Perception, perceive};
use super::smiles::{canonical_smiles, parse};
use super::toolkit::{atom_text, coordinates_from, explain, into_toolkit};
use crate::{Element, SmallMolecule, Stereo};

/// Most conformers made in one call.
pub const MAX_CONFORMERS: usize = 1000;

/// Time for the first conformer, seconds.
const FIRST_LIMIT_SECONDS: u64 = 60;
/// Time for each further one, seconds.
const FURTHER_LIMIT_SECONDS: u64 = 20;

/// What the geometry was minimised with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForceField {
    /// MMFF94.
    Mmff94,
    /// Universal force field.
    Uff,
    /// Neither has parameters for some element: the geometry is that of distance geometry.
    None,
}

/// The result of [`embed`].
#[derive(Clone, Debug)]
pub struct Embedding {
    /// The largest fragment with explicit hydrogens (after the input's atoms, which keep their order), Kekulé form, its
    /// conformers, and its stereo with the choices of `chosen_stereo`.
    pub molecule: SmallMolecule,
    /// For each atom of the input its index in `molecule`, or `None` for atoms of fragments left out.
    pub atom_map: Vec<Option<u32>>,
    /// Configurations that the input left open, as they came out.
    pub chosen_stereo: Vec<Stereo>,
    /// Canonical SMILES of the fragments left out (counter-ions, solvent).
    pub left_out: Vec<String>,
    /// What the geometry was minimised with.
    pub force_field: ForceField,
    /// For each conformer the energy in kcal/mol by that force field, if there is one. Comparable between conformers of
    /// this molecule only.
    pub energies: Vec<Option<f64>>,
}

impl Embedding {
    /// What the user should know: fragments left out, configurations chosen, no force field.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.left_out.is_empty() {
            notes.push(format!("only the largest fragment is used; left out: {}", self.left_out.join(", ")));
        }
        if !self.chosen_stereo.is_empty() {
            let places: Vec<String> = self
                .chosen_stereo
                .iter()
                .map(|stereo| {
                    let atoms: Vec<String> = stereo
                        .atoms()
                        .iter()
                        .map(|&atom| format!("{}{}", self.molecule.atoms[atom as usize].element.symbol(), atom + 1))
                        .collect();
                    atoms.join("=")
                })
                .collect();
            let smiles = canonical_smiles(&self.molecule).unwrap_or_default();
            notes.push(format!("the input leaves the configuration open at {}; built as {smiles}", places.join(", ")));
        }
        if self.force_field == ForceField::None {
            notes.push("no force field has parameters for this molecule; its geometry was not minimised".to_owned());
        }
        notes
    }
}

/// Makes `count` conformers of a SMILES. See [`embed`].
///
/// # Errors
/// When the SMILES is wrong, and as for [`embed`].
pub fn embed_smiles(
    smiles: &str,
    seed: u64,
    count: usize,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<Embedding, ChemistryError> {
    embed(&parse(smiles)?, seed, count, is_cancelled)
}

/// Makes `count` conformers of a molecule (at least one), with explicit hydrogens. Conformers the molecule has are not
/// used, except to read stereo that it does not state otherwise. `is_cancelled` is asked every few hundredths of a second.
///
/// # Errors
/// When the molecule breaks the rules of valence, when no conformer with the right stereo can be made (some
/// combinations are impossible), when it takes too long, and when the user cancels.
pub fn embed(
    molecule: &SmallMolecule,
    seed: u64,
    count: usize,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<Embedding, ChemistryError> {
    embed_as(molecule, seed, count, true, is_cancelled)
}

/// As [`embed`], with the geometry of distance geometry and no energies.
pub(crate) fn embed_unminimised(
    molecule: &SmallMolecule,
    seed: u64,
    count: usize,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<Embedding, ChemistryError> {
    embed_as(molecule, seed, count, false, is_cancelled)
}

/// Whether a 3D structure can be tried at all: radicals and atoms that stand for any element are refused.
///
/// # Errors
/// Names the atom and what to do.
pub fn refuse_unbuildable(molecule: &SmallMolecule) -> Result<(), ChemistryError> {
    refuse_unbuildable_parts(&perceive(molecule)?)
}

fn refuse_unbuildable_parts(perception: &Perception) -> Result<(), ChemistryError> {
    let molecule = &perception.molecule;
    let refused = |atom: usize, reason: &str| {
        Err(ChemistryError::NoConformer {
            name: molecule.name.clone(),
            reason: format!("{} {reason}", atom_text(molecule, atom)),
        })
    };
    if let Some(atom) = molecule.atoms.iter().position(|atom| atom.element == Element::UNKNOWN) {
        return refused(atom, "stands for any atom; give the whole molecule");
    }
    match perception.unpaired_electrons.iter().position(|&count| count > 0) {
        Some(atom) => refused(
            atom,
            "has an unpaired electron; give its hydrogens (as in [CH3] for [CH2]) or its charge: only closed-shell \
             molecules are built",
        ),
        None => Ok(()),
    }
}

fn embed_as(
    molecule: &SmallMolecule,
    seed: u64,
    count: usize,
    minimise: bool,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<Embedding, ChemistryError> {
    let count = count.clamp(1, MAX_CONFORMERS);
    let perception = perceive(molecule)?;
    refuse_unbuildable_parts(&perception)?;
    let perceived = perception.molecule;
    let mut pieces = fragments(&perceived).into_iter();
    let (mut largest, kept) = pieces.next().ok_or(ChemistryError::NoAtoms)?;
    let left_out = pieces.map(|(piece, _)| canonical_smiles(&piece)).collect::<Result<Vec<_>, ChemistryError>>()?;
    largest.conformers.clear();
    let open = perceive(&largest)?.open_stereo;
    let mut full = add_hydrogens(&largest)?;
    let mut atom_map = vec![None; molecule.atoms.len()];
    for (new, old) in kept.iter().enumerate() {
        atom_map[*old as usize] = Some(new as u32);
    }

    let stop = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = channel();
    let job = Job { molecule: full.clone(), open, seed, count, minimise, stop: Arc::clone(&stop) };
    std::thread::Builder::new()
        .name("conformers".to_owned())
        .stack_size(16 << 20)
        .spawn(move || {
            job.run(&mut |message| {
                // The receiver is gone when the caller gave up; `stop` says so.
                let _ = sender.send(message);
            });
        })
        .map_err(|error| ChemistryError::NoConformer {
            name: molecule.name.clone(),
            reason: format!("no thread could be started: {error}"),
        })?;

    let started = Instant::now();
    let limit = Duration::from_secs(FIRST_LIMIT_SECONDS + FURTHER_LIMIT_SECONDS * (count as u64 - 1));
    let mut energies = Vec::with_capacity(count);
    let mut chosen_stereo = Vec::new();
    let mut force_field = ForceField::None;
    while full.conformers.len() < count {
        match receiver.recv_timeout(Duration::from_millis(20)) {
            Ok(Message::Conformer { positions, energy }) => {
                full.conformers.push(positions);
                energies.push(energy);
            }
            Ok(Message::Chosen { stereo, field }) => {
                full.stereo.extend(&stereo);
                chosen_stereo = stereo;
                force_field = field;
            }
            Ok(Message::Failed(reason)) => {
                return Err(ChemistryError::NoConformer { name: molecule.name.clone(), reason });
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(ChemistryError::NoConformer {
                    name: molecule.name.clone(),
                    reason: "the search for a structure broke off".to_owned(),
                });
            }
        }
        if is_cancelled() {
            stop.store(true, Ordering::Relaxed);
            return Err(ChemistryError::Cancelled);
        }
        if started.elapsed() > limit && full.conformers.len() < count {
            stop.store(true, Ordering::Relaxed);
            return Err(ChemistryError::TimedOut { name: molecule.name.clone(), seconds: limit.as_secs() });
        }
    }
    Ok(Embedding { molecule: full, atom_map, chosen_stereo, left_out, force_field, energies })
}

/// Plain ETKDGv3 geometries of the input's atoms, in Å: what RDKit's embedding gives for the same seed, hydrogens added for
/// it and dropped again, not minimised and not checked. For network inputs that were trained on just that; everything else
/// wants [`embed`]. Empty when no geometry is found within `limit_seconds` for each.
///
/// # Errors
/// When the molecule breaks the rules of valence.
pub fn distance_geometry(
    molecule: &SmallMolecule,
    seed: i32,
    count: u32,
    limit_seconds: u32,
) -> Result<Vec<Vec<Vec3>>, ChemistryError> {
    let mut full = add_hydrogens(&perceive(molecule)?.molecule)?;
    full.conformers.clear();
    let prepared = into_toolkit(&full)?;
    let mut params = kit::EmbedParams::etkdg_v3();
    params.random_seed = seed;
    params.num_threads = 1;
    params.timeout = limit_seconds;
    let embedded = if count == 1 {
        prepared.with_3d_conformer_result_with_params(&params).map(|found| found.molecule().clone())
    } else {
        prepared.with_3d_conformers_result_with_params(count, &params).map(|found| found.molecule().clone())
    };
    let Ok(embedded) = embedded else { return Ok(Vec::new()) };
    Ok(embedded
        .conformers_3d()
        .iter()
        .map(|held| coordinates_from(held.coordinates()).into_iter().take(molecule.atoms.len()).collect())
        .collect())
}

enum Message {
    Chosen { stereo: Vec<Stereo>, field: ForceField },
    Conformer { positions: Vec<Vec3>, energy: Option<f64> },
    Failed(String),
}

struct Job {
    molecule: SmallMolecule,
    open: Vec<Stereo>,
    seed: u64,
    count: usize,
    minimise: bool,
    stop: Arc<AtomicBool>,
}

impl Job {
    fn run(mut self, send: &mut dyn FnMut(Message)) {
        if let Err(reason) = self.make(send) {
            send(Message::Failed(reason));
        }
    }

    fn make(&mut self, send: &mut dyn FnMut(Message)) -> Result<(), String> {
        let mut prepared = into_toolkit(&self.molecule).map_err(|error| error.to_string())?;
        for index in 0..self.count {
            let (positions, energy, field) = self.conformer(&prepared, index)?;
            if index == 0 {
                let mut stereo = Vec::new();
                for open in &self.open {
                    match open.is_satisfied_by(&positions) {
                        Some(true) => stereo.push(*open),
                        Some(false) => stereo.push(open.inverted()),
                        None => {}
                    }
                }
                self.molecule.stereo.extend(&stereo);
                if !stereo.is_empty() {
                    prepared = into_toolkit(&self.molecule).map_err(|error| error.to_string())?;
                }
                send(Message::Chosen { stereo, field });
            }
            send(Message::Conformer { positions, energy });
            if self.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// One conformer of the right stereo. The attempts differ in seed and in where the search starts; each is bounded
    /// by its iterations and not by time, so that a slow machine finds the same as a fast one.
    fn conformer(
        &self,
        prepared: &kit::Molecule,
        index: usize,
    ) -> Result<(Vec<Vec3>, Option<f64>, ForceField), String> {
        const ATTEMPTS: [(bool, u32); 4] = [(false, 40), (true, 40), (false, 40), (true, 80)];
        let mut wrong_stereo = false;
        for (attempt, (random_start, iterations)) in ATTEMPTS.into_iter().enumerate() {
            if self.stop.load(Ordering::Relaxed) {
                return Err("stopped".to_owned());
            }
            let mut params = kit::EmbedParams::etkdg_v3();
            params.random_seed = seed_of(self.seed, index, attempt / 2);
            params.use_random_coords = random_start;
            params.max_iterations = iterations;
            params.num_threads = 1;
            let embedded =
                prepared.with_3d_conformer_result_with_params(&params).map_err(|error| explain(&error).reason)?;
            if !embedded.ok() {
                continue;
            }
            let Some(start) = embedded.molecule().conformers_3d().first() else { continue };
            let start = coordinates_from(start.coordinates());
            let (positions, energy, field) =
                if self.minimise { minimised(embedded.molecule(), start)? } else { (start, None, ForceField::None) };
            if positions.iter().any(|position| !position.is_finite()) {
                continue;
            }
            if self.molecule.stereo.iter().all(|stereo| stereo.is_satisfied_by(&positions) == Some(true)) {
                return Ok((positions, energy, field));
            }
            wrong_stereo = true;
        }
        Err(if wrong_stereo || !self.molecule.stereo.is_empty() {
            "no geometry with this stereochemistry was found; check that the configurations can exist together (in rings \
             and bridges some cannot)"
                .to_owned()
        } else {
            "distance geometry found no solution; check the molecule, or give a 3D structure (SDF)".to_owned()
        })
    }
}

/// The seed of a conformer as the toolkit takes it (31 bits, never negative). The first conformer of a small seed has
/// that seed itself.
fn seed_of(seed: u64, index: usize, attempt: usize) -> i32 {
    let folded = seed ^ (seed >> 31) ^ (seed >> 62);
    let mixed = folded
        .wrapping_add((index as u64).wrapping_mul(0x9E37_79B9))
        .wrapping_add((attempt as u64).wrapping_mul(0x85EB_CA6B));
    (mixed & 0x7FFF_FFFF) as i32
}

fn minimised(embedded: &kit::Molecule, start: Vec<Vec3>) -> Result<(Vec<Vec3>, Option<f64>, ForceField), String> {
    const ROUNDS: usize = 4;
    let mut molecule = embedded.clone();
    if molecule.mmff_has_all_molecule_params().unwrap_or(false) {
        let params = kit::MmffOptimizationParams { max_iterations: 500, ..Default::default() };
        let mut energy = None;
        for _ in 0..ROUNDS {
            let result = molecule.with_mmff_optimized_with_params(&params).map_err(|error| explain(&error).reason)?;
            let more = result.needs_more();
            energy = result.energy();
            molecule = result.molecule;
            if !more {
                break;
            }
        }
        return Ok((first_positions(&molecule, start), energy, ForceField::Mmff94));
    }
    if molecule.uff_has_all_molecule_params().unwrap_or(false) {
        let params = kit::UffOptimizationParams { max_iterations: 1000, ..Default::default() };
        let mut energy = None;
        for _ in 0..ROUNDS {
            let result = molecule.with_uff_optimized_with_params(&params).map_err(|error| explain(&error).reason)?;
            let more = result.needs_more();
            energy = result.energy();
            molecule = result.molecule;
            if !more {
                break;
            }
        }
        return Ok((first_positions(&molecule, start), energy, ForceField::Uff));
    }
    Ok((start, None, ForceField::None))
}

fn first_positions(molecule: &kit::Molecule, otherwise: Vec<Vec3>) -> Vec<Vec3> {
    molecule.conformers_3d().first().map_or(otherwise, |held| coordinates_from(held.coordinates()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(smiles: &str, seed: u64, count: usize) -> Embedding {
        embed_smiles(smiles, seed, count, &|| false).unwrap()
    }

    #[test]
    fn conformers_have_the_stereo_asked_for() {
        for smiles in [
            "C[C@H](N)C(=O)O",
            "C[C@@H](N)C(=O)O",
            "F/C=C/Cl",
            "F/C=C\\Cl",
            "C[C@H]1CC[C@@H](O)CC1",
            "C[C@H]1CC[C@H](O)CC1",
            "OC[C@H]1O[C@@H](O)[C@H](O)[C@@H](O)[C@@H]1O",
            "C/C=C/C(=O)N[C@@H](Cc1ccccc1)C#N",
            "CC1(C)[C@@H]2CC[C@@]1(C)C(=O)C2",
        ] {
            let embedding = made(smiles, 1, 3);
            assert_eq!(embedding.molecule.conformers.len(), 3, "{smiles}");
            // Read back from coordinates alone.
            for positions in &embedding.molecule.conformers {
                let mut blank = embedding.molecule.clone();
                blank.stereo.clear();
                blank.conformers = vec![positions.clone()];
                let (read, wanted) =
                    (canonical_smiles(&blank).unwrap(), canonical_smiles(&parse(smiles).unwrap()).unwrap());
                assert_eq!(read, wanted);
            }
        }
    }

    #[test]
    fn an_open_centre_is_the_same_in_all_conformers() {
        let embedding = made("CC(N)CC(F)Cl", 7, 6);
        assert_eq!(embedding.chosen_stereo.len(), 2);
        assert_eq!(embedding.notes().len(), 1);
        for positions in &embedding.molecule.conformers {
            assert!(embedding.chosen_stereo.iter().all(|stereo| stereo.is_satisfied_by(positions) == Some(true)));
        }
    }

    #[test]
    fn equal_seeds_give_equal_conformers() {
        let (one, same, other) = (made("CCCCOC", 5, 2), made("CCCCOC", 5, 2), made("CCCCOC", 6, 2));
        assert_eq!(one.molecule, same.molecule);
        assert_ne!(one.molecule.conformers, other.molecule.conformers);
        assert_ne!(one.molecule.conformers[0], one.molecule.conformers[1]);
    }

    #[test]
    fn salts_lose_their_counter_ion() {
        let embedding = made("Cl.CCNCC", 1, 1);
        assert_eq!(embedding.left_out, ["Cl"]);
        assert_eq!(embedding.molecule.heavy_atom_count(), 5);
        assert_eq!(embedding.atom_map, [None, Some(0), Some(1), Some(2), Some(3), Some(4)]);
        assert_eq!(embedding.force_field, ForceField::Mmff94);
    }

    #[test]
    fn boron_takes_the_other_force_field() {
        assert_eq!(made("OB(O)c1ccccc1", 1, 1).force_field, ForceField::Uff);
    }

    #[test]
    fn impossible_stereo_is_refused() {
        // A trans bridge over two atoms.
        let found = embed_smiles("C[C@]12C[C@]1(F)CC2", 1, 1, &|| false);
        assert!(matches!(found, Err(ChemistryError::NoConformer { .. })), "{found:?}");
    }

    #[test]
    fn cancelling_stops_it() {
        let found = embed_smiles("CCCCCCCCCCCCCCCCCC", 1, 1000, &|| true);
        assert!(matches!(found, Err(ChemistryError::Cancelled)), "{found:?}");
    }
}
