"""Makes the goldens `kf_features_*` of ten queries with the reference (K-Fold 1.0.0), for the features alone.

    KFOLD_REF_DIR=DIR python make_feature_queries.py OUT

Runs beside `ref_common.py`, `e2e.py` and the component dictionary of the reference's own golden maker (put their folder on
PYTHONPATH); DIR holds `apo/villin_heavy.pdb` and `assets/assets/ccd.pkl` and takes the tiny weights of seed 1. Each golden has the
query, its apo files and the features, without what only training reads.
"""

import json
import shutil
import sys
from pathlib import Path

import gemmi
import numpy as np
import torch
from ref_common import R, load_tiny, save_golden, write_tiny_model

import e2e
from kfold.data.types.ccd import CCD
from kfold.inference.query import Query

TRAINING_ONLY = ("label_coords", "center_coords", "repr_coords", "resolved_mask", "center_mask", "repr_mask", "org_token_index")


def fragment(chain, first, last, name="A", jitter=0.0, drop=(), seed=0):
    """Residues of villin, from 1; `drop` names (residue, atom) pairs, or whole residues by None."""
    rng = np.random.default_rng(seed)
    out = gemmi.Chain(name)
    for residue in list(chain)[first - 1 : last]:
        copy = gemmi.Residue()
        copy.name, copy.seqid = residue.name, gemmi.SeqId(len(out) + 1, " ")
        index = list(chain).index(residue) + 1
        if (index, None) in drop:
            continue
        for atom in residue:
            if (index, atom.name) in drop:
                continue
            new = atom.clone()
            if jitter:
                new.pos = gemmi.Position(*(np.array(atom.pos.tolist()) + rng.normal(size=3) * jitter))
            copy.add_atom(new)
        out.add_residue(copy)
    return out


def save(path, models, as_cif=False):
    """Models of chains as a file."""
    structure = gemmi.Structure()
    for number, chains in enumerate(models, start=1):
        model = gemmi.Model(number)
        for chain in chains:
            model.add_chain(chain)
        structure.add_model(model)
    structure.setup_entities()
    path.parent.mkdir(parents=True, exist_ok=True)
    if as_cif:
        structure.make_mmcif_document().write_file(str(path))
    else:
        structure.write_pdb(str(path))


def sequence(chain, first, last):
    return gemmi.one_letter_code([residue.name for residue in list(chain)[first - 1 : last]])


def queries(folder, villin):
    """The ten queries; their apo files are written below `folder`."""
    seq = lambda first, last: sequence(villin, first, last)
    apo = folder / "apo"
    save(apo / "two_models.pdb", [[fragment(villin, 8, 17)], [fragment(villin, 8, 17, jitter=0.4)]])
    save(apo / "gaps.pdb", [[fragment(villin, 8, 19, drop={(11, None), (12, None), (9, "CB"), (14, "N")})]])
    save(apo / "one.cif", [[fragment(villin, 8, 19, jitter=0.2, seed=3)]], as_cif=True)
    save(apo / "short.pdb", [[fragment(villin, 20, 27)]])
    pair = lambda jitter, seed: [fragment(villin, 8, 14, "H", jitter, seed=seed), fragment(villin, 20, 26, "L", jitter, seed=seed)]
    save(apo / "pair.pdb", [pair(0.0, 0), pair(0.3, 1)])
    save(apo / "pair_prior.pdb", [pair(0.5, 2)])
    save(apo / "with_x.pdb", [[fragment(villin, 8, 15)]])
    protein = lambda ids, first, last, files, **more: {"protein": {"id": ids, "sequence": seq(first, last), "apo": files, **more}}
    sequence_8_19 = seq(8, 19)
    cysteine = seq(8, 12) + "C" + seq(14, 17)
    unknown = "X" + seq(9, 12) + "X" + seq(14, 15)
    return {
        "protein_ligand": {"sequences": [protein("A", 8, 17, ["apo/two_models.pdb"]), {"ligand": {"id": "L", "smiles": "CC(=O)N[C@@H](Cc1ccc(O)cc1)C(=O)O"}}]},
        "pair_copies": {"sequences": [{"protein_pair": {"id1": ["H", "M"], "id2": ["L", "N"], "sequence1": seq(8, 14), "sequence2": seq(20, 26),
                                                        "apo": ["apo/pair.pdb"], "prior": ["apo/pair_prior.pdb"]}}]},
        "dna": {"sequences": [{"dna": {"id": ["A", "B"], "sequence": "ACGTA"}}, {"ligand": {"id": "C", "ccd": "GOL"}}]},
        "rna": {"sequences": [{"rna": {"id": "A", "sequence": "GGCUAACGC"}}, {"ligand": {"id": ["B", "C"], "smiles": "C1CCNCC1"}}]},
        "modified": {"sequences": [protein("A", 8, 17, ["apo/two_models.pdb"], modifications=[{"index": 2, "ccd": "MSE"}, {"index": 6, "ccd": "SEP"}, {"index": 10, "ccd": "TPO"}]),
                                   {"dna": {"id": "B", "sequence": "ACGT", "modifications": [{"index": 2, "ccd": "5CM"}]}},
                                   {"rna": {"id": "C", "sequence": "GUAC", "modifications": [{"index": 2, "ccd": "PSU"}]}}]},
        "ions": {"sequences": [protein("A", 20, 27, ["apo/short.pdb"]), {"ligand": {"id": ["B", "C"], "ccd": "ZN"}}, {"ligand": {"id": "D", "ccd": "MG"}},
                               {"ligand": {"id": "E", "ccd": "SO4"}}, {"ligand": {"id": "F", "smiles": "[Na+]"}}]},
        "glycan": {"sequences": [{"protein": {"id": "A", "sequence": seq(8, 19), "apo": ["apo/gaps.pdb"]}}, {"ligand": {"id": "B", "ccd": ["NAG", "NAG", "BMA"]}},
                                 {"ligand": {"id": "C", "ccd": "BMA"}}],
                   "bonds": [[["A", 1 + sequence_8_19.index("N"), "ND2"], ["B", 1, "C1"]], [["B", 1, "O4"], ["B", 2, "C1"]],
                             [["B", 2, "O4"], ["B", 3, "C1"]], [["C", 1, "C1"], ["B", 1, "O6"]]]},
        "covalent": {"sequences": [{"protein": {"id": "A", "sequence": cysteine, "apo": ["apo/two_models.pdb"]}}, {"ligand": {"id": "B", "smiles": "C=CC(=O)Nc1ccccc1"}},
                                   {"ligand": {"id": "C", "ccd": "BEN"}}],
                     "bonds": [[["A", 6, "SG"], ["B", 1, "C1"]]]},
        "several_apos": {"sequences": [protein(["A", "B"], 8, 19, ["apo/gaps.pdb", "apo/one.cif", "apo/two_models.pdb"]), protein("C", 20, 27, ["apo/short.pdb"])]},
        "unknown": {"sequences": [{"protein": {"id": "A", "sequence": unknown, "apo": ["apo/with_x.pdb"]}}, {"dna": {"id": "B", "sequence": "ANG"}}, {"rna": {"id": "C", "sequence": "NUC"}}]},
    }


def features(f_input):
    out = {}
    for layout in ("chain", "token", "atom", "bond", "sequence"):
        for key, value in getattr(f_input, layout).to_dict().items():
            if key in TRAINING_ONLY:
                continue
            if key in ("res_type", "ref_element", "ref_atom_name_chars"):  # one-hot as indices, -1 where padded
                value = torch.where(value.sum(-1) > 0, value.argmax(-1), torch.full(value.shape[:-1], -1))
            if value.dtype == torch.bool:
                value = value.to(torch.uint8)
            if value.dtype == torch.int64:
                value = value.to(torch.int32)
            out[f"{layout}.{key}"] = value
    return out


def main():
    out = Path(sys.argv[1]).resolve()
    work = Path(R) / "features"
    write_tiny_model(f"{R}/tiny_model", f"{R}/assets", seed=1)
    ccd = CCD.load(f"{R}/assets/assets/ccd.pkl")
    runner = e2e.cpu_runner(load_tiny(f"{R}/tiny_model"), ccd)
    villin = gemmi.read_pdb(f"{R}/apo/villin_heavy.pdb")[0][0]
    for number, (name, content) in enumerate(queries(work, villin).items(), start=1):
        content = {"name": name, **content}
        query = Query.from_dict(content, base_dir=str(work))
        apos, priors = runner.load_apo_and_prior(query)
        item = runner.build_input(query, 100 + number, 2, apos=apos, priors=priors)
        config = {"query": content, "seed": 100 + number, "num_samples": 2}
        golden = out / f"kf_features_{name}"
        save_golden(golden.name, {}, {}, features(item.f_input), config, str(out))
        (golden / "weights.safetensors").unlink()
        (golden / "inputs.safetensors").unlink()
        files = [path for entry in content["sequences"] for body in entry.values() for role in ("apo", "prior") for path in body.get(role, [])]
        for path in files:
            (golden / path).parent.mkdir(exist_ok=True)
            shutil.copyfile(work / path, golden / path)
        (golden / "config.json").write_text(json.dumps(config, indent=1) + "\n")


if __name__ == "__main__":
    main()
