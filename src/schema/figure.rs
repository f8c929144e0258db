//! The figures that a summary shows on request.

/// A figure that a summary shows beside max, mean, median, min and mode when it is asked for with
/// [`Schema::with`](crate::Schema::with).
///
/// All are those of the samples; that a gauge's summary knows its extremes between samples changes
/// none of them.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// `count`: how many samples the window has, an unsigned 64-bit integer that saturates. It tells
    /// a window without samples from one of zeros.
    Count,
    /// `sum`: the exact sum of the samples, rounded once; saturates at [`f64::MAX`]. 0 without
    /// samples.
    Sum,
    /// `stddev`: the sample standard deviation (divided by n - 1), always written as a float;
    /// saturates at [`f64::MAX`]. 0 for fewer than two samples.
    ///
    /// Up to 1,024 distinct values it is exact up to rounding. After that it is less than 0.1 % of
    /// the samples' root mean square off: close for samples that vary by more than a few per cent,
    /// and meaningless for those that vary by less than 0.1 %.
    Stddev,
    /// `p` and the per cent, `p50`, `p99`, `p99.9`: the quantile from 0 to 1 by nearest rank, the
    /// smallest sample that at least this fraction of all samples does not exceed. 0 without
    /// samples.
    ///
    /// Up to 1,024 distinct values it is exact, after that less than 0.1 % off.
    Quantile(f64),
    /// `buckets`: the samples as a list of pairs of value and count, from the smallest value on, of
    /// which there are at most this many, 16 to 1,024. Lists of several windows and installations
    /// add up: a receiver's SQL makes any quantile of a whole fleet of them, which it cannot of
    /// medians.
    ///
    /// And `buckets_error`: how far a sample may be from the value that stands for it, relative to
    /// the sample. It is 0 while there are no more distinct values than pairs. After that samples
    /// that are close have a value in common: the middle of a cell, of which a power of two has
    /// 1,024, or 512, and so on, as many as the pairs suffice for. With 256 pairs, samples from 1 to
    /// 1,000 are 1/32 off at most, and those from 1 µs to 1 minute 1/16.
    ///
    /// Both are null where the report has no room for them, see
    /// [`Builder::max_body`](crate::Builder::max_body).
    ///
    /// A summary that is made coarser has none.
    Buckets(usize),
    /// `hdr`: the samples as a histogram that the implementations of
    /// [HdrHistogram](https://hdrhistogram.org) in other languages read and add up: base64 of its V2
    /// encoding with deflate. It counts whole numbers, so a sample is counted as how many times this
    /// resolution it is, rounded; `hdr_resolution`, the number that stands beside it, is what a
    /// receiver multiplies by what it reads. The resolution is finite and more than 0: with 0.001,
    /// samples in seconds are counted in milliseconds.
    ///
    /// It has three significant figures. What a receiver reads of a sample is within 0.1 % of the
    /// sample and half a resolution, all told; samples that are whole multiples of the resolution are
    /// exact up to 2,047 times it, while the window has no more than 1,024 distinct values. All
    /// have one range, 1 to 2^53 - 1 times the resolution, so any two of one resolution add up, to
    /// what a histogram of all samples would say within the same error.
    ///
    /// `hdr` is null where it would be wrong: a sample is negative, or larger than 2^53 - 1 times
    /// the resolution, or there are more than 2^63 - 1 samples; and where the report has no room
    /// for it, see [`Builder::max_body`](crate::Builder::max_body). Without samples it is a
    /// histogram without samples. It takes 512 KiB at most, where all of its 45,056 cells have
    /// samples; those from 1 ms to 1 minute, counted in milliseconds, are in 7,000 at most. While
    /// it is made it takes up to 3 MB of memory.
    ///
    /// A summary that is made coarser has none. Needs the feature `hdr`.
    #[cfg(feature = "hdr")]
    Hdr(f64),
}

impl Figure {
    /// All that is asked for.
    pub(crate) fn words(&self) -> String {
        match self {
            Figure::Buckets(most) => format!("{} {most}", self.key()),
            #[cfg(feature = "hdr")]
            Figure::Hdr(resolution) => format!("{} {resolution}", self.key()),
            _ => self.key(),
        }
    }

    /// The name of the error of the buckets.
    pub(crate) const ERROR: &'static str = "buckets_error";

    /// The name of what one of the histogram's whole numbers is.
    #[cfg(feature = "hdr")]
    pub(crate) const RESOLUTION: &'static str = "hdr_resolution";

    /// The most characters of a histogram.
    #[cfg(feature = "hdr")]
    pub(crate) const LONGEST_HDR: usize = 512 << 10;

    /// Whether it is of the samples themselves, of which there are none where values are made coarser.
    pub(super) fn is_detail(self) -> bool {
        match self {
            Figure::Buckets(_) => true,
            #[cfg(feature = "hdr")]
            Figure::Hdr(_) => true,
            _ => false,
        }
    }

    /// The figure's name in a report.
    pub(crate) fn key(self) -> String {
        match self {
            Figure::Count => "count".to_owned(),
            Figure::Sum => "sum".to_owned(),
            Figure::Stddev => "stddev".to_owned(),
            Figure::Quantile(q) => format!("p{}", percent(q)),
            Figure::Buckets(_) => "buckets".to_owned(),
            #[cfg(feature = "hdr")]
            Figure::Hdr(_) => "hdr".to_owned(),
        }
    }
}

/// `q * 100` in the shortest digits that mean `q`, of a `q` that is not negative.
///
/// The point is moved in the text: 0.07 * 100.0 is 7.000000000000001.
fn percent(q: f64) -> String {
    let text = q.abs().to_string(); // the sign of -0.0
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut digits = fraction.chars();
    let mut hundredfold = whole.to_owned();
    hundredfold.extend((0..2).map(|_| digits.next().unwrap_or('0')));
    let (whole, fraction) = (hundredfold.trim_start_matches('0'), digits.as_str());
    let whole = if whole.is_empty() { "0" } else { whole };
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::Figure;

    #[test]
    fn keys_are_short_and_free_of_noise() {
        let cases = [
            (0.0, "p0"),
            (-0.0, "p0"),
            (1.0, "p100"),
            (0.5, "p50"),
            (0.07, "p7"),
            (0.29, "p29"),
            (0.57, "p57"),
            (0.99, "p99"),
            (0.1, "p10"),
            (0.999, "p99.9"),
            (0.9999, "p99.99"),
            (0.025, "p2.5"),
            (0.001, "p0.1"),
            (0.00001, "p0.001"),
            (0.0101, "p1.01"),
        ];
        for (q, key) in cases {
            assert_eq!(Figure::Quantile(q).key(), key);
        }
        let named = [Figure::Count, Figure::Sum, Figure::Stddev].map(Figure::key);
        assert_eq!(named, ["count", "sum", "stddev"]);
    }

    #[test]
    fn every_per_mille_has_its_own_plain_key() {
        for n in 0..=1000u32 {
            let expected = match (n / 10, n % 10) {
                (whole, 0) => format!("p{whole}"),
                (whole, tenth) => format!("p{whole}.{tenth}"),
            };
            assert_eq!(Figure::Quantile(f64::from(n) / 1000.0).key(), expected);
        }
    }
}
