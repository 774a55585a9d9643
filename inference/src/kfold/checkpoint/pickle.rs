//! A pickle reader that can build nothing but state dicts.
//!
//! A pickle is a program for a stack machine that may call any function of Python by name. Of that machine only what
//! `torch.save` needs for a dictionary of tensors is here: containers, numbers, texts, references to storages, and three
//! functions that are recognised by name and never run. Any other global is refused with its name. Values live in an arena and
//! refer to each other by index, so a container that holds itself is harmless; each opcode makes at most one value and values
//! share texts, so memory is bounded by the length of the program.
//!
//! Opcodes: Python's Lib/pickletools.py. What `torch.save` writes: torch/_utils.py (`_rebuild_tensor_v2`), torch/serialization.py.

use std::collections::HashMap;
use std::rc::Rc;

use super::ElementType;

/// Longest program; the largest published checkpoint has about half a megabyte.
pub(super) const MAX_LENGTH: usize = 16 << 20;
/// Most values it may make; the largest published checkpoint makes about 100,000.
const MAX_VALUES: usize = 2 << 20;
/// Most tensors; the largest published checkpoint has 2,696.
const MAX_TENSORS: usize = 100_000;
/// Longest text.
const MAX_TEXT: usize = 1024;
/// Most dimensions of a tensor.
const MAX_DIMENSIONS: usize = 8;

/// A tensor as the pickle describes it: a strided view of a storage. Counts are in elements; none has been checked against the
/// storage's bytes yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PickledTensor {
    pub storage: String,
    pub element: ElementType,
    pub storage_length: usize,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

/// The functions and types that a state dict names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(ElementType),
}

impl Global {
    fn of(module: &str, name: &str) -> Result<Self, String> {
        let storage = match name {
            "DoubleStorage" => Some(ElementType::F64),
            "FloatStorage" => Some(ElementType::F32),
            "HalfStorage" => Some(ElementType::F16),
            "BFloat16Storage" => Some(ElementType::BF16),
            "LongStorage" => Some(ElementType::I64),
            "IntStorage" => Some(ElementType::I32),
            "ShortStorage" => Some(ElementType::I16),
            "CharStorage" => Some(ElementType::I8),
            "ByteStorage" => Some(ElementType::U8),
            "BoolStorage" => Some(ElementType::Bool),
            _ => None,
        };
        match (module, name, storage) {
            ("torch", _, Some(element)) => Ok(Self::Storage(element)),
            ("collections", "OrderedDict", _) => Ok(Self::OrderedDict),
            ("torch._utils", "_rebuild_tensor_v2", _) => Ok(Self::RebuildTensor),
            ("torch._utils", "_rebuild_parameter", _) => Ok(Self::RebuildParameter),
            _ => Err(format!(
                "it asks for {module}.{name}, which no table of weights needs; nothing of it was run. Ask the file's maker \
                 for a plain state dict"
            )),
        }
    }
}

/// Index of a value in the arena.
type Id = u32;

#[derive(Clone, Debug)]
enum Value {
    None,
    Bool,
    Number,
    Integer(i64),
    Text(Rc<str>),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    Storage { key: Rc<str>, element: ElementType, length: usize },
    Tensor(Box<PickledTensor>),
}

enum Slot {
    Mark,
    Value(Id),
}

/// The tensors of a pickled state dict, in its order.
///
/// # Errors
/// A text that says what is wrong.
pub(super) fn read_state_dict(program: &[u8]) -> Result<Vec<(String, PickledTensor)>, String> {
    if program.len() > MAX_LENGTH {
        return Err(format!("its table of contents has {} bytes, more than any model needs", program.len()));
    }
    let mut machine = Machine { program, at: 0, values: Vec::new(), stack: Vec::new(), memo: HashMap::new() };
    let result = machine.run().map_err(|reason| format!("its table of contents cannot be read: {reason}"))?;
    machine.state_dict(result)
}

struct Machine<'a> {
    program: &'a [u8],
    at: usize,
    values: Vec<Value>,
    stack: Vec<Slot>,
    memo: HashMap<u32, Id>,
}

impl<'a> Machine<'a> {
    /// Runs until STOP; the value on the top of the stack is the result.
    fn run(&mut self) -> Result<Id, String> {
        loop {
            match self.byte()? {
                0x80 => {
                    let protocol = self.byte()?;
                    if !(2..=5).contains(&protocol) {
                        return Err(format!("pickle protocol {protocol} is not supported"));
                    }
                }
                // FRAME: a length, needed only by readers of streams.
                0x95 => {
                    self.take(8)?;
                }
                b'.' => return self.pop(),
                b'(' => self.stack.push(Slot::Mark),
                b'0' => {
                    self.stack.pop().ok_or("the stack is empty")?;
                }
                b'N' => self.push(Value::None)?,
                0x88 | 0x89 => self.push(Value::Bool)?,
                b'J' => {
                    let bytes = self.array::<4>()?;
                    self.push(Value::Integer(i64::from(i32::from_le_bytes(bytes))))?;
                }
                b'K' => {
                    let value = self.byte()?;
                    self.push(Value::Integer(i64::from(value)))?;
                }
                b'M' => {
                    let bytes = self.array::<2>()?;
                    self.push(Value::Integer(i64::from(u16::from_le_bytes(bytes))))?;
                }
                0x8a => {
                    let value = self.long()?;
                    self.push(Value::Integer(value))?;
                }
                b'G' => {
                    self.take(8)?;
                    self.push(Value::Number)?;
                }
                b'X' => {
                    let length = self.array::<4>()?;
                    self.text(u32::from_le_bytes(length) as usize)?;
                }
                0x8c => {
                    let length = self.byte()?;
                    self.text(usize::from(length))?;
                }
                b'}' => self.push(Value::Dict(Vec::new()))?,
                b']' => self.push(Value::List(Vec::new()))?,
                b')' => self.push(Value::Tuple(Vec::new()))?,
                b't' => {
                    let items = self.pop_to_mark()?;
                    self.push(Value::Tuple(items))?;
                }
                opcode @ 0x85..=0x87 => {
                    let mut items = Vec::new();
                    for _ in 0..=(opcode - 0x85) {
                        items.push(self.pop()?);
                    }
                    items.reverse();
                    self.push(Value::Tuple(items))?;
                }
                b'a' => {
                    let item = self.pop()?;
                    self.extend_list(&[item])?;
                }
                b'e' => {
                    let items = self.pop_to_mark()?;
                    self.extend_list(&items)?;
                }
                b's' => {
                    let value = self.pop()?;
                    let key = self.pop()?;
                    self.extend_dict(&[key, value])?;
                }
                b'u' => {
                    let items = self.pop_to_mark()?;
                    self.extend_dict(&items)?;
                }
                b'q' => {
                    let key = self.byte()?;
                    self.remember(u32::from(key))?;
                }
                b'r' => {
                    let key = u32::from_le_bytes(self.array()?);
                    self.remember(key)?;
                }
                0x94 => {
                    let key = u32::try_from(self.memo.len()).map_err(|_| "too many values are remembered")?;
                    self.remember(key)?;
                }
                b'h' => {
                    let key = self.byte()?;
                    self.recall(u32::from(key))?;
                }
                b'j' => {
                    let key = u32::from_le_bytes(self.array()?);
                    self.recall(key)?;
                }
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.push(Value::Global(Global::of(module, name)?))?;
                }
                0x93 => {
                    let (name, module) = (self.pop()?, self.pop()?);
                    let (Value::Text(module), Value::Text(name)) = (self.value(module), self.value(name)) else {
                        return Err("a global is not named by texts".to_owned());
                    };
                    let global = Global::of(module, name)?;
                    self.push(Value::Global(global))?;
                }
                b'Q' => {
                    let reference = self.pop()?;
                    let storage = self.storage(reference)?;
                    self.push(storage)?;
                }
                b'R' => {
                    let (arguments, function) = (self.pop()?, self.pop()?);
                    let value = self.call(function, arguments)?;
                    self.push(value)?;
                }
                // BUILD: attributes of the dictionary, such as the versions that `state_dict` attaches. No use here.
                b'b' => {
                    self.pop()?;
                    let target = self.top()?;
                    if !matches!(self.value(target), Value::Dict(_)) {
                        return Err("it sets attributes of something that is no dictionary".to_owned());
                    }
                }
                opcode => {
                    return Err(format!("opcode {opcode:#04x} at byte {} is not one of a state dict", self.at - 1));
                }
            }
        }
    }

    /// The tensors of the resulting dictionary.
    fn state_dict(&self, result: Id) -> Result<Vec<(String, PickledTensor)>, String> {
        let Value::Dict(items) = self.value(result) else {
            return Err("it holds no dictionary of tensors".to_owned());
        };
        if items.len() > MAX_TENSORS {
            return Err(format!("it claims {} tensors", items.len()));
        }
        let mut tensors = Vec::with_capacity(items.len());
        for &(key, value) in items {
            let Value::Text(name) = self.value(key) else {
                return Err("a key of its dictionary is not a text".to_owned());
            };
            let Value::Tensor(tensor) = self.value(value) else {
                return Err(format!("its entry {name} is not a tensor; a flat state dict is expected"));
            };
            tensors.push((name.to_string(), tensor.as_ref().clone()));
        }
        Ok(tensors)
    }

    /// A persistent id: ("storage", type, key, device, elements).
    fn storage(&self, reference: Id) -> Result<Value, String> {
        if let Value::Tuple(items) = self.value(reference)
            && let &[tag, class, key, _device, length] = items.as_slice()
            && let Value::Text(tag) = self.value(tag)
            && let Value::Global(Global::Storage(element)) = self.value(class)
            && let Value::Text(key) = self.value(key)
            && let Some(length) = self.count(length)
            && tag.as_ref() == "storage"
        {
            return Ok(Value::Storage { key: key.clone(), element: *element, length });
        }
        Err("a reference to a storage is malformed".to_owned())
    }

    /// Recognises the calls of a state dict.
    fn call(&self, function: Id, arguments: Id) -> Result<Value, String> {
        let (Value::Global(function), Value::Tuple(arguments)) = (self.value(function), self.value(arguments)) else {
            return Err("it calls something that is no function".to_owned());
        };
        match function {
            Global::OrderedDict => match arguments.first().map(|&items| self.value(items)) {
                None => Ok(Value::Dict(Vec::new())),
                Some(_) => Err("an ordered dictionary is made in an unknown way".to_owned()),
            },
            Global::RebuildTensor => self
                .tensor(arguments)
                .map(|tensor| Value::Tensor(Box::new(tensor)))
                .ok_or_else(|| "a tensor is malformed".to_owned()),
            Global::RebuildParameter => match arguments.first().map(|&data| self.value(data)) {
                Some(Value::Tensor(tensor)) => Ok(Value::Tensor(tensor.clone())),
                _ => Err("a parameter is malformed".to_owned()),
            },
            Global::Storage(_) => Err("it makes a storage by hand".to_owned()),
        }
    }

    /// (storage, offset, shape, strides, ..)
    fn tensor(&self, arguments: &[Id]) -> Option<PickledTensor> {
        let &[storage, offset, shape, strides, ..] = arguments else { return None };
        let Value::Storage { key, element, length } = self.value(storage) else { return None };
        let counts = |tuple: Id| match self.value(tuple) {
            Value::Tuple(items) if items.len() <= MAX_DIMENSIONS => {
                items.iter().map(|&item| self.count(item)).collect::<Option<Vec<usize>>>()
            }
            _ => None,
        };
        let (shape, strides) = (counts(shape)?, counts(strides)?);
        (shape.len() == strides.len()).then_some(())?;
        Some(PickledTensor {
            storage: key.to_string(),
            element: *element,
            storage_length: *length,
            offset: self.count(offset)?,
            shape,
            strides,
        })
    }

    fn count(&self, id: Id) -> Option<usize> {
        match self.value(id) {
            Value::Integer(value) => usize::try_from(*value).ok(),
            _ => None,
        }
    }

    /// Ids come from `push` alone, so they are in the arena.
    fn value(&self, id: Id) -> &Value {
        &self.values[id as usize]
    }

    fn push(&mut self, value: Value) -> Result<(), String> {
        let id = Id::try_from(self.values.len()).ok().filter(|&id| (id as usize) < MAX_VALUES);
        let id = id.ok_or("there are too many values")?;
        self.values.push(value);
        self.stack.push(Slot::Value(id));
        Ok(())
    }

    fn pop(&mut self) -> Result<Id, String> {
        match self.stack.pop() {
            Some(Slot::Value(id)) => Ok(id),
            Some(Slot::Mark) => Err("a value is expected, but a mark is on the stack".to_owned()),
            None => Err("the stack is empty".to_owned()),
        }
    }

    fn top(&self) -> Result<Id, String> {
        match self.stack.last() {
            Some(Slot::Value(id)) => Ok(*id),
            _ => Err("there is no value on the stack".to_owned()),
        }
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.stack.iter().rposition(|slot| matches!(slot, Slot::Mark)).ok_or("a mark is missing")?;
        let items = self.stack.split_off(mark + 1);
        self.stack.pop();
        items
            .into_iter()
            .map(|slot| match slot {
                Slot::Value(id) => Ok(id),
                Slot::Mark => Err("there is a mark among values".to_owned()),
            })
            .collect()
    }

    fn extend_list(&mut self, items: &[Id]) -> Result<(), String> {
        let list = self.top()?;
        match &mut self.values[list as usize] {
            Value::List(list) => list.extend_from_slice(items),
            _ => return Err("it appends to something that is no list".to_owned()),
        }
        Ok(())
    }

    fn extend_dict(&mut self, items: &[Id]) -> Result<(), String> {
        let dict = self.top()?;
        match &mut self.values[dict as usize] {
            Value::Dict(dict) if items.len().is_multiple_of(2) => {
                dict.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1])));
            }
            _ => return Err("it sets items of something that is no dictionary".to_owned()),
        }
        Ok(())
    }

    fn remember(&mut self, key: u32) -> Result<(), String> {
        let value = self.top()?;
        self.memo.insert(key, value);
        Ok(())
    }

    fn recall(&mut self, key: u32) -> Result<(), String> {
        let value = *self.memo.get(&key).ok_or_else(|| format!("value {key} was never remembered"))?;
        self.stack.push(Slot::Value(value));
        Ok(())
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(length).filter(|&end| end <= self.program.len()).ok_or("it ends too early")?;
        let bytes = &self.program[self.at..end];
        self.at = end;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// LONG1: a length byte and a little-endian two's complement number.
    fn long(&mut self) -> Result<i64, String> {
        let length = usize::from(self.byte()?);
        let bytes = self.take(length)?;
        if length > 8 {
            return Err("a whole number is too large".to_owned());
        }
        let negative = bytes.last().is_some_and(|&last| last & 0x80 != 0);
        let mut wide = [if negative { 0xff } else { 0 }; 8];
        wide[..length].copy_from_slice(bytes);
        Ok(i64::from_le_bytes(wide))
    }

    fn text(&mut self, length: usize) -> Result<(), String> {
        if length > MAX_TEXT {
            return Err(format!("a text has {length} bytes"));
        }
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| "a text is not UTF-8")?;
        self.push(Value::Text(text.into()))
    }

    fn line(&mut self) -> Result<&'a str, String> {
        let rest = &self.program[self.at..];
        let length = rest.iter().position(|&byte| byte == b'\n').ok_or("it ends too early")?;
        self.at += length + 1;
        std::str::from_utf8(&rest[..length]).map_err(|_| "a name is not UTF-8".to_owned())
    }
}
