//! Writing queries in the 1.0.0 form; our additions only where the query has them.

use std::path::{Component, Path, PathBuf};

use super::value::Value;
use super::{
    AUTOMATIC, AtomReference, Entity, LigandSource, Modification, Pocket, Polymer, ProteinPair, Query, QueryError,
    QueryFormat,
};
use crate::engine::EngineName;

impl Query {
    /// The query as text. Paths are written relative to `folder`, absolute without one.
    ///
    /// # Errors
    /// [`QueryError::Field`] when a path is not Unicode, which the formats cannot hold.
    pub fn to_text(&self, format: QueryFormat, folder: Option<&Path>) -> Result<String, QueryError> {
        let value = Writer { folder }.query(self)?;
        match format {
            QueryFormat::Json => serde_json::to_string_pretty(&value)
                .map(|text| text + "\n")
                .map_err(|error| QueryError::Syntax { format: "JSON", problem: error.to_string() }),
            QueryFormat::Yaml => serde_saphyr::to_string(&value)
                .map_err(|error| QueryError::Syntax { format: "YAML", problem: error.to_string() }),
        }
    }

    /// Writes a query file whole or not at all, paths relative to its folder.
    ///
    /// # Errors
    /// [`QueryError`] when the extension is unknown or the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), QueryError> {
        let format = QueryFormat::of(path).ok_or_else(|| QueryError::Format { path: path.to_owned() })?;
        let write_error = |source| QueryError::Write { path: path.to_owned(), source };
        let absolute = std::path::absolute(path).map_err(write_error)?;
        let text = self.to_text(format, absolute.parent())?;
        crate::job::files::write_whole(&absolute, text.as_bytes()).map_err(write_error)
    }
}

struct Writer<'a> {
    folder: Option<&'a Path>,
}

type Map = Vec<(String, Value)>;

fn put(map: &mut Map, key: &str, value: impl Into<Value>) {
    map.push((key.to_owned(), value.into()));
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<Vec<Self>> for Value {
    fn from(list: Vec<Self>) -> Self {
        Self::List(list)
    }
}

fn texts(list: &[String]) -> Value {
    Value::List(list.iter().map(Value::from).collect())
}

impl Writer<'_> {
    fn query(&self, query: &Query) -> Result<Value, QueryError> {
        let mut map = Map::new();
        put(&mut map, "name", &query.name);
        let sequences = query.sequences.iter().map(|entity| self.entity(entity)).collect::<Result<Vec<_>, _>>()?;
        put(&mut map, "sequences", sequences);
        if !query.bonds.is_empty() {
            let bonds = query.bonds.iter().map(|bond| Value::List(vec![atom(&bond.atom1), atom(&bond.atom2)]));
            put(&mut map, "bonds", bonds.collect::<Vec<_>>());
        }
        if let Some(assembly) = &query.assembly {
            let stages = assembly.stages.iter().map(|stage| {
                Value::Map(vec![("id".into(), (&stage.id).into()), ("chains".into(), texts(&stage.chains))])
            });
            let stages = stages.collect::<Vec<_>>();
            put(
                &mut map,
                "assembly",
                Value::Map(vec![("stages".into(), stages.into()), ("selection".into(), (&assembly.selection).into())]),
            );
        }
        if let Some(path) = &query.structure {
            put(&mut map, "structure", self.path(path, "structure")?);
        }
        if let Some(pocket) = &query.pocket {
            put(&mut map, "pocket", self.pocket(pocket)?);
        }
        if !query.series.is_empty() {
            let mut series = Vec::new();
            for (index, ligand) in query.series.iter().enumerate() {
                let mut entry = Map::new();
                put(&mut entry, "id", &ligand.name);
                self.ligand(&mut entry, &ligand.source, &format!("series[{index}]"))?;
                if let Some(pk) = ligand.measured_pk {
                    put(&mut entry, "measured_pk", Value::from_f32(pk));
                }
                series.push(Value::Map(entry));
            }
            put(&mut map, "series", series);
        }
        if let Some(engine) = &query.engine {
            let mut entry = Map::new();
            put(&mut entry, "name", engine.name.map_or(AUTOMATIC, EngineName::name));
            if let Some(docking) = &engine.docking {
                let json = serde_json::to_string(docking)
                    .map_err(|error| QueryError::field("engine.docking", error.to_string()))?;
                let value = Value::from_json(&json).map_err(|error| QueryError::field("engine.docking", error))?;
                put(&mut entry, "docking", value);
            }
            if let Some(kfold) = &engine.kfold {
                let json = serde_json::to_string(kfold)
                    .map_err(|error| QueryError::field("engine.kfold", error.to_string()))?;
                let value = Value::from_json(&json).map_err(|error| QueryError::field("engine.kfold", error))?;
                put(&mut entry, "kfold", value);
            }
            put(&mut map, "engine", Value::Map(entry));
        }
        Ok(Value::Map(map))
    }

    fn entity(&self, entity: &Entity) -> Result<Value, QueryError> {
        let mut map = Map::new();
        match entity {
            Entity::Protein(polymer) | Entity::Dna(polymer) | Entity::Rna(polymer) => {
                self.polymer(&mut map, polymer)?;
            }
            Entity::ProteinPair(pair) => {
                self.pair(&mut map, pair)?;
            }
            Entity::Ligand(ligand) => {
                put(&mut map, "id", texts(&ligand.ids));
                self.ligand(&mut map, &ligand.source, "ligand")?;
                if let Some(text) = &ligand.description {
                    put(&mut map, "description", text);
                }
            }
        }
        Ok(Value::Map(vec![(entity.kind().to_owned(), Value::Map(map))]))
    }

    fn polymer(&self, map: &mut Map, polymer: &Polymer) -> Result<(), QueryError> {
        put(map, "id", texts(&polymer.ids));
        if let Some(text) = &polymer.description {
            put(map, "description", text);
        }
        put(map, "sequence", &polymer.sequence);
        put_modifications(map, "modifications", &polymer.modifications);
        self.paths(map, "apo", &polymer.apo)?;
        self.paths(map, "prior", &polymer.prior)
    }

    fn pair(&self, map: &mut Map, pair: &ProteinPair) -> Result<(), QueryError> {
        put(map, "id1", texts(&pair.ids1));
        put(map, "id2", texts(&pair.ids2));
        put(map, "sequence1", &pair.sequence1);
        put(map, "sequence2", &pair.sequence2);
        put_modifications(map, "modifications1", &pair.modifications1);
        put_modifications(map, "modifications2", &pair.modifications2);
        self.paths(map, "apo", &pair.apo)?;
        self.paths(map, "prior", &pair.prior)?;
        if let Some(text) = &pair.description {
            put(map, "description", text);
        }
        Ok(())
    }

    fn ligand(&self, map: &mut Map, source: &LigandSource, place: &str) -> Result<(), QueryError> {
        match source {
            LigandSource::Smiles(smiles) => put(map, "smiles", smiles),
            LigandSource::Ccd(codes) => put(map, "ccd", texts(codes)),
            LigandSource::Sdf { file, record } => {
                put(map, "sdf", self.path(file, place)?);
                if *record != 1 {
                    put(map, "record", Value::Integer(i64::from(*record)));
                }
            }
        }
        Ok(())
    }

    fn pocket(&self, pocket: &Pocket) -> Result<Value, QueryError> {
        let numbers = |values: &[f32; 3]| Value::List(values.iter().map(|value| Value::from_f32(*value)).collect());
        Ok(Value::Map(match pocket {
            Pocket::Residues { residues, padding } => {
                vec![("residues".into(), texts(residues)), ("padding".into(), Value::from_f32(*padding))]
            }
            Pocket::Box { center, size } => {
                vec![("center".into(), numbers(center)), ("size".into(), numbers(size))]
            }
            Pocket::Ligand { file, padding } => vec![
                ("ligand".into(), self.path(file, "pocket.ligand")?),
                ("padding".into(), Value::from_f32(*padding)),
            ],
        }))
    }

    fn paths(&self, map: &mut Map, key: &str, paths: &[PathBuf]) -> Result<(), QueryError> {
        if !paths.is_empty() {
            let list = paths.iter().map(|path| self.path(path, key)).collect::<Result<Vec<_>, _>>()?;
            put(map, key, list);
        }
        Ok(())
    }

    fn path(&self, path: &Path, place: &str) -> Result<Value, QueryError> {
        let relative = self.folder.and_then(|folder| relative_path(path, folder));
        let path = relative.as_deref().unwrap_or(path);
        let text = path.to_str().ok_or_else(|| {
            QueryError::field(place, format!("{} is not a Unicode path; rename the file", path.display()))
        })?;
        Ok(Value::Text(text.to_owned()))
    }
}

fn put_modifications(map: &mut Map, key: &str, modifications: &[Modification]) {
    if !modifications.is_empty() {
        let list = modifications.iter().map(|modification| {
            Value::Map(vec![
                ("index".into(), Value::Integer(i64::from(modification.index))),
                ("ccd".into(), (&modification.ccd).into()),
            ])
        });
        put(map, key, list.collect::<Vec<_>>());
    }
}

fn atom(atom: &AtomReference) -> Value {
    Value::List(vec![(&atom.chain).into(), Value::Integer(i64::from(atom.residue)), (&atom.atom).into()])
}

/// `path` as seen from `folder`, both absolute; `None` when there is no way (another drive) or `path` is relative.
fn relative_path(path: &Path, folder: &Path) -> Option<PathBuf> {
    if !path.is_absolute() || !folder.is_absolute() {
        return None;
    }
    let ordinary = |component: &Component<'_>| !matches!(component, Component::ParentDir | Component::CurDir);
    let from: Vec<_> = folder.components().collect();
    let to: Vec<_> = path.components().collect();
    if !from.iter().all(ordinary) || from.first() != to.first() {
        return None;
    }
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut relative: PathBuf = std::iter::repeat_n(Component::ParentDir, from.len() - common).collect();
    relative.extend(&to[common..]);
    Some(relative)
}
