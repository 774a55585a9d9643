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

/// The best way to lay one graph on another.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Matching {
    /// For each vertex of the first graph its partner in the second.
    pub partner: Vec<u32>,
    /// Sum of the costs of all pairs.
    pub cost: f64,
    /// Whether every other matching is known to cost at least as much.
    pub is_best: bool,
}

/// Searches the isomorphisms of two graphs prepared once for many searches.
#[derive(Clone, Debug)]
pub(crate) struct Matcher {
    first: Graph,
    second: Graph,
    /// Vertices of the first graph in the order they are placed.
    order: Vec<u32>,
    /// For each vertex of the first graph, the vertices of the second that may be its partner.
    candidates: Vec<Vec<u32>>,
}

impl Matcher {
    /// Prepares; `None` when the graphs are certainly not isomorphic.
    pub fn new(first: Graph, second: Graph) -> Option<Self> {
        let count = first.labels.len();
        if count != second.labels.len() {
            return None;
        }
        let (of_first, of_second) = (first.classes(), second.classes());
        let sorted = |classes: &[u64]| {
            let mut sorted = classes.to_vec();
            sorted.sort_unstable();
            sorted
        };
        if sorted(&of_first) != sorted(&of_second) {
            return None;
        }
        let candidates: Vec<Vec<u32>> = of_first
            .iter()
            .map(|class| (0..count as u32).filter(|&vertex| of_second[vertex as usize] == *class).collect())
            .collect();
        // Along the bonds, so that most vertices have one or two possible places, from the least ambiguous vertex of
        // each fragment.
        let mut order = Vec::with_capacity(count);
        let mut placed = vec![false; count];
        while let Some(start) =
            (0..count).filter(|&vertex| !placed[vertex]).min_by_key(|&vertex| (candidates[vertex].len(), vertex))
        {
            placed[start] = true;
            order.push(start as u32);
            let mut at = order.len() - 1;
            while at < order.len() {
                let vertex = order[at];
                let mut next: Vec<u32> = first.neighbours[vertex as usize]
                    .iter()
                    .map(|(neighbour, _)| *neighbour)
                    .filter(|&neighbour| !placed[neighbour as usize])
                    .collect();
                next.sort_by_key(|&neighbour| (candidates[neighbour as usize].len(), neighbour));
                for neighbour in next {
                    if !placed[neighbour as usize] {
                        placed[neighbour as usize] = true;
                        order.push(neighbour);
                    }
                }
                at += 1;
            }
        }
        Some(Self { first, second, order, candidates })
    }

    /// Whether the two could be partners in some isomorphism, as far as their classes tell.
    pub fn may_pair(&self, vertex: u32, partner: u32) -> bool {
        self.candidates[vertex as usize].contains(&partner)
    }

    /// The isomorphism of least total cost, by branch and bound: a partial matching is dropped when it already costs
    /// more than the best one found, with the cheapest partner for every vertex still to come. `None` when there is no
    /// isomorphism. After `steps` pairs tried the best so far is returned and marked.
    pub fn best(&self, steps: usize, cost: impl Fn(u32, u32) -> f64) -> Option<Matching> {
        let count = self.order.len();
        let mut options: Vec<Vec<(f64, u32)>> = Vec::with_capacity(count);
        let mut rest = vec![0.0; count + 1];
        for vertex in &self.order {
            let mut priced: Vec<(f64, u32)> =
                self.candidates[*vertex as usize].iter().map(|&partner| (cost(*vertex, partner), partner)).collect();
            priced.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            options.push(priced);
        }
        for place in (0..count).rev() {
            rest[place] = rest[place + 1] + options[place].first().map_or(0.0, |(cost, _)| *cost);
        }
        let mut search = Search {
            matcher: self,
            options,
            rest,
            partner: vec![u32::MAX; count],
            used: vec![false; count],
            best: None,
            steps_left: steps,
        };
        search.place(0, 0.0);
        let is_best = search.steps_left > 0;
        search.best.map(|(cost, partner)| Matching { partner, cost, is_best })
    }
}

struct Search<'a> {
    matcher: &'a Matcher,
    options: Vec<Vec<(f64, u32)>>,
    rest: Vec<f64>,
    partner: Vec<u32>,
    used: Vec<bool>,
    best: Option<(f64, Vec<u32>)>,
    steps_left: usize,
}

impl Search<'_> {
    fn place(&mut self, at: usize, so_far: f64) {
        let Some(&vertex) = self.matcher.order.get(at) else {
            if self.best.as_ref().is_none_or(|(held, _)| so_far < *held) {
                self.best = Some((so_far, self.partner.clone()));
            }
            return;
        };
        for option in 0..self.options[at].len() {
            let (cost, partner) = self.options[at][option];
            let total = so_far + cost;
            if self.best.as_ref().is_some_and(|(held, _)| total + self.rest[at + 1] >= *held) {
                // The options are sorted: no later one is cheaper.
                return;
            }
            if self.steps_left == 0 {
                return;
            }
            self.steps_left -= 1;
            if self.used[partner as usize] || !self.fits(vertex, partner) {
                continue;
            }
            self.partner[vertex as usize] = partner;
            self.used[partner as usize] = true;
            self.place(at + 1, total);
            self.used[partner as usize] = false;
            self.partner[vertex as usize] = u32::MAX;
        }
    }

    /// Whether all placed neighbours are joined to the partner by an equal edge. With as many edges on both sides this
    /// makes a full matching an isomorphism.
    fn fits(&self, vertex: u32, partner: u32) -> bool {
        let around = &self.matcher.second.neighbours[partner as usize];
        let mine = &self.matcher.first.neighbours[vertex as usize];
        mine.len() == around.len()
            && mine.iter().all(|&(neighbour, edge)| {
                let placed = self.partner[neighbour as usize];
                placed == u32::MAX || around.contains(&(placed, edge))
            })
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
