//! [`FoldingInput`]: the features of one query, as the networks read them.
//!
//! Five layouts (chains, tokens, atoms, bonds, sequence positions), each a set of tensors along its own first dimension,
//! named as in K-Fold 1.0.0, data/types/model_input.py. There is no batch dimension: one query at a time is all the
//! reference can run, too. Padded entries have 0 in `pad_mask`. Index tensors are `i64`, masks `u8`, coordinates `f32` (Å).
//!
//! One-hot features (`res_type`, `ref_element`, `ref_atom_name_chars`) are kept as indices, -1 standing for a row of zeros
//! (padding); [`one_hot`] spreads them where a layer wants them.

use std::collections::HashMap;

use candle_core::{D, DType, Device, Tensor};

use super::{KFoldError, Result};

/// Classes of `token.res_type`.
pub const RES_TYPE_CLASSES: usize = 32;
/// Classes of `atom.ref_element`: atomic numbers.
pub const ELEMENT_CLASSES: usize = 128;
/// Classes of each of the four characters of `atom.ref_atom_name_chars`.
pub const ATOM_NAME_CLASSES: usize = 64;

/// What `chain_type` holds; -1 where padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub enum ChainType {
    /// Protein.
    Protein = 0,
    /// DNA.
    Dna = 1,
    /// RNA.
    Rna = 2,
    /// Everything else.
    Ligand = 3,
}

/// Rows of zeros with a one at each index.
///
/// `indices` [..] of `i64`; an index that is not in 0..classes gives a row of zeros. Returns [.., classes] f32.
///
/// # Errors
/// When the tensor operations fail.
pub fn one_hot(indices: &Tensor, classes: usize) -> Result<Tensor> {
    let range = Tensor::arange(0i64, classes as i64, indices.device())?;
    let indices = indices.to_dtype(DType::I64)?.unsqueeze(D::Minus1)?;
    Ok(indices.broadcast_eq(&range)?.to_dtype(DType::F32)?)
}

/// A dimension of a feature after the layout's own.
#[derive(Clone, Copy)]
enum Size {
    /// Must be this.
    Fixed(usize),
    /// Any size.
    Free,
}

/// Takes the feature `name`, checks its shape ([layout, trailing..]) and makes it `dtype`.
fn take(
    tensors: &HashMap<String, Tensor>,
    name: &str,
    dtype: DType,
    length: Option<usize>,
    trailing: &[Size],
) -> Result<Tensor> {
    let tensor = tensors.get(name).ok_or_else(|| KFoldError::input(format!("the feature {name} is missing")))?;
    let dims = tensor.dims();
    let fits = dims.len() == trailing.len() + 1
        && length.is_none_or(|length| dims[0] == length)
        && dims[1..].iter().zip(trailing).all(|(&dim, &size)| match size {
            Size::Fixed(size) => dim == size,
            Size::Free => true,
        });
    if !fits {
        let mut expected = vec![length.map_or("N".to_owned(), |length| length.to_string())];
        expected.extend(trailing.iter().map(|size| match size {
            Size::Fixed(size) => size.to_string(),
            Size::Free => "any".to_owned(),
        }));
        return Err(KFoldError::input(format!(
            "the feature {name} has shape {dims:?} instead of [{}]",
            expected.join(", ")
        )));
    }
    Ok(tensor.to_dtype(dtype)?.contiguous()?)
}

macro_rules! size {
    (_) => {
        Size::Free
    };
    ($size:literal) => {
        Size::Fixed($size)
    };
}

macro_rules! layout {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $($(#[$field_doc:meta])* $field:ident: $dtype:ident [$($size:tt),*],)+) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: Tensor,)+
        }

        impl $name {
            fn from_tensors(tensors: &HashMap<String, Tensor>) -> Result<Self> {
                let pad_mask = concat!($prefix, ".pad_mask");
                let length = Some(take(tensors, pad_mask, DType::U8, None, &[])?.elem_count());
                Ok(Self {
                    $($field: take(tensors, concat!($prefix, ".", stringify!($field)), DType::$dtype, length, &[$(size!($size)),*])?,)+
                })
            }

            /// The same features on another device.
            ///
            /// # Errors
            /// When the device has no room.
            pub fn to_device(&self, device: &Device) -> Result<Self> {
                Ok(Self { $($field: self.$field.to_device(device)?,)+ })
            }

            /// The features under the names that [`FoldingInput::from_tensors`] reads.
            fn tensors(&self) -> Vec<(String, Tensor)> {
                vec![$((concat!($prefix, ".", stringify!($field)).to_owned(), self.$field.clone()),)+]
            }
        }
    };
}

layout! {
    /// Features of chains.
    ChainTensors, "chain",
    /// [`ChainType`] of each chain.
    chain_type: I64 [],
    /// Entity, from 1.
    entity_id: I64 [],
    /// Chain, from 1.
    asym_id: I64 [],
    /// Rigid group of the apo structures, from 1.
    apo_uid: I64 [],
    /// Copy within the entity, from 1.
    sym_id: I64 [],
    /// Tokens in the chain.
    num_tokens: I64 [],
    /// Residues in the chain.
    num_residues: I64 [],
    /// Atoms in the chain.
    num_atoms: I64 [],
    /// 1 where the entry is real.
    pad_mask: U8 [],
}

layout! {
    /// Features of tokens.
    TokenTensors, "token",
    /// [`ChainType`] of the token's chain.
    chain_type: I64 [],
    /// Entity, from 1.
    entity_id: I64 [],
    /// Chain, from 1.
    asym_id: I64 [],
    /// Rigid group of the apo structures, from 1.
    apo_uid: I64 [],
    /// Copy within the entity, from 1.
    sym_id: I64 [],
    /// Residue type, 0..32 or -1: see [`one_hot`].
    res_type: I64 [],
    /// 1 for standard residues, 0 for tokens of one atom.
    is_standard: U8 [],
    /// Atoms of the token.
    num_atoms: I64 [],
    /// Position of the token in its chain.
    token_index: I64 [],
    /// Residue within the chain, from 1.
    residue_index: I64 [],
    /// Position in the sequence layout.
    seq_token_index: I64 [],
    /// Atom at the centre (Cα).
    center_index: I64 [],
    /// Representative atom (Cβ).
    repr_index: I64 [],
    /// Three atoms of the frame.
    frame_index: I64 [3],
    /// 1 where the frame exists.
    frame_mask: U8 [],
    /// 1 where the token is real.
    pad_mask: U8 [],
    /// Apo centre atoms [N, apos, 3], Å.
    apo_center_coords: F32 [_, 3],
    /// Apo representative atoms [N, apos, 3], Å.
    apo_repr_coords: F32 [_, 3],
    /// Apo frame atoms [N, apos, 3 atoms, 3], Å.
    apo_frame_coords: F32 [_, 3, 3],
    /// 1 where the apo centre atom is known [N, apos].
    apo_center_mask: U8 [_],
    /// 1 where the apo representative atom is known [N, apos].
    apo_repr_mask: U8 [_],
    /// 1 where the apo frame is known [N, apos].
    apo_frame_mask: U8 [_],
}

layout! {
    /// Features of atoms.
    AtomTensors, "atom",
    /// Atom type.
    atom_type: I64 [],
    /// Characters of the atom's name, 0..64 or -1 [N, 4].
    ref_atom_name_chars: I64 [4],
    /// Atomic number, or -1.
    ref_element: I64 [],
    /// Formal charge.
    ref_charge: F32 [],
    /// Reference conformer [N, 3], Å.
    ref_pos: F32 [3],
    /// 1 where the reference conformer has the atom.
    ref_mask: U8 [],
    /// Which reference conformer the atom belongs to.
    ref_space_uid: I64 [],
    /// The atom's token.
    token_index: I64 [],
    /// Position of the atom in its chain.
    atom_index: I64 [],
    /// Apo coordinates [N, apos, 3], Å.
    apo_coords: F32 [_, 3],
    /// Starting coordinates of each sample [N, samples, 3], Å.
    prior_coords: F32 [_, 3],
    /// 1 where the apo coordinate is known [N, apos].
    apo_mask: U8 [_],
    /// 1 where the atom is real.
    pad_mask: U8 [],
}

layout! {
    /// Features of bonds: of ligands and those the query names.
    BondTensors, "bond",
    /// Chains of the two atoms [N, 2].
    asym_id: I64 [2],
    /// Tokens of the two atoms [N, 2].
    token_index: I64 [2],
    /// The two atoms [N, 2].
    atom_index: I64 [2],
    /// Bond order's class.
    bond_type: I64 [],
    /// 1 where the bond is real.
    pad_mask: U8 [],
    /// 1 for a bond between ligands.
    is_ligand_ligand: U8 [],
    /// 1 for a bond between a polymer and a ligand.
    is_polymer_ligand: U8 [],
}

layout! {
    /// Features of the sequence positions that the encoders read, begin and end tokens included.
    SequenceTensors, "sequence",
    /// [`ChainType`] of the position's chain.
    chain_type: I64 [],
    /// Chain, from 1.
    asym_id: I64 [],
    /// Residue token.
    seq_token_id: I64 [],
    /// Backbone structure token of each apo, or -1 [N, apos].
    bb_struct_token_id: I64 [_],
    /// Full-atom structure token of each apo, or -1 [N, apos].
    fa_struct_token_id: I64 [_],
    /// Position in the chain.
    pos_id: I64 [],
    /// 1 where the residue is hidden from the language model.
    mlm_mask: U8 [],
    /// 1 where the position is real.
    pad_mask: U8 [],
}

/// The features of one query.
#[derive(Clone, Debug)]
pub struct FoldingInput {
    /// Chains.
    pub chain: ChainTensors,
    /// Tokens.
    pub token: TokenTensors,
    /// Atoms.
    pub atom: AtomTensors,
    /// Bonds.
    pub bond: BondTensors,
    /// Sequence positions.
    pub sequence: SequenceTensors,
}

impl FoldingInput {
    /// Takes the features by their names (`token.res_type`, `atom.ref_pos`, ..); other tensors are left alone.
    ///
    /// # Errors
    /// When a feature is missing, has the wrong shape, or points outside its layout.
    pub fn from_tensors(tensors: &HashMap<String, Tensor>) -> Result<Self> {
        let input = Self {
            chain: ChainTensors::from_tensors(tensors)?,
            token: TokenTensors::from_tensors(tensors)?,
            atom: AtomTensors::from_tensors(tensors)?,
            bond: BondTensors::from_tensors(tensors)?,
            sequence: SequenceTensors::from_tensors(tensors)?,
        };
        input.check_indices()?;
        Ok(input)
    }

    /// The features under the names that [`Self::from_tensors`] reads.
    #[must_use]
    pub fn tensors(&self) -> HashMap<String, Tensor> {
        let layouts = [
            self.chain.tensors(),
            self.token.tensors(),
            self.atom.tensors(),
            self.bond.tensors(),
            self.sequence.tensors(),
        ];
        layouts.into_iter().flatten().collect()
    }

    /// The same features on another device.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn to_device(&self, device: &Device) -> Result<Self> {
        Ok(Self {
            chain: self.chain.to_device(device)?,
            token: self.token.to_device(device)?,
            atom: self.atom.to_device(device)?,
            bond: self.bond.to_device(device)?,
            sequence: self.sequence.to_device(device)?,
        })
    }

    /// Where the features are.
    #[must_use]
    pub fn device(&self) -> &Device {
        self.token.pad_mask.device()
    }

    /// Tokens, padding included.
    #[must_use]
    pub fn num_tokens(&self) -> usize {
        self.token.pad_mask.elem_count()
    }

    /// Atoms, padding included.
    #[must_use]
    pub fn num_atoms(&self) -> usize {
        self.atom.pad_mask.elem_count()
    }

    /// Apo structures.
    #[must_use]
    pub fn num_apos(&self) -> usize {
        self.token.apo_center_mask.dims()[1]
    }

    /// Mask of the pairs of real tokens: [1, N, N] `u8`.
    ///
    /// # Errors
    /// When the tensor operations fail.
    pub fn pair_mask(&self) -> Result<Tensor> {
        pair_mask(&self.token.pad_mask.unsqueeze(0)?)
    }

    /// Refuses indices beyond their layout, which a gather would read out of bounds. Padding (-1) is allowed.
    fn check_indices(&self) -> Result<()> {
        let (tokens, atoms, positions) = (self.num_tokens(), self.num_atoms(), self.sequence.pad_mask.elem_count());
        for (name, index, bound) in [
            ("token.seq_token_index", &self.token.seq_token_index, positions),
            ("token.center_index", &self.token.center_index, atoms),
            ("token.repr_index", &self.token.repr_index, atoms),
            ("token.frame_index", &self.token.frame_index, atoms),
            ("atom.token_index", &self.atom.token_index, tokens),
            ("bond.token_index", &self.bond.token_index, tokens),
            ("bond.atom_index", &self.bond.atom_index, atoms),
        ] {
            let values = index.flatten_all()?.to_vec1::<i64>()?;
            if let Some(value) = values.iter().find(|&&value| value < -1 || value >= bound as i64) {
                return Err(KFoldError::input(format!("{name} points to {value}, but there are {bound} entries")));
            }
        }
        Ok(())
    }
}

/// The outer product of a mask with itself: [B, N] of 0 and 1 gives [B, N, N] `u8`.
///
/// # Errors
/// When the tensor operations fail.
pub fn pair_mask(mask: &Tensor) -> Result<Tensor> {
    let mask = mask.to_dtype(DType::U8)?;
    Ok(mask.unsqueeze(2)?.broadcast_mul(&mask.unsqueeze(1)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_hot_leaves_padding_zero() {
        let indices = Tensor::new(&[2i64, -1, 0, 9], &Device::Cpu).unwrap();
        let rows = one_hot(&indices, 3).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(rows, [[0.0, 0.0, 1.0], [0.0; 3], [1.0, 0.0, 0.0], [0.0; 3]]);
    }

    #[test]
    fn missing_and_misshapen_features_are_named() {
        let error = FoldingInput::from_tensors(&HashMap::new()).unwrap_err().to_string();
        assert!(error.contains("chain.pad_mask is missing"), "{error}");
        let tensor = Tensor::zeros((4, 2), DType::F32, &Device::Cpu).unwrap();
        let tensors = HashMap::from([("atom.ref_pos".to_owned(), tensor)]);
        let error = take(&tensors, "atom.ref_pos", DType::F32, Some(4), &[Size::Fixed(3)]).unwrap_err().to_string();
        assert!(error.contains("atom.ref_pos has shape [4, 2] instead of [4, 3]"), "{error}");
    }
}
