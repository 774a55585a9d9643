//! The panes of the window, in one list. To add one: its variant, its entry in [`Pane::ALL`] and its line in [`Pane::spec`].
//!
//! Everything else (tab, menu entry, command with its key, place in the layout) comes from that line and from the name's
//! sentence in `assets/texts/LANGUAGE/panes.ftl`. How panes lie beside each other is the matter of [`super::dock`].

use egui::Ui;

use super::app::Studio;

/// A part of the window that can be docked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pane {
    /// What to predict and how.
    Query,
    /// The 3D view.
    View,
    /// What came out.
    Results,
    /// What waits, runs and is over.
    Jobs,
    /// Lessons.
    Lessons,
    /// The user's notes.
    Notes,
    /// How sure a prediction is, along the sequence and between pairs.
    Confidence,
    /// The sequences of what is in the view.
    Sequence,
    /// Another structure beside the shown one, and the statistics of several.
    Compare,
    /// The ligands of a series.
    Series,
    /// How things are drawn.
    Style,
    /// Views that are kept.
    SavedViews,
}

/// Where a pane lies until it is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A tab at the left.
    Left,
    /// A tab in the middle.
    Centre,
    /// A tab below the middle.
    Below,
    /// A tab at the right.
    Right,
}

/// What the window must know of a pane.
#[derive(Clone, Copy)]
pub struct PaneSpec {
    /// Key of its name, which also stands for it in saved layouts.
    pub name: &'static str,
    /// Where it lies until it is moved.
    pub place: Place,
    /// Whether it has anything to show; it is not there when it has not.
    pub is_available: fn(&Studio) -> bool,
    /// Shows its contents.
    pub show: fn(&mut Studio, &mut Ui),
    /// Whether it is there before the user asks for it.
    pub starts_open: bool,
}

impl PaneSpec {
    const fn new(
        name: &'static str,
        place: Place,
        is_available: fn(&Studio) -> bool,
        show: fn(&mut Studio, &mut Ui),
    ) -> Self {
        Self { name, place, is_available, show, starts_open: true }
    }
}

const fn always(_: &Studio) -> bool {
    true
}

impl Pane {
    /// All panes, in the order of the menu, of the tabs and of the keys.
    pub const ALL: [Self; 12] = [
        Self::Query,
        Self::View,
        Self::Results,
        Self::Confidence,
        Self::Sequence,
        Self::Compare,
        Self::Series,
        Self::Jobs,
        Self::Lessons,
        Self::Notes,
        Self::Style,
        Self::SavedViews,
    ];

    /// What the window must know of it.
    #[must_use]
    pub const fn spec(self) -> PaneSpec {
        match self {
            Self::Query => PaneSpec::new("pane-query", Place::Left, always, Studio::query_panel_ui),
            Self::View => PaneSpec::new("pane-view", Place::Centre, always, Studio::view_ui),
            Self::Results => PaneSpec::new("pane-results", Place::Right, Studio::has_results, Studio::results_panel_ui),
            Self::Jobs => PaneSpec::new("pane-jobs", Place::Right, Studio::has_jobs, Studio::jobs_ui),
            Self::Lessons => PaneSpec {
                starts_open: false,
                ..PaneSpec::new("pane-lessons", Place::Left, always, Studio::lessons_ui)
            },
            Self::Notes => {
                PaneSpec { starts_open: false, ..PaneSpec::new("pane-notes", Place::Left, always, Studio::notes_ui) }
            }
            Self::Confidence => {
                PaneSpec::new("pane-confidence", Place::Right, Studio::has_confidence, Studio::confidence_panel_ui)
            }
            Self::Sequence => {
                PaneSpec::new("pane-sequence", Place::Below, Studio::has_sequence, Studio::sequence_panel_ui)
            }
            Self::Compare => PaneSpec {
                starts_open: false,
                ..PaneSpec::new("pane-compare", Place::Right, Studio::has_comparison, Studio::compare_panel_ui)
            },
            Self::Style => PaneSpec {
                starts_open: false,
                ..PaneSpec::new("pane-style", Place::Right, Studio::has_comparison, Studio::style_panel_ui)
            },
            Self::SavedViews => PaneSpec {
                starts_open: false,
                ..PaneSpec::new("pane-saved-views", Place::Right, Studio::has_comparison, Studio::saved_views_ui)
            },
            Self::Series => PaneSpec::new("pane-series", Place::Below, Studio::has_series, Studio::series_panel_ui),
        }
    }

    /// The pane of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|pane| pane.spec().name == name)
    }
}
