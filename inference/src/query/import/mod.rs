//! Queries of other programs: Boltz YAML, AlphaFold 3 JSON, AlphaFold Server JSON, FASTA with several chains.
//!
//! An import keeps every chain, copy, modification, ligand, covalent bond and seed. What K-Fold has no place for is left out
//! and said, field by field, in [`Imported::left_out`]; nothing is dropped without a word. A field that holds nothing
//! (null, an empty list, `msa: empty`) loses nothing and is not mentioned.
//!
//! Which program a file is for is told by its fields: `dialect` in AlphaFold's files, a list of jobs in the server's,
//! fields that only Boltz has (`version`, `templates`, `properties`, `msa`, `cyclic`, `position`, pocket and contact
//! constraints). A file without any of them means the same to Boltz and to K-Fold and is read as K-Fold's own.
//!
//! Sources: the input documentation of Boltz (`docs/prediction.md`, Boltz 2.1), of AlphaFold 3 (`docs/input.md`, dialect
//! `alphafold3`, versions 1 to 4) and of the AlphaFold Server (`server/README.md`, dialect `alphafoldserver`, version 1).

mod alphafold;
mod boltz;
mod fasta;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use kfold_molecule::{components, formats};

use super::node::{Fields, Node};
use super::read::MAX_BYTES;
use super::validate::{is_chain_id, is_name};
use super::value::Value;
use super::{Entity, Ligand, LigandSource, Query, QueryError, QueryFormat};

pub use fasta::import_fasta;

/// Largest file that is imported: AlphaFold 3 writes alignments into its files.
const MAX_IMPORT_BYTES: u64 = 128 << 20;
/// Copies of one entity, and jobs of one file, at most.
const MAX_COPIES: i64 = 1_000;
/// Things left out that are listed one by one; the rest are counted.
const MAX_LISTED: usize = 50;

type Result<T, E = QueryError> = std::result::Result<T, E>;

/// Which program a file was written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QuerySource {
    /// This one, and the public K-Fold program.
    KFold,
    /// Boltz (YAML).
    Boltz,
    /// AlphaFold 3 (JSON, dialect `alphafold3`).
    AlphaFold3,
    /// AlphaFold Server (JSON, dialect `alphafoldserver`).
    AlphaFoldServer,
    /// FASTA: sequences alone, with the headers of Boltz and Chai understood.
    Fasta,
}

impl QuerySource {
    /// As people call it.
    #[must_use]
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::KFold => "K-Fold",
            Self::Boltz => "Boltz",
            Self::AlphaFold3 => "AlphaFold 3",
            Self::AlphaFoldServer => "AlphaFold Server",
            Self::Fasta => "FASTA",
        }
    }
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The query.
    pub query: Query,
    /// What the file was written for.
    pub source: QuerySource,
    /// The seeds that the file asks for; empty when it says nothing.
    pub seeds: Vec<u64>,
    /// What could not come along: the place in the file and why, a sentence each.
    pub left_out: Vec<String>,
}

/// Reads a query of any program, by the file's name and content. AlphaFold Server files may hold several jobs; all others
/// are one. Paths come out absolute; the files that a K-Fold query names are checked to be there.
///
/// # Errors
/// [`QueryError`] with the file, the entry and the field.
pub fn import(path: &Path) -> Result<Vec<Imported>> {
    let in_file = |source| QueryError::InFile { path: path.to_owned(), source: Box::new(source) };
    let read_error = |source| QueryError::Read { path: path.to_owned(), source };
    let stem = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = stem.strip_suffix(".gz").unwrap_or(&stem);
    let stem = Path::new(stem).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let size = std::fs::metadata(path).map_err(read_error)?.len();
    let limit = if QueryFormat::of(path) == Some(QueryFormat::Json) { MAX_IMPORT_BYTES } else { MAX_BYTES };
    if size > limit {
        return Err(QueryError::TooLarge { path: path.to_owned(), bytes: size, limit });
    }
    let bytes = formats::read_bytes(path).map_err(|error| read_error(std::io::Error::other(error.to_string())))?;
    if bytes.len() as u64 > limit {
        return Err(QueryError::TooLarge { path: path.to_owned(), bytes: bytes.len() as u64, limit });
    }
    let Some(format) = QueryFormat::of(path) else {
        return Ok(vec![import_fasta(&String::from_utf8_lossy(&bytes), &stem).map_err(in_file)?]);
    };
    let absolute = std::path::absolute(path).map_err(read_error)?;
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    let text = String::from_utf8(bytes).map_err(|error| {
        in_file(QueryError::Syntax { format: format.name(), problem: format!("not UTF-8 text ({error})") })
    })?;
    let imported = parse(&text, format, folder, &stem).map_err(in_file)?;
    for one in &imported {
        one.query.check_files().map_err(in_file)?;
    }
    Ok(imported)
}

/// Reads a query of any program from text; relative paths of a K-Fold query count from `folder`, and what has no name is
/// named after `stem`.
///
/// # Errors
/// [`QueryError`] with the entry and the field.
fn parse(text: &str, format: QueryFormat, folder: &Path, stem: &str) -> Result<Vec<Imported>> {
    let value = match format {
        QueryFormat::Yaml => Value::from_yaml(text),
        QueryFormat::Json => Value::from_json(text),
    }
    .map_err(|problem| QueryError::Syntax { format: format.name(), problem })?;
    let root = Node { value: &value, place: String::new() };
    let source = source_of(&root)?;
    if source == QuerySource::KFold {
        let query = Query::from_value(&value, folder, Some(stem))?;
        return Ok(vec![Imported { query, source, seeds: Vec::new(), left_out: Vec::new() }]);
    }
    if text.len() as u64 > MAX_BYTES && source == QuerySource::Boltz {
        return Err(root.error("the file is too large for a query"));
    }
    let jobs = match &value {
        Value::List(_) => root.list()?,
        _ => vec![root],
    };
    if jobs.is_empty() || jobs.len() as i64 > MAX_COPIES {
        return Err(QueryError::field(
            "query",
            format!("the file holds {} jobs; 1 to {MAX_COPIES} are read", jobs.len()),
        ));
    }
    jobs.iter().map(|job| Importer::new(source, stem).job(job)).collect()
}

/// Which program the file is for.
fn source_of(root: &Node<'_>) -> Result<QuerySource> {
    let job = match root.value {
        Value::List(jobs) => jobs.first().map(|value| root.item(0, value)),
        _ => Some(Node { value: root.value, place: root.place.clone() }),
    };
    let Some(job) = job else { return Err(root.error("the list of jobs is empty")) };
    let fields = Fields { map: job.map()?, place: job.place.clone() };
    if let Some(dialect) = fields.given("dialect") {
        return match dialect.text()? {
            "alphafold3" => Ok(QuerySource::AlphaFold3),
            "alphafoldserver" => Ok(QuerySource::AlphaFoldServer),
            other => Err(dialect.error(format!(
                "`{other}` is no dialect that is read here; those of AlphaFold are alphafold3 and alphafoldserver"
            ))),
        };
    }
    let entries = match fields.given("sequences") {
        Some(Node { value: Value::List(list), .. }) => list.as_slice(),
        _ => &[],
    };
    let bodies = || entries.iter().filter_map(|entry| if let Value::Map(map) = entry { map.first() } else { None });
    let is_server = matches!(root.value, Value::List(_))
        || bodies().any(|(kind, _)| matches!(kind.as_str(), "proteinChain" | "dnaSequence" | "rnaSequence" | "ion"));
    if is_server {
        return Ok(QuerySource::AlphaFoldServer);
    }
    if fields.given("modelSeeds").is_some() || fields.given("bondedAtomPairs").is_some() {
        return Ok(QuerySource::AlphaFold3);
    }
    let has = |value: &Value, keys: &[&str]| matches!(value, Value::Map(map) if map.iter().any(|(key, _)| keys.contains(&key.as_str())));
    let in_list =
        |value: &Value, keys: &[&str]| matches!(value, Value::List(list) if list.iter().any(|item| has(item, keys)));
    let is_boltz = has(root.value, &["version", "templates", "properties"])
        || fields.given("constraints").is_some_and(|node| in_list(node.value, &["pocket", "contact"]))
        || bodies().any(|(_, body)| {
            has(body, &["msa", "cyclic"])
                || matches!(body, Value::Map(map) if map.iter().any(|(key, value)| {
                    key == "modifications" && in_list(value, &["position"])
                }))
        });
    Ok(if is_boltz { QuerySource::Boltz } else { QuerySource::KFold })
}

/// Builds one query and writes down what it leaves.
struct Importer {
    source: QuerySource,
    stem: String,
    query: Query,
    seeds: Vec<u64>,
    left_out: Vec<String>,
    unlisted: usize,
    /// Ids that later entries ask for.
    reserved: HashSet<String>,
}

impl Importer {
    fn new(source: QuerySource, stem: &str) -> Self {
        Self {
            source,
            stem: stem.to_owned(),
            query: Query::default(),
            seeds: Vec::new(),
            left_out: Vec::new(),
            unlisted: 0,
            reserved: HashSet::new(),
        }
    }

    fn job(mut self, job: &Node<'_>) -> Result<Imported> {
        match self.source {
            QuerySource::Boltz => self.boltz(job)?,
            QuerySource::AlphaFold3 => self.alphafold3(job)?,
            QuerySource::AlphaFoldServer | QuerySource::KFold | QuerySource::Fasta => self.alphafold_server(job)?,
        }
        self.finish()
    }

    /// Something that does not come along.
    fn leave(&mut self, place: &str, why: &str) {
        if self.left_out.len() < MAX_LISTED {
            self.left_out.push(format!("{place}: {why}"));
        } else {
            self.unlisted += 1;
        }
    }

    /// Says of every field but those `taken` why it is left; `known` ones with their own reason.
    fn leave_rest(&mut self, fields: &Fields<'_>, taken: &[&str], known: &[(&str, &str)]) {
        for (key, value) in fields.map {
            if taken.contains(&key.as_str()) || holds_nothing(value) {
                continue;
            }
            let place = if fields.place.is_empty() { key.clone() } else { format!("{}.{key}", fields.place) };
            let why = known.iter().find(|(name, _)| name == key).map_or("this field is not known here", |(_, why)| why);
            self.leave(&place, why);
        }
    }

    /// Names the query: as it is called, else after the file.
    fn name(&mut self, given: Option<&str>) {
        let wanted = given.map_or(self.stem.as_str(), str::trim);
        let name = usable_name(wanted);
        if given.is_some() && name != wanted {
            let why = format!("`{wanted}` cannot name files; the query is called `{name}`");
            self.leave("name", &why);
        }
        self.query.name = name;
    }

    /// Seeds as the program counts them.
    fn take_seeds(&mut self, node: &Node<'_>) -> Result<()> {
        for seed in node.list_or_one() {
            let number = match seed.value {
                Value::Integer(number) => u64::try_from(*number).ok(),
                Value::Text(text) => text.parse().ok(),
                _ => None,
            };
            let Some(number) = number else { return Err(seed.error("a seed is a whole number from 0")) };
            if number == 0 {
                self.leave(&seed.place, "seeds begin at 1 here; the seed 0 is left out");
            } else if !self.seeds.contains(&number) && (self.seeds.len() as i64) < MAX_COPIES {
                self.seeds.push(number);
            }
        }
        Ok(())
    }

    /// Gives chains without a usable id one of their own, and says which.
    fn rename_chains(&mut self) {
        let all: HashSet<String> =
            self.query.sequences.iter().flat_map(Entity::chains).map(|(id, _)| id.to_owned()).collect();
        let mut taken: HashSet<String> = all.iter().filter(|id| is_chain_id(id)).cloned().collect();
        let mut renamed: HashMap<String, String> = HashMap::new();
        let mut said = Vec::new();
        for entity in &mut self.query.sequences {
            for id in ids_of(entity) {
                if !is_chain_id(id) {
                    let new = renamed.entry(id.clone()).or_insert_with(|| {
                        let free = free_id(&taken);
                        taken.insert(free.clone());
                        said.push(format!("the chain `{id}` is called `{free}` here"));
                        free
                    });
                    id.clone_from(new);
                }
            }
        }
        for bond in &mut self.query.bonds {
            for end in [&mut bond.atom1, &mut bond.atom2] {
                if let Some(new) = renamed.get(&end.chain) {
                    end.chain.clone_from(new);
                }
            }
        }
        for text in said {
            self.leave("sequences", &text);
        }
    }

    /// Says which components the dictionary does not have: the prediction would end there.
    fn check_components(&mut self) {
        let mut unknown = Vec::new();
        for (index, entity) in self.query.sequences.iter().enumerate() {
            let codes: Vec<&String> = match entity {
                Entity::Protein(polymer) | Entity::Dna(polymer) | Entity::Rna(polymer) => {
                    polymer.modifications.iter().map(|modification| &modification.ccd).collect()
                }
                Entity::Ligand(Ligand { source: LigandSource::Ccd(codes), .. }) => codes.iter().collect(),
                Entity::Ligand(_) | Entity::ProteinPair(_) => Vec::new(),
            };
            for code in codes.into_iter().take(MAX_LISTED) {
                if matches!(components::lookup(code), Ok(None)) {
                    unknown.push((format!("sequences[{index}].{}", entity.kind()), code.clone()));
                }
            }
        }
        for (place, code) in unknown {
            self.leave(&place, &format!("the component dictionary here has no `{code}`; give the molecule as SMILES"));
        }
    }

    fn finish(mut self) -> Result<Imported> {
        self.rename_chains();
        self.query.validate()?;
        self.check_components();
        if self.unlisted > 0 {
            self.left_out.push(format!("and {} more", self.unlisted));
        }
        Ok(Imported { query: self.query, source: self.source, seeds: self.seeds, left_out: self.left_out })
    }

    /// Ids for entities that come without: `count` free ones.
    fn free_ids(&self, count: usize) -> Vec<String> {
        let mut taken = self.reserved.clone();
        taken.extend(self.query.sequences.iter().flat_map(Entity::chains).map(|(id, _)| id.to_owned()));
        (0..count)
            .map(|_| {
                let id = free_id(&taken);
                taken.insert(id.clone());
                id
            })
            .collect()
    }
}

/// Whether a field loses nothing when it is left out.
fn holds_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Text(text) => text.trim().is_empty(),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Bool(true) | Value::Integer(_) | Value::Float(_) => false,
    }
}

/// The name of a query that is nearest to a text.
fn usable_name(text: &str) -> String {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-');
    let name: String = text.chars().take(100).map(|letter| if allowed(letter) { letter } else { '_' }).collect();
    let name = name.trim_start_matches(|letter: char| !letter.is_ascii_alphanumeric());
    if is_name(name) { name.to_owned() } else { "imported".to_owned() }
}

/// `A` to `Z`, then `A2`, `B2` and so on.
fn free_id(taken: &HashSet<String>) -> String {
    (1_usize..)
        .flat_map(|round| {
            ('A'..='Z').map(move |letter| if round == 1 { letter.to_string() } else { format!("{letter}{round}") })
        })
        .find(|id| !taken.contains(id))
        .unwrap_or_default()
}

fn ids_of(entity: &mut Entity) -> Vec<&mut String> {
    match entity {
        Entity::Protein(polymer) | Entity::Dna(polymer) | Entity::Rna(polymer) => polymer.ids.iter_mut().collect(),
        Entity::Ligand(ligand) => ligand.ids.iter_mut().collect(),
        Entity::ProteinPair(pair) => pair.ids1.iter_mut().chain(&mut pair.ids2).collect(),
    }
}
