//! Lists of SMILES: `.smi` (SMILES, then a name), `.csv` and `.tsv` tables.
//!
//! Only the text is taken apart here; what a SMILES means is chemistry's business. Columns beside SMILES and name
//! (measured affinities, tags) are kept under their headings.

/// One row of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmilesEntry {
    /// Line in the file, from 1.
    pub line: usize,
    /// The SMILES as written, not checked.
    pub smiles: String,
    /// Name; may be empty.
    pub name: String,
    /// The other columns with their headings (`column 3` where the file has no headings), in order; empty cells left out.
    pub columns: Vec<(String, String)>,
}

/// Headings that name the SMILES column, compared in lower case.
const SMILES_HEADINGS: &[&str] = &["smiles", "smi", "canonical_smiles", "isomeric_smiles", "canonical smiles"];
/// Headings that name the column of names, best first.
const NAME_HEADINGS: &[&str] = &[
    "name",
    "title",
    "ligand",
    "compound",
    "molecule",
    "id",
    "ligand_name",
    "compound_name",
    "ligand_id",
    "compound_id",
];

/// Takes a list apart. Blank lines and lines that open with `//` or `# ` are skipped; a first row with a heading like
/// `smiles` names the columns, otherwise the first column is the SMILES and the second the name.
#[must_use]
pub fn parse(text: &str) -> Vec<SmilesEntry> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rows = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !(line.trim().is_empty() || line.starts_with("//") || line.starts_with("# ")))
        .peekable();
    let Some((_, first)) = rows.peek() else { return Vec::new() };
    let separator = separator_of(first);
    let mut headings: Vec<String> = cells(first, separator);
    let (mut smiles_column, mut name_column) = (0, Some(1));
    let lower: Vec<String> = headings.iter().map(|heading| heading.to_lowercase()).collect();
    let found = lower
        .iter()
        .position(|heading| SMILES_HEADINGS.contains(&heading.as_str()))
        .or_else(|| lower.iter().position(|heading| heading.ends_with("smiles") || heading.starts_with("smiles")));
    if let Some(column) = found {
        smiles_column = column;
        name_column = NAME_HEADINGS
            .iter()
            .find_map(|known| lower.iter().position(|heading| heading == known))
            .or(separator.is_none().then_some(1));
        rows.next();
    } else {
        headings.clear();
    }
    rows.map(|(line, row)| {
        let mut entry = SmilesEntry { line, ..SmilesEntry::default() };
        for (column, cell) in cells(row, separator).into_iter().enumerate() {
            if column == smiles_column {
                entry.smiles = cell;
            } else if Some(column) == name_column {
                entry.name = cell;
            } else if !cell.is_empty() {
                let heading = headings.get(column).filter(|heading| !heading.is_empty());
                entry.columns.push((heading.cloned().unwrap_or_else(|| format!("column {}", column + 1)), cell));
            }
        }
        entry
    })
    .collect()
}

/// What separates the columns, told by the first row; `None` for spaces.
fn separator_of(row: &str) -> Option<char> {
    if row.contains('\t') {
        return Some('\t');
    }
    // A comma or semicolon in a name ("aspirin, USP") comes after a space; as a separator it comes before any.
    row.find([',', ';', ' ']).and_then(|position| row[position..].chars().next()).filter(|sign| *sign != ' ')
}

/// The cells of a row: quoted as in CSV with a separator, else the first word and the rest.
fn cells(row: &str, separator: Option<char>) -> Vec<String> {
    let Some(separator) = separator else {
        let row = row.trim();
        let (smiles, rest) = row.split_once(char::is_whitespace).unwrap_or((row, ""));
        return if rest.is_empty() { vec![smiles.to_owned()] } else { vec![smiles.to_owned(), rest.trim().to_owned()] };
    };
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut letters = row.chars().peekable();
    while let Some(letter) = letters.next() {
        if quoted {
            if letter != '"' {
                cell.push(letter);
            } else if letters.peek() == Some(&'"') {
                cell.push('"');
                letters.next();
            } else {
                quoted = false;
            }
        } else if letter == separator {
            cells.push(std::mem::take(&mut cell).trim().to_owned());
        } else if letter == '"' && cell.trim().is_empty() {
            cell.clear();
            quoted = true;
        } else {
            cell.push(letter);
        }
    }
    cells.push(cell.trim().to_owned());
    cells
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn plain_lists_have_smiles_then_name() {
        let entries = parse("CCO ethanol, absolute\n\nc1ccccc1\tbenzene\n# a remark\nO\n");
        assert_eq!(entries.len(), 3);
        assert_eq!((entries[0].smiles.as_str(), entries[0].name.as_str()), ("CCO", "ethanol, absolute"));
        assert_eq!((entries[1].smiles.as_str(), entries[1].name.as_str()), ("c1ccccc1", "benzene"));
        assert_eq!((entries[2].smiles.as_str(), entries[2].line), ("O", 5));
    }

    #[test]
    fn tables_are_read_by_their_headings() {
        let entries = parse("\u{feff}name,SMILES,pIC50\n\"a, \"\"b\"\"\",CC(=O)O,6.5\r\nc,C,\n");
        assert_eq!(entries[0].name, "a, \"b\"");
        assert_eq!(entries[0].smiles, "CC(=O)O");
        assert_eq!(entries[0].columns, vec![("pIC50".to_owned(), "6.5".to_owned())]);
        assert!(entries[1].columns.is_empty());
        let entries = parse("name\tsmiles\ttag\nparacetamol\tCC(=O)Nc1ccc(O)cc1\tsimple\n");
        assert_eq!(entries[0].smiles, "CC(=O)Nc1ccc(O)cc1");
        assert_eq!(entries[0].columns[0], ("tag".to_owned(), "simple".to_owned()));
    }

    #[test]
    fn tables_without_headings_keep_their_columns() {
        let entries = parse("CCO,ethanol,3.1\nC,methane,1\n");
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].columns, vec![("column 3".to_owned(), "3.1".to_owned())]);
    }
}
