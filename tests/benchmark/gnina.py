#!/usr/bin/env python3
"""Times our networks beside the same networks in PyTorch, taking turns in one run.

    cargo build --release --workspace --example gnina_benchmark
    python3 tests/benchmark/gnina.py RECEPTOR.pdb POSES.sdf [--threads 2] [--rounds 5]

Ours makes the densities of every pose and runs all ten members; PyTorch runs one member (gninatorch 0.0.2) on densities that are
there already, in batches of eight. Printed: milliseconds for a pose and a member on the clock and of all cores, medians of the
rounds. Needs torch, gninatorch and molgrid (with numpy below 2) in the Python that runs it.
"""

import argparse
import json
import resource
import statistics
import subprocess
import time
from pathlib import Path

import torch
from gninatorch.gnina import load_gnina_model

REPOSITORY = Path(__file__).resolve().parents[2]
MEMBERS = 10
BATCH = 8
REPEATS = 5


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("receptor")
    parser.add_argument("poses")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--program", default=str(REPOSITORY / "target" / "release" / "examples" / "gnina_benchmark"))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    network = load_gnina_model("crossdock_default2018").eval()
    grids = torch.rand(BATCH, 28, 48, 48, 48)
    ours, theirs = [], []
    with torch.no_grad():
        network(grids)
        for _ in range(arguments.rounds):
            start, cpu = time.monotonic(), time.process_time()
            network(grids)
            theirs.append(((time.monotonic() - start) / BATCH, (time.process_time() - cpu) / BATCH))
            command = [arguments.program, arguments.receptor, arguments.poses, str(arguments.threads), str(REPEATS)]
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            cpu = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
            wall = statistics.median(said["s_per_pose"]) / MEMBERS
            ours.append((wall, cpu / (REPEATS * len(said["scores"]) * MEMBERS)))
    for title, column in (("clock", 0), ("all cores", 1)):
        mine, other = (statistics.median(pair[column] for pair in found) * 1e3 for found in (ours, theirs))
        print(f"{title}: ours {mine:.1f} ms, PyTorch {torch.__version__} {other:.1f} ms, ratio {mine / other:.2f}")


if __name__ == "__main__":
    main()
