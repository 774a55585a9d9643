//! Undo and redo by snapshots.
//!
//! The document is small (texts, paths, settings; never coordinates), so a snapshot is the whole of it and undo cannot
//! forget a field. A burst of edits - typing a SMILES, dragging a number - is one step: a snapshot is taken when the
//! document has rested for [`REST_SECONDS`], or at once when a new kind of edit says so ([`History::commit`]).

/// Seconds without a change after which the edits so far become one step.
pub const REST_SECONDS: f64 = 0.6;
/// Steps kept.
pub const STEPS: usize = 200;

/// Snapshots around a value that lives elsewhere.
#[derive(Clone, Debug)]
pub struct History<T> {
    past: Vec<T>,
    /// The last snapshot: what the value was when it last rested.
    present: T,
    future: Vec<T>,
    /// The value at the last look and when it last changed, seconds.
    unsettled: Option<(T, f64)>,
}

impl<T: Clone + PartialEq> History<T> {
    /// Starts at a value, with nothing to undo.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self { past: Vec::new(), present: value, future: Vec::new(), unsettled: None }
    }

    /// Looks at the value; called every frame with the time in seconds.
    ///
    /// Returns whether an edit is still unsettled, so that the caller can ask for another frame.
    pub fn observe(&mut self, value: &T, now: f64) -> bool {
        if *value == self.present {
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
        if *value == self.present {
            return;
        }
        self.past.push(std::mem::replace(&mut self.present, value.clone()));
        if self.past.len() > STEPS {
            self.past.remove(0);
        }
        self.future.clear();
    }

    /// Whether [`Self::undo`] would change the value.
    #[must_use]
    pub fn can_undo(&self, value: &T) -> bool {
        !self.past.is_empty() || *value != self.present
    }

    /// Whether [`Self::redo`] would change the value.
    #[must_use]
    pub fn can_redo(&self, value: &T) -> bool {
        !self.future.is_empty() && *value == self.present
    }

    /// Goes one step back.
    pub fn undo(&mut self, value: &mut T) {
        self.commit(value);
        if let Some(previous) = self.past.pop() {
            self.future.push(std::mem::replace(&mut self.present, previous));
            *value = self.present.clone();
        }
    }

    /// Takes back an undo.
    pub fn redo(&mut self, value: &mut T) {
        self.commit(value);
        if let Some(next) = self.future.pop() {
            self.past.push(std::mem::replace(&mut self.present, next));
            *value = self.present.clone();
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
}
