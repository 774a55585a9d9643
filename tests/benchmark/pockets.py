#!/usr/bin/env python3
"""How often a known ligand's site is among the pockets that this program finds.

    python3 tests/benchmark/pockets.py COMPLEXES

COMPLEXES is a folder of folders, each with `protein.pdb` and `ligand.sdf` (the crystal pose). A site is found when the
centre of a pocket lies within 4 Å of an atom of the ligand: the criterion of Le Guilloux et al., BMC Bioinformatics 2009,
10, 168. Prints a line for each complex and the shares at the end.
"""

import argparse
import json
import math
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def heavy_atoms(sdf):
    """Positions of the atoms that are not hydrogen, from a V2000 file."""
    lines = sdf.read_text().splitlines()
    count = int(lines[3][:3])
    atoms = [line.split() for line in lines[4 : 4 + count]]
    return [tuple(map(float, atom[:3])) for atom in atoms if atom[3] != "H"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("complexes", type=Path)
    parser.add_argument("--studio", default=str(REPOSITORY / "target" / "release" / "kfold-studio"))
    arguments = parser.parse_args()
    ranks = []
    for folder in sorted(folder for folder in arguments.complexes.iterdir() if (folder / "ligand.sdf").exists()):
        command = [arguments.studio, "pockets", str(folder / "protein.pdb"), "--json", "--count", "1000"]
        pockets = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        atoms = heavy_atoms(folder / "ligand.sdf")
        hits = (p["rank"] for p in pockets if min(math.dist(p["center"], atom) for atom in atoms) <= 4.0)
        ranks.append(next(hits, None))
        print(f"{folder.name}: {ranks[-1] or 'not found'} of {len(pockets)}", flush=True)
    for limit in (1, 3):
        found = sum(rank is not None and rank <= limit for rank in ranks)
        print(f"first {limit}: {found}/{len(ranks)} ({100 * found / len(ranks):.0f} %)")


if __name__ == "__main__":
    main()
