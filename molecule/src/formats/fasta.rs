//! FASTA: sequences of proteins and nucleic acids.

use super::ParseError;
use super::text::lines;

/// What the letters of a sequence stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SequenceKind {
    /// Amino acids.
    Protein,
    /// Nucleotides with T, or with neither T nor U.
    Dna,
    /// Nucleotides with U.
    Rna,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// First word of the header; empty when the file opens without one.
    pub name: String,
    /// The rest of the header.
    pub description: String,
    /// Upper-case letters without gaps and without the final `*`.
    pub letters: String,
    /// Guessed from the letters: nucleic only when there is nothing but A, C, G, T, U and N.
    pub kind: SequenceKind,
}

/// Reads all records. Letters may be in either case and broken over lines; gaps (`-`, `.`) and spaces are left out.
///
/// # Errors
/// When there is no sequence, a record is empty, or a letter stands for nothing, with record, line and position.
pub fn read(bytes: &[u8]) -> Result<Vec<Sequence>, ParseError> {
    let mut sequences: Vec<Sequence> = Vec::new();
    let mut opened_at = 1;
    for (line_number, line) in lines(bytes) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim();
        if let Some(header) = text.strip_prefix('>') {
            finish(&mut sequences, opened_at)?;
            opened_at = line_number;
            let (name, description) = header.trim().split_once(char::is_whitespace).unwrap_or((header.trim(), ""));
            sequences.push(Sequence {
                name: name.to_owned(),
                description: description.trim().to_owned(),
                letters: String::new(),
                kind: SequenceKind::Protein,
            });
            continue;
        }
        if text.is_empty() || text.starts_with(';') {
            continue;
        }
        if sequences.is_empty() {
            opened_at = line_number;
            let (name, description, letters) = (String::new(), String::new(), String::new());
            sequences.push(Sequence { name, description, letters, kind: SequenceKind::Protein });
        }
        let record = sequences.len();
        let Some(sequence) = sequences.last_mut() else { continue };
        for letter in text.chars() {
            let upper = letter.to_ascii_uppercase();
            let is_letter = upper.is_ascii_uppercase();
            if is_letter && !sequence.letters.ends_with('*') {
                sequence.letters.push(upper);
            } else if letter == '*' && !sequence.letters.ends_with('*') {
                sequence.letters.push('*');
            } else if !matches!(letter, '-' | '.') && !letter.is_whitespace() {
                let position = sequence.letters.len() + 1;
                let (what, advice) = if sequence.letters.ends_with('*') {
                    (
                        format!("{letter:?} follows the stop sign at position {}", position - 1),
                        "split the sequence at the stop",
                    )
                } else {
                    (format!("{letter:?} at position {position} stands for no residue"), "use one-letter codes")
                };
                return Err(ParseError { record: Some(record), ..ParseError::new(line_number, what, advice) });
            }
        }
    }
    finish(&mut sequences, opened_at)?;
    if sequences.is_empty() {
        return Err(ParseError::new(
            1,
            "there is no sequence",
            "a record is a line that begins with > and lines of letters",
        ));
    }
    Ok(sequences)
}

/// Closes the latest record: removes the stop sign, tells the kind, refuses an empty one.
fn finish(sequences: &mut [Sequence], opened_at: usize) -> Result<(), ParseError> {
    let record = sequences.len();
    let Some(sequence) = sequences.last_mut() else { return Ok(()) };
    if sequence.letters.ends_with('*') {
        sequence.letters.pop();
    }
    if sequence.letters.is_empty() {
        let what = format!("the record {:?} has no letters", sequence.name);
        return Err(ParseError {
            record: Some(record),
            ..ParseError::new(opened_at, what, "add its sequence or remove it")
        });
    }
    let nucleic = sequence.letters.chars().all(|letter| "ACGTUN".contains(letter));
    sequence.kind = match (nucleic, sequence.letters.contains('U'), sequence.letters.contains('T')) {
        (true, true, false) => SequenceKind::Rna,
        (true, false, _) => SequenceKind::Dna,
        _ => SequenceKind::Protein,
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_joined_and_their_kind_told() {
        let sequences = read(b">sp|P00533 EGFR human\nmrps\nGTAG-AA*\n\n>dna\nACGT NN\n>rna x y\r\nACGU\r\n").unwrap();
        assert_eq!(sequences.len(), 3);
        assert_eq!(sequences[0].name, "sp|P00533");
        assert_eq!(sequences[0].description, "EGFR human");
        assert_eq!(sequences[0].letters, "MRPSGTAGAA");
        let kinds: Vec<SequenceKind> = sequences.iter().map(|sequence| sequence.kind).collect();
        assert_eq!(kinds, [SequenceKind::Protein, SequenceKind::Dna, SequenceKind::Rna]);
        assert_eq!(read(b"MKV\nLA").unwrap()[0].letters, "MKVLA");
    }

    #[test]
    fn wrong_letters_are_told_by_record_line_and_position() {
        let error = read(b">a\nMKV\n>b\nMK\nV1L\n").unwrap_err();
        assert_eq!((error.record, error.place.clone()), (Some(2), super::super::Place::Line(5)));
        assert!(error.to_string().contains("'1' at position 4"), "{error}");
        assert!(read(b">a\n>b\nMK\n").unwrap_err().to_string().contains("\"a\" has no letters"));
        assert!(read(b">a\nMK*V\n").unwrap_err().to_string().contains("stop sign"));
        assert!(read(b"").is_err());
    }
}
