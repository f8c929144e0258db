//! The report, made smaller for its way.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

/// The same bytes for the same report at every attempt: there is no time and no name of the
/// machine in the header.
pub(super) fn compress(report: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(report)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_is_compressed_comes_back_and_names_no_time() {
        let report = br#"{"data":{"usage":{"orders":3}}}"#.repeat(100);
        let small = compress(&report).expect("compressed");
        assert!(small.len() < report.len() / 10, "{} bytes", small.len());
        assert_eq!(small[4..8], [0; 4], "the time of the gzip header");
        assert_eq!(compress(&report).expect("again"), small);
        let mut back = Vec::new();
        flate2::read::GzDecoder::new(&small[..]).read_to_end(&mut back).expect("gzip");
        assert_eq!(back, report);
    }
}
