//! Where to search: the box.

use glam::Vec3;
use kfold_molecule::Model;

/// Edges beyond which a box is refused, Å: a whole capsid is not a pocket.
const LONGEST_EDGE: f32 = 250.0;

/// Edges below which no molecule fits, Å.
const SHORTEST_EDGE: f32 = 2.0;

/// A box with its edges along the axes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchBox {
    /// Å.
    pub center: Vec3,
    /// Edge lengths, Å.
    pub size: Vec3,
}

/// Why there is no box.
#[derive(Debug, thiserror::Error)]
pub enum PocketError {
    /// Nothing to put a box around.
    #[error("the pocket names no atoms: give residues, a box, or a reference ligand with coordinates")]
    NoAtoms,
    /// An edge or coordinate is not a usable number.
    #[error(
        "the search box of {0:.1} × {1:.1} × {2:.1} Å is not usable: every edge must be between {SHORTEST_EDGE} and \
         {LONGEST_EDGE} Å"
    )]
    Size(f32, f32, f32),
    /// Not finite.
    #[error("the search box's centre is not a finite position")]
    Center,
    /// A residue's text.
    #[error("pocket residue {0:?} is not of the form CHAIN:NUMBER, e.g. A:145 or B:52A")]
    ResidueForm(String),
    /// No such residue.
    #[error("pocket residue {residue} is not in the receptor; its chains are {chains}")]
    NoResidue {
        /// As given.
        residue: String,
        /// What there is.
        chains: String,
    },
    /// The box is empty.
    #[error(
        "the search box (centre {0:.1}, {1:.1}, {2:.1}) has no receptor atom within 8 Å: the nearest is {3:.1} Å from its \
         surface. Are box and receptor in the same coordinates?"
    )]
    Empty(f32, f32, f32, f32),
}

impl SearchBox {
    /// The box around points with so much added on every side.
    ///
    /// # Errors
    /// When there are no finite points, or the box is not usable.
    pub fn around(points: impl IntoIterator<Item = Vec3>, padding: f32) -> Result<Self, PocketError> {
        let (mut low, mut high) = (Vec3::INFINITY, Vec3::NEG_INFINITY);
        for point in points.into_iter().filter(|point| point.is_finite()) {
            low = low.min(point);
            high = high.max(point);
        }
        if low.x > high.x {
            return Err(PocketError::NoAtoms);
        }
        Self { center: 0.5 * (low + high), size: high - low + 2.0 * padding }.checked()
    }

    /// The box, if its numbers are usable.
    ///
    /// # Errors
    /// When an edge is too short, too long or not a number.
    pub fn checked(self) -> Result<Self, PocketError> {
        if !self.center.is_finite() {
            return Err(PocketError::Center);
        }
        let is_usable = |edge: f32| (SHORTEST_EDGE..=LONGEST_EDGE).contains(&edge);
        if self.size.to_array().into_iter().all(is_usable) {
            Ok(self)
        } else {
            Err(PocketError::Size(self.size.x, self.size.y, self.size.z))
        }
    }

    /// The box around residues by author's chain id and number, e.g. `A:145`.
    ///
    /// # Errors
    /// When a residue is misspelt or missing.
    pub fn around_residues(model: &Model, residues: &[String], padding: f32) -> Result<Self, PocketError> {
        let topology = &*model.topology;
        let mut points = Vec::new();
        for text in residues {
            let (chain, number) = text.trim().rsplit_once(':').ok_or_else(|| PocketError::ResidueForm(text.clone()))?;
            let found = topology.residues.iter().find(|residue| {
                topology.chain_of(residue).id == chain.trim() && residue.number_text() == number.trim()
            });
            let residue = found.ok_or_else(|| PocketError::NoResidue {
                residue: text.clone(),
                chains: topology.chains.iter().map(|chain| chain.id.as_str()).collect::<Vec<_>>().join(", "),
            })?;
            points.extend(topology.atoms_of(residue).map(|atom| model.positions[atom]));
        }
        Self::around(points, padding)
    }

    /// Lowest corner.
    #[must_use]
    pub fn low(&self) -> Vec3 {
        self.center - 0.5 * self.size
    }

    /// Highest corner.
    #[must_use]
    pub fn high(&self) -> Vec3 {
        self.center + 0.5 * self.size
    }

    /// Distance in Å of a point from the box, 0 inside.
    #[must_use]
    pub fn distance(&self, point: Vec3) -> f32 {
        (point - point.clamp(self.low(), self.high())).length()
    }

    /// Fails when no atom can feel anything in the box.
    ///
    /// # Errors
    /// When the nearest of the points is more than 8 Å from the box.
    pub fn check_receptor(&self, atoms: &[Vec3]) -> Result<(), PocketError> {
        let nearest = atoms.iter().map(|&atom| self.distance(atom)).fold(f32::INFINITY, f32::min);
        if nearest <= 8.0 {
            return Ok(());
        }
        Err(PocketError::Empty(self.center.x, self.center.y, self.center.z, nearest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_around_points() {
        let points = [Vec3::new(1.0, 2.0, 3.0), Vec3::new(5.0, 2.0, -3.0)];
        let found = SearchBox::around(points, 8.0).unwrap();
        assert_eq!((found.center, found.size), (Vec3::new(3.0, 2.0, 0.0), Vec3::new(20.0, 16.0, 22.0)));
        assert!(matches!(SearchBox::around([], 8.0), Err(PocketError::NoAtoms)));
        assert!(matches!(SearchBox::around(points, f32::NAN), Err(PocketError::Size(..))));
        let error = found.check_receptor(&[Vec3::new(40.0, 2.0, 0.0)]).unwrap_err();
        assert!(error.to_string().contains("27.0 Å"), "{error}");
        assert!(found.check_receptor(&[Vec3::new(14.0, 2.0, 0.0)]).is_ok());
    }
}
