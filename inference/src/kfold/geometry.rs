//! Rotations of point clouds, shared by the samplers of AtlasFold and K-Fold.
//!
//! Points are rows, so a rotation R acts as `points R`, as in both references.

use candle_core::{D, DType, Device, Tensor};
use glam::Mat3;

use super::noise::Noise;
use super::{KFoldError, Result};

/// Rotation matrices `[count, 3, 3]` drawn evenly, from `randn(count, 4)` quaternions (AtlasFold 1.0.4,
/// `utils/geometry/random_augment.py`; K-Fold 1.0.0, `modules/ecsi.py`).
///
/// # Errors
/// When the noise is a tape that does not fit.
pub fn random_rotations(noise: &mut dyn Noise, count: usize) -> Result<Tensor> {
    quaternion_to_matrix(&noise.randn(&[count, 4])?)
}

/// Rotation matrices of quaternions `[count, 4]` (real part first) of any length: `[count, 3, 3]`.
///
/// # Errors
/// When the shape does not fit.
pub fn quaternion_to_matrix(quaternions: &Tensor) -> Result<Tensor> {
    let count = quaternions.dim(0)?;
    let rows = quaternions.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.to_vec2::<f32>()?;
    let mut matrices = Vec::with_capacity(count * 9);
    for row in rows {
        matrices.extend(rotation_of_rows(&row)?.to_cols_array());
    }
    Ok(Tensor::from_vec(matrices, (count, 3, 3), &Device::Cpu)?)
}

/// The rotation R of a quaternion (real part first) of any length, as the matrix M that does to a point what R does to a
/// row: M p = p R. The columns of M are the rows of R. A zero quaternion, which has no direction, gives no rotation.
///
/// # Errors
/// When it has not four numbers.
pub fn rotation_of_rows(quaternion: &[f32]) -> Result<Mat3> {
    let &[r, i, j, k] = quaternion else {
        return Err(KFoldError::input(format!("a quaternion has four numbers, not {}", quaternion.len())));
    };
    let square = r * r + i * i + j * j + k * k;
    let two = if square > 0.0 { 2.0 / square } else { 0.0 };
    Ok(Mat3::from_cols_array(&[
        1.0 - two * (j * j + k * k),
        two * (i * j - k * r),
        two * (i * k + j * r),
        two * (i * j + k * r),
        1.0 - two * (i * i + k * k),
        two * (j * k - i * r),
        two * (i * k - j * r),
        two * (j * k + i * r),
        1.0 - two * (i * i + j * j),
    ]))
}

/// Points `[N, P, 3]` less their mean over the mask `[1 or N, P, 1]`.
///
/// # Errors
/// When the shapes do not fit.
pub fn centred(points: &Tensor, mask: &Tensor) -> Result<Tensor> {
    let count = mask.sum_keepdim(D::Minus2)?.maximum(1.0)?;
    let centre = points.broadcast_mul(mask)?.sum_keepdim(D::Minus2)?.broadcast_div(&count)?;
    Ok(points.broadcast_sub(&centre)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kfold::noise::SeededNoise;

    #[test]
    fn random_rotations_are_rotations() {
        let rotations = random_rotations(&mut SeededNoise::new(3), 20).unwrap();
        let product = rotations.matmul(&rotations.transpose(1, 2).unwrap().contiguous().unwrap()).unwrap();
        for matrix in product.to_vec3::<f32>().unwrap() {
            for (i, row) in matrix.iter().enumerate() {
                for (j, value) in row.iter().enumerate() {
                    assert!((value - f32::from(u8::from(i == j))).abs() < 1e-5, "{matrix:?}");
                }
            }
        }
        for m in rotations.to_vec3::<f32>().unwrap() {
            let m = Mat3::from_cols_array_2d(&[0, 1, 2].map(|row| [m[row][0], m[row][1], m[row][2]]));
            assert!((m.determinant() - 1.0).abs() < 1e-5, "no reflections");
        }
    }

    #[test]
    fn a_quarter_turn_about_z() {
        let quaternion = Tensor::from_vec(vec![2f32, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0], (2, 4), &Device::Cpu).unwrap();
        let matrices = quaternion_to_matrix(&quaternion).unwrap().to_vec3::<f32>().unwrap();
        assert_eq!(matrices[0], [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]);
        assert_eq!(matrices[1], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
    }

    #[test]
    fn centring_ignores_masked_points() {
        let points =
            Tensor::from_vec(vec![1f32, 2.0, 3.0, 3.0, 2.0, 1.0, 9.0, 9.0, 9.0], (1, 3, 3), &Device::Cpu).unwrap();
        let mask = Tensor::from_vec(vec![1f32, 1.0, 0.0], (1, 3, 1), &Device::Cpu).unwrap();
        let centred = centred(&points, &mask).unwrap().to_vec3::<f32>().unwrap();
        assert_eq!(centred[0], [[-1.0, 0.0, 1.0], [1.0, 0.0, -1.0], [7.0, 7.0, 7.0]]);
    }
}
