//! Adaptive binary range coding: bits coded in the fraction of a bit that their probability is worth.
//!
//! The arithmetic is that of LZMA's coder (Martin, "Range encoding", 1979; Pavlov's LZMA specification, 2015): a 32-bit
//! range is split by the probability of a zero, the half that the bit names is kept, and bytes leave at the top. Every
//! bit belongs to a context; its probability moves towards what was seen. Probabilities start from a trained table, so
//! that even a short block is coded well.
//!
//! [`Coder`] hides the direction: the same code that describes a record writes it through an [`Encoder`], reads it
//! through a [`Decoder`] and gathers the table through a [`Trainer`]. Values passed in are ignored when decoding.

/// Bits of a probability.
const PRECISION: u32 = 15;
/// How fast a probability follows what is seen: by this power of two of the difference.
const RATE: u32 = 6;
/// The range is refilled when it falls below this.
const TOP: u32 = 1 << 24;
/// No probability is nearer to certainty than this.
const LEAST: u16 = 32;
/// Zeros at the end that the encoder leaves out.
const MOST_TRIMMED: u32 = 4;

/// Codes bits in contexts, in one direction or the other.
pub(super) trait Coder {
    /// Whether values come out of the coder (and those passed in are ignored).
    const DECODES: bool;

    /// Codes one bit in a context; gives the bit.
    fn bit(&mut self, context: usize, bit: bool) -> bool;

    /// Codes the lowest `count` bits of a value as if they were random.
    fn raw(&mut self, count: u32, value: u32) -> u32;

    /// Codes a symbol of `bits` bits; takes `2^bits` contexts from `context` on.
    fn symbol(&mut self, context: usize, bits: u32, value: u32) -> u32 {
        let mut node = 1;
        for place in (0..bits).rev() {
            let bit = self.bit(context + node, value >> place & 1 == 1);
            node = node << 1 | usize::from(bit);
        }
        node as u32 - (1 << bits)
    }

    /// Codes a number below 2^31: its length in bits as a symbol, its two bits after the leading one in contexts, the
    /// rest raw. Takes [`NUMBER`] contexts.
    fn number(&mut self, context: usize, value: u32) -> u32 {
        let length = self.symbol(context, 5, u32::BITS - value.leading_zeros());
        if length <= 1 {
            return length;
        }
        let modelled = (length - 1).min(2);
        let rest = length - 1 - modelled;
        let high = self.symbol(context + 32 + 4 * length as usize, modelled, value >> rest & ((1 << modelled) - 1));
        let low = if rest > 0 { self.raw(rest, value & ((1 << rest) - 1)) } else { 0 };
        (1 << (length - 1)) | high << rest | low
    }

    /// Codes a number with a sign, of less than 2^30 in size. Takes [`SIGNED`] contexts.
    fn signed(&mut self, context: usize, value: i32) -> i32 {
        let size = self.number(context, value.unsigned_abs());
        let is_negative = size > 0 && self.bit(context + NUMBER, value < 0);
        let size = size.min(i32::MAX as u32) as i32;
        if is_negative { -size } else { size }
    }
}

/// Contexts of one [`Coder::number`].
pub(super) const NUMBER: usize = 32 + 4 * 32;
/// Contexts of one [`Coder::signed`].
pub(super) const SIGNED: usize = NUMBER + 1;

/// A table in which nothing is known.
#[cfg(test)]
pub(super) fn untrained(contexts: usize) -> Vec<u16> {
    vec![1 << (PRECISION - 1); contexts]
}

fn adapt(probability: &mut u16, bit: bool) {
    if bit {
        *probability -= (*probability - LEAST) >> RATE;
    } else {
        *probability += ((1 << PRECISION) - LEAST - *probability) >> RATE;
    }
}

/// Writes.
pub(super) struct Encoder {
    probabilities: Vec<u16>,
    low: u64,
    range: u32,
    cache: u8,
    pending: u64,
    bytes: Vec<u8>,
}

impl Encoder {
    /// Starts with this table of probabilities.
    pub fn new(probabilities: &[u16]) -> Self {
        let probabilities = probabilities.to_vec();
        Self { probabilities, low: 0, range: u32::MAX, cache: 0, pending: 1, bytes: Vec::new() }
    }

    /// What was written.
    pub fn finish(mut self) -> Vec<u8> {
        for _ in 0..5 {
            self.shift();
        }
        // The decoder takes bytes past the end as zeros.
        for _ in 0..MOST_TRIMMED {
            if self.bytes.last() == Some(&0) {
                self.bytes.pop();
            }
        }
        self.bytes
    }

    fn shift(&mut self) {
        if self.low < 0xFF00_0000 || self.low > 0xFFFF_FFFF {
            let carry = (self.low >> 32) as u8;
            self.bytes.push(self.cache.wrapping_add(carry));
            for _ in 1..self.pending {
                self.bytes.push(0xFF_u8.wrapping_add(carry));
            }
            self.pending = 0;
            self.cache = (self.low >> 24) as u8;
        }
        self.pending += 1;
        self.low = (self.low & 0x00FF_FFFF) << 8;
    }

    fn keep(&mut self, bound: u32, bit: bool) {
        if bit {
            self.low += u64::from(bound);
            self.range -= bound;
        } else {
            self.range = bound;
        }
        while self.range < TOP {
            self.range <<= 8;
            self.shift();
        }
    }
}

impl Coder for Encoder {
    const DECODES: bool = false;

    fn bit(&mut self, context: usize, bit: bool) -> bool {
        let bound = (self.range >> PRECISION) * u32::from(self.probabilities[context]);
        adapt(&mut self.probabilities[context], bit);
        self.keep(bound, bit);
        bit
    }

    fn raw(&mut self, count: u32, value: u32) -> u32 {
        for place in (0..count).rev() {
            self.keep(self.range >> 1, value >> place & 1 == 1);
        }
        value
    }
}

/// Reads. Past the end of the bytes it reads zeros and remembers that it did.
pub(super) struct Decoder<'a> {
    probabilities: Vec<u16>,
    range: u32,
    code: u32,
    bytes: &'a [u8],
    past_end: u32,
}

impl<'a> Decoder<'a> {
    /// Starts with the table that the encoder started with.
    pub fn new(probabilities: &[u16], bytes: &'a [u8]) -> Self {
        let mut decoder = Self { probabilities: probabilities.to_vec(), range: u32::MAX, code: 0, bytes, past_end: 0 };
        for _ in 0..5 {
            decoder.code = decoder.code << 8 | u32::from(decoder.next());
        }
        decoder
    }

    /// Whether more was read than was written.
    pub fn is_past_end(&self) -> bool {
        self.past_end > MOST_TRIMMED
    }

    fn next(&mut self) -> u8 {
        match self.bytes.split_first() {
            Some((first, rest)) => {
                self.bytes = rest;
                *first
            }
            None => {
                self.past_end = self.past_end.saturating_add(1);
                0
            }
        }
    }

    fn keep(&mut self, bound: u32) -> bool {
        let bit = self.code >= bound;
        if bit {
            self.code -= bound;
            self.range -= bound;
        } else {
            self.range = bound;
        }
        while self.range < TOP {
            self.range <<= 8;
            self.code = self.code << 8 | u32::from(self.next());
        }
        bit
    }
}

impl Coder for Decoder<'_> {
    const DECODES: bool = true;

    fn bit(&mut self, context: usize, _: bool) -> bool {
        let bit = self.keep((self.range >> PRECISION) * u32::from(self.probabilities[context]));
        adapt(&mut self.probabilities[context], bit);
        bit
    }

    fn raw(&mut self, count: u32, _: u32) -> u32 {
        (0..count).fold(0, |value, _| value << 1 | u32::from(self.keep(self.range >> 1)))
    }
}

/// Counts what an encoder would write.
pub(super) struct Trainer {
    counts: Vec<[u32; 2]>,
}

impl Trainer {
    /// Nothing seen yet.
    pub fn new(contexts: usize) -> Self {
        Self { counts: vec![[0; 2]; contexts] }
    }

    /// The probability of a zero in every context, as seen.
    pub fn table(&self) -> Vec<u16> {
        let scale = f64::from(1_u32 << PRECISION);
        self.counts
            .iter()
            .map(|[zeros, ones]| {
                let share = (f64::from(*zeros) + 0.4) / (f64::from(*zeros) + f64::from(*ones) + 0.8);
                // A fine step matters near certainty only; coarse ones elsewhere keep the table small.
                let step = if (0.05..0.95).contains(&share) { 256.0 } else { 32.0 };
                ((share * scale / step).round() * step).clamp(f64::from(LEAST), scale - f64::from(LEAST)) as u16
            })
            .collect()
    }
}

impl Coder for Trainer {
    const DECODES: bool = false;

    fn bit(&mut self, context: usize, bit: bool) -> bool {
        self.counts[context][usize::from(bit)] += 1;
        bit
    }

    fn raw(&mut self, _: u32, value: u32) -> u32 {
        value
    }
}

/// Whether a table read from a file can be used.
pub(super) fn is_table(probabilities: &[u16]) -> bool {
    probabilities.iter().all(|held| (LEAST..=(1 << PRECISION) - LEAST).contains(held))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn describe<C: Coder>(coder: &mut C, values: &mut [(u8, i32)]) {
        for (symbol, number) in values {
            *symbol = coder.symbol(0, 8, u32::from(*symbol)) as u8;
            *number = coder.signed(256, *number);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            values in prop::collection::vec((any::<u8>(), prop_oneof![-3..3, -70_000..70_000, -(1 << 29)..(1 << 29)]), 0..300)
        ) {
            let mut trainer = Trainer::new(256 + SIGNED);
            describe(&mut trainer, &mut values.clone());
            for table in [untrained(256 + SIGNED), trainer.table()] {
                prop_assert!(is_table(&table));
                let mut encoder = Encoder::new(&table);
                describe(&mut encoder, &mut values.clone());
                let bytes = encoder.finish();
                let mut decoder = Decoder::new(&table, &bytes);
                let mut read = vec![(0, 0); values.len()];
                describe(&mut decoder, &mut read);
                prop_assert_eq!(&read, &values);
                prop_assert!(!decoder.is_past_end());
            }
        }

        #[test]
        fn any_bytes_are_read_to_some_end(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut values = vec![(0, 0); 1000];
            describe(&mut Decoder::new(&untrained(256 + SIGNED), &bytes), &mut values);
            prop_assert!(values.iter().all(|(_, number)| number.unsigned_abs() < 1 << 31));
        }
    }
}
