//! Reading queries, in every spelling the public program has had.
//!
//! | 1.0.0 form, which is what we write | also read |
//! |---|---|
//! | `id: [A, B]` | `id: A` |
//! | `modifications: [{index: 8, ccd: SEP}]` | `{residue_index: 8, ccd: SEP}`; the mapping `{8: SEP}` |
//! | `apo: [a.pdb]`, `prior: [a.pdb]` | `apo: a.pdb` |
//! | `ccd: [NAG, NAG]` | `ccd: NAG` |
//! | `protein_pair: {id1: [H, M], id2: [L, N], sequence1, sequence2}` | `id: [H, L]`, `id: [[H, L], [M, N]]`, `id: H:L`, `id: [H:L, M:N]`; `sequence: S1:S2` |
//! | the same under `sequences` | `multimer_sequences: [{protein: {id: H:L, sequence: S1:S2}}]` beside `sequences` |
//! | `bonds: [[[A, 12, ND2], [H, 1, C1]]]` | `constraints: [{bond: {atom1: [A, 12, ND2], atom2: [H, 1, C1]}}]` |
//! | `name` | none, when read from a file: the file's name |
//!
//! A field set to null, a field given twice and a field nobody knows are errors, as in the public program. What older
//! versions had and 1.0.0 dropped because it means something else there (distance constraints, apo structures of RNA)
//! is refused with that explanation, not ignored.

use std::path::Path;

use super::node::{Fields, Node, closest};
use super::value::Value;
use super::{
    AUTOMATIC, Assembly, AssemblyStage, AtomReference, CovalentBond, Entity, Ligand, LigandSource, Modification,
    Pocket, Polymer, ProteinPair, Query, QueryEngine, QueryError, QueryFormat, SeriesLigand, series,
};
use crate::engine::EngineName;
use crate::kfold::settings::KFoldSettings;
use crate::settings::DockingSettings;

/// Largest query file that is read; a query is text that people write.
pub(super) const MAX_BYTES: u64 = 16 << 20;

/// Padding around a reference ligand when the query has none, Å on every side.
const LIGAND_PADDING: f32 = 8.0;
/// Padding around pocket residues when the query has none, Å on every side: their atoms already line the pocket.
const RESIDUE_PADDING: f32 = 4.0;

impl Query {
    /// Reads and validates a query file, and checks that the files it names are there. Paths come out absolute.
    ///
    /// # Errors
    /// [`QueryError`] with the file, the entry and the field.
    pub fn read(path: &Path) -> Result<Self, QueryError> {
        let read_error = |source| QueryError::Read { path: path.to_owned(), source };
        let format = QueryFormat::of(path).ok_or_else(|| QueryError::Format { path: path.to_owned() })?;
        let metadata = std::fs::metadata(path).map_err(read_error)?;
        if !metadata.is_file() {
            return Err(read_error(std::io::Error::other("it is not a file")));
        }
        if metadata.len() > MAX_BYTES {
            return Err(QueryError::TooLarge { path: path.to_owned(), bytes: metadata.len(), limit: MAX_BYTES });
        }
        let absolute = std::path::absolute(path).map_err(read_error)?;
        let folder = absolute.parent().unwrap_or(Path::new("/"));
        let bytes = std::fs::read(path).map_err(read_error)?;
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let read = || {
            let text = String::from_utf8(bytes).map_err(|error| QueryError::Syntax {
                format: format.name(),
                problem: format!("not UTF-8 text ({error})"),
            })?;
            let query = Self::parse_named(&text, format, folder, stem)?;
            query.check_files()?;
            Ok(query)
        };
        read().map_err(|source| QueryError::InFile { path: path.to_owned(), source: Box::new(source) })
    }

    /// Reads and validates a query from text; relative paths count from `folder`. Does not look at the files it names,
    /// but for a `series` file, which becomes part of the query.
    ///
    /// # Errors
    /// [`QueryError`] with the entry and the field.
    pub fn parse(text: &str, format: QueryFormat, folder: &Path) -> Result<Self, QueryError> {
        Self::parse_named(text, format, folder, None)
    }

    fn parse_named(text: &str, format: QueryFormat, folder: &Path, stem: Option<&str>) -> Result<Self, QueryError> {
        let value = match format {
            QueryFormat::Yaml => Value::from_yaml(text),
            QueryFormat::Json => Value::from_json(text),
        }
        .map_err(|problem| QueryError::Syntax { format: format.name(), problem })?;
        Self::from_value(&value, folder, stem)
    }

    pub(super) fn from_value(value: &Value, folder: &Path, stem: Option<&str>) -> Result<Self, QueryError> {
        let query = Reader { folder, may_read: true }.query(&Node { value, place: String::new() }, stem)?;
        query.validate()?;
        Ok(query)
    }

    /// Reads and validates a query (JSON) that came from elsewhere, without looking at any file: paths stay as they are
    /// written, and a `series` that names a file is refused.
    ///
    /// # Errors
    /// [`QueryError`] with the entry and the field.
    pub fn parse_foreign(text: &str) -> Result<Self, QueryError> {
        let value = Value::from_json(text).map_err(|problem| QueryError::Syntax { format: "JSON", problem })?;
        let reader = Reader { folder: Path::new(""), may_read: false };
        let query = reader.query(&Node { value: &value, place: String::new() }, None)?;
        query.validate()?;
        Ok(query)
    }
}

impl QueryFormat {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Yaml => "YAML",
            Self::Json => "JSON",
        }
    }
}

type Result<T, E = QueryError> = std::result::Result<T, E>;

struct Reader<'a> {
    folder: &'a Path,
    /// Whether a `series` file may be read.
    may_read: bool,
}

impl Reader<'_> {
    fn query(&self, root: &Node<'_>, stem: Option<&str>) -> Result<Query> {
        let fields = root.fields(&[
            "name",
            "sequences",
            "multimer_sequences",
            "bonds",
            "constraints",
            "assembly",
            "structure",
            "pocket",
            "series",
            "engine",
        ])?;
        let name = match (fields.text("name")?, stem) {
            (Some(name), _) => name,
            (None, Some(stem)) => stem.to_owned(),
            (None, None) => return Err(fields.error("the field `name` is missing")),
        };
        let mut sequences = Vec::new();
        if let Some(node) = fields.get("sequences") {
            for entry in node.list()? {
                sequences.push(self.entity(&entry)?);
            }
        }
        if let Some(node) = fields.get("multimer_sequences") {
            for entry in node.list()? {
                sequences.push(self.multimer(&entry)?);
            }
        }
        if fields.get("sequences").is_none() && fields.get("multimer_sequences").is_none() {
            return Err(fields.error("the field `sequences` is missing"));
        }
        let mut bonds = Vec::new();
        if let Some(node) = fields.get("bonds") {
            for bond in node.list()? {
                let ends = bond.list()?;
                let [atom1, atom2] = ends.as_slice() else {
                    return Err(bond.error(format!(
                        "a bond is two atoms [[chain, position, atom], [chain, position, atom]], found {}",
                        ends.len()
                    )));
                };
                bonds.push(CovalentBond { atom1: atom_reference(atom1)?, atom2: atom_reference(atom2)? });
            }
        }
        if let Some(node) = fields.get("constraints") {
            for constraint in node.list()? {
                bonds.push(constraint_bond(&constraint)?);
            }
        }
        let structure = fields.get("structure").map(|node| self.path(&node)).transpose()?;
        let pocket = fields.get("pocket").map(|node| self.pocket(&node)).transpose()?;
        let series = fields.get("series").map(|node| self.series(&node)).transpose()?.unwrap_or_default();
        let assembly = fields.get("assembly").map(|node| assembly(&node)).transpose()?;
        let engine = fields.get("engine").map(|node| engine(&node)).transpose()?;
        Ok(Query { name, sequences, bonds, structure, pocket, series, assembly, engine })
    }

    fn entity(&self, entry: &Node<'_>) -> Result<Entity> {
        let (kind, body) = single_kind(entry)?;
        match kind {
            "protein" => {
                let fields = body.fields(&["id", "sequence", "modifications", "apo", "prior", "description"])?;
                let mut polymer = polymer(&fields)?;
                polymer.apo = self.paths(&fields, "apo")?;
                polymer.prior = self.paths(&fields, "prior")?;
                Ok(Entity::Protein(polymer))
            }
            "dna" | "rna" => {
                for key in ["apo", "prior"] {
                    if body.map()?.iter().any(|(name, _)| name == key) {
                        return Err(body.error(format!(
                            "`{key}` belongs to proteins: K-Fold 1.0.0 takes no given structures of nucleic acids; \
                             remove it"
                        )));
                    }
                }
                let polymer = polymer(&body.fields(&["id", "sequence", "modifications", "description"])?)?;
                Ok(if kind == "dna" { Entity::Dna(polymer) } else { Entity::Rna(polymer) })
            }
            "protein_pair" => self.pair(&body),
            "ligand" => {
                let fields = body.fields(&["id", "smiles", "ccd", "sdf", "record", "description"])?;
                Ok(Entity::Ligand(Ligand {
                    ids: fields.require("id")?.texts()?,
                    source: self.ligand_source(&fields, true)?,
                    description: fields.text("description")?,
                }))
            }
            other => {
                let known = ["protein", "dna", "rna", "ligand", "protein_pair"];
                let hint = closest(other, &known).map_or_else(
                    || format!("the types are {}", known.join(", ")),
                    |name| format!("did you mean `{name}`?"),
                );
                Err(entry.error(format!("unknown sequence type `{other}`; {hint}")))
            }
        }
    }

    fn multimer(&self, entry: &Node<'_>) -> Result<Entity> {
        match single_kind(entry)? {
            ("protein" | "protein_pair", body) => self.pair(&body),
            (other, _) => Err(entry
                .error(format!("`multimer_sequences` holds pairs of proteins, not `{other}`; move it to `sequences`"))),
        }
    }

    fn pair(&self, body: &Node<'_>) -> Result<Entity> {
        let fields = body.fields(&[
            "id",
            "id1",
            "id2",
            "sequence",
            "sequence1",
            "sequence2",
            "modifications1",
            "modifications2",
            "apo",
            "prior",
            "description",
        ])?;
        let (ids1, ids2) = match (fields.get("id"), fields.get("id1"), fields.get("id2")) {
            (Some(id), None, None) => pair_ids(&id)?,
            (None, Some(id1), Some(id2)) => (id1.texts()?, id2.texts()?),
            (Some(_), _, _) => return Err(body.error("give either `id` or `id1` with `id2`")),
            _ => return Err(body.error("a protein pair needs `id1` and `id2`")),
        };
        let (sequence1, sequence2) =
            match (fields.text("sequence")?, fields.text("sequence1")?, fields.text("sequence2")?) {
                (Some(both), None, None) => match both.split_once(':') {
                    Some((first, second)) => (first.to_owned(), second.to_owned()),
                    None => {
                        return Err(body.error("`sequence` of a pair is two sequences joined by a colon (S1:S2)"));
                    }
                },
                (None, Some(first), Some(second)) => (first, second),
                (Some(_), _, _) => return Err(body.error("give either `sequence` or `sequence1` with `sequence2`")),
                _ => return Err(body.error("a protein pair needs `sequence1` and `sequence2`")),
            };
        Ok(Entity::ProteinPair(ProteinPair {
            ids1,
            ids2,
            sequence1,
            sequence2,
            modifications1: modifications(&fields, "modifications1")?,
            modifications2: modifications(&fields, "modifications2")?,
            apo: self.paths(&fields, "apo")?,
            prior: self.paths(&fields, "prior")?,
            description: fields.text("description")?,
        }))
    }

    fn ligand_source(&self, fields: &Fields<'_>, with_ccd: bool) -> Result<LigandSource> {
        let ccd = if with_ccd { fields.get("ccd") } else { None };
        if let (Some(node), None) = (fields.get("record"), fields.get("sdf")) {
            return Err(node.error("`record` says which record of `sdf` is meant; there is no `sdf`"));
        }
        match (fields.get("smiles"), ccd, fields.get("sdf")) {
            (Some(smiles), None, None) => Ok(LigandSource::Smiles(smiles.text()?.to_owned())),
            (None, Some(ccd), None) => Ok(LigandSource::Ccd(ccd.texts()?)),
            (None, None, Some(sdf)) => Ok(LigandSource::Sdf {
                file: self.path(&sdf)?,
                record: fields.get("record").map(|node| node.index()).transpose()?.unwrap_or(1),
            }),
            _ if with_ccd => Err(fields.error("a ligand has exactly one of `smiles`, `ccd` and `sdf`")),
            _ => Err(fields.error("a ligand of a series has exactly one of `smiles` and `sdf`")),
        }
    }

    fn path(&self, node: &Node<'_>) -> Result<std::path::PathBuf> {
        let text = node.text()?;
        if text.is_empty() {
            return Err(node.error("the path is empty"));
        }
        Ok(self.folder.join(text))
    }

    fn paths(&self, fields: &Fields<'_>, key: &str) -> Result<Vec<std::path::PathBuf>> {
        let Some(node) = fields.get(key) else { return Ok(Vec::new()) };
        let paths = node.list_or_one().iter().map(|node| self.path(node)).collect::<Result<Vec<_>>>()?;
        if paths.is_empty() { Err(node.error("the list is empty; leave the field out instead")) } else { Ok(paths) }
    }

    fn pocket(&self, node: &Node<'_>) -> Result<Pocket> {
        let fields = node.fields(&["residues", "center", "size", "ligand", "padding"])?;
        let padding = fields.get("padding").map(|node| node.number()).transpose()?;
        match (fields.get("residues"), fields.get("center"), fields.get("size"), fields.get("ligand")) {
            (Some(residues), None, None, None) => {
                Ok(Pocket::Residues { residues: residues.texts()?, padding: padding.unwrap_or(RESIDUE_PADDING) })
            }
            (None, Some(center), Some(size), None) => match padding {
                None => Ok(Pocket::Box { center: center.numbers3()?, size: size.numbers3()? }),
                Some(_) => Err(node.error("`padding` has no meaning beside `size`; make the box larger instead")),
            },
            (None, None, None, Some(ligand)) => {
                Ok(Pocket::Ligand { file: self.path(&ligand)?, padding: padding.unwrap_or(LIGAND_PADDING) })
            }
            _ => Err(node.error(
                "a pocket is one of `residues` (a list such as [A:145, A:146]), `center` with `size` (Å), \
                 and `ligand` (a file)",
            )),
        }
    }

    fn series(&self, node: &Node<'_>) -> Result<Vec<SeriesLigand>> {
        if let Value::Text(_) = node.value {
            if !self.may_read {
                return Err(node.error("give the ligands as a list; the file of a series is not read here"));
            }
            let path = self.path(node)?;
            return series::read_series(&path).map_err(|problem| node.error(problem.to_string()));
        }
        let mut ligands = Vec::new();
        for entry in node.list()? {
            let fields = entry.fields(&["id", "smiles", "sdf", "record", "measured_pk", "pAffinity"])?;
            let measured_pk = match (fields.get("measured_pk"), fields.get("pAffinity")) {
                (Some(_), Some(_)) => return Err(entry.error("`measured_pk` and `pAffinity` are the same; give one")),
                (Some(node), None) | (None, Some(node)) => Some(node.number()?),
                (None, None) => None,
            };
            ligands.push(SeriesLigand {
                name: fields.require("id")?.text()?.to_owned(),
                source: self.ligand_source(&fields, false)?,
                measured_pk,
            });
        }
        if ligands.is_empty() { Err(node.error("the series has no ligand")) } else { Ok(ligands) }
    }
}

pub(super) fn single_kind<'a>(entry: &Node<'a>) -> Result<(&'a str, Node<'a>)> {
    match entry.map()? {
        [(kind, body)] => Ok((kind, Node { value: body, place: format!("{}.{kind}", entry.place) })),
        map => Err(entry.error(format!(
            "an entry is one sequence type with its fields below it (`protein:`, `ligand:`, ...), found {} fields; \
             check the indentation",
            map.len()
        ))),
    }
}

fn polymer(fields: &Fields<'_>) -> Result<Polymer> {
    Ok(Polymer {
        ids: fields.require("id")?.texts()?,
        sequence: fields.require("sequence")?.text()?.to_owned(),
        modifications: modifications(fields, "modifications")?,
        apo: Vec::new(),
        prior: Vec::new(),
        description: fields.text("description")?,
    })
}

fn modifications(fields: &Fields<'_>, key: &str) -> Result<Vec<Modification>> {
    let Some(node) = fields.get(key) else { return Ok(Vec::new()) };
    if let Value::Map(map) = node.value {
        return map
            .iter()
            .map(|(position, ccd)| {
                let body = Node { value: ccd, place: format!("{}.{position}", node.place) };
                let index = position.parse().ok().filter(|index| *index >= 1);
                let index = index.ok_or_else(|| {
                    body.error(format!("`{position}` is no position; positions are whole numbers from 1"))
                })?;
                Ok(Modification { index, ccd: body.text()?.to_owned() })
            })
            .collect();
    }
    let mut modifications = Vec::new();
    for entry in node.list()? {
        let fields = entry.fields(&["index", "residue_index", "ccd"])?;
        let index = match (fields.get("index"), fields.get("residue_index")) {
            (Some(index), None) | (None, Some(index)) => index.index()?,
            (Some(_), Some(_)) => return Err(entry.error("`index` and `residue_index` are the same; give one")),
            (None, None) => return Err(entry.error("the field `index` is missing")),
        };
        modifications.push(Modification { index, ccd: fields.require("ccd")?.text()?.to_owned() });
    }
    Ok(modifications)
}

/// `H:L`, `[H, L]`, `[H:L, M:N]`, `[[H, L], [M, N]]`.
fn pair_ids(node: &Node<'_>) -> Result<(Vec<String>, Vec<String>)> {
    const FORMS: &str = "a pair's `id` is [H, L], or [[H, L], [M, N]] for copies";
    let split = |node: &Node<'_>| -> Result<(String, String)> {
        if let Value::List(_) = node.value {
            return match node.texts()?.as_slice() {
                [first, second] => Ok((first.clone(), second.clone())),
                _ => Err(node.error(FORMS)),
            };
        }
        let text = node.text()?;
        text.split_once(':')
            .map(|(first, second)| (first.trim().to_owned(), second.trim().to_owned()))
            .ok_or_else(|| node.error(FORMS))
    };
    let entries = node.list_or_one();
    let plain = |node: &Node<'_>| matches!(node.value, Value::Text(text) if !text.contains(':'));
    if let [first, second] = entries.as_slice()
        && plain(first)
        && plain(second)
    {
        return Ok((vec![first.text()?.to_owned()], vec![second.text()?.to_owned()]));
    }
    let pairs = entries.iter().map(split).collect::<Result<Vec<_>>>()?;
    Ok(pairs.into_iter().unzip())
}

pub(super) fn atom_reference(node: &Node<'_>) -> Result<AtomReference> {
    let parts = node.list()?;
    let [chain, residue, atom] = parts.as_slice() else {
        return Err(node.error(format!("an atom is [chain, position, atom name], found {} parts", parts.len())));
    };
    Ok(AtomReference { chain: chain.text()?.to_owned(), residue: residue.index()?, atom: atom.text()?.to_owned() })
}

fn constraint_bond(node: &Node<'_>) -> Result<CovalentBond> {
    match single_kind(node)? {
        ("bond", body) => {
            let fields = body.fields(&["atom1", "atom2"])?;
            Ok(CovalentBond {
                atom1: atom_reference(&fields.require("atom1")?)?,
                atom2: atom_reference(&fields.require("atom2")?)?,
            })
        }
        (other, _) => Err(node.error(format!(
            "K-Fold 1.0.0 knows no `{other}` constraint; only covalent bonds can be given: remove it, or write it under \
             `bonds`"
        ))),
    }
}

fn assembly(node: &Node<'_>) -> Result<Assembly> {
    let fields = node.fields(&["stages", "selection"])?;
    let mut stages = Vec::new();
    for stage in fields.require("stages")?.list()? {
        let fields = stage.fields(&["id", "chains"])?;
        stages.push(AssemblyStage {
            id: fields.require("id")?.text()?.to_owned(),
            chains: fields.require("chains")?.texts()?,
        });
    }
    Ok(Assembly { stages, selection: fields.text("selection")?.unwrap_or_else(|| "confidence_top1".into()) })
}

fn engine(node: &Node<'_>) -> Result<QueryEngine> {
    let name = |node: &Node<'_>| -> Result<Option<EngineName>> {
        let text = node.text()?;
        if text == AUTOMATIC {
            return Ok(None);
        }
        let named = EngineName::from_name(text).ok_or_else(|| {
            node.error(format!("unknown engine `{text}`; the engines here are {}, {AUTOMATIC}", EngineName::list()))
        });
        named.map(Some)
    };
    if let Value::Text(_) = node.value {
        return Ok(QueryEngine { name: name(node)?, docking: None, kfold: None });
    }
    let fields = node.fields(&["name", "docking", "kfold"])?;
    let docking = fields.get("docking").map(|node| {
        node.fields(DockingSettings::FIELDS)?;
        // The settings know their own fields and ranges; the tree only has to become what serde reads.
        let json = serde_json::to_value(node.value).map_err(|error| node.error(error.to_string()))?;
        serde_json::from_value::<DockingSettings>(json).map_err(|error| node.error(error.to_string()))
    });
    let docking = docking.transpose()?;
    let kfold = fields.get("kfold").map(|node| {
        let json = serde_json::to_value(node.value).map_err(|error| node.error(error.to_string()))?;
        serde_json::from_value::<KFoldSettings>(json).map_err(|error| node.error(error.to_string()))
    });
    let kfold = kfold.transpose()?;
    let name = match fields.get("name") {
        Some(node) => name(&node)?,
        // Settings of an engine ask for that engine.
        None if docking.is_some() && kfold.is_none() => Some(EngineName::Docking),
        None if kfold.is_some() && docking.is_none() => Some(EngineName::KFold),
        None => return Err(node.error("the field `name` is missing")),
    };
    Ok(QueryEngine { name, docking, kfold })
}
