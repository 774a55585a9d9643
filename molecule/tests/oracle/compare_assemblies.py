"""Compares biological assemblies made by `kfold-studio convert --assembly` with gemmi's.

Needs `pip install gemmi numpy scipy`. Usage: compare_assemblies.py PROGRAM FILE...
Prints every difference in the number of atoms, the coordinates (0.005 A) and the number of chains, and the totals.
"""

import os
import subprocess
import sys
import tempfile

import gemmi
import numpy as np
from scipy.spatial import cKDTree

# Larger assemblies take gemmi and SciPy too long.
MOST_ATOMS = 400_000


def atoms(model):
    places = [[a.pos.x, a.pos.y, a.pos.z] for chain in model for residue in chain for a in residue]
    return np.array(places).reshape(-1, 3)


def compare(program, path, folder):
    """Yields (name, difference or None) for each assembly of a file."""
    entry = gemmi.read_structure(path)
    for assembly in entry.assemblies:
        expected = entry.clone()
        while len(expected) > 1:
            del expected[1]
        if len(atoms(expected[0])) * sum(len(part.operators) for part in assembly.generators) > MOST_ATOMS:
            continue
        expected.transform_to_assembly(assembly.name, gemmi.HowToNameCopiedChain.AddNumber)
        wanted = atoms(expected[0])
        output = os.path.join(folder, "made.cif")
        if os.path.exists(output):
            os.remove(output)
        command = [program, "convert", path, "-o", output, "--assembly", assembly.name, "--model", str(entry[0].num)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            yield assembly.name, None if len(wanted) == 0 else f"refused: {done.stderr.strip()[:200]}"
            continue
        made = gemmi.read_structure(output)[0]
        found, chains = atoms(made), [chain.name for chain in made]
        if len(found) != len(wanted):
            yield assembly.name, f"{len(found)} atoms instead of {len(wanted)}"
        elif max(cKDTree(a).query(b)[0].max() for a, b in ((found, wanted), (wanted, found))) > 0.005:
            yield assembly.name, "other coordinates"
        elif len(chains) != len(set(chains)):
            yield assembly.name, f"chain names repeat: {chains}"
        elif len(chains) != len({chain.name for chain in expected[0]}):
            yield assembly.name, f"{len(chains)} chains instead of {len({chain.name for chain in expected[0]})}"
        else:
            yield assembly.name, None


def main():
    program, *paths = sys.argv[1:]
    equal = different = unread = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            try:
                for name, difference in compare(program, path, folder):
                    equal += difference is None
                    different += difference is not None
                    if difference:
                        print(f"{path}, assembly {name}: {difference}")
            except (RuntimeError, ValueError, IndexError) as error:
                unread += 1
                print(f"{path}: gemmi: {error}")
    print(f"{equal} assemblies equal, {different} different, {unread} files that gemmi does not read")


if __name__ == "__main__":
    main()
