//! The about page: the version, and the licences of everything in the program.
//!
//! The list is made by `cargo run --release --example licenses` from cargo's own knowledge of the
//! dependencies and lies compressed in `assets/licenses.json.gz`. A test holds it against Cargo.lock.

use std::io::Read as _;
use std::sync::Arc;

use egui::{RichText, TextEdit, Ui};
use serde::Deserialize;

use crate::texts::Texts;
use crate::window::app::Studio;
use crate::window::background::{Lane, Loaded};
use crate::window::message::Message;
use crate::window::theme::{self, palette};
use crate::window::widgets::{Tone, message, note};

const LIST: &[u8] = include_bytes!("../../../../assets/licenses.json.gz");

/// Everything in the program.
#[derive(Clone, Debug, Deserialize)]
pub struct Licenses {
    /// The packages by name.
    pub packages: Vec<Package>,
    /// The texts they share.
    pub texts: Vec<String>,
}

/// A package.
#[derive(Clone, Debug, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence as its authors name it.
    pub license: String,
    /// Where it comes from.
    pub repository: String,
    /// Its texts, as places in the list of them.
    pub texts: Vec<usize>,
}

impl Licenses {
    /// Reads the list.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn read() -> Result<Self, String> {
        let mut text = String::new();
        flate2::read::GzDecoder::new(LIST).read_to_string(&mut text).map_err(|error| error.to_string())?;
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }
}

/// What the page holds.
#[derive(Default)]
pub struct LicensePage {
    list: Option<Loaded<Licenses>>,
    filter: String,
    open: Option<usize>,
}

impl Studio {
    pub(in crate::window) fn take_licenses(&mut self, result: Result<Box<Licenses>, String>) {
        self.license_page.list = Some(match result {
            Ok(list) => Loaded::Ready(Arc::from(list)),
            Err(reason) => Loaded::Failed(reason),
        });
    }

    pub(super) fn about_ui(&mut self, ui: &mut Ui, texts: &Texts) {
        ui.label(RichText::new(format!("K-Fold Studio {}", env!("CARGO_PKG_VERSION"))).heading());
        ui.add(egui::Label::new(texts.get("about-text")).wrap());
        note(ui, &texts.get("about-license"));
        ui.add_space(theme::GAP);
        let list = match &self.license_page.list {
            None => {
                self.license_page.list = Some(Loaded::Waiting);
                self.attempt(Lane::Files, || Licenses::read().map(Box::new), Message::LicensesRead);
                return;
            }
            Some(Loaded::Waiting) => {
                ui.spinner();
                return;
            }
            Some(Loaded::Failed(reason)) => {
                message(ui, Tone::Bad, reason);
                return;
            }
            Some(Loaded::Ready(list)) => Arc::clone(list),
        };
        let page = &mut self.license_page;
        let title = texts.with("about-packages", [("count", list.packages.len().into())]);
        ui.label(RichText::new(title).text_style(theme::title_style()));
        let hint = texts.get("about-filter");
        let field = TextEdit::singleline(&mut page.filter).hint_text(&hint).desired_width(f32::INFINITY);
        ui.add(field).accessible_name(hint);
        let filter = page.filter.to_lowercase();
        let colours = palette(ui);
        for (index, package) in list.packages.iter().enumerate() {
            let fits =
                package.name.to_lowercase().contains(&filter) || package.license.to_lowercase().contains(&filter);
            if !fits {
                continue;
            }
            let is_open = page.open == Some(index);
            let text = format!("{} {} · {}", package.name, package.version, package.license);
            if ui.add(egui::Button::selectable(is_open, text).truncate()).clicked() {
                page.open = (!is_open).then_some(index);
            }
            if is_open {
                note(ui, &package.repository);
                for text in package.texts.iter().filter_map(|text| list.texts.get(*text)) {
                    let text = RichText::new(text).small().color(colours.text_muted);
                    ui.add(egui::Label::new(text).wrap());
                    ui.separator();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_list_names_what_is_in_the_program() {
        let list = Licenses::read().unwrap();
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("Cargo.lock");
        let lock = std::fs::read_to_string(lock).unwrap();
        let mut wanted = BTreeSet::new();
        for package in lock.split("[[package]]").skip(1) {
            let value = |key: &str| {
                let line = package.lines().find_map(|line| line.strip_prefix(&format!("{key} = ")))?;
                Some(line.trim_matches('"').to_owned())
            };
            if value("source").is_some() {
                wanted.insert((value("name").unwrap(), value("version").unwrap()));
            }
        }
        let listed: BTreeSet<(String, String)> =
            list.packages.iter().map(|package| (package.name.clone(), package.version.clone())).collect();
        let missing: Vec<_> = wanted.difference(&listed).collect();
        let stale: Vec<_> = listed.difference(&wanted).collect();
        assert!(
            missing.is_empty() && stale.is_empty(),
            "run `cargo run --release --example licenses`: missing {missing:?}, no longer there {stale:?}"
        );
        for package in &list.packages {
            assert!(!package.license.is_empty(), "{} has no licence", package.name);
            assert!(package.texts.iter().all(|text| *text < list.texts.len()));
        }
        let with_text = list.packages.iter().filter(|package| !package.texts.is_empty()).count();
        assert!(with_text * 10 > list.packages.len() * 8, "{with_text} of {} have their text", list.packages.len());
    }
}
