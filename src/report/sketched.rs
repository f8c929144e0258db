//! A distinct count with the registers of its sketch.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::cell::Registers;

/// The letters of ranks, which are the first ones of base64.
const LETTERS: &[u8; 52] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A count, and the registers where there are any to be said.
pub(super) struct Sketched<'a> {
    pub(super) count: Option<u64>,
    pub(super) registers: Option<&'a Registers>,
}

impl Serialize for Sketched<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("count", &self.count)?;
        map.serialize_entry("registers", &self.registers.map(Form))?;
        map.end()
    }
}

/// Pairs of index and rank, or one text of all ranks.
struct Form<'a>(&'a Registers);

impl Serialize for Form<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Registers::Few(list) => {
                let mut pairs = serializer.serialize_seq(Some(list.len()))?;
                list.iter().try_for_each(|pair| pairs.serialize_element(pair))?;
                pairs.end()
            }
            Registers::Many(ranks) => {
                let letter =
                    |rank: &u8| LETTERS.get(usize::from(*rank)).map_or('z', |at| *at as char);
                serializer.serialize_str(&ranks.iter().map(letter).collect::<String>())
            }
        }
    }
}
