use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::{DType, Device};
use proptest::prelude::*;

use super::*;
use crate::kfold::primitives::Linear;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kfold/checkpoint/fixtures").join(name)
}

/// Opens these bytes as a file.
fn open_bytes(bytes: &[u8]) -> Result<Checkpoint> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    open(file.path())
}

/// What the opening of these bytes complains of.
fn complaint(bytes: &[u8]) -> String {
    open_bytes(bytes).unwrap_err().to_string()
}

/// A zip archive of stored entries.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, contents) in entries {
        let (start, size) = ((file.len() as u32).to_le_bytes(), (contents.len() as u32).to_le_bytes());
        let name_length = (name.len() as u16).to_le_bytes();
        for (part, header) in [(&mut file, LOCAL_HEADER), (&mut directory, CENTRAL_HEADER)] {
            part.extend_from_slice(header);
            // Version, flags, method, time, date and checksum.
            part.extend_from_slice(&[0; 14]);
            part.extend_from_slice(&size);
            part.extend_from_slice(&size);
            part.extend_from_slice(&name_length);
            part.extend_from_slice(&[0; 2]);
        }
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&start);
        file.extend_from_slice(name.as_bytes());
        directory.extend_from_slice(name.as_bytes());
        file.extend_from_slice(contents);
    }
    let (count, size, start) = (entries.len() as u16, directory.len() as u32, file.len() as u32);
    file.extend_from_slice(&directory);
    file.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    file.extend_from_slice(&count.to_le_bytes());
    file.extend_from_slice(&count.to_le_bytes());
    file.extend_from_slice(&size.to_le_bytes());
    file.extend_from_slice(&start.to_le_bytes());
    file.extend_from_slice(&[0; 2]);
    file
}

const LOCAL_HEADER: &[u8] = b"PK\x03\x04";
const CENTRAL_HEADER: &[u8] = b"PK\x01\x02\0\0";

/// A `.pth` with this pickle and one storage "0" of 24 bytes.
fn pth(pickle: &[u8]) -> Vec<u8> {
    archive(&[("model/data.pkl", pickle), ("model/byteorder", b"little"), ("model/data/0", &[0; 24])])
}

/// The pickle of {"x": a tensor of these counts over storage "0"}.
fn pickle_of(length: &[u8], offset: &[u8], shape: &[u8], strides: &[u8]) -> Vec<u8> {
    let mut pickle = b"\x80\x02}X\x01\0\0\0xctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu".to_vec();
    for part in [length, b"tQ", offset, b"(", shape, b"t(", strides, b"t\x89NtRs."] {
        pickle.extend_from_slice(part);
    }
    pickle
}

fn long(value: u64) -> Vec<u8> {
    let mut bytes = vec![0x8a, 8];
    bytes.extend_from_slice(&value.to_le_bytes());
    bytes
}

#[test]
fn pytorch_file_holds_what_safetensors_holds() {
    let (ours, reference) =
        (open(&fixture("state_dict.pth")).unwrap(), open(&fixture("state_dict.safetensors")).unwrap());
    assert_eq!((ours.format(), reference.format()), (Format::Pth, Format::Safetensors));
    let names: Vec<&str> = reference.names().collect();
    assert_eq!(ours.names().collect::<Vec<_>>(), names);
    assert_eq!(names.len(), 22);
    for name in names {
        assert_eq!(ours.describe(name), reference.describe(name), "{name}");
        assert_eq!(ours.bytes(name).unwrap(), reference.bytes(name).unwrap(), "{name}");
    }
}

#[test]
fn values_of_every_element_type_are_right() {
    let checkpoint = open(&fixture("state_dict.pth")).unwrap();
    let values = |name: &str| -> Vec<f64> {
        let tensor = checkpoint.tensor(name, &Device::Cpu).unwrap();
        tensor.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
    };
    for name in ["double", "single", "half", "bfloat"] {
        assert_eq!(values(name), [-2.0, -1.875, -1.75, -1.625, -1.5, -1.375], "{name}");
    }
    for name in ["long", "int", "short"] {
        assert_eq!(values(name), [-5.0, 32.0, 69.0, 106.0], "{name}");
    }
    assert_eq!(values("char"), [-5.0, 32.0, 69.0]);
    assert_eq!(values("byte"), [0.0, 7.0, 255.0]);
    assert_eq!(values("bool"), [1.0, 0.0, 0.0, 1.0, 0.0]);
    assert_eq!(values("scalar"), [-2.0]);
    assert_eq!(values("empty"), [0.0f64; 0]);
    assert_eq!(values("transposed"), [-2.0, -1.625, -1.875, -1.5, -1.75, -1.375]);
    assert_eq!(values("column"), [-1.875, -1.375, -0.875]);
    assert_eq!(values("slice.rest"), [-1.5, -1.375, -1.25, -1.125, -1.0, -0.875, -0.75, -0.625]);
    assert!(checkpoint.tensor("absent", &Device::Cpu).unwrap_err().to_string().contains("absent"));
}

#[test]
fn conversion_keeps_everything_and_leaves_no_scraps() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("model.safetensors");
    let source = open(&fixture("state_dict.pth")).unwrap();
    let mut reports = Vec::new();
    convert(&source, &target, &mut |written, total| {
        reports.push((written, total));
        true
    })
    .unwrap();
    let copy = open(&target).unwrap();
    assert_eq!(copy.format(), Format::Safetensors);
    assert_eq!(copy.names().collect::<Vec<_>>(), source.names().collect::<Vec<_>>());
    for name in source.names() {
        assert_eq!(copy.describe(name), source.describe(name));
        assert_eq!(copy.bytes(name).unwrap(), source.bytes(name).unwrap(), "{name}");
    }
    let last = reports.last().unwrap();
    assert_eq!((last.0, last.1), (source.tensor_bytes(), source.tensor_bytes()));

    let stopped = convert(&source, &folder.path().join("stopped.safetensors"), &mut |_, _| false);
    assert!(matches!(stopped, Err(KFoldError::Cancelled)));
    let missing = convert(&source, &folder.path().join("no/such/folder.safetensors"), &mut |_, _| true);
    assert!(missing.unwrap_err().to_string().contains("no/such"));
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["model.safetensors"]);
}

#[test]
fn report_names_missing_extra_and_misshapen() {
    let checkpoint = open(&fixture("state_dict.pth")).unwrap();
    let mut tensors: Vec<ExpectedTensor> = checkpoint
        .names()
        .filter(|name| !name.starts_with("norm.") && *name != "half")
        .map(|name| ExpectedTensor { name: name.to_owned(), shape: checkpoint.describe(name).unwrap().1.to_vec() })
        .collect();
    tensors.push(ExpectedTensor { name: "layers.0.weight".to_owned(), shape: vec![3, 3] });
    tensors.iter_mut().find(|tensor| tensor.name == "single").unwrap().shape = vec![3, 2];
    let report = verify(&checkpoint, &Expected { tensors, ignored: vec!["norm.".to_owned()] });
    assert!(!report.fits());
    assert_eq!(report.matched, 15);
    assert_eq!(report.extra, ["half"]);
    assert_eq!(report.ignored.len(), 5);
    let text = report.to_string();
    for named in ["1 missing", "layers.0.weight [3, 3]", "1 extra", "half", "single [2, 3] instead of [3, 2]"] {
        assert!(text.contains(named), "{named} is not in: {text}");
    }
}

#[test]
fn a_module_loads_from_the_file_and_its_names_are_noted() {
    let checkpoint = Arc::new(open(&fixture("state_dict.safetensors")).unwrap());
    let (vb, usage) = checkpoint.var_builder_with_usage(DType::F32, &Device::Cpu);
    assert_eq!(vb.pp("norm").get(2, "weight").unwrap().to_vec1::<f32>().unwrap(), [1.0, 1.0]);
    assert_eq!(vb.get((2, 3), "bfloat").unwrap().dtype(), DType::F32);
    let unused = usage.unused(&checkpoint);
    assert!(!unused.contains(&"norm.weight".to_owned()) && unused.contains(&"norm.bias".to_owned()));
    assert_eq!(unused.len(), 20);
    let error = vb.get((3, 2), "single").unwrap_err().to_string();
    assert!(error.contains("single") && error.contains("[2, 3]"), "{error}");

    let expected = Expected::of(|vb| Linear::load(vb.pp("layer"), 5, 7, true)).unwrap();
    let names: Vec<_> = expected.tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.shape.as_slice())).collect();
    assert_eq!(names, [("layer.bias", [7].as_slice()), ("layer.weight", [7, 5].as_slice())]);
}

#[test]
fn code_is_refused_by_name() {
    let system = b"\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R.";
    let text = complaint(&pth(system));
    assert!(text.contains("os.system"), "{text}");
    let builtin = b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.";
    let text = complaint(&pth(builtin));
    assert!(text.contains("builtins.eval"), "{text}");
    // Calling a storage type, instances of classes and reduction by extension codes are no part of a state dict either.
    assert!(complaint(&pth(b"\x80\x02ctorch\nFloatStorage\n)R.")).contains("storage by hand"));
    assert!(complaint(&pth(b"\x80\x02ccollections\nOrderedDict\n)\x81.")).contains("0x81"));
}

#[test]
fn tensors_must_lie_within_their_storage() {
    let (six, zero) = (b"K\x06".as_slice(), b"K\x00".as_slice());
    let good = open_bytes(&pth(&pickle_of(six, zero, b"K\x02K\x03", b"K\x03K\x01"))).unwrap();
    assert_eq!(good.describe("x"), Some((ElementType::F32, [2, 3].as_slice())));
    let huge = long(1 << 62);
    for (what, length, offset, shape, strides) in [
        ("longer than the storage", six, zero, b"K\x07".to_vec(), b"K\x01".to_vec()),
        ("begins behind the storage", six, b"K\x06".as_slice(), b"K\x01".to_vec(), b"K\x01".to_vec()),
        ("a storage that claims more than it has", b"K\x07", zero, b"K\x07".to_vec(), b"K\x01".to_vec()),
        ("a huge dimension", six, zero, huge.clone(), b"K\x00".to_vec()),
        (
            "dimensions whose product overflows",
            six,
            zero,
            [huge.clone(), huge.clone()].concat(),
            b"K\x00K\x00".to_vec(),
        ),
        ("a huge stride", six, zero, b"K\x02".to_vec(), huge.clone()),
        ("an expanded tensor", six, zero, b"M\xff\xff".to_vec(), b"K\x00".to_vec()),
        ("strides for other dimensions", six, zero, b"K\x02".to_vec(), b"K\x01K\x01".to_vec()),
        ("a negative size", six, zero, b"J\xff\xff\xff\xff".to_vec(), b"K\x01".to_vec()),
    ] {
        let bytes = pth(&pickle_of(length, offset, &shape, &strides));
        assert!(open_bytes(&bytes).is_err(), "{what} is accepted");
    }
    let text = complaint(&pth(&pickle_of(six, zero, b"K\x07", b"K\x01")));
    assert!(text.contains("the tensor x of shape [7]"), "{text}");
}

#[test]
fn malformed_pickles_end_in_an_error() {
    // A list that holds itself, remembered and recalled, in place of a tensor.
    assert!(complaint(&pth(b"\x80\x02}X\x01\0\0\0x]q\x00h\x00as.")).contains("not a tensor"));
    // A dictionary that holds itself.
    assert!(complaint(&pth(b"\x80\x02}q\x00X\x01\0\0\0xh\x00s.")).contains("not a tensor"));
    for program in [
        b"".as_slice(),
        b".",
        b"\x80\x02",
        b"\x80\x02}",
        b"\x80\x02K\x01.",
        b"\x80\x02h\x05.",
        b"\x80\x02u.",
        b"\x80\x02(((t.",
        b"\x80\x02]K\x01u.",
        b"\x80\x02X\xff\xff\xff\xffx.",
        b"\x80\x02\x8a\xff.",
        b"\x80\x02ctorch",
        b"\x80\x09}.",
        b"\x80\x02}(K\x01u.",
        b"\x80\x02K\x01K\x02\x86Q.",
        b"\x80\x02K\x01)R.",
        b"\x80\x02K\x01}b.",
    ] {
        assert!(open_bytes(&pth(program)).is_err(), "{program:?} is accepted");
    }
    // Very many values, and a table of contents beyond all measure.
    assert!(complaint(&pth(&[b"\x80\x02".as_slice(), &vec![b'N'; 3 << 20]].concat())).contains("too many values"));
    assert!(complaint(&pth(&vec![b'N'; pickle::MAX_LENGTH + 1])).contains("more than any model needs"));
}

#[test]
fn archives_of_something_else_are_refused() {
    assert!(complaint(&archive(&[("word/document.xml", b"<w/>")])).contains("data.pkl"));
    assert!(complaint(&archive(&[("a/data.pkl", b"."), ("b/data.pkl", b".")])).contains("data.pkl"));
    assert!(complaint(&archive(&[("m/data.pkl", b"."), ("m/data.pkl", b".")])).contains("twice"));
    assert!(complaint(&archive(&[("m/data.pkl", b"\x80\x02}."), ("m/byteorder", b"big")])).contains("big-endian"));
    let orphan = pickle_of(b"K\x06", b"K\x00", b"K\x06", b"K\x01");
    assert!(complaint(&archive(&[("m/data.pkl", &orphan)])).contains("data/0"));
    let mut compressed = pth(b"\x80\x02}.");
    let directory = compressed.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    compressed[directory + 10] = 8;
    assert!(complaint(&compressed).contains("compressed"));
    assert!(complaint(b"\x80\x02\x8a\x0a").contains("old format"));
    assert!(complaint(b"").contains("neither"));
    let header = b"{\"x\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}";
    let mut short = (header.len() as u64).to_le_bytes().to_vec();
    short.extend_from_slice(header);
    short.extend_from_slice(&[0; 8]);
    assert!(complaint(&short).contains("neither"));
}

#[test]
fn every_cut_of_a_file_is_refused() {
    let whole = std::fs::read(fixture("state_dict.pth")).unwrap();
    for length in 0..whole.len() {
        assert!(read_pth(&whole[..length]).is_err(), "the first {length} bytes of the PyTorch file are accepted");
    }
    let whole = std::fs::read(fixture("state_dict.safetensors")).unwrap();
    for length in 0..whole.len() {
        assert!(read_safetensors(&whole[..length]).is_err(), "the first {length} bytes of safetensors are accepted");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Damage gives an error or other numbers; never a panic, a read out of bounds or a flood of memory.
    #[test]
    fn damage_is_harmless(places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = std::fs::read(fixture("state_dict.pth")).unwrap();
        for (place, value) in places {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Ok(checkpoint) = open_bytes(&bytes) {
            for name in checkpoint.names() {
                let _ = checkpoint.bytes(name).unwrap();
                let _ = checkpoint.tensor(name, &Device::Cpu);
            }
        }
    }

    /// The same for the table of contents alone, whose damage mostly hides behind the zip directory's.
    #[test]
    fn damaged_contents_are_harmless(places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut pickle = pickle_of(b"K\x06", b"K\x00", b"K\x02K\x03", b"K\x03K\x01");
        for (place, value) in places {
            let place = place.index(pickle.len());
            pickle[place] = value;
        }
        if let Ok(checkpoint) = open_bytes(&pth(&pickle)) {
            for name in checkpoint.names() {
                let _ = checkpoint.bytes(name).unwrap();
            }
        }
    }
}

#[test]
fn damage_within_a_tensor_is_found() {
    let mut bytes = std::fs::read(fixture("state_dict.pth")).unwrap();
    assert!(open_bytes(&bytes).unwrap().check_content(&mut |_, _| true).unwrap());
    let checkpoint = open(&fixture("state_dict.pth")).unwrap();
    let place = checkpoint.tensors.values().find(|entry| entry.bytes.len() > 8).unwrap().bytes.start + 5;
    bytes[place] ^= 1;
    let damaged = open_bytes(&bytes).unwrap();
    let error = damaged.check_content(&mut |_, _| true).unwrap_err().to_string();
    assert!(error.contains("/data/") && error.contains("damaged"), "{error}");
    // Safetensors have no checksums of their own.
    assert!(!open(&fixture("state_dict.safetensors")).unwrap().check_content(&mut |_, _| true).unwrap());
}
