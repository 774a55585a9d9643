//! What the palette and the links of a lesson can do: every command, and a few things that need a word more.

use std::path::PathBuf;

use super::app::Studio;
use super::command::Command;
use super::dock::Dock;
use crate::texts::Texts;

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A command.
    Command(Command),
    /// Opens the sample of this folder name.
    Sample(String),
    /// Selects atoms, in the words of `molecule::selection`.
    Select(String),
    /// Opens a file.
    Open(PathBuf),
    /// Puts the panes as the saved layout of this index.
    Layout(usize),
}

impl Action {
    /// The action of a link: `studio:command/focus-ligand`, `studio:pane/results`, `studio:colour/plddt`,
    /// `studio:sample/kinase`, `studio:select/chain A and resi 25`. `None` for anything else; a link opens no file.
    #[must_use]
    pub fn of_link(link: &str) -> Option<Self> {
        let (kind, word) = link.strip_prefix("studio:")?.split_once('/')?;
        let word = word.replace("%20", " ");
        let command = |is_kind: fn(Command) -> bool| {
            Command::all().find(|command| is_kind(*command) && command.word() == word).map(Self::Command)
        };
        match kind {
            "command" => command(|command| !matches!(command, Command::ShowPane(_) | Command::Colour(_))),
            "pane" => command(|command| matches!(command, Command::ShowPane(_))),
            "colour" => command(|command| matches!(command, Command::Colour(_))),
            "sample" => Some(Self::Sample(word)),
            "select" => Some(Self::Select(word)),
            _ => None,
        }
    }
}

impl Command {
    /// What it is called where it stands among all others.
    #[must_use]
    pub fn text(self, texts: &Texts) -> String {
        let name = texts.get(self.name());
        match self {
            Self::Colour(_) => texts.with("palette-colour", [("name", name.into())]),
            Self::Style(_) => texts.with("palette-style", [("name", name.into())]),
            Self::Tool(_) => texts.with("palette-tool", [("name", name.into())]),
            Self::ShowPane(_) => texts.with("palette-pane", [("name", name.into())]),
            _ => name,
        }
    }
}

impl Studio {
    /// Does it.
    pub(super) fn act(&mut self, action: Action, context: &egui::Context) {
        match action {
            Action::Command(command) => self.do_command(command, context),
            Action::Sample(name) => {
                let query = self.samples.iter().find(|sample| sample.name == name).map(|sample| sample.query.clone());
                match query {
                    Some(query) => self.open(&query),
                    None => self.tell(super::widgets::Tone::Bad, self.texts.get("samples-missing")),
                }
            }
            Action::Select(text) => self.document.selection = text,
            Action::Open(path) => self.open(&path),
            Action::Layout(index) => {
                if let Some((_, layout)) = self.preferences.layouts.get(index) {
                    self.set_layout(Dock::from_layout(layout));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_name_actions_and_nothing_else() {
        let command = |command| Some(Action::Command(command));
        assert_eq!(Action::of_link("studio:command/focus-ligand"), command(Command::FocusLigand));
        assert_eq!(Action::of_link("studio:pane/query"), command(Command::ShowPane(crate::window::Pane::Query)));
        assert_eq!(
            Action::of_link("studio:select/chain%20A and resi 25"),
            Some(Action::Select("chain A and resi 25".to_owned()))
        );
        for link in ["studio:command/format-disk", "studio:open//etc/passwd", "https://example.org", "studio:pane", ""]
        {
            assert_eq!(Action::of_link(link), None, "{link}");
        }
        let words: Vec<&str> = Command::all().map(Command::word).collect();
        assert!(words.contains(&"plddt") && words.contains(&"panes-reset"));
    }
}
