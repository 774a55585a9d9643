#!/usr/bin/env python3
"""Docks known complexes with this program, AutoDock Vina 1.2.7 and rustina 0.9.0, and writes the comparison as a table.

    python3 tests/benchmark/docking.py COMPLEXES

COMPLEXES is a folder of folders, each with `protein.pdb`, `ligand.sdf` (the crystal pose) and `meta.json` with the
field `smiles`. All start from the SMILES: ours makes its own conformers, the others get one from RDKit (ETKDG, MMFF94). All
search the box of the crystal ligand's heavy atoms plus 8 Å on every side, exhaustiveness 8 (rustina: its default effort),
nine poses, seed 1, the same threads. A pose counts as right when its symmetry-aware RMSD to the crystal pose is at most 2 Å.
An engine is named PROGRAM:FUNCTION; `ours:vina` ranks with the networks, `ours-energy:vina` by energy alone.

Seconds are those of the whole run of a ligand (conformers, maps, search, output) without preparing the receptor for Vina and
rustina, which Meeko does once. Python packages go into a virtual environment under `target/`.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ["vina==1.2.7", "rustina==0.9.0", "rdkit", "meeko", "gemmi", "numpy", "scipy"]
METALS = {"ZN", "MG", "MN", "CA", "FE", "NI", "CU", "CO", "CD", "NA", "K", "HG"}
KNOWN_TO_VINA = {"ZN": "Zn", "MG": "Mg", "MN": "Mn", "CA": "Ca", "FE": "Fe"}


def environment():
    """Starts this script again inside the virtual environment, which is made on first use."""
    folder = REPOSITORY / "target" / "benchmark-venv"
    python = folder / "bin" / "python"
    if Path(sys.prefix).resolve() == folder.resolve() or os.environ.get("BENCHMARK_PYTHON"):
        return
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        (folder / "complete").touch()
    os.execv(str(python), [str(python), *sys.argv])


def crystal_ligand(folder):
    """The crystal pose with the bond orders of the SMILES, and the SMILES."""
    from rdkit import Chem
    from rdkit.Chem import AllChem

    smiles = json.loads((folder / "meta.json").read_text())["smiles"]
    template = Chem.MolFromSmiles(smiles)
    pose = Chem.MolFromMolFile(str(folder / "ligand.sdf"), sanitize=False)
    pose = Chem.RemoveHs(pose, sanitize=False)
    return AllChem.AssignBondOrdersFromTemplate(template, pose), smiles


def box(folder, padding=8.0):
    pose, _ = crystal_ligand(folder)
    positions = pose.GetConformer().GetPositions()
    low, high = positions.min(0), positions.max(0)
    return ((low + high) / 2).tolist(), (high - low + 2 * padding).tolist()


def rmsd_to_crystal(crystal, pose):
    from rdkit import Chem
    from rdkit.Chem import AllChem, rdMolAlign

    bare = AllChem.AssignBondOrdersFromTemplate(Chem.RemoveHs(crystal), Chem.RemoveHs(pose))
    return rdMolAlign.CalcRMS(bare, Chem.RemoveHs(crystal), maxMatches=100_000)


def pdbqt_line(line, kind):
    """A PDB line as a PDBQT line without charge."""
    return f"{line[:54]:54s}  1.00  0.00     0.000 {kind:<2s}\n"


def receptor_pdbqt(folder, file="protein.pdb"):
    """The receptor by Meeko. Metals, and residues that Meeko has no template for, are added atom by atom."""
    from meeko import MoleculePreparation, PDBQTWriterLegacy, Polymer, ResidueChemTemplates

    polymer, added = [], []
    for line in (folder / file).read_text().splitlines():
        name = line[17:20].strip()
        if not line.startswith(("ATOM", "HETATM")) or name in {"HOH", "WAT", "DOD"} or line[16] not in " A":
            continue
        element = (line[76:78].strip() or re.sub("[^A-Za-z]", "", line[12:16])[:1]).upper()
        if element == "H":
            continue
        if element in METALS and name.rstrip("+0123456789") in METALS:
            added.append(pdbqt_line(line, KNOWN_TO_VINA.get(element, "Zn")))
        else:
            polymer.append(line[:17] + name.replace("LY+", "LYS").rjust(3) + line[20:] + "\n")
    templates = ResidueChemTemplates.create_from_defaults()
    while True:
        try:
            # Meeko lists every incomplete residue it leaves out.
            with open(os.devnull, "w") as silence, redirect_stdout(silence), redirect_stderr(silence):
                made = Polymer.from_pdb_string(
                    "".join(polymer), templates, MoleculePreparation(), allow_bad_res=True, default_altloc="A"
                )
            break
        except Exception as error:
            unknown = re.search(r"CIF file for (\S+?)\.", str(error)) or re.search(r"'[^']*': '(\S+?)'", str(error))
            if not unknown or not any(line[17:20].strip() == unknown[1] for line in polymer):
                raise
            for line in polymer:
                if line[17:20].strip() == unknown[1]:
                    element = (line[76:78].strip() or line[12:14].strip()[:1]).upper()
                    kind = {"N": "NA", "O": "OA", "S": "SA", "P": "P"}.get(element, "C")
                    added.append(pdbqt_line(line, kind))
            polymer = [line for line in polymer if line[17:20].strip() != unknown[1]]
    rigid, _ = PDBQTWriterLegacy.write_from_polymer(made)
    return rigid + "".join(added)


def ligand_pdbqt(smiles, seed):
    """A conformer by RDKit as PDBQT by Meeko."""
    from meeko import MoleculePreparation, PDBQTWriterLegacy
    from rdkit import Chem
    from rdkit.Chem import AllChem

    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(molecule, randomSeed=seed)
    AllChem.MMFFOptimizeMolecule(molecule)
    return PDBQTWriterLegacy.write_string(MoleculePreparation(rigid_macrocycles=True).prepare(molecule)[0])[0]


def print_poses(pdbqt):
    """Poses as SDF."""
    from meeko import PDBQTMolecule, RDKitMolCreate
    from rdkit import Chem

    poses = RDKitMolCreate.from_pdbqt_mol(PDBQTMolecule(pdbqt, skip_typing=True))[0]
    for conformer in poses.GetConformers():
        print(Chem.MolToMolBlock(poses, confId=conformer.GetId()) + "$$$$")


def run_vina(folder, receptor, scoring, threads, seed):
    """One docking by Vina in this process; prints poses as SDF."""
    from vina import Vina

    center, size = box(folder)
    vina = Vina(sf_name=scoring, cpu=threads, seed=seed, verbosity=0)
    vina.set_receptor(receptor)
    vina.set_ligand_from_string(ligand_pdbqt(crystal_ligand(folder)[1], seed))
    vina.compute_vina_maps(center, size)
    vina.dock(exhaustiveness=8, n_poses=9)
    print_poses(vina.poses(9))


def run_rustina(folder, receptor, scoring, threads, seed):
    """One docking by rustina in this process; prints poses as SDF, best first."""
    import rustina

    (x, y, z), (width, depth, height) = box(folder)
    ligand = ligand_pdbqt(crystal_ligand(folder)[1], seed)
    options = {"scoring": scoring, "seed": seed, "threads": threads, "num_modes": 9}
    # It says its search parameters on standard output, where they would spoil the first pose.
    output = os.dup(1)
    os.dup2(2, 1)
    poses = rustina.dock(Path(receptor).read_text(), ligand, x, y, z, width, depth, height, **options)
    os.dup2(output, 1)
    for pose in poses:
        print_poses(pose["pdbqt"])


def rustina_receptor(folder):
    """The receptor as rustina prepares it, as for Vina where it cannot."""
    import rustina

    center, size = box(folder)
    try:
        return rustina.prepare_receptor(str(folder / "protein.pdb"), center=tuple(center), size=tuple(size))["pdbqt"]
    except rustina.PreparationError:
        return receptor_pdbqt(folder)


def timed(command):
    """Runs a command; its output, seconds on the clock, seconds of all cores."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "failed without a word")
    return done.stdout, wall, cpu


def poses_of(text):
    from rdkit import Chem

    supplier = Chem.SDMolSupplier()
    supplier.SetData(text, removeHs=True)
    return [molecule for molecule in supplier if molecule is not None]


def evaluate(engine, folder, arguments, scratch):
    """RMSDs of the poses in order, and seconds."""
    crystal, smiles = crystal_ligand(folder)
    name, scoring = engine
    if name in {"vina", "rustina"}:
        receptor = scratch / f"{folder.name}-{name}.pdbqt"
        if not receptor.exists():
            receptor.write_text(receptor_pdbqt(folder) if name == "vina" else rustina_receptor(folder))
        command = [sys.executable, __file__, str(folder), f"--{name}-receptor", str(receptor), "--scoring", scoring]
        output, wall, cpu = timed([*command, "--threads", str(arguments.threads), "--seed", str(arguments.seed)])
    else:
        out = scratch / f"{folder.name}-{name}-{scoring}"
        command = [arguments.studio, "dock", str(folder / "protein.pdb"), "--ligand", smiles]
        command += ["--box-from", str(folder / "ligand.sdf"), "--padding", "8", "--exhaustiveness", "8", "--poses", "9"]
        command += ["--seed", str(arguments.seed), "--threads", str(arguments.threads), "--scoring", scoring]
        command += ["--no-cnn"] if name == "ours-energy" else []
        _, wall, cpu = timed([*command, "-o", str(out)])
        output = (out / "poses.sdf").read_text()
    return [rmsd_to_crystal(crystal, pose) for pose in poses_of(output)], wall, cpu


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def summary(name, results):
    """A line of the table. What failed counts as wrong; its seconds do not count."""
    done = [result for result in results if result is not None]
    share = lambda right: f"{right}/{len(results)} ({100 * right / len(results):.0f} %)"
    first = sum(rmsds[0] <= 2 for rmsds, _, _ in done)
    three = sum(min(rmsds[:3]) <= 2 for rmsds, _, _ in done)
    middle = median([rmsds[0] for rmsds, _, _ in done])
    walls, cpus = [wall for _, wall, _ in done], [cpu for _, _, cpu in done]
    times = f"{sum(walls) / len(walls):.1f} / {median(walls):.1f} | {sum(cpus) / len(cpus):.1f} / {median(cpus):.1f}"
    return f"| {name} | {share(first)} | {share(three)} | {middle:.2f} | {times} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("complexes", type=Path, help="folder of complexes")
    parser.add_argument("--studio", default=str(REPOSITORY / "target" / "release" / "kfold-studio"), help="our program")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", help="names of complexes")
    parser.add_argument("--engines", nargs="*", default=["ours:vinardo", "ours:vina", "ours-energy:vina", "vina:vina", "rustina:vinardo"])
    parser.add_argument("-o", "--output", type=Path, default=REPOSITORY / "target" / "docking-benchmark.md",
                        help="where the tables go; docs/benchmarks.md holds those worth keeping, with others beside")
    parser.add_argument("--vina-receptor", help=argparse.SUPPRESS)
    parser.add_argument("--rustina-receptor", help=argparse.SUPPRESS)
    parser.add_argument("--scoring", default="vina", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    environment()
    if arguments.vina_receptor:
        run_vina(arguments.complexes, arguments.vina_receptor, arguments.scoring, arguments.threads, arguments.seed)
        return
    if arguments.rustina_receptor:
        run_rustina(arguments.complexes, arguments.rustina_receptor, arguments.scoring, arguments.threads, arguments.seed)
        return
    if not Path(arguments.studio).exists():
        sys.exit(f"{arguments.studio} is not there; build it with: cargo build --release")
    folders = sorted(folder for folder in arguments.complexes.iterdir() if (folder / "ligand.sdf").exists())
    folders = [folder for folder in folders if not arguments.only or folder.name in arguments.only]
    if not folders:
        sys.exit(f"no complexes in {arguments.complexes}")
    engines = [tuple(engine.split(":")) for engine in arguments.engines]
    results = {engine: [] for engine in engines}
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for folder in folders:
            cells = []
            for engine in engines:
                try:
                    result = evaluate(engine, folder, arguments, Path(scratch))
                    rmsds, wall, cpu = result
                    cells.append(f"{rmsds[0]:.2f} / {min(rmsds[:3]):.2f} | {cpu:.1f}")
                except Exception as error:  # A failure is a result: it is counted and printed.
                    result = None
                    cells.append("failed | -")
                    print(f"{folder.name} {':'.join(engine)}: {error}", file=sys.stderr)
                results[engine].append(result)
            rows.append(f"| {folder.name} | {' | '.join(cells)} |")
            print(rows[-1], flush=True)
    titles = {
        ("ours", "vinardo"): "K-Fold Studio, Vinardo + GNINA CNN",
        ("ours", "vina"): "K-Fold Studio, Vina + GNINA CNN",
        ("ours-energy", "vinardo"): "K-Fold Studio, Vinardo",
        ("ours-energy", "vina"): "K-Fold Studio, Vina function",
        ("vina", "vina"): "AutoDock Vina 1.2.7",
        ("vina", "vinardo"): "AutoDock Vina 1.2.7, Vinardo",
        ("rustina", "vinardo"): "rustina 0.9.0",
    }
    names = [titles.get(engine, ":".join(engine)) for engine in engines]
    options = f" --only {' '.join(arguments.only)}" if arguments.only else ""
    if arguments.engines != parser.get_default("engines"):
        options += f" --engines {' '.join(arguments.engines)}"
    text = ["# Docking, measured", ""]
    text += [
        f"{len(folders)} complexes, from the SMILES; box: crystal ligand plus 8 Å on every side; exhaustiveness 8, seed "
        f"{arguments.seed}, {arguments.threads} threads.",
        "Right: symmetry-aware RMSD of heavy atoms to the crystal pose of at most 2 Å.",
        "Seconds: conformers, maps, search and output of one ligand; for Vina and rustina without the receptor's preparation.",
        "One run, made by:",
        "",
        "```sh",
        f"cargo build --release --workspace --bins && python3 tests/benchmark/docking.py COMPLEXES{options}",
        "```",
        "",
        "| | best pose right | one of three right | median RMSD of the best, Å | seconds, mean / median | CPU seconds, mean / median |",
        "|---|---|---|---|---|---|",
    ]
    text += [summary(name, results[engine]) for name, engine in zip(names, engines) if any(results[engine])]
    text += ["", "Each complex: RMSD of the best pose / best of three, Å; CPU seconds.", ""]
    text += ["| | " + " | ".join(f"{name} | s" for name in names) + " |", "|---|" + "---|---|" * len(names), *rows, ""]
    text += [
        "Redocking into the ligand's own structure is the easy case: the pocket already has the right shape.",
        "A difference of one or two complexes in such a small set means nothing.",
        "",
    ]
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text("\n".join(text))
    print("\n".join(line for line in text if line.startswith("|")))
    print(f"written: {arguments.output}")


if __name__ == "__main__":
    main()
