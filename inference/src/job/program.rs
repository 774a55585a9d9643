//! Which executable runs a job.

use std::path::{Path, PathBuf};

use super::Job;
use crate::engine::EngineName;
use crate::kfold::device::{DeviceChoice, has_nvidia_driver};
use crate::settings::Settings;

/// The worker with CUDA, built by packaging/cuda.sh.
const CUDA_WORKER: &str = "kfold-worker-cuda";

/// The executable that runs the job in `folder`, to be started as `PROGRAM worker FOLDER`: `own`, this program's file, or the
/// worker with CUDA beside it where the job may use a card and the machine has a driver for one.
#[must_use]
pub fn worker_program(own: &Path, folder: &Path) -> PathBuf {
    let driver = has_nvidia_driver();
    // What is wrong with a job its worker says.
    Job::open(folder).map_or_else(|_| own.to_owned(), |job| choose(own, job.settings(), driver))
}

fn choose(own: &Path, settings: &Settings, driver: bool) -> PathBuf {
    let beside = own.with_file_name(format!("{CUDA_WORKER}{}", std::env::consts::EXE_SUFFIX));
    let may_use_card = settings.engine == EngineName::KFold && settings.kfold.device != DeviceChoice::Cpu;
    if may_use_card && driver && beside.is_file() { beside } else { own.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_used_where_the_job_and_the_machine_allow_it() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("kfold-studio");
        let cuda = folder.path().join(format!("kfold-worker-cuda{}", std::env::consts::EXE_SUFFIX));
        let mut settings = Settings { engine: EngineName::KFold, ..Settings::default() };
        assert_eq!(choose(&own, &settings, true), own, "not built");
        std::fs::write(&cuda, "").unwrap();
        assert_eq!(choose(&own, &settings, true), cuda);
        assert_eq!(choose(&own, &settings, false), own, "no driver");
        settings.kfold.device = DeviceChoice::Cpu;
        assert_eq!(choose(&own, &settings, true), own, "the processor was asked for");
        settings = Settings { engine: EngineName::Docking, ..Settings::default() };
        assert_eq!(choose(&own, &settings, true), own, "docking runs on the processor");
    }
}
