//! Protein ensembles from an elastic network.
//!
//! Why: docking and its user want to know how a protein can give way, without a simulation. The slow collective motions
//! of a protein are set by its shape: put a bead on each alpha carbon, a spring between each two, and the lowest normal
//! modes of that network agree with what proteins do (Tirion, Phys. Rev. Lett. 1996, 77, 1905; the anisotropic network
//! model, Atilgan et al., Biophys. J. 2001, 80, 505).
//!
//! How: springs have the distance-dependent force constants of Hinsen et al. (Chem. Phys. 2000, 261, 25), which need no
//! cutoff, so that nothing ever hangs loose. Cumulative overlap of 20 modes with the change between two states: open to
//! closed adenylate kinase 0.97 (a 15 Å cutoff: 0.97), closed to open 0.84 (0.81). The Hessian is made positive definite
//! by stiffening the six rigid motions, factored once, and its lowest modes are found by subspace iteration on the
//! inverse. Ten modes and one conformer take 0.1 s for 312 residues, 0.25 s for 856 and 1.1 s for 1498 on one core.
//!
//! A conformer is a random combination of modes, each with the amplitude that temperature gives it (1/sqrt(lambda)),
//! scaled to the RMSD asked for. Alpha carbons move along it; each residue follows its neighbourhood as a rigid body;
//! then [`crate::geometry`] restores bonds, angles and planar groups to what they were in the input: a conformer has the
//! input's rotamers, its bonds within 0.01 Å and its 1-3 distances within 0.03 Å.

use std::sync::Arc;

use faer::linalg::solvers::Solve;
use faer::{Mat, Par, Side};
use glam::Vec3;
use kfold_molecule::analysis::superpose::superpose;
use kfold_molecule::{Model, ResidueKind, Structure, Topology};
use rand::{RngExt, SeedableRng};

use crate::engine::ReceptorEnsemble;
use crate::geometry::Geometry;

/// Beads at most; a larger structure has one for each second, third ... residue, and the others follow their neighbours.
pub const MAX_NODES: usize = 1_500;

/// Modes that can be asked for.
pub const MAX_MODES: usize = 100;

/// Conformers that can be asked for.
pub const MAX_CONFORMERS: usize = 1_000;

/// Iterations of the subspace at most; some ten are usual.
const MAX_ITERATIONS: usize = 200;

/// Relative change of an eigenvalue below which it counts as found.
const CONVERGENCE: f64 = 1.0e-9;

/// Two beads further apart than this along a chain are not neighbours in it, Å.
const MAX_LINK: f32 = 4.5;

/// Beads that carry a residue that has none of its own.
const CARRIERS: usize = 8;

/// Why there is no elastic network.
#[derive(Debug, thiserror::Error)]
pub enum ElasticNetworkError {
    /// Too little to move.
    #[error(
        "the structure has {0} protein residues with an alpha carbon (or nucleotides); an elastic network needs 10"
    )]
    TooSmall(usize),
    /// Atoms in one place, or coordinates that are no numbers.
    #[error("the elastic network has no modes: {0}; check the structure for atoms in one place or missing coordinates")]
    Degenerate(&'static str),
    /// A setting out of range.
    #[error("{0}")]
    Setting(String),
}

/// What to make of an elastic network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EnsembleSettings {
    /// Lowest modes to combine.
    pub modes: usize,
    /// Conformers beside the input.
    pub conformers: usize,
    /// Å RMSD of each conformer to the input over alpha carbons.
    pub amplitude: f32,
    /// Seed of the combinations.
    pub seed: u64,
}

impl Default for EnsembleSettings {
    fn default() -> Self {
        Self { modes: 10, conformers: 10, amplitude: 1.5, seed: 1 }
    }
}

/// An elastic network with its lowest modes.
#[derive(Clone, Debug)]
pub struct ElasticNetwork {
    /// Atom of each bead.
    nodes: Vec<u32>,
    positions: Vec<Vec3>,
    /// Rising; without the six rigid motions.
    eigenvalues: Vec<f64>,
    /// For each mode three components for each bead, of unit length together.
    modes: Vec<Vec<f64>>,
}

impl ElasticNetwork {
    /// The network of a model with its `modes` lowest modes (fewer when it has fewer).
    ///
    /// # Errors
    /// When there are fewer than ten residues, or the coordinates make no sense.
    pub fn new(model: &Model, modes: usize) -> Result<Self, ElasticNetworkError> {
        let nodes = beads(&model.topology);
        if nodes.len() < 10 {
            return Err(ElasticNetworkError::TooSmall(nodes.len()));
        }
        if modes == 0 || modes > MAX_MODES {
            return Err(ElasticNetworkError::Setting(format!("{modes} modes: ask for 1 to {MAX_MODES}")));
        }
        let step = nodes.len().div_ceil(MAX_NODES);
        let nodes: Vec<u32> = nodes.into_iter().step_by(step).collect();
        let positions: Vec<Vec3> = nodes.iter().map(|atom| model.positions[*atom as usize]).collect();
        if !positions.iter().all(|position| position.is_finite()) {
            return Err(ElasticNetworkError::Degenerate("a coordinate is not a number"));
        }
        let (eigenvalues, modes) = lowest_modes(&positions, modes.min(3 * nodes.len() - 6))?;
        Ok(Self { nodes, positions, eigenvalues, modes })
    }

    /// Atom index of each bead.
    #[must_use]
    pub fn nodes(&self) -> &[u32] {
        &self.nodes
    }

    /// Modes there are.
    #[must_use]
    pub fn mode_count(&self) -> usize {
        self.modes.len()
    }

    /// Displacements of all beads along a mode, of unit length together.
    #[must_use]
    pub fn mode(&self, index: usize) -> Option<Vec<Vec3>> {
        let vector = self.modes.get(index)?;
        Some(vector.chunks_exact(3).map(|c| Vec3::new(c[0] as f32, c[1] as f32, c[2] as f32)).collect())
    }

    /// How much of a change of shape each mode describes: the cosine between the two, 0-1. `change` has one displacement
    /// for each bead, free of overall motion (superpose first).
    #[must_use]
    pub fn overlaps(&self, change: &[Vec3]) -> Vec<f64> {
        let flat: Vec<f64> = change.iter().flat_map(|d| [f64::from(d.x), f64::from(d.y), f64::from(d.z)]).collect();
        let length = flat.iter().map(|x| x * x).sum::<f64>().sqrt();
        let overlap = |mode: &Vec<f64>| {
            let dot: f64 = mode.iter().zip(&flat).map(|(a, b)| a * b).sum();
            if length > 0.0 { (dot / length).abs() } else { 0.0 }
        };
        self.modes.iter().map(overlap).collect()
    }

    /// Share of each bead in the thermal motion along the modes, as Å when the RMSD over all beads is `amplitude`.
    fn fluctuations(&self, amplitude: f32) -> Vec<f32> {
        let mut squares = vec![0.0; self.nodes.len()];
        for (mode, eigenvalue) in self.modes.iter().zip(&self.eigenvalues) {
            for (square, c) in squares.iter_mut().zip(mode.chunks_exact(3)) {
                *square += c.iter().map(|x| x * x).sum::<f64>() / eigenvalue;
            }
        }
        let mean = squares.iter().sum::<f64>() / squares.len() as f64;
        squares.into_iter().map(|square| amplitude * (square / mean).sqrt() as f32).collect()
    }

    /// Displacements of all beads: a random combination of the modes with thermal amplitudes, of 1 Å RMSD.
    fn random_displacement(&self, random: &mut rand_chacha::ChaCha8Rng) -> Vec<Vec3> {
        let mut sum = vec![0.0; 3 * self.nodes.len()];
        for (mode, eigenvalue) in self.modes.iter().zip(&self.eigenvalues) {
            let factor = gaussian(random) / eigenvalue.sqrt();
            sum.iter_mut().zip(mode).for_each(|(sum, x)| *sum += factor * x);
        }
        let rms = (sum.iter().map(|x| x * x).sum::<f64>() / self.nodes.len() as f64).sqrt().max(f64::MIN_POSITIVE);
        sum.chunks_exact(3).map(|c| Vec3::new((c[0] / rms) as f32, (c[1] / rms) as f32, (c[2] / rms) as f32)).collect()
    }
}

/// Conformers of a model around its coordinates: model 1 is the input, the others follow. All atoms come along, waters
/// and ligands with the residues around them.
///
/// # Errors
/// When a setting is out of range or there is too little protein.
pub fn ensemble(model: &Model, settings: &EnsembleSettings) -> Result<ReceptorEnsemble, ElasticNetworkError> {
    if settings.conformers > MAX_CONFORMERS {
        let text = format!("{} conformers: ask for at most {MAX_CONFORMERS}", settings.conformers);
        return Err(ElasticNetworkError::Setting(text));
    }
    if !(settings.amplitude > 0.0 && settings.amplitude <= 20.0) {
        let text = format!("an amplitude of {} Å: ask for more than 0 and at most 20 Å", settings.amplitude);
        return Err(ElasticNetworkError::Setting(text));
    }
    let network = ElasticNetwork::new(model, settings.modes)?;
    let body = Body::new(model, &network.nodes);
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(settings.seed);
    let first = Model { number: 1, ..model.clone() };
    let mut models = vec![first];
    let mut amplitudes = Vec::new();
    for conformer in 0..settings.conformers {
        let direction = network.random_displacement(&mut random);
        let (positions, amplitude) = deform(&network, &body, &direction, settings.amplitude);
        amplitudes.push(amplitude);
        models.push(Model {
            number: conformer as i32 + 2,
            topology: Arc::clone(&model.topology),
            positions,
            b_factors: model.b_factors.clone(),
        });
    }
    let mut rmsf = vec![0.0; model.topology.residues.len()];
    for (atom, value) in network.nodes.iter().zip(network.fluctuations(settings.amplitude)) {
        rmsf[model.topology.atoms[*atom as usize].residue as usize] = value;
    }
    Ok(ReceptorEnsemble { structure: Structure { name: String::new(), models }, rmsf, amplitudes })
}

/// A model that swings along one mode: `frames` models from one end over the model itself to the other, the ends `amplitude` Å
/// RMSD over the beads away. Bonds keep their lengths.
///
/// # Errors
/// When the network has no such mode, or a setting is out of range.
pub fn swing(
    model: &Model,
    network: &ElasticNetwork,
    mode: usize,
    amplitude: f32,
    frames: usize,
) -> Result<Structure, ElasticNetworkError> {
    if !(amplitude > 0.0 && amplitude <= 20.0 && (3..=MAX_CONFORMERS).contains(&frames)) {
        let text = format!("{amplitude} Å in {frames} frames: ask for at most 20 Å, and 3 to {MAX_CONFORMERS} frames");
        return Err(ElasticNetworkError::Setting(text));
    }
    let direction = network.mode(mode);
    let missing = || ElasticNetworkError::Setting(format!("there is no mode {}", mode + 1));
    let direction = direction.ok_or_else(missing)?;
    // A mode is of unit length over all beads.
    let unit = (network.nodes.len() as f32).sqrt();
    let body = Body::new(model, &network.nodes);
    let models = (0..frames).map(|frame| {
        let share = 2.0 * frame as f32 / (frames - 1) as f32 - 1.0;
        let scale = share * amplitude * unit;
        let moved: Vec<Vec3> = network.positions.iter().zip(&direction).map(|(x, d)| *x + *d * scale).collect();
        let topology = Arc::clone(&model.topology);
        let (positions, b_factors) = (body.follow(&moved), model.b_factors.clone());
        Model { number: frame as i32 + 1, topology, positions, b_factors }
    });
    Ok(Structure { name: String::new(), models: models.collect() })
}

/// Moves the body along a direction until the beads are `amplitude` Å RMSD from where they were, and restores its
/// geometry; returns the RMSD reached after superposition.
fn deform(network: &ElasticNetwork, body: &Body<'_>, direction: &[Vec3], amplitude: f32) -> (Vec<Vec3>, f32) {
    let mut scale = amplitude;
    let mut best: Option<(Vec<Vec3>, f32)> = None;
    // Restoring takes back some of the motion, so the scale is corrected a few times.
    for _ in 0..4 {
        let moved: Vec<Vec3> = network.positions.iter().zip(direction).map(|(x, d)| *x + *d * scale).collect();
        let mut positions = body.follow(&moved);
        let nodes: Vec<Vec3> = network.nodes.iter().map(|atom| positions[*atom as usize]).collect();
        let Some(fit) = superpose(&nodes, &network.positions) else { break };
        positions.iter_mut().for_each(|position| *position = fit.transform.apply(*position));
        let is_better = best.as_ref().is_none_or(|(_, held)| (held - amplitude).abs() > (fit.rmsd - amplitude).abs());
        if is_better {
            best = Some((positions, fit.rmsd));
        }
        if (fit.rmsd - amplitude).abs() < 0.01 * amplitude || fit.rmsd <= 0.0 {
            break;
        }
        scale *= (amplitude / fit.rmsd).clamp(0.5, 2.0);
    }
    best.unwrap_or_else(|| (body.model.positions.clone(), 0.0))
}

/// A whole model that follows its beads.
struct Body<'a> {
    model: &'a Model,
    nodes: &'a [u32],
    /// For each residue the beads that carry it, and its own bead among all beads.
    carriers: Vec<(Vec<usize>, Option<usize>)>,
    geometry: Geometry,
    lengths: Vec<f32>,
}

impl<'a> Body<'a> {
    fn new(model: &'a Model, nodes: &'a [u32]) -> Self {
        let geometry = Geometry::new(&model.topology);
        let lengths = geometry.lengths(&model.positions);
        Self { model, nodes, carriers: carriers(model, nodes), geometry, lengths }
    }

    /// All atoms, when the beads are at `moved`.
    fn follow(&self, moved: &[Vec3]) -> Vec<Vec3> {
        let mut positions = self.model.positions.clone();
        for (residue, (carriers, own)) in self.model.topology.residues.iter().zip(&self.carriers) {
            let before: Vec<Vec3> = carriers.iter().map(|bead| self.bead(*bead)).collect();
            let after: Vec<Vec3> = carriers.iter().map(|bead| moved[*bead]).collect();
            let Some(fit) = superpose(&before, &after) else { continue };
            for atom in self.model.topology.atoms_of(residue) {
                let position = self.model.positions[atom];
                positions[atom] = match own {
                    Some(bead) => fit.transform.rotation * (position - self.bead(*bead)) + moved[*bead],
                    None => fit.transform.apply(position),
                };
            }
        }
        self.geometry.restore(&mut positions, &self.lengths);
        positions
    }

    fn bead(&self, bead: usize) -> Vec3 {
        self.model.positions[self.nodes[bead] as usize]
    }
}

/// The beads that carry each residue: its own with two on either side along the chain, or else the nearest ones.
fn carriers(model: &Model, nodes: &[u32]) -> Vec<(Vec<usize>, Option<usize>)> {
    let topology = &model.topology;
    let place = |bead: usize| model.positions[nodes[bead] as usize];
    let residue_of = |bead: usize| topology.atoms[nodes[bead] as usize].residue as usize;
    let mut own = vec![None; topology.residues.len()];
    (0..nodes.len()).for_each(|bead| own[residue_of(bead)] = Some(bead));
    let are_linked = |a: usize, b: usize| {
        topology.residues[residue_of(a)].chain == topology.residues[residue_of(b)].chain
            && place(a).distance(place(b)) < MAX_LINK
    };
    let window = |bead: usize| {
        let (mut first, mut last) = (bead, bead);
        while first > 0 && bead - first < 2 && are_linked(first - 1, first) {
            first -= 1;
        }
        while last + 1 < nodes.len() && last - bead < 2 && are_linked(last, last + 1) {
            last += 1;
        }
        (first..=last).collect::<Vec<_>>()
    };
    let nearest = |centre: Vec3| {
        let mut beads: Vec<usize> = (0..nodes.len()).collect();
        let count = CARRIERS.min(beads.len());
        let key = |bead: &usize| place(*bead).distance_squared(centre);
        beads.select_nth_unstable_by(count - 1, |a, b| key(a).total_cmp(&key(b)).then(a.cmp(b)));
        beads.truncate(count);
        beads.sort_unstable();
        beads
    };
    topology
        .residues
        .iter()
        .zip(own)
        .map(|(residue, own)| {
            if let Some(bead) = own {
                let window = window(bead);
                if window.len() >= 4 {
                    return (window, own);
                }
                return (nearest(place(bead)), own);
            }
            let atoms = residue.atoms.len().max(1) as f32;
            let centre = topology.atoms_of(residue).map(|atom| model.positions[atom]).sum::<Vec3>() / atoms;
            (nearest(centre), None)
        })
        .collect()
}

/// The atom that stands for each polymer residue: CA of amino acids, C4' of nucleotides.
fn beads(topology: &Topology) -> Vec<u32> {
    let bead = |residue: &kfold_molecule::Residue| match residue.kind {
        ResidueKind::Protein => topology.atom_named(residue, "CA"),
        ResidueKind::Dna | ResidueKind::Rna => topology.atom_named(residue, "C4'"),
        _ => None,
    };
    topology.residues.iter().filter_map(bead).map(|atom| atom as u32).collect()
}

/// Force constant between two beads, kJ/mol/nm² (Hinsen et al. 2000, eq. 2); `distance` in Å.
fn force_constant(distance: f64) -> f64 {
    // Below 3.3 Å (cis peptides are at 2.9) the published line falls towards zero; it is held there.
    let r = distance.max(3.3) / 10.0;
    if r < 0.4 { 8.6e5 * r - 2.39e5 } else { 128.0 / r.powi(6) }
}

type Modes = (Vec<f64>, Vec<Vec<f64>>);

/// The lowest modes without the rigid motions.
fn lowest_modes(positions: &[Vec3], wanted: usize) -> Result<Modes, ElasticNetworkError> {
    // One thread: sums in another order would give other last digits, and with them other conformers.
    faer::set_global_parallelism(Par::Seq);
    let size = 3 * positions.len();
    let mut hessian = hessian(positions);
    let mean = (0..size).map(|i| hessian[(i, i)]).sum::<f64>() / size as f64;
    if !(mean.is_finite() && mean > 0.0) {
        return Err(ElasticNetworkError::Degenerate("the springs are not finite"));
    }
    // Rigid motions cost nothing in a free network; made this stiff they are out of the way.
    for motion in rigid_motions(positions) {
        for j in 0..size {
            for i in 0..size {
                hessian[(i, j)] += mean * motion[i] * motion[j];
            }
        }
    }
    let factor = hessian.llt(Side::Lower).map_err(|_| ElasticNetworkError::Degenerate("the network falls apart"))?;

    let block = (2 * wanted + 8).min(size);
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(0x5eed);
    let mut basis = Mat::from_fn(size, block, |_, _| random.random_range(-1.0..1.0));
    orthonormalise(&mut basis);
    let mut eigenvalues = vec![f64::INFINITY; wanted];
    for _ in 0..MAX_ITERATIONS {
        let mut next = basis.clone();
        factor.solve_in_place(&mut next);
        orthonormalise(&mut next);
        // Rayleigh-Ritz: the best the subspace can do.
        let small = next.transpose() * &hessian * &next;
        let eigen = small
            .self_adjoint_eigen(Side::Lower)
            .map_err(|_| ElasticNetworkError::Degenerate("its modes do not converge"))?;
        basis = &next * eigen.U();
        let found: Vec<f64> = (0..wanted).map(|i| eigen.S()[i]).collect();
        let change = found.iter().zip(&eigenvalues).map(|(new, old)| ((new - old) / new).abs()).fold(0.0, f64::max);
        eigenvalues = found;
        if change < CONVERGENCE {
            break;
        }
    }
    if !eigenvalues.iter().all(|value| value.is_finite() && *value > 0.0) {
        return Err(ElasticNetworkError::Degenerate("its modes are not finite"));
    }
    let modes = (0..wanted).map(|mode| {
        let mut vector: Vec<f64> = (0..size).map(|i| basis[(i, mode)]).collect();
        // The sign of a mode means nothing; choosing it makes equal runs equal.
        let largest = vector.iter().copied().fold(0.0_f64, |held, x| if x.abs() > held.abs() { x } else { held });
        if largest < 0.0 {
            vector.iter_mut().for_each(|x| *x = -*x);
        }
        vector
    });
    Ok((eigenvalues, modes.collect()))
}

fn hessian(positions: &[Vec3]) -> Mat<f64> {
    let size = 3 * positions.len();
    let mut hessian = Mat::zeros(size, size);
    for (i, a) in positions.iter().enumerate() {
        for (j, b) in positions.iter().enumerate().skip(i + 1) {
            let apart = (*b - *a).as_dvec3();
            let distance = apart.length().max(0.1);
            let direction = (apart / distance).to_array();
            let constant = force_constant(distance);
            for p in 0..3 {
                for q in 0..3 {
                    let value = constant * direction[p] * direction[q];
                    hessian[(3 * i + p, 3 * j + q)] = -value;
                    hessian[(3 * j + q, 3 * i + p)] = -value;
                    hessian[(3 * i + p, 3 * i + q)] += value;
                    hessian[(3 * j + p, 3 * j + q)] += value;
                }
            }
        }
    }
    hessian
}

/// Translations and rotations as orthonormal vectors.
fn rigid_motions(positions: &[Vec3]) -> Vec<Vec<f64>> {
    let centre = positions.iter().map(|x| x.as_dvec3()).sum::<glam::DVec3>() / positions.len() as f64;
    let mut motions: Vec<Vec<f64>> = Vec::new();
    for axis in glam::DMat3::IDENTITY.to_cols_array_2d().map(glam::DVec3::from_array) {
        motions.push(positions.iter().flat_map(|_| axis.to_array()).collect());
        motions.push(positions.iter().flat_map(|x| axis.cross(x.as_dvec3() - centre).to_array()).collect());
    }
    let mut orthonormal: Vec<Vec<f64>> = Vec::new();
    for mut motion in motions {
        for held in &orthonormal {
            let dot: f64 = held.iter().zip(&motion).map(|(a, b)| a * b).sum();
            motion.iter_mut().zip(held).for_each(|(x, h)| *x -= dot * h);
        }
        let length = motion.iter().map(|x| x * x).sum::<f64>().sqrt();
        if length > 1.0e-6 {
            motion.iter_mut().for_each(|x| *x /= length);
            orthonormal.push(motion);
        }
    }
    orthonormal
}

/// Makes the columns orthonormal, by the thin QR decomposition.
fn orthonormalise(matrix: &mut Mat<f64>) {
    *matrix = matrix.qr().compute_thin_Q();
}

/// A number from the standard normal distribution (Box & Muller).
fn gaussian(random: &mut rand_chacha::ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random_range(0.0..1.0_f64)).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random_range(0.0..1.0_f64)).cos()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use kfold_molecule::analysis::superpose::superpose_models;
    use kfold_molecule::formats::read_structure;

    use super::*;

    fn kinase(name: &str) -> Model {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/adenylate-kinase").join(name);
        read_structure(&path).unwrap().models.swap_remove(0)
    }

    #[test]
    fn modes_of_adenylate_kinase_close_it() {
        let (open, closed) = (kinase("open.pdb"), kinase("closed.pdb"));
        let network = ElasticNetwork::new(&open, 20).unwrap();
        assert_eq!(network.mode_count(), 20);
        let pairs = superpose_models(&closed, &open).unwrap();
        let change: Vec<Vec3> = network
            .nodes()
            .iter()
            .map(|atom| {
                let (other, _) = pairs.pairs.iter().find(|(_, held)| held == atom).unwrap();
                pairs.superposition.transform.apply(closed.positions[*other as usize]) - open.positions[*atom as usize]
            })
            .collect();
        let overlaps = network.overlaps(&change);
        let cumulative = overlaps.iter().map(|x| x * x).sum::<f64>().sqrt();
        assert!(cumulative > 0.95, "{cumulative} {overlaps:?}");
        // Modes are orthonormal and free of overall motion.
        for (index, mode) in network.modes.iter().enumerate() {
            for (other, vector) in network.modes.iter().enumerate() {
                let dot: f64 = mode.iter().zip(vector).map(|(a, b)| a * b).sum();
                assert!((dot - f64::from(u8::from(index == other))).abs() < 1e-8);
            }
            let net = mode.chunks_exact(3).fold([0.0; 3], |sum, c| [sum[0] + c[0], sum[1] + c[1], sum[2] + c[2]]);
            assert!(net.iter().all(|x: &f64| x.abs() < 1e-6), "{net:?}");
        }
        assert!(network.eigenvalues.windows(2).all(|pair| pair[0] <= pair[1] * (1.0 + 1e-9)));
    }

    #[test]
    fn eigenvalues_are_those_of_the_whole_matrix() {
        let open = kinase("open.pdb");
        let positions: Vec<Vec3> = beads(&open.topology).iter().map(|a| open.positions[*a as usize]).take(60).collect();
        let (eigenvalues, _) = lowest_modes(&positions, 12).unwrap();
        let all = hessian(&positions).self_adjoint_eigenvalues(Side::Lower).unwrap();
        for (found, expected) in eigenvalues.iter().zip(&all[6..]) {
            assert!((found - expected).abs() < 1e-6 * expected, "{found} {expected}");
        }
        assert!(all[5].abs() < 1e-6 * all[6]);
    }

    #[test]
    fn conformers_keep_the_geometry_and_reach_the_amplitude() {
        let open = kinase("open.pdb");
        let settings = EnsembleSettings { conformers: 3, amplitude: 2.0, ..EnsembleSettings::default() };
        let made = ensemble(&open, &settings).unwrap();
        assert_eq!(made.structure.models.len(), 4);
        assert!(made.structure.is_ensemble());
        assert_eq!(made.structure.models[0].positions, open.positions);
        let geometry = Geometry::new(&open.topology);
        let lengths = geometry.lengths(&open.positions);
        for (model, amplitude) in made.structure.models[1..].iter().zip(&made.amplitudes) {
            assert!((amplitude - 2.0).abs() < 0.05, "{amplitude}");
            let mut worst = [0.0_f32; 4];
            for ((pair, before), after) in geometry.pairs().iter().zip(&lengths).zip(geometry.lengths(&model.positions))
            {
                let worst = &mut worst[pair.bonds as usize];
                *worst = worst.max((after - before).abs());
            }
            assert!(worst[1] < 0.01 && worst[2] < 0.03, "{worst:?}");
        }
        let mean = made.rmsf.iter().filter(|x| **x > 0.0).map(|x| x * x).sum::<f32>() / 214.0;
        assert!((mean.sqrt() - 2.0).abs() < 0.01);
        let again = ensemble(&open, &settings).unwrap();
        assert_eq!(again.structure.models[3].positions, made.structure.models[3].positions);
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let open = kinase("open.pdb");
        let error = |settings| ensemble(&open, &settings).unwrap_err().to_string();
        assert!(error(EnsembleSettings { amplitude: f32::NAN, ..EnsembleSettings::default() }).contains("amplitude"));
        assert!(error(EnsembleSettings { modes: 0, ..EnsembleSettings::default() }).contains("0 modes"));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tripeptide.pdb");
        let small = read_structure(&path).unwrap();
        let error = ensemble(&small.models[0], &EnsembleSettings::default()).unwrap_err();
        assert!(matches!(error, ElasticNetworkError::TooSmall(3)));
        let mut collapsed = open.clone();
        collapsed.positions.iter_mut().for_each(|x| *x = Vec3::ONE);
        assert!(ensemble(&collapsed, &EnsembleSettings::default()).is_err());
    }
}
