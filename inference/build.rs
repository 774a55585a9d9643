//! With CUDA: compiles the kernels of `src/kfold/primitives/cuda`, and tells the worker where packaging/cuda.sh puts CUDA's libraries.

use std::path::Path;
use std::process::Command;

/// The kernels, each a file.
const KERNELS: [&str; 2] = ["attention", "pair"];

fn main() -> Result<(), String> {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_CUDA").is_none() {
        return Ok(());
    }
    compile_kernels()?;
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo::rustc-link-arg-bin=kfold-worker-cuda=-Wl,-rpath,$ORIGIN/../cuda/toolkit/nvidia/cu13/lib");
    }
    Ok(())
}

/// To PTX, which the driver compiles for its card: `$CUDA_COMPUTE_CAP` (80 without it) is the oldest that it runs on.
fn compile_kernels() -> Result<(), String> {
    println!("cargo::rerun-if-env-changed=NVCC");
    println!("cargo::rerun-if-env-changed=CUDA_COMPUTE_CAP");
    let sources = Path::new("src/kfold/primitives/cuda");
    println!("cargo::rerun-if-changed={}", sources.display());
    let compiler = std::env::var("NVCC").unwrap_or_else(|_| "nvcc".to_owned());
    let oldest = std::env::var("CUDA_COMPUTE_CAP").unwrap_or_else(|_| "80".to_owned());
    println!("cargo::rustc-env=KFOLD_OLDEST_CARD={oldest}");
    let folder = std::env::var("OUT_DIR").map_err(|error| format!("OUT_DIR: {error}"))?;
    for kernel in KERNELS {
        let output = Command::new(&compiler)
            .args(["--ptx", "-O3", "-std=c++17", &format!("-arch=compute_{oldest}"), "-o"])
            .arg(Path::new(&folder).join(kernel).with_extension("ptx"))
            .arg(sources.join(kernel).with_extension("cu"))
            .output()
            .map_err(|error| format!("{compiler} does not start ({error}); packaging/cuda.sh fetches it"))?;
        if !output.status.success() {
            return Err(format!("{compiler}, {kernel}.cu: {}", String::from_utf8_lossy(&output.stderr)));
        }
    }
    Ok(())
}
