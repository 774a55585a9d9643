//! GNINA's `default2018` network (Francoeur et al. 2020) and its trained weights.
//!
//! Three times: the mean of 2³ voxels, a 3³ convolution (32, 64, 128 channels), and after the first two a 1³ convolution;
//! ReLU after each. All that is left, 6³ voxels of 128 channels, goes into two linear heads: the pose (softmax of "wrong" and
//! "right") and the affinity (pK).

use std::sync::LazyLock;

use half::f16;
use rayon::prelude::*;
use safetensors::{Dtype, SafeTensors};

use super::atoms::CHANNELS;
use super::convolution::{Convolution, Cube, Stage};

/// The trained networks, in half precision; made by `packaging/build_gnina.py`.
static WEIGHTS: &[u8] = include_bytes!("../../../../assets/gnina/default2018.safetensors");

/// Channels of the last convolution.
const FEATURES: usize = 128;
/// Voxels a side of the last convolution.
const LAST_EDGE: usize = 6;

/// The weights in this program's binary cannot be used: the build is broken.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the network weights in this program are damaged ({0}); build or install it again")]
pub struct WeightsError(String);

/// What a network says of a pose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Output {
    /// Probability that the pose is within 2 Å of the crystal's.
    pub pose_probability: f32,
    /// pK = -log10(M).
    pub pk: f32,
}

/// One trained network.
#[derive(Clone, Debug)]
pub(super) struct Network {
    first: Stage,
    second: Stage,
    third: Stage,
    /// [voxels, channels], as the last stage leaves them: affinity, wrong pose, right pose.
    heads: [Vec<f32>; 3],
    biases: [f32; 3],
}

impl Network {
    /// The means of the densities are the input.
    pub fn forward(&self, input: &Cube) -> Output {
        let features = self.third.forward(&self.second.forward_and_pool(&self.first.forward_and_pool(input)));
        let [pk, wrong, right] = std::array::from_fn(|head| self.biases[head] + dot(&self.heads[head], &features));
        Output { pose_probability: 1.0 / (1.0 + (wrong - right).exp()), pk }
    }

    fn load(tensors: &SafeTensors<'_>, name: &str) -> Result<Self, WeightsError> {
        let read = |part: &str| read(tensors, &format!("{name}.{part}"));
        let convolution = |unit: &str, inner: usize, width: usize| {
            let (weight, bias) = (read(&format!("{unit}.weight"))?, read(&format!("{unit}.bias"))?);
            Convolution::new(&weight, &bias, inner, width)
                .ok_or_else(|| WeightsError(format!("{name}.{unit} has another size")))
        };
        let stage = |wide: &str, narrow: Option<&str>, inner: usize, outer: usize| {
            let narrow = narrow.map(|unit| convolution(unit, outer, 1)).transpose()?;
            Ok(Stage { wide: convolution(wide, inner, 3)?, narrow })
        };
        let affinity = read("affinity_output.weight")?;
        let pose = read("pose_output.weight")?;
        let count = LAST_EDGE.pow(3) * FEATURES;
        if affinity.len() != count || pose.len() != 2 * count {
            return Err(WeightsError(format!("{name} has heads of another size")));
        }
        let (wrong, right) = pose.split_at(count);
        let biases = [read("affinity_output.bias")?, read("pose_output.bias")?].concat();
        Ok(Self {
            first: stage("unit1_conv", Some("unit2_conv"), CHANNELS, 32)?,
            second: stage("unit3_conv", Some("unit4_conv"), 32, 64)?,
            third: stage("unit5_conv", None, 64, FEATURES)?,
            heads: [by_voxel(&affinity), by_voxel(wrong), by_voxel(right)],
            biases: biases.try_into().map_err(|_| WeightsError(format!("{name} has biases of another size")))?,
        })
    }
}

/// From [channels, voxels] to [voxels, channels].
fn by_voxel(weights: &[f32]) -> Vec<f32> {
    let voxels = weights.len() / FEATURES;
    (0..weights.len()).map(|index| weights[index % FEATURES * voxels + index / FEATURES]).collect()
}

/// In lanes, each summed in order: quick, precise, and the same on every processor.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut lanes = [0.0_f32; LANES];
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum()
}

fn read(tensors: &SafeTensors<'_>, name: &str) -> Result<Vec<f32>, WeightsError> {
    let tensor = tensors.tensor(name).map_err(|error| WeightsError(format!("{name}: {error}")))?;
    if tensor.dtype() != Dtype::F16 {
        return Err(WeightsError(format!("{name} is {:?}, not F16", tensor.dtype())));
    }
    let values = tensor.data().as_chunks::<2>().0.iter();
    Ok(values.map(|&bytes| f16::from_le_bytes(bytes).to_f32()).collect())
}

/// The networks of the ensemble, unpacked once.
pub(super) fn ensemble() -> Result<&'static [Network], WeightsError> {
    static ENSEMBLE: LazyLock<Result<Vec<Network>, WeightsError>> = LazyLock::new(|| {
        let tensors = SafeTensors::deserialize(WEIGHTS).map_err(|error| WeightsError(error.to_string()))?;
        let mut names: Vec<&str> = tensors.names().iter().filter_map(|name| name.split('.').next()).collect();
        names.sort_unstable();
        names.dedup();
        names.par_iter().map(|name| Network::load(&tensors, name)).collect()
    });
    ENSEMBLE.as_deref().map_err(Clone::clone)
}
