//! Statistics of ensembles beside `MDAnalysis`', numpy's and scipy's. `goldens/ensembles.py` asked them.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use glam::Vec3;
use kfold_molecule::analysis::ensemble::clusters::{Linkage, gromos, hierarchical, merges};
use kfold_molecule::analysis::ensemble::principal_components::principal_components;
use kfold_molecule::analysis::ensemble::{rmsd_matrix, rmsf, superpose_on_mean};
use kfold_molecule::formats::read_structure;
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn conformers(case: &Value) -> Vec<Vec<Vec3>> {
    if let Some(made) = case["conformers"].as_array() {
        let points = |row: &Value| {
            numbers(row).chunks(3).map(|at| Vec3::new(at[0] as f32, at[1] as f32, at[2] as f32)).collect()
        };
        return made.iter().map(points).collect();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(case["file"].as_str().unwrap());
    let names: Vec<&str> = case["atoms"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let of_model = |model: &kfold_molecule::Model| {
        let atoms = model.topology.atoms.iter().zip(&model.positions);
        atoms.filter(|(atom, _)| names.contains(&atom.name.as_str())).map(|(_, place)| *place).collect()
    };
    read_structure(&path).unwrap().models.iter().map(of_model).collect()
}

fn assert_near(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (place, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance, "{what} {place}: {a}, expected {b}");
    }
}

fn widened(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

#[test]
fn rmsd_rmsf_and_principal_components_as_mdanalysis_has_them() {
    let golden = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/ensembles.json")).unwrap();
    let golden: Value = serde_json::from_slice(&golden).unwrap();
    for (name, case) in golden.as_object().unwrap() {
        let conformers = conformers(case);
        let as_they_lie = rmsd_matrix(&conformers, false).unwrap();
        assert_near(&widened(as_they_lie.upper_triangle()), &numbers(&case["rmsd"]), 2.0e-4, &format!("{name} rmsd"));
        let superposed = rmsd_matrix(&conformers, true).unwrap();
        let expected = numbers(&case["superposed_rmsd"]);
        assert_near(&widened(superposed.upper_triangle()), &expected, 2.0e-4, &format!("{name} superposed rmsd"));

        let on_mean = superpose_on_mean(&conformers).unwrap();
        let fluctuations = rmsf(&on_mean.conformers).unwrap();
        assert_near(&widened(&fluctuations), &numbers(&case["rmsf"]), 1.0e-3, &format!("{name} rmsf"));

        let variances = numbers(&case["variances"]);
        let found = principal_components(&on_mean.conformers, variances.len()).unwrap();
        let total = case["total_variance"].as_f64().unwrap();
        assert_near(&[found.total_variance], &[total], 1.0e-4 * total, &format!("{name} total variance"));
        assert_near(&found.variances, &variances, 1.0e-4 * total, &format!("{name} variances"));
        for component in 0..variances.len() {
            let along: Vec<f64> = found.projections.iter().map(|row| row[component]).collect();
            let expected: Vec<f64> =
                case["projections"].as_array().unwrap().iter().map(|row| numbers(row)[component]).collect();
            // The sign of a component means nothing.
            let sign = along.iter().zip(&expected).map(|(a, b)| a * b).sum::<f64>().signum();
            let turned: Vec<f64> = expected.iter().map(|value| sign * value).collect();
            assert_near(&along, &turned, 0.02, &format!("{name} component {component}"));
        }

        for (method, linkage) in [("average", Linkage::Average), ("complete", Linkage::Complete)] {
            let heights: Vec<f32> = merges(&superposed, linkage).iter().map(|step| step.distance).collect();
            assert_near(&widened(&heights), &numbers(&case[method]["heights"]), 5.0e-4, &format!("{name} {method}"));
            let mut clusters: Vec<Vec<usize>> =
                hierarchical(&superposed, linkage, 1.5).into_iter().map(|cluster| cluster.members).collect();
            clusters.sort();
            assert_eq!(serde_json::json!(clusters), case[method]["clusters"], "{name} {method}");
        }
        // Every conformer is in one cluster, within the cutoff of its centre.
        let found = gromos(&superposed, 1.2);
        assert_eq!(found.iter().map(|cluster| cluster.members.len()).sum::<usize>(), conformers.len());
        for cluster in &found {
            assert!(cluster.members.iter().all(|member| superposed.get(cluster.centre, *member) <= 1.2), "{name}");
        }
    }
}
