#!/usr/bin/env python3
"""What molgrid and gninatorch make of a complex and of some molecules, for the tests of our networks.

    python3 tests/oracle/gnina.py RECEPTOR.pdb LIGAND.sdf inference/src/docking/gnina/golden.json

Needs the packages molgrid 0.5.5, gninatorch 0.0.2, torch, rdkit and numpy below 2 (molgrid was built for it). The golden file
holds the atoms as molgrid types them (Open Babel's perception), the density of its grid after the networks' first pooling
(a sample of its cells, and the sum of each channel), what every member says with its weights in half and in single
precision, and the channels of the heavy atoms of small molecules.
"""

import json
import sys
import tempfile
from pathlib import Path

import molgrid
import torch
from gninatorch.gnina import load_gnina_model
from rdkit import Chem
from rdkit.Chem import AllChem

ENSEMBLES = ["crossdock_default2018", "general_default2018"]
MEMBERS = [ensemble + member for ensemble in ENSEMBLES for member in ("", "_1", "_2", "_3", "_4")]
MOLECULES = [
    "CC(=O)Nc1ccc(O)cc1",
    "c1ccc2[nH]ccc2c1",
    "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
    "O=C(O)c1ccc(F)c(Cl)c1Br",
    "Ic1ccoc1CCS(=O)(=O)N",
    "OP(=O)(O)OCC1OC(n2cnc3c(N)ncnc32)C(O)C1O",
    "OB(O)c1ccsc1",
    "C#CCOC1CCN(C)CC1",
    "[O-][N+](=O)c1ccc(C#N)nc1",
    "NC(=N)c1ccc(CNC(=O)C2CCCN2)cc1",
]


def typed(receptor, ligand):
    """Coordinates, channels and radii of both, hydrogens left out."""
    with tempfile.NamedTemporaryFile("w", suffix=".types") as file:
        file.write(f"1 {receptor} {ligand}\n")
        file.flush()
        provider = molgrid.ExampleProvider(data_root="", balanced=False, shuffle=False, default_batch_size=1)
        provider.populate(file.name)
        sets = provider.next_batch(1)[0].coord_sets
        return [[part.tonumpy().copy() for part in (held.coords, held.type_index, held.radii)] for held in sets]


def main():
    receptor, ligand, output = sys.argv[1:]
    (near, kinds, radii), (pose, pose_kinds, pose_radii) = typed(receptor, ligand)
    center = pose.mean(0)
    # Atoms that cannot reach the grid say nothing.
    kept = (abs(near - center) < 16).all(1)
    positions = torch.tensor([*near[kept].round(3).tolist(), *pose.round(3).tolist()])
    channels = torch.tensor([*kinds[kept].tolist(), *(pose_kinds + 14).tolist()])
    radii = torch.tensor([*radii[kept].tolist(), *pose_radii.tolist()])
    center = positions[int(kept.sum()) :].mean(0)
    maker = molgrid.GridMaker(resolution=0.5, dimension=23.5)
    inputs = [molgrid.MGrid2f(len(positions), 3), molgrid.MGrid1f(len(channels)), molgrid.MGrid1f(len(radii))]
    for held, values in zip(inputs, (positions, channels, radii)):
        held.copyFrom(values.float().numpy())
    held = molgrid.MGrid4f(28, 48, 48, 48)
    maker.forward(molgrid.float3(*center.tolist()), *(part.cpu() for part in inputs), held.cpu())
    grid = torch.from_numpy(held.tonumpy().copy())
    means = torch.nn.functional.avg_pool3d(grid, 2)
    cells = torch.nonzero(means > 1e-3)
    cells = cells[:: len(cells) // 300]
    members, members_single = [], []
    for name in MEMBERS:
        network = load_gnina_model(name).eval()
        # As published, and with the weights rounded as we store them.
        for said in (members_single, members):
            with torch.no_grad():
                pose_log, affinity = network(grid[None])
            said.append([pose_log[0, 1].exp().item(), affinity.item()])
            network = network.half().float()
    molecules = []
    for smiles in MOLECULES:
        molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
        AllChem.EmbedMolecule(molecule, randomSeed=1)
        with tempfile.NamedTemporaryFile("w", suffix=".sdf") as file:
            file.write(Chem.MolToMolBlock(molecule) + "$$$$\n")
            file.flush()
            molecules.append([smiles, [int(kind) for kind in typed(receptor, file.name)[1][1]]])
    golden = {
        "source": f"{Path(receptor).parent.name}: molgrid {molgrid.__version__}, gninatorch 0.0.2",
        "atoms": [
            [*position, int(channel), radius]
            for position, channel, radius in zip(
                positions.tolist(), channels.tolist(), [round(radius, 2) for radius in radii.tolist()]
            )
        ],
        "ligand_atoms": len(pose),
        "density": [[*cell, round(means[tuple(cell)].item(), 6)] for cell in cells.tolist()],
        "channel_sums": [round(value, 3) for value in means.double().sum((1, 2, 3)).tolist()],
        "members": members,
        "members_single": members_single,
        "molecules": molecules,
    }
    for atom in golden["atoms"]:
        atom[:3] = [round(value, 3) for value in atom[:3]]
    Path(output).write_text(json.dumps(golden, separators=(",", ":")).replace("],[", "],\n[") + "\n")


if __name__ == "__main__":
    main()
