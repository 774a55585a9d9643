//! Makes `assets/licenses.json.gz`: every package that Cargo.lock names, with its licence and the texts in its folder.
//!
//! `cargo run --release --example licenses`, after dependencies were changed.

#![allow(clippy::print_stdout, reason = "a tool for who builds the program")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

/// How files with licences begin.
const NAMES: [&str; 5] = ["license", "licence", "copying", "notice", "copyright"];
/// Largest text that is taken, bytes.
const LARGEST: u64 = 200_000;

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--all-features"])
        .current_dir(root)
        .output()?;
    anyhow::ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let mut texts: Vec<String> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut packages = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten().filter(|package| !package["source"].is_null())
    {
        let word = |key: &str| package[key].as_str().unwrap_or_default();
        let folder = Path::new(word("manifest_path")).parent().unwrap_or(Path::new("."));
        let mut files: Vec<_> = std::fs::read_dir(folder)?
            .flatten()
            .filter(|entry| {
                let name = entry.file_name().to_string_lossy().to_lowercase();
                NAMES.iter().any(|begin| name.starts_with(begin))
                    && entry.metadata().is_ok_and(|about| about.is_file() && about.len() <= LARGEST)
            })
            .map(|entry| entry.path())
            .collect();
        files.sort();
        let mut own = Vec::new();
        for file in files {
            let bytes = std::fs::read(&file)?;
            let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n").trim().to_owned();
            let place = *places.entry(text.clone()).or_insert_with(|| {
                texts.push(text);
                texts.len() - 1
            });
            if !own.contains(&place) {
                own.push(place);
            }
        }
        let license = if word("license").is_empty() { "see its text" } else { word("license") };
        packages.push(json!({
            "name": word("name"),
            "version": word("version"),
            "license": license,
            "repository": word("repository"),
            "texts": own,
        }));
    }
    packages.sort_by_key(|package| (package["name"].to_string(), package["version"].to_string()));
    let path = root.join("assets/licenses.json.gz");
    let mut file = flate2::GzBuilder::new().write(Vec::new(), flate2::Compression::best());
    file.write_all(&serde_json::to_vec(&json!({"packages": packages, "texts": texts}))?)?;
    let bytes = file.finish()?;
    std::fs::write(&path, &bytes)?;
    println!("{} packages, {} texts, {} bytes", packages.len(), texts.len(), bytes.len());
    Ok(())
}
