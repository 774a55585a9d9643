//! Conformers that belong together.
//!
//! Two ways, both by a matrix of distances and a cutoff:
//! - hierarchical: the two nearest clusters are joined again and again until none are nearer than the cutoff. The distance
//!   of two clusters is that of their members on average, or of their farthest two (`complete`: then no two conformers
//!   of a cluster are farther apart than the cutoff). By chains of nearest neighbours (Müllner, arXiv:1109.2378) in time
//!   quadratic in the conformers.
//! - Daura et al., Angew. Chem. Int. Ed. 1999, 38, 236 (`gromos`): the conformer with most neighbours within the cutoff and
//!   these are a cluster; then the same of what is left.

use super::DistanceMatrix;

/// How far two clusters are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linkage {
    /// Their members on average.
    Average,
    /// Their farthest members.
    Complete,
}

/// Conformers that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The member that is nearest to all others on average (of `gromos`: the one with most neighbours).
    pub centre: usize,
    /// Its members, ascending.
    pub members: Vec<usize>,
}

/// One step of hierarchical clustering.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Merge {
    /// A member of the first cluster.
    pub a: usize,
    /// A member of the second.
    pub b: usize,
    /// Their distance.
    pub distance: f32,
}

/// All steps of hierarchical clustering, nearest first: one less than conformers.
#[must_use]
pub fn merges(matrix: &DistanceMatrix, linkage: Linkage) -> Vec<Merge> {
    let count = matrix.count();
    // Distances of clusters; each is known by its last conformer.
    let mut distances: Vec<f64> = matrix.upper_triangle().iter().map(|value| f64::from(*value)).collect();
    let place = |a: usize, b: usize| {
        let (i, j) = (a.min(b), a.max(b));
        i * (2 * count - i - 1) / 2 + j - i - 1
    };
    let mut sizes = vec![1_usize; count];
    let mut chain: Vec<usize> = Vec::new();
    let mut steps = Vec::with_capacity(count.saturating_sub(1));
    for _ in 1..count {
        if chain.is_empty() {
            chain.extend((0..count).find(|cluster| sizes[*cluster] > 0));
        }
        while let Some(&tip) = chain.last() {
            // The one before in the chain wins a tie, so that the chain ends.
            let before = chain.len().checked_sub(2).map(|index| chain[index]);
            let mut nearest = before.map(|cluster| (distances[place(tip, cluster)], cluster));
            for other in (0..count).filter(|other| sizes[*other] > 0 && *other != tip) {
                let distance = distances[place(tip, other)];
                if nearest.is_none_or(|(held, _)| distance < held) {
                    nearest = Some((distance, other));
                }
            }
            let Some((distance, other)) = nearest else { break };
            if before != Some(other) {
                chain.push(other);
                continue;
            }
            chain.truncate(chain.len() - 2);
            steps.push(Merge { a: tip.min(other), b: tip.max(other), distance: distance as f32 });
            let (gone, stays) = (tip.min(other), tip.max(other));
            let (gone_size, size) = (sizes[gone] as f64, sizes[stays] as f64);
            for third in (0..count).filter(|third| sizes[*third] > 0 && *third != gone && *third != stays) {
                let (from_gone, from_stays) = (distances[place(gone, third)], distances[place(stays, third)]);
                distances[place(stays, third)] = match linkage {
                    Linkage::Average => (gone_size * from_gone + size * from_stays) / (gone_size + size),
                    Linkage::Complete => from_gone.max(from_stays),
                };
            }
            sizes[stays] += sizes[gone];
            sizes[gone] = 0;
            break;
        }
    }
    steps.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    steps
}

/// Hierarchical clusters, largest first: clusters nearer than the cutoff are joined.
#[must_use]
pub fn hierarchical(matrix: &DistanceMatrix, linkage: Linkage, cutoff: f32) -> Vec<Cluster> {
    let mut label: Vec<usize> = (0..matrix.count()).collect();
    fn root(label: &mut [usize], mut index: usize) -> usize {
        while label[index] != index {
            label[index] = label[label[index]];
            index = label[index];
        }
        index
    }
    for step in merges(matrix, linkage).into_iter().take_while(|step| step.distance <= cutoff) {
        let (a, b) = (root(&mut label, step.a), root(&mut label, step.b));
        label[a.max(b)] = a.min(b);
    }
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); matrix.count()];
    for index in 0..matrix.count() {
        let root = root(&mut label, index);
        members[root].push(index);
    }
    let clusters = members.into_iter().filter(|members| !members.is_empty());
    largest_first(clusters.map(|members| Cluster { centre: medoid(matrix, &members), members }).collect())
}

/// Clusters by neighbours within the cutoff, in the order in which they were found: largest first.
#[must_use]
pub fn gromos(matrix: &DistanceMatrix, cutoff: f32) -> Vec<Cluster> {
    let count = matrix.count();
    let is_near = |a: usize, b: usize| a != b && matrix.get(a, b) <= cutoff;
    let mut neighbours: Vec<usize> = (0..count).map(|a| (0..count).filter(|b| is_near(a, *b)).count()).collect();
    let mut is_free = vec![true; count];
    let mut clusters = Vec::new();
    loop {
        let mut centre: Option<usize> = None;
        for candidate in (0..count).filter(|candidate| is_free[*candidate]) {
            if centre.is_none_or(|held| neighbours[candidate] > neighbours[held]) {
                centre = Some(candidate);
            }
        }
        let Some(centre) = centre else { return clusters };
        let members: Vec<usize> =
            (0..count).filter(|other| is_free[*other] && (*other == centre || is_near(centre, *other))).collect();
        for &member in &members {
            is_free[member] = false;
        }
        for &member in &members {
            for other in (0..count).filter(|other| is_free[*other] && is_near(member, *other)) {
                neighbours[other] -= 1;
            }
        }
        clusters.push(Cluster { centre, members });
    }
}

fn medoid(matrix: &DistanceMatrix, members: &[usize]) -> usize {
    let total = |member: usize| members.iter().map(|other| f64::from(matrix.get(member, *other))).sum::<f64>();
    let ranked = members.iter().map(|member| (total(*member), *member));
    ranked.reduce(|held, next| if next.0 < held.0 { next } else { held }).map_or(0, |(_, member)| member)
}

fn largest_first(mut clusters: Vec<Cluster>) -> Vec<Cluster> {
    clusters.sort_by(|a, b| b.members.len().cmp(&a.members.len()).then(a.members.cmp(&b.members)));
    clusters
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points on a line: two groups and a stray.
    const PLACES: [f32; 8] = [0.0, 1.0, 10.0, 0.5, 11.0, 10.4, 30.0, 10.6];

    fn matrix() -> DistanceMatrix {
        DistanceMatrix::new(PLACES.len(), |i, j| (PLACES[i] - PLACES[j]).abs())
    }

    #[test]
    fn groups_are_found_whichever_way() {
        let expected = vec![
            Cluster { centre: 5, members: vec![2, 4, 5, 7] },
            Cluster { centre: 3, members: vec![0, 1, 3] },
            Cluster { centre: 6, members: vec![6] },
        ];
        assert_eq!(hierarchical(&matrix(), Linkage::Average, 3.0), expected);
        assert_eq!(hierarchical(&matrix(), Linkage::Complete, 3.0), expected);
        let found = gromos(&matrix(), 1.0);
        assert_eq!(
            found.iter().map(|cluster| cluster.members.clone()).collect::<Vec<_>>(),
            expected.iter().map(|c| c.members.clone()).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_cutoff_of_nothing_joins_nothing_and_a_large_one_everything() {
        assert_eq!(hierarchical(&matrix(), Linkage::Average, 0.0).len(), PLACES.len());
        assert_eq!(hierarchical(&matrix(), Linkage::Average, 1.0e3).len(), 1);
        assert_eq!(merges(&matrix(), Linkage::Complete).len(), PLACES.len() - 1);
        let empty = DistanceMatrix::new(0, |_, _| 0.0);
        assert!(hierarchical(&empty, Linkage::Average, 1.0).is_empty() && gromos(&empty, 1.0).is_empty());
        let same = DistanceMatrix::new(5, |_, _| 0.0);
        assert_eq!(hierarchical(&same, Linkage::Complete, 0.5).len(), 1);
    }
}
