//! Everything the window can do, in one list: the key, the name, the menu entry and the help window come from it.

use egui::{Event, Key, KeyboardShortcut, Modifiers};
use kfold_viewer::Stereo;

use super::dialogs::ExportKind;
use super::document::{ColourBy, Representation, SurfacePart};
use super::panes::Pane;
use super::region::Tool;
use super::style::Change;

/// Keys of the panes in their order, with Alt.
const PANE_KEYS: [Key; 10] =
    [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num7, Key::Num8, Key::Num9, Key::Num0];

/// Something the user can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Starts an empty query.
    New,
    /// Opens a file.
    Open,
    /// Opens the folder of a run.
    OpenRun,
    /// Saves the query.
    Save,
    /// Saves the query under another name.
    SaveAs,
    /// Writes something into a file.
    Export(ExportKind),
    /// Takes back an edit.
    Undo,
    /// Takes back an undo.
    Redo,
    /// Starts the prediction.
    Predict,
    /// Cancels the running prediction.
    Cancel,
    /// The pose above in the table.
    PreviousPose,
    /// The pose below in the table.
    NextPose,
    /// Plays or pauses the models.
    Play,
    /// Cartoon.
    Cartoon,
    /// Sticks.
    Sticks,
    /// Spheres.
    Spheres,
    /// The surface.
    Surface,
    /// Shows or hides side chains around the ligand.
    Site,
    /// Shows or hides interactions.
    Interactions,
    /// Frames everything.
    ResetView,
    /// Frames the ligand.
    FocusLigand,
    /// Goes to the field where atoms are selected.
    Select,
    /// Frames what is selected.
    FocusSelection,
    /// Hides what is selected.
    HideSelection,
    /// Hides all else.
    IsolateSelection,
    /// Shows what was hidden.
    ShowAll,
    /// Light or dark.
    Appearance,
    /// The next language.
    Language,
    /// The list of shortcuts.
    Help,
    /// Opens a pane and goes there.
    ShowPane(Pane),
    /// Goes to the next pane.
    NextPane,
    /// Goes to the pane before.
    PreviousPane,
    /// Puts the panes where they lie by default.
    ResetPanes,
    /// Colours the polymer.
    Colour(ColourBy),
    /// Changes how things are drawn.
    Style(Change),
    /// What a drag does in the view.
    Tool(Tool),
    /// Keeps the view.
    SaveView,
    /// The kept view after the last.
    NextView,
    /// The kept view before the last.
    PreviousView,
    /// The list of everything that can be done.
    Palette,
    /// Saves the session under a name.
    SaveSession,
    /// Goes on with what was done before.
    ContinueSession,
    /// The settings of the program.
    Preferences,
    /// Opens or closes the network.
    Offline,
    /// What the program is made of.
    About,
    /// The tour for beginners.
    Tour,
}

impl Command {
    /// Those that are not one for each of something.
    const PLAIN: [Self; 41] = [
        Self::New,
        Self::Open,
        Self::OpenRun,
        Self::Save,
        Self::SaveAs,
        Self::Undo,
        Self::Redo,
        Self::Predict,
        Self::Cancel,
        Self::PreviousPose,
        Self::NextPose,
        Self::Play,
        Self::Cartoon,
        Self::Sticks,
        Self::Spheres,
        Self::Surface,
        Self::Site,
        Self::Interactions,
        Self::ResetView,
        Self::FocusLigand,
        Self::Select,
        Self::FocusSelection,
        Self::HideSelection,
        Self::IsolateSelection,
        Self::ShowAll,
        Self::SaveView,
        Self::NextView,
        Self::PreviousView,
        Self::Appearance,
        Self::Language,
        Self::Help,
        Self::NextPane,
        Self::PreviousPane,
        Self::ResetPanes,
        Self::Palette,
        Self::SaveSession,
        Self::ContinueSession,
        Self::Preferences,
        Self::Offline,
        Self::About,
        Self::Tour,
    ];

    /// All commands in the order of the help window.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::PLAIN
            .into_iter()
            .chain(ExportKind::ALL.map(Self::Export))
            .chain(Pane::ALL.map(Self::ShowPane))
            .chain(ColourBy::ALL.map(Self::Colour))
            .chain(Tool::ALL.map(Self::Tool))
            .chain(Change::all().map(Self::Style))
    }

    /// Key of its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "command-new",
            Self::Open => "command-open",
            Self::OpenRun => "command-open-run",
            Self::Save => "command-save",
            Self::SaveAs => "command-save-as",
            Self::Export(kind) => kind.command(),
            Self::Undo => "command-undo",
            Self::Redo => "command-redo",
            Self::Predict => "command-predict",
            Self::Cancel => "command-cancel",
            Self::PreviousPose => "command-previous-pose",
            Self::NextPose => "command-next-pose",
            Self::Play => "command-play",
            Self::Cartoon => "command-cartoon",
            Self::Sticks => "command-sticks",
            Self::Spheres => "command-spheres",
            Self::Surface => "command-surface",
            Self::Site => "command-site",
            Self::Interactions => "command-interactions",
            Self::ResetView => "command-reset-view",
            Self::FocusLigand => "command-focus-ligand",
            Self::Select => "command-select",
            Self::FocusSelection => "command-focus-selection",
            Self::HideSelection => "command-hide-selection",
            Self::IsolateSelection => "command-isolate-selection",
            Self::ShowAll => "command-show-all",
            Self::Appearance => "command-appearance",
            Self::Language => "command-language",
            Self::Help => "command-help",
            Self::ShowPane(pane) => pane.spec().name,
            Self::NextPane => "command-next-pane",
            Self::PreviousPane => "command-previous-pane",
            Self::ResetPanes => "panes-reset",
            Self::Colour(colour) => colour.name(),
            Self::Style(change) => change.name(),
            Self::Tool(tool) => tool.name(),
            Self::SaveView => "command-save-view",
            Self::NextView => "command-next-view",
            Self::PreviousView => "command-previous-view",
            Self::Palette => "command-palette",
            Self::SaveSession => "command-save-session",
            Self::ContinueSession => "command-continue-session",
            Self::Preferences => "command-preferences",
            Self::Offline => "command-offline",
            Self::About => "command-about",
            Self::Tour => "command-tour",
        }
    }

    /// What a link or a lesson calls it: the key of its name without what all have in common.
    #[must_use]
    pub fn word(self) -> &'static str {
        let name = self.name();
        ["command-", "pane-", "colour-"].into_iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
    }

    /// Its key, if it has one.
    #[must_use]
    pub fn shortcut(self) -> Option<KeyboardShortcut> {
        const CONTROL_SHIFT: Modifiers = Modifiers { shift: true, ..Modifiers::COMMAND };
        const CONTROL_ALT: Modifiers = Modifiers { alt: true, ..Modifiers::COMMAND };
        let (modifiers, key) = match self {
            Self::New => (Modifiers::COMMAND, Key::N),
            Self::Open => (Modifiers::COMMAND, Key::O),
            Self::OpenRun => (CONTROL_SHIFT, Key::O),
            Self::Save => (Modifiers::COMMAND, Key::S),
            Self::SaveAs => (CONTROL_SHIFT, Key::S),
            Self::Export(kind) => match kind {
                ExportKind::Pdb => (CONTROL_SHIFT, Key::B),
                ExportKind::Sdf => (CONTROL_SHIFT, Key::D),
                ExportKind::Csv => (CONTROL_SHIFT, Key::T),
                ExportKind::Png => (CONTROL_SHIFT, Key::G),
                ExportKind::Cif => (CONTROL_SHIFT, Key::M),
                ExportKind::PyMol => (CONTROL_ALT, Key::P),
                ExportKind::ChimeraX => (CONTROL_ALT, Key::X),
                ExportKind::Scene => (CONTROL_ALT, Key::J),
                ExportKind::Gltf => (CONTROL_ALT, Key::F),
                ExportKind::ReportHtml => (CONTROL_ALT, Key::R),
                ExportKind::ReportPdf => (CONTROL_ALT, Key::D),
                ExportKind::DiagramSvg => (CONTROL_ALT, Key::V),
                ExportKind::DiagramPng => (CONTROL_ALT, Key::G),
                ExportKind::MapPng => (CONTROL_ALT, Key::M),
                ExportKind::MapCsv => (CONTROL_ALT, Key::T),
            },
            Self::Undo => (Modifiers::COMMAND, Key::Z),
            Self::Redo => (CONTROL_SHIFT, Key::Z),
            Self::Predict => (Modifiers::COMMAND, Key::Enter),
            Self::Cancel => (Modifiers::COMMAND, Key::Period),
            Self::PreviousPose => (Modifiers::NONE, Key::PageUp),
            Self::NextPose => (Modifiers::NONE, Key::PageDown),
            Self::Play => (Modifiers::COMMAND, Key::P),
            Self::Cartoon => (Modifiers::COMMAND, Key::Num1),
            Self::Sticks => (Modifiers::COMMAND, Key::Num2),
            Self::Spheres => (Modifiers::COMMAND, Key::Num3),
            Self::Surface => (Modifiers::COMMAND, Key::Num6),
            Self::Site => (Modifiers::COMMAND, Key::Num4),
            Self::Interactions => (Modifiers::COMMAND, Key::Num5),
            Self::ResetView => (Modifiers::COMMAND, Key::R),
            Self::FocusLigand => (Modifiers::COMMAND, Key::L),
            Self::Select => (Modifiers::COMMAND, Key::F),
            Self::FocusSelection => (CONTROL_SHIFT, Key::F),
            Self::HideSelection => (CONTROL_SHIFT, Key::H),
            Self::IsolateSelection => (CONTROL_SHIFT, Key::I),
            Self::ShowAll => (CONTROL_SHIFT, Key::A),
            Self::Appearance => (Modifiers::COMMAND, Key::D),
            Self::Language => (CONTROL_SHIFT, Key::L),
            Self::Help => (Modifiers::NONE, Key::F1),
            Self::ShowPane(pane) => {
                let place = Pane::ALL.iter().position(|other| *other == pane)?;
                (Modifiers::ALT, *PANE_KEYS.get(place)?)
            }
            Self::NextPane => (Modifiers::NONE, Key::F6),
            Self::PreviousPane => (Modifiers::SHIFT, Key::F6),
            Self::Palette => (Modifiers::COMMAND, Key::K),
            Self::SaveSession => (CONTROL_SHIFT, Key::E),
            Self::Preferences => (Modifiers::COMMAND, Key::Comma),
            Self::SaveView => (Modifiers::COMMAND, Key::B),
            Self::NextView => (Modifiers::COMMAND, Key::PageDown),
            Self::PreviousView => (Modifiers::COMMAND, Key::PageUp),
            Self::Tool(tool) => match tool {
                Tool::Turn => (CONTROL_ALT, Key::C),
                Tool::Box => (CONTROL_ALT, Key::B),
                Tool::Lasso => (CONTROL_ALT, Key::L),
            },
            Self::Style(change) => match change {
                Change::Representation(Representation::BallAndStick) => (Modifiers::COMMAND, Key::Num7),
                Change::Representation(Representation::Lines) => (Modifiers::COMMAND, Key::Num8),
                Change::Surface(SurfacePart::Pocket) => (Modifiers::COMMAND, Key::Num9),
                Change::Overlay => (Modifiers::COMMAND, Key::Num0),
                Change::Stereo(Stereo::Parallel) => (CONTROL_ALT, Key::S),
                Change::Stereo(Stereo::CrossEyed) => (CONTROL_ALT, Key::E),
                Change::Stereo(Stereo::Off) => (CONTROL_ALT, Key::O),
                _ => return None,
            },
            Self::ResetPanes | Self::Colour(_) | Self::ContinueSession | Self::Offline | Self::About | Self::Tour => {
                return None;
            }
        };
        Some(KeyboardShortcut::new(modifiers, key))
    }

    /// The commands whose keys were pressed in this frame; their keys are taken, so no text field sees them.
    pub fn pressed(context: &egui::Context) -> Vec<Self> {
        // A shortcut with Shift or Alt contains the one without it, so the longer are asked first.
        let mut shortcuts: Vec<(Self, KeyboardShortcut)> =
            Self::all().filter_map(|command| command.shortcut().map(|shortcut| (command, shortcut))).collect();
        // Where other programs have it.
        shortcuts.push((Self::Palette, KeyboardShortcut::new(Modifiers::COMMAND | Modifiers::SHIFT, Key::P)));
        shortcuts.sort_by_key(|(_, shortcut)| !(shortcut.modifiers.shift || shortcut.modifiers.alt));
        context.input_mut(|input| {
            let mut pressed = Vec::new();
            for (command, shortcut) in shortcuts {
                if input.consume_shortcut(&shortcut) {
                    pressed.push(command);
                    if shortcut.modifiers.alt {
                        // Alt and a digit is typed as the digit too.
                        let letter = shortcut.logical_key.symbol_or_name();
                        input.events.retain(|event| !matches!(event, Event::Text(text) if text == letter));
                    }
                }
            }
            pressed
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_commands_share_a_key_or_a_name() {
        let commands: Vec<Command> = Command::all().collect();
        for (index, a) in commands.iter().enumerate() {
            for b in &commands[index + 1..] {
                assert!(a.shortcut().is_none() || a.shortcut() != b.shortcut(), "{a:?} and {b:?}");
                assert_ne!(a.name(), b.name());
            }
        }
    }
}
