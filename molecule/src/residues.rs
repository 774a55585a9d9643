//! What is known of residues by name: atoms and bonds, and which kind a name stands for.
//!
//! The standard residues stand here, because every reader asks for them and because programs give them names of their own;
//! all others come from the component dictionary ([`crate::components`]). The bonds are written as in a valence drawing of the neutral residue (carboxylates with one double bond, the
//! guanidinium of arginine with its charge on NH2), rings of amino acids and the imidazole and adenine rings of bases
//! as aromatic. Facts from the wwPDB Chemical Component Dictionary (CC0); names of other programs (CHARMM, AMBER) for
//! the same residues are listed beside them.

use std::collections::HashMap;
use std::sync::LazyLock;

use smol_str::SmolStr;

use crate::components::{self, Component, Polymer};
use crate::element::Element;
use crate::structure::{BondOrder, ResidueKind, Topology};

/// Heavy atoms and bonds of a residue.
#[derive(Debug)]
pub struct Template {
    /// What it is.
    pub kind: ResidueKind,
    /// Names of its heavy atoms.
    pub atoms: Vec<SmolStr>,
    /// The names they had before 2007; empty where equal or not known.
    pub other_names: Vec<SmolStr>,
    /// Their elements.
    pub elements: Vec<Element>,
    /// Bonds by positions in `atoms`.
    pub bonds: Vec<(u16, u16, BondOrder)>,
}

impl Template {
    /// Position of an atom name in the template; `O5*` and `O1P` are understood as `O5'` and `OP1`.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        if let Some(found) = self.atoms.iter().position(|known| known == name) {
            return Some(found);
        }
        if let Some(found) = self.other_names.iter().position(|known| known == name) {
            return Some(found);
        }
        if self.kind == ResidueKind::Protein {
            return None;
        }
        match name {
            "O1P" => self.atoms.iter().position(|known| known == "OP1"),
            "O2P" => self.atoms.iter().position(|known| known == "OP2"),
            "O3P" => self.atoms.iter().position(|known| known == "OP3"),
            _ => {
                let stem = name.strip_suffix('*')?;
                self.atoms.iter().position(|known| known.strip_suffix('\'') == Some(stem))
            }
        }
    }

    /// The template of a component; aromatic bonds as the dictionary calls them.
    #[must_use]
    pub fn of_component(component: &Component) -> Self {
        let kind = match component.polymer() {
            Polymer::Peptide => ResidueKind::Protein,
            Polymer::Dna => ResidueKind::Dna,
            Polymer::Rna => ResidueKind::Rna,
            Polymer::Saccharide => ResidueKind::Carbohydrate,
            Polymer::None => ResidueKind::Ligand,
        };
        let mut template =
            Self { kind, atoms: Vec::new(), other_names: Vec::new(), elements: Vec::new(), bonds: Vec::new() };
        let mut place = vec![None; component.atoms.len()];
        for (index, atom) in component.atoms.iter().enumerate().filter(|(_, atom)| atom.element != Element::H) {
            place[index] = Some(template.atoms.len() as u16);
            template.atoms.push(atom.name.clone());
            template.other_names.push(atom.other_name.clone());
            template.elements.push(atom.element);
        }
        for bond in &component.bonds {
            if let (Some(a), Some(b)) = (place[bond.a as usize], place[bond.b as usize]) {
                let order = if bond.is_aromatic { BondOrder::Aromatic } else { bond.order };
                template.bonds.push((a, b, order));
            }
        }
        template
    }
}

const BACKBONE: &str = "N-CA CA-C C=O C-OXT C-OT2 C=OT1 ";
const SUGAR: &str = "P=OP1 P-OP2 P-OP3 P-O5' O5'-C5' C5'-C4' C4'-O4' C4'-C3' C3'-O3' C3'-C2' C2'-C1' C1'-O4' ";
const HISTIDINE: &str = "CA-CB CB-CG CG:ND1 ND1:CE1 CE1:NE2 NE2:CD2 CD2:CG";
const CYSTEINE: &str = "CA-CB CB-SG";
const ASPARTATE: &str = "CA-CB CB-CG CG=OD1 CG-OD2";
const GLUTAMATE: &str = "CA-CB CB-CG CG-CD CD=OE1 CD-OE2";
const LYSINE: &str = "CA-CB CB-CG CG-CD CD-CE CE-NZ";
const CYTOSINE: &str = "C1'-N1 N1-C2 C2=O2 C2-N3 N3=C4 C4-N4 C4-C5 C5=C6 C6-N1";
const ADENINE: &str = "C1'-N9 N9:C8 C8:N7 N7:C5 C5:C4 C4:N9 C5:C6 C6:N1 N1:C2 C2:N3 N3:C4 C6-N6";
const GUANINE: &str = "C1'-N9 N9:C8 C8:N7 N7:C5 C5:C4 C4:N9 C5-C6 C6=O6 C6-N1 N1-C2 C2-N2 C2=N3 N3-C4";
const HYPOXANTHINE: &str = "C1'-N9 N9:C8 C8:N7 N7:C5 C5:C4 C4:N9 C5-C6 C6=O6 C6-N1 N1-C2 C2=N3 N3-C4";
const URACIL: &str = "C1'-N1 N1-C2 C2=O2 C2-N3 N3-C4 C4=O4 C4-C5 C5=C6 C6-N1";
const THYMINE: &str = "C1'-N1 N1-C2 C2=O2 C2-N3 N3-C4 C4=O4 C4-C5 C5-C7 C5-C5M C5=C6 C6-N1";

/// Side chains: names and bonds. `-` single, `=` double, `:` aromatic.
const AMINO_ACIDS: &[(&[&str], &str)] = &[
    (&["ALA"], "CA-CB"),
    (&["ARG", "ARN"], "CA-CB CB-CG CG-CD CD-NE NE-CZ CZ-NH1 CZ=NH2"),
    (&["ASN"], "CA-CB CB-CG CG=OD1 CG-ND2"),
    (&["ASP", "ASH"], ASPARTATE),
    (&["CYS", "CYX", "CYM"], CYSTEINE),
    (&["GLN"], "CA-CB CB-CG CG-CD CD=OE1 CD-NE2"),
    (&["GLU", "GLH"], GLUTAMATE),
    (&["GLY"], ""),
    (&["HIS", "HID", "HIE", "HIP", "HSD", "HSE", "HSP"], HISTIDINE),
    (&["ILE"], "CA-CB CB-CG1 CB-CG2 CG1-CD1 CG1-CD"),
    (&["LEU"], "CA-CB CB-CG CG-CD1 CG-CD2"),
    (&["LYS", "LYN"], LYSINE),
    (&["MET"], "CA-CB CB-CG CG-SD SD-CE"),
    (&["MSE"], "CA-CB CB-CG CG-SE SE-CE"),
    (&["PHE"], "CA-CB CB-CG CG:CD1 CG:CD2 CD1:CE1 CD2:CE2 CE1:CZ CE2:CZ"),
    (&["PRO"], "CA-CB CB-CG CG-CD CD-N"),
    (&["PYL"], "CA-CB CB-CG CG-CD CD-CE CE-NZ NZ-C2 C2=O2 C2-CA2 CA2-CB2 CA2-N2 CB2-CG2 CB2-CD2 CD2-CE2 CE2=N2"),
    (&["SEC"], "CA-CB CB-SE"),
    (&["SER"], "CA-CB CB-OG"),
    (&["THR"], "CA-CB CB-OG1 CB-CG2"),
    (&["TRP"], "CA-CB CB-CG CG:CD1 CD1:NE1 NE1:CE2 CE2:CD2 CD2:CG CE2:CZ2 CZ2:CH2 CH2:CZ3 CZ3:CE3 CE3:CD2"),
    (&["TYR"], "CA-CB CB-CG CG:CD1 CG:CD2 CD1:CE1 CD2:CE2 CE1:CZ CE2:CZ CZ-OH"),
    (&["VAL"], "CA-CB CB-CG1 CB-CG2"),
];

const DEOXYRIBONUCLEOTIDES: &[(&[&str], &str)] = &[
    (&["DA", "DA5", "DA3"], ADENINE),
    (&["DC", "DC5", "DC3"], CYTOSINE),
    (&["DG", "DG5", "DG3"], GUANINE),
    (&["DI"], HYPOXANTHINE),
    (&["DT", "DT5", "DT3", "T", "THY"], THYMINE),
    (&["DU"], URACIL),
];

/// Some of these names also stood for DNA before 2007 and still do in CHARMM; the O2' tells.
const RIBONUCLEOTIDES: &[(&[&str], &str)] = &[
    (&["A", "RA", "RA5", "RA3", "ADE"], ADENINE),
    (&["C", "RC", "RC5", "RC3", "CYT"], CYTOSINE),
    (&["G", "RG", "RG5", "RG3", "GUA"], GUANINE),
    (&["I"], HYPOXANTHINE),
    (&["U", "RU", "RU5", "RU3", "URA"], URACIL),
];

const WATERS: &[&str] = &["HOH", "DOD", "WAT", "H2O", "SOL", "TIP", "TIP3", "TIP4", "TP3", "T3P", "T4P", "SPC", "OH2"];

static TEMPLATES: LazyLock<HashMap<&'static str, Template>> = LazyLock::new(|| {
    let mut templates = HashMap::new();
    let families = [
        (ResidueKind::Protein, AMINO_ACIDS, BACKBONE, ""),
        (ResidueKind::Dna, DEOXYRIBONUCLEOTIDES, SUGAR, ""),
        (ResidueKind::Rna, RIBONUCLEOTIDES, SUGAR, "C2'-O2' "),
    ];
    for (kind, residues, common, addition) in families {
        for (names, bonds) in residues {
            for name in *names {
                templates.insert(*name, template(kind, [common, addition, bonds]));
            }
        }
    }
    templates
});

fn template(kind: ResidueKind, parts: [&'static str; 3]) -> Template {
    let mut template =
        Template { kind, atoms: Vec::new(), other_names: Vec::new(), elements: Vec::new(), bonds: Vec::new() };
    let mut position = |name: &'static str| {
        template.atoms.iter().position(|known| known == name).unwrap_or_else(|| {
            template.atoms.push(SmolStr::new_static(name));
            let symbol = if name.starts_with("SE") { "SE" } else { name.get(..1).unwrap_or_default() };
            template.elements.push(Element::from_symbol(symbol).unwrap_or(Element::UNKNOWN));
            template.atoms.len() - 1
        }) as u16
    };
    for bond in parts.iter().flat_map(|part| part.split_ascii_whitespace()) {
        let signs = [('-', BondOrder::Single), ('=', BondOrder::Double), (':', BondOrder::Aromatic)];
        let parted = signs.iter().find_map(|(sign, order)| bond.split_once(*sign).map(|(a, b)| (a, b, *order)));
        if let Some((a, b, order)) = parted {
            let ends = (position(a), position(b));
            template.bonds.push((ends.0, ends.1, order));
        }
    }
    template
}

/// The code of the component that a residue's name stands for: names of other programs (CHARMM, AMBER) and of before 2007
/// for standard residues are understood, everything else is taken as a code.
#[must_use]
pub fn component_code(name: &str, kind: ResidueKind) -> &str {
    let is_dna = kind == ResidueKind::Dna;
    let nucleotide = |rna: &'static str, dna: &'static str| if is_dna { dna } else { rna };
    match (kind, name) {
        (ResidueKind::Protein, "ARN") => "ARG",
        (ResidueKind::Protein, "ASH") => "ASP",
        (ResidueKind::Protein, "CYX" | "CYM") => "CYS",
        (ResidueKind::Protein, "GLH") => "GLU",
        (ResidueKind::Protein, "HID" | "HIE" | "HIP" | "HSD" | "HSE" | "HSP") => "HIS",
        (ResidueKind::Protein, "LYN") => "LYS",
        (ResidueKind::Dna | ResidueKind::Rna, "A" | "DA5" | "DA3" | "RA" | "RA5" | "RA3" | "ADE") => {
            nucleotide("A", "DA")
        }
        (ResidueKind::Dna | ResidueKind::Rna, "C" | "DC5" | "DC3" | "RC" | "RC5" | "RC3" | "CYT") => {
            nucleotide("C", "DC")
        }
        (ResidueKind::Dna | ResidueKind::Rna, "G" | "DG5" | "DG3" | "RG" | "RG5" | "RG3" | "GUA") => {
            nucleotide("G", "DG")
        }
        (ResidueKind::Dna | ResidueKind::Rna, "U" | "RU" | "RU5" | "RU3" | "URA") => nucleotide("U", "DU"),
        (ResidueKind::Dna | ResidueKind::Rna, "T" | "DT5" | "DT3" | "THY") => "DT",
        (ResidueKind::Water, _) => "HOH",
        _ => name,
    }
}

/// The template of a standard amino acid (with selenomethionine, selenocysteine, pyrrolysine) or nucleotide.
#[must_use]
pub fn template_of(name: &str) -> Option<&'static Template> {
    TEMPLATES.get(name)
}

/// The element of an atom by its residue's template where the file does not say it, or says a metal because some
/// program took the first two letters of the name for it (`CA` of lysine as calcium); else what the file says.
#[must_use]
pub fn element_in_template(residue: &str, atom: &str, stated: Element) -> Element {
    if stated != Element::UNKNOWN && !stated.is_metal() {
        return stated;
    }
    let known = template_of(residue).and_then(|template| Some(template.elements[template.position(atom)?]));
    known.unwrap_or(stated)
}

/// Whether a residue name stands for water.
#[must_use]
pub fn is_water(name: &str) -> bool {
    WATERS.contains(&name)
}

/// Groups that close the ends of a chain: part of the polymer when bonded to it.
const CAPS: &[&str] = &["ACE", "FOR", "NH2", "NME", "NMA"];

/// Whether the residue is the less occupied of two that share a place (microheterogeneity: same number, other name, both
/// with alternate locations). Work on a single conformation leaves these out.
#[must_use]
pub fn is_minor_form(topology: &Topology, index: usize) -> bool {
    let occupancy = |other: usize| {
        let residue = topology.residues.get(other)?;
        let atom = topology.atoms.get(residue.atoms.start as usize)?;
        atom.altloc.map(|_| atom.occupancy)
    };
    let (Some(residue), Some(own)) = (topology.residues.get(index), occupancy(index)) else { return false };
    let is_rival = |other: usize| {
        topology.residues.get(other).is_some_and(|candidate| {
            candidate.chain == residue.chain
                && candidate.number == residue.number
                && candidate.insertion_code == residue.insertion_code
                && candidate.name != residue.name
        })
    };
    let before = (1..26).map_while(|step| index.checked_sub(step).filter(|other| is_rival(*other)));
    let after = (1..26).map(|step| index + step).take_while(|other| is_rival(*other));
    // On a tie the first in the file stays.
    before.filter_map(occupancy).any(|rival| rival >= own) || after.filter_map(occupancy).any(|rival| rival > own)
}

/// The one-letter code of an amino acid or nucleotide, of a modified one that of its parent; `X` for the rest.
#[must_use]
pub fn one_letter_code(name: &str) -> char {
    match name {
        "ALA" => 'A',
        "ARG" | "ARN" => 'R',
        "ASN" => 'N',
        "ASP" | "ASH" => 'D',
        "CYS" | "CYX" | "CYM" => 'C',
        "GLN" => 'Q',
        "GLU" | "GLH" => 'E',
        "GLY" => 'G',
        "HIS" | "HID" | "HIE" | "HIP" | "HSD" | "HSE" | "HSP" => 'H',
        "ILE" => 'I',
        "LEU" => 'L',
        "LYS" | "LYN" => 'K',
        "MET" | "MSE" => 'M',
        "PHE" => 'F',
        "PRO" => 'P',
        "PYL" => 'O',
        "SEC" => 'U',
        "SER" => 'S',
        "THR" => 'T',
        "TRP" => 'W',
        "TYR" => 'Y',
        "VAL" => 'V',
        "A" | "DA" | "DA5" | "DA3" | "RA" | "RA5" | "RA3" | "ADE" => 'A',
        "C" | "DC" | "DC5" | "DC3" | "RC" | "RC5" | "RC3" | "CYT" => 'C',
        "G" | "DG" | "DG5" | "DG3" | "RG" | "RG5" | "RG3" | "GUA" => 'G',
        "T" | "DT" | "DT5" | "DT3" | "THY" => 'T',
        "U" | "DU" | "RU" | "RU5" | "RU3" | "URA" => 'U',
        _ if is_water(name) => 'X',
        _ => match components::lookup(name) {
            // Parents are standard residues, so this asks once more at most.
            Ok(Some(component)) if component.polymer() != Polymer::None => {
                let of_parent = || match &component.parents[..] {
                    [parent] if parent != name && template_of(parent).is_some() => one_letter_code(parent),
                    _ => 'X',
                };
                component.one_letter_code().unwrap_or_else(of_parent)
            }
            _ => 'X',
        },
    }
}

/// Sets the kind of every residue from its name, its atoms and the bonds already assigned.
///
/// A residue with an amino acid's backbone that the file marks as HETATM counts as protein only when a peptide bond
/// joins it to another: free glutamate in a pocket is a ligand. The same holds for nucleotides and phosphodiesters.
pub fn assign_kinds(topology: &mut Topology) {
    let mut linked = vec![false; topology.residues.len()];
    for bond in &topology.bonds {
        let (a, b) = (&topology.atoms[bond.a as usize], &topology.atoms[bond.b as usize]);
        if a.residue == b.residue {
            continue;
        }
        // Fused residues (chromophores) have other names at one end: the next residue's N or the previous one's C tells.
        let is_peptide = b.residue == a.residue + 1
            && (a.element, b.element) == (Element::C, Element::N)
            && (a.name == "C" || b.name == "N");
        let is_link = |first: &str, second: &str| match first {
            "C" => second == "N",
            "N" => second == "C",
            "P" => matches!(second, "O3'" | "O3*"),
            "O3'" | "O3*" => second == "P",
            _ => false,
        };
        if is_peptide || is_link(&a.name, &b.name) {
            linked[a.residue as usize] = true;
            linked[b.residue as usize] = true;
        }
    }
    let mut polymers: HashMap<SmolStr, Polymer> = HashMap::new();
    let mut polymer_of = |name: &SmolStr| {
        if polymers.len() >= crate::bonds::MOST_COMPONENTS && !polymers.contains_key(name) {
            return Polymer::None;
        }
        *polymers.entry(name.clone()).or_insert_with(|| match components::lookup(name) {
            Ok(Some(component)) => component.polymer(),
            _ => Polymer::None,
        })
    };
    let kinds: Vec<ResidueKind> =
        (0..topology.residues.len()).map(|index| kind_of(topology, index, linked[index], &mut polymer_of)).collect();
    for (residue, kind) in topology.residues.iter_mut().zip(kinds) {
        residue.kind = kind;
    }
}

fn kind_of(
    topology: &Topology,
    index: usize,
    is_linked: bool,
    polymer_of: &mut impl FnMut(&SmolStr) -> Polymer,
) -> ResidueKind {
    let residue = &topology.residues[index];
    let has = |name: &str| topology.atoms_of(residue).any(|atom| topology.atoms[atom].name == name);
    let has_either = |modern: &str, old: &str| has(modern) || has(old);
    if is_water(&residue.name) {
        return ResidueKind::Water;
    }
    let in_polymer = is_linked || !residue.is_hetero || residue.sequence_index.is_some();
    if let Some(template) = template_of(&residue.name)
        && (in_polymer || residue.name == "MSE")
    {
        // Names of RNA without the O2' are DNA by an older convention; the test needs the sugar to be there at all.
        let is_deoxy = template.kind == ResidueKind::Rna && has_either("C2'", "C2*") && !has_either("O2'", "O2*");
        return if is_deoxy { ResidueKind::Dna } else { template.kind };
    }
    let mut heavy =
        topology.atoms_of(residue).map(|atom| topology.atoms[atom].element).filter(|element| *element != Element::H);
    if let (Some(element), None) = (heavy.next(), heavy.next())
        && (element.is_metal() || element.is_halogen())
    {
        return ResidueKind::Ion;
    }
    let polymer = polymer_of(&residue.name);
    if polymer == Polymer::Saccharide {
        return ResidueKind::Carbohydrate;
    }
    if is_linked && CAPS.contains(&residue.name.as_str()) {
        return ResidueKind::Protein;
    }
    if in_polymer && has("CA") && (has("N") && has("C")) {
        return ResidueKind::Protein;
    }
    if in_polymer && has_either("C1'", "C1*") && has_either("C3'", "C3*") && has_either("O3'", "O3*") {
        return if has_either("O2'", "O2*") { ResidueKind::Rna } else { ResidueKind::Dna };
    }
    match polymer {
        Polymer::Peptide if is_linked || residue.sequence_index.is_some() => ResidueKind::Protein,
        Polymer::Dna if is_linked => ResidueKind::Dna,
        Polymer::Rna if is_linked => ResidueKind::Rna,
        _ => ResidueKind::Ligand,
    }
}

#[cfg(test)]
mod tests {
    use super::one_letter_code;

    #[test]
    fn modified_residues_have_the_letter_of_their_parent() {
        let pairs = [
            ("SEP", 'S'),
            ("TPO", 'T'),
            ("PTR", 'Y'),
            ("CSO", 'C'),
            ("HYP", 'P'),
            ("KCX", 'K'),
            ("DAL", 'A'),
            ("PSU", 'U'),
            ("5CM", 'C'),
            ("CRO", 'X'),
            ("NAG", 'X'),
            ("HOH", 'X'),
            ("???", 'X'),
        ];
        for (name, letter) in pairs {
            assert_eq!(one_letter_code(name), letter, "{name}");
        }
    }
}
