//! Counters in Prometheus's text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kfold_inference::remote::protocol::RemoteState;

/// Upper edges of the histogram of answering times, in seconds.
const EDGES: [f64; 8] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 10.0];

#[derive(Default)]
pub(crate) struct Metrics {
    counters: Mutex<BTreeMap<&'static str, u64>>,
    requests: Mutex<BTreeMap<(String, u16), u64>>,
    times: Mutex<BTreeMap<String, Times>>,
}

#[derive(Default)]
struct Times {
    buckets: [u64; EDGES.len()],
    count: u64,
    seconds: f64,
}

impl Metrics {
    /// Counts one of `name`, which ends in `_total`.
    pub fn count(&self, name: &'static str) {
        *self.counters.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
    }

    /// Counts an answered request. `route` is a pattern, not a path, so there are few.
    pub fn answered(&self, route: &str, status: u16, time: Duration) {
        let key = (route.to_owned(), status);
        *self.requests.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let times = times.entry(route.to_owned()).or_default();
        let seconds = time.as_secs_f64();
        for (bucket, edge) in times.buckets.iter_mut().zip(EDGES) {
            *bucket += u64::from(seconds <= edge);
        }
        times.count += 1;
        times.seconds += seconds;
    }

    /// Everything as text, with the jobs by state.
    pub fn text(&self, jobs: &[(RemoteState, u64)]) -> String {
        let mut text = String::from("# TYPE kfold_jobs gauge\n");
        for state in RemoteState::ALL {
            let count = jobs.iter().find(|(other, _)| *other == state).map_or(0, |(_, count)| *count);
            let _ = writeln!(text, "kfold_jobs{{state=\"{}\"}} {count}", state.name());
        }
        for (name, count) in self.counters.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = writeln!(text, "# TYPE {name} counter\n{name} {count}");
        }
        text.push_str("# TYPE kfold_http_requests_total counter\n");
        for ((route, status), count) in self.requests.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = writeln!(text, "kfold_http_requests_total{{route=\"{route}\",status=\"{status}\"}} {count}");
        }
        text.push_str("# TYPE kfold_http_request_seconds histogram\n");
        for (route, times) in self.times.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let name = "kfold_http_request_seconds";
            for (edge, count) in EDGES.iter().zip(times.buckets) {
                let _ = writeln!(text, "{name}_bucket{{route=\"{route}\",le=\"{edge}\"}} {count}");
            }
            let Times { count, seconds, .. } = times;
            let _ = writeln!(text, "{name}_bucket{{route=\"{route}\",le=\"+Inf\"}} {count}");
            let _ =
                writeln!(text, "{name}_sum{{route=\"{route}\"}} {seconds}\n{name}_count{{route=\"{route}\"}} {count}");
        }
        text
    }
}
