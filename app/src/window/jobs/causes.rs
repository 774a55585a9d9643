//! Known causes of failures: what to do next, in the user's language.
//!
//! The first entry one of whose words is in the reason decides, so what is special stands above what is general. The
//! reason itself is shown too: the table adds the next step and hides nothing.

use crate::texts::Texts;

/// Words in a reason, in small letters, and the key of the next step.
const CAUSES: [(&[&str], &str); 17] = [
    (
        &["out of memory", "out_of_memory", "cannot allocate memory", "memory allocation of", "bad_alloc"],
        "cause-memory",
    ),
    (&["no space left", "storage full", "os error 28", "quota exceeded", "os error 122"], "cause-disk"),
    (&["permission denied", "os error 13", "read-only file system", "os error 30"], "cause-permission"),
    (&["is offline"], "cause-offline"),
    (
        &["weights are missing", "there are no weights", "weights file", "no weights", "is not downloaded"],
        "cause-weights",
    ),
    (&["refused (401)", "refused (403)"], "cause-token"),
    (&["refused (413)"], "cause-too-large"),
    (&["refused (429)", "refused (503)"], "cause-server-busy"),
    (&["refused ("], "cause-refused"),
    (&["cannot be reached", "connection refused", "certificate"], "cause-unreachable"),
    (&["driver", "cuda error", "cuda_error", "no cuda"], "cause-driver"),
    (&["component dictionary", "no component", "unknown component"], "cause-component"),
    (&["conformer"], "cause-conformer"),
    (&["no such file", "os error 2)", "holds no job"], "cause-file"),
    (&["another worker"], "cause-running"),
    (&["because of an error in this program", "panicked at"], "cause-fault"),
    (&["stopped without a word", "signal: 9", "killed"], "cause-killed"),
];

/// The key of the next step after a failure.
#[must_use]
pub fn cause_of(reason: &str) -> Option<&'static str> {
    let reason = reason.to_lowercase();
    CAUSES.into_iter().find(|(words, _)| words.iter().any(|word| reason.contains(word))).map(|(_, key)| key)
}

/// The reason with the next step behind it.
#[must_use]
pub fn explain(texts: &Texts, reason: &str) -> String {
    match cause_of(reason) {
        Some(key) => format!("{} ({reason})", texts.get(key)),
        None => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;

    use kfold_inference::job::JobError;
    use kfold_inference::network::Offline;
    use kfold_inference::remote::RemoteError;

    use super::*;
    use crate::texts::Language;

    #[test]
    fn errors_as_they_are_made_have_their_next_step() {
        let path = || PathBuf::from("/runs/a/events.jsonl");
        let system = |code: i32| io::Error::from_raw_os_error(code);
        let write = |code| JobError::Write { path: path(), source: system(code) }.to_string();
        let refused = |status| RemoteError::Refused { server: "lab".into(), status, message: "no".into() }.to_string();
        let unreachable = RemoteError::Unreachable { server: "lab".into(), problem: "timed out".into() }.to_string();
        let fault = JobError::Panic { engine: "docking", message: "index out of bounds".into() }.to_string();
        for (reason, key) in [
            (write(28), "cause-disk"),
            (write(13), "cause-permission"),
            (write(30), "cause-permission"),
            (JobError::Read { path: path(), source: system(2) }.to_string(), "cause-file"),
            (JobError::Missing { path: path() }.to_string(), "cause-file"),
            (JobError::Running { path: path(), process: Some(7) }.to_string(), "cause-running"),
            (refused(401), "cause-token"),
            (refused(413), "cause-too-large"),
            (refused(429), "cause-server-busy"),
            (refused(500), "cause-refused"),
            (unreachable, "cause-unreachable"),
            (Offline.to_string(), "cause-offline"),
            (fault, "cause-fault"),
            ("memory allocation of 8589934592 bytes failed".to_owned(), "cause-memory"),
            ("DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")".to_owned(), "cause-memory"),
            ("weights are missing in /models: kfold.pth".to_owned(), "cause-weights"),
            ("the worker stopped without a word; see /runs/a/worker.log".to_owned(), "cause-killed"),
        ] {
            assert_eq!(cause_of(&reason), Some(key), "{reason}");
        }
        assert_eq!(cause_of("the pocket names no atoms"), None);
    }

    #[test]
    fn every_cause_can_be_reached_and_has_its_sentence() {
        let texts: Vec<Texts> = Language::ALL.map(Texts::new).into();
        for (words, key) in CAUSES {
            for word in words {
                assert_eq!(*word, word.to_lowercase());
                assert_eq!(cause_of(word), Some(key), "{word} is taken by another");
            }
            for texts in &texts {
                let said = explain(texts, words[0]);
                assert!(texts.has(key) && said.contains(words[0]) && said.len() > words[0].len() + 20, "{said}");
            }
        }
    }
}
