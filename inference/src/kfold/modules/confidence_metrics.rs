//! Scores from the confidence head's logits (K-Fold 1.0.0, utils/confidence_metrics.py; AlphaFold 3, section 5.9).
//!
//! pLDDT (0 to 100), PAE and PDE (Å) are expectations over bins. pTM and ipTM (0 to 1) are the best alignment's expectation of
//! the TM score's term, over pairs of tokens with a frame; d₀ is taken for at least 19 of them. Samples rank by
//! 0.8 ipTM + 0.2 pTM - 100 has_clash, so that a single chain, whose ipTM is 0, ranks by 0.2 pTM.

use std::collections::BTreeSet;

use candle_core::Tensor;
use glam::Vec3;
use rayon::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::confidence_head::{ConfidenceBins, ConfidenceLogits};
use crate::kfold::input::{ChainType, FoldingInput};
use crate::kfold::{KFoldError, Result};

/// Two atoms of different polymers closer than this clash, Å.
const CLASH: f32 = 1.1;
/// More clashes of two chains than this are too many,
const MAX_CLASHES: usize = 100;
/// and so are more than this share of the smaller chain's atoms.
const MAX_CLASH_SHARE: f64 = 0.1;
/// Fewest tokens that d₀ is taken for.
const LEAST_TOKENS: usize = 19;
/// Keeps an alignment without partners from dividing by zero.
const EPS: f64 = 1e-8;

/// Scores of the whole complex.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComplexScores {
    /// Mean pLDDT of the atoms, 0 to 100.
    pub plddt: f32,
    /// Mean PDE, Å.
    pub pde: f32,
    /// Predicted TM score, 0 to 1.
    pub ptm: f32,
    /// Predicted TM score between chains, 0 to 1.
    pub iptm: f32,
    /// 1 where two polymers run into each other, else 0.
    pub has_clash: f32,
    /// What samples rank by.
    pub ranking_score: f64,
}

/// Scores of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChainScores {
    /// Mean pLDDT of the atoms, 0 to 100.
    pub plddt: f32,
    /// Mean PDE within the chain, Å.
    pub pde: f32,
    /// Predicted TM score of the chain by itself, 0 to 1.
    pub ptm: f32,
}

/// Scores of two chains.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct InterfaceScores {
    /// Predicted TM score between the two, 0 to 1.
    pub iptm: f32,
}

/// The summary that the reference writes as `NAME_confidence.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfidenceSummary {
    /// Of the complex.
    pub complex: ComplexScores,
    /// Of each chain, by name.
    #[serde(serialize_with = "as_map", deserialize_with = "from_map")]
    pub chains: Vec<(String, ChainScores)>,
    /// Of each pair of chains, by names joined with a hyphen; pairs without any frame are left out.
    #[serde(serialize_with = "as_map", deserialize_with = "from_map")]
    pub interfaces: Vec<(String, InterfaceScores)>,
}

/// Keeps the order, which a map would not.
fn as_map<S: Serializer, T: Serialize>(entries: &[(String, T)], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_map(entries.iter().map(|(name, scores)| (name, scores)))
}

/// Reads what [`as_map`] wrote, in its order.
fn from_map<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> std::result::Result<Vec<(String, T)>, D::Error> {
    struct Entries<T>(std::marker::PhantomData<T>);
    impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Entries<T> {
        type Value = Vec<(String, T)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("scores by name")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = map.next_entry()? {
                entries.push(entry);
            }
            Ok(entries)
        }
    }
    deserializer.deserialize_map(Entries(std::marker::PhantomData))
}

/// All scores of a sample; padding is gone.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleConfidence {
    /// pLDDT of each atom, 0 to 100.
    pub plddt: Vec<f32>,
    /// Aligned error of each pair of tokens, row by row, Å.
    pub pae: Vec<f32>,
    /// Distance error of each pair of tokens, row by row, Å.
    pub pde: Vec<f32>,
    /// The summary.
    pub summary: ConfidenceSummary,
}

/// The tokens and atoms of a complex, as far as scores need them.
#[derive(Clone, Debug)]
pub struct ScoredComplex {
    chains: Vec<(i64, String)>,
    token_chain: Vec<i64>,
    token_has_frame: Vec<bool>,
    atom_chain: Vec<i64>,
    /// Of each chain in `chains`, whether it is a polymer.
    polymers: BTreeSet<i64>,
}

impl ScoredComplex {
    /// From the features and the chains' asym ids and names, in order.
    ///
    /// # Errors
    /// When padding is not at the end, or a token's chain has no name.
    pub fn new(input: &FoldingInput, chains: Vec<(i64, String)>) -> Result<Self> {
        let real = |mask: &Tensor, what: &str| -> Result<usize> {
            let mask = mask.to_vec1::<u8>()?;
            let count = mask.iter().filter(|valid| **valid != 0).count();
            if mask[..count].contains(&0) {
                return Err(KFoldError::input(format!("padded {what} stand before real ones")));
            }
            Ok(count)
        };
        let (tokens, atoms) = (real(&input.token.pad_mask, "tokens")?, real(&input.atom.pad_mask, "atoms")?);
        let token_chain = input.token.asym_id.narrow(0, 0, tokens)?.to_vec1::<i64>()?;
        if let Some(chain) = token_chain.iter().find(|chain| !chains.iter().any(|(known, _)| known == *chain)) {
            return Err(KFoldError::input(format!("chain {chain} has no name")));
        }
        let chain_types = input.token.chain_type.to_vec1::<i64>()?;
        let polymer = [ChainType::Protein, ChainType::Dna, ChainType::Rna].map(|chain_type| chain_type as i64);
        let polymers =
            token_chain.iter().zip(&chain_types).filter(|(_, own)| polymer.contains(own)).map(|(chain, _)| *chain);
        let polymers = polymers.collect();
        let frames = input.token.frame_mask.to_vec1::<u8>()?;
        let atom_token = input.atom.token_index.narrow(0, 0, atoms)?.to_vec1::<i64>()?;
        let atom_chain = atom_token.iter().map(|token| {
            let token = usize::try_from(*token).ok().and_then(|token| token_chain.get(token));
            token.copied().ok_or_else(|| KFoldError::input("an atom belongs to a padded token"))
        });
        Ok(Self {
            atom_chain: atom_chain.collect::<Result<_>>()?,
            token_has_frame: frames[..tokens].iter().map(|frame| *frame != 0).collect(),
            chains,
            token_chain,
            polymers,
        })
    }

    /// Tokens without padding.
    #[must_use]
    pub fn num_tokens(&self) -> usize {
        self.token_chain.len()
    }

    /// Atoms without padding.
    #[must_use]
    pub fn num_atoms(&self) -> usize {
        self.atom_chain.len()
    }

    /// All scores of a sample with positions `x`, of which padding is ignored.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn score(&self, x: &[Vec3], logits: &ConfidenceLogits, bins: &ConfidenceBins) -> Result<SampleConfidence> {
        let (tokens, atoms) = (self.num_tokens(), self.num_atoms());
        if x.len() < atoms {
            return Err(KFoldError::input(format!("{} positions for {atoms} atoms", x.len())));
        }
        let pairs = |logits: &Tensor| -> Result<Tensor> { Ok(logits.narrow(0, 0, tokens)?.narrow(1, 0, tokens)?) };
        let plddt = expectations(&probabilities(&logits.plddt.narrow(0, 0, atoms)?)?, &bins.plddt, 100.0);
        let pde = expectations(&probabilities(&pairs(&logits.pde)?)?, &bins.pde, 1.0);
        let aligned = probabilities(&pairs(&logits.pae)?)?;
        let pae = expectations(&aligned, &bins.pae, 1.0);
        let tm = |chosen: &[usize], between: bool| self.tm_score(&aligned, &bins.pae, chosen, between);

        let all: Vec<usize> = (0..tokens).collect();
        let (ptm, iptm) = (tm(&all, false), tm(&all, true));
        let has_clash = self.has_clash(&x[..atoms]);
        let mean = |values: &mut dyn Iterator<Item = f32>| {
            let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), x| (sum + f64::from(x), count + 1));
            (sum / f64::from(count)) as f32
        };
        let complex = ComplexScores {
            plddt: mean(&mut plddt.iter().copied()),
            pde: mean(&mut pde.iter().copied()),
            ptm,
            iptm,
            has_clash: f32::from(u8::from(has_clash)),
            ranking_score: ranking_score(ptm, iptm, has_clash),
        };
        let tokens_of = |wanted: &[i64]| -> Vec<usize> {
            (0..tokens).filter(|token| wanted.contains(&self.token_chain[*token])).collect()
        };
        let mut chains = Vec::new();
        for (chain, name) in &self.chains {
            let own = tokens_of(&[*chain]);
            let of_atoms = plddt.iter().zip(&self.atom_chain).filter(|(_, other)| *other == chain).map(|(x, _)| *x);
            let scores = ChainScores {
                plddt: mean(&mut { of_atoms }),
                pde: mean(
                    &mut own.iter().flat_map(|&i| own.iter().map(move |&j| i * tokens + j)).map(|pair| pde[pair]),
                ),
                ptm: tm(&own, false),
            };
            chains.push((name.clone(), scores));
        }
        let present: BTreeSet<i64> = self.atom_chain.iter().copied().collect();
        let present: Vec<_> =
            present.iter().filter_map(|chain| self.chains.iter().find(|(known, _)| known == chain)).collect();
        let mut interfaces = Vec::new();
        for (index, (first, first_name)) in present.iter().enumerate() {
            for (second, second_name) in &present[index + 1..] {
                let both = tokens_of(&[*first, *second]);
                if both.iter().any(|token| self.token_has_frame[*token]) {
                    let scores = InterfaceScores { iptm: tm(&both, true) };
                    interfaces.push((format!("{first_name}-{second_name}"), scores));
                }
            }
        }
        Ok(SampleConfidence { plddt, pae, pde, summary: ConfidenceSummary { complex, chains, interfaces } })
    }

    /// pTM of the tokens in `chosen`, or, `between` chains alone, ipTM. `aligned` has the probabilities of the aligned error.
    fn tm_score(&self, aligned: &Probabilities, centers: &[f32], chosen: &[usize], between: bool) -> f32 {
        let framed: Vec<usize> = chosen.iter().copied().filter(|token| self.token_has_frame[*token]).collect();
        let d0 = 1.24 * ((framed.len().max(LEAST_TOKENS) - 15) as f64).cbrt() - 1.8;
        let term: Vec<f32> =
            centers.iter().map(|center| (1.0 / (1.0 + (f64::from(*center) / d0).powi(2))) as f32).collect();
        let tokens = self.num_tokens();
        let alignment = |i: &usize| {
            let partners = framed.iter().filter(|j| !between || self.token_chain[*i] != self.token_chain[**j]);
            let (sum, count) = partners.fold((0.0, 0.0), |(sum, count), j| {
                let row = aligned.row(i * tokens + j);
                let expected: f32 = row.iter().zip(&term).map(|(share, term)| share * term).sum();
                (sum + f64::from(expected), count + 1.0)
            });
            sum / (EPS + count)
        };
        // Alignments on tokens without a frame count as zero.
        framed.par_iter().map(alignment).reduce(|| 0.0, f64::max) as f32
    }

    /// Whether two polymers run into each other.
    fn has_clash(&self, x: &[Vec3]) -> bool {
        let atoms_of = |chain: i64| -> Vec<Vec3> {
            x.iter().zip(&self.atom_chain).filter(|(_, own)| **own == chain).map(|(x, _)| *x).collect()
        };
        let chains: Vec<Vec<Vec3>> = self.polymers.iter().map(|chain| atoms_of(*chain)).collect();
        (0..chains.len()).any(|first| {
            chains[first + 1..].iter().any(|second| {
                let first = &chains[first];
                let close = |a: &Vec3| second.iter().filter(|b| a.distance_squared(**b) < CLASH * CLASH).count();
                let clashes: usize = first.par_iter().map(close).sum();
                let fewer = first.len().min(second.len());
                fewer > 0 && (clashes > MAX_CLASHES || clashes as f64 / fewer as f64 > MAX_CLASH_SHARE)
            })
        })
    }
}

/// What samples rank by.
#[must_use]
pub fn ranking_score(ptm: f32, iptm: f32, has_clash: bool) -> f64 {
    0.8 * f64::from(iptm) + 0.2 * f64::from(ptm) - if has_clash { 100.0 } else { 0.0 }
}

/// Probabilities over bins, row after row.
struct Probabilities {
    numbers: Vec<f32>,
    bins: usize,
}

impl Probabilities {
    fn row(&self, index: usize) -> &[f32] {
        &self.numbers[index * self.bins..(index + 1) * self.bins]
    }
}

/// The softmax of logits [.., bins].
fn probabilities(logits: &Tensor) -> Result<Probabilities> {
    let bins = logits.dim(candle_core::D::Minus1)?;
    let shares = candle_nn::ops::softmax_last_dim(&logits.contiguous()?)?;
    Ok(Probabilities { numbers: shares.flatten_all()?.to_vec1::<f32>()?, bins })
}

/// The expectation of each row, times `factor`.
fn expectations(probabilities: &Probabilities, centers: &[f32], factor: f32) -> Vec<f32> {
    let rows = probabilities.numbers.chunks_exact(probabilities.bins);
    rows.map(|row| factor * row.iter().zip(centers).map(|(share, center)| share * center).sum::<f32>()).collect()
}
