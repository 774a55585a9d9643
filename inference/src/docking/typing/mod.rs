//! Atom types of the scoring functions.
//!
//! Both functions distinguish heavy atoms by element, carbons by whether they are bonded to anything but carbon and
//! hydrogen (X-Score's hydrophobic carbons; Wang, Lai & Wang, J. Comput. Aided Mol. Des. 2002, 16, 11), nitrogens and
//! oxygens by whether they give or take hydrogen bonds. Hydrogens count only by what they make of their neighbour.
//! The roles follow AutoDock's preparation (Forli et al., Nat. Protoc. 2016, 11, 905), as Meeko does it today.

mod ligand;
mod receptor;

pub use ligand::{TypingError, ligand_types};
pub use receptor::{TypedReceptor, receptor_types};

/// The types of heavy atoms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum AtomType {
    /// Carbon bonded to carbon and hydrogen only.
    CarbonHydrophobic,
    /// Any other carbon.
    CarbonPolar,
    /// Nitrogen without hydrogen or free lone pair: tertiary amides, nitro groups.
    NitrogenPlain,
    /// Nitrogen that gives hydrogen bonds.
    NitrogenDonor,
    /// Nitrogen that takes hydrogen bonds.
    NitrogenAcceptor,
    /// Nitrogen that does both.
    NitrogenDonorAcceptor,
    /// Oxygen without hydrogen.
    OxygenAcceptor,
    /// Hydroxyl and water.
    OxygenDonorAcceptor,
    /// Sulfur and its heavier relatives.
    Sulfur,
    /// Phosphorus and arsenic.
    Phosphorus,
    /// Fluorine.
    Fluorine,
    /// Chlorine.
    Chlorine,
    /// Bromine.
    Bromine,
    /// Iodine.
    Iodine,
    /// Silicon.
    Silicon,
    /// Boron: radius as in smina, no roles.
    Boron,
    /// Metal ions, which act as donors.
    Metal,
}

impl AtomType {
    /// How many there are.
    pub const COUNT: usize = 17;

    /// All types in order.
    pub const ALL: &[Self; Self::COUNT] = &[
        Self::CarbonHydrophobic,
        Self::CarbonPolar,
        Self::NitrogenPlain,
        Self::NitrogenDonor,
        Self::NitrogenAcceptor,
        Self::NitrogenDonorAcceptor,
        Self::OxygenAcceptor,
        Self::OxygenDonorAcceptor,
        Self::Sulfur,
        Self::Phosphorus,
        Self::Fluorine,
        Self::Chlorine,
        Self::Bromine,
        Self::Iodine,
        Self::Silicon,
        Self::Boron,
        Self::Metal,
    ];

    /// Whether the hydrophobic term counts it.
    #[must_use]
    pub const fn is_hydrophobic(self) -> bool {
        matches!(self, Self::CarbonHydrophobic | Self::Fluorine | Self::Chlorine | Self::Bromine | Self::Iodine)
    }

    /// Whether it gives hydrogen bonds (or coordinates, for metals).
    #[must_use]
    pub const fn is_donor(self) -> bool {
        matches!(self, Self::NitrogenDonor | Self::NitrogenDonorAcceptor | Self::OxygenDonorAcceptor | Self::Metal)
    }

    /// Whether it takes hydrogen bonds.
    #[must_use]
    pub const fn is_acceptor(self) -> bool {
        matches!(
            self,
            Self::NitrogenAcceptor | Self::NitrogenDonorAcceptor | Self::OxygenAcceptor | Self::OxygenDonorAcceptor
        )
    }

    const fn nitrogen(donor: bool, acceptor: bool) -> Self {
        match (donor, acceptor) {
            (true, true) => Self::NitrogenDonorAcceptor,
            (true, false) => Self::NitrogenDonor,
            (false, true) => Self::NitrogenAcceptor,
            (false, false) => Self::NitrogenPlain,
        }
    }

    const fn oxygen(donor: bool) -> Self {
        if donor { Self::OxygenDonorAcceptor } else { Self::OxygenAcceptor }
    }
}

#[cfg(test)]
mod tests {
    use super::AtomType;

    #[test]
    fn the_list_of_types_is_in_order() {
        for (index, &kind) in AtomType::ALL.iter().enumerate() {
            assert_eq!(kind as usize, index);
        }
    }
}
