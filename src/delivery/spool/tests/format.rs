//! What is a whole report, and what is not.

use super::super::record::{decode, encode};
use super::*;

fn sample() -> Spooled {
    Spooled {
        id: id(),
        sequence: u64::MAX,
        sealed_at: at(1_700_000_000) + Duration::from_millis(123),
        merged: vec![id(), id()],
        body: "{\"a\":\"ü\\n\"}\n\ntwo lines more\n".into(),
    }
}

fn encoded(report: &Spooled) -> Vec<u8> {
    let Spooled { id, sequence, sealed_at, merged, body } = report;
    encode(id, *sequence, *sealed_at, merged, body).into_bytes()
}

#[test]
fn a_report_comes_back_as_it_was() {
    let report = sample();
    assert_eq!(decode(&encoded(&report)), Some(report));
    let empty = Spooled { body: String::new(), merged: vec![], ..sample() };
    assert_eq!(decode(&encoded(&empty)), Some(empty));
}

#[test]
fn a_time_before_1970_or_finer_than_a_millisecond_does_no_harm() {
    let times = [
        (UNIX_EPOCH - Duration::from_secs(1), UNIX_EPOCH),
        (at(1) + Duration::from_nanos(1_999_999), at(1) + Duration::from_millis(1)),
    ];
    for (sealed_at, read) in times {
        let report = decode(&encoded(&Spooled { sealed_at, ..sample() })).unwrap();
        assert_eq!(report.sealed_at, read);
    }
}

#[test]
fn cut_short_at_any_byte_it_is_no_report() {
    let whole = encoded(&sample());
    for length in 0..whole.len() {
        assert_eq!(decode(&whole[..length]), None, "{length} of {} bytes", whole.len());
    }
}

#[test]
fn with_any_bit_flipped_it_is_no_report() {
    let mut content = encoded(&sample());
    for at in 0..content.len() {
        for bit in 0..8 {
            content[at] ^= 1 << bit;
            assert_eq!(decode(&content), None, "bit {bit} of byte {at}");
            content[at] ^= 1 << bit;
        }
    }
}

#[test]
fn with_more_or_other_bytes_it_is_no_report() {
    let whole = encoded(&sample());
    for length in 1..=whole.len() {
        let (head, tail) = whole.split_at(whole.len() - length);
        // What a file system may leave of a block that was not written in time.
        assert_eq!(decode(&[head, &vec![0; length]].concat()), None);
        assert_eq!(decode(&[&whole[..], tail].concat()), None);
    }
    assert_eq!(decode(&vec![0; whole.len()]), None);
}

#[test]
fn an_id_that_could_lead_elsewhere_is_refused_even_under_a_right_checksum() {
    for wrong in ["", "../../etc/passwd", "x", &id().to_uppercase(), &id().replace('-', "")] {
        assert_eq!(decode(&encoded(&Spooled { id: wrong.into(), ..sample() })), None, "{wrong}");
        let merged = vec![id(), wrong.into()];
        assert_eq!(decode(&encoded(&Spooled { merged, ..sample() })), None, "{wrong}");
    }
    let mut itself = sample();
    itself.merged.push(itself.id.clone());
    assert_eq!(decode(&encoded(&itself)), None, "a part of itself would be removed");
}
