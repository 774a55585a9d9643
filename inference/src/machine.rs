//! What this machine has to offer a prediction: memory, processors, graphics cards.
//!
//! Of an NVIDIA card only what the driver itself writes under `/proc/driver/nvidia` and what its `nvidia-smi` says: nothing of
//! CUDA is linked or loaded, so that asking can never fail or hang the program on a machine without.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;

/// This machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// Processor as its maker calls it.
    pub processor: String,
    /// Threads that run at once.
    pub threads: usize,
    /// Memory that this process may use in all: the machine's, or its control group's where that is less. Bytes.
    pub memory_bytes: Option<u64>,
    /// What of it is free. Bytes.
    pub available_bytes: Option<u64>,
}

impl Machine {
    /// Looks.
    #[must_use]
    pub fn here() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let system = MemoryInfo::parse(&read("/proc/meminfo"));
        let group = ControlGroup::here();
        let least = |a: Option<u64>, b: Option<u64>| a.into_iter().chain(b).min();
        Self {
            processor: processor(&read("/proc/cpuinfo")).unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: least(system.total, group.map(|group| group.limit)),
            available_bytes: least(system.available, group.map(|group| group.limit.saturating_sub(group.used))),
        }
    }
}

/// The lines of `/proc/meminfo` that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MemoryInfo {
    total: Option<u64>,
    available: Option<u64>,
}

impl MemoryInfo {
    fn parse(text: &str) -> Self {
        let line = |key: &str| {
            let rest = text.lines().find_map(|line| line.strip_prefix(key))?;
            rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
        };
        Self { total: line("MemTotal:"), available: line("MemAvailable:") }
    }
}

/// The limit of the control group that this process runs in: what a container or a batch system leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ControlGroup {
    limit: u64,
    used: u64,
}

impl ControlGroup {
    /// The tightest of the group's and its parents' (version 2), else that of version 1.
    fn here() -> Option<Self> {
        let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
        let root = Path::new("/sys/fs/cgroup");
        if let Some(own) = groups.lines().find_map(|line| line.strip_prefix("0::/")) {
            let own = root.join(own);
            let folders = own.ancestors().take_while(|folder| folder.starts_with(root));
            let group =
                folders.filter_map(|folder| Self::read(folder, "memory.max", "memory.current")).min_by_key(Self::free);
            if group.is_some() {
                return group;
            }
        }
        let memory = groups.lines().find_map(|line| line.split_once(":memory:/"))?.1;
        let place = root.join("memory").join(memory);
        [place, root.join("memory")]
            .iter()
            .find_map(|folder| Self::read(folder, "memory.limit_in_bytes", "memory.usage_in_bytes"))
    }

    /// None where there is no limit: `max`, or a number no machine has.
    fn read(folder: &Path, limit: &str, used: &str) -> Option<Self> {
        let number = |name: &str| std::fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
        let limit = number(limit).filter(|limit| *limit < 1 << 50)?;
        // Pages of files count as used and are given back when others need them.
        let statistics = std::fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
        let cached = statistics.lines().find_map(|line| line.strip_prefix("inactive_file ")?.parse::<u64>().ok());
        Some(Self { limit, used: number(used)?.saturating_sub(cached.unwrap_or(0)) })
    }

    fn free(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

fn processor(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned()).filter(|name| !name.is_empty())
}

/// What an NVIDIA driver says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Nvidia {
    /// Version of the driver, e.g. `580.65.06`.
    pub driver: Option<String>,
    /// Newest CUDA that the driver runs, e.g. `13.0`.
    pub cuda: Option<String>,
    /// Whether the driver's library for CUDA programs is installed.
    pub has_library: bool,
    /// The cards.
    pub cards: Vec<NvidiaCard>,
}

/// One card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NvidiaCard {
    /// Its name, e.g. `NVIDIA H100 80GB HBM3`.
    pub name: String,
    /// Memory in bytes, where known.
    pub memory_bytes: Option<u64>,
    /// What of it is free.
    pub free_bytes: Option<u64>,
}

impl Nvidia {
    /// Asks; `None` where there is neither a driver nor a card.
    #[must_use]
    pub fn here() -> Option<Self> {
        let root = Path::new("/proc/driver/nvidia");
        let driver = std::fs::read_to_string(root.join("version")).ok().and_then(|text| driver_version(&text));
        let mut nvidia = Self { driver, has_library: library().is_some(), ..Self::default() };
        let mut folders: Vec<PathBuf> =
            std::fs::read_dir(root.join("gpus")).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        folders.sort();
        let information = folders.iter().filter_map(|folder| std::fs::read_to_string(folder.join("information")).ok());
        nvidia.cards = information
            .filter_map(|text| card_name(&text))
            .map(|name| NvidiaCard { name, ..NvidiaCard::default() })
            .collect();
        if nvidia.driver.is_none() && nvidia.cards.is_empty() && !nvidia.has_library {
            return None;
        }
        if let Some(text) = nvidia_smi(&["--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits"])
        {
            nvidia.cards = smi_cards(&text);
        }
        nvidia.cuda = nvidia_smi(&[]).and_then(|text| smi_cuda(&text));
        Some(nvidia)
    }
}

/// Where the driver's library is, in the usual places.
fn library() -> Option<PathBuf> {
    let folders =
        ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/lib/wsl/lib"];
    folders.iter().map(|folder| Path::new(folder).join("libcuda.so.1")).find(|path| path.exists())
}

/// What the driver's own tool says within a few seconds; `None` where there is none. A card that has fallen off its bus makes it
/// wait for ever.
fn nvidia_smi(arguments: &[&str]) -> Option<String> {
    const PATIENCE: Duration = Duration::from_secs(5);
    let mut command = Command::new("nvidia-smi");
    let mut child =
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let end = Instant::now() + PATIENCE;
    // Its answer fits a pipe, so it can end before it is read.
    while child.try_wait().ok()?.is_none() {
        if Instant::now() > end {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// From `/proc/driver/nvidia/version`: the first word of its first line that looks like a version.
fn driver_version(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("NVRM version:"))?;
    let is_version = |word: &&str| word.contains('.') && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    line.split_whitespace().find(is_version).map(str::to_owned)
}

/// From `/proc/driver/nvidia/gpus/*/information`.
fn card_name(text: &str) -> Option<String> {
    let name = text.lines().find_map(|line| line.strip_prefix("Model:"))?.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

fn smi_cards(text: &str) -> Vec<NvidiaCard> {
    let card = |line: &str| {
        // From the right: names may have commas.
        let mut fields = line.rsplitn(3, ',').map(str::trim);
        let mut bytes = || fields.next()?.parse::<u64>().ok()?.checked_mul(1 << 20);
        let (free_bytes, memory_bytes) = (bytes(), bytes());
        Some(NvidiaCard { name: fields.next().filter(|name| !name.is_empty())?.to_owned(), memory_bytes, free_bytes })
    };
    text.lines().filter_map(card).collect()
}

fn smi_cuda(text: &str) -> Option<String> {
    let version = text.split_once("CUDA Version:")?.1.split_whitespace().next()?;
    version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_in_kilobytes() {
        let text = "MemTotal:       24689764 kB\nMemFree:          100 kB\nMemAvailable:   16000000 kB\n";
        assert_eq!(
            MemoryInfo::parse(text),
            MemoryInfo { total: Some(24_689_764 << 10), available: Some(16_000_000 << 10) }
        );
        for text in ["", "MemTotal: many kB", "MemTotal: 99999999999999999999 kB", "MemTotal: 18446744073709551615 kB"]
        {
            assert_eq!(MemoryInfo::parse(text).total, None, "{text}");
        }
    }

    #[test]
    fn limits_of_control_groups() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let read = || ControlGroup::read(folder.path(), "memory.max", "memory.current");
        assert_eq!(read(), None);
        write("memory.max", "max\n");
        write("memory.current", "1000\n");
        assert_eq!(read(), None);
        write("memory.max", "5000\n");
        write("memory.stat", "anon 600\ninactive_file 400\n");
        assert_eq!(read(), Some(ControlGroup { limit: 5000, used: 600 }));
    }

    #[test]
    fn drivers_words_are_understood() {
        let version = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (dvs-builder@U22)\n\
                       GCC version:  gcc version 12.3.0\n";
        assert_eq!(driver_version(version).as_deref(), Some("580.65.06"));
        let version = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024\n";
        assert_eq!(driver_version(version).as_deref(), Some("535.183.01"));
        assert_eq!(driver_version("nothing"), None);
        assert_eq!(card_name("Model: \t\t NVIDIA H100 80GB HBM3\nIRQ: 5\n").as_deref(), Some("NVIDIA H100 80GB HBM3"));
        assert_eq!(card_name("Model:\n"), None);
        let cards = smi_cards("NVIDIA H100 80GB HBM3, 81559, 80995\nOdd, named card, 100, [N/A]\n\nbroken\n");
        assert_eq!(cards.len(), 2);
        assert_eq!(
            cards[0],
            NvidiaCard {
                name: "NVIDIA H100 80GB HBM3".to_owned(),
                memory_bytes: Some(81_559 << 20),
                free_bytes: Some(80_995 << 20),
            }
        );
        assert_eq!((cards[1].name.as_str(), cards[1].free_bytes), ("Odd, named card", None));
        let table = "| NVIDIA-SMI 580.65.06   Driver Version: 580.65.06   CUDA Version: 13.0     |";
        assert_eq!(smi_cuda(table).as_deref(), Some("13.0"));
        assert_eq!(smi_cuda("CUDA Version: N/A"), None);
        assert_eq!(processor("processor : 0\nmodel name\t: AMD EPYC\n").as_deref(), Some("AMD EPYC"));
    }
}
