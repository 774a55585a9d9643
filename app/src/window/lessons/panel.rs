//! The pane of lessons: the list of them, or the one that is open.

use std::sync::Arc;

use egui::{Margin, RichText, Role, ScrollArea, Ui, WidgetInfo};

use super::{Block, Lesson, Span};
use crate::texts::{Language, Texts};
use crate::window::action::Action;
use crate::window::app::Studio;
use crate::window::background::Lane;
use crate::window::message::Message;
use crate::window::theme::{self, palette};
use crate::window::widgets::icon::{Icon, paint_icon};
use crate::window::widgets::{Tone, message, note, titled_choice};

/// What the pane holds.
#[derive(Default)]
pub struct Lessons {
    /// The lessons of a language, when they are read.
    read: Option<(Language, Arc<Vec<Lesson>>)>,
    asked: Option<Language>,
    open: Option<usize>,
    /// The answer that was given last: lesson, question, answer.
    answers: Vec<(String, usize, usize)>,
}

impl Studio {
    /// Takes what was read.
    pub(in crate::window) fn take_lessons(&mut self, language: Language, lessons: Vec<Lesson>) {
        self.lessons.read = Some((language, Arc::new(lessons)));
    }

    /// The pane's contents.
    pub(in crate::window) fn lessons_ui(&mut self, ui: &mut Ui) {
        let texts = Arc::clone(&self.texts);
        let language = texts.language();
        if self.lessons.asked != Some(language) {
            self.lessons.asked = Some(language);
            let folder = self.places.lessons.clone();
            self.submit(Lane::Files, move || Message::LessonsRead {
                language,
                lessons: super::read_all(&folder, language),
            });
        }
        let Some((_, lessons)) = self.lessons.read.clone() else { return };
        let mut action = None;
        ScrollArea::vertical().id_salt(("lessons", self.lessons.open)).auto_shrink([false, false]).show(ui, |ui| {
            egui::Frame::new().inner_margin(Margin::symmetric(14, 10)).show(ui, |ui| {
                match self.lessons.open.and_then(|index| lessons.get(index)) {
                    Some(lesson) => self.lesson_ui(ui, &texts, lesson, &mut action),
                    None => self.lesson_list_ui(ui, &texts, &lessons),
                }
            });
        });
        if let Some(action) = action {
            self.act(action, ui.ctx());
        }
    }

    fn done(&self, lesson: &Lesson) -> usize {
        self.preferences.lessons.get(&lesson.name).map_or(0, |done| done.len().min(lesson.tasks))
    }

    fn lesson_list_ui(&mut self, ui: &mut Ui, texts: &Texts, lessons: &[Lesson]) {
        note(ui, &texts.get("lessons-hint"));
        for (index, lesson) in lessons.iter().enumerate() {
            let done = [("done", self.done(lesson).into()), ("count", lesson.tasks.into())];
            if titled_choice(ui, &lesson.title, &texts.with("lesson-done", done), true) {
                self.lessons.open = Some(index);
            }
        }
        ui.add_space(theme::GAP);
        let folder = self.places.lessons.display().to_string();
        note(ui, &texts.with("lessons-own", [("folder", folder.into())]));
        if ui.button(texts.get("lessons-again")).clicked() {
            self.lessons.asked = None;
        }
    }

    fn lesson_ui(&mut self, ui: &mut Ui, texts: &Texts, lesson: &Lesson, action: &mut Option<Action>) {
        if ui.button(texts.get("lessons-back")).clicked() {
            self.lessons.open = None;
        }
        ui.label(RichText::new(&lesson.title).heading());
        for problem in &lesson.problems {
            message(ui, Tone::Warning, &texts.with("lesson-problem", [("what", problem.clone().into())]));
        }
        for block in &lesson.blocks {
            match block {
                Block::Heading(spans) => {
                    ui.add_space(theme::GAP);
                    spans_ui(ui, spans, true, action);
                }
                Block::Text(spans) => spans_ui(ui, spans, false, action),
                Block::Item(spans) => {
                    ui.horizontal_top(|ui| {
                        ui.label("•");
                        ui.vertical(|ui| spans_ui(ui, spans, false, action));
                    });
                }
                Block::Task { number, text, check } => {
                    if self.holds(check) {
                        self.finish_task(lesson, *number);
                    }
                    let is_done = self.is_task_done(lesson, *number);
                    ui.horizontal_top(|ui| {
                        mark_ui(ui, is_done, &task_name(texts, text, is_done));
                        ui.vertical(|ui| spans_ui(ui, text, false, action));
                    });
                }
                Block::Question { number, answers } => self.question_ui(ui, texts, lesson, *number, answers),
            }
            ui.add_space(2.0);
        }
        ui.add_space(theme::GAP);
        if lesson.tasks > 0 && self.done(lesson) == lesson.tasks {
            message(ui, Tone::Good, &texts.get("lesson-finished"));
        }
    }

    fn question_ui(
        &mut self,
        ui: &mut Ui,
        texts: &Texts,
        lesson: &Lesson,
        number: usize,
        answers: &[(Vec<Span>, bool)],
    ) {
        let given = self.lessons.answers.iter().find(|(name, question, _)| *name == lesson.name && *question == number);
        let given = given.map(|(_, _, answer)| *answer);
        for (index, (spans, is_right)) in answers.iter().enumerate() {
            let words: String = spans.iter().map(|span| span.text.as_str()).collect();
            ui.horizontal_wrapped(|ui| {
                if ui.radio(given == Some(index), words).clicked() {
                    self.lessons.answers.retain(|(name, question, _)| *name != lesson.name || *question != number);
                    self.lessons.answers.push((lesson.name.clone(), number, index));
                    if *is_right {
                        self.finish_task(lesson, number);
                    }
                }
            });
        }
        match given.and_then(|given| answers.get(given)) {
            Some((_, true)) => drop(message(ui, Tone::Good, &texts.get("lesson-right"))),
            Some((_, false)) => drop(message(ui, Tone::Warning, &texts.get("lesson-wrong"))),
            None => {}
        }
    }

    fn is_task_done(&self, lesson: &Lesson, number: usize) -> bool {
        self.preferences.lessons.get(&lesson.name).is_some_and(|done| done.contains(&number))
    }

    fn finish_task(&mut self, lesson: &Lesson, number: usize) {
        if !self.is_task_done(lesson, number) {
            self.preferences.lessons.entry(lesson.name.clone()).or_default().insert(number);
            self.keep_preferences();
        }
    }
}

fn task_name(texts: &Texts, spans: &[Span], is_done: bool) -> String {
    let words: String = spans.iter().map(|span| span.text.as_str()).collect();
    texts.with(if is_done { "lesson-task-done" } else { "lesson-task" }, [("what", words.trim().to_owned().into())])
}

/// The box before a task, ticked when it is done.
fn mark_ui(ui: &mut Ui, is_done: bool, name: &str) {
    let colours = palette(ui);
    let (rect, response) = ui.allocate_exact_size(egui::vec2(16.0, 18.0), egui::Sense::hover());
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, false, is_done, name));
    let place = egui::Rect::from_center_size(rect.center(), egui::Vec2::splat(14.0));
    let stroke = egui::Stroke::new(1.0, if is_done { colours.good } else { colours.line_strong });
    ui.painter().rect_stroke(place, 3.0, stroke, egui::StrokeKind::Inside);
    if is_done {
        paint_icon(ui.painter(), Icon::Check, place.shrink(2.5), colours.good);
    }
}

fn spans_ui(ui: &mut Ui, spans: &[Span], is_heading: bool, action: &mut Option<Action>) {
    ui.horizontal_wrapped(|ui| {
        // Lines of text, not of controls.
        ui.spacing_mut().item_spacing = egui::vec2(0.0, 2.0);
        ui.spacing_mut().interact_size.y = 0.0;
        for span in spans {
            let mut text = RichText::new(&span.text);
            if is_heading {
                text = text.text_style(theme::title_style());
            } else if span.is_strong {
                text = text.text_style(theme::strong_style());
            } else if span.is_code {
                text = text.monospace();
            }
            match &span.action {
                Some(wanted) => {
                    if ui.link(text).clicked() {
                        *action = Some(wanted.clone());
                    }
                }
                None => drop(ui.label(text)),
            }
        }
    });
}
