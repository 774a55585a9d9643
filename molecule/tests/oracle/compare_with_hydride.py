"""Compares the hydrogens of `examples/add_hydrogens` with those of hydride (Kunzmann et al., J. Cheminform. 2022, 14, 39).

usage: compare_with_hydride.py BARE.pdb OURS.pdb
needs: hydride, biotite, scipy, numpy

Amino acids only. Hydrogens are grouped by their heavy atom; of each of ours the nearest of hydride's counts. hydride turns
methyls, hydroxyls and ammonium groups by a force field, so only the rest is expected to agree closely.
"""
import sys
import warnings

import biotite.structure as struc
import biotite.structure.io.pdb as pdb
import hydride
import numpy as np
from scipy.spatial import cKDTree

warnings.filterwarnings("ignore")
bare, ours = sys.argv[1:3]
atoms = pdb.PDBFile.read(bare).get_structure(model=1, extra_fields=["charge"], include_bonds=True)
atoms = atoms[(atoms.element != "H") & struc.filter_amino_acids(atoms)]
atoms.set_annotation("charge", hydride.estimate_amino_acid_charges(atoms, 7.4))
theirs, _ = hydride.add_hydrogen(atoms)
theirs.coord = hydride.relax_hydrogen(theirs)
made = pdb.PDBFile.read(ours).get_structure(model=1)
made = made[struc.filter_amino_acids(made)]


def by_host(structure):
    heavy, hydrogens = structure[structure.element != "H"], structure[structure.element == "H"]
    _, hosts = cKDTree(heavy.coord).query(hydrogens.coord)
    found = {}
    for place, host in zip(hydrogens.coord, hosts):
        key = (heavy.chain_id[host], int(heavy.res_id[host]), heavy.res_name[host], heavy.atom_name[host])
        found.setdefault(key, []).append(place)
    return found


made, theirs = by_host(made), by_host(theirs)
distances = {"fixed": [], "methyl": [], "turning": []}
other_counts = []
for key in sorted(set(made) | set(theirs)):
    a, b = made.get(key, []), theirs.get(key, [])
    if len(a) != len(b):
        other_counts.append((" ".join(map(str, key)), len(a), len(b)))
        continue
    turns = key[3] in ("OG", "OG1", "OH", "SG", "NZ") or (key[3] == "N" and len(a) == 3)
    kind = "turning" if turns else "methyl" if len(a) == 3 else "fixed"
    gaps = np.linalg.norm(np.array(a)[:, None] - np.array(b)[None], axis=-1)
    distances[kind] += list(gaps.min(1))
print(f"{len(made)} heavy atoms with hydrogens, {len(theirs)} in hydride's; other counts: {other_counts}")
for kind, found in distances.items():
    if found:
        print(f"{kind}: {len(found)}, median {np.median(found):.3f} A, 90 % {np.quantile(found, 0.9):.3f}, max {max(found):.3f}")
