#!/usr/bin/env python3
"""Prints what AutoDock Vina 1.2.7 gives for the crystal ligands of three samples, as JSON: the golden numbers in
`inference/src/docking/vina_scores.json`.

    python3 tests/benchmark/vina_scores.py > inference/src/docking/vina_scores.json
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import docking  # noqa: E402

SAMPLES = ["kinase", "protease", "nuclear-receptor"]


def scores(folder):
    import tempfile

    from meeko import MoleculePreparation, PDBQTWriterLegacy
    from rdkit import Chem
    from vina import Vina

    pose = Chem.MolFromMolFile(str(folder / "ligand.sdf"))
    ligand = PDBQTWriterLegacy.write_string(
        MoleculePreparation(rigid_macrocycles=True).prepare(Chem.AddHs(pose, addCoords=True))[0]
    )[0]
    positions = pose.GetConformer().GetPositions()
    center = ((positions.min(0) + positions.max(0)) / 2).tolist()
    size = (positions.max(0) - positions.min(0) + 16).tolist()
    found = {}
    with tempfile.NamedTemporaryFile("w", suffix=".pdbqt") as receptor:
        receptor.write(docking.receptor_pdbqt(folder, "receptor.pdb"))
        receptor.flush()
        for function in ["vina", "vinardo"]:
            vina = Vina(sf_name=function, cpu=1, verbosity=0)
            vina.set_receptor(receptor.name)
            vina.set_ligand_from_string(ligand)
            vina.compute_vina_maps(center, size)
            energies = [round(float(value), 3) for value in vina.score()]
            found[function] = {"score": energies[0], "intermolecular": energies[1], "intramolecular": energies[5]}
    return found


if __name__ == "__main__":
    docking.environment()
    print(json.dumps({name: scores(docking.REPOSITORY / "samples" / name) for name in SAMPLES}, indent=2))
