//! Writes BinaryCIF for tests: MessagePack and every encoding, the other way round than the reader.

/// A value of MessagePack.
#[derive(Clone)]
pub enum Pack {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    Bin(Vec<u8>),
    List(Vec<Pack>),
    Map(Vec<(&'static str, Pack)>),
}

pub fn text(text: &str) -> Pack {
    Pack::Str(text.to_owned())
}

impl Pack {
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Nil => out.push(0xc0),
            Self::Bool(value) => out.push(0xc2 + u8::from(*value)),
            Self::Int(value @ 0..=127) => out.push(*value as u8),
            Self::Int(value) => {
                out.push(0xd3);
                out.extend(value.to_be_bytes());
            }
            Self::Float(value) => {
                out.push(0xcb);
                out.extend(value.to_be_bytes());
            }
            Self::Str(text) if text.len() < 32 => {
                out.push(0xa0 | text.len() as u8);
                out.extend(text.as_bytes());
            }
            Self::Str(text) => {
                out.push(0xdb);
                out.extend((text.len() as u32).to_be_bytes());
                out.extend(text.as_bytes());
            }
            Self::Bin(bytes) => {
                out.push(0xc6);
                out.extend((bytes.len() as u32).to_be_bytes());
                out.extend(bytes);
            }
            Self::List(items) => {
                out.push(0xdd);
                out.extend((items.len() as u32).to_be_bytes());
                items.iter().for_each(|item| item.write(out));
            }
            Self::Map(entries) => {
                out.push(0xde);
                out.extend((entries.len() as u16).to_be_bytes());
                for (key, value) in entries {
                    text(key).write(out);
                    value.write(out);
                }
            }
        }
    }
}

/// One step of an encoding, with what it needs to be applied.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    FixedPoint(f64),
    Quantize(f64, f64, i64),
    RunLength,
    Delta,
    Pack(i64, bool),
}

fn encoding(kind: &str, mut rest: Vec<(&'static str, Pack)>) -> Pack {
    let mut entries = vec![("kind", text(kind))];
    entries.append(&mut rest);
    Pack::Map(entries)
}

/// `data` and `encoding` of whole numbers after these steps, stored as 32-bit numbers or, after packing, as bytes.
pub fn integers(values: &[i32], steps: &[Step]) -> Pack {
    let mut values = values.to_vec();
    let mut encodings = Vec::new();
    let mut kind = 3;
    for step in steps {
        match *step {
            Step::RunLength => {
                let size = values.len() as i64;
                let runs: Vec<i32> =
                    values.chunk_by(|a, b| a == b).flat_map(|run| [run[0], run.len() as i32]).collect();
                values = runs;
                encodings.push(encoding("RunLength", vec![("srcType", Pack::Int(3)), ("srcSize", Pack::Int(size))]));
            }
            Step::Delta => {
                let origin = values.first().copied().unwrap_or(0);
                let mut last = origin;
                for value in &mut values {
                    (last, *value) = (*value, *value - last);
                }
                encodings
                    .push(encoding("Delta", vec![("origin", Pack::Int(i64::from(origin))), ("srcType", Pack::Int(3))]));
            }
            Step::Pack(bytes, is_unsigned) => {
                let size = values.len() as i64;
                let (low, high) = match (bytes, is_unsigned) {
                    (1, true) => (0, 255),
                    (1, false) => (-128, 127),
                    (_, true) => (0, 65_535),
                    (_, false) => (-32_768, 32_767),
                };
                let mut packed = Vec::new();
                for mut value in values {
                    while value >= high || (value <= low && !is_unsigned) {
                        let part = if value > 0 { high } else { low };
                        packed.push(part);
                        value -= part;
                    }
                    packed.push(value);
                }
                values = packed;
                kind = match (bytes, is_unsigned) {
                    (1, true) => 4,
                    (1, false) => 1,
                    (_, true) => 5,
                    (_, false) => 2,
                };
                let parameters = vec![
                    ("byteCount", Pack::Int(bytes)),
                    ("isUnsigned", Pack::Bool(is_unsigned)),
                    ("srcSize", Pack::Int(size)),
                ];
                encodings.push(encoding("IntegerPacking", parameters));
            }
            Step::FixedPoint(_) | Step::Quantize(..) => panic!("not an encoding of whole numbers"),
        }
    }
    let bytes = match kind {
        1 | 4 => values.iter().map(|value| *value as u8).collect(),
        2 | 5 => values.iter().flat_map(|value| (*value as u16).to_le_bytes()).collect(),
        _ => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
    };
    encodings.push(encoding("ByteArray", vec![("type", Pack::Int(kind))]));
    Pack::Map(vec![("data", Pack::Bin(bytes)), ("encoding", Pack::List(encodings))])
}

/// `data` and `encoding` of numbers: plain 64-bit ones, or whole numbers by the first step and then the others.
pub fn numbers(values: &[f64], steps: &[Step]) -> Pack {
    let (first, rest) = match steps {
        [] => {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            let plain = encoding("ByteArray", vec![("type", Pack::Int(33))]);
            return Pack::Map(vec![("data", Pack::Bin(bytes)), ("encoding", Pack::List(vec![plain]))]);
        }
        [first, rest @ ..] => (*first, rest),
    };
    let (whole, outer): (Vec<i32>, Pack) = match first {
        Step::FixedPoint(factor) => (
            values.iter().map(|value| (value * factor).round() as i32).collect(),
            encoding("FixedPoint", vec![("factor", Pack::Float(factor)), ("srcType", Pack::Int(32))]),
        ),
        Step::Quantize(min, max, count) => (
            values.iter().map(|value| ((value - min) / (max - min) * (count - 1) as f64).round() as i32).collect(),
            encoding(
                "IntervalQuantization",
                vec![("min", Pack::Float(min)), ("max", Pack::Float(max)), ("numSteps", Pack::Int(count))],
            ),
        ),
        _ => panic!("the first step makes whole numbers"),
    };
    let Pack::Map(mut entries) = integers(&whole, rest) else { unreachable!() };
    if let Pack::List(encodings) = &mut entries[1].1 {
        encodings.insert(0, outer);
    }
    Pack::Map(entries)
}

/// `data` and `encoding` of texts.
pub fn texts(values: &[&str], steps: &[Step]) -> Pack {
    let mut distinct: Vec<&str> = Vec::new();
    let indices: Vec<i32> = values
        .iter()
        .map(|value| {
            distinct.iter().position(|known| known == value).unwrap_or_else(|| {
                distinct.push(value);
                distinct.len() - 1
            }) as i32
        })
        .collect();
    let mut offsets = vec![0];
    for text in &distinct {
        offsets.push(offsets[offsets.len() - 1] + text.len() as i32);
    }
    let part = |pack: Pack| {
        let Pack::Map(mut entries) = pack else { unreachable!() };
        let encodings = entries.pop().unwrap().1;
        (entries.pop().unwrap().1, encodings)
    };
    let (data, data_encoding) = part(integers(&indices, steps));
    let (offsets, offset_encoding) = part(integers(&offsets, &[Step::Delta, Step::Pack(1, true)]));
    let parameters = vec![
        ("dataEncoding", data_encoding),
        ("stringData", text(&distinct.concat())),
        ("offsetEncoding", offset_encoding),
        ("offsets", offsets),
    ];
    Pack::Map(vec![("data", data), ("encoding", Pack::List(vec![encoding("StringArray", parameters)]))])
}

/// A column, with a mask where one is given (0 has a value, 1 is `.`, 2 is `?`).
pub fn column(name: &str, data: Pack, mask: Option<&[i32]>) -> Pack {
    let mask = mask.map_or(Pack::Nil, |mask| integers(mask, &[Step::RunLength, Step::Pack(1, true)]));
    Pack::Map(vec![("name", text(name)), ("data", data), ("mask", mask)])
}

pub fn category(name: &str, rows: usize, columns: Vec<Pack>) -> Pack {
    Pack::Map(vec![("name", text(name)), ("rowCount", Pack::Int(rows as i64)), ("columns", Pack::List(columns))])
}

/// A file of one block.
pub fn file(categories: Vec<Pack>) -> Vec<u8> {
    let block = Pack::Map(vec![("header", text("TEST")), ("categories", Pack::List(categories))]);
    let root = Pack::Map(vec![
        ("encoder", text("tests")),
        ("version", text("0.3.0")),
        ("dataBlocks", Pack::List(vec![block])),
    ]);
    let mut out = Vec::new();
    root.write(&mut out);
    out
}
