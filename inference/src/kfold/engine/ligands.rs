//! The ligands of a predicted complex as molecules: the input's bond orders, whether the prediction kept the input's stereo and is
//! sound otherwise, and what the docking engine's function makes of the pose.

use glam::Vec3;
use kfold_molecule::analysis::pose_checks::{LigandReference, PoseCheck, PoseCheckKind, ReceptorSpace, check_against};
use kfold_molecule::structure::{Bond, BondOrder, Model, Structure};
use kfold_molecule::{Element, SmallMolecule, SmallMoleculeAtom, Stereo};

use crate::docking::{Receptor, score_pose};
use crate::engine::EngineName;
use crate::kfold::features::component::BondClass;
use crate::kfold::features::reference::{ReferenceChain, ReferenceStructure};
use crate::kfold::input::ChainType;
use crate::kfold::modules::confidence_metrics::SampleConfidence;
use crate::kfold::prediction::{DockingScore, LigandRecord, PredictedLigand};
use crate::settings::ScoringFunction;

/// A ligand chain of the query.
pub struct LigandChain<'a> {
    chain: &'a ReferenceChain,
    /// Complex-wide index of its first atom.
    first_atom: usize,
    /// The input's molecule, without coordinates.
    molecule: SmallMolecule,
    /// What a pose is checked against; `None` for ions and what the rules of valence refuse.
    reference: Option<LigandReference>,
    /// Whether it is bonded to another chain, which is then no clash.
    is_bonded: bool,
}

impl<'a> LigandChain<'a> {
    /// The ligands of a complex.
    #[must_use]
    pub fn all(structure: &'a ReferenceStructure) -> Vec<Self> {
        let firsts = structure.first_atoms();
        let ligands = structure.chains.iter().enumerate().filter(|(_, chain)| chain.chain_type == ChainType::Ligand);
        let ligand = |(index, chain): (usize, &'a ReferenceChain)| {
            let within = structure.connections.iter().filter(|bond| bond.chains == [index; 2]).map(|bond| bond.atoms);
            let molecule = molecule_of(chain, &within.collect::<Vec<_>>());
            let is_bonded = structure
                .connections
                .iter()
                .any(|bond| bond.chains.contains(&index) && bond.chains[0] != bond.chains[1]);
            let reference = (molecule.atoms.len() > 1).then(|| LigandReference::new(&molecule).ok()).flatten();
            Self { chain, first_atom: firsts[index], molecule, reference, is_bonded }
        };
        ligands.map(ligand).collect()
    }

    /// The ligand in a sample. `whole` is the sample as a structure, chains named as in the query.
    #[must_use]
    pub fn predicted(&self, whole: &Structure, positions: &[Vec3], confidence: &SampleConfidence) -> PredictedLigand {
        let atoms = self.first_atom..self.first_atom + self.chain.atoms.len();
        let pose = positions[atoms.clone()].to_vec();
        let mut molecule = self.molecule.clone();
        molecule.conformers = vec![pose.clone()];
        let receptor = self.receptor(whole);
        let checks = self.checks(receptor.as_ref(), &pose);
        let wrong_stereo = checks
            .iter()
            .filter(|check| matches!(check.kind, PoseCheckKind::TetrahedralStereo | PoseCheckKind::DoubleBondStereo))
            .flat_map(|check| &check.atoms)
            .filter_map(|atom| Some(molecule.atoms.get(*atom as usize)?.name.to_string()))
            .collect();
        let docking_score = receptor.as_ref().filter(|_| self.reference.is_some()).and_then(|receptor| {
            let scoring = ScoringFunction::default();
            let scored = score_pose(receptor, &molecule, scoring, false).ok()?;
            let scoring = scoring.display_name().to_owned();
            Some(DockingScore { engine: EngineName::Docking, scoring, score: scored.score })
        });
        let plddt = &confidence.plddt[atoms];
        let record = LigandRecord {
            chain: self.chain.name.clone(),
            plddt: plddt.iter().sum::<f32>() / plddt.len().max(1) as f32,
            iptm: self.iptm(confidence, whole),
            wrong_stereo,
            checks,
            docking_score,
        };
        PredictedLigand { molecule, record }
    }

    /// Everything but this ligand, as the docking engine sees it.
    fn receptor(&self, whole: &Structure) -> Option<Receptor> {
        let topology = &whole.first()?.topology;
        let chain = topology.chains.iter().find(|chain| chain.id == self.chain.name.as_str())?;
        let own: Vec<usize> = chain.residues.clone().map(|residue| residue as usize).collect();
        Receptor::new(whole, &own).ok()
    }

    fn checks(&self, receptor: Option<&Receptor>, pose: &[Vec3]) -> Vec<PoseCheck> {
        let Some(reference) = &self.reference else { return Vec::new() };
        let nothing = Model { number: 1, topology: Default::default(), positions: Vec::new(), b_factors: Vec::new() };
        let surroundings = receptor.and_then(|receptor| receptor.structure.first()).unwrap_or(&nothing);
        let mut checks = check_against(&ReceptorSpace::new(surroundings), reference, pose);
        if self.is_bonded {
            checks.retain(|check| check.kind != PoseCheckKind::ProteinDistance);
        }
        checks
    }

    /// The highest ipTM with a chain of the polymers.
    fn iptm(&self, confidence: &SampleConfidence, whole: &Structure) -> Option<f32> {
        let topology = &whole.first()?.topology;
        let is_polymer = |name: &str| {
            topology.chains.iter().any(|chain| {
                chain.id == name
                    && chain.residues.clone().any(|residue| topology.residues[residue as usize].is_polymer())
            })
        };
        let name = &self.chain.name;
        let other = |pair: &str| -> Option<String> {
            let first = pair.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('-'));
            let second = pair.strip_suffix(name.as_str()).and_then(|rest| rest.strip_suffix('-'));
            first.or(second).map(str::to_owned)
        };
        let interfaces = confidence.summary.interfaces.iter();
        interfaces
            .filter(|(pair, _)| other(pair).is_some_and(|other| is_polymer(&other)))
            .map(|(_, scores)| scores.iptm)
            .max_by(f32::total_cmp)
    }
}

/// The molecule of a ligand chain: its components' molecules without the atoms that left, joined by the query's bonds.
fn molecule_of(chain: &ReferenceChain, joined: &[[usize; 2]]) -> SmallMolecule {
    let mut molecule = SmallMolecule { name: chain.name.clone(), ..SmallMolecule::default() };
    for residue in &chain.residues {
        let first = residue.atoms.start;
        let place = |atom: u32| -> Option<u32> {
            let at = residue.component_atoms.iter().position(|kept| *kept == atom as usize)?;
            Some((first + at) as u32)
        };
        let known = residue.component.molecule();
        for (at, component_atom) in residue.atoms.clone().zip(&residue.component_atoms) {
            let atom = &chain.atoms[at];
            let from = known.and_then(|known| known.atoms.get(*component_atom));
            molecule.atoms.push(SmallMoleculeAtom {
                element: Element::from_atomic_number(atom.element),
                formal_charge: atom.charge,
                name: atom.name.clone(),
                ..from.cloned().unwrap_or_default()
            });
        }
        match known {
            Some(known) => {
                for bond in &known.bonds {
                    if let (Some(a), Some(b)) = (place(bond.a), place(bond.b)) {
                        molecule.bonds.push(Bond::new(a, b, bond.order));
                    }
                }
                molecule.stereo.extend(known.stereo.iter().filter_map(|stereo| moved(stereo, &place)));
            }
            None => {
                let bonds = chain.bonds.iter().filter(|(a, _, _)| residue.atoms.contains(a));
                molecule.bonds.extend(bonds.map(|(a, b, class)| Bond::new(*a as u32, *b as u32, order_of(*class))));
            }
        }
    }
    molecule.bonds.extend(joined.iter().map(|[a, b]| Bond::new(*a as u32, *b as u32, BondOrder::Single)));
    molecule
}

fn order_of(class: BondClass) -> BondOrder {
    match class {
        BondClass::Double => BondOrder::Double,
        BondClass::Triple => BondOrder::Triple,
        BondClass::Aromatic => BondOrder::Aromatic,
        BondClass::Single | BondClass::Other | BondClass::Intermolecular => BondOrder::Single,
    }
}

/// A configuration in other indices, where all its atoms are still there.
fn moved(stereo: &Stereo, place: &dyn Fn(u32) -> Option<u32>) -> Option<Stereo> {
    Some(match *stereo {
        Stereo::Tetrahedral { centre, neighbours: [a, b, c], counterclockwise } => Stereo::Tetrahedral {
            centre: place(centre)?,
            neighbours: [place(a)?, place(b)?, place(c)?],
            counterclockwise,
        },
        Stereo::DoubleBond { atoms: [a, b], neighbours: [c, d], same_side } => {
            Stereo::DoubleBond { atoms: [place(a)?, place(b)?], neighbours: [place(c)?, place(d)?], same_side }
        }
    })
}
