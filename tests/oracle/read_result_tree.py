"""Reads a result tree the way a consumer of the public K-Fold program's output does: gemmi, numpy, json, csv.

    python read_result_tree.py OUT [NAME]

OUT is what `kfold-studio predict -o OUT --engine kfold` wrote. Needs gemmi and numpy. Exits with 1 at the first thing that such a
consumer would trip over; what it checks is the layout that docs/inference.md of the public repository describes.
"""

import csv
import json
import math
import sys
from pathlib import Path

import gemmi
import numpy as np


def check(condition, message):
    if not condition:
        sys.exit(f"FAILED: {message}")


def read_complex(path):
    """Atoms of a model file by gemmi, with what its mmCIF tables say."""
    block = gemmi.cif.read(str(path)).sole_block()
    structure = gemmi.make_structure_from_block(block)
    check(len(structure) >= 1, f"{path}: no model")
    for category in ("_entity.", "_struct_asym.", "_chem_comp.", "_atom_site.", "_ma_qa_metric_local."):
        check(len(block.find_mmcif_category(category)) > 0, f"{path}: {category} is missing")
    entities = {entity.name: entity for entity in structure.entities}
    for chain in structure[0]:
        for residue in chain:
            entity = entities[residue.entity_id]
            if entity.entity_type == gemmi.EntityType.Polymer:
                check(entity.full_sequence[residue.label_seq - 1] == residue.name, f"{path}: {chain.name} {residue}")
            else:
                check(residue.het_flag == "H", f"{path}: {chain.name} {residue} is no HETATM")
    for connection in structure.connections:
        for partner in (connection.partner1, connection.partner2):
            check(structure[0].find_cra(partner).atom is not None, f"{path}: {connection.name} has no atom {partner}")
    local = {}
    for row in block.find("_ma_qa_metric_local.", ["label_asym_id", "label_seq_id", "metric_value"]):
        local[row.str(0), int(row.str(1))] = float(row.str(2))
    for chain in structure[0]:
        for residue in chain:
            mean = np.mean([atom.b_iso for atom in residue])
            check(abs(mean - local[chain.name, residue.seqid.num]) < 0.02, f"{path}: pLDDT of {chain.name} {residue}")
    return structure


def read_sample(folder, prefix):
    structure = read_complex(folder / f"{prefix}_model.cif")
    confidence = json.loads((folder / f"{prefix}_confidence.json").read_text())
    scores = confidence["complex"]
    check(set(scores) == {"plddt", "pde", "ptm", "iptm", "has_clash", "ranking_score"}, f"{prefix}: scores of the complex")
    wanted = 0.8 * scores["iptm"] + 0.2 * scores["ptm"] - 100 * scores["has_clash"]
    check(math.isclose(scores["ranking_score"], wanted, abs_tol=1e-5), f"{prefix}: ranking score")
    names = [chain.name for chain in structure[0]]
    check(list(confidence["chains"]) == names, f"{prefix}: chains {list(confidence['chains'])}, in the model {names}")
    atoms = np.array([atom.b_iso for chain in structure[0] for residue in chain for atom in residue])
    check(abs(atoms.mean() - scores["plddt"]) < 0.02, f"{prefix}: mean pLDDT")
    arrays = folder / f"{prefix}_confidence.npz"
    if arrays.exists():
        with np.load(arrays) as data:
            check(set(data) == {"plddt", "pae", "pde"}, f"{arrays.name}: {set(data)}")
            check(np.abs(data["plddt"] - atoms).max() < 0.006, f"{arrays.name}: pLDDT is not that of the model's atoms")
            check(data["pae"].shape == data["pde"].shape and data["pae"].ndim == 2, f"{arrays.name}: shapes")
            check(abs(data["pde"].mean() - scores["pde"]) < 1e-3, f"{arrays.name}: mean PDE")
    trajectory = folder / f"{prefix}_trajectory.cif"
    if trajectory.exists():
        frames = gemmi.read_structure(str(trajectory))
        counts = {model.count_atom_sites() for model in frames}
        check(counts == {len(atoms)}, f"{trajectory.name}: atoms {counts}")
    pdb = folder / f"{prefix}_model.pdb"
    if pdb.exists():
        check(gemmi.read_pdb(str(pdb))[0].count_atom_sites() == len(atoms), f"{pdb.name}: atoms")
    return scores


def read_tree(out, name):
    root = out / name
    for file in (f"{name}_model.cif", f"{name}_confidence.json", f"{name}_summary.csv", "kfold_settings.json"):
        check((root / file).is_file(), f"{file} is missing")
    settings = json.loads((root / "kfold_settings.json").read_text())
    with (root / f"{name}_summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    check(len(rows) == len(settings["seeds"]) * settings["num_samples"], f"{len(rows)} rows in the summary")
    ranking = [float(row["ranking_score"]) for row in rows]
    check(ranking == sorted(ranking, reverse=True), "the summary is not in order")
    for row in rows:
        seed, sample = int(row["seed"]), int(row["sample"])
        folder = root / f"{name}_seed-{seed}"
        check((folder / "done.txt").is_file(), f"{folder.name} is not done")
        scores = read_sample(folder, f"{name}_seed-{seed}_sample-{sample}")
        for key in ("ranking_score", "plddt", "ptm", "iptm", "pde", "has_clash"):
            check(math.isclose(float(row[key]), scores[key], rel_tol=1e-5, abs_tol=1e-6), f"summary: {key} of {seed}/{sample}")
    for seed in settings["seeds"]:
        folder = root / f"{name}_seed-{seed}"
        used = root if "share_apo_seeds" in settings else folder
        query = json.loads((used / "query.json").read_text())
        json.loads((used / "apo_setting.json").read_text())
        for index, entry in enumerate(query["sequences"], start=1):
            for kind, prefix in (("protein", "monomer"), ("protein_pair", "multimer")):
                if kind in entry:
                    check((used / "apo" / f"{prefix}-{index}.done").is_file(), f"{prefix}-{index} is not done")
                    for role in ("apo", "prior"):
                        for path in entry[kind][role]:
                            check(len(gemmi.read_structure(str(used / path))) >= 1, f"{path} is no structure")
        for file, keys in (
            (f"{name}_seed-{seed}_embeddings.npz", {"s_inputs", "s_lm", "z"}),
            (f"{name}_seed-{seed}_distogram.npz", {"logits", "bin_edges", "asym_ids", "res_ids"}),
        ):
            if (folder / file).exists():
                with np.load(folder / file) as data:
                    check(set(data) == keys, f"{file}: {set(data)}")
                    tokens = {data[key].shape[0] for key in data if key != "bin_edges"}
                    check(len(tokens) == 1, f"{file}: tokens {tokens}")
    best = rows[0]
    prefix = f"{name}_seed-{best['seed']}_sample-{best['sample']}"
    first = (root / f"{name}_seed-{best['seed']}" / f"{prefix}_model.cif").read_bytes()
    check(first == (root / f"{name}_model.cif").read_bytes(), "the model above the seeds is not the best sample")
    print(f"{name}: {len(rows)} samples read")


if __name__ == "__main__":
    out = Path(sys.argv[1])
    names = sys.argv[2:] or [path.parent.name for path in out.glob("*/*_summary.csv")]
    check(names, f"{out} holds no results")
    for name in names:
        read_tree(out, name)
