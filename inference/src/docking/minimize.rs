//! A quasi-Newton minimiser over poses: BFGS (Nocedal & Wright, Numerical Optimization, 2nd ed., ch. 6) with a
//! backtracking line search, as the search of Trott & Olson 2010 uses it.
//!
//! The first step is scaled by how far atoms move for a unit of each degree of freedom, so that a turn of the whole
//! ligand and a torsion of a methoxy group begin with comparable steps. Everything is kept in one [`Minimizer`], so a
//! search of a million minimisations allocates nothing.

use super::ligand_tree::Pose;

/// A function of poses.
pub trait Landscape {
    /// Energy in kcal/mol; writes the gradient by position, orientation and torsions.
    fn evaluate(&mut self, pose: &Pose, gradient: &mut [f32]) -> f32;

    /// Mean squared levers of the degrees of freedom.
    fn levers(&self) -> &[f32];
}

/// Curvature felt by one atom, kcal/mol/Å²: sets the length of the first step.
const ATOM_CURVATURE: f32 = 4.0;

/// Longest first step, in Å of mean atom displacement.
const LONGEST_FIRST_STEP: f32 = 1.0;

/// Working memory of a minimisation.
#[derive(Clone, Debug)]
pub struct Minimizer {
    inverse_hessian: Vec<f32>,
    gradient: Vec<f32>,
    new_gradient: Vec<f32>,
    direction: Vec<f32>,
    change: Vec<f32>,
    product: Vec<f32>,
    trial: Pose,
    evaluations: u64,
    /// Whether a minimisation begins with the bare gradient as its step, as Vina's does: from a clash that throws the
    /// ligand wherever halving finds a lower energy, which is how a search leaves a wall or a wrong pocket.
    pub is_bold: bool,
}

impl Minimizer {
    /// Memory for so many degrees of freedom.
    #[must_use]
    pub fn new(degrees_of_freedom: usize) -> Self {
        let n = degrees_of_freedom;
        Self {
            inverse_hessian: vec![0.0; n * n],
            gradient: vec![0.0; n],
            new_gradient: vec![0.0; n],
            direction: vec![0.0; n],
            change: vec![0.0; n],
            product: vec![0.0; n],
            trial: Pose {
                position: glam::Vec3A::ZERO,
                orientation: glam::Quat::IDENTITY,
                torsions: vec![0.0; n.saturating_sub(6)],
            },
            evaluations: 0,
            is_bold: false,
        }
    }

    /// Evaluations so far.
    #[must_use]
    pub const fn evaluations(&self) -> u64 {
        self.evaluations
    }

    /// Moves the pose downhill by at most so many steps; `hopeless(step, energy, drop)` ends it early. Returns the
    /// energy of the pose it leaves.
    pub fn minimize(
        &mut self,
        landscape: &mut impl Landscape,
        pose: &mut Pose,
        steps: usize,
        mut hopeless: impl FnMut(usize, f32, f32) -> bool,
    ) -> f32 {
        let n = self.gradient.len();
        let mut energy = landscape.evaluate(pose, &mut self.gradient);
        self.evaluations += 1;
        self.reset(landscape.levers());
        let mut is_fresh = true;
        for step in 0..steps {
            self.descend();
            let mut slope = dot(&self.direction, &self.gradient);
            if slope >= 0.0 || !slope.is_finite() {
                if is_fresh {
                    break;
                }
                self.reset(landscape.levers());
                is_fresh = true;
                self.descend();
                slope = dot(&self.direction, &self.gradient);
                if slope >= 0.0 || !slope.is_finite() {
                    break;
                }
            }
            let mut length = if is_fresh && !self.is_bold { self.first_length(landscape.levers()) } else { 1.0 };
            let mut accepted = None;
            for _ in 0..10 {
                self.trial.copy_from(pose);
                self.trial.advance(&self.direction, length);
                let trial_energy = landscape.evaluate(&self.trial, &mut self.new_gradient);
                self.evaluations += 1;
                if trial_energy - energy <= 1e-4 * length * slope {
                    accepted = Some(trial_energy);
                    break;
                }
                // The minimum of the parabola through what is known, within bounds.
                let parabola = -0.5 * slope * length / ((trial_energy - energy) / length - slope);
                length = if parabola.is_finite() && !self.is_bold {
                    parabola.clamp(0.1 * length, 0.6 * length)
                } else {
                    0.5 * length
                };
            }
            let Some(new_energy) = accepted else {
                if is_fresh {
                    break;
                }
                self.reset(landscape.levers());
                is_fresh = true;
                continue;
            };
            std::mem::swap(pose, &mut self.trial);
            let drop = energy - new_energy;
            energy = new_energy;
            for index in 0..n {
                self.change[index] = self.new_gradient[index] - self.gradient[index];
            }
            std::mem::swap(&mut self.gradient, &mut self.new_gradient);
            if dot(&self.gradient, &self.gradient) < 1e-8 || hopeless(step, energy, drop) {
                break;
            }
            self.update(length, is_fresh);
            is_fresh = false;
        }
        pose.wrap();
        energy
    }

    fn reset(&mut self, levers: &[f32]) {
        let n = self.gradient.len();
        self.inverse_hessian.fill(0.0);
        for index in 0..n {
            self.inverse_hessian[index * n + index] =
                if self.is_bold { 1.0 } else { 1.0 / (ATOM_CURVATURE * levers[index]) };
        }
    }

    fn descend(&mut self) {
        let n = self.gradient.len();
        for (row, direction) in self.inverse_hessian.chunks_exact(n).zip(&mut self.direction) {
            *direction = -dot(row, &self.gradient);
        }
    }

    /// A length that keeps the first step from throwing the ligand away.
    fn first_length(&self, levers: &[f32]) -> f32 {
        let atoms = levers.first().copied().unwrap_or(1.0).max(1.0);
        let squared: f32 =
            self.direction.iter().zip(levers).map(|(&step, &lever)| step * step * lever).sum::<f32>() / atoms;
        (LONGEST_FIRST_STEP / squared.sqrt().max(1e-6)).min(1.0)
    }

    /// The BFGS update of the inverse Hessian with the step `length * direction` and the gradient's `change`.
    fn update(&mut self, length: f32, is_first: bool) {
        let n = self.gradient.len();
        let curvature = length * dot(&self.direction, &self.change);
        // Curvature that rounding could have made tells nothing.
        let scale = length * (dot(&self.direction, &self.direction) * dot(&self.change, &self.change)).sqrt();
        if curvature <= 1e-5 * scale || !curvature.is_finite() {
            return;
        }
        for (row, product) in self.inverse_hessian.chunks_exact(n).zip(&mut self.product) {
            *product = dot(row, &self.change);
        }
        let mut change_product = dot(&self.change, &self.product);
        if is_first && change_product > 1e-12 {
            // The scale of the curvature just met (Nocedal & Wright, eq. 6.20, in the metric of the levers).
            let scale = (curvature / change_product).clamp(1e-4, 100.0);
            self.inverse_hessian.iter_mut().for_each(|entry| *entry *= scale);
            self.product.iter_mut().for_each(|entry| *entry *= scale);
            change_product *= scale;
        }
        let inverse = 1.0 / curvature;
        let step_factor = (1.0 + change_product * inverse) * inverse * length * length;
        let mixed_factor = inverse * length;
        for (i, row) in self.inverse_hessian.chunks_exact_mut(n).enumerate() {
            let by_step = step_factor * self.direction[i] - mixed_factor * self.product[i];
            let by_product = mixed_factor * self.direction[i];
            for ((entry, &direction), &product) in row.iter_mut().zip(&self.direction).zip(&self.product) {
                *entry += by_step * direction - by_product * product;
            }
        }
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
