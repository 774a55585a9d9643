//! A line plot along the sequence, and a scatter plot: enough axes to read a value, and the value under the pointer.

use egui::{Align2, Color32, Pos2, Rect, Role, Sense, Shape, Stroke, TextStyle, Ui, WidgetInfo, pos2, vec2};

use super::super::format::number;
use super::super::theme::palette;
use super::describe;

/// A line of a plot.
pub struct Line<'a> {
    /// What it is, with its unit.
    pub name: &'a str,
    /// Values; not-a-number leaves a gap.
    pub values: &'a [f32],
    /// Ink.
    pub colour: Color32,
}

/// Shows lines over a common axis of positions and returns the position that was clicked.
///
/// `place` names a position, e.g. `A 45 GLY`.
pub fn line_plot(
    ui: &mut Ui,
    name: &str,
    height: f32,
    lines: &[Line<'_>],
    place: impl FnMut(usize) -> String,
) -> Option<usize> {
    line_plot_on(ui, name, height, &Axis::default(), lines, place)
}

/// The axis of values.
#[derive(Default)]
pub struct Axis<'a> {
    /// Where it ends; without, a little above the highest value.
    pub top: Option<f32>,
    /// Grounds behind the lines: from, to, colour.
    pub bands: &'a [(f32, f32, Color32)],
}

/// [`line_plot`] on an axis of its own.
pub fn line_plot_on(
    ui: &mut Ui,
    name: &str,
    height: f32,
    axis: &Axis<'_>,
    lines: &[Line<'_>],
    mut place: impl FnMut(usize) -> String,
) -> Option<usize> {
    let colours = palette(ui);
    let count = lines.iter().map(|line| line.values.len()).max().unwrap_or(0);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    describe(&response, || line_description(lines, &mut place));
    let font = TextStyle::Small.resolve(ui.style());
    let area = Rect::from_min_max(rect.min + vec2(34.0, 20.0), rect.max - vec2(6.0, 18.0));
    let highest = lines
        .iter()
        .flat_map(|line| line.values.iter().copied())
        .filter(|value| value.is_finite())
        .fold(0.0_f32, f32::max);
    // Nothing but zeros is a line on the axis.
    let highest = axis.top.unwrap_or(if highest > 0.0 { highest } else { 1.0 });
    if count < 2 || area.width() < 10.0 || area.height() < 10.0 {
        return None;
    }
    let step = tidy_step(highest, 4);
    let top = (highest / step).ceil() * step;
    let at = |index: usize, value: f32| -> Pos2 {
        pos2(
            area.left() + area.width() * index as f32 / (count - 1) as f32,
            area.bottom() - area.height() * value / top,
        )
    };
    let painter = ui.painter();
    for (from, to, colour) in axis.bands {
        let y = |value: f32| area.bottom() - area.height() * (value / top).clamp(0.0, 1.0);
        let band = Rect::from_x_y_ranges(area.x_range(), y(*to)..=y(*from));
        painter.rect_filled(band, 0.0, colour.gamma_multiply(0.22));
    }
    let ticks = (top / step).round() as usize;
    for tick in 0..=ticks {
        let value = tick as f32 * step;
        let y = area.bottom() - area.height() * value / top;
        painter.hline(area.x_range(), y, Stroke::new(1.0, colours.line));
        let text = if step < 1.0 { format!("{value:.1}") } else { format!("{value:.0}") };
        painter.text(pos2(area.left() - 5.0, y), Align2::RIGHT_CENTER, text, font.clone(), colours.text_muted);
    }
    for index in axis_places(count, area.width()) {
        let x = at(index, 0.0).x;
        painter.vline(x, area.bottom()..=area.bottom() + 3.0, Stroke::new(1.0, colours.line_strong));
        let (text, ink) = (place(index), colours.text_muted);
        let side = match index {
            0 => Align2::LEFT_TOP,
            index if index + 1 == count => Align2::RIGHT_TOP,
            _ => Align2::CENTER_TOP,
        };
        painter.text(pos2(x, area.bottom() + 4.0), side, text.lines().next().unwrap_or_default(), font.clone(), ink);
    }
    // Over the plot, not over the numbers of its axis.
    let mut legend = area.left();
    for line in lines {
        for run in finite_runs(line.values) {
            let points = run.map(|index| at(index, line.values[index])).collect();
            painter.add(Shape::line(points, Stroke::new(1.6, line.colour)));
        }
        painter.hline(legend..=legend + 14.0, rect.top() + 8.0, Stroke::new(2.0, line.colour));
        let drawn = painter.text(
            pos2(legend + 18.0, rect.top() + 8.0),
            Align2::LEFT_CENTER,
            line.name,
            font.clone(),
            colours.text,
        );
        legend = drawn.right() + 12.0;
    }
    let pointer = response.hover_pos().filter(|position| area.x_range().contains(position.x))?;
    let index = ((pointer.x - area.left()) / area.width() * (count - 1) as f32).round() as usize;
    painter.vline(at(index, 0.0).x, area.y_range(), Stroke::new(1.0, colours.line_strong));
    let mut text = place(index);
    for line in lines {
        if let Some(value) = line.values.get(index).filter(|value| value.is_finite()) {
            painter.circle_filled(at(index, *value), 3.0, line.colour);
            text.push_str(&format!("\n{} {value:.2}", line.name));
        }
    }
    let clicked = response.clicked();
    response.on_hover_text_at_pointer(text);
    clicked.then_some(index)
}

/// The positions that are named under a plot: the ends, and as many between as there is room for.
fn axis_places(count: usize, width: f32) -> Vec<usize> {
    let parts = ((width / 110.0) as usize).clamp(1, 6).min(count - 1);
    (0..=parts).map(|part| part * (count - 1) / parts).collect()
}

/// The highest point of each line in words.
fn line_description(lines: &[Line<'_>], place: &mut impl FnMut(usize) -> String) -> String {
    let highest = |line: &Line<'_>| {
        let finite = line.values.iter().enumerate().filter(|(_, value)| value.is_finite());
        let (index, value) = finite.max_by(|a, b| a.1.total_cmp(b.1))?;
        Some(format!("{}: {} ({})", line.name, number(*value, 2), place(index)))
    };
    lines.iter().filter_map(highest).collect::<Vec<_>>().join("; ")
}

/// A point of a scatter plot.
pub struct Point {
    /// Across.
    pub x: f32,
    /// Up.
    pub y: f32,
    /// What it is.
    pub name: String,
}

/// Shows points on two axes with their names and returns the index of the point that was clicked.
pub fn scatter_plot(
    ui: &mut Ui,
    name: &str,
    height: f32,
    (x_name, y_name): (&str, &str),
    points: &[Point],
    selected: Option<usize>,
) -> Option<usize> {
    let colours = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    describe(&response, || {
        let shown = selected.and_then(|index| points.get(index));
        let shown = shown.map(|at| format!("; {}: {}, {}", at.name, number(at.x, 2), number(at.y, 2)));
        format!("{} × {x_name}, {y_name}{}", points.len(), shown.unwrap_or_default())
    });
    let font = TextStyle::Small.resolve(ui.style());
    let area = Rect::from_min_max(rect.min + vec2(40.0, 20.0), rect.max - vec2(10.0, 34.0));
    let (x_low, x_high) = range(points.iter().map(|point| point.x))?;
    let (y_low, y_high) = range(points.iter().map(|point| point.y))?;
    if area.width() < 20.0 || area.height() < 20.0 {
        return None;
    }
    let at = |point: &Point| -> Pos2 {
        pos2(
            area.left() + area.width() * (point.x - x_low) / (x_high - x_low),
            area.bottom() - area.height() * (point.y - y_low) / (y_high - y_low),
        )
    };
    let painter = ui.painter();
    painter.rect_stroke(area, 0.0, Stroke::new(1.0, colours.line_strong), egui::StrokeKind::Inside);
    for (low, high, across) in [(x_low, x_high, true), (y_low, y_high, false)] {
        let step = tidy_step(high - low, 4);
        let mut value = (low / step).ceil() * step;
        while value <= high {
            let share = (value - low) / (high - low);
            let text = number(value, usize::from(step < 1.0));
            if across {
                let x = area.left() + area.width() * share;
                painter.vline(x, area.y_range(), Stroke::new(1.0, colours.line));
                painter.text(pos2(x, area.bottom() + 3.0), Align2::CENTER_TOP, text, font.clone(), colours.text_muted);
            } else {
                let y = area.bottom() - area.height() * share;
                painter.hline(area.x_range(), y, Stroke::new(1.0, colours.line));
                painter.text(pos2(area.left() - 5.0, y), Align2::RIGHT_CENTER, text, font.clone(), colours.text_muted);
            }
            value += step;
        }
    }
    painter.text(pos2(area.center().x, rect.bottom()), Align2::CENTER_BOTTOM, x_name, font.clone(), colours.text_muted);
    painter.text(pos2(rect.left() + 4.0, rect.top() + 2.0), Align2::LEFT_TOP, y_name, font, colours.text_muted);
    let pointer = response.hover_pos();
    let mut nearest: Option<(usize, f32)> = None;
    for (index, point) in points.iter().enumerate() {
        let position = at(point);
        let is_selected = selected == Some(index);
        painter.circle(
            position,
            if is_selected { 5.5 } else { 4.0 },
            if is_selected { colours.accent } else { colours.accent_soft },
            Stroke::new(1.5, colours.accent),
        );
        if let Some(pointer) = pointer {
            let distance = pointer.distance(position);
            if distance < 10.0 && nearest.is_none_or(|(_, held)| distance < held) {
                nearest = Some((index, distance));
            }
        }
    }
    let (index, _) = nearest?;
    let clicked = response.clicked();
    let point = points.get(index)?;
    response.on_hover_text_at_pointer(format!("{}\n{x_name} {:.2}\n{y_name} {:.2}", point.name, point.x, point.y));
    clicked.then_some(index)
}

/// The span of values with some air on both sides.
fn range(values: impl Iterator<Item = f32>) -> Option<(f32, f32)> {
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return None;
    }
    let air = ((high - low) * 0.08).max(0.1);
    Some((low - air, high + air))
}

/// A step of 1, 2 or 5 times a power of ten that divides a span into about `parts`.
fn tidy_step(span: f32, parts: u32) -> f32 {
    let raw = (span / parts as f32).max(1e-6);
    let power = 10.0_f32.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= raw).unwrap_or(10.0);
    step * power
}

fn finite_runs(values: &[f32]) -> Vec<std::ops::Range<usize>> {
    let mut runs = Vec::new();
    let mut start = None;
    for (index, value) in values.iter().enumerate() {
        match (value.is_finite(), start) {
            (true, None) => start = Some(index),
            (false, Some(first)) => {
                runs.push(first..index);
                start = None;
            }
            _ => {}
        }
    }
    if let Some(first) = start {
        runs.push(first..values.len());
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_tidy() {
        assert!((tidy_step(8.0, 4) - 2.0).abs() < 1e-6);
        assert!((tidy_step(1.3, 4) - 0.5).abs() < 1e-6);
        assert!((tidy_step(93.0, 4) - 50.0).abs() < 1e-4);
    }

    #[test]
    fn a_plot_says_where_it_is_highest_and_names_its_ends() {
        let lines = [Line { name: "RMSF, Å", values: &[0.5, f32::NAN, 2.25], colour: Color32::RED }];
        assert_eq!(line_description(&lines, &mut |index| format!("A {index}")), "RMSF, Å: 2.25 (A 2)");
        assert_eq!(axis_places(214, 330.0), [0, 71, 142, 213]);
        assert_eq!(axis_places(2, 330.0), [0, 1]);
    }

    #[test]
    fn gaps_split_a_line() {
        assert_eq!(finite_runs(&[f32::NAN, 1.0, 2.0, f32::NAN, 3.0]), [1..3, 4..5]);
        assert!(finite_runs(&[]).is_empty());
    }
}
