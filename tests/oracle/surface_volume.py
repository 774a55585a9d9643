"""Volume and area of the solvent-excluded surface by counting points, for viewer/tests/surface.rs.

    python -m venv V && V/bin/pip install numpy scipy && V/bin/python tests/oracle/surface_volume.py FILE.pdb

Independent of the program's way: points are scattered evenly over the atoms' spheres grown by the probe and those that no
other atom covers are kept (Shrake & Rupley, J. Mol. Biol. 1973, 79, 351). Points of a fine grid inside the grown atoms
that lie farther than the probe's radius from all of them are inside the solvent-excluded surface; cavities are outside.
The area is the change of the volume with that distance. Radii are those of molecule/src/element.rs.
"""

import sys

import numpy as np
from scipy.spatial import cKDTree

RADII = {"C": 1.70, "N": 1.55, "O": 1.52, "S": 1.80, "P": 1.80, "H": 1.10}
PROBE = 1.4
# Å between points on the spheres, and of the grid.
SPREAD = 0.12
SPACING = 0.16
# The area is measured between surfaces this much inside and outside, Å.
STEP = 0.05


def atoms(path):
    places, radii = [], []
    for line in open(path):
        if line.startswith("ENDMDL"):
            break
        if line.startswith(("ATOM", "HETATM")) and line[16] in " A":
            element = line[76:78].strip() or line[12:16].strip()[0]
            places.append([float(line[30 + 8 * axis:38 + 8 * axis]) for axis in range(3)])
            radii.append(RADII[element])
    return np.array(places), np.array(radii)


def accessible(places, grown):
    tree = cKDTree(places)
    kept = []
    for index, (place, radius) in enumerate(zip(places, grown)):
        count = int(4 * np.pi * radius**2 / SPREAD**2)
        turn = np.pi * (3 - np.sqrt(5)) * np.arange(count)
        z = 1 - 2 * (np.arange(count) + 0.5) / count
        flat = np.sqrt(1 - z * z)
        points = place + radius * np.stack([flat * np.cos(turn), flat * np.sin(turn), z], 1)
        for other in tree.query_ball_point(place, radius + grown.max()):
            if other != index:
                points = points[((points - places[other]) ** 2).sum(1) >= grown[other] ** 2]
        kept.append(points)
    return np.concatenate(kept)


def covered(places, grown):
    low = (places - grown[:, None]).min(0)
    shape = np.ceil(((places + grown[:, None]).max(0) - low) / SPACING).astype(int) + 1
    inside = np.zeros(shape, bool)
    for place, radius in zip(places, grown):
        first = np.maximum(np.floor((place - radius - low) / SPACING).astype(int), 0)
        last = np.minimum(np.ceil((place + radius - low) / SPACING).astype(int) + 1, shape)
        axes = [low[axis] + SPACING * np.arange(first[axis], last[axis]) - place[axis] for axis in range(3)]
        squared = axes[0][:, None, None] ** 2 + axes[1][None, :, None] ** 2 + axes[2][None, None, :] ** 2
        inside[first[0]:last[0], first[1]:last[1], first[2]:last[2]] |= squared < radius * radius
    return low + SPACING * np.argwhere(inside)


places, radii = atoms(sys.argv[1])
surface = cKDTree(accessible(places, radii + PROBE))
distances, _ = surface.query(covered(places, radii + PROBE), distance_upper_bound=PROBE + 4 * STEP)
volume = lambda offset: np.count_nonzero(distances > PROBE + offset) * SPACING**3
area = (volume(-STEP) - volume(STEP)) / (2 * STEP)
print(f"{len(places)} atoms: volume {volume(0):.0f} Å³, area {area:.0f} Å²")
