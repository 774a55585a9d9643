//! FASTA as a query: a record is a chain, equal records are copies of one entity.
//!
//! | header | what it says |
//! |---|---|
//! | `>anything` | the kind is told by the letters |
//! | `>A\|protein\|msa.a3m` (Boltz) | chain id and kind: `protein`, `dna`, `rna`, `smiles`, `ccd` |
//! | `>protein\|name=x` (Chai) | kind: `protein`, `dna`, `rna`, `ligand` (SMILES) |
//! | `>1ABC_1\|Chains A, B\|...` (PDB) | chain ids, a copy for each |
//!
//! A colon parts the chains of a complex within a record (ColabFold). Selenocysteine (`U`) and pyrrolysine (`O`) become
//! modified cysteine and lysine; letters for several residues (`B`, `J`, `Z`; `R`, `Y` and so on of bases) become unknown.

use super::super::{Entity, Ligand, LigandSource, Modification, Polymer, QueryError};
use super::{Imported, Importer, MAX_COPIES, QuerySource, Result, is_chain_id};

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Protein,
    Dna,
    Rna,
    Smiles,
    Ccd,
}

impl Kind {
    fn of_word(word: &str) -> Option<Self> {
        Some(match word.trim().to_ascii_lowercase().as_str() {
            "protein" => Self::Protein,
            "dna" => Self::Dna,
            "rna" => Self::Rna,
            "smiles" | "ligand" => Self::Smiles,
            "ccd" => Self::Ccd,
            _ => return None,
        })
    }

    /// Nucleic only when there is nothing but A, C, G, T, U and N.
    fn of_letters(letters: &str) -> Self {
        let is_nucleic = letters.chars().all(|letter| "ACGTUN".contains(letter.to_ascii_uppercase()));
        let has_u = letters.contains(['U', 'u']);
        let has_t = letters.contains(['T', 't']);
        match (is_nucleic, has_u, has_t) {
            (true, true, false) => Self::Rna,
            (true, false, _) => Self::Dna,
            _ => Self::Protein,
        }
    }
}

struct Record<'a> {
    line: usize,
    header: &'a str,
    body: String,
}

/// What a header says.
#[derive(Default)]
struct Header {
    ids: Vec<String>,
    kind: Option<Kind>,
    description: Option<String>,
    has_alignment: bool,
}

/// Reads FASTA, or plain letters without a header, as a query that is named after `stem`.
///
/// # Errors
/// [`QueryError`] with the line of the record.
pub fn import_fasta(text: &str, stem: &str) -> Result<Imported> {
    let mut importer = Importer::new(QuerySource::Fasta, stem);
    importer.name(None);
    let records = records(text);
    if records.is_empty() {
        return Err(QueryError::field("line 1", "there is no sequence in it"));
    }
    if records.len() as i64 > MAX_COPIES {
        let problem = format!("{} records are too many for one query (at most {MAX_COPIES})", records.len());
        return Err(QueryError::field("query", problem));
    }
    importer.reserved = records.iter().flat_map(|record| header(record.header).ids).collect();
    for record in &records {
        importer.record(record)?;
    }
    importer.finish()
}

fn records(text: &str) -> Vec<Record<'_>> {
    let mut records: Vec<Record<'_>> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('>') {
            records.push(Record { line: number + 1, header: header.trim(), body: String::new() });
        } else if !line.is_empty() && !line.starts_with(';') {
            if records.is_empty() {
                records.push(Record { line: number + 1, header: "", body: String::new() });
            }
            if let Some(record) = records.last_mut() {
                record.body.extend(line.chars().filter(|letter| !letter.is_whitespace()));
            }
        }
    }
    records
}

fn header(text: &str) -> Header {
    let parts: Vec<&str> = text.split('|').map(str::trim).collect();
    let mut header = Header::default();
    match parts.as_slice() {
        // Boltz
        [id, kind, rest @ ..] if Kind::of_word(kind).is_some() => {
            header.ids = vec![(*id).to_owned()];
            header.kind = Kind::of_word(kind);
            header.has_alignment = rest.first().is_some_and(|path| !path.is_empty() && *path != "empty");
        }
        // Chai
        [kind, rest @ ..] if Kind::of_word(kind).is_some() => {
            header.kind = Kind::of_word(kind);
            header.description = rest
                .first()
                .map(|name| name.strip_prefix("name=").unwrap_or(name).to_owned())
                .filter(|name| !name.is_empty());
        }
        // PDB
        [_, chains, ..] if chains.starts_with("Chain") => {
            let list = chains.trim_start_matches("Chains").trim_start_matches("Chain");
            let ids = list.split(',').map(|id| id.split('[').next().unwrap_or_default().trim().to_owned());
            header.ids = ids.filter(|id| is_chain_id(id)).collect();
            header.description = Some(text.to_owned());
        }
        _ => header.description = Some(text.to_owned()).filter(|text| !text.is_empty()),
    }
    header
}

impl Importer {
    fn record(&mut self, record: &Record<'_>) -> Result<()> {
        let place = format!("line {}", record.line);
        let header = header(record.header);
        if record.body.is_empty() {
            return Err(QueryError::field(place, "the record is empty; remove it or add its letters"));
        }
        if header.has_alignment {
            self.leave(&place, "K-Fold reads no alignments; its language model takes their place");
        }
        if let Some(kind @ (Kind::Smiles | Kind::Ccd)) = header.kind {
            let source = if kind == Kind::Smiles {
                LigandSource::Smiles(record.body.clone())
            } else {
                LigandSource::Ccd(vec![super::boltz::code(&record.body)])
            };
            let ids = self.ids(&header.ids);
            self.query.sequences.push(Entity::Ligand(Ligand { ids, source, description: header.description }));
            return Ok(());
        }
        for part in record.body.split(':').filter(|part| !part.is_empty()) {
            self.chain(part, &header, &place)?;
        }
        Ok(())
    }

    fn chain(&mut self, letters: &str, header: &Header, place: &str) -> Result<()> {
        let kind = header.kind.unwrap_or_else(|| Kind::of_letters(letters));
        let mut polymer = Polymer { description: header.description.clone(), ..Polymer::default() };
        let letters = letters.strip_suffix('*').unwrap_or(letters);
        let mut unknown = Vec::new();
        // An error names the record too: the line is that of its head.
        let record = match &header.description {
            Some(name) => format!("{place} (`{}`)", name.chars().take(40).collect::<String>()),
            None => place.to_owned(),
        };
        for letter in letters.chars().filter(|letter| !matches!(letter, '-' | '.')) {
            let position = polymer.sequence.len() + 1;
            let upper = letter.to_ascii_uppercase();
            let known = match (kind, upper) {
                (Kind::Protein, 'U' | 'O') => {
                    let (letter, ccd) = if upper == 'U' { ('C', "SEC") } else { ('K', "PYL") };
                    let index = u32::try_from(position).unwrap_or(u32::MAX);
                    polymer.modifications.push(Modification { index, ccd: ccd.to_owned() });
                    letter
                }
                (Kind::Protein, 'B' | 'J' | 'Z') => {
                    unknown.push(format!("{upper}{position}"));
                    'X'
                }
                (Kind::Dna | Kind::Rna, 'R' | 'Y' | 'K' | 'M' | 'S' | 'W' | 'B' | 'D' | 'H' | 'V' | 'X') => {
                    unknown.push(format!("{upper}{position}"));
                    'N'
                }
                (Kind::Dna, 'U') | (Kind::Rna, 'T') => {
                    let other = if kind == Kind::Dna { "DNA" } else { "RNA" };
                    return Err(QueryError::field(
                        record,
                        format!(
                            "`{upper}` at position {position} is no base of {other}; correct it, or write N for an unknown one"
                        ),
                    ));
                }
                (Kind::Dna | Kind::Rna, letter) if letter.is_ascii_uppercase() && !"ACGTUN".contains(letter) => {
                    let other = if kind == Kind::Dna { "DNA" } else { "RNA" };
                    let problem = format!(
                        "`{letter}` at position {position} is no base of {other}; correct it, or write N for an unknown one"
                    );
                    return Err(QueryError::field(record, problem));
                }
                _ if upper.is_ascii_uppercase() => upper,
                _ => {
                    let letter = letter.escape_default();
                    let problem = format!(
                        "`{letter}` at position {position} stands for no residue; correct it, remove it, or write X for an unknown one"
                    );
                    return Err(QueryError::field(record, problem));
                }
            };
            polymer.sequence.push(known);
        }
        if !unknown.is_empty() {
            let count = unknown.len();
            unknown.truncate(10);
            let list = unknown.join(", ");
            let more = if count > 10 { format!(" and {} more", count - 10) } else { String::new() };
            self.leave(place, &format!("letters that stand for several residues became unknown ones: {list}{more}"));
        }
        let same = |held: &Polymer| held.sequence == polymer.sequence && held.modifications == polymer.modifications;
        let ids = self.ids(&header.ids);
        let copies = self.query.sequences.iter_mut().find_map(|entity| match (kind, entity) {
            (Kind::Protein, Entity::Protein(held))
            | (Kind::Dna, Entity::Dna(held))
            | (Kind::Rna, Entity::Rna(held)) => same(held).then_some(held),
            _ => None,
        });
        if let Some(held) = copies {
            held.ids.extend(ids);
            return Ok(());
        }
        polymer.ids = ids;
        self.query.sequences.push(match kind {
            Kind::Dna => Entity::Dna(polymer),
            Kind::Rna => Entity::Rna(polymer),
            Kind::Protein | Kind::Smiles | Kind::Ccd => Entity::Protein(polymer),
        });
        Ok(())
    }

    /// The ids that a header gives where no chain has them yet, else a free one.
    fn ids(&self, given: &[String]) -> Vec<String> {
        let is_taken =
            |id: &String| self.query.sequences.iter().flat_map(Entity::chains).any(|(held, _)| held == id.as_str());
        if given.is_empty() || given.iter().any(|id| !is_chain_id(id) || is_taken(id)) {
            return self.free_ids(given.len().max(1));
        }
        given.to_vec()
    }
}
