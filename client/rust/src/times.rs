//! Times are exact to the nanosecond: `i64` nanoseconds since 1970-01-01 UTC, and the contract's timestamps.

use prost_types::Timestamp;

const NANOSECONDS: i64 = 1_000_000_000;

/// Nanoseconds since 1970 UTC as requests take them. A [`SystemTime`](std::time::SystemTime) converts by itself:
/// `Some(moment.into())`.
pub fn timestamp(nanoseconds: i64) -> Timestamp {
    Timestamp {
        seconds: nanoseconds.div_euclid(NANOSECONDS),
        nanos: nanoseconds.rem_euclid(NANOSECONDS) as i32, // below 1,000,000,000
    }
}

/// A time of an answer in nanoseconds since 1970 UTC; those of a ledger fit, to the year 2262.
pub fn nanoseconds(time: &Timestamp) -> i64 {
    time.seconds.saturating_mul(NANOSECONDS).saturating_add(i64::from(time.nanos))
}

pub(crate) fn now() -> i64 {
    nanoseconds(&std::time::SystemTime::now().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A time survives the way there and back to the nanosecond, also before 1970.
    #[test]
    fn nanoseconds_survive() {
        for moment in [0, 1, -1, 1_700_000_000_123_456_789, -1_700_000_000_123_456_789, i64::MAX] {
            let sent = timestamp(moment);
            assert!((0..1_000_000_000).contains(&sent.nanos));
            assert_eq!(nanoseconds(&sent), moment);
        }
    }
}
