//! Undo and redo by snapshots.
//!
//! The document is small (texts, paths, settings; never coordinates), so a snapshot is the whole of it and undo cannot
//! forget a field. A burst of edits - typing a SMILES, dragging a number - is one step: a snapshot is taken when the
//! document has rested for [`REST_SECONDS`], or at once when a new kind of edit says so ([`History::commit`]).

use std::sync::Arc;

/// Seconds without a change after which the edits so far become one step.
pub const REST_SECONDS: f64 = 0.6;
/// Steps kept.
pub const STEPS: usize = 200;

/// Snapshots around a value that lives elsewhere. They are shared, so that whoever saves them need not copy them.
#[derive(Clone, Debug)]
pub struct History<T> {
    past: Vec<Arc<T>>,
    /// The last snapshot: what the value was when it last rested.
    present: Arc<T>,
    future: Vec<Arc<T>>,
    /// The value at the last look and when it last changed, seconds.
    unsettled: Option<(T, f64)>,
    generation: u64,
}

/// The snapshots of a history, as they are saved: the oldest first, and those that were undone, the next first.
#[derive(Clone, Debug, PartialEq)]
pub struct Steps<T> {
    /// What undo goes back to.
    pub past: Vec<Arc<T>>,
    /// What the value was when it last rested.
    pub present: Arc<T>,
    /// What redo goes on to.
    pub future: Vec<Arc<T>>,
}

impl<T: Clone + PartialEq> History<T> {
    /// Starts at a value, with nothing to undo.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self { past: Vec::new(), present: Arc::new(value), future: Vec::new(), unsettled: None, generation: 0 }
    }

    /// Goes on with snapshots that were saved.
    #[must_use]
    pub fn from_steps(mut steps: Steps<T>) -> Self {
        steps.future.reverse();
        Self { past: steps.past, present: steps.present, future: steps.future, unsettled: None, generation: 0 }
    }

    /// The snapshots.
    #[must_use]
    pub fn steps(&self) -> Steps<T> {
        let future = self.future.iter().rev().cloned().collect();
        Steps { past: self.past.clone(), present: Arc::clone(&self.present), future }
    }

    /// A number that changes with the snapshots.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Looks at the value; called every frame with the time in seconds.
    ///
    /// Returns whether an edit is still unsettled, so that the caller can ask for another frame.
    pub fn observe(&mut self, value: &T, now: f64) -> bool {
        if *value == *self.present {
            self.unsettled = None;
            return false;
        }
        match &mut self.unsettled {
            Some((seen, since)) if seen == value => {
                if now - *since >= REST_SECONDS {
                    self.commit(value);
                    return false;
                }
            }
            Some((seen, since)) => {
                *seen = value.clone();
                *since = now;
            }
            None => self.unsettled = Some((value.clone(), now)),
        }
        true
    }

    /// Makes the edits so far a step, if there are any.
    pub fn commit(&mut self, value: &T) {
        self.unsettled = None;
        if *value == *self.present {
            return;
        }
        self.past.push(std::mem::replace(&mut self.present, Arc::new(value.clone())));
        if self.past.len() > STEPS {
            self.past.remove(0);
        }
        self.future.clear();
        self.generation += 1;
    }

    /// Makes a change part of the last step: what the program itself adds to what the user did.
    pub fn amend(&mut self, change: impl Fn(&mut T)) {
        change(Arc::make_mut(&mut self.present));
        if let Some((seen, _)) = &mut self.unsettled {
            change(seen);
        }
        self.generation += 1;
    }

    /// Whether no edit waits to become a step.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.unsettled.is_none()
    }

    /// Whether [`Self::undo`] would change the value.
    #[must_use]
    pub fn can_undo(&self, value: &T) -> bool {
        !self.past.is_empty() || *value != *self.present
    }

    /// Whether [`Self::redo`] would change the value.
    #[must_use]
    pub fn can_redo(&self, value: &T) -> bool {
        !self.future.is_empty() && *value == *self.present
    }

    /// Goes one step back.
    pub fn undo(&mut self, value: &mut T) {
        self.commit(value);
        if let Some(previous) = self.past.pop() {
            self.future.push(std::mem::replace(&mut self.present, previous));
            *value = T::clone(&self.present);
            self.generation += 1;
        }
    }

    /// Takes back an undo.
    pub fn redo(&mut self, value: &mut T) {
        self.commit(value);
        if let Some(next) = self.future.pop() {
            self.past.push(std::mem::replace(&mut self.present, next));
            *value = T::clone(&self.present);
            self.generation += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;

    #[test]
    fn typing_is_one_step_and_a_rest_ends_it() {
        let mut history = History::new(String::new());
        let mut text = String::new();
        let mut now = 0.0;
        for letter in "CCO".chars() {
            text.push(letter);
            now += 0.1;
            assert!(history.observe(&text, now));
        }
        assert!(!history.observe(&text, now + REST_SECONDS));
        text.push('N');
        assert!(history.can_undo(&text));
        history.undo(&mut text);
        assert_eq!(text, "CCO");
        history.undo(&mut text);
        assert_eq!(text, "");
        assert!(!history.can_undo(&text));
        history.redo(&mut text);
        history.redo(&mut text);
        assert_eq!(text, "CCON");
        assert!(!history.can_redo(&text));
    }

    #[test]
    fn an_edit_after_undo_drops_what_was_undone() {
        let mut history = History::new(0);
        let mut value = 1;
        history.commit(&value);
        history.undo(&mut value);
        value = 7;
        history.commit(&value);
        assert!(!history.can_redo(&value));
        history.undo(&mut value);
        assert_eq!(value, 0);
    }

    #[test]
    fn random_edits_undo_to_the_start_and_redo_to_the_end() {
        for seed in 0..20 {
            let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            let mut value = vec![0_u8; 4];
            let start = value.clone();
            let mut history = History::new(value.clone());
            for step in 0..150 {
                let place = random.random_range(0..4);
                value[place] = random.random();
                history.observe(&value, f64::from(step) * random.random::<f64>());
                if random.random_bool(0.4) {
                    history.commit(&value);
                }
            }
            let end = value.clone();
            while history.can_undo(&value) {
                history.undo(&mut value);
            }
            assert_eq!(value, start);
            while history.can_redo(&value) {
                history.redo(&mut value);
            }
            assert_eq!(value, end);
        }
    }

    #[test]
    fn two_hundred_steps_come_back_and_what_is_amended_belongs_to_the_last() {
        let mut history = History::new((0, 0));
        let mut value = (0, 0);
        for step in 1..=STEPS {
            value.0 = step;
            history.commit(&value);
            history.amend(|value| value.1 = step);
            value.1 = step;
        }
        let mut history = History::from_steps(history.steps());
        for step in (0..STEPS).rev() {
            history.undo(&mut value);
            assert_eq!(value, (step, step));
        }
        assert!(!history.can_undo(&value));
        let mut history = History::from_steps(history.steps());
        for step in 1..=STEPS {
            history.redo(&mut value);
            assert_eq!(value, (step, step));
        }
    }

    #[test]
    fn random_edits_of_a_document_undo_to_the_start() {
        use glam::Quat;
        use kfold_viewer::Camera;

        use crate::window::document::{self, ColourBy, Document, PolymerKind, Representation};

        for seed in 0..10 {
            let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            let mut value = Document::default();
            let start = value.clone();
            let mut history = History::new(value.clone());
            let mut steps = 0;
            while steps < STEPS {
                let before = value.clone();
                match random.random_range(0..9) {
                    0 => value.query.name = format!("name{}", random.random_range(0..5)),
                    1 => {
                        document::add_polymer(&mut value.query, PolymerKind::Protein, "MKT".to_owned());
                    }
                    2 => value.query.sequences.clear(),
                    3 => value.view.representation = [Representation::Cartoon, Representation::Sticks][steps % 2],
                    4 => value.view.colour = ColourBy::ALL[random.random_range(0..ColourBy::ALL.len())],
                    5 => {
                        let turn = Quat::from_rotation_y(random.random());
                        value.camera = Some(Camera { view_from_world: turn, ..Camera::default() });
                    }
                    6 => value.selection = format!("resi {}", random.random_range(1..9)),
                    7 => value.view.waters = !value.view.waters,
                    _ => value.notes.push('x'),
                }
                history.commit(&value);
                steps += usize::from(value != before);
            }
            let end = value.clone();
            while history.can_undo(&value) {
                history.undo(&mut value);
            }
            assert_eq!(value, start);
            while history.can_redo(&value) {
                history.redo(&mut value);
            }
            assert_eq!(value, end);
        }
    }
}
