//! What is said on standard error while something runs.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Between two lines of progress where they cannot be written over each other.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// Says a line. Nobody listening is no reason to stop.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// One line of progress that renews itself on a terminal; in a log file a line now and then.
pub(super) struct Status {
    is_terminal: bool,
    shown: String,
    last: Option<(Instant, String)>,
}

impl Status {
    pub(super) fn new() -> Self {
        Self { is_terminal: io::stderr().is_terminal(), shown: String::new(), last: None }
    }

    /// Shows where the work stands; `topic` is what a log file gets a new line for at once.
    pub(super) fn show(&mut self, topic: &str, text: &str) {
        if self.is_terminal {
            if self.shown != text {
                // Carriage return, text, erase to the end of the line.
                let _ = write!(io::stderr().lock(), "\r{text}\x1b[K");
                text.clone_into(&mut self.shown);
            }
            return;
        }
        let is_due = self.last.as_ref().is_none_or(|(time, last)| last != topic || time.elapsed() > LINE_INTERVAL);
        if is_due {
            say(text);
            self.last = Some((Instant::now(), topic.to_owned()));
        }
    }

    /// Says a line without mixing it with the progress.
    pub(super) fn say(&mut self, text: &str) {
        self.clear();
        say(text);
    }

    /// Takes the line of progress away.
    pub(super) fn clear(&mut self) {
        if self.is_terminal && !self.shown.is_empty() {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
            self.shown.clear();
        }
    }
}

impl Drop for Status {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Seconds as people say them.
pub(super) fn duration(seconds: f64) -> String {
    let seconds = seconds.round().max(0.0) as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations() {
        assert_eq!(duration(0.4), "0 s");
        assert_eq!(duration(61.0), "1 min 1 s");
        assert_eq!(duration(7384.0), "2 h 3 min");
        assert_eq!(duration(f64::NAN), "0 s");
    }
}
