//! How often somebody may ask: a bucket of requests that fills again.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Buckets that are remembered; beyond it full ones are forgotten.
const MAX_BUCKETS: usize = 10_000;

/// Requests of tokens, and refused tokens of addresses.
pub(crate) struct Rates {
    requests: Buckets<String>,
    refused: Buckets<IpAddr>,
}

impl Rates {
    pub fn new(requests_per_minute: u64, refused_per_minute: u64) -> Self {
        Self { requests: Buckets::new(requests_per_minute), refused: Buckets::new(refused_per_minute) }
    }

    /// Counts a request of a token; `false` when it has had its share.
    pub fn may_ask(&self, token: &str) -> bool {
        self.requests.take(token.to_owned(), Instant::now())
    }

    /// Counts a refused token.
    pub fn refuse(&self, address: IpAddr) {
        self.refused.take(address, Instant::now());
    }

    /// Whether an address has not had too many tokens refused.
    pub fn may_try(&self, address: IpAddr) -> bool {
        self.refused.has(&address, Instant::now())
    }
}

struct Buckets<K> {
    capacity: f64,
    buckets: Mutex<HashMap<K, (f64, Instant)>>,
}

impl<K: Hash + Eq> Buckets<K> {
    fn new(per_minute: u64) -> Self {
        Self { capacity: per_minute as f64, buckets: Mutex::default() }
    }

    fn level(&self, (level, at): (f64, Instant), now: Instant) -> f64 {
        (level + now.saturating_duration_since(at).as_secs_f64() * self.capacity / 60.0).min(self.capacity)
    }

    fn take(&self, key: K, now: Instant) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_BUCKETS && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| self.level(*bucket, now) < self.capacity);
            if buckets.len() >= MAX_BUCKETS {
                // All of them in use: that many askers at once are refused rather than remembered.
                return false;
            }
        }
        let bucket = buckets.entry(key).or_insert((self.capacity, now));
        let level = self.level(*bucket, now);
        let may = level >= 1.0;
        *bucket = (if may { level - 1.0 } else { level }, now);
        may
    }

    fn has(&self, key: &K, now: Instant) -> bool {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.get(key).is_none_or(|bucket| self.level(*bucket, now) >= 1.0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_empties_and_fills() {
        let buckets = Buckets::new(60);
        let now = Instant::now();
        assert!((0..60).all(|_| buckets.take("a", now)));
        assert!(!buckets.take("a", now) && !buckets.has(&"a", now));
        assert!(buckets.take("b", now));
        let later = now + Duration::from_secs(2);
        assert!(buckets.take("a", later) && buckets.take("a", later) && !buckets.take("a", later));
    }

    #[test]
    fn memory_is_bounded() {
        let buckets = Buckets::new(60);
        let now = Instant::now();
        for key in 0..2 * MAX_BUCKETS {
            buckets.take(key, now);
        }
        assert!(buckets.buckets.lock().unwrap().len() <= MAX_BUCKETS);
        // Those that are full again make room.
        assert!(buckets.take(usize::MAX, now + Duration::from_secs(60)));
    }
}
