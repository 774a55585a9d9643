//! A small ligand and a small receptor for the tests of this module.

use glam::Vec3;
use kfold_molecule::{Bond, BondOrder, Element, SmallMolecule, SmallMoleculeAtom};

use super::typing::{AtomType, TypedReceptor};

/// 4-(3-aminopropoxy)benzamide without hydrogens, `NCCCOc1ccc(cc1)C(N)=O`, in an extended conformer.
pub fn ligand() -> SmallMolecule {
    use BondOrder::{Double, Single};
    let atoms = [
        (Element::N, [-4.9, 1.1, 0.3]),
        (Element::C, [-3.7, 0.3, 0.0]),
        (Element::C, [-2.5, 1.2, -0.2]),
        (Element::C, [-1.2, 0.4, -0.3]),
        (Element::O, [-0.1, 1.3, -0.4]),
        (Element::C, [1.13, 0.75, -0.35]),
        (Element::C, [1.35, -0.62, -0.25]),
        (Element::C, [2.65, -1.1, -0.2]),
        (Element::C, [3.73, -0.22, -0.25]),
        (Element::C, [3.5, 1.15, -0.35]),
        (Element::C, [2.2, 1.63, -0.4]),
        (Element::C, [5.13, -0.73, -0.2]),
        (Element::N, [6.1, 0.2, -0.1]),
        (Element::O, [5.4, -1.92, -0.25]),
    ];
    let bonds = [
        (0, 1, Single),
        (1, 2, Single),
        (2, 3, Single),
        (3, 4, Single),
        (4, 5, Single),
        (5, 6, Double),
        (6, 7, Single),
        (7, 8, Double),
        (8, 9, Single),
        (9, 10, Double),
        (5, 10, Single),
        (8, 11, Single),
        (11, 12, Single),
        (11, 13, Double),
    ];
    SmallMolecule {
        name: "fixture".to_owned(),
        atoms: atoms
            .iter()
            .map(|&(element, _)| SmallMoleculeAtom {
                element,
                formal_charge: 0,
                isotope: None,
                fixed_hydrogens: None,
                name: Default::default(),
            })
            .collect(),
        bonds: bonds.iter().map(|&(a, b, order)| Bond::new(a, b, order)).collect(),
        conformers: vec![atoms.iter().map(|&(_, position)| Vec3::from_array(position)).collect()],
        ..SmallMolecule::default()
    }
}

/// The walls of a groove about 8 Å wide along x, of alternating types.
pub fn receptor() -> TypedReceptor {
    let kinds = [
        AtomType::CarbonHydrophobic,
        AtomType::OxygenAcceptor,
        AtomType::CarbonPolar,
        AtomType::NitrogenDonor,
        AtomType::CarbonHydrophobic,
    ];
    let mut receptor = TypedReceptor::default();
    for x in -4..=4 {
        for step in 0..7 {
            let angle = 0.5 * step as f32;
            let (sine, cosine) = angle.sin_cos();
            let radius = 4.6 + 0.35 * (1.7 * x as f32 + angle).sin();
            receptor.positions.push(Vec3::new(2.9 * x as f32, radius * cosine, -radius * sine));
            receptor.types.push(kinds[(step + (x + 4) as usize * 3) % kinds.len()]);
            receptor.atoms.push(receptor.atoms.len() as u32);
        }
    }
    receptor
}
