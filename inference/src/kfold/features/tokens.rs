//! From the complex to the tensors the networks read.
//!
//! K-Fold 1.0.0, data/pipelines/{tokenization,featurization}.py. A standard residue is one token; every atom of a modified
//! residue or a ligand is one. Atoms stand in the order of the chains, so that token `t` owns a run of them. Indices that
//! the networks gather by (`center_index`, `frame_index`, ..) count all atoms of the complex.

use std::collections::HashMap;

use candle_core::{Device, Tensor};

use super::apo::Apo;
use super::component::BondClass;
use super::numpy_random::NumpyGenerator;
use super::placement::place_randomly;
use super::reference::{ReferenceChain, ReferenceStructure};
use super::vocabulary::{
    ATOM_TYPE_OF_SINGLE, BEGIN_TOKEN, END_TOKEN, PADDING_TOKEN, atom_type, frame_atoms, name_characters, residue_type,
    sequence_token, standard_residue,
};
use crate::kfold::Result;
use crate::kfold::input::{ChainType, FoldingInput};

/// Seed of the conformers that ligand frames are read from; the same in every run.
const LIGAND_FRAME_SEED: u64 = 20_000_106;
/// An atom's frame needs its two neighbours further from one line than this: cosine of 25 degrees.
const COLLINEAR_COSINE: f32 = 0.906_307_8;

/// What tokens, atoms and sequence positions are padded to.
#[derive(Clone, Copy, Debug)]
pub struct Padding {
    /// Tokens, a multiple of this.
    pub tokens: usize,
    /// Atoms, a multiple of this.
    pub atoms: usize,
    /// Sequence positions, a multiple of this.
    pub positions: usize,
}

impl Default for Padding {
    /// The reference's: the networks work in windows of atoms, and equal paddings keep equal random streams.
    fn default() -> Self {
        Self { tokens: 64, atoms: 128, positions: 64 }
    }
}

/// Builds the input of the networks. `apos` holds for each protein chain (by index) its apo structures; `priors` the
/// starting coordinates of each sample.
///
/// # Errors
/// When a tensor cannot be made.
pub fn build(
    structure: &ReferenceStructure,
    apos: &HashMap<usize, Vec<Apo>>,
    priors: &[Vec<[f32; 3]>],
    padding: Padding,
    generator: &mut NumpyGenerator,
) -> Result<FoldingInput> {
    let mut generator = generator.spawn();
    let apo_count = apos.values().map(Vec::len).max().unwrap_or(1).max(1);
    let mut columns = Columns::new(apo_count);
    let tokens = Tokens::of(structure);
    columns.add_chains(structure);
    columns.add_sequences(structure, apos);
    columns.add_atoms(structure, &tokens, apos, &mut generator);
    columns.add_priors(priors);
    columns.add_tokens(structure, &tokens);
    columns.add_bonds(structure, &tokens);
    columns.finish(padding)
}

/// Where each token is.
struct Tokens {
    list: Vec<Token>,
    /// For each chain, the complex-wide index of its first atom.
    first_atom: Vec<usize>,
    /// Token of each atom.
    of_atom: Vec<usize>,
}

struct Token {
    chain: usize,
    residue: usize,
    /// Complex-wide index of its first atom.
    first_atom: usize,
    atoms: usize,
}

impl Tokens {
    fn of(structure: &ReferenceStructure) -> Self {
        let mut tokens = Self { list: Vec::new(), first_atom: Vec::new(), of_atom: Vec::new() };
        for (chain_index, chain) in structure.chains.iter().enumerate() {
            let offset = tokens.of_atom.len();
            tokens.first_atom.push(offset);
            for (residue_index, residue) in chain.residues.iter().enumerate() {
                let (count, size) =
                    if residue.is_standard { (1, residue.atoms.len()) } else { (residue.atoms.len(), 1) };
                for part in 0..count {
                    let first_atom = offset + residue.atoms.start + part * size;
                    tokens.of_atom.extend(std::iter::repeat_n(tokens.list.len(), size));
                    tokens.list.push(Token { chain: chain_index, residue: residue_index, first_atom, atoms: size });
                }
            }
        }
        tokens
    }
}

/// The features as columns, by the names of [`FoldingInput::from_tensors`].
struct Columns {
    integers: HashMap<&'static str, (Vec<i64>, usize)>,
    masks: HashMap<&'static str, (Vec<u8>, usize)>,
    numbers: HashMap<&'static str, (Vec<f32>, Vec<usize>)>,
    apo_count: usize,
}

impl Columns {
    fn new(apo_count: usize) -> Self {
        Self { integers: HashMap::new(), masks: HashMap::new(), numbers: HashMap::new(), apo_count }
    }

    fn integers(&mut self, name: &'static str, values: impl IntoIterator<Item = i64>) {
        self.integers.insert(name, (values.into_iter().collect(), 1));
    }

    fn integer_rows<const N: usize>(&mut self, name: &'static str, rows: impl IntoIterator<Item = [i64; N]>) {
        self.integers.insert(name, (rows.into_iter().flatten().collect(), N));
    }

    fn mask(&mut self, name: &'static str, values: impl IntoIterator<Item = bool>) {
        self.masks.insert(name, (values.into_iter().map(u8::from).collect(), 1));
    }

    fn add_chains(&mut self, structure: &ReferenceStructure) {
        let chains = &structure.chains;
        self.integers("chain.chain_type", chains.iter().map(|chain| chain.chain_type as i64));
        self.integers("chain.entity_id", chains.iter().map(|chain| chain.entity_id));
        self.integers("chain.asym_id", chains.iter().map(|chain| chain.asym_id));
        self.integers("chain.apo_uid", chains.iter().map(apo_group));
        self.integers("chain.sym_id", chains.iter().map(|chain| chain.sym_id));
        self.integers("chain.num_tokens", chains.iter().map(|chain| chain.token_count() as i64));
        self.integers("chain.num_residues", chains.iter().map(|chain| chain.residues.len() as i64));
        self.integers("chain.num_atoms", chains.iter().map(|chain| chain.atoms.len() as i64));
        self.mask("chain.pad_mask", chains.iter().map(|_| true));
    }

    fn add_sequences(&mut self, structure: &ReferenceStructure, apos: &HashMap<usize, Vec<Apo>>) {
        let mut of_chain = |name, value: &dyn Fn(&ReferenceChain) -> i64| {
            let values =
                structure.chains.iter().flat_map(|chain| std::iter::repeat_n(value(chain), chain.residues.len() + 2));
            self.integers.insert(name, (values.collect(), 1));
        };
        of_chain("sequence.chain_type", &|chain| chain.chain_type as i64);
        of_chain("sequence.asym_id", &|chain| chain.asym_id);
        self.integers("sequence.pos_id", structure.chains.iter().flat_map(|chain| 0..chain.residues.len() as i64 + 2));
        self.integers(
            "sequence.seq_token_id",
            structure.chains.iter().flat_map(|chain| {
                let residues =
                    chain.residues.iter().map(|residue| sequence_token(&residue.component.code, chain.chain_type));
                std::iter::once(BEGIN_TOKEN).chain(residues).chain(std::iter::once(END_TOKEN)).collect::<Vec<_>>()
            }),
        );
        let count = self.apo_count;
        for (name, of_kind) in [
            (
                "sequence.bb_struct_token_id",
                (|tokens| &tokens.backbone) as fn(&super::apo::StructureTokens) -> &Vec<i64>,
            ),
            ("sequence.fa_struct_token_id", |tokens| &tokens.full_atom),
        ] {
            let mut values = Vec::new();
            for (index, chain) in structure.chains.iter().enumerate() {
                for position in 0..chain.residues.len() + 2 {
                    values.extend((0..count).map(|apo| {
                        let tokens = apos
                            .get(&index)
                            .and_then(|apos| apos.get(apo))
                            .and_then(|apo| apo.structure_tokens.as_ref());
                        let residue = position.checked_sub(1);
                        tokens
                            .zip(residue)
                            .and_then(|(tokens, residue)| of_kind(tokens).get(residue).copied())
                            .unwrap_or(-1)
                    }));
                }
            }
            self.integers.insert(name, (values, count));
        }
        let positions = structure.chains.iter().map(|chain| chain.residues.len() + 2).sum();
        self.mask("sequence.mlm_mask", std::iter::repeat_n(false, positions));
        self.mask("sequence.pad_mask", std::iter::repeat_n(true, positions));
    }

    fn add_atoms(
        &mut self,
        structure: &ReferenceStructure,
        tokens: &Tokens,
        apos: &HashMap<usize, Vec<Apo>>,
        generator: &mut NumpyGenerator,
    ) {
        let atoms = || structure.chains.iter().flat_map(|chain| &chain.atoms);
        let residues =
            || structure.chains.iter().flat_map(|chain| chain.residues.iter().map(move |residue| (chain, residue)));
        self.integer_rows("atom.ref_atom_name_chars", atoms().map(|atom| name_characters(&atom.name)));
        self.integers("atom.ref_element", atoms().map(|atom| i64::from(atom.element)));
        self.numbers.insert("atom.ref_charge", (atoms().map(|atom| f32::from(atom.charge)).collect(), vec![]));
        self.integers("atom.token_index", tokens.of_atom.iter().map(|&token| token as i64));
        self.integers("atom.atom_index", structure.chains.iter().flat_map(|chain| 0..chain.atoms.len() as i64));
        self.integers(
            "atom.atom_type",
            residues().flat_map(|(chain, residue)| {
                residue.atoms.clone().map(|atom| {
                    (if residue.is_standard { atom_type(&chain.atoms[atom].name) } else { ATOM_TYPE_OF_SINGLE }) as i64
                })
            }),
        );
        self.integers(
            "atom.ref_space_uid",
            residues()
                .enumerate()
                .flat_map(|(index, (_, residue))| std::iter::repeat_n(index as i64, residue.atoms.len())),
        );
        let mut reference = Vec::with_capacity(tokens.of_atom.len());
        for (_, residue) in residues() {
            let conformer = residue.component.conformer(generator);
            let mut points: Vec<[f32; 3]> = residue.component_atoms.iter().map(|&atom| conformer[atom]).collect();
            place_randomly(&mut points, 1.0, generator);
            reference.extend(points);
        }
        self.mask("atom.ref_mask", reference.iter().map(is_finite));
        self.numbers.insert("atom.ref_pos", (reference.iter().copied().flat_map(finite_or_zero).collect(), vec![3]));

        let count = self.apo_count;
        let mut coordinates = vec![[f32::NAN; 3]; tokens.of_atom.len() * count];
        for (index, chain) in structure.chains.iter().enumerate() {
            for (number, apo) in apos.get(&index).into_iter().flatten().enumerate() {
                for (atom, position) in apo.coordinates.of_atoms(chain).into_iter().enumerate() {
                    coordinates[(tokens.first_atom[index] + atom) * count + number] = position;
                }
            }
        }
        self.masks
            .insert("atom.apo_mask", (coordinates.iter().map(|point| u8::from(is_finite(point))).collect(), count));
        self.mask("atom.pad_mask", tokens.of_atom.iter().map(|_| true));
        self.numbers.insert("atom.apo_coords", (coordinates.into_iter().flatten().collect(), vec![count, 3]));
    }

    fn add_priors(&mut self, priors: &[Vec<[f32; 3]>]) {
        let atoms = priors.first().map_or(0, Vec::len);
        let values = (0..atoms).flat_map(|atom| priors.iter().flat_map(move |prior| prior[atom])).collect();
        self.numbers.insert("atom.prior_coords", (values, vec![priors.len(), 3]));
    }

    fn add_tokens(&mut self, structure: &ReferenceStructure, tokens: &Tokens) {
        let list = &tokens.list;
        let chain_of = |token: &Token| &structure.chains[token.chain];
        let residue_of = |token: &Token| &structure.chains[token.chain].residues[token.residue];
        self.integers("token.chain_type", list.iter().map(|token| chain_of(token).chain_type as i64));
        self.integers("token.entity_id", list.iter().map(|token| chain_of(token).entity_id));
        self.integers("token.asym_id", list.iter().map(|token| chain_of(token).asym_id));
        self.integers("token.apo_uid", list.iter().map(|token| apo_group(chain_of(token))));
        self.integers("token.sym_id", list.iter().map(|token| chain_of(token).sym_id));
        self.integers(
            "token.res_type",
            list.iter().map(|token| residue_type(&residue_of(token).component.code, chain_of(token).chain_type)),
        );
        self.mask("token.is_standard", list.iter().map(|token| residue_of(token).is_standard));
        self.integers("token.num_atoms", list.iter().map(|token| token.atoms as i64));
        self.integers("token.token_index", 0..list.len() as i64);
        self.integers("token.residue_index", list.iter().map(|token| token.residue as i64 + 1));
        let mut before = vec![0; structure.chains.len() + 1];
        for (index, chain) in structure.chains.iter().enumerate() {
            before[index + 1] = before[index] + chain.residues.len() + 2;
        }
        self.integers(
            "token.seq_token_index",
            list.iter().map(|token| (before[token.chain] + 1 + token.residue) as i64),
        );
        let standard = |token: &Token| {
            residue_of(token)
                .is_standard
                .then(|| standard_residue(&residue_of(token).component.code, chain_of(token).chain_type))
                .flatten()
        };
        let centre = |token: &Token| token.first_atom + standard(token).map_or(0, |residue| residue.centre);
        let representative =
            |token: &Token| token.first_atom + standard(token).map_or(0, |residue| residue.representative);
        self.integers("token.center_index", list.iter().map(|token| centre(token) as i64));
        self.integers("token.repr_index", list.iter().map(|token| representative(token) as i64));
        let frames = self.frames(structure, tokens);
        self.integer_rows(
            "token.frame_index",
            frames.iter().map(|frame| frame.map_or([0; 3], |frame| frame.map(|atom| atom as i64))),
        );
        self.mask("token.frame_mask", frames.iter().map(Option::is_some));
        self.mask("token.pad_mask", list.iter().map(|_| true));
        self.add_apo_of_tokens(
            &list.iter().map(centre).collect::<Vec<_>>(),
            &list.iter().map(representative).collect::<Vec<_>>(),
            &frames,
        );
    }

    /// Apo coordinates at the atoms that stand for the tokens.
    fn add_apo_of_tokens(&mut self, centres: &[usize], representatives: &[usize], frames: &[Option<[usize; 3]>]) {
        let count = self.apo_count;
        let apo = self.numbers.get("atom.apo_coords").map_or(&[][..], |(values, _)| values);
        let at = |atom: usize, number: usize| -> [f32; 3] {
            std::array::from_fn(|axis| apo.get((atom * count + number) * 3 + axis).copied().unwrap_or(f32::NAN))
        };
        let mut made = Vec::new();
        for (coordinates, mask, atoms) in [
            ("token.apo_center_coords", "token.apo_center_mask", centres),
            ("token.apo_repr_coords", "token.apo_repr_mask", representatives),
        ] {
            let points: Vec<[f32; 3]> = atoms
                .iter()
                .flat_map(|&atom| (0..count).map(move |number| (atom, number)))
                .map(|(atom, number)| at(atom, number))
                .collect();
            let known = points.iter().map(|point| u8::from(is_finite(point))).collect::<Vec<_>>();
            made.push((
                coordinates,
                mask,
                points.into_iter().flat_map(finite_or_zero).collect::<Vec<f32>>(),
                known,
                vec![count, 3],
            ));
        }
        let (mut values, mut known) = (Vec::new(), Vec::new());
        for frame in frames {
            for number in 0..count {
                let points = frame.map_or([[f32::NAN; 3]; 3], |frame| frame.map(|atom| at(atom, number)));
                known.push(u8::from(points.iter().all(is_finite)));
                values.extend(points.into_iter().flat_map(finite_or_zero));
            }
        }
        made.push(("token.apo_frame_coords", "token.apo_frame_mask", values, known, vec![count, 3, 3]));
        for (coordinates, mask, values, known, shape) in made {
            self.numbers.insert(coordinates, (values, shape));
            self.masks.insert(mask, (known, count));
        }
    }

    /// Three atoms for each token, complex-wide: of the backbone for residues, the atom between its two nearest for ligands.
    fn frames(&self, structure: &ReferenceStructure, tokens: &Tokens) -> Vec<Option<[usize; 3]>> {
        let is_known =
            |atom: usize| self.masks.get("atom.ref_mask").is_some_and(|(mask, _)| mask.get(atom) == Some(&1));
        let mut frames = Vec::with_capacity(tokens.list.len());
        for (chain, &offset) in structure.chains.iter().zip(&tokens.first_atom) {
            for residue in &chain.residues {
                let place = |name: &str| {
                    residue.atoms.clone().find(|&atom| chain.atoms[atom].name == name).map(|atom| offset + atom)
                };
                if let Some(names) = frame_atoms(chain.chain_type) {
                    let [a, b, c] = names.map(place);
                    let frame = a.zip(b).zip(c).map(|((a, b), c)| [a, b, c]);
                    frames
                        .extend(std::iter::repeat_n(frame, if residue.is_standard { 1 } else { residue.atoms.len() }));
                    continue;
                }
                let conformer = residue.component.conformer(&mut NumpyGenerator::new(LIGAND_FRAME_SEED));
                let points: Vec<[f32; 3]> = residue.component_atoms.iter().map(|&atom| conformer[atom]).collect();
                let first = offset + residue.atoms.start;
                let known: Vec<bool> = (0..points.len()).map(|atom| is_known(first + atom)).collect();
                frames.extend((0..points.len()).map(|atom| {
                    let [a, c] = nearest_two(&points, &known, atom)?;
                    Some([first + a, first + atom, first + c])
                }));
            }
        }
        frames
    }

    fn add_bonds(&mut self, structure: &ReferenceStructure, tokens: &Tokens) {
        struct Bond {
            asym_id: [i64; 2],
            atoms: [usize; 2],
            class: BondClass,
        }
        let within = structure.chains.iter().zip(&tokens.first_atom).flat_map(|(chain, &offset)| {
            chain.bonds.iter().map(move |&(first, second, class)| Bond {
                asym_id: [chain.asym_id; 2],
                atoms: [offset + first, offset + second],
                class,
            })
        });
        let between = structure.connections.iter().map(|connection| Bond {
            asym_id: connection.chains.map(|chain| structure.chains[chain].asym_id),
            atoms: std::array::from_fn(|at| tokens.first_atom[connection.chains[at]] + connection.atoms[at]),
            class: BondClass::Intermolecular,
        });
        let bonds: Vec<Bond> = within.chain(between).collect();
        let token_of = |atom: usize| tokens.of_atom[atom];
        let is_ligand =
            |atom: usize| structure.chains[tokens.list[token_of(atom)].chain].chain_type == ChainType::Ligand;
        self.integer_rows("bond.asym_id", bonds.iter().map(|bond| bond.asym_id));
        self.integer_rows("bond.token_index", bonds.iter().map(|bond| bond.atoms.map(|atom| token_of(atom) as i64)));
        self.integer_rows(
            "bond.atom_index",
            bonds.iter().map(|bond| bond.atoms.map(|atom| (atom - tokens.list[token_of(atom)].first_atom) as i64)),
        );
        self.integers("bond.bond_type", bonds.iter().map(|bond| bond.class as i64));
        self.mask("bond.pad_mask", bonds.iter().map(|_| true));
        self.mask("bond.is_ligand_ligand", bonds.iter().map(|bond| bond.atoms.iter().all(|&atom| is_ligand(atom))));
        self.mask(
            "bond.is_polymer_ligand",
            bonds.iter().map(|bond| is_ligand(bond.atoms[0]) != is_ligand(bond.atoms[1])),
        );
    }

    /// Pads every layout and makes the tensors.
    fn finish(self, padding: Padding) -> Result<FoldingInput> {
        let lengths: HashMap<&str, usize> = self.masks.iter().map(|(name, (mask, _))| (*name, mask.len())).collect();
        let length_of = |mask: &str| lengths.get(mask).copied().unwrap_or_default();
        let up = |length: usize, multiple: usize| length.div_ceil(multiple.max(1)) * multiple.max(1);
        let padded = |name: &str| match name.split('.').next() {
            Some("token") => up(length_of("token.pad_mask"), padding.tokens),
            Some("atom") => up(length_of("atom.pad_mask"), padding.atoms),
            Some("sequence") => up(length_of("sequence.pad_mask"), padding.positions),
            Some("bond") => length_of("bond.pad_mask"),
            _ => length_of("chain.pad_mask"),
        };
        let device = Device::Cpu;
        let mut tensors = HashMap::new();
        for (name, (mut values, width)) in self.integers {
            let rows = padded(name);
            let fill = match name {
                "atom.atom_type" | "atom.token_index" | "atom.atom_index" => 0,
                "sequence.seq_token_id" => PADDING_TOKEN,
                _ => -1,
            };
            values.resize(rows * width, fill);
            let is_row = width > 1 || name.ends_with("struct_token_id");
            let shape = if is_row { vec![rows, width] } else { vec![rows] };
            tensors.insert(name.to_owned(), Tensor::from_vec(values, shape, &device)?);
        }
        for (name, (mut values, width)) in self.masks {
            let rows = padded(name);
            values.resize(rows * width, 0);
            let shape = if name.contains("apo_") { vec![rows, width] } else { vec![rows] };
            tensors.insert(name.to_owned(), Tensor::from_vec(values, shape, &device)?);
        }
        for (name, (mut values, mut shape)) in self.numbers {
            let rows = padded(name);
            values.resize(rows * shape.iter().product::<usize>(), 0.0);
            // The masks say which are unknown.
            for value in &mut values {
                if !value.is_finite() {
                    *value = 0.0;
                }
            }
            shape.insert(0, rows);
            tensors.insert(name.to_owned(), Tensor::from_vec(values, shape, &device)?);
        }
        FoldingInput::from_tensors(&tensors)
    }
}

/// Apo structures of a protein pair share a frame; everything else stands alone.
fn apo_group(chain: &ReferenceChain) -> i64 {
    if chain.chain_type == ChainType::Protein { chain.rigid_group } else { chain.asym_id }
}

/// The two nearest known atoms, or `None` when there are too few or the three lie on a line.
fn nearest_two(points: &[[f32; 3]], known: &[bool], atom: usize) -> Option<[usize; 2]> {
    if known.iter().filter(|&&known| known).count() < 3 || !known[atom] {
        return None;
    }
    let from = |other: usize| -> [f32; 3] { std::array::from_fn(|axis| points[other][axis] - points[atom][axis]) };
    let dot = |a: [f32; 3], b: [f32; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    let distance = |other: usize| dot(from(other), from(other)).sqrt();
    let mut others: Vec<usize> = (0..points.len()).filter(|&other| other != atom && known[other]).collect();
    others.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)));
    let [a, c] = [others[0], others[1]];
    let cosine = dot(from(a), from(c)) / (distance(a) * distance(c) + 1e-8);
    (cosine.abs() <= COLLINEAR_COSINE).then_some([a, c])
}

fn is_finite(point: &[f32; 3]) -> bool {
    point.iter().all(|component| component.is_finite())
}

fn finite_or_zero(point: [f32; 3]) -> [f32; 3] {
    point.map(|component| if component.is_finite() { component } else { 0.0 })
}
