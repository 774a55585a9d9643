//! The sequences of a structure as a strip: letters on a colour each, secondary structure above them, numbers where there is room.
//! Dragging selects a stretch; what is selected elsewhere is marked.

use egui::{
    Align2, Color32, EventFilter, FontId, Key, Painter, Rect, Role, ScrollArea, Sense, Stroke, TextStyle, Ui,
    WidgetInfo, pos2, vec2,
};
use kfold_molecule::analysis::secondary_structure::SecondaryStructure;
use kfold_molecule::{Topology, residues};

use super::super::theme::{Palette, palette};

/// Width of a letter's cell, points.
const CELL: f32 = 11.0;
/// Height of a row: numbers, secondary structure, letters.
const ROW: f32 = 46.0;
/// Letters in a row are a multiple of this.
const BLOCK: usize = 10;

/// A stretch of one chain that fits in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    chain: usize,
    /// Indices of residues in the topology.
    residues: Vec<usize>,
}

/// What the strip answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Residues that were chosen now, by index in the topology; an empty list takes the selection away.
    pub chosen: Option<Vec<usize>>,
    /// A residue that was clicked twice.
    pub focused: Option<usize>,
}

/// Words of the strip.
pub struct StripWords<'a> {
    /// Names a row: chain, first and last number.
    pub row: &'a dyn Fn(&str, &str, &str) -> String,
    /// What is said of a residue under the pointer.
    pub residue: &'a dyn Fn(usize) -> String,
}

/// Shows the strip of a topology's polymers, `height` points at most.
pub fn sequence_strip(
    ui: &mut Ui,
    topology: &Topology,
    structure: &[SecondaryStructure],
    selected: &[bool],
    height: f32,
    colour: impl Fn(usize) -> Option<Color32>,
    words: &StripWords<'_>,
) -> Answer {
    let per_row = (((ui.available_width() - 34.0) / CELL) as usize / BLOCK * BLOCK).max(BLOCK);
    let rows = rows(topology, per_row);
    let mut answer = Answer::default();
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let area = ScrollArea::vertical().id_salt("sequence strip").max_height(height).auto_shrink([false, true]);
        area.show_rows(ui, ROW, rows.len(), |ui, range| {
            for index in range {
                row_ui(ui, topology, structure, selected, &rows[index], &colour, words, &mut answer);
            }
        });
    });
    answer
}

fn rows(topology: &Topology, per_row: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for (chain, held) in topology.chains.iter().enumerate() {
        let range = held.residues.start as usize..held.residues.end as usize;
        let polymer: Vec<usize> = range
            .filter(|index| topology.residues.get(*index).is_some_and(kfold_molecule::Residue::is_polymer))
            .collect();
        rows.extend(polymer.chunks(per_row).map(|residues| Row { chain, residues: residues.to_vec() }));
    }
    rows
}

fn row_ui(
    ui: &mut Ui,
    topology: &Topology,
    structure: &[SecondaryStructure],
    selected: &[bool],
    row: &Row,
    colour: &impl Fn(usize) -> Option<Color32>,
    words: &StripWords<'_>,
    answer: &mut Answer,
) {
    let colours = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click_and_drag());
    let chain = topology.chains.get(row.chain).map_or("", |chain| chain.id.as_str());
    let number = |index: Option<&usize>| index.map(|index| topology.residues[*index].number_text()).unwrap_or_default();
    let name = (words.row)(chain, &number(row.residues.first()), &number(row.residues.last()));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    let left = rect.left() + 28.0;
    let cell =
        |place: usize| Rect::from_min_size(pos2(left + CELL * place as f32, rect.top() + 24.0), vec2(CELL, 17.0));
    let painter = ui.painter_at(rect);
    let small = FontId::proportional(9.0);
    let letter_font = TextStyle::Monospace.resolve(ui.style());
    let letter_font = FontId::new(11.0, letter_font.family);
    painter.text(
        pos2(rect.left() + 2.0, rect.top() + 32.5),
        Align2::LEFT_CENTER,
        chain,
        small.clone(),
        colours.text_muted,
    );
    for (place, index) in row.residues.iter().enumerate() {
        let residue = &topology.residues[*index];
        let area = cell(place);
        let ground = colour(*index).unwrap_or(colours.card);
        painter.rect_filled(area.shrink2(vec2(0.4, 0.0)), 1.5, ground);
        let letter = residues::one_letter_code(&residue.name);
        painter.text(area.center(), Align2::CENTER_CENTER, letter, letter_font.clone(), ink_on(ground));
        if selected.get(*index).copied().unwrap_or(false) {
            painter.rect_stroke(area, 1.5, Stroke::new(1.8, colours.accent), egui::StrokeKind::Inside);
            painter.hline(area.x_range(), area.bottom() + 2.5, Stroke::new(2.5, colours.accent));
        }
        if residue.number % 10 == 0 && residue.insertion_code.is_none() {
            let at = pos2(area.center().x, rect.top() + 6.0);
            painter.text(at, Align2::CENTER_CENTER, residue.number_text(), small.clone(), colours.text_muted);
        }
    }
    paint_structure(&painter, colours, row, structure, |place| cell(place).x_range(), rect.top() + 17.0);
    react(ui, &response, row, left, selected, words, answer);
    if response.has_focus() {
        ui.painter().rect_stroke(rect.shrink(1.0), 3.0, Stroke::new(1.5, colours.accent), egui::StrokeKind::Inside);
    }
}

/// Black or white, whichever reads better on the ground.
fn ink_on(ground: Color32) -> Color32 {
    let [red, green, blue, _] = ground.to_array().map(f32::from);
    if 0.299 * red + 0.587 * green + 0.114 * blue > 140.0 { Color32::from_gray(20) } else { Color32::WHITE }
}

/// Helices as bars with round ends, strands as arrows, the rest as a line.
fn paint_structure(
    painter: &Painter,
    colours: &Palette,
    row: &Row,
    structure: &[SecondaryStructure],
    span: impl Fn(usize) -> egui::Rangef,
    y: f32,
) {
    let kind =
        |place: usize| row.residues.get(place).and_then(|index| structure.get(*index)).map(|found| shape_of(*found));
    let mut start = 0;
    while start < row.residues.len() {
        let mut end = start + 1;
        while end < row.residues.len() && kind(end) == kind(start) {
            end += 1;
        }
        let (from, to) = (span(start).min, span(end - 1).max);
        match kind(start) {
            Some(Form::Helix) => {
                let bar = Rect::from_min_max(pos2(from + 0.5, y - 3.5), pos2(to - 0.5, y + 3.5));
                painter.rect_filled(bar, 3.5, colours.oxygen);
            }
            Some(Form::Strand) => {
                let head = (to - 7.0).max(from);
                let bar = Rect::from_min_max(pos2(from + 0.5, y - 2.0), pos2(head, y + 2.0));
                painter.rect_filled(bar, 0.0, colours.accent);
                let tip = vec![pos2(head, y - 4.5), pos2(to - 0.5, y), pos2(head, y + 4.5)];
                painter.add(egui::Shape::convex_polygon(tip, colours.accent, Stroke::NONE));
            }
            _ => {
                painter.hline(from..=to, y, Stroke::new(1.0, colours.line_strong));
            }
        }
        start = end;
    }
}

#[derive(PartialEq, Eq)]
enum Form {
    Helix,
    Strand,
    Coil,
}

const fn shape_of(structure: SecondaryStructure) -> Form {
    match structure {
        SecondaryStructure::AlphaHelix | SecondaryStructure::Helix310 | SecondaryStructure::PiHelix => Form::Helix,
        SecondaryStructure::Strand | SecondaryStructure::Bridge => Form::Strand,
        _ => Form::Coil,
    }
}

fn react(
    ui: &Ui,
    response: &egui::Response,
    row: &Row,
    left: f32,
    selected: &[bool],
    words: &StripWords<'_>,
    answer: &mut Answer,
) {
    let residue_at = |x: f32| {
        let place = ((x - left) / CELL).floor();
        (place >= 0.0).then(|| row.residues.get(place as usize).copied()).flatten()
    };
    // The residue where a drag began, kept over frames; a drag may end in another row.
    let key = egui::Id::unique("sequence drag");
    if response.drag_started() || response.clicked() {
        response.request_focus();
    }
    if response.drag_started()
        && let Some(first) = ui.input(|input| input.pointer.press_origin()).and_then(|place| residue_at(place.x))
    {
        ui.data_mut(|data| data.insert_temp(key, first));
    }
    let is_dragging = ui.input(|input| input.pointer.primary_down());
    let first: Option<usize> = ui.data(|data| data.get_temp(key));
    if let (Some(first), Some(pointer)) = (first, ui.input(|input| input.pointer.latest_pos()))
        && is_dragging
        && response.rect.y_range().contains(pointer.y)
        && let Some(last) = residue_at(pointer.x)
    {
        answer.chosen = Some((first.min(last)..=first.max(last)).collect());
    }
    if !is_dragging && first.is_some() {
        ui.data_mut(|data| data.remove::<usize>(key));
    }
    if response.double_clicked() {
        answer.focused = response.interact_pointer_pos().and_then(|place| residue_at(place.x));
    } else if response.clicked() {
        let clicked = response.interact_pointer_pos().and_then(|place| residue_at(place.x));
        answer.chosen = Some(clicked.into_iter().collect());
    }
    if response.has_focus() {
        keys(ui, response, row, selected, answer);
    }
    if let Some(index) = response.hover_pos().and_then(|place| residue_at(place.x)) {
        response.clone().on_hover_text_at_pointer((words.residue)(index));
    }
}

/// Left and right go along the row, with Shift they widen what is selected.
fn keys(ui: &Ui, response: &egui::Response, row: &Row, selected: &[bool], answer: &mut Answer) {
    ui.memory_mut(|memory| {
        memory.set_focus_lock_filter(response.id, EventFilter { horizontal_arrows: true, ..EventFilter::default() });
    });
    let (left, right, shift) = ui
        .input(|input| (input.key_pressed(Key::ArrowLeft), input.key_pressed(Key::ArrowRight), input.modifiers.shift));
    if !left && !right {
        return;
    }
    let held: Vec<usize> =
        (0..row.residues.len()).filter(|place| selected.get(row.residues[*place]).copied().unwrap_or(false)).collect();
    let last = row.residues.len().saturating_sub(1);
    let (first_held, last_held) = (held.first().copied(), held.last().copied());
    let places = match (first_held.zip(last_held), right) {
        (None, _) => 0..=0,
        (Some((first, end)), true) if shift => first..=(end + 1).min(last),
        (Some((first, end)), false) if shift => first.saturating_sub(1)..=end,
        (Some((_, end)), true) => (end + 1).min(last)..=(end + 1).min(last),
        (Some((first, _)), false) => first.saturating_sub(1)..=first.saturating_sub(1),
    };
    answer.chosen = Some(places.filter_map(|place| row.residues.get(place).copied()).collect());
}

#[cfg(test)]
mod tests {
    use kfold_molecule::formats::pdb;

    use super::*;

    #[test]
    fn rows_hold_polymers_only_and_never_two_chains() {
        let mut text = String::new();
        for (serial, (chain, number)) in [('A', 1), ('A', 2), ('A', 3), ('B', 1)].into_iter().enumerate() {
            text.push_str(&format!(
                "ATOM  {:>5}  CA  GLY {chain}{number:>4}    {:>8.3}   0.000   0.000  1.00  0.00           C\n",
                serial + 1,
                serial as f32 * 3.8
            ));
        }
        text.push_str("HETATM    9  O   HOH A  90      30.000   0.000   0.000  1.00  0.00           O\n");
        let structure = pdb::read(text.as_bytes()).unwrap();
        let rows = rows(&structure.first().unwrap().topology, 2);
        let lengths: Vec<(usize, usize)> = rows.iter().map(|row| (row.chain, row.residues.len())).collect();
        assert_eq!(lengths, [(0, 2), (0, 1), (1, 1)]);
    }
}
