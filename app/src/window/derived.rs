//! What is made in the background from what is shown, by what it was made from: maps, diagrams, comparisons. A few of each kind
//! are kept.

use std::sync::Arc;

use super::app::Studio;
use super::background::{Lane, Loaded};
use super::message::Message;

/// Things of one kind.
pub struct Derived<K, T> {
    held: Vec<(K, Loaded<T>)>,
    most: usize,
}

impl<K: PartialEq, T> Derived<K, T> {
    /// Keeps as many.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self { held: Vec::new(), most }
    }

    /// The thing, as far as it is here.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&Loaded<T>> {
        self.held.iter().find(|(held, _)| held == key).map(|(_, loaded)| loaded)
    }

    fn put(&mut self, key: K, loaded: Loaded<T>) {
        match self.held.iter().position(|(held, _)| *held == key) {
            Some(place) => self.held[place].1 = loaded,
            None => {
                if self.held.len() >= self.most {
                    self.held.remove(0);
                }
                self.held.push((key, loaded));
            }
        }
    }
}

impl Studio {
    /// The thing of this key among those at `place`; `work` makes it in the background where it is not here yet.
    pub(super) fn derive<K, T>(
        &mut self,
        place: fn(&mut Self) -> &mut Derived<K, T>,
        key: &K,
        work: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Loaded<T>
    where
        K: Clone + PartialEq + Send + 'static,
        T: Send + Sync + 'static,
    {
        if let Some(held) = place(self).get(key) {
            return held.clone();
        }
        let wanted = key.clone();
        let queued = self.background.attempt(Lane::Results, work, move |result| {
            Message::Apply(Box::new(move |studio: &mut Self| {
                let result = result.map(Arc::new);
                // What is no longer asked for has been pushed out; it is not taken back.
                if place(studio).get(&wanted).is_some() {
                    place(studio).put(wanted, result.map_or_else(Loaded::Failed, Loaded::Ready));
                }
            }))
        });
        if queued {
            place(self).put(key.clone(), Loaded::Waiting);
        }
        Loaded::Waiting
    }
}

/// Something shared that is compared by identity.
pub struct Same<T>(pub Arc<T>);

impl<T> Clone for Same<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> PartialEq for Same<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
