"""Writes tests/data/components.tsv: what RDKit makes of a spread of components, from the dictionary's source.

usage: component_goldens.py components.bcif > ../data/components.tsv
needs: biotite (to read BinaryCIF), rdkit, numpy

Columns: code, formula, bonds by order (single, double, triple), SMILES of the molecule without hydrogens and stereo, SMILES
with the stereo read from the ideal coordinates (the model's where those are incomplete). No SMILES where RDKit refuses the
molecule or a metal is in it; none with stereo where RDKit takes an acid's phosphorus or an imine's hydrogen for stereo.
"""
import random
import sys

import numpy as np
from biotite.structure.io.pdbx import BinaryCIFFile
from rdkit import Chem, RDLogger, rdBase
from rdkit.Chem.rdMolDescriptors import CalcMolFormula
from rdkit.Geometry import Point3D

RDLogger.DisableLog("rdApp.*")
ORDERS = {"SING": Chem.BondType.SINGLE, "DOUB": Chem.BondType.DOUBLE, "TRIP": Chem.BondType.TRIPLE}
ALWAYS = """ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL MSE SEP TPO PTR A C G U DA DC DG DT
ATP GTP NAD FAD COA SAM HEM NAG MAN GAL FUC SIA GOL EDO SO4 PO4 HOH ZN MG STI BEN RET PLP CLR CFF""".split()

block = BinaryCIFFile.read(sys.argv[1]).block
atoms, bonds = block["chem_comp_atom"], block["chem_comp_bond"]
a = {k: atoms[k].as_array(str) for k in ("comp_id", "atom_id", "type_symbol", "charge")}
b = {k: bonds[k].as_array(str) for k in ("comp_id", "atom_id_1", "atom_id_2", "value_order")}
sets = []
for names in ("pdbx_model_Cartn_{}_ideal", "model_Cartn_{}"):
    columns = [atoms[names.format(axis)] for axis in "xyz"]
    sets.append(np.stack([c.as_array(float, np.nan) for c in columns], 1))


def rows(ids):
    found = {}
    for row, code in enumerate(ids):
        found.setdefault(code, []).append(row)
    return found


atom_rows, bond_rows = rows(a["comp_id"]), rows(b["comp_id"])
codes = sorted(set(ALWAYS) | set(random.Random(3).sample(sorted(atom_rows), 460)))
metals = {"Li", "Be", "Na", "Mg", "Al", "K", "Ca", "Ga", "Rb", "Sr", "In", "Sn", "Cs", "Ba", "Tl", "Pb", "Bi"}
print(f"# RDKit {rdBase.rdkitVersion}; written by tests/oracle/component_goldens.py")
for code in codes:
    mol, index, counts = Chem.RWMol(), {}, {"SING": 0, "DOUB": 0, "TRIP": 0}
    for row in atom_rows[code]:
        symbol = a["type_symbol"][row].capitalize()
        atom = Chem.Atom("H" if symbol == "D" else symbol if symbol != "X" else "*")
        if symbol == "D":
            atom.SetIsotope(2)
        atom.SetFormalCharge(int(a["charge"][row]))
        index[a["atom_id"][row]] = mol.AddAtom(atom)
    for row in bond_rows.get(code, []):
        mol.AddBond(index[b["atom_id_1"][row]], index[b["atom_id_2"][row]], ORDERS[b["value_order"][row]])
        counts[b["value_order"][row]] += 1
    elements = [atom.GetSymbol() for atom in mol.GetAtoms()]
    counted = {symbol: elements.count(symbol) for symbol in sorted(set(elements))}
    has_metal = any(s in metals or 20 < Chem.GetPeriodicTable().GetAtomicNumber(s) < 31
                    or 38 < Chem.GetPeriodicTable().GetAtomicNumber(s) < 49
                    or 56 < Chem.GetPeriodicTable().GetAtomicNumber(s) < 81
                    or Chem.GetPeriodicTable().GetAtomicNumber(s) > 86 for s in counted if s != "*")
    smiles = flat = ""
    if not has_metal and "*" not in counted:
        places = next((s[atom_rows[code]] for s in sets if not np.isnan(s[atom_rows[code]]).any()), None)
        try:
            mol = mol.GetMol()
            Chem.SanitizeMol(mol)
            if places is not None:
                conformer = Chem.Conformer(len(places))
                for i, place in enumerate(places):
                    conformer.SetAtomPosition(i, Point3D(*map(float, place)))
                conformer.Set3D(True)
                mol.AddConformer(conformer)
                Chem.AssignStereochemistryFrom3D(mol)
            if not any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()):
                smiles = Chem.MolToSmiles(Chem.RemoveHs(mol))
                plain = Chem.Mol(mol)
                Chem.RemoveStereochemistry(plain)
                flat = Chem.MolToSmiles(Chem.RemoveHs(plain))
        except Exception:
            smiles = flat = ""
        if "[P@" in smiles or "[H]/" in smiles:
            smiles = ""
    formula = " ".join(f"{s}{n}" for s, n in counted.items())
    print("\t".join([code, formula, "{SING} {DOUB} {TRIP}".format(**counts), flat, smiles]))
