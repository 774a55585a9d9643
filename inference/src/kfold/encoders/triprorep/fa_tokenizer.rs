//! Full-atom tokens: a residue's own atoms as one of 512 codes (K-Fold 1.0.0, layers/struct_enc/fa_tokenizer.py and
//! fa_vqvae).
//!
//! The reference draws all pairs of the 37 possible atoms as an image and passes it through residual blocks of 3 x 3
//! convolutions, with attention among atoms and triangle updates in between: 5 GFLOP a residue. After every step it sets
//! pairs of absent atoms to zero, so only what reaches present pairs is computed here, which is exactly the same numbers:
//! pairs of the residue's n atoms alone (n² of 37²), and, inside a block, the neighbouring pixels that its second
//! convolution reads. Those hold the normalisation's offset even where nothing is drawn, which is why they cannot be left
//! out. That is 5 to 30 times less work than the whole image.

use candle_core::DType;
use candle_nn::VarBuilder;
use rayon::prelude::*;

use super::fa_features::{
    ATOMS, AtomCoordinates, BACKBONE_ANGLE_WIDTH, ResidueFeatures, SIDE_CHAIN_ANGLE_WIDTH, residue_features,
};
use super::packed::{Norm, PackedLinear, Rows, add};
use super::quantizer::Quantizer;
use crate::kfold::primitives::cpu::simd::{gelu, vectorized};
use crate::kfold::{KFoldError, Result};

/// Distance at which the attention's bias has fallen to 1/e, Å.
const DISTANCE_TEMPERATURE: f32 = 10.0;

/// Distance, direction and mark of an atom pair.
const PAIR_INPUTS: usize = 5;

/// Sizes of the tokenizer; the published one's by default.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct FullAtomTokenizerConfig {
    /// Width of atoms.
    pub d_model: usize,
    /// Width of the codes.
    pub d_out: usize,
    /// Width of atom pairs.
    pub d_pair: usize,
    /// Heads of attention.
    pub n_heads: usize,
    /// Layers.
    pub n_layers: usize,
    /// Pairs are updated from atoms after every n-th layer.
    pub update_pair_repr_every_n: usize,
    /// Codes.
    pub codebook_size: usize,
}

impl Default for FullAtomTokenizerConfig {
    fn default() -> Self {
        Self {
            d_model: 256,
            d_out: 256,
            d_pair: 128,
            n_heads: 8,
            n_layers: 6,
            update_pair_repr_every_n: 2,
            codebook_size: 512,
        }
    }
}

/// The tokenizer.
pub struct FullAtomTokenizer {
    atom_features: Features,
    sequence_features: Features,
    fuse: (PackedLinear, Norm, PackedLinear, Norm),
    pair_project: (Norm, PackedLinear),
    layers: Vec<Layer>,
    pooling: (Norm, PackedLinear, Norm, PackedLinear),
    pre_vq_proj: PackedLinear,
    quantizer: Quantizer,
    width: usize,
}

/// Four kinds of features, each normalised and projected, then together.
struct Features {
    parts: Vec<(Norm, PackedLinear)>,
    all: (Norm, PackedLinear),
}

struct Layer {
    image: ResidualBlock,
    attention: AtomAttention,
    update: Option<PairUpdate>,
}

impl Features {
    fn load(first: &VarBuilder<'_>, second: &VarBuilder<'_>, dims: [usize; 4], width: usize) -> Result<Self> {
        let parts = dims
            .iter()
            .enumerate()
            .map(|(i, &dim)| {
                let vb = first.pp(i);
                Ok((Norm::load(vb.pp("0"), dim)?, PackedLinear::load(vb.pp("1"), dim, width, true)?))
            })
            .collect::<Result<_>>()?;
        let all = (Norm::load(second.pp("0"), 4 * width)?, PackedLinear::load(second.pp("1"), 4 * width, width, true)?);
        Ok(Self { parts, all })
    }

    /// Part `kind` of one row.
    fn part(&self, kind: usize, values: &[f32]) -> Vec<f32> {
        let (norm, linear) = &self.parts[kind];
        let mut values = values.to_vec();
        norm.apply(&mut values);
        linear.forward(&[&values]).row(0).to_vec()
    }

    /// Rows of all four parts, normalised and projected.
    fn combine(&self, mut rows: Rows) -> Rows {
        self.all.0.apply_rows(&mut rows);
        self.all.1.forward_rows(&rows)
    }
}

/// gelu(x + norm(conv(gelu(norm(conv(x)))))), 3 x 3 convolutions on the image of all atom pairs.
struct ResidualBlock {
    convolutions: [Convolution; 2],
}

/// A 3 x 3 convolution and the batch normalisation after it, which in inference is a scale and an offset.
struct Convolution {
    /// One map for each of the nine pixels around, row by row.
    taps: Vec<PackedLinear>,
    scale: Vec<f32>,
    offset: Vec<f32>,
}

impl Convolution {
    fn load(vb: &VarBuilder<'_>, number: usize, channels: usize) -> Result<Self> {
        const EPS: f32 = 1e-5;
        let vb = vb.to_dtype(DType::F32);
        let weight =
            vb.get((channels, channels, 3, 3), &format!("conv{number}.weight"))?.flatten_all()?.to_vec1::<f32>()?;
        let taps = (0..9)
            .map(|tap| {
                PackedLinear::new(channels, channels, None, |out, input| weight[(out * channels + input) * 9 + tap])
            })
            .collect();
        let vector =
            |name: &str| -> Result<Vec<f32>> { Ok(vb.get(channels, &format!("bn{number}.{name}"))?.to_vec1()?) };
        let (mean, variance) = (vector("running_mean")?, vector("running_var")?);
        let (weight, bias) = (vector("weight")?, vector("bias")?);
        let scale: Vec<f32> =
            weight.iter().zip(&variance).map(|(weight, variance)| weight / (variance + EPS).sqrt()).collect();
        let offset = bias.iter().zip(&mean).zip(&scale).map(|((bias, mean), scale)| bias - mean * scale).collect();
        Ok(Self { taps, scale, offset })
    }
}

/// Places of the atoms (and of their neighbours in the image) along one side of the image.
struct Places {
    /// Atoms that are there, of 37.
    atoms: Vec<usize>,
    /// These and the places beside them.
    around: Vec<usize>,
    /// Where a place is within `around`.
    index: [Option<usize>; ATOMS],
}

impl Places {
    fn new(atoms: &[usize]) -> Self {
        let near = |place: usize| atoms.iter().any(|&atom| atom.abs_diff(place) <= 1);
        let around: Vec<usize> = (0..ATOMS).filter(|&place| near(place)).collect();
        let mut index = [None; ATOMS];
        for (i, &place) in around.iter().enumerate() {
            index[place] = Some(i);
        }
        Self { atoms: atoms.to_vec(), around, index }
    }

    /// The place one tap away within `around`, if it is on the image and there.
    fn at(&self, place: usize, shift: usize) -> Option<usize> {
        (place + shift).checked_sub(1).and_then(|place| self.index.get(place).copied().flatten())
    }
}

impl ResidualBlock {
    fn load(vb: &VarBuilder<'_>, channels: usize) -> Result<Self> {
        Ok(Self { convolutions: [Convolution::load(vb, 1, channels)?, Convolution::load(vb, 2, channels)?] })
    }

    /// `pairs` holds the n x n pairs of present atoms.
    fn forward(&self, pairs: &Rows, places: &Places) -> Rows {
        let (count, side, channels) = (places.atoms.len(), places.around.len(), pairs.width());
        let [first, second] = &self.convolutions;
        // First convolution: every present pair reaches the nine pixels around it.
        let mut middle = Rows::zeros(side * side, channels);
        for (tap, weights) in first.taps.iter().enumerate() {
            let (down, right) = (tap / 3, tap % 3);
            let (mut sources, mut targets) = (Vec::new(), Vec::new());
            for (i, &row) in places.atoms.iter().enumerate() {
                for (j, &column) in places.atoms.iter().enumerate() {
                    // The output pixel from which this pair is `tap` away.
                    if let (Some(row), Some(column)) = (places.at(row, 2 - down), places.at(column, 2 - right)) {
                        sources.push(pairs.row(i * count + j));
                        targets.push(row * side + column);
                    }
                }
            }
            let products = weights.forward(&sources);
            for (i, &target) in targets.iter().enumerate() {
                add(middle.row_mut(target), products.row(i));
            }
        }
        for i in 0..side * side {
            normalize_gelu(middle.row_mut(i), &first.scale, &first.offset);
        }
        // Second convolution, at the present pairs; off the image there are zeros.
        let zeros = vec![0.0; channels];
        let mut out = Rows::zeros(count * count, channels);
        for (tap, weights) in second.taps.iter().enumerate() {
            let (down, right) = (tap / 3, tap % 3);
            let pixels = places.atoms.iter().flat_map(|&row| places.atoms.iter().map(move |&column| (row, column)));
            let sources: Vec<&[f32]> = pixels
                .map(|(row, column)| match (places.at(row, down), places.at(column, right)) {
                    (Some(row), Some(column)) => middle.row(row * side + column),
                    _ => zeros.as_slice(),
                })
                .collect();
            weights.accumulate(&sources, &mut out, tap == 0);
        }
        for i in 0..count * count {
            residual_gelu(out.row_mut(i), pairs.row(i), &second.scale, &second.offset);
        }
        out
    }
}

/// Attention among the atoms of a residue with a bias from their pairs, and two perceptrons (pair_bias_attn.py).
struct AtomAttention {
    before: Perceptron,
    node_norm: Norm,
    to_qkv: PackedLinear,
    query_norm: Norm,
    key_norm: Norm,
    to_gate: PackedLinear,
    pair_norm: Norm,
    to_bias: PackedLinear,
    to_out: PackedLinear,
    after: Perceptron,
    heads: usize,
}

/// Normalisation, a linear map to twice the width, GELU, and a map back.
struct Perceptron {
    norm: Norm,
    up: PackedLinear,
    down: PackedLinear,
}

impl Perceptron {
    fn load(vb: &VarBuilder<'_>, width: usize) -> Result<Self> {
        Ok(Self {
            norm: Norm::load(vb.pp("norm"), width)?,
            up: PackedLinear::load(vb.pp("mlp.0"), width, 2 * width, true)?,
            down: PackedLinear::load(vb.pp("mlp.3"), 2 * width, width, true)?,
        })
    }

    fn add_to(&self, x: &mut Rows) {
        let mut hidden = self.up.forward_rows(&self.norm.forward(x));
        hidden.gelu();
        x.add(&self.down.forward_rows(&hidden));
    }
}

impl AtomAttention {
    fn load(vb: &VarBuilder<'_>, width: usize, pair_width: usize, heads: usize) -> Result<Self> {
        let mha = vb.pp("mhba.mha");
        Ok(Self {
            before: Perceptron::load(&vb.pp("mhba"), width)?,
            node_norm: Norm::load(mha.pp("node_norm"), width)?,
            to_qkv: PackedLinear::load(mha.pp("to_qkv"), width, 3 * width, true)?,
            query_norm: Norm::load(mha.pp("q_layer_norm"), width)?,
            key_norm: Norm::load(mha.pp("k_layer_norm"), width)?,
            to_gate: PackedLinear::load(mha.pp("to_g"), width, width, true)?,
            pair_norm: Norm::load(mha.pp("pair_norm"), pair_width + 1)?,
            to_bias: PackedLinear::load(mha.pp("to_bias"), pair_width + 1, heads, false)?,
            to_out: PackedLinear::load(mha.pp("to_out_node"), width, width, true)?,
            after: Perceptron::load(vb, width)?,
            heads,
        })
    }

    /// Updates the atoms `x`, from their pairs and the pairs' closeness.
    fn forward(&self, x: &mut Rows, pairs: &Rows, closeness: &[f32]) {
        let (count, width) = (x.count(), x.width());
        let mut features = Rows::zeros(pairs.count(), pairs.width() + 1);
        for (i, &closeness) in closeness.iter().enumerate() {
            let row = features.row_mut(i);
            row[..pairs.width()].copy_from_slice(pairs.row(i));
            row[pairs.width()] = closeness;
            self.pair_norm.apply(row);
        }
        let bias = self.to_bias.forward_rows(&features);

        let mut nodes = x.clone();
        self.before.add_to(&mut nodes);
        self.node_norm.apply_rows(&mut nodes);
        let mut qkv = self.to_qkv.forward_rows(&nodes);
        for i in 0..count {
            let row = qkv.row_mut(i);
            self.query_norm.apply(&mut row[..width]);
            self.key_norm.apply(&mut row[width..2 * width]);
        }
        let head_width = width / self.heads;
        let scale = 1.0 / (head_width as f32).sqrt();
        let mut context = Rows::zeros(count, width);
        let mut weights = [0f32; ATOMS];
        let weights = &mut weights[..count];
        for head in 0..self.heads {
            let columns = head * head_width..(head + 1) * head_width;
            for i in 0..count {
                let query = &qkv.row(i)[columns.clone()];
                for (j, weight) in weights.iter_mut().enumerate() {
                    let key = &qkv.row(j)[width..2 * width][columns.clone()];
                    let product: f32 = query.iter().zip(key).map(|(q, k)| q * k).sum();
                    *weight = product * scale + bias.row(i * count + j)[head];
                }
                let greatest = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                for weight in weights.iter_mut() {
                    *weight = (*weight - greatest).exp();
                }
                let sum: f32 = weights.iter().sum();
                let target = &mut context.row_mut(i)[columns.clone()];
                for (j, weight) in weights.iter().enumerate() {
                    let value = &qkv.row(j)[2 * width..][columns.clone()];
                    for (target, value) in target.iter_mut().zip(value) {
                        *target += weight / sum * value;
                    }
                }
            }
        }
        context.gate(&self.to_gate.forward_rows(&nodes));
        x.add(&self.to_out.forward_rows(&context));
        self.after.add_to(x);
    }
}

/// Updates pairs from atoms and from triangles (pair_update.py, tri_mul.py).
struct PairUpdate {
    norm: Norm,
    linear: PackedLinear,
    outgoing: TriangleMultiplication,
    incoming: TriangleMultiplication,
    transition: (Norm, PackedLinear, PackedLinear),
}

/// Triangle multiplication with separate projections (algorithms 11 and 12 of AlphaFold 2's supplement).
struct TriangleMultiplication {
    norm_in: Norm,
    left: (PackedLinear, PackedLinear),
    right: (PackedLinear, PackedLinear),
    norm_out: Norm,
    out: PackedLinear,
    gate: PackedLinear,
    outgoing: bool,
}

impl TriangleMultiplication {
    fn load(vb: &VarBuilder<'_>, channels: usize, outgoing: bool) -> Result<Self> {
        let linear = |name: &str| PackedLinear::load(vb.pp(name), channels, channels, true);
        Ok(Self {
            norm_in: Norm::load(vb.pp("layer_norm_in"), channels)?,
            left: (linear("linear_a_p")?, linear("linear_a_g")?),
            right: (linear("linear_b_p")?, linear("linear_b_g")?),
            norm_out: Norm::load(vb.pp("layer_norm_out"), channels)?,
            out: linear("linear_z")?,
            gate: linear("linear_g")?,
            outgoing,
        })
    }

    fn add_to(&self, pairs: &mut Rows, count: usize) {
        let z = self.norm_in.forward(pairs);
        let side = |(values, gate): &(PackedLinear, PackedLinear)| {
            let mut values = values.forward_rows(&z);
            values.gate(&gate.forward_rows(&z));
            values
        };
        let (left, right) = (side(&self.left), side(&self.right));
        let mut product = Rows::zeros(pairs.count(), pairs.width());
        for i in 0..count {
            for j in 0..count {
                for k in 0..count {
                    let (a, b) =
                        if self.outgoing { (i * count + k, j * count + k) } else { (k * count + i, k * count + j) };
                    add_product(product.row_mut(i * count + j), left.row(a), right.row(b));
                }
            }
        }
        self.norm_out.apply_rows(&mut product);
        let mut out = self.out.forward_rows(&product);
        out.gate(&self.gate.forward_rows(&z));
        pairs.add(&out);
    }
}

impl PairUpdate {
    fn load(vb: &VarBuilder<'_>, width: usize, channels: usize) -> Result<Self> {
        let transition = vb.pp("transition_out");
        Ok(Self {
            norm: Norm::load(vb.pp("layer_norm_in"), width)?,
            linear: PackedLinear::load(vb.pp("linear_x"), width, 2 * channels, false)?,
            outgoing: TriangleMultiplication::load(&vb.pp("tri_mult_out"), channels, true)?,
            incoming: TriangleMultiplication::load(&vb.pp("tri_mult_in"), channels, false)?,
            transition: (
                Norm::load(transition.pp("layer_norm"), channels)?,
                PackedLinear::load(transition.pp("linear_1"), channels, 2 * channels, true)?,
                PackedLinear::load(transition.pp("linear_2"), 2 * channels, channels, true)?,
            ),
        })
    }

    fn add_to(&self, pairs: &mut Rows, x: &Rows) {
        let (count, channels) = (x.count(), pairs.width());
        let projected = self.linear.forward_rows(&self.norm.forward(x));
        for i in 0..count {
            for j in 0..count {
                let row = pairs.row_mut(i * count + j);
                // The first half belongs to the second atom of the pair, and the other way round.
                add(row, &projected.row(j)[..channels]);
                add(row, &projected.row(i)[channels..]);
            }
        }
        self.outgoing.add_to(pairs, count);
        self.incoming.add_to(pairs, count);
        let (norm, up, down) = &self.transition;
        let mut hidden = up.forward_rows(&norm.forward(pairs));
        hidden.relu();
        pairs.add(&down.forward_rows(&hidden));
    }
}

impl FullAtomTokenizer {
    /// Loads the tokenizer's checkpoint.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, config: &FullAtomTokenizerConfig) -> Result<Self> {
        let &FullAtomTokenizerConfig { d_model: width, d_out, d_pair, n_heads, n_layers, codebook_size, .. } = config;
        if n_heads == 0 || width % n_heads != 0 || n_layers == 0 || config.update_pair_repr_every_n == 0 {
            return Err(KFoldError::Config(format!("a full-atom tokenizer cannot be built from {config:?}")));
        }
        let vb_encoder = vb.pp("encoder");
        let linear = |name: &str, input: usize, out: usize| PackedLinear::load(vb_encoder.pp(name), input, out, true);
        let norm = |name: &str, dim: usize| Norm::load(vb_encoder.pp(name), dim);
        let features = |level: &str, dims: [usize; 4]| {
            let part = |n: usize| vb_encoder.pp(format!("feat_layers_{level}{n}"));
            Features::load(&part(1), &part(2), dims, width)
        };
        let layers = (0..n_layers)
            .map(|i| {
                let updates = i + 1 < n_layers && i % config.update_pair_repr_every_n == 0;
                let update = updates
                    .then(|| PairUpdate::load(&vb_encoder.pp("atom_pair_update_layers").pp(i), width, d_pair))
                    .transpose()?;
                Ok(Layer {
                    image: ResidualBlock::load(&vb_encoder.pp("pair_image_backbone.resblocks").pp(i), d_pair)?,
                    attention: AtomAttention::load(
                        &vb_encoder.pp("atom_transformer_layers").pp(i),
                        width,
                        d_pair,
                        n_heads,
                    )?,
                    update,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            atom_features: features("atom", [4, 1, BACKBONE_ANGLE_WIDTH, SIDE_CHAIN_ANGLE_WIDTH])?,
            sequence_features: features("seq", [4 * ATOMS, ATOMS, BACKBONE_ANGLE_WIDTH, SIDE_CHAIN_ANGLE_WIDTH])?,
            fuse: (
                linear("fuse_layer.0", 2 * width, width)?,
                norm("fuse_layer.1", width)?,
                linear("fuse_layer.2", width, width)?,
                norm("fuse_layer.3", width)?,
            ),
            pair_project: (
                norm("pair_image_backbone.project.0", PAIR_INPUTS)?,
                linear("pair_image_backbone.project.1", PAIR_INPUTS, d_pair)?,
            ),
            layers,
            pooling: (
                norm("pooling.0", ATOMS * width)?,
                linear("pooling.1", ATOMS * width, width)?,
                norm("pooling.2", width)?,
                linear("pooling.3", width, width)?,
            ),
            pre_vq_proj: linear("pre_vq_proj", width, d_out)?,
            quantizer: Quantizer::load(vb.pp("quantizer"), codebook_size, d_out, false)?,
            width,
        })
    }

    /// One token a residue: see [`Self::encode`]. Residues not `allowed` get a token that means nothing.
    ///
    /// # Errors
    /// When the arguments differ in length.
    pub fn tokenize(
        &self,
        types: &[i64],
        coordinates: &[AtomCoordinates],
        numbers: &[i64],
        allowed: &[bool],
    ) -> Result<Vec<u32>> {
        Ok(self.quantizer.nearest(&self.encode(types, coordinates, numbers, allowed)?))
    }

    /// What is looked up in the codebook: one row a residue. `types` index the amino acids
    /// ([`RESIDUE_TYPES`](super::RESIDUE_TYPES); others are unknown), `coordinates` are Å with NaN where missing, `numbers`
    /// the residue numbers, and atoms of residues not `allowed` count as missing.
    ///
    /// # Errors
    /// When the arguments differ in length.
    pub fn encode(
        &self,
        types: &[i64],
        coordinates: &[AtomCoordinates],
        numbers: &[i64],
        allowed: &[bool],
    ) -> Result<Rows> {
        let count = coordinates.len();
        if [types.len(), numbers.len(), allowed.len()] != [count; 3] {
            return Err(KFoldError::input(format!(
                "{count} residues, but {} types, {} numbers and {} marks",
                types.len(),
                numbers.len(),
                allowed.len()
            )));
        }
        let features = residue_features(types, coordinates, numbers, allowed);
        let encoded: Vec<Rows> = features.par_iter().map(|residue| self.encode_residue(residue)).collect();
        let mut out = Rows::zeros(count, self.pre_vq_proj.forward(&[]).width());
        for (i, row) in encoded.iter().enumerate() {
            out.row_mut(i).copy_from_slice(row.row(0));
        }
        Ok(out)
    }

    fn encode_residue(&self, residue: &ResidueFeatures) -> Rows {
        let mut pooled = Rows::zeros(1, ATOMS * self.width);
        if !residue.atoms.is_empty() {
            let atoms = self.encode_atoms(residue);
            for (i, &atom) in residue.atoms.iter().enumerate() {
                pooled.row_mut(0)[atom * self.width..(atom + 1) * self.width].copy_from_slice(atoms.row(i));
            }
        }
        let (norm, linear, norm_2, linear_2) = &self.pooling;
        norm.apply_rows(&mut pooled);
        let mut pooled = linear.forward_rows(&pooled);
        norm_2.apply_rows(&mut pooled);
        self.pre_vq_proj.forward_rows(&linear_2.forward_rows(&pooled))
    }

    /// One row for each present atom.
    fn encode_atoms(&self, residue: &ResidueFeatures) -> Rows {
        let mut x = self.embed(residue);
        let places = Places::new(&residue.atoms);
        let positions: Vec<[f32; 3]> = residue.atoms.iter().map(|&atom| residue.coordinates[atom]).collect();
        let count = positions.len();
        let mut closeness = Vec::with_capacity(count * count);
        let mut inputs = Rows::zeros(count * count, PAIR_INPUTS);
        for (i, a) in positions.iter().enumerate() {
            for (j, b) in positions.iter().enumerate() {
                let delta: [f32; 3] = std::array::from_fn(|axis| a[axis] - b[axis]);
                let distance = delta.iter().map(|value| value * value).sum::<f32>().sqrt();
                closeness.push((-distance / DISTANCE_TEMPERATURE).exp());
                inputs.row_mut(i * count + j).copy_from_slice(&[distance, delta[0], delta[1], delta[2], 1.0]);
            }
        }
        self.pair_project.0.apply_rows(&mut inputs);
        let mut pairs = self.pair_project.1.forward_rows(&inputs);
        for layer in &self.layers {
            pairs = layer.image.forward(&pairs, &places);
            layer.attention.forward(&mut x, &pairs, &closeness);
            if let Some(update) = &layer.update {
                update.add_to(&mut pairs, &x);
            }
        }
        x
    }

    /// The present atoms before the first layer, from the residue's features.
    fn embed(&self, residue: &ResidueFeatures) -> Rows {
        let width = self.width;
        let length = |atom: usize| residue.coordinates[atom].iter().map(|value| value * value).sum::<f32>().sqrt();
        let row = |atom: usize| {
            let [x, y, z] = residue.coordinates[atom];
            [x, y, z, if residue.atoms.contains(&atom) { 1.0 } else { 0.0 }]
        };
        let backbone = self.atom_features.part(2, &residue.backbone_angles);
        let side_chain = self.atom_features.part(3, &residue.side_chain_angles);
        let mut parts = Rows::zeros(residue.atoms.len(), 4 * width);
        for (i, &atom) in residue.atoms.iter().enumerate() {
            let target = parts.row_mut(i);
            target[..width].copy_from_slice(&self.atom_features.part(0, &row(atom)));
            target[width..2 * width].copy_from_slice(&self.atom_features.part(1, &[length(atom)]));
            target[2 * width..3 * width].copy_from_slice(&backbone);
            target[3 * width..].copy_from_slice(&side_chain);
        }
        let atoms = self.atom_features.combine(parts);

        let sequence = &self.sequence_features;
        let all_rows: Vec<f32> = (0..ATOMS).flat_map(row).collect();
        let all_lengths: Vec<f32> = (0..ATOMS).map(length).collect();
        let mut parts = Rows::zeros(1, 4 * width);
        let kinds: [&[f32]; 4] = [&all_rows, &all_lengths, &residue.backbone_angles, &residue.side_chain_angles];
        for (kind, values) in kinds.into_iter().enumerate() {
            parts.row_mut(0)[kind * width..(kind + 1) * width].copy_from_slice(&sequence.part(kind, values));
        }
        let whole = sequence.combine(parts);

        let mut both = Rows::zeros(atoms.count(), 2 * width);
        for i in 0..atoms.count() {
            both.row_mut(i)[..width].copy_from_slice(atoms.row(i));
            both.row_mut(i)[width..].copy_from_slice(whole.row(0));
        }
        let (linear, norm, linear_2, norm_2) = &self.fuse;
        let mut x = linear.forward_rows(&both);
        norm.apply_rows(&mut x);
        let mut x = linear_2.forward_rows(&x);
        norm_2.apply_rows(&mut x);
        x
    }
}

vectorized! {
    fn normalize_gelu(row: &mut [f32], scale: &[f32], offset: &[f32]) {
        for ((value, scale), offset) in row.iter_mut().zip(scale).zip(offset) {
            *value = gelu(*value * scale + offset);
        }
    }
}

vectorized! {
    fn residual_gelu(row: &mut [f32], before: &[f32], scale: &[f32], offset: &[f32]) {
        for (((value, before), scale), offset) in row.iter_mut().zip(before).zip(scale).zip(offset) {
            *value = gelu(before + (*value * scale + offset));
        }
    }
}

vectorized! {
    fn add_product(target: &mut [f32], a: &[f32], b: &[f32]) {
        for ((target, a), b) in target.iter_mut().zip(a).zip(b) {
            *target += a * b;
        }
    }
}
