#!/usr/bin/env python3
"""Compares what our readers find in structure files with what gemmi finds, atom by atom.

    cargo build --release -p kfold-molecule --example list_atoms
    python3 -m venv /tmp/oracle && /tmp/oracle/bin/pip install gemmi
    /tmp/oracle/bin/python molecule/tests/oracle/compare_with_gemmi.py target/release/examples/list_atoms PATH...

PATH is a file or a folder, which is searched for .pdb, .ent, .brk, .cif, .mmcif and .pdbx files, plain or .gz. Compared
are, for each model: the chain identifiers in order, and for each atom chain, residue number with insertion code, residue
name, atom name, altloc, coordinates, occupancy, B, charge, element and (mmCIF) the label identifiers. gemmi counts every
alternate location as an atom, and so do we. Files that gemmi refuses are listed, not counted.

With `--golden FILE` as the first arguments what gemmi finds is written to FILE, for the awkward files that
`tests/awkward_files.rs` reads:

    compare_with_gemmi.py --golden molecule/tests/data/awkward/gemmi.tsv molecule/tests/data/awkward

The last lines say how many files agree; the exit status is 1 when any differs. Where we differ on purpose is written in
`tests/oracle/README.md`.
"""

import math
import os
import subprocess
import sys
from collections import Counter

import gemmi

ENDINGS = (".pdb", ".ent", ".brk", ".cif", ".mmcif", ".pdbx")


def files_in(path):
    if os.path.isfile(path):
        return [path]
    found = []
    for folder, _, names in os.walk(path):
        for name in names:
            plain = name.lower().removesuffix(".gz")
            if plain.endswith(ENDINGS):
                found.append(os.path.join(folder, name))
    return sorted(found)


def element_name(atom):
    # Deuterium is hydrogen to us.
    return "H" if atom.element.name == "D" else atom.element.name


def theirs(path):
    structure = gemmi.read_structure(path)
    is_pdb = structure.input_format == gemmi.CoorFormat.Pdb
    models = []
    for model in structure:
        rows = []
        for chain in model:
            for residue in chain:
                number = "" if residue.seqid.num is None else str(residue.seqid.num)
                label = "" if is_pdb else residue.subchain
                sequence = "" if residue.label_seq is None or is_pdb else str(residue.label_seq)
                hetero = residue.het_flag
                for atom in residue:
                    rows.append((
                        (chain.name, (number or "0") + residue.seqid.icode.strip(), residue.name, atom.name,
                         atom.altloc.strip("\0"), element_name(atom), label, sequence),
                        hetero, atom.serial,
                        (atom.pos.x, atom.pos.y, atom.pos.z, atom.occ, atom.b_iso, atom.charge)))
        if rows:
            models.append((model.num, [chain.name for chain in model if len(chain)], rows))
    return models


def ours(program, path):
    output = subprocess.run([program, path], capture_output=True, text=True, check=True).stdout
    lines = output.split("\n")
    head = lines[0].split("\t")
    if head[2] == "error":
        return head[3]
    models = []
    for line in lines[1:]:
        if line.startswith("model\t"):
            _, number, *chains = line.split("\t")
            models.append((int(number), chains, []))
        elif line:
            *names, hetero, serial, x, y, z, occupancy, b_factor, charge = line.split("\t")
            values = tuple(float(value) for value in (x, y, z, occupancy, b_factor, charge))
            models[-1][2].append((tuple(names), hetero, int(serial), values))
    return models


def as_three_letters(models):
    """Residue names of four letters (TIP3, POPC) as gemmi reads them: the fourth letter goes to the chain."""
    changed = []
    for number, chains, atoms in models:
        rows = []
        for (chain, sequence, residue, *rest), *others in atoms:
            if len(residue) == 4:
                chain, residue = residue[3] + chain, residue[:3]
            rows.append(((chain, sequence, residue, *rest), *others))
        changed.append((number, sorted({row[0][0] for row in rows}), rows))
    return changed


def differences(mine, reference, is_pdb):
    """What differs, in a few words each."""
    if is_pdb and any(len(atom[0][2]) == 4 for _, _, atoms in mine for atom in atoms):
        mine = as_three_letters(mine)
        reference = [(number, sorted(chains), atoms) for number, chains, atoms in reference]
    if len(mine) != len(reference):
        yield f"{len(mine)} models, gemmi {len(reference)}"
        return
    for (number, chains, atoms), (their_number, their_chains, their_atoms) in zip(mine, reference):
        place = f"model {their_number}"
        # A MODEL record without a number: gemmi says 0, we go on counting.
        if number != their_number and their_number != 0:
            yield f"{place} is numbered {number}"
        if chains != their_chains:
            yield f"{place}: chains {chains[:20]}, gemmi {their_chains[:20]}"
        if len(atoms) != len(their_atoms):
            yield f"{place}: {len(atoms)} atoms, gemmi {len(their_atoms)}"
        fields = ["chain", "number", "residue", "atom", "altloc", "element", "label_asym", "label_seq"]
        count = Counter()
        example = {}
        # Both lists in file order, as far as the serial numbers tell.
        def key(atom):
            return (atom[0][0], atom[0][1], atom[0][2], atom[0][3], atom[0][4], [round(value, 2) for value in atom[3][:3]])
        for a, b in zip(sorted(atoms, key=key), sorted(their_atoms, key=key)):
            for name, left, right in zip(fields, a[0], b[0]):
                if left != right:
                    count[name] += 1
                    example.setdefault(name, (a, b))
            # Where the file does not say, gemmi leaves it open.
            if a[1] != b[1] and b[1] in "AH":
                count["hetero"] += 1
                example.setdefault("hetero", (a, b))
            # Models of an ensemble share their atoms, and with them the first model's serial numbers; an atom without
            # one has 0 in gemmi.
            if a[2] != b[2] and place == f"model {reference[0][0]}" and b[2] != 0:
                count["serial"] += 1
                example.setdefault("serial", (a, b))
            for name, left, right in zip(["x", "y", "z", "occupancy", "B", "charge"], a[3], b[3]):
                # Where the file has no B, gemmi makes it 20 (PDB) or 50 (mmCIF), we 0.
                if name == "B" and left == 0.0 and right in (20.0, 50.0):
                    continue
                if not math.isclose(left, right, rel_tol=1e-6, abs_tol=1e-5):
                    count[name] += 1
                    example.setdefault(name, (a, b))
        for name, number in count.items():
            yield f"{place}: {name} of {number} atoms, e.g. {example[name][0]} gemmi {example[name][1]}"


def write_golden(target, paths):
    with open(target, "w") as out:
        for path in (file for argument in paths for file in files_in(argument)):
            for number, _, atoms in theirs(path):
                for names, hetero, _, values in atoms:
                    # Elements are told by more than gemmi looks at; B is 20 in gemmi where the file has none.
                    chain, sequence, residue, atom, altloc, _, label, label_sequence = names
                    fields = [os.path.basename(path), number, chain, sequence, residue, atom, altloc, label, label_sequence,
                              *(f"{value:.3f}" for value in values[:4]), values[5]]
                    out.write("\t".join(map(str, fields)) + "\n")


def main():
    if sys.argv[1] == "--golden":
        write_golden(sys.argv[2], sys.argv[3:])
        return 0
    program, *paths = sys.argv[1:]
    equal, different, refused_by_both, refused_by_gemmi = 0, [], 0, 0
    for path in (file for argument in paths for file in files_in(argument)):
        mine = ours(program, path)
        try:
            reference = theirs(path)
        except Exception as error:  # gemmi raises RuntimeError, ValueError and UnicodeDecodeError
            reference = str(error)
        if isinstance(reference, str) or not reference:
            reason = reference or "no atoms"
            if isinstance(mine, str):
                refused_by_both += 1
                print(f"REFUSED BY BOTH {path}: {mine} | gemmi: {reason}")
            else:
                refused_by_gemmi += 1
                print(f"REFUSED BY GEMMI {path}: we read {len(mine)} models | gemmi: {reason}")
            continue
        if isinstance(mine, str):
            different.append(path)
            print(f"REFUSED BY US {path}: {mine}")
            continue
        found = list(differences(mine, reference, ".cif" not in path.lower()))
        if found:
            different.append(path)
            print(f"DIFFERENT {path}")
            for line in found[:12]:
                print(f"    {line}")
        else:
            equal += 1
    print(f"{equal} files equal, {len(different)} different, {refused_by_gemmi} read by us alone, "
          f"{refused_by_both} refused by both")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
