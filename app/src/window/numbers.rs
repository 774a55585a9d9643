//! The numbers behind a plot, as a table that can be saved: what is drawn is what is written, without rounding to the screen.

use egui::Ui;
use kfold_inference::job::files::write_whole;

use super::app::Studio;
use super::dialogs::Purpose;
use crate::texts::Texts;

/// The numbers of a plot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers {
    /// What stands behind the query's name in the name of the file that is suggested.
    pub suffix: &'static str,
    /// Names of the columns with their units, as in the files of the command line: English, without spaces.
    pub head: Vec<String>,
    /// A row a point.
    pub rows: Vec<Vec<String>>,
}

impl Numbers {
    /// A table with these columns.
    #[must_use]
    pub fn new(suffix: &'static str, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Self {
        Self { suffix, head: head.iter().map(|name| (*name).to_owned()).collect(), rows: rows.into_iter().collect() }
    }

    /// The table as CSV.
    ///
    /// # Errors
    /// When a record cannot be written, which memory does not refuse.
    pub fn csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.head)?;
        for row in &self.rows {
            writer.write_record(row)?;
        }
        writer.into_inner().map_err(|error| error.into_error().into())
    }
}

/// A value as it is written; nothing where there is none.
#[must_use]
pub fn cell(value: f32) -> String {
    if value.is_finite() { format!("{value:.4}") } else { String::new() }
}

impl Studio {
    /// The button that stands under a plot. The numbers are made when it is pressed.
    pub(super) fn save_numbers_ui(
        &mut self,
        ui: &mut Ui,
        texts: &Texts,
        plot: &str,
        numbers: impl FnOnce() -> Numbers,
    ) {
        let name = texts.with("numbers-save-of", [("plot", plot.to_owned().into())]);
        let button = egui::Button::new(egui::RichText::new(texts.get("numbers-save")).small());
        if ui.add(button).accessible_name(name.clone()).on_hover_text(name).clicked() {
            self.numbers = Some(numbers());
            self.ask_for_file(Purpose::Numbers);
        }
    }

    /// Writes the numbers for which a file was asked.
    pub(super) fn write_numbers(&mut self, path: std::path::PathBuf) {
        let Some(numbers) = self.numbers.take() else { return };
        self.write(path, move |path| {
            let bytes = numbers.csv().map_err(|error| format!("{}: {error}", path.display()))?;
            write_whole(path, &bytes).map_err(|error| format!("{}: {error}", path.display()))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_csv_and_gaps_stay_empty() {
        let rows = [vec!["A 1 \"x\", y".to_owned(), cell(1.5)], vec!["B".to_owned(), cell(f32::NAN)]];
        let text = Numbers::new("x", &["residue", "distance_angstrom"], rows).csv().unwrap();
        let wanted = "residue,distance_angstrom\n\"A 1 \"\"x\"\", y\",1.5000\nB,\n";
        assert_eq!(String::from_utf8(text).unwrap(), wanted);
    }
}
