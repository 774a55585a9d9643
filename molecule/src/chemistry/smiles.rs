//! SMILES in and out.

use cosmolkit as kit;

use super::perception::read_perception;
use super::toolkit::{MAX_ATOMS, MAX_UNKNOWN_ATOMS, explain, into_toolkit};
use super::{ChemistryError, Perception};
use crate::{Element, SmallMolecule};

/// Longest SMILES that is read, in characters.
pub const MAX_LENGTH: usize = 10_000;

/// Reads a SMILES, with an optional name after white space. The result is the graph as written (hydrogens are atoms
/// only where the SMILES makes them so), in Kekulé form, with its stereo and without conformers.
///
/// # Errors
/// When the SMILES is empty, too long or wrong. Radicals and `*` are read: what cannot be built in 3D is refused by
/// [`super::embed`].
pub fn parse(text: &str) -> Result<SmallMolecule, ChemistryError> {
    Ok(perceive(text)?.molecule)
}

/// Reads a SMILES as [`parse`] does and returns all that the graph implies.
///
/// # Errors
/// As for [`parse`].
pub fn perceive(text: &str) -> Result<Perception, ChemistryError> {
    let text = text.trim();
    let (smiles, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if smiles.is_empty() {
        return Err(ChemistryError::EmptySmiles);
    }
    // What follows may be a name, or extensions in bars that we do not use.
    let rest = rest.trim();
    let name = if rest.starts_with('|') { "" } else { rest };
    let length = smiles.chars().count();
    if length > MAX_LENGTH {
        return Err(ChemistryError::SmilesTooLong { length, limit: MAX_LENGTH });
    }
    refuse_unreadable(smiles)?;
    // Counted before anything that takes longer than reading.
    let atoms = atom_positions(smiles).len();
    if atoms > MAX_ATOMS {
        return Err(ChemistryError::TooLarge { atoms, limit: MAX_ATOMS });
    }
    let params = kit::SmilesParseParams { allow_cxsmiles: false, parse_name: false, ..Default::default() };
    let molecule = kit::Molecule::from_smiles_with_params(smiles, &params).map_err(|error| refusal(smiles, &error))?;
    let wrong = |reason: String, atom: Option<usize>| ChemistryError::Smiles {
        smiles: shortened(smiles),
        reason,
        position: atom.and_then(|atom| atom_positions(smiles).get(atom).copied()),
    };
    if molecule.num_atoms() == 0 {
        return Err(ChemistryError::NoAtoms);
    }
    let mut perception = read_perception(&molecule, name).map_err(|reason| wrong(reason, None))?;
    // Hydrogens follow from the usual valences; where brackets say otherwise, it is noted on the atom.
    let usual = super::perceive(&perception.molecule)?;
    for (atom, wanted) in perception.implied_hydrogens.iter().enumerate() {
        if usual.implied_hydrogens[atom] != *wanted {
            perception.molecule.atoms[atom].fixed_hydrogens = Some(*wanted);
        }
    }
    Ok(perception)
}

/// The canonical SMILES: one text for one molecule, whatever the order of its atoms. Stereo and isotopes included,
/// explicit hydrogens left out.
///
/// # Errors
/// When the molecule breaks the rules of valence.
pub fn canonical_smiles(molecule: &SmallMolecule) -> Result<String, ChemistryError> {
    let invalid = |error: &(dyn std::error::Error + 'static)| ChemistryError::Invalid {
        name: molecule.name.clone(),
        reason: explain(error).reason,
    };
    let sanitised = into_toolkit(&super::perceive(molecule)?.molecule)?;
    let bare = sanitised.without_hydrogens().map_err(|error| invalid(&error))?;
    // The stereo is ours already: the writer would drop double bonds that are not marked by directions.
    let params = kit::SmilesWriteParams { clean_stereo: false, ..Default::default() };
    let text = bare.to_smiles_with_params(&params).map_err(|error| invalid(&error))?;
    let text = String::from_utf8_lossy(text.as_bytes()).into_owned();
    // Read once more, as the reader alone finds out which centres depend on each other (in rings), drops what is none,
    // and so settles the choice between two texts of one molecule.
    let params = kit::SmilesParseParams { allow_cxsmiles: false, parse_name: false, ..Default::default() };
    match kit::Molecule::from_smiles_with_params(&text, &params) {
        Ok(again) => Ok(again.to_smiles().map_or(text, |again| String::from_utf8_lossy(again.as_bytes()).into_owned())),
        // Rings with atoms without element may be aromatic in a way that no text says: their bonds one by one.
        Err(_) => {
            let params = kit::SmilesWriteParams { clean_stereo: false, kekule: true, ..Default::default() };
            let text = bare.to_smiles_with_params(&params).map_err(|error| invalid(&error))?;
            Ok(String::from_utf8_lossy(text.as_bytes()).into_owned())
        }
    }
}

/// Refuses early what would be read as something else or is clearly not a molecule.
fn refuse_unreadable(smiles: &str) -> Result<(), ChemistryError> {
    let wrong = |reason: &str, position: usize| ChemistryError::Smiles {
        smiles: shortened(smiles),
        reason: reason.to_owned(),
        position: Some(position),
    };
    if let Some(position) = conflicting_ring_bond(smiles) {
        return Err(wrong("the two ends of this ring bond give different orders", position));
    }
    let mut depth = 0_usize;
    let mut deepest = 0_usize;
    for (index, character) in smiles.chars().enumerate() {
        let position = index + 1;
        match character {
            '(' => depth += 1,
            ')' => {
                depth = depth.checked_sub(1).ok_or_else(|| wrong("this `)` closes nothing", position))?;
            }
            '>' if !smiles.contains("->") => return Err(wrong("this is a reaction; give one molecule", position)),
            '~' => return Err(wrong("`~` stands for any bond; give its order", position)),
            '$' => return Err(wrong("quadruple bonds are not handled", position)),
            _ if !character.is_ascii() => {
                return Err(wrong(&format!("`{character}` does not belong in a SMILES"), position));
            }
            _ => {}
        }
        deepest = deepest.max(depth);
        if deepest > MAX_ATOMS {
            return Err(wrong("too many branches inside each other", position));
        }
    }
    if depth > 0 {
        return Err(wrong("a `(` is not closed", smiles.len()));
    }
    // `[#0]` is the other spelling.
    let mut unknown: Vec<usize> =
        smiles.match_indices('*').chain(smiles.match_indices("[#0")).map(|(at, _)| at).collect();
    unknown.sort_unstable();
    if let Some(at) = unknown.get(MAX_UNKNOWN_ATOMS) {
        let reason = format!("more than {MAX_UNKNOWN_ATOMS} atoms without element");
        return Err(wrong(&reason, at + 1));
    }
    Ok(())
}

/// Puts the toolkit's refusal into words, with the place in the text.
fn refusal(smiles: &str, error: &kit::SmilesError) -> ChemistryError {
    let said = |reason: String, position: Option<usize>| ChemistryError::Smiles {
        smiles: shortened(smiles),
        reason,
        // What is missing at the end is told at the last character.
        position: position.map(|position| position.clamp(1, smiles.len())),
    };
    if let kit::SmilesError::Parse(parse) = error {
        match parse {
            kit::SmilesParseError::Unsupported { token, offset } => {
                return said(format!("`{token}` is not expected here"), Some(offset + 1));
            }
            kit::SmilesParseError::Syntax { offset, message } => {
                return said(syntax_reason(message), Some(offset + 1));
            }
            kit::SmilesParseError::Atom { offset, text } => {
                return said(atom_reason(smiles, *offset, text), Some(offset + 1));
            }
            kit::SmilesParseError::UnclosedRing { index } => {
                return said(
                    format!("ring bond {index} is opened but not closed"),
                    ring_digit_position(smiles, *index),
                );
            }
            _ => {}
        }
    }
    // Explicit hydrogens are taken away before the check that failed; without that, atoms count as they are written.
    let params =
        kit::SmilesParseParams { allow_cxsmiles: false, parse_name: false, remove_hs: false, ..Default::default() };
    let found = match kit::Molecule::from_smiles_with_params(smiles, &params) {
        Err(error) => explain(&error),
        Ok(_) => explain(error),
    };
    let position = found.atom.and_then(|atom| atom_positions(smiles).get(atom).copied());
    let letter = position.and_then(|position| smiles.get(position - 1..)).map(|rest| rest.trim_start_matches('['));
    // Aromatic bonds do not count as whole numbers.
    if found.reason.contains("bonds here")
        && letter.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
    {
        return said("this aromatic atom has more bonds than its charge allows".to_owned(), position);
    }
    said(found.reason, position)
}

/// The toolkit's words for a fault in the text, in ours.
fn syntax_reason(message: &str) -> String {
    const KNOWN: [(&str, &str); 7] = [
        ("final atom", "a bond leads nowhere: an atom is missing after it"),
        ("to itself", "this ring bond joins an atom to itself"),
        ("duplicates", "this ring bond joins two atoms that are bonded already"),
        ("expected atom", "an atom is expected here"),
        ("unclosed bracket", "this `[` is not closed"),
        ("requires two digits", "after `%` come two digits, as in %12"),
        ("must start with", "after `%` come two digits, as in %12"),
    ];
    KNOWN.iter().find(|(said, _)| message.contains(said)).map_or(message, |(_, ours)| ours).to_owned()
}

/// Why a piece of the text is no atom; `offset` counts from 0.
fn atom_reason(smiles: &str, offset: usize, text: &str) -> String {
    if text.is_empty() {
        return "an atom is missing here".to_owned();
    }
    if smiles.starts_with("InChI=") {
        return "this is an InChI; give a SMILES".to_owned();
    }
    // `Na` is read as N and a: such elements need brackets.
    let symbol = offset.checked_sub(1).and_then(|before| smiles.get(before..offset + 1)).unwrap_or_default();
    if symbol.starts_with(|first: char| first.is_ascii_uppercase()) && Element::from_symbol(symbol).is_some() {
        return format!(
            "`{text}` is not an atom; an element other than B, C, N, O, P, S and the halogens is written in \
                        brackets: [{symbol}]"
        );
    }
    format!("`{text}` is not an atom")
}

/// The last use of a ring number, as a character counted from 1.
fn ring_digit_position(smiles: &str, index: u32) -> Option<usize> {
    ring_digits(smiles).into_iter().filter(|digit| digit.number == index).map(|digit| digit.position).next_back()
}

/// Where a ring bond is closed with another bond symbol than it was opened with (both given, neither a direction).
fn conflicting_ring_bond(smiles: &str) -> Option<usize> {
    let mut open = std::collections::HashMap::new();
    for digit in ring_digits(smiles) {
        match open.remove(&digit.number) {
            None => {
                open.insert(digit.number, digit.symbol);
            }
            Some(first) => {
                let orders = [first, digit.symbol].map(|symbol| match symbol {
                    Some(b'/' | b'\\') => Some(b'-'),
                    other => other,
                });
                if let [Some(first), Some(second)] = orders
                    && first != second
                {
                    return Some(digit.position);
                }
            }
        }
    }
    None
}

struct RingDigit {
    number: u32,
    /// Character counted from 1.
    position: usize,
    /// The bond symbol right before it.
    symbol: Option<u8>,
}

fn ring_digits(smiles: &str) -> Vec<RingDigit> {
    let bytes = smiles.as_bytes();
    let mut found = Vec::new();
    let mut in_bracket = false;
    let mut at = 0;
    while at < bytes.len() {
        let symbol = at
            .checked_sub(1)
            .map(|before| bytes[before])
            .filter(|byte| matches!(byte, b'-' | b'=' | b'#' | b':' | b'/' | b'\\'));
        match bytes[at] {
            b'[' => in_bracket = true,
            b']' => in_bracket = false,
            b'%' if !in_bracket => {
                if let Some(number) = smiles.get(at + 1..at + 3).and_then(|digits| digits.parse().ok()) {
                    found.push(RingDigit { number, position: at + 1, symbol });
                }
                at += 2;
            }
            digit if digit.is_ascii_digit() && !in_bracket => {
                found.push(RingDigit { number: u32::from(digit - b'0'), position: at + 1, symbol });
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Where each atom starts, as characters counted from 1, in the order of the atoms.
fn atom_positions(smiles: &str) -> Vec<usize> {
    let bytes = smiles.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at + 1;
        match bytes[at] {
            b'[' => {
                found.push(start);
                while at < bytes.len() && bytes[at] != b']' {
                    at += 1;
                }
            }
            b'C' if bytes.get(at + 1) == Some(&b'l') => {
                found.push(start);
                at += 1;
            }
            b'B' if bytes.get(at + 1) == Some(&b'r') => {
                found.push(start);
                at += 1;
            }
            b'%' => at += 2,
            b'B' | b'C' | b'N' | b'O' | b'P' | b'S' | b'F' | b'I' | b'*' | b'b' | b'c' | b'n' | b'o' | b'p' | b's' => {
                found.push(start);
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn shortened(smiles: &str) -> String {
    if smiles.chars().count() <= 80 {
        return smiles.to_owned();
    }
    let start: String = smiles.chars().take(77).collect();
    format!("{start}...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_text_does_not_depend_on_how_it_was_written() {
        for (one, other) in [
            ("OCC", "CCO"),
            ("c1ccccc1", "C1=CC=CC=C1"),
            ("N[C@@H](C)C(=O)O", "OC(=O)[C@@H](N)C"),
            ("F/C=C/F", "F\\C=C\\F"),
            ("[nH]1cccc1", "c1cc[nH]c1"),
            ("CN(=O)=O", "C[N+](=O)[O-]"),
            ("[H]OC([H])([H])C", "CCO"),
        ] {
            let text = |smiles| canonical_smiles(&parse(smiles).unwrap()).unwrap();
            assert_eq!(text(one), text(other), "{one} {other}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        // Found by fuzzing: aromatic around an atom without element, which as aromatic text has no arrangement of bonds.
        let molecule = parse("C1=CC2=*C2=C1").unwrap();
        let text = canonical_smiles(&molecule).unwrap();
        let again = parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((again.atoms.len(), again.bonds.len()), (molecule.atoms.len(), molecule.bonds.len()), "{text}");
    }

    #[test]
    fn stereo_is_kept_and_told_apart() {
        let text = |smiles| canonical_smiles(&parse(smiles).unwrap()).unwrap();
        assert_ne!(text("N[C@@H](C)C(=O)O"), text("N[C@H](C)C(=O)O"));
        assert_ne!(text("F/C=C/F"), text("F/C=C\\F"));
        assert_eq!(text("C[C@H]1CC[C@@H](O)CC1"), text("C[C@@H]1CC[C@H](O)CC1"), "a mirror plane");
        assert_ne!(text("C[C@H]1CC[C@@H](O)CC1"), text("C[C@H]1CC[C@H](O)CC1"), "cis and trans");
    }

    #[test]
    fn open_stereo_is_reported_where_there_is_a_choice() {
        let open = |smiles| perceive(smiles).unwrap().open_stereo.len();
        assert_eq!(open("CC(N)C(=O)O"), 1);
        assert_eq!(open("FC=CF"), 1);
        assert_eq!(open("C[C@H](N)C(=O)O"), 0);
        assert_eq!(open("C1C2CC3CC1CC(N)(C2)C3"), 0, "a cage");
        assert_eq!(open("COP(=O)(O)OCC"), 0, "a phosphate");
        assert_eq!(open("CC=C=CC"), 0, "an allene");
        assert_eq!(open("CC(=N)N"), 0, "an amidine");
        assert_eq!(open("CS(=O)CC"), 1, "a sulfoxide");
    }

    #[test]
    fn names_follow_the_smiles() {
        assert_eq!(parse("  CCO ethanol, dry \n").unwrap().name, "ethanol, dry");
        assert_eq!(parse("CCO |$;;$|").unwrap().name, "");
    }

    #[test]
    fn refusals_say_what_and_where() {
        for (smiles, reason, position) in [
            ("C1CCCCC", "ring bond 1 is opened", Some(2)),
            ("CC)C", "closes nothing", Some(3)),
            ("CC(C", "not closed", Some(4)),
            ("CN(C)(C)(C)C", "N has 5 bonds", Some(2)),
            ("CCXx", "`Xx` is not an atom", Some(3)),
            ("CC[]", "missing", Some(3)),
            // Found by fuzzing: twice the time for each `*`.
            ("C1CCC=C\\CC:***********************1", "more than 12 atoms without element", Some(24)),
            ("c1ccnc1", "[nH]", Some(1)),
            ("C=1CCCCC#1", "different orders", Some(10)),
            ("CC>>CO", "reaction", Some(3)),
            ("C11", "to itself", Some(3)),
            ("C1C1", "bonded already", Some(4)),
            ("Cöl", "does not belong", Some(2)),
        ] {
            match parse(smiles) {
                Err(ChemistryError::Smiles { reason: found, position: at, .. }) => {
                    assert!(found.contains(reason), "{smiles}: {found}");
                    assert_eq!(at, position, "{smiles}: {found}");
                }
                other => panic!("{smiles}: {other:?}"),
            }
        }
        assert_eq!(parse("  "), Err(ChemistryError::EmptySmiles));
        assert!(matches!(parse(&"C".repeat(20_000)), Err(ChemistryError::SmilesTooLong { .. })));
        assert!(matches!(parse(&"C".repeat(1001)), Err(ChemistryError::TooLarge { atoms: 1001, .. })));
        assert!(parse(&format!("{}C{}", "C(".repeat(900), ")".repeat(900))).is_ok());
        assert!(parse(&"(".repeat(9000)).is_err());
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(500))]
        #[test]
        fn no_text_makes_it_panic(text in "[CNOScno()\\[\\]=#@/\\\\+\\-H1-3%.]{0,30}") {
            let _ = parse(&text);
        }
    }
}
