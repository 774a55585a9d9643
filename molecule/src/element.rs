//! Chemical elements with the few properties that drawing, bonding and scoring need.
//!
//! Sources: symbols and order, IUPAC; covalent radii, Cordero et al., Dalton Trans. 2008, 2832 (rounded to 0.01 Å);
//! van der Waals radii, Alvarez, Dalton Trans. 2013, 42, 8617 for metals and Bondi, J. Phys. Chem. 1964, 68, 441 for
//! the elements he lists.

use serde::{Deserialize, Serialize};

/// An element by its atomic number; 0 is "unknown" (a blank or unreadable element column, a dummy atom).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Element(u8);

macro_rules! elements {
    ($($number:literal $name:ident $symbol:literal $covalent:literal $vdw:literal;)*) => {
        impl Element {
            $(#[doc = concat!("Element ", $symbol, ".")] pub const $name: Self = Self($number);)*
        }
        const TABLE: &[(&str, f32, f32)] = &[("X", 0.77, 1.70), $(($symbol, $covalent, $vdw),)*];
    };
}

elements! {
    1 H "H" 0.31 1.20; 2 HE "He" 0.28 1.40; 3 LI "Li" 1.28 1.82; 4 BE "Be" 0.96 1.98; 5 B "B" 0.84 1.91;
    6 C "C" 0.76 1.70; 7 N "N" 0.71 1.55; 8 O "O" 0.66 1.52; 9 F "F" 0.57 1.47; 10 NE "Ne" 0.58 1.54;
    11 NA "Na" 1.66 2.27; 12 MG "Mg" 1.41 1.73; 13 AL "Al" 1.21 2.25; 14 SI "Si" 1.11 2.10; 15 P "P" 1.07 1.80;
    16 S "S" 1.05 1.80; 17 CL "Cl" 1.02 1.75; 18 AR "Ar" 1.06 1.88; 19 K "K" 2.03 2.75; 20 CA "Ca" 1.76 2.62;
    21 SC "Sc" 1.70 2.58; 22 TI "Ti" 1.60 2.46; 23 V "V" 1.53 2.42; 24 CR "Cr" 1.39 2.45; 25 MN "Mn" 1.39 2.45;
    26 FE "Fe" 1.32 2.44; 27 CO "Co" 1.26 2.40; 28 NI "Ni" 1.24 1.63; 29 CU "Cu" 1.32 1.40; 30 ZN "Zn" 1.22 1.39;
    31 GA "Ga" 1.22 1.87; 32 GE "Ge" 1.20 2.29; 33 AS "As" 1.19 1.85; 34 SE "Se" 1.20 1.90; 35 BR "Br" 1.20 1.85;
    36 KR "Kr" 1.16 2.02; 37 RB "Rb" 2.20 3.21; 38 SR "Sr" 1.95 2.84; 39 Y "Y" 1.90 2.75; 40 ZR "Zr" 1.75 2.52;
    41 NB "Nb" 1.64 2.56; 42 MO "Mo" 1.54 2.45; 43 TC "Tc" 1.47 2.44; 44 RU "Ru" 1.46 2.46; 45 RH "Rh" 1.42 2.44;
    46 PD "Pd" 1.39 1.63; 47 AG "Ag" 1.45 1.72; 48 CD "Cd" 1.44 1.58; 49 IN "In" 1.42 1.93; 50 SN "Sn" 1.39 2.17;
    51 SB "Sb" 1.39 2.47; 52 TE "Te" 1.38 2.06; 53 I "I" 1.39 1.98; 54 XE "Xe" 1.40 2.16; 55 CS "Cs" 2.44 3.48;
    56 BA "Ba" 2.15 3.03; 57 LA "La" 2.07 2.98; 58 CE "Ce" 2.04 2.88; 59 PR "Pr" 2.03 2.92; 60 ND "Nd" 2.01 2.95;
    61 PM "Pm" 1.99 2.90; 62 SM "Sm" 1.98 2.90; 63 EU "Eu" 1.98 2.87; 64 GD "Gd" 1.96 2.83; 65 TB "Tb" 1.94 2.79;
    66 DY "Dy" 1.92 2.87; 67 HO "Ho" 1.92 2.81; 68 ER "Er" 1.89 2.83; 69 TM "Tm" 1.90 2.79; 70 YB "Yb" 1.87 2.80;
    71 LU "Lu" 1.87 2.74; 72 HF "Hf" 1.75 2.63; 73 TA "Ta" 1.70 2.53; 74 W "W" 1.62 2.57; 75 RE "Re" 1.51 2.49;
    76 OS "Os" 1.44 2.48; 77 IR "Ir" 1.41 2.41; 78 PT "Pt" 1.36 1.75; 79 AU "Au" 1.36 1.66; 80 HG "Hg" 1.32 1.55;
    81 TL "Tl" 1.45 1.96; 82 PB "Pb" 1.46 2.02; 83 BI "Bi" 1.48 2.07; 84 PO "Po" 1.40 1.97; 85 AT "At" 1.50 2.02;
    86 RN "Rn" 1.50 2.20; 87 FR "Fr" 2.60 3.48; 88 RA "Ra" 2.21 2.83; 89 AC "Ac" 2.15 2.80; 90 TH "Th" 2.06 2.93;
    91 PA "Pa" 2.00 2.88; 92 U "U" 1.96 2.71; 93 NP "Np" 1.90 2.82; 94 PU "Pu" 1.87 2.81; 95 AM "Am" 1.80 2.83;
    96 CM "Cm" 1.69 3.05; 97 BK "Bk" 1.69 3.40; 98 CF "Cf" 1.69 3.05; 99 ES "Es" 1.69 2.70; 100 FM "Fm" 1.69 2.70;
    101 MD "Md" 1.69 2.70; 102 NO "No" 1.69 2.70; 103 LR "Lr" 1.69 2.70; 104 RF "Rf" 1.69 2.70; 105 DB "Db" 1.69 2.70;
    106 SG "Sg" 1.69 2.70; 107 BH "Bh" 1.69 2.70; 108 HS "Hs" 1.69 2.70; 109 MT "Mt" 1.69 2.70; 110 DS "Ds" 1.69 2.70;
    111 RG "Rg" 1.69 2.70; 112 CN "Cn" 1.69 2.70; 113 NH "Nh" 1.69 2.70; 114 FL "Fl" 1.69 2.70; 115 MC "Mc" 1.69 2.70;
    116 LV "Lv" 1.69 2.70; 117 TS "Ts" 1.69 2.70; 118 OG "Og" 1.69 2.70;
}

impl Element {
    /// No element known.
    pub const UNKNOWN: Self = Self(0);

    /// The element of an atomic number; anything above 118 is unknown.
    #[must_use]
    pub const fn from_atomic_number(number: u8) -> Self {
        if number <= 118 { Self(number) } else { Self(0) }
    }

    /// The element of a symbol, in any letter case, spaces around it ignored. `D` and `T` are hydrogen.
    #[must_use]
    pub fn from_symbol(symbol: &str) -> Option<Self> {
        let symbol = symbol.trim();
        if symbol.eq_ignore_ascii_case("D") || symbol.eq_ignore_ascii_case("T") {
            return Some(Self::H);
        }
        TABLE.iter().position(|(known, ..)| known.eq_ignore_ascii_case(symbol)).map(|index| Self(index as u8))
    }

    /// Atomic number, 0 for unknown.
    #[must_use]
    pub const fn atomic_number(self) -> u8 {
        self.0
    }

    /// Symbol as printed, `X` for unknown.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        TABLE[self.0 as usize].0
    }

    /// Covalent radius in Å.
    #[must_use]
    pub fn covalent_radius(self) -> f32 {
        TABLE[self.0 as usize].1
    }

    /// Van der Waals radius in Å.
    #[must_use]
    pub fn vdw_radius(self) -> f32 {
        TABLE[self.0 as usize].2
    }

    /// Whether this is a metal (alkali, alkaline earth, transition, post-transition, lanthanide or actinide).
    #[must_use]
    pub const fn is_metal(self) -> bool {
        matches!(self.0, 3 | 4 | 11..=13 | 19..=31 | 37..=50 | 55..=84 | 87..=116)
    }

    /// Whether this is F, Cl, Br or I.
    #[must_use]
    pub const fn is_halogen(self) -> bool {
        matches!(self.0, 9 | 17 | 35 | 53)
    }
}

#[cfg(test)]
mod tests {
    use super::Element;

    #[test]
    fn symbols_and_numbers_agree() {
        for number in 1..=118 {
            let element = Element::from_atomic_number(number);
            assert_eq!(Element::from_symbol(element.symbol()), Some(element), "element {number}");
        }
        assert_eq!(Element::from_symbol(" cL "), Some(Element::CL));
        assert_eq!(Element::from_symbol("D"), Some(Element::H));
        assert_eq!(Element::from_symbol("Qq"), None);
    }
}
