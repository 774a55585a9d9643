//! A card in the tests: the kernels' own sources, compiled by g++ with `emulation.h` in place of the card's instructions.
//!
//! A process runs one call: threads are fibers that go from barrier to barrier, warps exchange what their instructions exchange. Every call
//! runs twice, forwards and backwards through threads and blocks, and both results must be equal to the bit, which they are not where a
//! barrier is missing. Writing outside a buffer, changing an input, leaving a thread at a barrier and leaving a number unwritten fail.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use candle_core::{CpuStorage, Layout, Storage, bail};
use half::bf16;

use super::attention::AttentionShape;
use super::call::{Argument, Call};

/// The program that emulates, built once.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let beside = std::env::current_exe().unwrap();
        let path = beside.with_file_name("kfold-emulated-card");
        // Built under a name of its own, so that another run of the tests finds the whole program or none.
        let built = beside.with_file_name(format!("kfold-emulated-card-{}", std::process::id()));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kfold/primitives/cuda/emulation.cpp");
        let compiler = std::env::var("CXX").unwrap_or_else(|_| "g++".to_owned());
        let output = Command::new(&compiler)
            .args(["-std=c++17", "-O2", "-fno-strict-aliasing", "-ffp-contract=off", "-o"])
            .args([&built, &source])
            .output()
            .unwrap_or_else(|error| {
                panic!("{compiler} compiles the kernels for the processor ({error}): apt-get install g++")
            });
        assert!(output.status.success(), "{compiler}: {}", String::from_utf8_lossy(&output.stderr));
        std::fs::rename(&built, &path).unwrap();
        path
    })
}

impl AttentionShape {
    fn bytes(&self) -> Vec<u8> {
        let distances = [
            self.q_offset,
            self.q_outer,
            self.q_inner,
            self.q_row,
            self.gate_offset,
            self.k_offset,
            self.v_offset,
            self.k_outer,
            self.k_inner,
            self.k_row,
            self.bias_outer,
            self.bias_inner,
            self.bias_head,
            self.bias_row,
            self.mask_outer,
            self.mask_inner,
            self.mask_key,
            self.out_outer,
            self.out_inner,
            self.out_row,
        ];
        let counts =
            [self.key_step, self.key_before, self.key_limit, self.inner_count, self.queries, self.keys, self.width];
        let mut bytes: Vec<u8> = distances.iter().flat_map(|value| value.to_le_bytes()).collect();
        bytes.extend(counts.iter().flat_map(|value| value.to_le_bytes()));
        bytes.extend(self.scale.to_le_bytes());
        assert_eq!(bytes.len(), size_of::<Self>());
        bytes
    }
}

fn bytes_of(storage: &CpuStorage, layout: &Layout) -> candle_core::Result<Vec<u8>> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("a kernel needs row-major tensors, not {layout:?}")
    };
    Ok(match storage {
        CpuStorage::F32(values) => values[start..end].iter().flat_map(|value| value.to_le_bytes()).collect(),
        CpuStorage::BF16(values) => values[start..end].iter().flat_map(|value| value.to_le_bytes()).collect(),
        CpuStorage::U8(values) => values[start..end].to_vec(),
        _ => bail!("a kernel does not take such numbers"),
    })
}

fn write_back(bytes: &[u8], storage: &mut CpuStorage, layout: &Layout) {
    let (start, end) = layout.contiguous_offsets().unwrap();
    match storage {
        CpuStorage::F32(values) => {
            for (value, bytes) in values[start..end].iter_mut().zip(bytes.as_chunks().0) {
                *value = f32::from_le_bytes(*bytes);
            }
        }
        CpuStorage::BF16(values) => {
            for (value, bytes) in values[start..end].iter_mut().zip(bytes.as_chunks().0) {
                *value = bf16::from_le_bytes(*bytes);
            }
        }
        _ => panic!("no kernel writes such numbers"),
    }
}

/// Runs a call on the processor.
pub(super) fn run(call: &Call<'_>, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
    const BUFFER: u32 = 0;
    const VALUE: u32 = 1;
    let mut arguments = Vec::new();
    for argument in call.arguments {
        arguments.push(match argument {
            Argument::Result => (BUFFER, bytes_of(storage, layout)?),
            Argument::Tensor(tensor) => {
                let (source, layout) = tensor.storage_and_layout();
                let Storage::Cpu(source) = &*source else { bail!("the emulated card has no card") };
                (BUFFER, bytes_of(source, layout)?)
            }
            Argument::Int(value) => (VALUE, value.to_le_bytes().to_vec()),
            Argument::Long(value) => (VALUE, value.to_le_bytes().to_vec()),
            Argument::Float(value) => (VALUE, value.to_le_bytes().to_vec()),
            Argument::Shape(shape) => (VALUE, shape.bytes()),
        });
    }
    let forwards = one_order(call, &arguments, false);
    assert!(
        forwards == one_order(call, &arguments, true),
        "{} lacks a barrier: the order of threads shows",
        call.kernel
    );
    let mut rest = forwards.as_slice();
    for (argument, (kind, before)) in call.arguments.iter().zip(&arguments) {
        if *kind == BUFFER {
            let (after, others) = rest.split_at(before.len());
            rest = others;
            match argument {
                Argument::Result => write_back(after, storage, layout),
                _ => assert!(after == before, "{} changed what it may only read", call.kernel),
            }
        }
    }
    Ok(())
}

/// All buffers after the call.
fn one_order(call: &Call<'_>, arguments: &[(u32, Vec<u8>)], reversed: bool) -> Vec<u8> {
    let mut input = Vec::new();
    let mut word = |value: usize| input.extend((value as u32).to_le_bytes());
    word(call.kernel.len());
    input.extend(call.kernel.as_bytes());
    for value in call.grid.into_iter().chain(call.block).chain([u32::from(reversed), arguments.len() as u32]) {
        input.extend(value.to_le_bytes());
    }
    for (kind, bytes) in arguments {
        input.extend(kind.to_le_bytes());
        input.extend((bytes.len() as u64).to_le_bytes());
        input.extend(bytes);
    }
    let mut process =
        Command::new(program()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    // It reads everything before it writes anything.
    let written = stdin.write_all(&input);
    drop(stdin);
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{}: {}", call.kernel, String::from_utf8_lossy(&output.stderr));
    written.unwrap();
    output.stdout
}
