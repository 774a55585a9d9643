"""TM-align's scores and Biopython's alignment scores, for `tests/alignments.rs`.

Run: pip install tmtools biopython gemmi numpy, then `python alignments.py > alignments.tsv` in this folder.
Made with tmtools 0.3.0 (TM-align 2023) and Biopython 1.87.
"""

import pathlib
import random

import gemmi
import numpy
import tmtools
from Bio.Align import PairwiseAligner, substitution_matrices

ROOT = pathlib.Path(__file__).resolve().parents[3]

# Chains by file; each with each.
CHAINS = [
    ("samples/adenylate-kinase/open.pdb", "A"),
    ("samples/adenylate-kinase/closed.pdb", "A"),
    ("samples/kinase/receptor.pdb", "A"),
    ("samples/nuclear-receptor/receptor.pdb", "A"),
    ("samples/protease/receptor.pdb", "A"),
    ("samples/protease/receptor.pdb", "B"),
    ("samples/dna-complex/complex.pdb", "A"),
    ("molecule/tests/data/1a8o.cif", "A"),
    ("molecule/tests/data/3jqh.cif", "A"),
    ("molecule/tests/data/1gbt-part.cif", "A"),
    ("molecule/tests/data/1as5-three-models.cif", "A"),
]


def trace(path, name):
    """One alpha carbon a residue (first location of the highest occupancy) and its letter."""
    model = gemmi.read_structure(str(ROOT / path))[0]
    points, letters = [], []
    for residue in model[name]:
        atoms = [atom for atom in residue if atom.name == "CA" and atom.element == gemmi.Element("C")]
        if not atoms:
            continue
        atom = max(atoms, key=lambda atom: (not atom.has_altloc(), atom.occ))
        points.append(atom.pos.tolist())
        code = gemmi.find_tabulated_residue(residue.name).one_letter_code.upper()
        letters.append(code if code.isalpha() else "X")
    return numpy.array(points), "".join(letters)


def main():
    chains = [(path, name, *trace(path, name)) for path, name in CHAINS]
    print("# tm	mobile	chain	target	chain	residues	residues	by mobile	by target	rmsd")
    for i, (path, name, points, letters) in enumerate(chains):
        for other_path, other_name, other_points, other_letters in chains[i:]:
            found = tmtools.tm_align(points, other_points, letters, other_letters)
            numbers = f"{found.tm_norm_chain1:.5f}\t{found.tm_norm_chain2:.5f}\t{found.rmsd:.3f}"
            print("tm", path, name, other_path, other_name, len(points), len(other_points), numbers, sep="\t")

    random.seed(3)
    aligner = PairwiseAligner(mode="global", open_gap_score=-12, extend_gap_score=-1)
    aligner.end_gap_score = 0
    print("# protein|dna	first	second	score, gap of k: 11 + k, ends free")
    for matrix, kind, alphabet in [("BLOSUM62", "protein", "ARNDCQEGHILKMFPSTWYVBZX"), ("NUC.4.4", "dna", "ACGT")]:
        aligner.substitution_matrix = substitution_matrices.load(matrix)
        for _ in range(60):
            first = "".join(random.choice(alphabet) for _ in range(random.randint(1, 90)))
            # A relative: letters changed, pieces lost and inserted.
            second = "".join(random.choice(alphabet) if random.random() < 0.3 else letter for letter in first)
            for _ in range(random.randint(0, 3)):
                cut, length = random.randint(0, len(second)), random.randint(1, 12)
                insert = "".join(random.choice(alphabet) for _ in range(length))
                second = second[:cut] + (insert + second[cut:] if random.random() < 0.5 else second[cut + length:])
            if second:
                print(kind, first, second, int(aligner.score(first, second)), sep="\t")


main()
