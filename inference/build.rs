//! Tells the CUDA worker where packaging/cuda.sh puts CUDA's libraries.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux");
    if linux && std::env::var_os("CARGO_FEATURE_CUDA").is_some() {
        println!("cargo::rustc-link-arg-bin=kfold-worker-cuda=-Wl,-rpath,$ORIGIN/../cuda/toolkit/nvidia/cu13/lib");
    }
}
