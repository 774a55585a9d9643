#!/usr/bin/env python3
"""How well predicted affinities follow measured ones: this program, AutoDock Vina 1.2.7 and the number of heavy atoms.

    python3 tests/benchmark/affinity.py --series SERIES --complexes COMPLEXES

SERIES is a folder of folders, each with `protein.pdb`, `ligands.csv` (columns `id`, `smiles`, `pAffinity`) and `ligands.sdf`, the
poses; COMPLEXES is as for `docking.py`, with `affinity.pAffinity` in `meta.json`. The poses are scored where they stand: by our
networks, by our Vina function after minimisation, by Vina after minimisation. With `--dock` the ligands of the series are also
docked by this program from their SMILES, in the box of all their poses plus 4 Å. A table of Spearman's (and Pearson's)
correlations is printed as Markdown.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import docking  # noqa: E402


def ours(studio, receptor, poses, *options):
    """Our scores of a file's poses."""
    command = [studio, "score", str(receptor), "--pose", str(poses), "--json", *options]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def vina_minimised(folder, receptor, molecule):
    """Vina's score in the nearest minimum, kcal/mol."""
    from meeko import MoleculePreparation, PDBQTWriterLegacy
    from rdkit import Chem
    from vina import Vina

    molecule = Chem.AddHs(molecule, addCoords=True)
    ligand = PDBQTWriterLegacy.write_string(MoleculePreparation(rigid_macrocycles=True).prepare(molecule)[0])[0]
    positions = molecule.GetConformer().GetPositions()
    vina = Vina(sf_name="vina", cpu=1, seed=1, verbosity=0)
    vina.set_receptor(str(receptor))
    vina.set_ligand_from_string(ligand)
    vina.compute_vina_maps(
        ((positions.min(0) + positions.max(0)) / 2).tolist(), (positions.max(0) - positions.min(0) + 16).tolist()
    )
    return vina.optimize()[0]


def docked(studio, folder, rows, molecules, threads, scratch):
    """pK of each ligand docked from its SMILES by this program; None where that failed."""
    import numpy

    positions = numpy.concatenate([molecule.GetConformer().GetPositions() for molecule in molecules])
    low, high = positions.min(0) - 4, positions.max(0) + 4
    ligands = scratch / "ligands.csv"
    ligands.write_text("name,smiles\n" + "".join(f"{row['id']},{row['smiles']}\n" for row in rows))
    command = [studio, "dock", str(folder / "protein.pdb"), "--ligand", str(ligands), "--poses", "1", "--json"]
    command += ["--threads", str(threads), "-o", str(scratch / "docked")]
    command += ["--center", *map(str, (low + high) / 2), "--size", *map(str, high - low)]
    poses = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["poses"]
    found = {pose["ligand"]: pose["score"] for pose in poses}
    return [found.get(row["id"]) for row in rows]


def columns_of_series(studio, folder, arguments, scratch):
    from rdkit import Chem

    rows = {row["id"]: row for row in csv.DictReader((folder / "ligands.csv").open())}
    molecules = [molecule for molecule in Chem.SDMolSupplier(str(folder / "ligands.sdf"), removeHs=False)]
    ordered = [rows[molecule.GetProp("_Name")] for molecule in molecules]
    receptor = scratch / "receptor.pdbqt"
    receptor.write_text(docking.receptor_pdbqt(folder))
    columns = scored(studio, folder, folder / "ligands.sdf", molecules, receptor)
    if arguments.dock:
        found = docked(studio, folder, ordered, molecules, arguments.threads, scratch)
        columns["ours, docked"] = [score and score["cnn"]["pk"] for score in found]
        columns["our energy, docked"] = [score and -score["score_kcal_per_mol"] for score in found]
    return [float(row["pAffinity"]) for row in ordered], columns


def scored(studio, folder, poses, molecules, receptor):
    """The columns of a file's poses; higher binds more tightly."""
    energies = ours(studio, folder / "protein.pdb", poses, "--minimize", "--no-cnn")
    networks = ours(studio, folder / "protein.pdb", poses)
    return {
        "ours (networks)": [record.get("cnn", {}).get("pk") for record in networks],
        "our Vina function": [-record["score_kcal_per_mol"] if "score_kcal_per_mol" in record else None for record in energies],
        "AutoDock Vina 1.2.7": [-vina_minimised(folder, receptor, molecule) for molecule in molecules],
        "heavy atoms": [molecule.GetNumHeavyAtoms() for molecule in molecules],
    }


def correlations(measured, values):
    """Spearman and Pearson over the ligands that have a value."""
    from scipy.stats import pearsonr, spearmanr

    pairs = [(known, value) for known, value in zip(measured, values) if value is not None]
    known, value = zip(*pairs)
    return spearmanr(known, value)[0], pearsonr(known, value)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=Path, help="folder of series")
    parser.add_argument("--complexes", type=Path, help="folder of complexes")
    parser.add_argument("--studio", default=str(docking.REPOSITORY / "target" / "release" / "kfold-studio"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dock", action="store_true", help="dock the series too")
    arguments = parser.parse_args()
    docking.environment()
    from rdkit import Chem

    tables = {}
    with tempfile.TemporaryDirectory() as scratch:
        for folder in sorted(arguments.series.iterdir()) if arguments.series else []:
            if (folder / "ligands.csv").exists():
                place = Path(scratch) / folder.name
                place.mkdir()
                measured, columns = columns_of_series(arguments.studio, folder, arguments, place)
                tables[f"{folder.name} ({len(measured)})"] = (measured, columns)
        measured, columns = [], {}
        for folder in sorted(arguments.complexes.iterdir()) if arguments.complexes else []:
            meta = json.loads((folder / "meta.json").read_text())
            if not meta["affinity"].get("use_for_correlation", True) or "pAffinity" not in meta["affinity"]:
                continue
            crystal, _ = docking.crystal_ligand(folder)
            pose = Path(scratch) / "pose.sdf"
            block = Chem.MolToMolBlock(Chem.RemoveHs(crystal))
            pose.write_text(block + "$$$$\n")
            # Read again: what the template left open (rings, charges) is perceived anew.
            crystal = Chem.MolFromMolBlock(block)
            receptor = Path(scratch) / "receptor.pdbqt"
            receptor.write_text(docking.receptor_pdbqt(folder))
            measured.append(meta["affinity"]["pAffinity"])
            for name, values in scored(arguments.studio, folder, pose, [crystal], receptor).items():
                columns.setdefault(name, []).extend(values)
        if measured:
            tables[f"complexes ({len(measured)})"] = (measured, columns)
    names = list(next(iter(tables.values()))[1])
    names += [name for _, columns in tables.values() for name in columns if name not in names]
    print("| | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
    spearman = {}
    for title, (measured, columns) in tables.items():
        cells = []
        for name in names:
            if name not in columns:
                cells.append("-")
                continue
            rank, linear = correlations(measured, columns[name])
            cells.append(f"{rank:.2f} ({linear:.2f})")
            if not title.startswith("complexes"):
                spearman.setdefault(name, []).append(rank)
        print(f"| {title} | {' | '.join(cells)} |")
    if spearman:
        means = [f"{sum(spearman[name]) / len(spearman[name]):.2f}" if name in spearman else "-" for name in names]
        print(f"| mean of the series | {' | '.join(means)} |")


if __name__ == "__main__":
    main()
