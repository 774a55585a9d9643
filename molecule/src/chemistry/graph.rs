//! Molecule graphs compared: symmetry classes and matchings atom by atom.

/// An undirected graph with a label on every vertex and edge.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    /// For each vertex its label.
    pub labels: Vec<u64>,
    /// For each vertex its neighbours with the label of the edge.
    pub neighbours: Vec<Vec<(u32, u64)>>,
}

impl Graph {
    /// Refines the labels by those of the neighbours until nothing changes (Morgan, J. Chem. Doc. 1965, 5, 107, with
    /// labels in place of sums). Vertices of different classes are never equivalent; classes of two graphs compare.
    pub fn classes(&self) -> Vec<u64> {
        let mut classes: Vec<u64> = self.labels.iter().map(|label| mix(*label)).collect();
        let mut count = distinct(&classes);
        for _ in 0..self.labels.len() {
            let next: Vec<u64> = (0..classes.len())
                .map(|vertex| {
                    let mut around: Vec<u64> = self.neighbours[vertex]
                        .iter()
                        .map(|&(neighbour, edge)| mix(classes[neighbour as usize] ^ mix(edge.wrapping_add(1))))
                        .collect();
                    around.sort_unstable();
                    around.into_iter().fold(mix(classes[vertex]), |held, one| mix(held.rotate_left(7) ^ one))
                })
                .collect();
            let refined = distinct(&next);
            classes = next;
            if refined == count {
                break;
            }
            count = refined;
        }
        classes
    }
}

fn distinct(classes: &[u64]) -> usize {
    let mut sorted = classes.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.len()
}

/// A fixed bijection of 64 bits that spreads small numbers (Steele, Lea & Flood, OOPSLA 2014, SplitMix64).
fn mix(value: u64) -> u64 {
    let mut held = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    held = (held ^ (held >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    held = (held ^ (held >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    held ^ (held >> 31)
}
