//! Unbroken stretches of a chain, by their guide atoms.

use glam::Vec3;
use kfold_molecule::{Residue, ResidueKind, Topology};

use crate::ribbon::RibbonKind;

/// Farthest that the CA atoms of bonded residues lie apart, Å: 3.8 for trans, with room for poor models.
const PROTEIN_STEP: f32 = 4.6;
/// The same for C4' or P atoms of nucleotides.
const NUCLEIC_STEP: f32 = 8.5;
/// Breaks wider than this are not bridged with a dashed line, Å.
const WIDEST_GAP: f32 = 80.0;

/// One residue of a trace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guide {
    pub residue: u32,
    /// The guide atom: colours the residue and is picked.
    pub atom: u32,
    pub position: Vec3,
    /// Direction of the ribbon's width where atoms tell (the carbonyl's of a peptide), else zero.
    pub side: Vec3,
    pub kind: RibbonKind,
}

/// A stretch without a break.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace {
    pub guides: Vec<Guide>,
    pub nucleic: bool,
}

/// A break within a chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    pub atoms: [u32; 2],
    pub ends: [Vec3; 2],
}

fn guide(topology: &Topology, positions: &[Vec3], index: usize, kinds: &[RibbonKind]) -> Option<(Guide, bool)> {
    let residue: &Residue = topology.residues.get(index)?;
    let named = |name: &str| topology.atom_named(residue, name);
    let place = |atom: usize| positions.get(atom).copied().filter(|position| position.is_finite());
    let (atom, side, nucleic) = match residue.kind {
        ResidueKind::Protein => {
            let atom = named("CA")?;
            let carbonyl = named("C").zip(named("O").or_else(|| named("OT1")).or_else(|| named("OXT")));
            let side =
                carbonyl.and_then(|(carbon, oxygen)| Some(place(oxygen)? - place(carbon)?)).unwrap_or(Vec3::ZERO);
            (atom, side, false)
        }
        ResidueKind::Dna | ResidueKind::Rna => {
            let atom = named("C4'").or_else(|| named("C4*")).or_else(|| named("P"))?;
            // The ribbon's flat side faces the base.
            let inward = named("C1'").or_else(|| named("C1*")).and_then(place).zip(place(atom));
            (atom, inward.map_or(Vec3::ZERO, |(sugar, here)| sugar - here), true)
        }
        _ => return None,
    };
    let kind = kinds.get(index).copied().unwrap_or_default();
    Some((Guide { residue: index as u32, atom: atom as u32, position: place(atom)?, side, kind }, nucleic))
}

/// All stretches and the breaks between them.
pub(super) fn collect(topology: &Topology, positions: &[Vec3], kinds: &[RibbonKind]) -> (Vec<Trace>, Vec<Gap>) {
    let mut traces: Vec<Trace> = Vec::new();
    let mut gaps = Vec::new();
    for chain in &topology.chains {
        let mut open: Option<Trace> = None;
        for index in chain.residues.start as usize..(chain.residues.end as usize).min(topology.residues.len()) {
            let Some((next, nucleic)) = guide(topology, positions, index, kinds) else { continue };
            let step = if nucleic { NUCLEIC_STEP } else { PROTEIN_STEP };
            let mut joined = false;
            if let Some(trace) = &mut open
                && let Some(previous) = trace.guides.last()
                && trace.nucleic == nucleic
            {
                let distance = previous.position.distance(next.position);
                joined = distance <= step && distance > 0.05;
                let (before, after) =
                    (&topology.residues[previous.residue as usize], &topology.residues[next.residue as usize]);
                if !joined && distance < WIDEST_GAP && distance > step && after.number > before.number + 1 {
                    gaps.push(Gap { atoms: [previous.atom, next.atom], ends: [previous.position, next.position] });
                }
                if joined {
                    trace.guides.push(next);
                }
            }
            if !joined {
                traces.extend(open.take());
                open = Some(Trace { guides: vec![next], nucleic });
            }
        }
        traces.extend(open);
    }
    for trace in &mut traces {
        soften(&mut trace.guides);
    }
    (traces, gaps)
}

/// A strand of one residue (a lone bridge) is drawn as coil: an arrow needs two; a helix needs three.
fn soften(guides: &mut [Guide]) {
    let mut start = 0;
    while start < guides.len() {
        let kind = guides[start].kind;
        let length = guides[start..].iter().take_while(|guide| guide.kind == kind).count().max(1);
        let least = match kind {
            RibbonKind::Helix => 3,
            RibbonKind::Strand => 2,
            RibbonKind::Coil => 0,
        };
        if length < least {
            for guide in &mut guides[start..start + length] {
                guide.kind = RibbonKind::Coil;
            }
        }
        start += length;
    }
}
