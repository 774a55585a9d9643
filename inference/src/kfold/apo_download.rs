//! Unbound structures by identifier: an entry of the PDB, or a model of the AlphaFold Database.
//!
//! Only when the user asks, over HTTPS, through the same downloader as weights ([`crate::download`]): bounded, resumed, and not at
//! all when the program is offline. What came is kept in the user's data folder and not asked for again. The archives say how
//! their files are called: `files.rcsb.org/download/ID.cif.gz`, and for a model the address in the answer of
//! `alphafold.ebi.ac.uk/api/prediction/ACCESSION`, which must lie on the same server.
//!
//! K-Fold reads the first chain of a file, so the chain that is meant, or else the one that has most of the query's
//! residues, is written to a file of its own.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use kfold_molecule::formats::{self, mmcif};
use kfold_molecule::selection::{AtomSet, subset_of};
use kfold_molecule::{Model, ResidueKind, Structure};
use serde::Deserialize;

use super::features::apo;
use crate::download::{self, DownloadError, Options, Progress, Wanted};
use crate::job::files::write_whole;

/// Bytes of a structure as it comes: the largest entries of the PDB have a few hundred MB, packed less.
const MAX_STRUCTURE: u64 = 512 << 20;
/// Bytes of what the AlphaFold Database says of a model.
const MAX_RECORD: u64 = 4 << 20;

/// Another server that is laid out as `https://files.rcsb.org` is.
pub const PDB_VARIABLE: &str = "KFOLD_PDB_URL";
/// Another server that is laid out as `https://alphafold.ebi.ac.uk` is.
pub const ALPHAFOLD_VARIABLE: &str = "KFOLD_ALPHAFOLD_URL";

/// Why there is no structure.
#[derive(Debug, thiserror::Error)]
pub enum ApoDownloadError {
    /// It did not come.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// What came is no structure, or none of this protein.
    #[error("{id}: {problem}")]
    Content {
        /// What was asked for.
        id: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// It could not be kept.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

type Result<T> = std::result::Result<T, ApoDownloadError>;

/// What to fetch: `4AKE`, `4AKE:B`, `1IGT:H,L`, `P69441`; `pdb:` and `afdb:` may stand before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApoId {
    archive: Archive,
    /// In upper case.
    code: String,
    /// The author's names of the chains, one for each sequence; empty where the best ones are to be found.
    chains: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Archive {
    Pdb,
    AlphaFold,
}

impl fmt::Display for ApoId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.code)?;
        if self.chains.is_empty() { Ok(()) } else { write!(formatter, ":{}", self.chains.join(",")) }
    }
}

impl FromStr for ApoId {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let wrong = || {
            format!(
                "'{text}' is no structure to fetch; give an entry of the PDB (4AKE, or with the chain 4AKE:A) or the UniProt \
                 accession of a model in the AlphaFold Database (P69441)"
            )
        };
        let (archive, rest) = match text.split_once(':') {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("pdb") => (Some(Archive::Pdb), rest),
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("afdb") => (Some(Archive::AlphaFold), rest),
            _ => (None, text),
        };
        let (code, chains) = rest.split_once(':').map_or((rest, ""), |(code, chains)| (code, chains));
        let code = code.to_ascii_uppercase();
        let is_pdb = is_pdb_code(&code);
        let archive = match archive {
            Some(Archive::Pdb) | None if is_pdb => Archive::Pdb,
            Some(Archive::AlphaFold) | None if is_accession(&code) => Archive::AlphaFold,
            _ => return Err(wrong()),
        };
        let chains: Vec<String> = chains.split(',').filter(|chain| !chain.is_empty()).map(str::to_owned).collect();
        let is_chain = |chain: &String| chain.len() <= 8 && chain.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !chains.iter().all(is_chain) || (archive == Archive::AlphaFold && !chains.is_empty()) {
            return Err(wrong());
        }
        Ok(Self { archive, code, chains })
    }
}

fn is_pdb_code(code: &str) -> bool {
    let short = code.strip_prefix("PDB_0000").unwrap_or(code);
    short.len() == 4
        && short.starts_with(|first: char| first.is_ascii_digit())
        && short.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// An accession of UniProt (www.uniprot.org/help/accession_numbers), an isoform's number behind it or not.
fn is_accession(code: &str) -> bool {
    let (code, isoform) = code.split_once('-').map_or((code, "1"), |(code, isoform)| (code, isoform));
    let is_isoform = (1..=3).contains(&isoform.len()) && isoform.bytes().all(|byte| byte.is_ascii_digit());
    let bytes = code.as_bytes();
    matches!(bytes.len(), 6 | 10)
        && is_isoform
        && bytes[0].is_ascii_uppercase()
        && bytes[1].is_ascii_digit()
        && bytes.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && bytes[bytes.len() - 1].is_ascii_digit()
}

/// Where structures come from.
#[derive(Clone, Debug)]
pub struct Sources {
    pdb: String,
    alphafold: String,
}

impl Sources {
    /// The archives themselves, or the servers that the environment names.
    #[must_use]
    pub fn of_environment() -> Self {
        let of = |variable: &str, usual: &str| match std::env::var(variable) {
            Ok(url) if !url.is_empty() => url.trim_end_matches('/').to_owned(),
            _ => usual.to_owned(),
        };
        Self {
            pdb: of(PDB_VARIABLE, "https://files.rcsb.org"),
            alphafold: of(ALPHAFOLD_VARIABLE, "https://alphafold.ebi.ac.uk"),
        }
    }
}

/// The part of the AlphaFold Database's answer that is needed.
#[derive(Deserialize)]
struct DatabaseModel {
    #[serde(rename = "cifUrl")]
    cif_url: String,
}

/// Fetches a structure for a protein (one sequence) or a pair (two), into `folder` (made when it is not there); the file.
/// `watch` hears where it stands and answers whether to go on.
///
/// # Errors
/// When it cannot be fetched, is not what it should be or does not fit the sequences; nothing wrong is kept then.
pub fn fetch(
    id: &ApoId,
    sequences: &[&str],
    folder: &Path,
    sources: &Sources,
    options: Options,
    watch: &mut dyn FnMut(Progress<'_>) -> bool,
) -> Result<PathBuf> {
    std::fs::create_dir_all(folder).map_err(|source| ApoDownloadError::Io { path: folder.to_owned(), source })?;
    let whole = match id.archive {
        Archive::Pdb => {
            let url = format!("{}/download/{}.cif.gz", sources.pdb, id.code);
            come(id, &url, &folder.join(format!("{}.cif.gz", id.code)), MAX_STRUCTURE, options, watch)?
        }
        Archive::AlphaFold => {
            let target = folder.join(format!("AF-{}.cif", id.code));
            if target.is_file() { target } else { come_alphafold(id, &target, sources, options, watch)? }
        }
    };
    let structure = match formats::read_structure(&whole) {
        Ok(structure) => structure,
        Err(error) => {
            // Not to be taken for a structure the next time.
            let _ = std::fs::remove_file(&whole);
            return Err(id.wrong(format!("what came is no structure: {error}")));
        }
    };
    let chosen = if id.chains.is_empty() { id.best_chains(&structure, sequences)? } else { id.chains.clone() };
    let part = id.chains_of(&structure, &chosen, sequences)?;
    let path = folder.join(format!("{}_{}.cif", id.code, chosen.join("-")));
    write_whole(&path, mmcif::write(&part).as_bytes())
        .map_err(|source| ApoDownloadError::Io { path: path.clone(), source })?;
    Ok(path)
}

fn come(
    id: &ApoId,
    url: &str,
    target: &Path,
    limit: u64,
    options: Options,
    watch: &mut dyn FnMut(Progress<'_>) -> bool,
) -> Result<PathBuf> {
    if !target.is_file() {
        let (name, sources) = (id.to_string(), [url.to_owned()]);
        let wanted = Wanted { name: &name, sources: &sources, target, bytes: None, sha256: None, limit };
        download::download(&wanted, options, watch)?;
    }
    Ok(target.to_owned())
}

/// Asks the database where the model lies, and fetches it from there.
fn come_alphafold(
    id: &ApoId,
    target: &Path,
    sources: &Sources,
    options: Options,
    watch: &mut dyn FnMut(Progress<'_>) -> bool,
) -> Result<PathBuf> {
    let record = target.with_extension("json");
    // Another version may be there by now.
    let _ = std::fs::remove_file(&record);
    let url = format!("{}/api/prediction/{}", sources.alphafold, id.code);
    come(id, &url, &record, MAX_RECORD, options, watch)?;
    let text = std::fs::read(&record).map_err(|source| ApoDownloadError::Io { path: record.clone(), source })?;
    let _ = std::fs::remove_file(&record);
    let models: Vec<DatabaseModel> = serde_json::from_slice(&text)
        .map_err(|error| id.wrong(format!("the database's answer is not understood: {error}")))?;
    let Some(model) = models.first() else {
        return Err(id.wrong("the database has no model of it"));
    };
    let is_there = model.cif_url.strip_prefix(&sources.alphafold).is_some_and(|path| path.starts_with('/'));
    if !is_there {
        return Err(id.wrong(format!("the database names a file that lies elsewhere ({})", model.cif_url)));
    }
    come(id, &model.cif_url, target, MAX_STRUCTURE, options, watch)
}

impl ApoId {
    fn wrong(&self, problem: impl Into<String>) -> ApoDownloadError {
        ApoDownloadError::Content { id: self.to_string(), problem: problem.into() }
    }

    /// The named chains' protein, in order, as K-Fold reads it.
    fn chains_of(&self, structure: &Structure, chains: &[String], sequences: &[&str]) -> Result<Structure> {
        if chains.len() != sequences.len() {
            let (many, few) = (sequences.len(), chains.len());
            return Err(
                self.wrong(format!("{many} chains are needed, {few} are named; name them as {}:H,L", self.code))
            );
        }
        let fits = |part: &Structure| apo::read(part, sequences).is_ok();
        protein_of(structure, chains)
            .filter(fits)
            .ok_or_else(|| self.wrong(format!("it has no protein chain {} that fits the sequence", chains.join(", "))))
    }

    /// For each sequence the chain that has most of its residues; no chain twice.
    fn best_chains(&self, structure: &Structure, sequences: &[&str]) -> Result<Vec<String>> {
        let Some(model) = structure.first() else { return Err(self.wrong("it has no atoms")) };
        let mut names: Vec<String> = Vec::new();
        for chain in &model.topology.chains {
            let name = chain.id.to_string();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let mut chosen = Vec::new();
        for sequence in sequences {
            let mut best: Option<(usize, String)> = None;
            for name in names.iter().filter(|name| !chosen.contains(*name)) {
                let part = protein_of(structure, std::slice::from_ref(name));
                let count = part.and_then(|part| Some(apo::identical_residues(part.first()?, sequence))).unwrap_or(0);
                if count > best.as_ref().map_or(0, |(count, _)| *count) {
                    best = Some((count, name.clone()));
                }
            }
            let Some((_, name)) = best else {
                return Err(self.wrong("none of its chains fits the sequence"));
            };
            chosen.push(name);
        }
        Ok(chosen)
    }
}

/// The protein of these chains, in this order, in every model that has all of them.
fn protein_of(structure: &Structure, chains: &[String]) -> Option<Structure> {
    let mut models = Vec::new();
    for model in &structure.models {
        let topology = &model.topology;
        let of_chain = |name: &String| {
            let mut atoms = AtomSet::empty(topology.atoms.len());
            for residue in topology
                .chains
                .iter()
                .filter(|chain| chain.id == name.as_str())
                .flat_map(|chain| chain.residues.clone())
            {
                let residue = &topology.residues[residue as usize];
                if residue.kind == ResidueKind::Protein {
                    atoms.insert_range(topology.atom_range(residue));
                }
            }
            (!atoms.is_empty()).then(|| subset_of(model, &atoms))
        };
        if let Some(parts) = chains.iter().map(of_chain).collect::<Option<Vec<Model>>>() {
            models.push(Model::join(&parts.iter().collect::<Vec<_>>()));
        }
    }
    (!models.is_empty()).then(|| Structure { name: structure.name.clone(), models })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;

    /// A server that answers each path with what `answer` makes of it: status and body.
    fn server(answer: impl Fn(&str, &str) -> (u16, Vec<u8>) + Send + 'static) -> (Sources, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, own) = (Arc::clone(&asked), address.clone());
        let serve = move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(&stream).lines().map_while(|line| line.ok());
                let first = lines.next().unwrap_or_default();
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
                let (status, body) = answer(&own, &path);
                log.lock().unwrap().push(path);
                let head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
                let location = if status == 302 {
                    format!("Location: {}\r\n", String::from_utf8_lossy(&body))
                } else {
                    String::new()
                };
                let _ = stream.write_all(format!("{head}{location}\r\n").as_bytes());
                let _ = stream.write_all(&body);
            }
        };
        std::thread::Builder::new().name("server".into()).spawn(serve).unwrap();
        (Sources { pdb: address.clone(), alphafold: address }, asked)
    }

    const OPTIONS: Options =
        Options { offline: false, stall: Duration::from_secs(5), tries: 2, pause: Duration::from_millis(1) };

    /// Two chains of glycine and alanine, and water.
    fn entry() -> String {
        let mut text = String::new();
        let mut serial = 0;
        for (chain, residues) in [('A', ["GLY", "GLY", "GLY"]), ('B', ["ALA", "GLY", "ALA"])] {
            for (index, residue) in residues.iter().enumerate() {
                for (atom, name) in [" N  ", " CA ", " C  ", " O  "].iter().enumerate() {
                    serial += 1;
                    let x = (index * 4 + atom) as f32;
                    let element = &name.trim()[..1];
                    text.push_str(&format!(
                        "ATOM  {serial:>5} {name} {residue} {chain}{:>4}    {x:>8.3}{:>8.3}{:>8.3}  1.00  0.00          {element:>2}\n",
                        index + 1, 0.0, 0.0
                    ));
                }
            }
        }
        text + "END\n"
    }

    fn packed(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn get(id: &str, sequences: &[&str], folder: &Path, sources: &Sources) -> Result<PathBuf> {
        fetch(&id.parse().unwrap(), sequences, folder, sources, OPTIONS, &mut |_| true)
    }

    #[test]
    fn identifiers_are_read_and_nothing_else() {
        for (text, shown) in [
            ("4ake", "4AKE"),
            ("pdb:4ake:B", "4AKE:B"),
            ("1igt:H,L", "1IGT:H,L"),
            ("pdb_00004ake", "PDB_00004AKE"),
            ("P69441", "P69441"),
            ("afdb:A0A024R1R8", "A0A024R1R8"),
            ("P69441-2", "P69441-2"),
        ] {
            assert_eq!(text.parse::<ApoId>().map(|id| id.to_string()).as_deref(), Ok(shown));
        }
        for text in [
            "",
            "4ak",
            "../../x",
            "4ake/..",
            "http://x/4ake",
            "4ake:A;B",
            "afdb:4ake",
            "pdb:P69441",
            "P69441:A",
            "P6944%",
            "4äke",
        ] {
            assert!(text.parse::<ApoId>().is_err_and(|error| error.contains(text)), "{text}");
        }
    }

    #[test]
    fn the_chain_that_fits_is_taken_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (sources, asked) = server(|_, _| (200, packed(&entry())));
        let path = get("4ake", &["AGA"], folder.path(), &sources).unwrap();
        assert_eq!(path.file_name().unwrap(), "4AKE_B.cif");
        let structure = formats::read_structure(&path).unwrap();
        assert_eq!(structure.first().unwrap().topology.chains.len(), 1);
        assert_eq!(apo::read(&structure, &["AGA"]).unwrap().len(), 1);
        let named = get("4ake:A", &["GGG"], folder.path(), &sources).unwrap();
        assert_eq!(named.file_name().unwrap(), "4AKE_A.cif");
        let pair = get("4ake", &["AGA", "GGG"], folder.path(), &sources).unwrap();
        assert_eq!(pair.file_name().unwrap(), "4AKE_B-A.cif");
        assert!(get("4ake:C", &["AGA"], folder.path(), &sources).is_err());
        // Fetched once.
        assert_eq!(*asked.lock().unwrap(), ["/download/4AKE.cif.gz"]);
    }

    #[test]
    fn a_model_comes_from_where_the_database_says_on_the_same_server() {
        let folder = tempfile::tempdir().unwrap();
        let (sources, asked) = server(|own, path| match path {
            "/api/prediction/P69441" => {
                (200, format!("[{{\"cifUrl\": \"{own}/files/AF-P69441-F1-model_v9.cif\", \"gene\": 1}}]").into())
            }
            _ => (200, entry().into()),
        });
        let path = get("P69441", &["GGG"], folder.path(), &sources).unwrap();
        assert_eq!(path.file_name().unwrap(), "P69441_A.cif");
        assert_eq!(*asked.lock().unwrap(), ["/api/prediction/P69441", "/files/AF-P69441-F1-model_v9.cif"]);
        for (answer, word) in [
            ("[{\"cifUrl\": \"http://elsewhere.example/x.cif\"}]".to_owned(), "elsewhere"),
            ("[{\"cifUrl\": \"file:///etc/passwd\"}]".to_owned(), "elsewhere"),
            ("[]".to_owned(), "no model"),
            ("[".repeat(200_000), "not understood"),
            ("<html>".to_owned(), "not understood"),
            ("x".repeat(MAX_RECORD as usize + 1), "P69442"),
        ] {
            let (sources, _) = server(move |_, _| (200, answer.clone().into()));
            let error = get("P69442", &["GGG"], folder.path(), &sources).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn hostile_answers_leave_nothing() {
        for (status, body, word) in [
            (200, b"<html>not here</html>".to_vec(), "no structure"),
            (200, packed("data_x\nloop_\n_atom_site.id\n"), "4AKE"),
            (200, vec![0x1f, 0x8b, 8, 0, 1, 2, 3], "no structure"),
            (404, b"no".to_vec(), "404"),
            (302, b"file:///etc/passwd".to_vec(), "4AKE"),
            (302, b"/download/4AKE.cif.gz".to_vec(), "redirects"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let (sources, _) = server(move |_, _| (status, body.clone()));
            let error = get("4ake", &["GGG"], folder.path(), &sources).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
            let left: Vec<_> =
                std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".gz")), "{left:?}");
        }
    }

    #[test]
    fn offline_opens_no_connection() {
        let folder = tempfile::tempdir().unwrap();
        let (sources, asked) = server(|_, _| (200, packed(&entry())));
        let offline = Options { offline: true, ..OPTIONS };
        for id in ["4ake", "P69441"] {
            let error = fetch(&id.parse().unwrap(), &["GGG"], folder.path(), &sources, offline, &mut |_| true);
            assert!(error.unwrap_err().to_string().contains("offline"));
        }
        assert!(asked.lock().unwrap().is_empty());
    }
}
