#!/usr/bin/env bash
# Builds what runs K-Fold on an NVIDIA card, on any machine, with or without a card: the toolkit comes from PyPI wheels, no root
# and no installer.
#   packaging/cuda.sh            target/release/kfold-worker-cuda, which `kfold-studio worker` becomes where there is a driver
#   packaging/cuda.sh check      everything that needs a card (the first one; KFOLD_CARD=cuda:1 for another): every network's golden in f32
#                                without TF32 and, where autocast rounds, in bf16; then the timings
#   packaging/cuda.sh benchmark  the timings alone: trunk, sampler and language model at 256, 512 and 1024 tokens beside the reference
#
# Candle as published links libcuda, libcublas and libcudart when the program is linked, so the program would not start on a
# machine without them. Two of its packages are therefore patched in copies below target/cuda/ (never committed):
#   candle-core      cudarc loads the libraries at run time ("dynamic-loading") for CUDA 13.0
#   candle-kernels   the static library of quantised and mixture-of-experts kernels, which no network here uses, is left out
# They are used through a copy of the workspace's manifest, so Cargo.toml and Cargo.lock stay as they are; everything that CUDA
# does not touch is shared with the ordinary build.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/packaging/setup.sh"
action="${1:-build}"
case "$action" in
build) ;;
check | benchmark)
  has_nvidia_driver || {
    echo "There is no NVIDIA driver on this machine: '$action' needs a card. Without a word after it this script builds the worker, which needs none." >&2
    exit 1
  }
  ;;
*)
  sed -n '2,8s/^# //p' "${BASH_SOURCE[0]}" >&2
  exit 2
  ;;
esac
require_rust
command -v g++ >/dev/null 2>&1 || install_packages g++
python3 -c 'import venv, ensurepip' 2>/dev/null || install_packages python3-venv
work="$root/target/cuda"
shadow="$work/workspace"
mkdir -p "$work"

# PTX from 13.0 runs on driver 580 and newer; 13.5's would not. 80: runs on Ampere and, compiled by the driver, on anything newer.
CUDA_VERSION=13.0
export CUDA_COMPUTE_CAP="${CUDA_COMPUTE_CAP:-80}"

install_wheels() {
  [ -x "$work/python/bin/pip" ] || python3 -m venv "$work/python"
  "$work/python/bin/pip" install --quiet --target "$work/toolkit" "$@"
}

# What compiles; what runs (cuBLAS and cuRAND, 700 MB) only where there is a driver to run on.
install_toolkit() {
  export CUDA_HOME="$work/toolkit/nvidia/cu13"
  if [ ! -x "$CUDA_HOME/bin/nvcc" ]; then
    echo "Fetching the CUDA $CUDA_VERSION compiler (about 600 MB)." >&2
    install_wheels "nvidia-cuda-nvcc==$CUDA_VERSION.*" "nvidia-cuda-crt==$CUDA_VERSION.*" "nvidia-nvvm==$CUDA_VERSION.*" \
      "nvidia-cuda-runtime==$CUDA_VERSION.*" "nvidia-cuda-cccl==$CUDA_VERSION.*" "nvidia-cuda-nvrtc==$CUDA_VERSION.*" 'nvidia-curand==10.4.0.*'
  fi
  if has_nvidia_driver && [ ! -e "$CUDA_HOME/lib/libcublas.so.13" ]; then
    echo "Fetching the CUDA $CUDA_VERSION libraries (about 700 MB)." >&2
    install_wheels --upgrade "nvidia-cublas==$CUDA_VERSION.*"
  fi
  export NVCC="$CUDA_HOME/bin/nvcc" PATH="$CUDA_HOME/bin:$PATH"
}

# The published sources of one dependency, as the lock file names it, copied to where they may be changed.
copy_sources() {
  local name=$1 from
  from=$(cargo metadata --manifest-path "$root/Cargo.toml" --locked --format-version 1 --all-features --filter-platform "$(rustc -vV | sed -n "s|^host: ||p")" |
    python3 -c 'import json,sys; print(next(p["manifest_path"] for p in json.load(sys.stdin)["packages"] if p["name"]==sys.argv[1]))' "$name")
  rm -rf "${work:?}/$name"
  # With their times: cargo then sees that nothing has changed since the last build.
  cp -a "$(dirname "$from")" "$work/$name"
}

patch_candle() {
  local mark="$work/patched" now
  now=$(cat "$root/Cargo.lock" "${BASH_SOURCE[0]}" | sha256sum)
  [ "$(cat "$mark" 2>/dev/null)" != "$now" ] || return 0
  copy_sources candle-core
  copy_sources candle-kernels
  python3 - "$work" <<'PYTHON'
import re, sys
from pathlib import Path
work = Path(sys.argv[1])

def change(path, old, new):
    text = path.read_text()
    if old not in text:
        sys.exit(f"{path}: '{old}' is not there; candle has changed, and packaging/cuda.sh must follow")
    path.write_text(text.replace(old, new))

manifest = work / "candle-core/Cargo.toml"
change(manifest, '"cuda-version-from-build-system"', '"cuda-13000"')
change(manifest, '"dynamic-linking"', '"dynamic-loading"')

build = work / "candle-kernels/build.rs"
text = build.read_text()
start, end = text.index("    let mut moe_sources"), text.rindex("    Ok(())")
build.write_text(text[:start] + text[end:])
foreign = work / "candle-kernels/src/ffi.rs"
text = foreign.read_text()
head, body = text[:text.index('extern "C" {')], text[text.index('extern "C" {') + len('extern "C" {'):text.rindex("}")]
head = head.replace("#[allow(dead_code)]", "").replace("#[allow(improper_ctypes)]", "")
body = re.sub(r"pub fn (\w+\s*\([^;]*?\)(?:\s*->\s*[\w*: ]+)?);",
              r'pub unsafe extern "C" fn \1 { unimplemented!("left out of this build") }', body)
foreign.write_text("#![allow(unused_variables, non_snake_case)]\n" + head + body)
PYTHON
  echo "$now" >"$mark"
}

# The same workspace with the two patches, by links to the rooms.
make_shadow() {
  rm -rf "$shadow"
  mkdir -p "$shadow"
  local entry
  for entry in "$root"/*; do
    case "$(basename "$entry")" in target | Cargo.toml | Cargo.lock | kfold-results) ;; *) ln -s "$entry" "$shadow/" ;; esac
  done
  cp "$root/Cargo.toml" "$root/Cargo.lock" "$shadow/"
  cat >>"$shadow/Cargo.toml" <<TOML

[patch.crates-io]
candle-core = { path = "$work/candle-core" }
candle-kernels = { path = "$work/candle-kernels" }
TOML
}

cuda_cargo() {
  local command=$1
  shift
  CARGO_TARGET_DIR="$root/target" cargo "$command" --release --manifest-path "$shadow/Cargo.toml" --workspace \
    --features kfold-inference/cuda "$@"
}

install_toolkit
patch_candle
make_shadow
card="${KFOLD_CARD:-cuda:0}"

goldens() {
  GOLDENS_DEVICE="$card" LD_LIBRARY_PATH="$CUDA_HOME/lib:${LD_LIBRARY_PATH:-}" cuda_cargo test --test goldens -- --nocapture
}

benchmark() {
  cuda_cargo build --example networks_benchmark
  LD_LIBRARY_PATH="$CUDA_HOME/lib:${LD_LIBRARY_PATH:-}" python3 "$root/tests/benchmark/kfold/networks.py" --device "$card" \
    --repeats 20 --output "$work/benchmark.md"
  echo "The table is also in ${work#"$root/"}/benchmark.md." >&2
}

case "$action" in
build)
  cuda_cargo build --bin kfold-worker-cuda
  ;;
check)
  goldens
  benchmark
  ;;
benchmark)
  benchmark
  ;;
esac
