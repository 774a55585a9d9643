//! Reading goldens, comparing tensors, and the report.

// Each family uses a part of it.
#![allow(dead_code)]

use std::any::Any;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use kfold_inference::kfold::device::{self, DeviceChoice};
use kfold_inference::kfold::input::FoldingInput;
use kfold_inference::kfold::noise::TapeNoise;

/// Result of a check.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Largest |difference| over largest |reference| of one module.
pub const MODULE_BAR: f64 = 2e-4;
/// The same after many modules, steps and a noise tape.
pub const END_TO_END_BAR: f64 = 5e-4;

thread_local! {
    /// What no comparison on this thread is stricter than: the bar of a golden whose matrices are rounded.
    static LEAST_BAR: Cell<f64> = const { Cell::new(0.0) };
}

/// One golden.
pub struct Golden {
    /// The directory's name.
    pub name: String,
    /// The directory.
    pub directory: PathBuf,
    /// `config.json`.
    pub config: serde_json::Value,
    /// `weights.safetensors`, empty where there is none.
    pub weights: HashMap<String, Tensor>,
    /// `inputs.safetensors`.
    pub inputs: HashMap<String, Tensor>,
    /// `outputs.safetensors`.
    pub outputs: HashMap<String, Tensor>,
    /// The type of the matrices that the reference rounds under autocast.
    pub matrices: DType,
}

impl Golden {
    /// Reads a golden's directory; files that are not there give no tensors (`tiny_model` has weights alone).
    pub fn load(directory: &Path) -> Result<Self> {
        let tensors = |file: &str| -> Result<HashMap<String, Tensor>> {
            let path = directory.join(file);
            if path.exists() { load_safetensors(&path) } else { Ok(HashMap::new()) }
        };
        let config = directory.join("config.json");
        let config = std::fs::read_to_string(&config).map_err(|error| format!("{}: {error}", config.display()))?;
        Ok(Self {
            name: directory.file_name().ok_or("a golden is a directory")?.to_string_lossy().into_owned(),
            directory: directory.to_owned(),
            config: serde_json::from_str(&config)?,
            weights: tensors("weights.safetensors")?,
            inputs: tensors("inputs.safetensors")?,
            outputs: tensors("outputs.safetensors")?,
            matrices: DType::F32,
        })
    }

    /// Another golden of the same folder: `tiny_model`, `atlaslm`, ..
    pub fn sibling(&self, name: &str) -> Result<Self> {
        Ok(Self { matrices: self.matrices, ..Self::load(&self.directory.with_file_name(name))? })
    }

    /// The tensors of a checkpoint of this directory: `golden.sibling("tiny_model")?.checkpoint("kfold")`.
    pub fn checkpoint(&self, stem: &str) -> Result<HashMap<String, Tensor>> {
        load_safetensors(&self.directory.join(format!("{stem}.safetensors")))
    }

    /// The golden's weights, matrices in their type.
    pub fn var_builder(&self) -> VarBuilder<'static> {
        VarBuilder::from_tensors(self.weights.clone(), self.matrices, device())
    }

    /// An input.
    pub fn input(&self, name: &str) -> Result<&Tensor> {
        self.inputs.get(name).ok_or_else(|| format!("the input {name} is missing").into())
    }

    /// An output of the reference.
    pub fn output(&self, name: &str) -> Result<&Tensor> {
        self.outputs.get(name).ok_or_else(|| format!("the output {name} is missing").into())
    }

    /// A size of `config.json`; `path` is `key` or `section.key`.
    pub fn size(&self, path: &str) -> Result<usize> {
        let value = self.value(path)?.as_u64().ok_or_else(|| format!("config.json: {path} is not a size"))?;
        Ok(usize::try_from(value)?)
    }

    /// A number of `config.json`; `path` is `key` or `section.key`.
    pub fn number(&self, path: &str) -> Result<f64> {
        self.value(path)?.as_f64().ok_or_else(|| format!("config.json: {path} is not a number").into())
    }

    /// A value of `config.json`; `path` is `key` or `section.key`.
    pub fn value(&self, path: &str) -> Result<&serde_json::Value> {
        let mut value = &self.config;
        for key in path.split('.') {
            value = value.get(key).ok_or_else(|| format!("config.json: {path} is missing"))?;
        }
        Ok(value)
    }

    /// The model's configuration of `tiny_model` beside this golden.
    pub fn tiny_config(&self) -> Result<kfold_inference::kfold::config::KFoldConfig> {
        let text = std::fs::read_to_string(self.directory.with_file_name("tiny_model").join("config.json"))?;
        Ok(kfold_inference::kfold::config::KFoldConfig::from_yaml(&text)?)
    }

    /// The features among the inputs.
    pub fn folding_input(&self) -> Result<FoldingInput> {
        Ok(FoldingInput::from_tensors(&self.inputs)?)
    }

    /// The noise tape among the inputs.
    pub fn noise(&self) -> Result<TapeNoise> {
        Ok(TapeNoise::from_tensors(&self.inputs)?)
    }

    /// Compares floating-point numbers with the output of this name.
    pub fn compare(&self, name: &str, ours: &Tensor, bar: f64) -> Result<Row> {
        Row::compare(name, ours, self.output(name)?, bar)
    }

    /// Compares integers with the output of this name: all must be equal.
    pub fn exact(&self, name: &str, ours: &Tensor) -> Result<Row> {
        Row::exact(name, ours, self.output(name)?)
    }
}

/// Where the networks run: `$GOLDENS_DEVICE` (`cpu` without it, `cuda:0`, ..).
pub fn device() -> &'static Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    DEVICE.get_or_init(|| {
        let choice = std::env::var("GOLDENS_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
        let choice: DeviceChoice = choice.parse().unwrap_or_else(|error| panic!("GOLDENS_DEVICE: {error}"));
        device::open(choice).unwrap_or_else(|error| panic!("GOLDENS_DEVICE: {error}"))
    })
}

/// These tensors as f32 weights.
pub fn var_builder(tensors: &HashMap<String, Tensor>) -> VarBuilder<'static> {
    VarBuilder::from_tensors(tensors.clone(), DType::F32, device())
}

/// Reads a safetensors file; truth values become `u8`.
pub fn load_safetensors(path: &Path) -> Result<HashMap<String, Tensor>> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let file = safetensors::SafeTensors::deserialize(&bytes)?;
    let mut tensors = HashMap::new();
    for (name, view) in file.tensors() {
        let tensor = if view.dtype() == safetensors::Dtype::BOOL {
            Tensor::from_vec(view.data().to_vec(), view.shape(), device())?
        } else {
            use candle_core::safetensors::Load;
            view.load(device())?
        };
        tensors.insert(name, tensor);
    }
    Ok(tensors)
}

/// One line of a golden's table.
pub struct Row {
    name: String,
    /// What was found, in words.
    found: String,
    ok: bool,
}

impl Row {
    /// Largest |difference| over largest |reference|, at most `bar`. NaN equals NaN, an infinity its like; shapes must agree.
    pub fn compare(name: &str, ours: &Tensor, reference: &Tensor, bar: f64) -> Result<Self> {
        if let Some(row) = Self::shapes(name, ours, reference) {
            return Ok(row);
        }
        let bar = LEAST_BAR.get().max(bar);
        let (ours, reference) = (numbers(ours)?, numbers(reference)?);
        let largest =
            reference.iter().filter(|value| value.is_finite()).fold(0.0f64, |most, value| most.max(value.abs()));
        let mut worst = 0.0f64;
        for (&a, &b) in ours.iter().zip(&reference) {
            let difference = if a == b || (a.is_nan() && b.is_nan()) { 0.0 } else { (a - b).abs() };
            worst = if difference.is_nan() { f64::INFINITY } else { worst.max(difference) };
            if worst.is_infinite() {
                break;
            }
        }
        let error = if worst == 0.0 { 0.0 } else { worst / largest };
        // Not `error > bar`: that is false for NaN.
        let ok = error <= bar;
        Ok(Self { name: name.to_owned(), found: format!("error {error:.2e}, bar {bar:.0e}"), ok })
    }

    /// All integers equal.
    pub fn exact(name: &str, ours: &Tensor, reference: &Tensor) -> Result<Self> {
        if let Some(row) = Self::shapes(name, ours, reference) {
            return Ok(row);
        }
        let (ours, reference) = (numbers(ours)?, numbers(reference)?);
        let different = ours.iter().zip(&reference).filter(|(a, b)| a != b).count();
        Ok(Self::counted(name, different, 0, ours.len()))
    }

    /// All integers equal, except where the reference's own choice was a tie: `margin` (one for each integer) is at most
    /// `tie`. An index of -1 on one side alone is never a tie.
    pub fn exact_but_for_ties(
        name: &str,
        ours: &Tensor,
        reference: &Tensor,
        margin: &Tensor,
        tie: f64,
    ) -> Result<Self> {
        if let Some(row) = Self::shapes(name, ours, reference) {
            return Ok(row);
        }
        let (ours, reference, margin) = (numbers(ours)?, numbers(reference)?, numbers(margin)?);
        if margin.len() != ours.len() {
            return Err(format!("{name}: {} margins for {} integers", margin.len(), ours.len()).into());
        }
        let (mut different, mut ties) = (0, 0);
        for ((&a, &b), &margin) in ours.iter().zip(&reference).zip(&margin) {
            if a != b {
                if margin <= tie && a >= 0.0 && b >= 0.0 { ties += 1 } else { different += 1 }
            }
        }
        Ok(Self::counted(name, different, ties, ours.len()))
    }

    /// A fact that is no tensor: all names accounted for, the tape played to its end, ..
    pub fn fact(name: &str, ok: bool, found: impl Into<String>) -> Self {
        Self { name: name.to_owned(), found: found.into(), ok }
    }

    /// An output that is deliberately not compared, and why.
    pub fn left_out(name: &str, reason: &str) -> Self {
        Self { name: name.to_owned(), found: format!("not compared: {reason}"), ok: true }
    }

    fn counted(name: &str, different: usize, ties: usize, of: usize) -> Self {
        let ties = if ties == 0 { String::new() } else { format!(", {ties} ties") };
        Self { name: name.to_owned(), found: format!("{different} of {of} differ{ties}, bar 0"), ok: different == 0 }
    }

    fn shapes(name: &str, ours: &Tensor, reference: &Tensor) -> Option<Self> {
        (ours.dims() != reference.dims()).then(|| Self {
            name: name.to_owned(),
            found: format!("shape {:?}, reference {:?}", ours.dims(), reference.dims()),
            ok: false,
        })
    }
}

fn numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.flatten_all()?.to_dtype(DType::F64)?.to_vec1()?)
}

/// What came of a golden.
pub struct Report {
    name: String,
    rows: Vec<Row>,
    /// Why there are no rows.
    failure: Option<String>,
}

impl Report {
    /// The golden's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it holds.
    pub fn ok(&self) -> bool {
        self.failure.is_none() && self.rows.iter().all(|row| row.ok)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<28} {}", self.name, if self.ok() { "ok" } else { "FAIL" })?;
        for row in &self.rows {
            write!(f, "\n    {:<32} {:<40} {}", row.name, row.found, if row.ok { "ok" } else { "FAIL" })?;
        }
        if let Some(failure) = &self.failure {
            write!(f, "\n    {failure}")?;
        }
        Ok(())
    }
}

/// Shows a golden to the families.
pub fn run(directory: &Path, families: &[super::Check]) -> Report {
    run_with(directory, families, DType::F32, 0.0)
}

/// The same with matrices of this type, and no comparison stricter than `least_bar`.
pub fn run_with(directory: &Path, families: &[super::Check], matrices: DType, least_bar: f64) -> Report {
    LEAST_BAR.set(least_bar);
    let report = report(directory, families, matrices);
    LEAST_BAR.set(0.0);
    report
}

fn report(directory: &Path, families: &[super::Check], matrices: DType) -> Report {
    let name = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let rows = catch_unwind(AssertUnwindSafe(|| -> Result<Vec<Row>> {
        let golden = Golden { matrices, ..Golden::load(directory)? };
        let mut rows = families.iter().find_map(|check| check(&golden)).ok_or("no code covers this golden")??;
        let mut outputs: Vec<&String> = golden.outputs.keys().collect();
        outputs.sort();
        for output in outputs {
            if !rows.iter().any(|row| row.name == *output) {
                rows.push(Row::fact(output, false, "no code compares this output"));
            }
        }
        Ok(rows)
    }));
    let (rows, failure) = match rows {
        Ok(Ok(rows)) if rows.is_empty() => (rows, Some("nothing was compared".to_owned())),
        Ok(Ok(rows)) => (rows, None),
        Ok(Err(error)) => (Vec::new(), Some(error.to_string())),
        Err(panic) => (Vec::new(), Some(format!("panic: {}", panic_text(panic.as_ref())))),
    };
    Report { name, rows, failure }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

/// Every golden of `tests/goldens` and of `$KFOLD_GOLDENS`, by name; those that `$GOLDENS_ONLY` asks for, if it is set.
pub fn directories() -> Vec<PathBuf> {
    let mut roots = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/goldens")];
    roots.extend(std::env::var_os("KFOLD_GOLDENS").map(PathBuf::from));
    let only = std::env::var("GOLDENS_ONLY").ok();
    let mut directories = Vec::new();
    for root in roots {
        let entries = std::fs::read_dir(&root).unwrap_or_else(|error| panic!("{}: {error}", root.display()));
        let mut found: Vec<PathBuf> = entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.join("config.json").is_file())
            .filter(|path| {
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                only.as_ref().is_none_or(|only| only.split(',').any(|prefix| name.starts_with(prefix)))
            })
            .collect();
        found.sort();
        directories.extend(found);
    }
    directories
}
