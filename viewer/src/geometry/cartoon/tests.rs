use std::sync::Arc;

use kfold_molecule::{Atom, Chain, Element, Residue, ResidueKind};

use super::*;

/// A chain of CA atoms.
fn chain(points: &[Vec3]) -> Topology {
    let atoms = (0..points.len() as u32)
        .map(|index| Atom {
            name: "CA".into(),
            element: Element::C,
            serial: index as i32 + 1,
            altloc: None,
            occupancy: 1.0,
            formal_charge: 0,
            residue: index,
        })
        .collect();
    let residues = (0..points.len() as u32)
        .map(|index| Residue {
            name: "ALA".into(),
            number: index as i32 + 1,
            insertion_code: None,
            sequence_index: None,
            asym_id: String::new().into(),
            is_hetero: false,
            kind: ResidueKind::Protein,
            atoms: index..index + 1,
            chain: 0,
        })
        .collect();
    let chains = vec![Chain { id: "A".into(), residues: 0..points.len() as u32 }];
    Topology { atoms, residues, chains, bonds: Vec::new() }
}

fn helix(count: usize) -> Vec<Vec3> {
    (0..count)
        .map(|index| {
            let angle = (100.0 * index as f32).to_radians();
            Vec3::new(2.3 * angle.cos(), 2.3 * angle.sin(), 1.5 * index as f32)
        })
        .collect()
}

fn built(points: &[Vec3], kind: RibbonKind) -> Mesh {
    let topology = chain(points);
    build(&topology, points, &vec![kind; points.len()], &AtomSelection::All, &[], &CartoonStyle::default())
}

#[test]
fn helices_are_round() {
    let points = helix(16);
    let topology = chain(&points);
    let (traces, _) = trace::collect(&topology, &points, &[RibbonKind::Helix; 16]);
    let frames = curve::frames(&traces[0], 8);
    // Away from the ends, the line keeps to the cylinder through the guide atoms.
    for frame in &frames[24..frames.len() - 24] {
        let radius = frame.position.truncate().length();
        assert!((radius - 2.3).abs() < 0.06, "radius {radius} at {}", frame.position);
        assert!(frame.side.z.abs() > 0.9, "the ribbon's width lies along the axis: {}", frame.side);
        assert!(frame.side.dot(frame.tangent).abs() < 1e-4);
    }
}

#[test]
fn normals_point_outward_and_triangles_agree() {
    let strand: Vec<Vec3> =
        (0..9).map(|index| Vec3::new(if index % 2 == 0 { 0.9 } else { -0.9 }, 0.0, 3.3 * index as f32)).collect();
    for (points, kind) in
        [(helix(12), RibbonKind::Helix), (strand.clone(), RibbonKind::Strand), (strand, RibbonKind::Coil)]
    {
        let mesh = built(&points, kind);
        assert!(!mesh.indices.is_empty());
        let at = |index: u32| Vec3::from(mesh.vertices[index as usize].position);
        let normal = |index: u32| {
            let [x, y, z, _] = mesh.vertices[index as usize].normal;
            Vec3::new(f32::from(x), f32::from(y), f32::from(z)) / 32_767.0
        };
        let mut volume = 0.0;
        let mut wrong = 0;
        for triangle in mesh.indices.chunks_exact(3) {
            let [a, b, c] = [triangle[0], triangle[1], triangle[2]];
            let face = (at(b) - at(a)).cross(at(c) - at(a));
            volume += at(a).dot(at(b).cross(at(c))) / 6.0;
            if face.length() > 1e-4 && face.dot(normal(a) + normal(b) + normal(c)) < 0.0 {
                wrong += 1;
            }
        }
        assert!(volume > 1.0, "{kind:?}: a closed surface with outward triangles has a positive volume, not {volume}");
        assert_eq!(wrong, 0, "{kind:?}: triangles against their normals");
    }
}

#[test]
fn surfaces_are_closed() {
    let mesh = built(&helix(8), RibbonKind::Helix);
    // Every edge between places is used once in each direction.
    let mut edges = std::collections::HashMap::new();
    let key = |index: u32| mesh.vertices[index as usize].position.map(|value| (value * 4096.0).round() as i64);
    for triangle in mesh.indices.chunks_exact(3) {
        for (from, to) in [(0, 1), (1, 2), (2, 0)] {
            let (a, b) = (key(triangle[from]), key(triangle[to]));
            if a != b {
                *edges.entry((a, b)).or_insert(0) += 1;
                *edges.entry((b, a)).or_insert(0) -= 1;
            }
        }
    }
    assert_eq!(edges.values().filter(|&&count| count != 0).count(), 0);
}

#[test]
fn colour_changes_between_residues() {
    let mesh = built(&helix(6), RibbonKind::Helix);
    let atoms: std::collections::BTreeSet<u32> = mesh.vertices.iter().map(|vertex| vertex.atom).collect();
    assert_eq!(atoms.into_iter().collect::<Vec<_>>(), (0..6).collect::<Vec<_>>());
}

#[test]
fn breaks_are_found_and_bridged() {
    let mut points = helix(12);
    for point in &mut points[6..] {
        point.z += 20.0;
    }
    let mut topology = chain(&points);
    for residue in &mut topology.residues[6..] {
        residue.number += 8;
    }
    let (traces, gaps) = trace::collect(&topology, &points, &[RibbonKind::Helix; 12]);
    assert_eq!((traces.len(), gaps.len()), (2, 1));
    assert_eq!(gaps[0].atoms, [5, 6]);
    // Without missing numbers it is another molecule: no bridge.
    let (traces, gaps) = trace::collect(&chain(&points), &points, &[]);
    assert_eq!((traces.len(), gaps.len()), (2, 0));
}

#[test]
fn backbones_are_closed_and_as_thick_as_they_should() {
    let points = helix(16);
    let topology = chain(&points);
    let values = Arc::new((0..16).map(|index| if index < 8 { 10.0 } else { 60.0 }).collect::<Vec<f32>>());
    for backbone in [
        BackboneStyle::TubularHelices,
        BackboneStyle::Putty(Putty::of_range(values)),
        BackboneStyle::Trace { radius: 0.3 },
    ] {
        let style = CartoonStyle { backbone: backbone.clone(), ..CartoonStyle::default() };
        let mesh = build(&topology, &points, &[RibbonKind::Helix; 16], &AtomSelection::All, &[], &style);
        let place = |index: u32| Vec3::from(mesh.vertices[index as usize].position);
        let volume: f32 = mesh
            .indices
            .chunks_exact(3)
            .map(|corners| place(corners[0]).dot(place(corners[1]).cross(place(corners[2]))) / 6.0)
            .sum();
        assert!(volume > 5.0, "{backbone:?}: {volume}");
        // Distance from the axis in the middle of the chain's halves.
        let farthest = |from: f32, to: f32| {
            let places = mesh.vertices.iter().map(|vertex| Vec3::from(vertex.position));
            let here = places.filter(|place| (from..to).contains(&place.z));
            here.map(|place| place.truncate().length()).fold(0.0_f32, f32::max)
        };
        let (first, second) = (farthest(6.0, 7.5), farthest(15.0, 16.5));
        match backbone {
            BackboneStyle::TubularHelices => {
                assert!((first - 1.8).abs() < 0.05 && (second - 1.8).abs() < 0.05, "{first} {second}");
            }
            BackboneStyle::Putty(_) => assert!(second - first > 1.2, "{first} {second}"),
            _ => assert!((first - 2.6).abs() < 0.1, "{first}"),
        }
    }
}

#[test]
fn hostile_input_is_survived() {
    let odd = [
        vec![],
        vec![Vec3::ZERO],
        vec![Vec3::ZERO; 4],
        vec![Vec3::splat(f32::NAN), Vec3::ZERO, Vec3::X * 3.8],
        (0..5).map(|index| Vec3::X * 3.8 * index as f32).collect(),
        vec![Vec3::ZERO, Vec3::X * 3.8, Vec3::ZERO, Vec3::X * 3.8],
    ];
    for points in odd {
        for kind in [RibbonKind::Helix, RibbonKind::Strand, RibbonKind::Coil] {
            let mesh = built(&points, kind);
            assert!(mesh.vertices.iter().all(|vertex| vertex.position.iter().all(|value| value.is_finite())));
        }
    }
    let topology = Arc::new(chain(&helix(5)));
    // Fewer positions than atoms, kinds for none of the residues.
    build(&topology, &helix(3), &[], &AtomSelection::All, &[], &CartoonStyle::default());
}

#[test]
fn tethers_lead_back_to_the_atoms() {
    let strand: Vec<Vec3> =
        (0..9).map(|index| Vec3::new(if index % 2 == 0 { 0.9 } else { -0.9 }, 0.0, 3.3 * index as f32)).collect();
    let topology = chain(&strand);
    let reach = |tethers: &[AtomSelection]| {
        let kinds = vec![RibbonKind::Strand; strand.len()];
        let mesh = build(&topology, &strand, &kinds, &AtomSelection::All, tethers, &CartoonStyle::default());
        mesh.vertices.iter().map(|vertex| Vec3::from(vertex.position).distance(strand[4])).fold(f32::INFINITY, f32::min)
    };
    assert!(reach(&[]) > 0.4, "the smoothed ribbon passes by: {}", reach(&[]));
    assert!(reach(&[AtomSelection::of(vec![4])]) < 0.3);
}
