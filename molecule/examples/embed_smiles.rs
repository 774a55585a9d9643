//! Makes conformers of SMILES, one a line, and prints how it went: seconds, force field, configurations asked for and
//! found again in the coordinates alone.
//!
//! `cargo run --release -p kfold-molecule --example embed_smiles -- FILE [COUNT]`

use std::io::Write;

use kfold_molecule::chemistry::{canonical_smiles, embed_smiles, remove_hydrogens, smiles};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: embed_smiles FILE [COUNT]")?;
    let count = std::env::args().nth(2).and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut out = std::io::stdout().lock();
    for line in std::fs::read_to_string(path)?.lines() {
        let text = line.split_whitespace().next().unwrap_or_default();
        let started = std::time::Instant::now();
        let made = embed_smiles(text, 1, count, &|| false);
        let seconds = started.elapsed().as_secs_f64();
        match made {
            Err(error) => writeln!(out, "{seconds:.2}\trefused\t{text}\t{error}")?,
            Ok(embedding) => {
                let mut wrong = 0;
                for positions in &embedding.molecule.conformers {
                    wrong += embedding
                        .molecule
                        .stereo
                        .iter()
                        .filter(|stereo| stereo.is_satisfied_by(positions) != Some(true))
                        .count();
                }
                // Read back from coordinates alone, and compared where the input leaves nothing open.
                let mut blank = embedding.molecule.clone();
                blank.stereo.clear();
                let read = canonical_smiles(&remove_hydrogens(&blank).0)?;
                let wanted = canonical_smiles(&remove_hydrogens(&embedding.molecule).0)?;
                let verdict = if read == wanted { "same".to_owned() } else { format!("READ AS {read} NOT {wanted}") };
                let asked = smiles::parse(text)?.stereo.len();
                writeln!(
                    out,
                    "{seconds:.2}\t{:?}\t{text}\tasked {asked}, chosen {}, wrong {wrong}\t{verdict}\t{}",
                    embedding.force_field,
                    embedding.chosen_stereo.len(),
                    embedding.notes().join("; "),
                )?;
            }
        }
    }
    Ok(())
}
