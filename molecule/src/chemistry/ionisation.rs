//! Charges of a molecule in water at pH 7.4.
//!
//! A list of groups whose pKa is far enough from 7.4 to be sure, each a pattern (SMARTS) with the charge it then has. The
//! pKa classes are textbook facts (Perrin, Dempsey & Serjeant, *pKa Prediction for Organic Acids and Bases*, 1981), the same
//! that Dimorphite-DL (Ropp et al., J. Cheminf. 2019, 11, 14) tabulates. No number is computed: a group within about one
//! unit of 7.4 (imidazole, thiophenol, N-aryl sulfonamides, phenols without two nitro groups) stays as a chemist draws it.
//!
//! Three things need more than a pattern. Neighbours weaken each other: of amines two carbons apart (piperazine, ethylene
//! diamine) one is charged, the more basic one; of a biguanide one half. Oxygens share a centre: a carboxyl group loses one
//! proton, a phosphate ester two, a phosphonate one. And a drawing may carry charges that water would not leave there
//! (phenolate, anilinium, pyridinium): they are taken back. Tautomers are not changed.
//!
//! Stereo, names and conformers are kept; in a molecule with all its hydrogens, hydrogens are taken and given in 3D too.

use std::collections::VecDeque;
use std::sync::OnceLock;

use cosmolkit as kit;
use serde::{Deserialize, Serialize};

use super::ChemistryError;
use super::hydrogens::{add_hydrogens_to, without_atoms};
use super::perception::{Perception, perceive};
use super::toolkit::{explain, into_toolkit};
use crate::{Element, SmallMolecule, Stereo};

/// A molecule as it is in water at pH 7.4.
#[derive(Clone, Debug, PartialEq)]
pub struct Ionised {
    /// The molecule: the input's atoms in their order less the hydrogens that left, then the hydrogens that came.
    pub molecule: SmallMolecule,
    /// For each atom of the input its index in `molecule`, `None` for a hydrogen that left.
    pub atom_map: Vec<Option<u32>>,
    /// What changed, by atom. Empty when the input was right already.
    pub changes: Vec<ChargeChange>,
}

/// One atom that gained or lost a proton.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeChange {
    /// The atom in the new molecule.
    pub atom: u32,
    /// Charge before.
    pub from: i8,
    /// Charge after.
    pub to: i8,
    /// The group it belongs to, e.g. `carboxylic acid`.
    pub group: String,
    /// Why: the usual pKa.
    pub reason: String,
}

struct Rule {
    group: &'static str,
    pka: &'static str,
    /// Matches one atom: the one that carries the charge, in either form.
    smarts: &'static str,
    charge: i8,
    limit: Limit,
}

/// How many of the matched atoms are charged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limit {
    /// Each.
    None,
    /// One on each centre (the atom it is bound to).
    OneOfCentre,
    /// Two on each centre.
    TwoOfCentre,
    /// None within this many bonds of another.
    Apart(usize),
}

const fn acid(group: &'static str, pka: &'static str, limit: Limit, smarts: &'static str) -> Rule {
    Rule { group, pka, smarts, charge: -1, limit }
}

const fn base(group: &'static str, pka: &'static str, limit: Limit, smarts: &'static str) -> Rule {
    Rule { group, pka, smarts, charge: 1, limit }
}

/// In order: an atom belongs to the first rule that matches it.
const RULES: &[Rule] = &[
    acid("carboxylic acid", "2 to 5", Limit::OneOfCentre, "[OX2H1,OX1H0-;$(O[CX3]=[OX1])]"),
    acid(
        "thiocarboxylic acid",
        "2 to 4",
        Limit::OneOfCentre,
        "[OX2H1,OX1-,SX2H1,SX1-;$(S[CX3]=[OX1,SX1]),$(O[CX3]=[SX1])]",
    ),
    acid("sulfonic or sulfuric acid", "below 2", Limit::None, "[OX2H1,OX1-;$(O[SX4](=[OX1])=[OX1])]"),
    acid("sulfinic acid", "2", Limit::OneOfCentre, "[OX2H1,OX1-;$(O[SX3]=[OX1])]"),
    acid(
        "phosphonic or phosphinic acid",
        "1 to 3 (the second proton above 7)",
        Limit::OneOfCentre,
        "[OX2H1,OX1-,SX2H1,SX1-;$(*[PX4;$(P[#6,#7]),H1,H2]=[OX1,SX1])]",
    ),
    acid(
        "phosphoric acid or ester",
        "1 to 2 and 6 to 7",
        Limit::TwoOfCentre,
        "[OX2H1,OX1-,SX2H1,SX1-;$(*[PX4]=[OX1,SX1])]",
    ),
    acid("arsonic acid", "3 to 4", Limit::OneOfCentre, "[OX2H1,OX1-;$(O[As]=[OX1])]"),
    acid("halogen oxoacid", "below 1", Limit::OneOfCentre, "[OX2H1,OX1-;$(O[Cl,Br,I](=O)=O)]"),
    acid(
        "nitric or nitrous acid",
        "below 4",
        Limit::OneOfCentre,
        "[OX2H1,OX1-;$(O[NX3+](=[OX1])[OX1-]),$(O[NX2]=[OX1])]",
    ),
    acid("hydrogen halide", "below 4", Limit::None, "[F,Cl,Br,I;$([X1H1]),$([X0-])]"),
    acid("tetrazole", "4 to 5", Limit::None, "[nX3H1,nX2-;$(n1nnnc1),$(n1nncn1)]"),
    acid("acyl sulfonamide", "3 to 6", Limit::None, "[NX3H1,NX2-;$(N([CX3]=[OX1])[SX4](=[OX1])=[OX1])]"),
    acid("disulfonimide", "1 to 2", Limit::None, "[NX3H1,NX2-;$(N(S(=O)=O)S(=O)=O)]"),
    acid("trifluoromethanesulfonamide", "4 to 6", Limit::None, "[NX3;H1,H2;$(NS(=O)(=O)C(F)(F)F)]"),
    acid("thiazolidinedione", "6", Limit::None, "[NX3H1,NX2-;$(N1[#6](=[OX1,SX1])[SX2][#6][#6]1=[OX1])]"),
    acid("oxadiazolone", "6", Limit::None, "[nX3H1,nX2-;$(n1c(=O)onc1)]"),
    acid("hydroxyisoxazole", "5 to 6", Limit::None, "[OX2H1,OX1-;$(Oc1nocc1)]"),
    acid("squaric acid", "1 to 3", Limit::None, "[OX2H1,OX1-;$(OC1=[#6]C(=O)C1=O)]"),
    acid(
        "vinylogous acid",
        "4 to 6",
        Limit::None,
        "[OX2H1,OX1-;$(O[#6]1=,:[#6][#6](=[OX1])[#8]~[#6]~[#6]1),$(O[#6]1=[#6][#6](=[OX1])[#8][#6]1),\
         $(OC1=[#6]C(=[OX1])[#6]~[#6]~[#6]1)]",
    ),
    acid(
        "dinitrophenol",
        "4",
        Limit::None,
        "[OX2H1,OX1-;$(Oc1c([NX3](~O)~O)cc([NX3](~O)~O)cc1),$(Oc1c([NX3](~O)~O)cccc1[NX3](~O)~O)]",
    ),
    // A guanidine's nitrogens may carry hydrogen, alkyl or one aryl group, nothing that takes their electrons.
    base(
        "guanidine",
        "above 10 (aryl: 8 to 10)",
        Limit::Apart(4),
        "[NX2,NX3+;!$(N[#7,#8,#16,#15]);!$(N[CX3]=[OX1,SX1]);!$(NC#N);!$(Nc:n);!$(Nc:s);\
         $(N=[CX3](-[NX3;!$(N[#7,#8,#16,#15]);!$(N[CX3]=[OX1,SX1]);!$(NC#N);!$(Nc:n);!$(Nc:s)])\
         -[NX3;!$(N[#7,#8,#16,#15]);!$(N[CX3]=[OX1,SX1]);!$(NC#N);!$(Nc:n);!$(Nc:s)])]",
    ),
    base(
        "amidine",
        "above 10",
        Limit::Apart(4),
        "[NX2,NX3+;!$(N[#7,#8,#16,#15]);!$(Na);!$(N[CX3]=[OX1,SX1]);!$(NC#N);\
         $(N=[CX3;$([H1]),$(C[#6]),$(C[SX2])]-[NX3;!$(N[#7,#8,#16,#15]);!$(Na);!$(N[CX3]=[OX1,SX1]);!$(NC#N)])]",
    ),
    base(
        "4-aminopyridine",
        "8 to 10",
        Limit::None,
        "[nX2,nX3+;$(n1ccc([NX3;!$(N[!#6;!#1]);!$(N-[#6;!$([CX4]);!$(c)]);!$(N(c)c)])cc1)]",
    ),
    // Saturated carbons only, none of which carries another hetero atom, a nitrile, or two fluorines next door.
    base(
        "aliphatic amine",
        "8 to 11",
        Limit::Apart(3),
        "[$([NX3H3]),NX3,$([NX4+;H1,H2,H3,H4]);!$(N~[!#6;!#1]);!$(N-[#6;!$([CX4])]);\
         !$(N-[CX4]~[#7,#8,#16,F,Cl,Br,I]);!$(N-[CX4]C#N);!$(N-[CX4]-[CX4](F)F)]",
    ),
];

const DRAWN: &str = "drawn charge";

fn patterns() -> Result<&'static [kit::QueryGraph], String> {
    static PATTERNS: OnceLock<Result<Vec<kit::QueryGraph>, String>> = OnceLock::new();
    PATTERNS
        .get_or_init(|| {
            RULES
                .iter()
                .map(|rule| kit::parse_smarts(rule.smarts).map_err(|error| format!("{}: {error}", rule.group)))
                .collect()
        })
        .as_deref()
        .map_err(Clone::clone)
}

/// The molecule with the charges it has in water at pH 7.4.
///
/// # Errors
/// When the molecule breaks the rules of valence.
pub fn ionise(molecule: &SmallMolecule) -> Result<Ionised, ChemistryError> {
    let perception = perceive(molecule)?;
    let invalid = |reason: String| ChemistryError::Invalid { name: molecule.name.clone(), reason };
    let sites = sites(&perception).map_err(&invalid)?;
    let given = &perception.molecule;
    let neighbours = given.neighbours();
    let has_all_hydrogens = perception.implied_hydrogens.iter().all(|&count| count == 0)
        && given.atoms.iter().any(|atom| atom.element == Element::H);

    let mut changed = given.clone();
    let mut keep = vec![true; given.atoms.len()];
    let mut protonated = Vec::new();
    for site in &sites {
        let atom = site.atom as usize;
        let held = &mut changed.atoms[atom];
        held.formal_charge = site.to;
        let hydrogen = neighbours[atom]
            .iter()
            .map(|(next, _)| *next as usize)
            .rfind(|&next| given.atoms[next].element == Element::H && given.atoms[next].formal_charge == 0);
        if site.to > site.from {
            if has_all_hydrogens {
                protonated.push(site.atom);
            }
            held.fixed_hydrogens = held.fixed_hydrogens.map(|count| count.saturating_add(1));
        } else if let Some(hydrogen) = hydrogen {
            keep[hydrogen] = false;
        } else {
            held.fixed_hydrogens = held.fixed_hydrogens.map(|count| count.saturating_sub(1));
        }
        // A nitrogen with two hydrogens has no configuration at its double bond.
        if perception.hydrogens[atom] > 0 || site.to > site.from {
            let heavy = neighbours[atom].iter().filter(|(next, _)| given.atoms[*next as usize].element != Element::H);
            if heavy.count() < 2 {
                changed
                    .stereo
                    .retain(|stereo| !matches!(stereo, Stereo::DoubleBond { atoms, .. } if atoms.contains(&site.atom)));
            }
        }
    }
    let (reduced, kept) = without_atoms(&changed, &keep);
    let mut atom_map = vec![None; given.atoms.len()];
    for (new, &old) in kept.iter().enumerate() {
        atom_map[old as usize] = Some(new as u32);
    }
    let protonated: Vec<u32> = protonated.iter().filter_map(|&atom| atom_map[atom as usize]).collect();
    let molecule =
        if protonated.is_empty() { perceive(&reduced)?.molecule } else { add_hydrogens_to(&reduced, &protonated)? };
    let changes = sites
        .into_iter()
        .filter_map(|site| {
            Some(ChargeChange {
                atom: atom_map[site.atom as usize]?,
                from: site.from,
                to: site.to,
                group: site.group.to_owned(),
                reason: site.reason,
            })
        })
        .collect();
    Ok(Ionised { molecule, atom_map, changes })
}

/// An atom whose charge changes.
struct Site {
    atom: u32,
    from: i8,
    to: i8,
    group: &'static str,
    reason: String,
}

fn sites(perception: &Perception) -> Result<Vec<Site>, String> {
    let molecule = &perception.molecule;
    let claims = claims(molecule)?;
    let neighbours = molecule.neighbours();
    let mut found = Vec::new();
    for (atom, held) in molecule.atoms.iter().enumerate() {
        let from = held.formal_charge;
        let (to, group, reason) = match claims[atom] {
            Some((rule, true)) => (rule.charge, rule.group, format!("pKa {}", rule.pka)),
            Some((rule, false)) => (0, rule.group, "its neighbour carries the charge".to_owned()),
            None => {
                let is_bound = !neighbours[atom].is_empty();
                let around = || neighbours[atom].iter().map(|(next, _)| &molecule.atoms[*next as usize]);
                let is_paired = around().any(|next| {
                    next.formal_charge.signum() * from.signum() < 0
                        || next.element.is_metal()
                        || (from < 0 && next.element == Element::S && held.element == Element::N)
                });
                let has_proton_to_change = match held.element {
                    Element::N | Element::O | Element::S => from < 0 || perception.hydrogens[atom] > 0,
                    _ => false,
                };
                // Alone in the water: hydroxide and hydronium; anything else alone is what it is.
                let is_water = held.element == Element::O && perception.hydrogens[atom] > 0;
                if from.abs() != 1 || is_paired || !has_proton_to_change || !(is_bound || is_water) {
                    continue;
                }
                let reason = if from < 0 { "its acid's pKa is above 7.4" } else { "its pKa is below 7.4" };
                (0, DRAWN, reason.to_owned())
            }
        };
        if to != from {
            found.push(Site { atom: atom as u32, from, to, group, reason });
        }
    }
    Ok(found)
}

type Claim = Option<(&'static Rule, bool)>;

/// For each atom the rule that it belongs to, and whether it is one of those that are charged.
fn claims(molecule: &SmallMolecule) -> Result<Vec<Claim>, String> {
    let mut graph = molecule.clone();
    graph.conformers.clear();
    let sanitised = into_toolkit(&graph).map_err(|error| error.to_string())?;
    let neighbours = molecule.neighbours();
    let heavy_around = |atom: u32| {
        neighbours[atom as usize]
            .iter()
            .map(|(next, _)| *next)
            .filter(|&next| molecule.atoms[next as usize].element != Element::H)
            .collect::<Vec<u32>>()
    };
    let mut claims: Vec<Claim> = vec![None; molecule.atoms.len()];
    for (rule, pattern) in RULES.iter().zip(patterns()?) {
        let matches = sanitised.substruct_matches(pattern).map_err(|error| explain(&error).reason)?;
        let mut atoms: Vec<u32> = matches
            .iter()
            .filter_map(|found| found.atom_mapping.first().map(|&atom| atom as u32))
            .filter(|&atom| claims[atom as usize].is_none() && molecule.atoms[atom as usize].formal_charge.abs() <= 1)
            .collect();
        // Of rivals those come first that have fewer of them, then those drawn charged, so that a right drawing stays,
        // then those with less around them that pulls electrons away.
        let pull = |atom: u32| {
            let beyond = heavy_around(atom).into_iter().flat_map(heavy_around).filter(|&far| far != atom);
            beyond
                .filter(|&far| {
                    molecule.atoms[far as usize].element != Element::C
                        || sanitised.topology().atoms[far as usize].hybridization() != kit::Hybridization::Sp3
                })
                .count()
        };
        let rivals = |atom: u32| atoms.iter().filter(|&&other| bonds_apart(&neighbours, atom, other, 3)).count();
        let keys: Vec<_> = atoms
            .iter()
            .map(|&atom| {
                let is_drawn = molecule.atoms[atom as usize].formal_charge == rule.charge;
                (rivals(atom), !is_drawn, pull(atom), heavy_around(atom).len() > 2, atom)
            })
            .collect();
        let mut order: Vec<usize> = (0..atoms.len()).collect();
        order.sort_by_key(|&place| keys[place]);
        atoms = order.into_iter().map(|place| atoms[place]).collect();
        let mut charged: Vec<u32> = Vec::new();
        for &atom in &atoms {
            let centre = heavy_around(atom).first().copied();
            let on_centre = charged.iter().filter(|&&other| heavy_around(other).first().copied() == centre).count();
            let is_charged = match rule.limit {
                Limit::None => true,
                Limit::OneOfCentre => on_centre < 1,
                Limit::TwoOfCentre => on_centre < 2,
                Limit::Apart(bonds) => !charged.iter().any(|&other| bonds_apart(&neighbours, atom, other, bonds)),
            };
            if is_charged {
                charged.push(atom);
            }
            claims[atom as usize] = Some((rule, is_charged));
        }
    }
    Ok(claims)
}

/// Whether two different atoms are at most this many bonds apart.
fn bonds_apart(neighbours: &[Vec<(u32, u32)>], from: u32, to: u32, bonds: usize) -> bool {
    let mut queue = VecDeque::from([(from, 0)]);
    let mut seen = vec![from];
    while let Some((atom, steps)) = queue.pop_front() {
        if atom == to {
            return from != to;
        }
        if steps == bonds {
            continue;
        }
        for &(next, _) in &neighbours[atom as usize] {
            if !seen.contains(&next) {
                seen.push(next);
                queue.push_back((next, steps + 1));
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chemistry::{add_hydrogens, canonical_smiles, embed_smiles, smiles::parse};

    /// Name, as drawn, in water at pH 7.4.
    const KNOWN: &str = include_str!("../../tests/data/charges_ph_7_4.tsv");

    fn in_water(smiles: &str) -> String {
        canonical_smiles(&ionise(&parse(smiles).unwrap()).unwrap().molecule).unwrap()
    }

    #[test]
    fn molecules_known_by_name_have_their_charges() {
        let mut wrong = Vec::new();
        let mut count = 0;
        for line in KNOWN.lines().skip(1) {
            let [name, drawn, wanted] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
            let (found, wanted) = (in_water(drawn), canonical_smiles(&parse(wanted).unwrap()).unwrap());
            if found != wanted {
                wrong.push(format!("{name}: {found} instead of {wanted}"));
            }
            // Water leaves alone what it made.
            let again = ionise(&parse(&found).unwrap()).unwrap();
            if !again.changes.is_empty() {
                wrong.push(format!("{name}: changes again: {:?}", again.changes));
            }
            count += 1;
        }
        assert!(count >= 60);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn what_changed_is_told() {
        let found = ionise(&parse("NCCc1ccc(O)cc1C(=O)O").unwrap()).unwrap();
        let told: Vec<(u32, i8, i8, &str)> =
            found.changes.iter().map(|change| (change.atom, change.from, change.to, change.group.as_str())).collect();
        assert_eq!(told, [(0, 0, 1, "aliphatic amine"), (12, 0, -1, "carboxylic acid")]);
        assert!(found.changes[1].reason.contains("pKa"));
        assert!(ionise(&parse("c1ccccc1").unwrap()).unwrap().changes.is_empty());
    }

    #[test]
    fn hydrogens_come_and_go_in_three_dimensions_and_stereo_stays() {
        let full = embed_smiles("C[C@H](N)C(=O)O", 1, 2, &|| false).unwrap().molecule;
        let found = ionise(&full).unwrap();
        assert_eq!(found.molecule.atoms.len(), full.atoms.len());
        assert_eq!(found.molecule.conformers.len(), 2);
        assert_eq!(found.atom_map.iter().filter(|place| place.is_none()).count(), 1, "the acid's hydrogen left");
        assert_eq!(canonical_smiles(&found.molecule).unwrap(), "C[C@H]([NH3+])C(=O)[O-]");
        for (positions, before) in found.molecule.conformers.iter().zip(&full.conformers) {
            for (old, new) in found.atom_map.iter().enumerate() {
                if let Some(new) = new {
                    assert_eq!(positions[*new as usize], before[old]);
                }
            }
            for bond in &found.molecule.bonds {
                let length = positions[bond.a as usize].distance(positions[bond.b as usize]);
                assert!((0.9..1.7).contains(&length), "{length}");
            }
            assert!(found.molecule.stereo.iter().all(|stereo| stereo.is_satisfied_by(positions) == Some(true)));
        }
        let again = ionise(&found.molecule).unwrap();
        assert_eq!(again.molecule, found.molecule);
    }

    #[test]
    fn heavy_atoms_alone_stay_so() {
        let mut bare = parse("NCC(=O)O").unwrap();
        bare.conformers.push((0..5).map(|i| glam::Vec3::new(i as f32 * 1.3, (i % 2) as f32, 0.0)).collect());
        let found = ionise(&bare).unwrap().molecule;
        assert_eq!(found.atoms.len(), 5);
        assert_eq!(found.conformers, bare.conformers);
        let full = ionise(&add_hydrogens(&bare).unwrap()).unwrap().molecule;
        assert_eq!(canonical_smiles(&full).unwrap(), canonical_smiles(&found).unwrap());
    }
}
