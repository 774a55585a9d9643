//! What the query panel remembers beside the document, and what threads tell it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::super::app::Studio;
use super::super::background::Loaded;
use super::bonds::BondDraft;
use super::components::{ComponentSearch, Found};
use super::estimate::{Estimate, EstimateKey, Estimates};
use super::modifications::ModificationDraft;
use super::pocket::FoundPocket;
use super::sequences::Paste;
use super::sketch::{Drawn, Sketch};

/// What a click on a residue or atom in the view means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Picking {
    /// Selecting.
    #[default]
    Off,
    /// Residues of the pocket.
    Pocket,
    /// Side chains that turn during docking.
    Flexible,
    /// The residue to modify.
    Modification,
    /// The next end of a covalent bond.
    Bond,
}

/// The panel's own state.
#[derive(Default)]
pub struct Editor {
    /// What a click in the view means.
    pub picking: Picking,
    pub(super) residue_text: String,
    pub(super) flexible_text: String,
    /// The field of seeds while it is typed in.
    pub(super) seed_text: Option<String>,
    pub(super) search: Option<ComponentSearch>,
    pub(super) modification: Option<ModificationDraft>,
    pub(super) bond: Option<BondDraft>,
    pub(super) paste: Option<Paste>,
    /// What was pasted and is to be added.
    pub(super) pasted: Option<Vec<kfold_inference::query::Entity>>,
    pub(super) sketch: Option<Sketch>,
    pub(super) pockets: HashMap<PathBuf, Loaded<Vec<FoundPocket>>>,
    pub(super) estimates: Estimates,
    /// Whether the panel is to be seen from its top.
    pub(super) to_top: bool,
}

impl Editor {
    /// Another query is edited from now on: what was half made belongs to the one before.
    pub(in super::super) fn start_again(&mut self) {
        let (pockets, estimates) = (std::mem::take(&mut self.pockets), std::mem::take(&mut self.estimates));
        *self = Self { pockets, estimates, to_top: true, ..Self::default() };
    }
}

/// What the panel's work in the background came to.
pub enum News {
    /// Components were found by name.
    Components {
        /// What was searched for.
        text: String,
        /// They, or why not.
        result: Result<Vec<Found>, String>,
    },
    /// Pockets of a structure were found.
    Pockets {
        /// The structure's file.
        path: PathBuf,
        /// They, best first, or why not.
        result: Result<Vec<FoundPocket>, String>,
    },
    /// A prediction was planned.
    Estimated {
        /// For which query and settings.
        key: Box<EstimateKey>,
        /// The plan, or why there is none.
        result: Result<Box<Estimate>, String>,
    },
    /// An edit of the drawing was understood.
    Sketched {
        /// Which edit.
        number: u64,
        /// The molecule, or why it cannot be.
        result: Result<Box<Drawn>, String>,
    },
}

impl Studio {
    /// Takes what a thread made.
    pub(in super::super) fn take_query_news(&mut self, news: News) {
        let editor = &mut self.query_editor;
        match news {
            News::Components { text, result } => {
                if let Some(search) = &mut editor.search {
                    search.take(text, result);
                }
            }
            News::Pockets { path, result } => {
                let pockets = result.map_or_else(Loaded::Failed, |pockets| Loaded::Ready(Arc::new(pockets)));
                editor.pockets.insert(path, pockets);
            }
            News::Estimated { key, result } => editor.estimates.take(*key, result.map(|estimate| *estimate)),
            News::Sketched { number, result } => {
                if let Some(sketch) = &mut editor.sketch {
                    sketch.take(number, result.map(|drawn| *drawn));
                }
            }
        }
    }
}
