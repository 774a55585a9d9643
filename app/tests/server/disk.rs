//! A disk that is really full: a small file system of the server's own, filled to the last block.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::service::{Service, query, series, until};

/// A file system of a few megabytes, taken away at the end.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where this user may mount nothing.
    fn mount(place: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir(place).unwrap();
        let size = format!("size={size},mode=700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(place).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(place.to_owned()));
        }
        eprintln!("not tested: this user may not mount a small disk");
        None
    }

    /// Fills what is left.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("filling")).unwrap();
        for block in [1 << 16, 1 << 12, 1 << 6, 1] {
            while file.write_all(&vec![0; block]).is_ok() {}
        }
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("filling")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["--lazy"]).arg(&self.0).status();
        let _ = std::fs::remove_dir(&self.0);
        let _ = self.0.parent().map(std::fs::remove_dir);
    }
}

#[test]
fn a_full_disk_is_told_and_survived() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&folder.path().join("data"), "12m") else { return };
    // Declared after the disk, so that the server ends before it.
    let mut service = Service::start_in(
        folder,
        "[limits]\nfree_disk_bytes = 0\n[workers]\nattempts = 2\nligands_per_piece = 2\n",
        &[],
    );
    let before = service.accepted(&query("before", 1));
    assert_eq!(service.ended(&before)["state"], "finished");
    // One runs and one waits when the disk fills up.
    let running = service.accepted(&query("running", 300));
    let waiting = service.accepted(&query("waiting", 1));
    let many = series(&service, "many", 1);
    let lock = service.data().join("jobs").join(&running);
    until("it runs", || kfold_inference::job::Job::is_running(&lock).then_some(()));
    disk.fill();
    // Nothing is accepted, what is there can be read, and nobody falls over.
    for _ in 0..5 {
        let (status, answer) = service.submit(Some("again"), &query("refused", 1));
        assert_eq!(status, 507, "{answer}");
    }
    for path in
        ["/v1/jobs".to_owned(), "/v1/capabilities".into(), format!("/v1/jobs/{before}/outputs/before_docking.json")]
    {
        assert_eq!(service.ask("GET", &path).0, 200, "{path}");
    }
    std::thread::sleep(Duration::from_secs(2));
    // Nor a server that is killed and started again without a byte to spare.
    service.kill();
    disk.free();
    disk.fill();
    service.resume();
    assert_eq!(service.ask("GET", "/v1/jobs").0, 200);
    disk.free();
    // The waiting ones go on or have failed with that reason, and new ones are accepted.
    for id in [&running, &waiting] {
        let job = service.ended(id);
        let reason = job["reason"].as_str().unwrap_or_default();
        let is_told = job["state"] == "failed" && reason.to_lowercase().contains("space");
        assert!(is_told || job["state"] == "finished", "{job}");
    }
    // A series is whole, or has failed and says why: a piece that found no space is no verdict on its ligands.
    let job = service.ended(&many);
    if job["state"] == "finished" {
        let records = service.ask("GET", &format!("/v1/jobs/{many}/outputs/many_docking.json")).1;
        let names = records.as_array().unwrap().iter().map(|record| record["ligand_name"].as_str().unwrap());
        assert_eq!(names.collect::<std::collections::BTreeSet<_>>().len(), 6, "{records}");
    } else {
        assert!(job["state"] == "failed" && !job["reason"].as_str().unwrap_or_default().is_empty(), "{job}");
    }
    let (status, job) = service.submit(Some("again"), &query("after", 1));
    assert_eq!(status, 201, "{job}");
    assert_eq!(service.ended(job["id"].as_str().unwrap())["state"], "finished");
    assert_eq!(std::fs::read_dir(service.data().join("staging")).unwrap().count(), 0);
    let log = std::fs::read_to_string(&service.log).unwrap();
    assert!(log.contains("disk_full") && !log.contains("panicked"), "{log}");
    drop(service);
    drop(disk);
}
