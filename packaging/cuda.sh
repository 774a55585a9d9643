#!/usr/bin/env bash
# Builds with CUDA, on any machine, with or without a GPU: the toolkit comes from PyPI wheels, no root and no installer.
#   packaging/cuda.sh    the networks as a library with CUDA, below target/cuda/build
# So far it only builds: no program uses the library yet and nothing of it has run on a card.
#
# Candle as published links libcuda, libcublas and libcudart when the program is linked, so the program would not start on a
# machine without them. Two of its manifests are therefore patched in copies below target/cuda/ (never committed):
#   candle-core      cudarc loads the libraries at run time ("dynamic-loading") for CUDA 13.0
#   candle-kernels   the static library of quantised mixture-of-experts kernels, which no network here uses, is left out
# They are used through a copy of the workspace's manifest, so Cargo.toml and Cargo.lock stay as they are.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/packaging/setup.sh"
require_rust
command -v g++ >/dev/null 2>&1 || install_packages g++
python3 -c 'import venv, ensurepip' 2>/dev/null || install_packages python3-venv
work="$root/target/cuda"
shadow="$work/workspace"
mkdir -p "$work"

# PTX from 13.0 runs on driver 580 and newer; 13.5's would not. 80: runs on Ampere and, compiled by the driver, on anything newer.
CUDA_VERSION=13.0
export CUDA_COMPUTE_CAP="${CUDA_COMPUTE_CAP:-80}"

install_toolkit() {
  export CUDA_HOME="$work/toolkit/nvidia/cu13"
  if [ ! -x "$CUDA_HOME/bin/nvcc" ]; then
    echo "Fetching the CUDA $CUDA_VERSION compiler (about 600 MB)." >&2
    python3 -m venv "$work/python"
    "$work/python/bin/pip" install --quiet --target "$work/toolkit" "nvidia-cuda-nvcc==$CUDA_VERSION.*" "nvidia-cuda-crt==$CUDA_VERSION.*" \
      "nvidia-nvvm==$CUDA_VERSION.*" "nvidia-cuda-runtime==$CUDA_VERSION.*" "nvidia-cuda-cccl==$CUDA_VERSION.*" \
      "nvidia-cuda-nvrtc==$CUDA_VERSION.*" 'nvidia-curand==10.4.0.*'
  fi
  export NVCC="$CUDA_HOME/bin/nvcc" PATH="$CUDA_HOME/bin:$PATH"
}

# The published sources of one dependency, as the lock file names it, copied to where they may be changed.
copy_sources() {
  local name=$1 from
  from=$(cargo metadata --manifest-path "$root/Cargo.toml" --locked --format-version 1 --all-features --filter-platform "$(rustc -vV | sed -n "s|^host: ||p")" |
    python3 -c 'import json,sys; print(next(p["manifest_path"] for p in json.load(sys.stdin)["packages"] if p["name"]==sys.argv[1]))' "$name")
  rm -rf "${work:?}/$name"
  cp -r "$(dirname "$from")" "$work/$name"
}

patch_candle() {
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
body = text[text.index('extern "C" {') + len('extern "C" {'):text.rindex("}")]
head = text[:text.index('extern "C" {')].replace("#[allow(dead_code)]", "").replace("#[allow(improper_ctypes)]", "")
body = re.sub(r"(pub fn \w+\s*\([^;]*?\)(?:\s*->\s*[\w*: ]+)?);", r'pub unsafe \1 { unimplemented!("left out of this build") }'.replace("pub unsafe pub fn", "pub unsafe fn"), body)
body = body.replace("pub unsafe pub fn", "pub unsafe fn")
foreign.write_text("#![allow(unused_variables, clippy::all)]\n" + head + body)
PYTHON
}

# The same workspace with the two patches, by links to the rooms.
make_shadow() {
  rm -rf "$shadow"
  mkdir -p "$shadow"
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

install_toolkit
patch_candle
make_shadow
CARGO_TARGET_DIR="$work/build" cargo build --release --manifest-path "$shadow/Cargo.toml" -p kfold-inference --features cuda --lib
