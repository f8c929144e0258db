//! How long to wait after a failed attempt.

use std::time::Duration;

use crate::host::identity::new_id;

/// The shortest wait between two attempts, however lucky the draw.
const FLOOR: Duration = Duration::from_secs(10);
/// The ceiling of the first wait; it doubles with each failure in a row.
const BASE: Duration = Duration::from_secs(60);
/// The ceiling never grows past this.
const CAP: Duration = Duration::from_secs(60 * 60);
/// The longest a receiver may ask for with `Retry-After`.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 60 * 60);

/// The wait after `failures` failed attempts in a row (at least 1): exponential with full jitter
/// (Brooker, "Exponential Backoff And Jitter", 2015) above a floor, and never shorter than what
/// the receiver asked for.
pub(crate) fn wait(failures: u32, asked: Option<Duration>) -> Duration {
    drawn(failures, asked, new_id().as_u128() as u64)
}

fn drawn(failures: u32, asked: Option<Duration>, draw: u64) -> Duration {
    let doubled =
        BASE.saturating_mul(1u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    let ceiling = doubled.min(CAP);
    // The low 62 bits of a version 4 UUID are random; as a share of the ceiling.
    let share = (draw & ((1 << 53) - 1)) as f64 / (1u64 << 53) as f64;
    let asked = asked.unwrap_or_default().min(LONGEST_ASKED);
    ceiling.mul_f64(share).max(FLOOR).max(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_spread_up_to_a_growing_ceiling_and_never_fall_below_the_floor() {
        for (failures, ceiling) in
            [(1, 60), (2, 120), (3, 240), (7, 3600), (40, 3600), (u32::MAX, 3600)]
        {
            assert_eq!(drawn(failures, None, 0), FLOOR);
            let longest = drawn(failures, None, u64::MAX);
            assert!(longest <= Duration::from_secs(ceiling), "{failures}: {longest:?}");
            assert!(longest > Duration::from_secs(ceiling - 1), "{failures}: {longest:?}");
        }
        let drawn: Vec<Duration> = (0..100).map(|_| wait(7, None)).collect();
        assert!(
            drawn.iter().any(|wait| *wait < CAP / 2) && drawn.iter().any(|wait| *wait > CAP / 2)
        );
    }

    #[test]
    fn the_receivers_wish_is_kept_up_to_a_day() {
        let wait = |seconds| drawn(1, Some(Duration::from_secs(seconds)), 0);
        assert_eq!(wait(1), FLOOR);
        assert_eq!(wait(500), Duration::from_secs(500));
        assert_eq!(wait(1 << 40), LONGEST_ASKED);
    }
}
