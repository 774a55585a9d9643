//! The dictionary's file: where things are, and what is kept in memory.
//!
//! All numbers are little-endian. After eight bytes that name the format come four sections, each with its packed
//! length, its unpacked length and the CRC-32 of what is unpacked (`u32` each), packed by deflate:
//! 1. where the components come from (text);
//! 2. their codes, eight bytes each, padded with zeros, sorted;
//! 3. the coder's table of probabilities and the usual bond lengths;
//! 4. for each chunk of the catalogue its packed and unpacked length, for each block of components its length.
//!
//! Then the chunks (deflate), one for 256 components, a line each; then the blocks, one for sixteen, each a CRC-32 and
//! bits as in [`record`].

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::io::{Read, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::geometry::{self, Graph, LengthKey, Lengths};
use super::range_coder::{self, Decoder, Encoder, Trainer};
use super::record;
use super::search::Names;
use super::{Component, ComponentError};

const MAGIC: &[u8; 8] = b"KFCOMP01";
/// Components of a block.
const BLOCK: usize = 16;
/// Components of a chunk of the catalogue.
pub(super) const CHUNK: usize = 256;
/// Fields of a line of the catalogue.
pub(super) const FIELDS: usize = 8;
/// Blocks kept in memory, some 100 kB each.
const KEPT_BLOCKS: usize = 128;
/// No section is larger unpacked.
const MAX_SECTION: u32 = 1 << 25;
/// Up to here, in Å, thousandths are told apart.
const MAX_COORDINATE: f32 = 4000.0;
/// Bond lengths seen less often than this get no entry of their own.
const FEW: usize = 20;

type Code = [u8; 8];

/// An open dictionary. Shared between threads as it is.
pub struct Dictionary {
    bytes: Cow<'static, [u8]>,
    source: String,
    codes: Vec<Code>,
    probabilities: Vec<u16>,
    lengths: Lengths,
    chunks: Vec<Chunk>,
    blocks: Vec<Range<usize>>,
    kept: Mutex<Kept>,
    pub(super) names: OnceLock<Result<Names, ComponentError>>,
}

struct Chunk {
    place: Range<usize>,
    unpacked: u32,
    crc: u32,
    lines: OnceLock<Result<String, ComponentError>>,
}

#[derive(Default)]
struct Kept {
    blocks: HashMap<usize, Vec<Arc<Component>>>,
    /// Oldest first.
    order: VecDeque<usize>,
}

fn damaged(what: impl Into<String>) -> ComponentError {
    ComponentError::Damaged(what.into())
}

impl std::fmt::Debug for Dictionary {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Dictionary").field("source", &self.source).field("components", &self.len()).finish()
    }
}

impl Dictionary {
    /// Opens a dictionary from the bytes of its file; reads the index only.
    ///
    /// # Errors
    /// When the bytes are not a dictionary.
    pub fn open(bytes: Cow<'static, [u8]>) -> Result<Self, ComponentError> {
        let mut reader = Reader { bytes: &bytes, at: 0 };
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(damaged("it does not begin as one"));
        }
        let source = String::from_utf8(reader.section()?).map_err(|_| damaged("its source is not text"))?;
        let codes = reader.section()?;
        let codes: Vec<Code> = codes.as_chunks().0.to_vec();
        if !codes.is_sorted() {
            return Err(damaged("its codes are not in order"));
        }
        let (probabilities, lengths) = read_tables(&reader.section()?)?;
        let index: Vec<u32> = numbers(&reader.section()?);
        let chunk_count = codes.len().div_ceil(CHUNK);
        let block_count = codes.len().div_ceil(BLOCK);
        if index.len() != 3 * chunk_count + block_count {
            return Err(damaged("its index is incomplete"));
        }
        let (of_chunks, of_blocks) = index.split_at(3 * chunk_count);
        let mut chunks = Vec::with_capacity(chunk_count);
        for [packed, unpacked, crc] in of_chunks.as_chunks().0 {
            let place = reader.place(*packed as usize)?;
            chunks.push(Chunk { place, unpacked: *unpacked, crc: *crc, lines: OnceLock::new() });
        }
        let blocks = of_blocks.iter().map(|length| reader.place(*length as usize)).collect::<Result<_, _>>()?;
        Ok(Self {
            source,
            codes,
            probabilities,
            lengths,
            chunks,
            blocks,
            kept: Mutex::default(),
            names: OnceLock::new(),
            bytes,
        })
    }

    /// Where the components come from, in words.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// How many components there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The codes in order.
    pub fn codes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.codes.iter().map(text_of)
    }

    /// The component of a code (in any letter case), or `None` when there is no such code. An obsolete entry is found
    /// like any other.
    ///
    /// # Errors
    /// When the dictionary is damaged at this place.
    pub fn lookup(&self, code: &str) -> Result<Option<Arc<Component>>, ComponentError> {
        let Some(index) = self.position(code) else { return Ok(None) };
        let block = index / BLOCK;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.blocks.contains_key(&block) {
            let components = self.decode(block)?;
            if kept.order.len() >= KEPT_BLOCKS
                && let Some(oldest) = kept.order.pop_front()
            {
                kept.blocks.remove(&oldest);
            }
            kept.order.push_back(block);
            kept.blocks.insert(block, components);
        }
        Ok(kept.blocks.get(&block).and_then(|held| held.get(index % BLOCK)).map(Arc::clone))
    }

    /// Whether there is a component of this code (in any letter case). Reads nothing.
    #[must_use]
    pub fn contains(&self, code: &str) -> bool {
        self.position(code).is_some()
    }

    fn position(&self, code: &str) -> Option<usize> {
        if code.len() > size_of::<Code>() {
            return None;
        }
        let mut key = Code::default();
        key[..code.len()].copy_from_slice(code.to_ascii_uppercase().as_bytes());
        self.codes.binary_search(&key).ok()
    }

    /// A component without its atoms: what the catalogue says.
    pub(super) fn entry(&self, index: usize) -> Result<Component, ComponentError> {
        let line =
            self.lines(index / CHUNK)?.split('\n').nth(index % CHUNK).ok_or_else(|| damaged("a name is missing"))?;
        let mut component = entry_of(line);
        component.code = self.codes.get(index).map(text_of).unwrap_or_default().into();
        Ok(component)
    }

    /// The catalogue's lines of a chunk.
    pub(super) fn lines(&self, chunk: usize) -> Result<&str, ComponentError> {
        let chunk = self.chunks.get(chunk).ok_or_else(|| damaged("part of the catalogue is missing"))?;
        let lines = chunk.lines.get_or_init(|| {
            let unpacked = unpack(&self.bytes[chunk.place.clone()], chunk.unpacked, chunk.crc)?;
            String::from_utf8(unpacked).map_err(|_| damaged("a name is not text"))
        });
        lines.as_deref().map_err(Clone::clone)
    }

    fn decode(&self, block: usize) -> Result<Vec<Arc<Component>>, ComponentError> {
        let place = self.blocks.get(block).ok_or_else(|| damaged("a block is missing"))?;
        let (crc, bits) = self.bytes[place.clone()].split_at_checked(4).ok_or_else(|| damaged("a block is empty"))?;
        if numbers(crc) != [checksum(bits)] {
            return Err(damaged(format!("block {block} has changed")));
        }
        let mut decoder = Decoder::new(&self.probabilities, bits);
        let mut components = Vec::with_capacity(BLOCK);
        for index in block * BLOCK..((block + 1) * BLOCK).min(self.codes.len()) {
            let mut component = self.entry(index)?;
            record::code(&mut decoder, &mut component, &self.lengths);
            if decoder.is_past_end() {
                return Err(damaged(format!("block {block} ends early")));
            }
            components.push(Arc::new(component));
        }
        Ok(components)
    }
}

fn text_of(code: &Code) -> &str {
    let length = code.iter().position(|byte| *byte == 0).unwrap_or(code.len());
    std::str::from_utf8(&code[..length]).unwrap_or_default()
}

fn numbers(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks().0.iter().map(|held| u32::from_le_bytes(*held)).collect()
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn unpack(packed: &[u8], length: u32, crc: u32) -> Result<Vec<u8>, ComponentError> {
    if length > MAX_SECTION {
        return Err(damaged("a section claims to be larger than any is"));
    }
    let mut unpacked = Vec::new();
    flate2::read::DeflateDecoder::new(packed)
        .take(u64::from(length) + 1)
        .read_to_end(&mut unpacked)
        .map_err(|error| damaged(error.to_string()))?;
    if unpacked.len() != length as usize || checksum(&unpacked) != crc {
        return Err(damaged("a section has changed"));
    }
    Ok(unpacked)
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    // Writing to memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn place(&mut self, length: usize) -> Result<Range<usize>, ComponentError> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len());
        let place = self.at..end.ok_or_else(|| damaged("it is cut short"))?;
        self.at = place.end;
        Ok(place)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], ComponentError> {
        let place = self.place(length)?;
        Ok(&self.bytes[place])
    }

    fn section(&mut self) -> Result<Vec<u8>, ComponentError> {
        let head = numbers(self.take(12)?);
        let [packed, unpacked, crc] = head[..] else { return Err(damaged("it is cut short")) };
        unpack(self.take(packed as usize)?, unpacked, crc)
    }
}

/// The table of probabilities, then ten bytes for each usual length.
fn read_tables(bytes: &[u8]) -> Result<(Vec<u16>, Lengths), ComponentError> {
    let (probabilities, lengths) =
        bytes.split_at_checked(record::CONTEXTS * 2).ok_or_else(|| damaged("its tables are cut short"))?;
    let probabilities: Vec<u16> = probabilities.as_chunks().0.iter().map(|held| u16::from_le_bytes(*held)).collect();
    if !range_coder::is_table(&probabilities) {
        return Err(damaged("its tables hold impossible numbers"));
    }
    let usual = lengths.as_chunks().0.iter().map(|&[set, from, to, order, is_aromatic, low, high]| {
        ((set, from, to, order, is_aromatic == 1), u16::from_le_bytes([low, high]))
    });
    Ok((probabilities, Lengths { usual: usual.collect() }))
}

fn written_tables(probabilities: &[u16], lengths: &Lengths) -> Vec<u8> {
    let mut bytes: Vec<u8> = probabilities.iter().flat_map(|held| held.to_le_bytes()).collect();
    let mut usual: Vec<(&LengthKey, &u16)> = lengths.usual.iter().collect();
    usual.sort_unstable();
    for ((set, from, to, order, is_aromatic), length) in usual {
        bytes.extend([*set, *from, *to, *order, u8::from(*is_aromatic)]);
        bytes.extend(length.to_le_bytes());
    }
    bytes
}

/// A line of the catalogue: fields parted by tabs, lists by `;`.
fn entry_of(line: &str) -> Component {
    let mut fields = line.split('\t');
    let mut next = || fields.next().unwrap_or_default();
    let list =
        |text: &str| -> Vec<String> { text.split(';').filter(|part| !part.is_empty()).map(str::to_owned).collect() };
    Component {
        name: next().to_owned(),
        type_name: next().into(),
        charge: next().parse().unwrap_or(0),
        parents: list(next()).into_iter().map(Into::into).collect(),
        one_letter_codes: next().into(),
        is_obsolete: next() == "O",
        replaced_by: Some(next()).filter(|code| !code.is_empty()).map(Into::into),
        synonyms: list(next()),
        ..Component::default()
    }
}

fn line_of(component: &Component) -> String {
    let charge = if component.charge == 0 { String::new() } else { component.charge.to_string() };
    let fields: [&str; FIELDS] = [
        component.name.as_str(),
        &component.type_name,
        &charge,
        &component.parents.join(";"),
        &component.one_letter_codes,
        if component.is_obsolete { "O" } else { "" },
        component.replaced_by.as_deref().unwrap_or_default(),
        &component.synonyms.join(";"),
    ];
    fields.join("\t").trim_end_matches('\t').to_owned()
}

/// The file of a dictionary of these components. `source` says where they come from.
///
/// # Errors
/// When a component holds something that the file has no place for; its text says what.
pub fn write(components: &[Component], source: &str) -> Result<Vec<u8>, ComponentError> {
    let mut components: Vec<Component> = components.to_vec();
    components.sort_unstable_by(|a, b| a.code.cmp(&b.code));
    for component in &components {
        check(component)?;
    }
    if let Some(pair) = components.windows(2).find(|pair| pair[0].code == pair[1].code) {
        return Err(cannot_hold(&pair[0], "it is there twice"));
    }
    let lengths = usual_lengths(&components);
    let mut trainer = Trainer::new(record::CONTEXTS);
    for component in &mut components {
        record::code(&mut trainer, component, &lengths);
    }
    let probabilities = trainer.table();

    let mut file = MAGIC.to_vec();
    let section = |file: &mut Vec<u8>, bytes: &[u8]| {
        let packed = pack(bytes);
        for number in [packed.len() as u32, bytes.len() as u32, checksum(bytes)] {
            file.extend(number.to_le_bytes());
        }
        file.extend(packed);
    };
    section(&mut file, source.as_bytes());
    let mut codes = Vec::new();
    for component in &components {
        let mut code = Code::default();
        code[..component.code.len()].copy_from_slice(component.code.as_bytes());
        codes.extend(code);
    }
    section(&mut file, &codes);
    section(&mut file, &written_tables(&probabilities, &lengths));
    let mut index = Vec::new();
    let mut rest = Vec::new();
    for chunk in components.chunks(CHUNK) {
        let lines: Vec<String> = chunk.iter().map(line_of).collect();
        let lines = lines.join("\n");
        let packed = pack(lines.as_bytes());
        index.extend([packed.len() as u32, lines.len() as u32, checksum(lines.as_bytes())]);
        rest.extend(packed);
    }
    for block in components.chunks_mut(BLOCK) {
        let mut encoder = Encoder::new(&probabilities);
        for component in block {
            record::code(&mut encoder, component, &lengths);
        }
        let bits = encoder.finish();
        index.push(bits.len() as u32 + 4);
        rest.extend(checksum(&bits).to_le_bytes());
        rest.extend(bits);
    }
    let index: Vec<u8> = index.into_iter().flat_map(u32::to_le_bytes).collect();
    section(&mut file, &index);
    file.extend(rest);
    Ok(file)
}

fn cannot_hold(component: &Component, reason: &str) -> ComponentError {
    ComponentError::CannotHold { code: component.code.to_string(), reason: reason.to_owned() }
}

/// Whether a component comes back as it is from the file.
fn check(component: &Component) -> Result<(), ComponentError> {
    let count = component.atoms.len();
    let texts = [component.name.as_str(), &component.type_name, &component.one_letter_codes];
    let is_separated = |text: &str| !text.contains(['\t', '\n']);
    let is_name = |name: &str| name.len() <= record::MAX_NAME && name.bytes().all(|byte| (32..127).contains(&byte));
    let is_in_range = |place: &Option<glam::Vec3>| place.is_none_or(|place| place.abs().max_element() < MAX_COORDINATE);
    let refusal = if component.code.is_empty() || component.code.len() > size_of::<Code>() || !is_name(&component.code)
    {
        "its code is not one of up to eight characters"
    } else if count > record::MAX_ATOMS {
        "it has too many atoms"
    } else if component.ideal.len() != count || component.model.len() != count {
        "it has not as many coordinates as atoms"
    } else if !component.bonds.iter().all(|bond| bond.a < bond.b && (bond.b as usize) < count) {
        "a bond names atoms that are not there or are not in order"
    } else if !texts.into_iter().all(is_separated)
        || !component
            .synonyms
            .iter()
            .all(|synonym| is_separated(synonym) && !synonym.contains(';') && !synonym.is_empty())
    {
        "a name holds a character that parts names"
    } else if !component
        .atoms
        .iter()
        .all(|atom| !atom.name.is_empty() && is_name(&atom.name) && is_name(&atom.other_name))
    {
        "an atom's name is too long or not of plain characters"
    } else if !component.ideal.iter().chain(&component.model).all(is_in_range) {
        "a coordinate is too large"
    } else {
        return Ok(());
    };
    Err(cannot_hold(component, refusal))
}

/// The median length of every kind of bond.
fn usual_lengths(components: &[Component]) -> Lengths {
    let mut seen: HashMap<LengthKey, Vec<u16>> = HashMap::new();
    for component in components {
        let elements: Vec<u8> = component.atoms.iter().map(|atom| atom.element.atomic_number()).collect();
        let neighbours = record::neighbours_of(component);
        let graph = Graph { elements: &elements, neighbours: &neighbours };
        for (set, positions) in [&component.ideal, &component.model].into_iter().enumerate() {
            geometry::observed_lengths(set, &graph, &record::whole(positions), &mut seen);
        }
    }
    let usual = seen.into_iter().filter(|(_, lengths)| lengths.len() >= FEW).map(|(key, mut lengths)| {
        let middle = lengths.len() / 2;
        let (_, median, _) = lengths.select_nth_unstable(middle);
        (key, *median)
    });
    Lengths { usual: usual.collect() }
}
