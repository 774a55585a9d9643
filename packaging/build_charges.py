"""Writes assets/charges.tsv: partial charges of the standard residues, from the PyPI package pdb2pqr (tested with 3.8.0).

    python -m venv V && V/bin/pip install pdb2pqr && V/bin/python packaging/build_charges.py assets/charges.tsv

The charges are those of AMBER's ff99 (Cornell et al., J. Am. Chem. Soc. 1995, 117, 5179; Wang, Cieplak & Kollman,
J. Comput. Chem. 2000, 21, 1049), which later AMBER protein force fields kept. Columns: residue, atom, charge (e), and
for hydrogens the heavy atom that takes the charge where a structure has no hydrogens.
"""

import re
import sys
import xml.etree.ElementTree as tree
from pathlib import Path

import pdb2pqr

DATA = Path(pdb2pqr.__file__).parent / "dat"

CURRENT_NAMES = {
    "O1P": "OP1", "O2P": "OP2", "H5'1": "H5'", "H5'2": "H5''", "H2'1": "H2'", "H2'2": "H2''", "HO'2": "HO2'",
    "H5T": "HO5'", "H3T": "HO3'",
}


def parents():
    """Heavy atom of each hydrogen by residue, from the packages' reference geometries: the nearest one."""
    found = {}
    for file in ("AA.xml", "NA.xml"):
        for residue in tree.parse(DATA / file).getroot():
            name = residue.findtext("name")
            atoms = {}
            for atom in residue.iter("atom"):
                place = [float(atom.findtext(axis)) for axis in "xyz"]
                atoms[atom.findtext("name")] = place
            heavy = {key: place for key, place in atoms.items() if not key.lstrip("0123456789").startswith("H")}
            for key, place in atoms.items():
                if key not in heavy:
                    distance = lambda other: sum((a - b) ** 2 for a, b in zip(place, heavy[other]))
                    found[name, key] = min(heavy, key=distance)
    return found


def by_rule(atom, names):
    """The heavy atom of a hydrogen by its name: HB2 on CB, HD11 on CD1, H5' on C5', H1 on N."""
    if atom in ("H", "H1", "H2", "H3") and "N" in names:
        return "N"
    stem = atom[1:]
    # HO5' on O5', H5'' on C5'.
    if stem[:1] in ("O", "N") and stem in names:
        return stem
    # H61 and H62 on N6.
    if len(stem) == 2 and stem.isdigit() and "N" + stem[0] in names:
        return "N" + stem[0]
    while stem:
        for element in "CNOS":
            if element + stem in names:
                return element + stem
        stem = stem[:-1]
    return None


def main():
    known = parents()
    rows = []
    residues = {}
    for line in (DATA / "AMBER.DAT").read_text().splitlines():
        fields = line.split()
        if len(fields) < 4 or line.startswith("#"):
            continue
        residues.setdefault(fields[0], []).append((fields[1], float(fields[2])))
    for residue, atoms in sorted(residues.items()):
        if residue in ("WAT", "NHE"):
            continue
        atoms = [(CURRENT_NAMES.get(name, name), charge) for name, charge in atoms]
        names = {name for name, _ in atoms}
        base = residue[1:] if len(residue) == 4 else residue
        for name, charge in atoms:
            parent = ""
            if re.match(r"^\d*H", name):
                parent = by_rule(name, names) if re.search(r"['*]", name) else known.get((base, name))
                parent = parent or by_rule(name, names)
                if parent not in names:
                    parent = by_rule(name, names)
                if parent is None:
                    sys.exit(f"{residue} {name}: no heavy atom")
            rows.append(f"{residue}\t{name}\t{charge:g}\t{parent}")
    Path(sys.argv[1]).write_text("\n".join(rows) + "\n")
    for residue, atoms in sorted(residues.items()):
        total = sum(charge for _, charge in atoms)
        if abs(total - round(total)) > 0.01 and not residue.startswith(("R", "D")):
            print(f"{residue}: {total:+.3f}")


main()
