//! Apo structures: from the sequences of one chain, or of chains that belong together, to structures with pLDDT
//! (K-Fold 1.0.0, `inference/apo_runner.py`; AtlasFold 1.0.4, `runner.py`, `runner_multimer.py`).
//!
//! One seed gives several samples, ranked: a single chain by its mean pLDDT, a complex by 0.8 ipTM + 0.2 pTM + 0.5 times the
//! share of disordered residues. The best is the apo structure, all of them together are the priors of K-Fold's sampler.

use std::sync::Arc;

use glam::Vec3;
use kfold_molecule::{Atom, Chain, Model, Residue, ResidueKind, Structure, Topology};
use smol_str::SmolStr;

use super::confidence_metrics::{Confidence, fraction_disordered};
use super::diffusion_head::SamplingConfig;
use super::features::Features;
use super::model::{AtlasFold, FoldSettings};
use super::residues::{ATOM14, ATOM37, RESIDUES, UNKNOWN, atom14_of_atom37, element_of, type_of, types_of};
use super::solvent_accessibility::relative_accessibility;
use crate::engine::Events;
use crate::kfold::encoders::atlaslm::AtlasLm;
use crate::kfold::noise::SeededNoise;
use crate::kfold::{KFoldError, Result};

/// Weight of ipTM in a complex's ranking.
const IPTM_WEIGHT: f32 = 0.8;
/// Weight of pTM.
const PTM_WEIGHT: f32 = 0.2;
/// Weight of the share of disordered residues.
const DISORDER_WEIGHT: f32 = 0.5;

/// How apo structures are made.
#[derive(Clone, Debug, PartialEq)]
pub struct ApoSettings {
    /// Cycles of the trunk after the first.
    pub num_recycles: usize,
    /// Share of amino acids hidden from the language model in each cycle.
    pub mlm_probability: f64,
    /// Structures to sample for a seed.
    pub num_samples: usize,
    /// Denoising steps; `None` for the reference's choice: for one chain by its length, for several 100.
    pub num_steps: Option<usize>,
}

impl Default for ApoSettings {
    fn default() -> Self {
        Self { num_recycles: 4, mlm_probability: 0.15, num_samples: 5, num_steps: None }
    }
}

/// Denoising steps of a complex.
const COMPLEX_STEPS: usize = 100;

/// A protein chain to fold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProteinChain {
    /// Its identifier in the structures.
    pub id: String,
    /// One-letter codes; what is not one of the twenty amino acids is folded as unknown.
    pub sequence: String,
}

/// A folded chain.
#[derive(Clone, Debug, PartialEq)]
pub struct ApoChain {
    /// Its identifier.
    pub id: String,
    /// Residue types ([`RESIDUES`]).
    pub residue_types: Vec<u8>,
    /// Å, in atom14 order; zeros where there is no atom.
    pub coordinates: Vec<[[f32; 3]; ATOM14]>,
    /// 0 to 100, one for each residue.
    pub plddt: Vec<f32>,
}

/// A folded chain or complex.
#[derive(Clone, Debug, PartialEq)]
pub struct ApoSample {
    /// The chains in the order in which they were given.
    pub chains: Vec<ApoChain>,
    /// Predicted TM-score, 0 to 1.
    pub ptm: f32,
    /// Predicted TM-score across chains, 0 to 1; `None` for one chain.
    pub iptm: Option<f32>,
    /// Share of disordered residues, 0 to 1; `None` for one chain.
    pub fraction_disordered: Option<f32>,
    /// What samples are ranked by: mean pLDDT of one chain, 0 to 100; for a complex about 0 to 1.5.
    pub ranking_score: f32,
}

/// Folds chains with one seed; the best sample comes first. AtlasFold takes one chain; AtlasFold-M any number.
///
/// # Errors
/// When a sequence is empty, there are more chains than the model takes, memory ends, or the run was cancelled.
pub fn fold_apo(
    model: &AtlasFold,
    lm: &AtlasLm,
    chains: &[ProteinChain],
    settings: &ApoSettings,
    seed: u64,
    events: &mut dyn Events,
) -> Result<Vec<ApoSample>> {
    let sequences: Vec<&str> = chains.iter().map(|chain| chain.sequence.as_str()).collect();
    let multimer = model.config().is_multimer();
    let features = match sequences.as_slice() {
        _ if multimer => Features::complex(&sequences)?,
        [sequence] => Features::monomer(sequence)?,
        _ => {
            return Err(KFoldError::input(format!(
                "AtlasFold folds one chain, not {}; AtlasFold-M folds several",
                chains.len()
            )));
        }
    };
    for chain in chains {
        let mut unknown: Vec<char> = chain.sequence.chars().filter(|letter| is_unknown(*letter)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        if !unknown.is_empty() {
            events.warning(&format!(
                "chain {}: {} are no standard amino acids and are folded as unknown residues",
                chain.id,
                String::from_iter(unknown)
            ));
        }
    }
    let mut sampling = if multimer {
        SamplingConfig { num_steps: COMPLEX_STEPS, ..SamplingConfig::default() }
    } else {
        SamplingConfig::for_monomer(features.padded_length())
    };
    if let Some(steps) = settings.num_steps {
        sampling.num_steps = steps.max(1);
    }
    let settings = FoldSettings {
        num_recycles: settings.num_recycles,
        mlm_probability: settings.mlm_probability,
        num_samples: settings.num_samples,
        sampling,
    };
    let ids: Vec<&str> = chains.iter().map(|chain| chain.id.as_str()).collect();
    let mut noise = SeededNoise::new(seed);
    let folded = model.fold(lm, &features, None, &settings, &mut noise, &ids.join(", "), events)?;
    let mut samples = Vec::with_capacity(folded.confidences.len());
    for (index, confidence) in folded.confidences.iter().enumerate() {
        let coordinates: Vec<Vec<f32>> = folded.coordinates.get(index)?.to_vec2()?;
        samples.push(sample(chains, &coordinates, confidence, multimer));
    }
    // Equal scores keep the order in which they were sampled.
    samples.sort_by(|a, b| b.ranking_score.total_cmp(&a.ranking_score));
    Ok(samples)
}

/// Whether a letter is folded as an unknown residue although it does not say so itself.
fn is_unknown(letter: char) -> bool {
    !letter.is_whitespace() && !letter.eq_ignore_ascii_case(&'X') && type_of(letter) == UNKNOWN
}

/// Puts a sample's chains together from coordinates `[L * 14][3]`.
fn sample(chains: &[ProteinChain], coordinates: &[Vec<f32>], confidence: &Confidence, multimer: bool) -> ApoSample {
    let mut first = 0;
    let mut folded = Vec::with_capacity(chains.len());
    for chain in chains {
        let residue_types = types_of(&chain.sequence);
        let places = |residue: usize| -> [[f32; 3]; ATOM14] {
            std::array::from_fn(|atom| {
                let place = &coordinates[(first + residue) * ATOM14 + atom];
                std::array::from_fn(|axis| place[axis])
            })
        };
        let length = residue_types.len();
        folded.push(ApoChain {
            id: chain.id.clone(),
            coordinates: (0..length).map(places).collect(),
            plddt: confidence.plddt[first..first + length].iter().map(|plddt| 100.0 * plddt).collect(),
            residue_types,
        });
        first += length;
    }
    let mean_plddt = folded.iter().flat_map(|chain| &chain.plddt).sum::<f32>() / first.max(1) as f32;
    if !multimer {
        return ApoSample {
            chains: folded,
            ptm: confidence.ptm,
            iptm: None,
            fraction_disordered: None,
            ranking_score: mean_plddt,
        };
    }
    let lengths: Vec<usize> = folded.iter().map(|chain| chain.residue_types.len()).collect();
    let accessible = |chain: &ApoChain| relative_accessibility(&chain.residue_types, chain.coordinates.as_flattened());
    let accessibility: Vec<f32> = folded.iter().flat_map(accessible).collect();
    let disordered = fraction_disordered(&accessibility, &lengths);
    ApoSample {
        chains: folded,
        ptm: confidence.ptm,
        iptm: Some(confidence.iptm),
        fraction_disordered: Some(disordered),
        ranking_score: IPTM_WEIGHT * confidence.iptm + PTM_WEIGHT * confidence.ptm + DISORDER_WEIGHT * disordered,
    }
}

impl ApoChain {
    /// Å, in atom37 order; NaN where there is no atom.
    #[must_use]
    pub fn atom37(&self) -> Vec<[[f32; 3]; ATOM37]> {
        let places = |(kind, atoms): (&u8, &[[f32; 3]; ATOM14])| {
            atom14_of_atom37(*kind).map(|atom| atom.map_or([f32::NAN; 3], |atom| atoms[atom]))
        };
        self.residue_types.iter().zip(&self.coordinates).map(places).collect()
    }
}

/// Samples of one query as the models of one structure, with pLDDT as their B-factors. The samples must be of the same
/// chains; bonds are those of the first.
#[must_use]
pub fn structure(name: &str, samples: &[ApoSample]) -> Structure {
    let Some(first) = samples.first() else { return Structure { name: name.to_owned(), models: Vec::new() } };
    let positions = |sample: &ApoSample| -> Vec<Vec3> {
        let atoms = |(kind, places): (&u8, &[[f32; 3]; ATOM14])| {
            let count = RESIDUES[usize::from(*kind)].atoms.len();
            places[..count].iter().map(|place| Vec3::from_array(*place)).collect::<Vec<_>>()
        };
        let chains = sample.chains.iter();
        chains.flat_map(|chain| chain.residue_types.iter().zip(&chain.coordinates).flat_map(atoms)).collect()
    };
    let mut topology = topology(first);
    kfold_molecule::bonds::assign(&mut topology, &positions(first));
    let topology = Arc::new(topology);
    let model = |(index, sample): (usize, &ApoSample)| {
        let of_atoms =
            |(kind, plddt): (&u8, &f32)| std::iter::repeat_n(*plddt, RESIDUES[usize::from(*kind)].atoms.len());
        let chains = sample.chains.iter();
        Model {
            number: index as i32 + 1,
            topology: Arc::clone(&topology),
            positions: positions(sample),
            b_factors: chains
                .flat_map(|chain| chain.residue_types.iter().zip(&chain.plddt).flat_map(of_atoms))
                .collect(),
        }
    };
    Structure { name: name.to_owned(), models: samples.iter().enumerate().map(model).collect() }
}

fn topology(sample: &ApoSample) -> Topology {
    let mut topology = Topology::default();
    for (chain_index, chain) in sample.chains.iter().enumerate() {
        let first_residue = topology.residues.len() as u32;
        for (position, kind) in chain.residue_types.iter().enumerate() {
            let kind = &RESIDUES[usize::from(*kind)];
            let first_atom = topology.atoms.len() as u32;
            let residue = topology.residues.len() as u32;
            topology.atoms.extend(kind.atoms.iter().enumerate().map(|(atom, name)| Atom {
                name: SmolStr::new_static(name),
                element: element_of(name),
                serial: (first_atom as usize + atom + 1) as i32,
                altloc: None,
                occupancy: 1.0,
                formal_charge: 0,
                residue,
            }));
            topology.residues.push(Residue {
                name: SmolStr::new_static(kind.name),
                number: position as i32 + 1,
                insertion_code: None,
                sequence_index: Some(position as u32 + 1),
                asym_id: SmolStr::new(&chain.id),
                is_hetero: false,
                kind: ResidueKind::Protein,
                atoms: first_atom..topology.atoms.len() as u32,
                chain: chain_index as u32,
            });
        }
        topology
            .chains
            .push(Chain { id: SmolStr::new(&chain.id), residues: first_residue..topology.residues.len() as u32 });
    }
    topology
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::atomic::{AtomicU64, Ordering};

    use candle_core::{DType, Device, Tensor};
    use candle_nn::VarBuilder;

    use super::super::config::LanguageModelShape;
    use super::super::watch::Unwatched;
    use super::*;
    use crate::engine::Progress;
    use crate::kfold::atlasfold::AtlasFoldConfig;
    use crate::kfold::checkpoint::Expected;
    use crate::kfold::encoders::transformer::Residence;
    use crate::kfold::noise::Noise;

    const LM: LanguageModelShape = LanguageModelShape { d_model: 32, n_heads: 2, n_layers: 2 };

    /// Weights of a size that keeps activations about where they were.
    fn random_weights(expected: &Expected, seed: u64) -> HashMap<String, Tensor> {
        let mut noise = SeededNoise::new(seed);
        let mut weights = HashMap::new();
        for tensor in &expected.tensors {
            let (name, shape) = (&tensor.name, &tensor.shape);
            let drawn = noise.randn(shape).unwrap();
            let (scale, offset) = match shape.as_slice() {
                [.., inner] if shape.len() > 1 => ((*inner as f64).powf(-0.5), 0.0),
                _ if name.ends_with("weight") => (0.1, 1.0),
                _ => (0.1, 0.0),
            };
            weights.insert(name.clone(), drawn.affine(scale, offset).unwrap());
        }
        weights
    }

    fn models(multimer: bool) -> (AtlasFold, AtlasLm) {
        let published = if multimer { AtlasFoldConfig::published_pair() } else { AtlasFoldConfig::published_monomer() };
        let mut config = published.unwrap();
        (config.channel_s, config.channel_s_lm, config.channel_z) = (16, 16, 8);
        (config.trunk.num_heads, config.trunk.num_tri_heads) = (2, 2);
        (config.trunk.num_lm_blocks, config.trunk.num_blocks, config.trunk.num_pair_to_single_blocks) = (1, 1, 1);
        let diffusion = &mut config.diffusion_head;
        (diffusion.channel_a, diffusion.channel_atom, diffusion.channel_cond) = (16, 8, 16);
        (diffusion.num_heads, diffusion.num_blocks, diffusion.num_atom_blocks) = (2, 1, 1);
        let confidence = &mut config.confidence_head;
        (confidence.num_heads, confidence.num_tri_heads, confidence.num_blocks) = (2, 2, 1);
        if let Some(template) = &mut config.template_module {
            (template.channel_template, template.num_blocks, template.num_tri_heads) = (8, 1, 2);
        }
        let lm_config = serde_json::json!({ "vocab_size": 64, "d_model": 32, "n_heads": 2, "n_layers": 2 });
        let lm_config = serde_json::from_value(lm_config).unwrap();
        let load_lm = |vb| AtlasLm::load(vb, &lm_config, Residence::Resident);
        let vb = |expected: &Expected, seed| {
            VarBuilder::from_tensors(random_weights(expected, seed), DType::F32, &Device::Cpu)
        };
        let lm = load_lm(vb(&Expected::of(load_lm).unwrap(), 1)).unwrap();
        let expected = Expected::of(|vb| AtlasFold::load(vb, &config, LM)).unwrap();
        (AtlasFold::load(vb(&expected, 2), &config, LM).unwrap(), lm)
    }

    fn chain(id: &str, sequence: &str) -> ProteinChain {
        ProteinChain { id: id.to_owned(), sequence: sequence.to_owned() }
    }

    fn settings() -> ApoSettings {
        ApoSettings { num_recycles: 1, num_samples: 2, num_steps: Some(3), ..ApoSettings::default() }
    }

    /// Counts reports; cancels after so many.
    struct Counting {
        reports: Vec<Progress>,
        warnings: Vec<String>,
        asked: AtomicU64,
        cancel_after: u64,
    }

    impl Counting {
        fn new(cancel_after: u64) -> Self {
            Self { reports: Vec::new(), warnings: Vec::new(), asked: AtomicU64::new(0), cancel_after }
        }
    }

    impl Events for Counting {
        fn progress(&mut self, progress: Progress) {
            self.reports.push(progress);
        }
        fn warning(&mut self, message: &str) {
            self.warnings.push(message.to_owned());
        }
        fn is_cancelled(&self) -> bool {
            self.asked.fetch_add(1, Ordering::Relaxed) + 1 >= self.cancel_after
        }
    }

    #[test]
    fn a_chain_is_folded_to_a_structure_file() {
        let (model, lm) = models(false);
        let chains = [chain("B", "MKTAYG WX")];
        let mut events = Counting::new(u64::MAX);
        let samples = fold_apo(&model, &lm, &chains, &settings(), 7, &mut events).unwrap();
        assert_eq!(samples.len(), 2);
        assert!(samples[0].ranking_score >= samples[1].ranking_score, "the best comes first");
        assert!((0.0..=100.0).contains(&samples[0].ranking_score));

        assert!(events.warnings.is_empty(), "X is a residue that is not known: {:?}", events.warnings);
        let last = events.reports.last().unwrap();
        assert_eq!((last.step, last.stage.as_str(), last.message.as_str()), (last.steps, "apo", "B"));
        let steps: Vec<u64> = events.reports.iter().map(|report| report.step).collect();
        assert_eq!(steps, (0..=last.steps).collect::<Vec<_>>(), "every step is reported once");

        let structure = structure("apo", &samples);
        assert!(structure.is_ensemble());
        let written = kfold_molecule::formats::mmcif::write(&structure);
        let read = kfold_molecule::formats::mmcif::read(written.as_bytes()).unwrap();
        assert_eq!(read.models.len(), 2);
        let topology = &read.models[0].topology;
        let names: Vec<&str> = topology.residues.iter().map(|residue| residue.name.as_str()).collect();
        assert_eq!(names, ["MET", "LYS", "THR", "ALA", "TYR", "GLY", "TRP", "UNK"]);
        assert_eq!(topology.chains[0].id, "B");
        assert_eq!(topology.atoms.len(), 8 + 9 + 7 + 5 + 12 + 4 + 14 + 5);
        for (ours, read) in structure.models.iter().zip(&read.models) {
            for (a, b) in ours.positions.iter().zip(&read.positions) {
                assert!(a.is_finite() && a.distance(*b) < 2e-3 * a.length().max(1.0), "{a} written, {b} read");
            }
            for (a, b) in ours.b_factors.iter().zip(&read.b_factors) {
                assert!((a - b).abs() < 0.01, "pLDDT {a} written, {b} read");
            }
        }
        let atom37 = samples[0].chains[0].atom37();
        assert_eq!(atom37[5].iter().filter(|place| place[0].is_finite()).count(), 4, "glycine");
        assert_eq!(atom37[0][3], samples[0].chains[0].coordinates[0][4], "CB is fourth in one and fifth in the other");
    }

    #[test]
    fn residues_that_are_no_amino_acids_are_named() {
        let (model, lm) = models(false);
        let mut events = Counting::new(1);
        let result = fold_apo(&model, &lm, &[chain("A", "MUKBU")], &settings(), 7, &mut events);
        assert!(matches!(result, Err(KFoldError::Cancelled)));
        assert_eq!(events.warnings.len(), 1);
        assert!(events.warnings[0].contains("chain A: BU "), "{:?}", events.warnings);
    }

    #[test]
    fn equal_seeds_give_equal_structures() {
        let (model, lm) = models(false);
        let fold = |seed| fold_apo(&model, &lm, &[chain("A", "MKT")], &settings(), seed, &mut Unwatched).unwrap();
        let first = fold(7);
        assert_eq!(first, fold(7));
        assert_ne!(first, fold(8));
    }

    #[test]
    fn a_pair_is_folded_together() {
        let (model, lm) = models(true);
        let chains = [chain("H", "MKTAY"), chain("L", "GWM")];
        let samples = fold_apo(&model, &lm, &chains, &settings(), 3, &mut Unwatched).unwrap();
        let best = &samples[0];
        assert_eq!(best.chains.iter().map(|chain| chain.coordinates.len()).collect::<Vec<_>>(), [5, 3]);
        assert!(best.iptm.is_some_and(|iptm| (0.0..=1.0).contains(&iptm)));
        assert!(best.fraction_disordered.is_some_and(|share| (0.0..=1.0).contains(&share)));
        let structure = structure("pair", &samples);
        let topology = &structure.models[0].topology;
        assert_eq!(topology.chains.iter().map(|chain| chain.id.as_str()).collect::<Vec<_>>(), ["H", "L"]);
        assert_eq!(topology.chains[1].residues, 5..8);
    }

    #[test]
    fn a_run_stops_when_asked() {
        let (model, lm) = models(false);
        for cancel_after in [1, 4, 9] {
            let mut events = Counting::new(cancel_after);
            let result = fold_apo(&model, &lm, &[chain("A", "MKT")], &settings(), 7, &mut events);
            assert!(matches!(result, Err(KFoldError::Cancelled)), "after {cancel_after}");
            assert_eq!(events.reports.last().unwrap().step, cancel_after, "no step after the request");
        }
    }

    #[test]
    fn one_chain_goes_to_atlasfold_and_several_to_atlasfold_m() {
        let (model, lm) = models(false);
        let error = fold_apo(&model, &lm, &[chain("A", "M"), chain("B", "K")], &settings(), 1, &mut Unwatched);
        assert!(error.unwrap_err().to_string().contains("AtlasFold-M"));
        let error = fold_apo(&model, &lm, &[chain("A", "")], &settings(), 1, &mut Unwatched).unwrap_err();
        assert!(error.to_string().contains("chain 1"), "{error}");
    }
}
