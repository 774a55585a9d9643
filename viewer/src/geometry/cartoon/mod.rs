//! Cartoons: ribbons that show how a chain runs.
//!
//! `trace` finds unbroken stretches of guide atoms (CA, C4') and where the chain is broken; `curve` lays a smooth line
//! with a frame through them; here cross sections are drawn along the line, each run of helix, strand or coil as a piece
//! of its own with closed ends; `nucleic` adds the bases. Proportions follow ChimeraX: ribbons 2.0 Å wide and 0.4 Å
//! thick, oval in helices and rectangular (with softened edges) in strands, arrows at the ends of strands.

mod curve;
mod nucleic;
mod section;
mod trace;
mod tubes;

use glam::Vec3;
use kfold_molecule::Topology;
use rayon::prelude::*;

use super::mesh::Mesh;
use crate::geometry::dash_ranges;
use crate::renderer::uniforms::{CylinderInstance, NO_ATOM, ROUND_ENDS, packed_range};
use crate::ribbon::RibbonKind;
use crate::scene::{AtomSelection, BackboneStyle, CartoonStyle, Putty};
use curve::Frame;
use section::{Cap, Section, extrude};
use trace::{Gap, Guide, Trace};

/// Longest run of residues drawn as an arrow's head.
const ARROW_RESIDUES: f32 = 1.5;
/// With more residues than this they are drawn with fewer cross sections, as nobody sees them from near all at once.
const MANY_RESIDUES: usize = 20_000;
/// Radius of the tube from the ribbon to a guide atom beside it, Å.
const TETHER_RADIUS: f32 = 0.15;
/// Radius of a tubular helix as a multiple of a ribbon's width.
const TUBE_WIDTH: f32 = 0.9;
/// Radius of putty where it is thinnest and thickest, Å.
const PUTTY_RADII: [f32; 2] = [0.2, 1.8];
/// Residues over which a helix grows from the coil's cross section to its own.
const TAPER_RESIDUES: f32 = 0.9;

/// Radius of the tubes that stand for a cartoon until it is built, Å.
const STAND_IN_RADIUS: f32 = 0.4;

/// Straight tubes along the backbone, which cost next to nothing: what is seen until the cartoon is built.
pub(crate) fn stand_in(topology: &Topology, positions: &[Vec3], atoms: &AtomSelection) -> Vec<CylinderInstance> {
    let mut is_wanted = vec![false; topology.atoms.len()];
    for atom in atoms.indices(topology) {
        is_wanted[atom as usize] = true;
    }
    let (traces, _) = trace::collect(topology, positions, &[]);
    let pairs = traces.iter().flat_map(|trace| trace.guides.windows(2)).map(|pair| (pair[0].atom, pair[1].atom));
    pairs
        .filter(|(a, b)| is_wanted[*a as usize] && is_wanted[*b as usize])
        .map(|(a, b)| CylinderInstance {
            a,
            b,
            plane: NO_ATOM,
            offset: 0.0,
            radius: STAND_IN_RADIUS,
            range: packed_range(0.0, 1.0),
            flags: ROUND_ENDS,
            copy: 0,
        })
        .collect()
}

/// The cartoon of the residues whose guide atom is among the atoms. `kinds` has an entry for each residue; missing ones
/// are coil. Smoothing moves the ribbon away from guide atoms: to those among `tethers`, which are drawn otherwise as
/// well, a short tube leads back, so that side chains do not float.
pub(crate) fn build(
    topology: &Topology,
    positions: &[Vec3],
    kinds: &[RibbonKind],
    atoms: &AtomSelection,
    tethers: &[AtomSelection],
    style: &CartoonStyle,
) -> Mesh {
    let mut style = sane(style);
    let marked = |selections: &[AtomSelection]| {
        let mut marks = vec![false; topology.atoms.len()];
        for atom in selections.iter().flat_map(|selection| selection.indices(topology)) {
            marks[atom as usize] = true;
        }
        marks
    };
    let chosen = marked(std::slice::from_ref(atoms));
    let tethered = if tethers.is_empty() { Vec::new() } else { marked(tethers) };
    let (traces, gaps) = trace::collect(topology, positions, kinds);
    if traces.iter().map(|trace| trace.guides.len()).sum::<usize>() > MANY_RESIDUES {
        style.divisions = style.divisions.min(4);
    }
    let pieces: Vec<Mesh> =
        traces.par_iter().map(|trace| ribbon(topology, positions, trace, [&chosen, &tethered], &style)).collect();
    let mut mesh = Mesh::default();
    for piece in &pieces {
        mesh.append(piece);
    }
    for gap in gaps.iter().filter(|gap| gap.atoms.iter().all(|&atom| chosen[atom as usize])) {
        bridge(&mut mesh, gap, &style);
    }
    mesh
}

fn sane(style: &CartoonStyle) -> CartoonStyle {
    let within = |value: f32, otherwise: f32| if value.is_finite() { value.clamp(0.05, 10.0) } else { otherwise };
    let usual = CartoonStyle::default();
    CartoonStyle {
        width: within(style.width, usual.width),
        thickness: within(style.thickness, usual.thickness),
        coil: within(style.coil, usual.coil),
        arrow: within(style.arrow, usual.arrow).max(1.0),
        divisions: (style.divisions.clamp(2, 40) / 2) * 2,
        bases: style.bases,
        backbone: match &style.backbone {
            BackboneStyle::Trace { radius } => BackboneStyle::Trace { radius: within(*radius, 0.3) },
            other => other.clone(),
        },
    }
}

/// Half sizes of a cross section along a helix: the coil's at the ends.
fn helix_section(style: &CartoonStyle, place: f32, length: f32) -> Section {
    let taper = TAPER_RESIDUES.min(0.4 * length).max(1e-3);
    let from_end = place.min(length - place).max(0.0);
    let grown = (from_end / taper).clamp(0.0, 1.0);
    let grown = grown * grown * (3.0 - 2.0 * grown);
    let coil = 0.5 * style.coil;
    Section::oval(coil + (0.5 * style.width - coil) * grown, coil + (0.5 * style.thickness - coil) * grown)
}

/// All pieces of one stretch.
fn ribbon(
    topology: &Topology,
    positions: &[Vec3],
    trace: &Trace,
    [chosen, tethered]: [&[bool]; 2],
    style: &CartoonStyle,
) -> Mesh {
    let mut mesh = Mesh::default();
    let guides = &trace.guides;
    let count = guides.len();
    if count < 2 {
        return mesh;
    }
    let divisions = style.divisions as usize;
    let is_trace = matches!(style.backbone, BackboneStyle::Trace { .. });
    let frames = match style.backbone {
        BackboneStyle::TubularHelices if !trace.nucleic => curve::frames(&tubes::straightened(trace), divisions),
        _ => curve::frames(trace, divisions),
    };
    let last = frames.len() - 1;
    // Section `j` to `j + 1` belongs to the residue nearest to its middle.
    let atom_of = |index: usize| guides[((index + divisions / 2) / divisions).min(count - 1)].atom;
    let is_chosen = |guide: usize| chosen.get(guides[guide].atom as usize).copied().unwrap_or(false);

    if let BackboneStyle::Trace { radius } = style.backbone {
        straight(&mut mesh, guides, &is_chosen, radius);
    }
    let mut start = if is_trace { count } else { 0 };
    while start < count {
        let same = |guide: usize| guides[guide].kind == guides[start].kind && is_chosen(guide) == is_chosen(start);
        let end = (start..count).take_while(|&guide| same(guide)).last().unwrap_or(start);
        if is_chosen(start) {
            let first_frame = (start * divisions).saturating_sub(divisions / 2);
            let last_frame = (end * divisions + divisions / 2).min(last);
            let piece = Piece {
                frames: &frames[first_frame..=last_frame],
                first_frame,
                divisions,
                begins_chain: first_frame == 0,
                ends_chain: last_frame == last,
            };
            if let BackboneStyle::Putty(putty) = &style.backbone {
                piece.putty(&mut mesh, putty, guides, &atom_of);
            } else if trace.nucleic {
                piece.nucleic(&mut mesh, style, &atom_of);
            } else {
                match guides[start].kind {
                    RibbonKind::Helix if style.backbone == BackboneStyle::TubularHelices => {
                        piece.tube(&mut mesh, style, &atom_of);
                    }
                    RibbonKind::Helix => piece.helix(&mut mesh, style, &atom_of),
                    RibbonKind::Strand => piece.strand(&mut mesh, style, &atom_of),
                    RibbonKind::Coil => piece.coil(&mut mesh, style, &atom_of),
                }
            }
        }
        start = end + 1;
    }
    for (index, guide) in guides.iter().enumerate().filter(|(index, _)| is_chosen(*index)) {
        let on_ribbon = if is_trace { guide.position } else { frames[index * divisions].position };
        if tethered.get(guide.atom as usize).copied().unwrap_or(false) && on_ribbon.distance(guide.position) > 0.1 {
            tube(&mut mesh, on_ribbon, guide.position, TETHER_RADIUS, guide.atom);
        }
    }
    if trace.nucleic {
        for (index, guide) in guides.iter().enumerate().filter(|(index, _)| is_chosen(*index)) {
            let on_ribbon = if is_trace { guide.position } else { frames[index * divisions].position };
            nucleic::base(&mut mesh, topology, positions, guide.residue, on_ribbon, style);
        }
    }
    mesh
}

/// A run of one kind.
struct Piece<'a> {
    frames: &'a [Frame],
    first_frame: usize,
    divisions: usize,
    begins_chain: bool,
    ends_chain: bool,
}

impl Piece<'_> {
    /// Length in residues.
    fn length(&self) -> f32 {
        (self.frames.len() - 1) as f32 / self.divisions as f32
    }

    fn end_caps(&self) -> (Cap, Cap) {
        let cap = |outer: bool| if outer { Cap::Round } else { Cap::Flat };
        (cap(self.begins_chain), cap(self.ends_chain))
    }

    fn coil(&self, mesh: &mut Mesh, style: &CartoonStyle, atom_of: &impl Fn(usize) -> u32) {
        let section = Section::oval(0.5 * style.coil, 0.5 * style.coil);
        let atoms = |index: usize| atom_of(self.first_frame + index);
        extrude(mesh, self.frames, |_| section, atoms, self.end_caps());
    }

    fn helix(&self, mesh: &mut Mesh, style: &CartoonStyle, atom_of: &impl Fn(usize) -> u32) {
        let length = self.length();
        let section = |index: usize| helix_section(style, index as f32 / self.divisions as f32, length);
        let atoms = |index: usize| atom_of(self.first_frame + index);
        extrude(mesh, self.frames, section, atoms, self.end_caps());
    }

    /// A straight helix: a tube with softened ends.
    fn tube(&self, mesh: &mut Mesh, style: &CartoonStyle, atom_of: &impl Fn(usize) -> u32) {
        let radius = TUBE_WIDTH * style.width;
        let last = self.frames.len() - 1;
        let section = |index: usize| {
            let narrowed = if index == 0 || index == last { radius - 0.12 } else { radius };
            Section::oval(narrowed, narrowed)
        };
        let atoms = |index: usize| atom_of(self.first_frame + index);
        extrude(mesh, self.frames, section, atoms, (Cap::Flat, Cap::Flat));
    }

    fn putty(&self, mesh: &mut Mesh, putty: &Putty, guides: &[Guide], atom_of: &impl Fn(usize) -> u32) {
        let radius_of = |guide: usize| {
            let value = putty.values.get(guides[guide].atom as usize).copied().unwrap_or(putty.thin);
            let span = putty.thick - putty.thin;
            let fraction = if span.abs() > 1e-6 { (value - putty.thin) / span } else { 0.0 };
            let fraction = if fraction.is_finite() { fraction.clamp(0.0, 1.0) } else { 0.0 };
            PUTTY_RADII[0] + (PUTTY_RADII[1] - PUTTY_RADII[0]) * fraction
        };
        let section = |index: usize| {
            let place = (self.first_frame + index) as f32 / self.divisions as f32;
            let before = (place as usize).min(guides.len() - 1);
            let after = (before + 1).min(guides.len() - 1);
            let step = place - before as f32;
            let eased = step * step * (3.0 - 2.0 * step);
            let radius = radius_of(before) + (radius_of(after) - radius_of(before)) * eased;
            Section::oval(radius, radius)
        };
        let atoms = |index: usize| atom_of(self.first_frame + index);
        extrude(mesh, self.frames, section, atoms, self.end_caps());
    }

    fn nucleic(&self, mesh: &mut Mesh, style: &CartoonStyle, atom_of: &impl Fn(usize) -> u32) {
        let section = Section::oval(0.5 * style.width, 0.6 * style.thickness);
        let atoms = |index: usize| atom_of(self.first_frame + index);
        extrude(mesh, self.frames, |_| section, atoms, (Cap::Flat, Cap::Flat));
    }

    fn strand(&self, mesh: &mut Mesh, style: &CartoonStyle, atom_of: &impl Fn(usize) -> u32) {
        let (half_width, half_thickness) = (0.5 * style.width, 0.5 * style.thickness);
        let arrow_frames = ((ARROW_RESIDUES.min(0.6 * self.length()) * self.divisions as f32) as usize)
            .clamp(1, self.frames.len() - 1);
        let neck = self.frames.len() - 1 - arrow_frames;
        if neck > 0 {
            let atoms = |index: usize| atom_of(self.first_frame + index);
            let section = Section::rectangle(half_width, half_thickness);
            extrude(mesh, &self.frames[..=neck], |_| section, atoms, (Cap::Flat, Cap::Flat));
        }
        let tip = 0.5 * style.coil.min(style.width);
        let section = |index: usize| {
            let fraction = index as f32 / arrow_frames as f32;
            let width = half_width * style.arrow;
            Section::rectangle(width + (tip - width) * fraction, half_thickness)
        };
        let atoms = |index: usize| atom_of(self.first_frame + neck + index);
        extrude(mesh, &self.frames[neck..], section, atoms, (Cap::Flat, Cap::Flat));
    }
}

/// A dashed line where residues are missing.
fn bridge(mesh: &mut Mesh, gap: &Gap, style: &CartoonStyle) {
    let [from, to] = gap.ends;
    let length = from.distance(to);
    for (begin, end) in dash_ranges(length, 1.3) {
        let atom = gap.atoms[usize::from(begin + end > 1.0)];
        tube(mesh, from.lerp(to, begin), from.lerp(to, end), 0.3 * style.coil, atom);
    }
}

/// Straight tubes from guide atom to guide atom.
fn straight(mesh: &mut Mesh, guides: &[Guide], is_chosen: &impl Fn(usize) -> bool, radius: f32) {
    for index in 1..guides.len() {
        let (from, to) = (&guides[index - 1], &guides[index]);
        let middle = 0.5 * (from.position + to.position);
        for (guide, end) in [(index - 1, from), (index, to)] {
            if is_chosen(guide) {
                tube(mesh, end.position, middle, radius, end.atom);
            }
        }
    }
}

/// A straight tube with round ends.
pub(crate) fn tube(mesh: &mut Mesh, from: Vec3, to: Vec3, radius: f32, atom: u32) {
    let tangent = (to - from).normalize_or_zero();
    if tangent == Vec3::ZERO {
        return;
    }
    let side = tangent.any_orthonormal_vector();
    let frames = [from, to].map(|position| Frame { position, tangent, side });
    extrude(mesh, &frames, |_| Section::oval(radius, radius), |_| atom, (Cap::Round, Cap::Round));
}

#[cfg(test)]
mod tests;
