//! Boltz YAML.

use super::super::node::{Fields, Node};
use super::super::read::{atom_reference, single_kind};
use super::super::{CovalentBond, Entity, Ligand, LigandSource, Modification, Polymer, QueryError};
use super::{Importer, Result};

const MSA: &str = "K-Fold reads no alignments; its language model takes their place";
const CYCLIC: &str = "cyclic chains cannot be asked for; give the bond between the ends under `bonds` if it is meant";
const POCKET: &str = "K-Fold takes no pocket constraint; for docking name the pocket's residues in the known structure";
const CONTACT: &str = "K-Fold takes no contact constraint";
const TEMPLATES: &str = "K-Fold takes no templates; a structure of the unbound protein can be its `apo`";
const AFFINITY: &str =
    "affinity is not asked for but always given: by docking, and by K-Fold where its affinity weights are";

impl Importer {
    pub(super) fn boltz(&mut self, job: &Node<'_>) -> Result<()> {
        let fields = Fields { map: job.map()?, place: job.place.clone() };
        self.name(fields.given("name").map(|node| node.text()).transpose()?);
        for entry in fields.require("sequences")?.list()? {
            let entity = self.boltz_entity(&entry)?;
            self.query.sequences.push(entity);
        }
        if let Some(node) = fields.given("constraints") {
            for constraint in node.list()? {
                match single_kind(&constraint)? {
                    ("bond", body) => {
                        let ends = Fields { map: body.map()?, place: body.place.clone() };
                        let (atom1, atom2) =
                            (atom_reference(&ends.require("atom1")?)?, atom_reference(&ends.require("atom2")?)?);
                        self.query.bonds.push(CovalentBond { atom1, atom2 });
                        self.leave_rest(&ends, &["atom1", "atom2"], &[]);
                    }
                    ("pocket", body) => self.leave(&body.place, POCKET),
                    ("contact", body) => self.leave(&body.place, CONTACT),
                    (_, body) => self.leave(&body.place, "this constraint is not known here"),
                }
            }
        }
        if let Some(version) = fields.given("version")
            && !matches!(version.value, super::Value::Integer(1))
        {
            self.leave("version", "only version 1 of the format is known here; the rest is read as if it were that");
        }
        let known = [("templates", TEMPLATES), ("properties", AFFINITY)];
        self.leave_rest(&fields, &["name", "version", "sequences", "constraints"], &known);
        Ok(())
    }

    fn boltz_entity(&mut self, entry: &Node<'_>) -> Result<Entity> {
        let (kind, body) = single_kind(entry)?;
        let fields = Fields { map: body.map()?, place: body.place.clone() };
        let ids = fields.require("id")?.texts()?;
        if kind == "ligand" {
            let source = match (fields.given("smiles"), fields.given("ccd")) {
                (Some(smiles), None) => LigandSource::Smiles(smiles.text()?.to_owned()),
                (None, Some(ccd)) => LigandSource::Ccd(codes(&ccd)?),
                _ => return Err(body.error("a ligand has exactly one of `smiles` and `ccd`")),
            };
            self.leave_rest(&fields, &["id", "smiles", "ccd"], &[("cyclic", CYCLIC)]);
            return Ok(Entity::Ligand(Ligand { ids, source, description: None }));
        }
        let mut modifications = Vec::new();
        if let Some(node) = fields.given("modifications") {
            for entry in node.list()? {
                let fields = Fields { map: entry.map()?, place: entry.place.clone() };
                let index = fields.require("position")?.index()?;
                modifications.push(Modification { index, ccd: code(fields.require("ccd")?.text()?) });
                self.leave_rest(&fields, &["position", "ccd"], &[]);
            }
        }
        let sequence = fields.require("sequence")?.text()?.to_owned();
        let has_msa = fields.given("msa").is_some_and(|node| node.text().is_ok_and(|text| text != "empty"));
        if has_msa {
            self.leave(&format!("{}.msa", body.place), MSA);
        }
        self.leave_rest(&fields, &["id", "sequence", "modifications", "msa"], &[("cyclic", CYCLIC)]);
        let polymer = Polymer { ids, sequence, modifications, ..Polymer::default() };
        match kind {
            "protein" => Ok(Entity::Protein(polymer)),
            "dna" => Ok(Entity::Dna(polymer)),
            "rna" => Ok(Entity::Rna(polymer)),
            other => Err(QueryError::field(&entry.place, format!("`{other}` is none of protein, dna, rna and ligand"))),
        }
    }
}

/// Component codes, one or a list.
pub(super) fn codes(node: &Node<'_>) -> Result<Vec<String>> {
    Ok(node.texts()?.iter().map(|text| code(text)).collect())
}

/// A component code as K-Fold writes it.
pub(super) fn code(text: &str) -> String {
    text.trim().strip_prefix("CCD_").unwrap_or_else(|| text.trim()).to_ascii_uppercase()
}
