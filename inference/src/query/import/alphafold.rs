//! AlphaFold JSON: AlphaFold 3's own dialect, and that of the server.

use super::super::node::{Fields, Node};
use super::super::read::{atom_reference, single_kind};
use super::super::value::Value;
use super::super::{CovalentBond, Entity, Ligand, LigandSource, Modification, Polymer, QueryError};
use super::boltz::{code, codes};
use super::{Importer, MAX_COPIES, Result};

const MSA: &str = "K-Fold reads no alignments; its language model takes their place";
const TEMPLATES: &str = "K-Fold takes no templates; a structure of the unbound protein can be its `apo`";
const USER_CCD: &str = "components of one's own cannot be given; write the molecule as SMILES";
const GLYCAN: &str =
    "a sugar tree says no linkage atoms; add its sugars as a ligand of components and the bonds between them";

/// Newest version of each dialect that is known.
const ALPHAFOLD3_VERSION: i64 = 4;
const SERVER_VERSION: i64 = 3;

const ALIGNMENTS: [(&str, &str); 6] = [
    ("unpairedMsa", MSA),
    ("unpairedMsaPath", MSA),
    ("pairedMsa", MSA),
    ("pairedMsaPath", MSA),
    ("templates", TEMPLATES),
    ("useStructureTemplate", TEMPLATES),
];

impl Importer {
    pub(super) fn alphafold3(&mut self, job: &Node<'_>) -> Result<()> {
        let fields = Fields { map: job.map()?, place: job.place.clone() };
        self.alphafold_head(&fields, ALPHAFOLD3_VERSION)?;
        for entry in fields.require("sequences")?.list()? {
            let (kind, body) = single_kind(&entry)?;
            let fields = Fields { map: body.map()?, place: body.place.clone() };
            let ids = fields.require("id")?.texts()?;
            let description = fields.given("description").map(|node| node.text().map(str::to_owned)).transpose()?;
            if kind == "ligand" {
                let source = match (fields.given("smiles"), fields.given("ccdCodes")) {
                    (Some(smiles), None) => LigandSource::Smiles(smiles.text()?.to_owned()),
                    (None, Some(given)) => LigandSource::Ccd(codes(&given)?),
                    _ => return Err(body.error("a ligand has exactly one of `smiles` and `ccdCodes`")),
                };
                self.leave_rest(&fields, &["id", "smiles", "ccdCodes", "description"], &[]);
                self.query.sequences.push(Entity::Ligand(Ligand { ids, source, description }));
                continue;
            }
            let modifications = self.alphafold_modifications(&fields)?;
            self.leave_rest(&fields, &["id", "sequence", "modifications", "description"], &ALIGNMENTS);
            let sequence = fields.require("sequence")?.text()?.to_owned();
            let polymer = Polymer { ids, sequence, modifications, description, ..Polymer::default() };
            let entity = match kind {
                "protein" => Entity::Protein(polymer),
                "dna" => Entity::Dna(polymer),
                "rna" => Entity::Rna(polymer),
                other => {
                    return Err(entry.error(format!("`{other}` is none of protein, dna, rna and ligand")));
                }
            };
            self.query.sequences.push(entity);
        }
        if let Some(node) = fields.given("bondedAtomPairs") {
            for bond in node.list()? {
                let ends = bond.list()?;
                let [atom1, atom2] = ends.as_slice() else {
                    return Err(bond.error(format!("a bond is two atoms, found {}", ends.len())));
                };
                let (atom1, atom2) = (atom_reference(atom1)?, atom_reference(atom2)?);
                self.query.bonds.push(CovalentBond { atom1, atom2 });
            }
        }
        let taken = ["name", "modelSeeds", "sequences", "bondedAtomPairs", "dialect", "version"];
        self.leave_rest(&fields, &taken, &[("userCCD", USER_CCD), ("userCCDPath", USER_CCD)]);
        Ok(())
    }

    pub(super) fn alphafold_server(&mut self, job: &Node<'_>) -> Result<()> {
        let fields = Fields { map: job.map()?, place: job.place.clone() };
        self.alphafold_head(&fields, SERVER_VERSION)?;
        for entry in fields.require("sequences")?.list()? {
            let (kind, body) = single_kind(&entry)?;
            let fields = Fields { map: body.map()?, place: body.place.clone() };
            let ids = self.free_ids(copies(&fields)?);
            if let "ligand" | "ion" = kind {
                let source = LigandSource::Ccd(vec![code(fields.require(kind)?.text()?)]);
                self.leave_rest(&fields, &[kind, "count"], &[]);
                self.query.sequences.push(Entity::Ligand(Ligand { ids, source, description: None }));
                continue;
            }
            let modifications = self.alphafold_modifications(&fields)?;
            if let Some(glycans) = fields.given("glycans") {
                for glycan in glycans.list()? {
                    let body = Fields { map: glycan.map()?, place: glycan.place.clone() };
                    let residues = body.given("residues").map(|node| node.text()).transpose()?.unwrap_or_default();
                    let position = body.given("position").map(|node| node.index()).transpose()?;
                    let at = position.map(|position| format!(" at position {position}")).unwrap_or_default();
                    self.leave(&glycan.place, &format!("the glycan {residues}{at}: {GLYCAN}"));
                }
            }
            let known = [ALIGNMENTS.as_slice(), &[("maxTemplateDate", TEMPLATES)]].concat();
            self.leave_rest(&fields, &["sequence", "count", "modifications", "glycans"], &known);
            let sequence = fields.require("sequence")?.text()?.to_owned();
            let polymer = Polymer { ids, sequence, modifications, ..Polymer::default() };
            let entity = match kind {
                "proteinChain" => Entity::Protein(polymer),
                "dnaSequence" => Entity::Dna(polymer),
                "rnaSequence" => Entity::Rna(polymer),
                other => {
                    return Err(entry.error(format!(
                        "`{other}` is none of proteinChain, dnaSequence, rnaSequence, ligand and ion"
                    )));
                }
            };
            self.query.sequences.push(entity);
        }
        self.leave_rest(&fields, &["name", "modelSeeds", "sequences", "dialect", "version"], &[]);
        Ok(())
    }

    fn alphafold_head(&mut self, fields: &Fields<'_>, newest: i64) -> Result<()> {
        self.name(fields.given("name").map(|node| node.text()).transpose()?);
        if let Some(node) = fields.given("modelSeeds") {
            self.take_seeds(&node)?;
        }
        if let Some(version) = fields.given("version")
            && !matches!(version.value, Value::Integer(number) if (1..=newest).contains(number))
        {
            self.leave("version", "this version of the format is not known here; it is read like the newest that is");
        }
        Ok(())
    }

    /// `ptmType` and `ptmPosition` of proteins, `modificationType` and `basePosition` of nucleic acids.
    fn alphafold_modifications(&mut self, fields: &Fields<'_>) -> Result<Vec<Modification>> {
        let Some(node) = fields.given("modifications") else { return Ok(Vec::new()) };
        let mut modifications = Vec::new();
        for entry in node.list()? {
            let fields = Fields { map: entry.map()?, place: entry.place.clone() };
            let first = |names: [&str; 2]| {
                let [name, other] = names;
                fields.given(name).or_else(|| fields.given(other)).ok_or_else(|| {
                    QueryError::field(
                        &entry.place,
                        format!("the field `{name}` (of nucleic acids `{other}`) is missing"),
                    )
                })
            };
            let ccd = code(first(["ptmType", "modificationType"])?.text()?);
            let index = first(["ptmPosition", "basePosition"])?.index()?;
            modifications.push(Modification { index, ccd });
            self.leave_rest(&fields, &["ptmType", "modificationType", "ptmPosition", "basePosition"], &[]);
        }
        Ok(modifications)
    }
}

/// How many copies of an entity a job asks for.
fn copies(fields: &Fields<'_>) -> Result<usize> {
    let Some(node) = fields.given("count") else { return Ok(1) };
    match node.value {
        Value::Integer(count) if (1..=MAX_COPIES).contains(count) => Ok(usize::try_from(*count).unwrap_or(1)),
        _ => Err(node.error(format!("`count` is a number of copies from 1 to {MAX_COPIES}"))),
    }
}
