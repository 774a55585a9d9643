//! One renderer for all tests of a file, and comparison with pictures kept in `tests/golden`.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use glam::Vec3;
use image::RgbaImage;
use kfold_molecule::{Bond, BondOrder, Element, SmallMolecule, SmallMoleculeAtom, Structure};
use kfold_viewer::{Gpu, RenderSettings, Renderer};

/// A channel may differ by this much before its pixel counts as different: other drivers round otherwise.
pub const CHANNEL_TOLERANCE: u8 = 20;
/// Share of pixels that may differ: edges fall differently on another driver.
pub const SHARE_TOLERANCE: f64 = 0.01;

/// The renderer, one test at a time.
pub fn renderer() -> MutexGuard<'static, Renderer> {
    static RENDERER: OnceLock<Mutex<Renderer>> = OnceLock::new();
    RENDERER
        .get_or_init(|| Mutex::new(Renderer::new(Gpu::headless().unwrap()).unwrap()))
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

/// Settings without effects that would change a pixel's colour.
#[allow(dead_code)]
pub fn plain() -> RenderSettings {
    RenderSettings { transparent_background: true, ambient_occlusion: 0.0, depth_cue: 0.0, ..RenderSettings::default() }
}

/// A molecule of these elements at these places.
#[allow(dead_code)]
pub fn molecule(atoms: &[(Element, Vec3)], bonds: &[(u32, u32, BondOrder)]) -> Structure {
    SmallMolecule {
        atoms: atoms
            .iter()
            .map(|&(element, _)| SmallMoleculeAtom {
                element,
                formal_charge: 0,
                isotope: None,
                fixed_hydrogens: None,
                name: String::new().into(),
            })
            .collect(),
        bonds: bonds.iter().map(|&(a, b, order)| Bond::new(a, b, order)).collect(),
        conformers: vec![atoms.iter().map(|atom| atom.1).collect()],
        ..SmallMolecule::default()
    }
    .to_structure("L", "LIG")
}

/// A file of the repository's samples.
#[allow(dead_code)]
pub fn sample(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(path)
}

/// Compares with `tests/golden/NAME.png`. With `UPDATE_GOLDEN=1` writes it instead. On failure the picture and the
/// difference are written under `target/golden-failures`.
#[allow(dead_code)]
pub fn assert_golden(name: &str, actual: &RgbaImage) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("tests/golden").join(format!("{name}.png"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        actual.save(&path).unwrap();
        return;
    }
    let failures = root.join("../target/golden-failures");
    let keep = |suffix: &str, picture: &RgbaImage| {
        std::fs::create_dir_all(&failures).unwrap();
        let place = failures.join(format!("{name}{suffix}.png"));
        picture.save(&place).unwrap();
        place
    };
    let expected = match image::open(&path) {
        Ok(picture) => picture.to_rgba8(),
        Err(error) => {
            let place = keep("", actual);
            panic!("{}: {error}; what was drawn is in {}; UPDATE_GOLDEN=1 keeps it", path.display(), place.display());
        }
    };
    if expected.dimensions() != actual.dimensions() {
        let place = keep("", actual);
        panic!("{name} has another size than its golden picture; see {}", place.display());
    }
    let mut difference = RgbaImage::new(actual.width(), actual.height());
    let mut different = 0_u32;
    for ((a, b), out) in actual.pixels().zip(expected.pixels()).zip(difference.pixels_mut()) {
        let worst = a.0.iter().zip(b.0).map(|(&a, b)| a.abs_diff(b)).max().unwrap_or(0);
        different += u32::from(worst > CHANNEL_TOLERANCE);
        *out = image::Rgba([worst, if worst > CHANNEL_TOLERANCE { 255 } else { 0 }, 0, 255]);
    }
    let share = f64::from(different) / f64::from(actual.width() * actual.height());
    if share > SHARE_TOLERANCE {
        let place = keep("", actual);
        let other = keep("-difference", &difference);
        panic!(
            "{name}: {:.2} % of the pixels differ from the golden picture; see {} and {}; UPDATE_GOLDEN=1 keeps it",
            100.0 * share,
            place.display(),
            other.display()
        );
    }
}
