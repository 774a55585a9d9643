//! Taking in the queries of a file, of whichever program.

use std::collections::HashMap;
use std::path::Path;

use kfold_inference::engine::EngineName;
use kfold_inference::query::{Entity, Imported, QuerySource};
use kfold_inference::settings::Settings;

use super::super::app::Studio;
use super::super::document::{free_chain_id, ids_of_mut};
use super::super::widgets::Tone;

/// Things left out that a notice lists; the rest are counted.
const LISTED: usize = 8;

impl Studio {
    /// Opens the first query of a file and says what did not come along. Sequences go to the query at hand; a query of
    /// another program has no file of its own yet, so that saving never writes over the other program's.
    pub(in super::super) fn take_imported(&mut self, path: &Path, mut all: Vec<Imported>) {
        if all.is_empty() {
            return;
        }
        let imported = all.remove(0);
        let others: Vec<String> = all.into_iter().map(|other| other.query.name).collect();
        let is_ours = imported.source == QuerySource::KFold;
        if imported.source == QuerySource::Fasta && !self.document.query.sequences.is_empty() {
            self.history.commit(&self.document);
            self.add_entities(imported.query.sequences, imported.query.bonds);
            self.history.commit(&self.document);
        } else {
            let mut settings = Settings::for_query(&imported.query);
            if !is_ours {
                // These programs predict from sequences; nothing here could be docked to.
                settings.engine = EngineName::KFold;
            }
            if let Some(first) = imported.seeds.first() {
                settings.seed = *first;
                settings.seeds.clone_from(&imported.seeds);
            }
            self.set_query(imported.query, settings, is_ours.then(|| path.to_owned()));
            if !is_ours {
                // In no file yet: closing asks.
                self.saved = Default::default();
            }
        }
        if !is_ours && imported.source != QuerySource::Fasta {
            let text = self.texts.with("import-done", [("program", imported.source.display_name().into())]);
            self.tell(Tone::Good, text);
        }
        let count = imported.left_out.len();
        if count > 0 {
            let mut lines = imported.left_out;
            lines.truncate(LISTED);
            let mut text = self.texts.with("import-left-out", [("count", count.into())]);
            for line in lines {
                text.push_str("\n· ");
                text.push_str(&line);
            }
            if count > LISTED {
                text.push('\n');
                text.push_str(&self.texts.with("import-more", [("count", (count - LISTED).into())]));
            }
            self.tell(Tone::Warning, text);
        }
        if !others.is_empty() {
            let values = [("count", others.len().into()), ("names", others.join(", ").into())];
            let text = self.texts.with("import-other-jobs", values);
            self.tell(Tone::Info, text);
        }
    }

    /// Adds entities under chain ids that the query does not have yet.
    pub(in super::super) fn add_entities(
        &mut self,
        entities: Vec<Entity>,
        bonds: Vec<kfold_inference::query::CovalentBond>,
    ) {
        let query = &mut self.document.query;
        let mut renamed: HashMap<String, String> = HashMap::new();
        for mut entity in entities {
            let taken: std::collections::HashSet<String> =
                query.sequences.iter().flat_map(|held| held.chains()).map(|(id, _)| id.to_owned()).collect();
            let wanted: Vec<String> = ids_of_mut(&mut entity).into_iter().map(std::mem::take).collect();
            query.sequences.push(entity);
            for (number, id) in wanted.into_iter().enumerate() {
                let new = if taken.contains(&id) { free_chain_id(query) } else { id.clone() };
                if let Some(place) =
                    query.sequences.last_mut().and_then(|entity| ids_of_mut(entity).into_iter().nth(number))
                {
                    place.clone_from(&new);
                }
                renamed.insert(id, new);
            }
        }
        for mut bond in bonds {
            for end in [&mut bond.atom1, &mut bond.atom2] {
                if let Some(new) = renamed.get(&end.chain) {
                    end.chain.clone_from(new);
                }
            }
            query.bonds.push(bond);
        }
    }
}
