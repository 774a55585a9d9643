//! Where the networks run.
//!
//! The processor needs nothing. An NVIDIA card needs a build with the feature `cuda` (`packaging/cuda.sh`): a worker
//! executable of its own, because its libraries (the driver's libcuda, cuBLAS, cuRAND) are loaded when a card is first asked
//! for, and everything else of the program must start where they are missing. cudarc panics where a library or a symbol
//! is not there, so the first contact is made behind a catch and told as an error.

use std::fmt;
use std::str::FromStr;

use candle_core::Device;
use serde::{Deserialize, Serialize};

use super::{KFoldError, Result};

/// Which device is wanted; as text `auto`, `cpu`, `cuda` (the first card) or `cuda:N`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DeviceChoice {
    /// The first card that answers, else the processor.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// The NVIDIA card of this number, counted from 0 as the driver does.
    Cuda(usize),
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(ordinal) => write!(f, "cuda:{ordinal}"),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let number = match text.to_ascii_lowercase().as_str() {
            "auto" => return Ok(Self::Auto),
            "cpu" => return Ok(Self::Cpu),
            "cuda" => return Ok(Self::Cuda(0)),
            other => other.strip_prefix("cuda:").and_then(|number| number.parse().ok()),
        };
        number.map(Self::Cuda).ok_or_else(|| format!("'{text}' is not a device; write auto, cpu, cuda or cuda:N"))
    }
}

impl TryFrom<String> for DeviceChoice {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        text.parse()
    }
}

impl From<DeviceChoice> for String {
    fn from(choice: DeviceChoice) -> Self {
        choice.to_string()
    }
}

/// An NVIDIA card that answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CudaCard {
    /// Its number, counted from 0 as the driver does.
    pub ordinal: usize,
    /// Its name, as the driver says it.
    pub name: String,
    /// Its memory in bytes.
    pub total_bytes: u64,
    /// What of it is free now, in bytes.
    pub free_bytes: u64,
}

/// Opens the device.
///
/// # Errors
/// When a card is wanted by name and this build has no CUDA, the machine has no driver or no such card, or CUDA's libraries
/// are missing. [`DeviceChoice::Auto`] falls back to the processor.
pub fn open(choice: DeviceChoice) -> Result<Device> {
    open_telling(choice).map(|(device, _)| device)
}

/// The same with what the user should know: why [`DeviceChoice::Auto`] took the processor although the machine has an NVIDIA
/// driver.
///
/// # Errors
/// As [`open`].
pub fn open_telling(choice: DeviceChoice) -> Result<(Device, Option<String>)> {
    match choice {
        DeviceChoice::Cpu => Ok((Device::Cpu, None)),
        DeviceChoice::Cuda(ordinal) => cuda::open(ordinal).map(|device| (device, None)),
        DeviceChoice::Auto => Ok(first_card_or_processor(cuda::open(0), has_nvidia_driver())),
    }
}

fn first_card_or_processor(card: Result<Device>, has_driver: bool) -> (Device, Option<String>) {
    match card {
        Ok(device) => (device, None),
        Err(error) => {
            let text = format!("the NVIDIA card is not used, and the processor is slower by far: {error}");
            (Device::Cpu, has_driver.then_some(text))
        }
    }
}

/// Where the NVIDIA driver shows that it is there, on Linux and below Windows.
const NVIDIA_DRIVER: [&str; 2] = ["/proc/driver/nvidia/version", "/usr/lib/wsl/lib/libcuda.so.1"];

/// Whether this machine has an NVIDIA driver.
#[must_use]
pub fn has_nvidia_driver() -> bool {
    NVIDIA_DRIVER.iter().any(|path| std::path::Path::new(path).exists())
}

/// The NVIDIA cards of this machine.
///
/// # Errors
/// Why none can be asked: no CUDA in this build, no driver, or the driver's own answer.
pub fn cuda_cards() -> Result<Vec<CudaCard>> {
    cuda::cards()
}

/// An error about a device.
fn unavailable(reason: impl fmt::Display) -> KFoldError {
    KFoldError::Device(reason.to_string())
}

#[cfg(not(feature = "cuda"))]
mod cuda {
    use super::{CudaCard, Device, Result, unavailable};

    const NOT_BUILT: &str = "this executable has no CUDA; packaging/cuda.sh builds the one that has";

    pub(super) fn open(_: usize) -> Result<Device> {
        Err(unavailable(NOT_BUILT))
    }

    pub(super) fn cards() -> Result<Vec<CudaCard>> {
        Err(unavailable(NOT_BUILT))
    }
}

#[cfg(feature = "cuda")]
mod cuda {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use candle_core::cuda_backend::cudarc::driver::{CudaContext, sys};

    use super::{CudaCard, Device, Result, unavailable};

    pub(super) fn open(ordinal: usize) -> Result<Device> {
        driver()?;
        let device = guarded("opening the card", || Device::new_cuda(ordinal))?;
        let device = device.map_err(|error| unavailable(format!("card {ordinal} does not open: {error}")))?;
        let card = device.as_cuda_device()?.cuda_stream().context().compute_capability();
        let (major, minor) =
            card.map_err(|error| unavailable(format!("card {ordinal} does not say what it is: {error}")))?;
        // Said here, because the driver would say it in the middle of a run and in other words.
        let oldest = env!("KFOLD_OLDEST_CARD").parse().unwrap_or(80);
        if 10 * major + minor < oldest {
            return Err(unavailable(format!(
                "card {ordinal} is too old: its compute capability is {major}.{minor}, and the kernels need {}.{}",
                oldest / 10,
                oldest % 10
            )));
        }
        Ok(device)
    }

    pub(super) fn cards() -> Result<Vec<CudaCard>> {
        driver()?;
        guarded("asking the driver", || {
            let count = CudaContext::device_count()?;
            (0..usize::try_from(count).unwrap_or(0))
                .map(|ordinal| {
                    let context = CudaContext::new(ordinal)?;
                    let (free, total) = context.mem_get_info()?;
                    Ok(CudaCard { ordinal, name: context.name()?, total_bytes: total as u64, free_bytes: free as u64 })
                })
                .collect::<std::result::Result<Vec<_>, candle_core::cuda_backend::cudarc::driver::DriverError>>()
        })?
        .map_err(|error| unavailable(format!("the NVIDIA driver answers with an error: {error}")))
    }

    /// Whether there is a driver to talk to.
    fn driver() -> Result<()> {
        // SAFETY: loads the driver's library by its name and unloads it again; it runs nothing of it but the library's own
        // start, which is NVIDIA's or nobody's.
        #[allow(unsafe_code, reason = "cudarc marks the question unsafe because it loads a library")]
        let present = unsafe { sys::is_culib_present() };
        if present { Ok(()) } else { Err(unavailable("no NVIDIA driver (libcuda) on this machine")) }
    }

    /// cudarc panics where a library or a symbol is missing.
    fn guarded<T>(what: &str, call: impl FnOnce() -> T) -> Result<T> {
        catch_unwind(AssertUnwindSafe(call)).map_err(|_| {
            unavailable(format!(
                "{what} failed because a CUDA library is missing or too old; the program needs CUDA 13 (libcublas, libcurand, libnvrtc) \
                 and driver 580 or newer"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_as_they_are_written() {
        for (text, choice) in
            [("auto", DeviceChoice::Auto), ("cpu", DeviceChoice::Cpu), ("cuda:3", DeviceChoice::Cuda(3))]
        {
            assert_eq!(text.parse(), Ok(choice));
            assert_eq!(choice.to_string(), text);
        }
        assert_eq!("CUDA".parse(), Ok(DeviceChoice::Cuda(0)));
        for wrong in ["", "gpu", "cuda:", "cuda:-1", "cuda:x"] {
            assert!(wrong.parse::<DeviceChoice>().is_err_and(|error| error.contains(wrong)), "{wrong}");
        }
    }

    #[test]
    fn a_card_that_is_not_there_is_an_error_and_auto_falls_back() {
        assert!(open(DeviceChoice::Cpu).is_ok_and(|device| device.is_cpu()));
        assert!(open(DeviceChoice::Auto).is_ok());
        // No machine has so many.
        assert!(matches!(open(DeviceChoice::Cuda(4096)), Err(KFoldError::Device(_))));
        // Told only where a card could be expected.
        let card = || Err(unavailable("card 0 does not open"));
        let (device, told) = first_card_or_processor(card(), true);
        assert!(device.is_cpu() && told.is_some_and(|text| text.contains("card 0 does not open")));
        assert_eq!(first_card_or_processor(card(), false).1, None);
    }
}
