//! The transformer block that AtlasLM, the RNA model and TriProRep share, and how a stack of them runs and leaves.
//!
//! Published sizes are 0.6 to 3 billion parameters, so a stack is never in memory as a whole unless the caller asks
//! ([`Residence`]): each block is read from the memory-mapped checkpoint as it is stored (bf16 stays bf16), computed and
//! dropped; products widen it to f32. Hidden states are handed to a visitor layer by layer; nobody keeps all of them.
//!
//! On the processor a block works in panels (see [`panels`] and [`attention`]); on other devices it is a candle
//! composition, which the golden tests run as well.

pub mod attention;
pub mod panels;
pub mod rotary;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;

use self::attention::{Groups, QueryKeyNorm, attend, prepare, scores};
use self::panels::{Epilogue, Panels, layer_norm, linear, swiglu, with_stored};
use self::rotary::{Rotary, Rounding};
use super::rna::MixtureOfExperts;
use crate::kfold::primitives::activation;
use crate::kfold::primitives::{LayerNorm, scaled_dot_product_attention};
use crate::kfold::{KFoldError, Result};

/// Packed sequences, as all encoders read them: `batch` rows of `length` tokens.
#[derive(Clone, Debug, Default)]
pub struct Sequences {
    /// Rows.
    pub batch: usize,
    /// Tokens a row.
    pub length: usize,
    /// Tokens of the alphabet, row by row.
    pub token_ids: Vec<u32>,
    /// Tokens of the same row with equal numbers see each other; a negative number is padding.
    pub sequence_ids: Vec<i64>,
    /// Position of the token in its chain.
    pub positions: Vec<u32>,
}

impl Sequences {
    /// From index tensors of shape [B, L].
    ///
    /// # Errors
    /// When the shapes differ or a token or position is negative.
    pub fn from_tensors(token_ids: &Tensor, sequence_ids: &Tensor, positions: &Tensor) -> Result<Self> {
        let (batch, length) = token_ids.dims2()?;
        if sequence_ids.dims() != [batch, length] || positions.dims() != [batch, length] {
            return Err(KFoldError::input(format!(
                "sequences {:?}, chains {:?} and positions {:?} differ in shape",
                token_ids.dims(),
                sequence_ids.dims(),
                positions.dims()
            )));
        }
        Ok(Self {
            batch,
            length,
            token_ids: unsigned(&integers(token_ids)?, "a token")?,
            sequence_ids: integers(sequence_ids)?,
            positions: unsigned(&integers(positions)?, "a position")?,
        })
    }

    /// Tokens, padding included.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.batch * self.length
    }

    /// Group of each token: equal for tokens that see each other.
    fn groups(&self) -> Vec<i64> {
        let mut ids: Vec<(usize, i64)> = Vec::with_capacity(self.tokens());
        for row in 0..self.batch {
            ids.extend(self.sequence_ids[row * self.length..][..self.length].iter().map(|&id| (row, id)));
        }
        let mut distinct = ids.clone();
        distinct.sort_unstable();
        distinct.dedup();
        ids.iter().map(|id| distinct.binary_search(id).map_or(0, |index| index as i64)).collect()
    }
}

/// The values of an index tensor.
///
/// # Errors
/// When the tensor operations fail.
pub fn integers(tensor: &Tensor) -> Result<Vec<i64>> {
    Ok(tensor.flatten_all()?.to_dtype(DType::I64)?.to_vec1()?)
}

fn unsigned(values: &[i64], what: &str) -> Result<Vec<u32>> {
    values
        .iter()
        .map(|&value| u32::try_from(value).map_err(|_| KFoldError::input(format!("{what} is {value}"))))
        .collect()
}

/// Where the blocks of a stack are between two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residence {
    /// In the checkpoint: each is read, computed and dropped.
    Streamed,
    /// In memory: for small models and for repeated runs.
    Resident,
}

/// Activations of all tokens.
#[derive(Clone, Debug)]
pub enum Hidden {
    /// On the processor.
    Panels(Panels),
    /// Elsewhere: [1, tokens, width].
    Tensor(Tensor),
}

impl Hidden {
    /// From values `[tokens, width]`: panels on the processor, a tensor elsewhere.
    pub fn from_rows(rows: Tensor, device: &Device, composed: bool) -> Result<Self> {
        if device.is_cpu() && !composed {
            let width = rows.dim(1)?;
            return Ok(Self::Panels(Panels::from_rows(&rows.flatten_all()?.to_vec1::<f32>()?, width)));
        }
        Ok(Self::Tensor(rows.unsqueeze(0)?))
    }

    /// The values [batch, length, width] f32.
    pub fn tensor(&self, batch: usize, length: usize) -> Result<Tensor> {
        Ok(match self {
            Self::Panels(panels) => {
                Tensor::from_vec(panels.to_rows(), (batch, length, panels.features()), &Device::Cpu)?
            }
            Self::Tensor(tensor) => tensor.reshape((batch, length, tensor.dim(2)?))?,
        })
    }

    /// Adds `scale` times `other` of the same kind.
    pub fn add_scaled(&mut self, other: &Self, scale: f32) -> Result<()> {
        match (&mut *self, other) {
            (Self::Panels(sum), Self::Panels(other)) => sum.add_scaled(other, scale),
            (Self::Tensor(sum), Self::Tensor(other)) => *sum = (&*sum + (other * f64::from(scale))?)?,
            _ => return Err(KFoldError::input("activations of two devices cannot be added")),
        }
        Ok(())
    }

    /// `scale` times these.
    pub fn scaled(&self, scale: f32) -> Result<Self> {
        Ok(match self {
            Self::Panels(panels) => {
                let mut scaled = Panels::zeros(panels.features(), panels.tokens());
                scaled.add_scaled(panels, scale);
                Self::Panels(scaled)
            }
            Self::Tensor(tensor) => Self::Tensor((tensor * f64::from(scale))?),
        })
    }

    /// Normalised over the features.
    pub fn normalized(&self, norm: &LayerNorm) -> Result<Self> {
        Ok(match self {
            Self::Panels(panels) => {
                let mut out = Panels::default();
                layer_norm(panels, &vector(norm.weight())?, &vector(norm.bias())?, norm.eps(), &mut out);
                Self::Panels(out)
            }
            Self::Tensor(tensor) => Self::Tensor(norm.forward(tensor)?),
        })
    }
}

/// What a visitor sees: layer 0 is the embedding, layer n the output of block n.
pub struct Layer<'a> {
    /// Which.
    pub index: usize,
    /// Activations after this layer.
    pub hidden: &'a Hidden,
    /// Rows of the input.
    pub batch: usize,
    /// Tokens a row.
    pub length: usize,
    /// Scores of the layer's attention before softmax, [batch, heads, length, length], -inf between chains; where asked for.
    pub attention_logits: Option<&'a Tensor>,
}

impl Layer<'_> {
    /// Activations [batch, length, width] f32.
    ///
    /// # Errors
    /// When the tensor operations fail.
    pub fn tensor(&self) -> Result<Tensor> {
        self.hidden.tensor(self.batch, self.length)
    }
}

/// A linear map whose matrix stays as it is stored: f32, f16 or bf16.
#[derive(Clone, Debug)]
pub struct StoredLinear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl StoredLinear {
    /// Loads `weight` [out, in] and `bias` [out] as `vb.dtype()`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, in_dim: usize, out_dim: usize, bias: bool) -> Result<Self> {
        let weight = vb.get((out_dim, in_dim), "weight")?;
        let bias = bias.then(|| vb.get(out_dim, "bias")).transpose()?;
        Ok(Self { weight, bias })
    }

    /// A map from tensors: `weight` [out, in], `bias` [out].
    #[must_use]
    pub fn new(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self { weight, bias }
    }

    /// On the processor, in panels.
    fn panels(&self, x: &Panels, epilogue: Epilogue, out: &mut Panels) -> Result<()> {
        let bias = self.bias.as_ref().map(vector).transpose()?;
        with_stored(&self.weight, |weight| linear(x, weight, bias.as_deref(), epilogue, out))
    }

    /// As a composition: a card multiplies in the dtype of the weight, the processor in f32. Returns f32.
    ///
    /// # Errors
    /// When the last dimension of `x` is not `in`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let weight = for_product(&self.weight)?;
        let y = x.to_dtype(weight.dtype())?.broadcast_matmul(&weight.t()?)?.to_dtype(DType::F32)?;
        Ok(match &self.bias {
            Some(bias) => y.broadcast_add(&bias.to_dtype(DType::F32)?)?,
            None => y,
        })
    }
}

/// A weight as a composition multiplies it: as it is stored on a card, as f32 on the processor, which knows no other product.
///
/// # Errors
/// When there is no memory for it.
pub fn for_product(weight: &Tensor) -> Result<Tensor> {
    Ok(if weight.device().is_cpu() { weight.to_dtype(DType::F32)? } else { weight.clone() })
}

/// The values of a small vector, as f32.
fn vector(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.to_dtype(DType::F32)?.to_vec1()?)
}

/// Attention of a block.
#[derive(Clone, Debug)]
pub struct Attention {
    /// Before the projection.
    pub norm: LayerNorm,
    /// To queries, keys and values, in this order.
    pub qkv: StoredLinear,
    /// Of queries and keys over all heads, where the model has it.
    pub query_key_norm: Option<(LayerNorm, LayerNorm)>,
    /// Back to the width.
    pub out: StoredLinear,
    /// Heads.
    pub heads: usize,
    /// Factor of the scores.
    pub scale: f32,
}

/// The second half of a block, after its own normalisation.
#[derive(Clone, Debug)]
pub enum FeedForward {
    /// down(silu(gate) * value), gate and value being the halves of one projection.
    SwiGlu {
        /// To twice the hidden width.
        up: StoredLinear,
        /// Back.
        down: StoredLinear,
    },
    /// down(gelu(up)).
    Gelu {
        /// To the hidden width.
        up: StoredLinear,
        /// Back.
        down: StoredLinear,
    },
    /// One of several SwiGLUs a token.
    Experts(MixtureOfExperts),
}

/// One block: x + s · attention(x), then x + s · feed_forward(x).
#[derive(Clone, Debug)]
pub struct Block {
    /// First half.
    pub attention: Attention,
    /// Normalisation of the second half.
    pub norm: LayerNorm,
    /// Second half.
    pub feed_forward: FeedForward,
    /// s.
    pub residual_scale: f32,
}

/// What is the same for all blocks of one run.
pub struct Run {
    batch: usize,
    length: usize,
    panel_groups: Groups,
    rotary: Rotary,
    /// Tokens that are not padding.
    valid: Vec<bool>,
    /// Angles [1, T, 1, half] and the mask [T, T], for a composition.
    tensors: Option<(Tensor, Tensor, Tensor)>,
    /// Memory that all blocks share.
    workspace: Workspace,
}

#[derive(Default)]
struct Workspace {
    normed: Panels,
    wide: Panels,
    context: Panels,
}

impl Run {
    /// Prepares tables and masks.
    ///
    /// # Errors
    /// When a position is beyond the reference's tables.
    pub fn new(
        sequences: &Sequences,
        frequencies: &[f32],
        rounding: Rounding,
        device: &Device,
        composed: bool,
    ) -> Result<Self> {
        let groups = sequences.groups();
        let rotary = Rotary::new(&sequences.positions, frequencies, rounding)?;
        let tensors = if device.is_cpu() && !composed {
            None
        } else {
            let (cos, sin) = rotary.tensors(device)?;
            let bias: Vec<f32> = groups
                .iter()
                .flat_map(|a| groups.iter().map(move |b| if a == b { 0.0 } else { f32::NEG_INFINITY }))
                .collect();
            Some((cos, sin, Tensor::from_vec(bias, (groups.len(), groups.len()), device)?))
        };
        Ok(Self {
            batch: sequences.batch,
            length: sequences.length,
            panel_groups: Groups::new(&groups),
            rotary,
            valid: sequences.sequence_ids.iter().map(|&id| id >= 0).collect(),
            tensors,
            workspace: Workspace::default(),
        })
    }
}

impl Block {
    /// Updates the activations; returns the attention's scores [batch, heads, length, length] where asked for.
    ///
    /// # Errors
    /// When the sizes do not fit.
    pub fn forward(&self, hidden: &mut Hidden, run: &mut Run, want_logits: bool) -> Result<Option<Tensor>> {
        match hidden {
            Hidden::Panels(panels) => self.forward_panels(panels, run, want_logits),
            Hidden::Tensor(tensor) => {
                let (next, logits) = self.forward_tensor(tensor, run, want_logits)?;
                *tensor = next;
                Ok(logits)
            }
        }
    }

    fn forward_panels(&self, x: &mut Panels, run: &mut Run, want_logits: bool) -> Result<Option<Tensor>> {
        let Workspace { normed, wide, context } = &mut run.workspace;
        let Attention { norm, qkv, query_key_norm, out, heads, scale } = &self.attention;
        layer_norm(x, &vector(norm.weight())?, &vector(norm.bias())?, norm.eps(), normed);
        qkv.panels(normed, Epilogue::Store, wide)?;
        let scales = query_key_norm
            .as_ref()
            .map(|(q, k)| Ok::<_, KFoldError>((vector(q.weight())?, vector(k.weight())?, q.eps())));
        let scales = scales.transpose()?;
        let query_key = scales.as_ref().map(|(query, key, eps)| QueryKeyNorm { query, key, eps: *eps });
        prepare(wide, *heads, query_key.as_ref(), &run.rotary);
        let logits = want_logits.then(|| {
            let values = scores(wide, *heads, *scale, &run.panel_groups, run.batch);
            Tensor::from_vec(values, (run.batch, *heads, run.length, run.length), &Device::Cpu)
        });
        attend(wide, *heads, *scale, &run.panel_groups, context);
        out.panels(context, Epilogue::Add(self.residual_scale), x)?;

        layer_norm(x, &vector(self.norm.weight())?, &vector(self.norm.bias())?, self.norm.eps(), normed);
        match &self.feed_forward {
            FeedForward::SwiGlu { up, down } => {
                with_stored(&up.weight, |weight| swiglu(normed, weight, wide))?;
                down.panels(wide, Epilogue::Add(self.residual_scale), x)?;
            }
            FeedForward::Gelu { up, down } => {
                up.panels(normed, Epilogue::Gelu, wide)?;
                down.panels(wide, Epilogue::Add(self.residual_scale), x)?;
            }
            FeedForward::Experts(experts) => experts.add_to(x, normed, &run.valid, self.residual_scale)?,
        }
        Ok(logits.transpose()?)
    }

    fn forward_tensor(&self, x: &Tensor, run: &Run, want_logits: bool) -> Result<(Tensor, Option<Tensor>)> {
        let Some((cos, sin, bias)) = &run.tensors else {
            return Err(KFoldError::input("this run was prepared for the processor"));
        };
        let Attention { norm, qkv, query_key_norm, out, heads, scale } = &self.attention;
        let (_, tokens, width) = x.dims3()?;
        let qkv = qkv.forward(&norm.forward(x)?)?;
        let part = |kind: usize| qkv.narrow(2, kind * width, width).and_then(|t| t.contiguous());
        let (mut q, mut k, v) = (part(0)?, part(1)?, part(2)?);
        if let Some((query, key)) = query_key_norm {
            (q, k) = (query.forward(&q)?, key.forward(&k)?);
        }
        let head_width = width / heads;
        let turn = |x: &Tensor| -> Result<Tensor> {
            let x = x.reshape((1, tokens, *heads, head_width))?;
            let (a, b) = (x.narrow(3, 0, head_width / 2)?, x.narrow(3, head_width / 2, head_width / 2)?);
            let first = (a.broadcast_mul(cos)? - b.broadcast_mul(sin)?)?;
            let second = (b.broadcast_mul(cos)? + a.broadcast_mul(sin)?)?;
            Ok(Tensor::cat(&[first, second], 3)?.transpose(1, 2)?.contiguous()?)
        };
        let (q, k) = (turn(&q)?, turn(&k)?);
        let v = v.reshape((1, tokens, *heads, head_width))?.transpose(1, 2)?.contiguous()?;
        let scale = f64::from(*scale);
        let logits = want_logits.then(|| self.composed_logits(&q, &k, bias, run, scale)).transpose()?;
        #[cfg(feature = "cuda")]
        let on_card = attention_on_card([&q, &k, &v], bias, scale, self.attention.qkv.weight.dtype())?;
        #[cfg(not(feature = "cuda"))]
        let on_card = None;
        let context = match on_card {
            Some(context) => context,
            None => scaled_dot_product_attention(&q, &k, &v, Some(bias), scale)?,
        };
        let context = context.transpose(1, 2)?.contiguous()?.reshape((1, tokens, width))?;
        let residual_scale = f64::from(self.residual_scale);
        let x = (x + (out.forward(&context)? * residual_scale)?)?;

        let normed = self.norm.forward(&x)?;
        let update = match &self.feed_forward {
            FeedForward::SwiGlu { up, down } => down.forward(&activation::swiglu(&up.forward(&normed)?)?)?,
            FeedForward::Gelu { up, down } => down.forward(&activation::gelu(&up.forward(&normed)?)?)?,
            FeedForward::Experts(experts) => experts.forward(&normed, &run.valid)?,
        };
        Ok(((x + (update * residual_scale)?)?, logits))
    }

    /// [batch, heads, length, length] from q and k [1, heads, batch · length, d].
    fn composed_logits(&self, q: &Tensor, k: &Tensor, bias: &Tensor, run: &Run, scale: f64) -> Result<Tensor> {
        let all = (q.matmul(&k.t()?.contiguous()?)? * scale)?.broadcast_add(bias)?;
        let rows = (0..run.batch)
            .map(|row| Ok(all.narrow(2, row * run.length, run.length)?.narrow(3, row * run.length, run.length)?))
            .collect::<Result<Vec<Tensor>>>()?;
        Ok(Tensor::cat(&rows, 0)?)
    }
}

/// On a card, in the type of the weights; `None` elsewhere and for sizes that its kernels do not take.
#[cfg(feature = "cuda")]
fn attention_on_card(tensors: [&Tensor; 3], bias: &Tensor, scale: f64, dtype: DType) -> Result<Option<Tensor>> {
    if !bias.device().is_cuda() {
        return Ok(None);
    }
    let [q, k, v] = tensors.map(|x| x.to_dtype(dtype));
    let context = crate::kfold::primitives::cuda::attention::attention([&q?, &k?, &v?], bias, scale)?;
    Ok(context.map(|context| context.to_dtype(DType::F32)).transpose()?)
}

/// A stack of blocks.
pub struct Stack {
    source: Source,
    layers: usize,
}

type LoadBlock = Box<dyn Fn(usize) -> Result<Block> + Send + Sync>;

enum Source {
    Streamed(LoadBlock),
    Resident(Vec<Block>),
}

impl Stack {
    /// A stack of `layers` blocks that `load` makes.
    ///
    /// # Errors
    /// When a resident stack cannot be loaded.
    pub fn new(
        layers: usize,
        residence: Residence,
        load: impl Fn(usize) -> Result<Block> + Send + Sync + 'static,
    ) -> Result<Self> {
        let source = match residence {
            Residence::Streamed => Source::Streamed(Box::new(load)),
            Residence::Resident => Source::Resident((0..layers).map(load).collect::<Result<_>>()?),
        };
        Ok(Self { source, layers })
    }

    /// Blocks.
    #[must_use]
    pub fn layers(&self) -> usize {
        self.layers
    }

    /// Runs all blocks; `visit` sees the embedding and every block's output. Returns the last.
    ///
    /// # Errors
    /// When a block cannot be read or computed, or the visitor fails.
    pub fn run(
        &self,
        mut hidden: Hidden,
        run: &mut Run,
        want_logits: bool,
        visit: &mut dyn FnMut(&Layer<'_>) -> Result<()>,
    ) -> Result<Hidden> {
        let (batch, length) = (run.batch, run.length);
        visit(&Layer { index: 0, hidden: &hidden, batch, length, attention_logits: None })?;
        for index in 0..self.layers {
            let logits = match &self.source {
                Source::Streamed(load) => load(index)?.forward(&mut hidden, run, want_logits)?,
                Source::Resident(blocks) => blocks[index].forward(&mut hidden, run, want_logits)?,
            };
            visit(&Layer { index: index + 1, hidden: &hidden, batch, length, attention_logits: logits.as_ref() })?;
        }
        Ok(hidden)
    }
}

/// Rows of an embedding table `[rows, width]`, as f32 `[tokens, width]`.
///
/// # Errors
/// When a token is beyond the table.
pub fn embed(table: &Tensor, tokens: &[u32]) -> Result<Tensor> {
    let rows = table.dim(0)?;
    if let Some(token) = tokens.iter().find(|&&token| token as usize >= rows) {
        return Err(KFoldError::input(format!("token {token} is beyond an alphabet of {rows}")));
    }
    let tokens = Tensor::from_slice(tokens, tokens.len(), table.device())?;
    Ok(table.index_select(&tokens, 0)?.to_dtype(DType::F32)?)
}

/// Hidden width of a SwiGLU: `ratio` times the width, rounded up to a multiple of 256 as the reference does.
#[must_use]
pub fn swiglu_width(width: usize, ratio: f64) -> usize {
    ((ratio * width as f64 + 255.0) / 256.0).floor() as usize * 256
}
