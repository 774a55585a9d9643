"""Makes rmsd.sdf: pairs of poses, the second with its atoms in another order, with RDKit's and spyrmsd's RMSD.

Needs `pip install rdkit==2026.9.1 spyrmsd==0.9.0`. Run in `molecule/tests/data`: `python ../oracle/ligand_rmsd.py`.
"""

import random

import numpy as np
from rdkit import Chem, RDLogger
from rdkit.Chem import AllChem, rdMolAlign
from spyrmsd import rmsd as spyrmsd

RDLogger.DisableLog("rdApp.*")

SMILES = [
    "Cc1ccccc1", "CCC(=O)[O-]", "OC(=O)c1ccc(F)cc1", "c1ccc(cc1)-c1ccccc1", "CC(C)(C)c1ccc(cc1)S(N)(=O)=O",
    "NC(=[NH2+])c1ccccc1", "CS(=O)(=O)c1ccc(cc1)C(F)(F)F", "C1CCCCC1", "C1C2CC3CC1CC(C2)C3", "O=[N+]([O-])c1ccccc1",
    "CP(=O)([O-])[O-]", "OB(O)c1ccccc1", "CN1CCN(CC1)Cc1ccc(cc1)C(=O)Nc1ccc(C)cc1", "CC(C)CC(C)C", "FC(F)(F)C(F)(F)F",
    "COCCOc1cc2ncnc(Nc3cccc(c3)C#C)c2cc1OCCOC", "C[C@H](N)C(=O)N[C@@H](C)C(=O)O", "c1ccc2ccccc2c1", "NC(N)=[NH2+]",
    "CC(C)NC(C)C", "Clc1cc(Cl)cc(Cl)c1", "OC(c1ccccc1)(c1ccccc1)c1ccccc1",
]


def main():
    random.seed(7)
    out = Chem.SDWriter("rmsd.sdf")
    for number, smiles in enumerate(SMILES):
        molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
        AllChem.EmbedMultipleConfs(molecule, 2, randomSeed=number + 1)
        first, second = (Chem.RemoveHs(Chem.Mol(molecule, confId=conformer)) for conformer in (0, 1))
        order = list(range(second.GetNumAtoms()))
        random.shuffle(order)
        second = Chem.RenumberAtoms(second, order)
        value = rdMolAlign.CalcRMS(Chem.Mol(second), Chem.Mol(first))
        symmetric = spyrmsd.symmrmsd(
            first.GetConformer().GetPositions(), second.GetConformer().GetPositions(),
            np.array([a.GetAtomicNum() for a in first.GetAtoms()]), np.array([a.GetAtomicNum() for a in second.GetAtoms()]),
            Chem.GetAdjacencyMatrix(first), Chem.GetAdjacencyMatrix(second))
        for half, mol in enumerate((first, second)):
            mol.SetProp("_Name", f"{smiles} {half}")
            mol.SetProp("rdkit_rms", f"{value:.5f}")
            mol.SetProp("spyrmsd", f"{symmetric:.5f}")
            out.write(mol)
        print(f"{smiles:60} {value:.4f} {symmetric:.4f}")
    out.close()


if __name__ == "__main__":
    main()
