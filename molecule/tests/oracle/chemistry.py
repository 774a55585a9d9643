"""Makes chemistry.tsv and chemistry_invalid.tsv: what RDKit says about a wide list of SMILES.

Needs `pip install rdkit==2026.9.1`. Run in `molecule/tests/data`: `python ../oracle/chemistry.py`.
"""

from rdkit import Chem, RDLogger, rdBase
from rdkit.Chem import Crippen, Descriptors, Lipinski, QED, inchi, rdMolDescriptors
from rdkit.Chem.Scaffolds import MurckoScaffold

RDLogger.DisableLog("rdApp.*")

# One SMILES a line, with a tag where the line is about something in particular.
VALID = r"""
# drugs and drug-like
CC(=O)Nc1ccc(O)cc1
CC(=O)Oc1ccccc1C(=O)O
CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O
Cn1cnc2c1c(=O)n(C)c(=O)n2C
CN1CCC[C@H]1c1cccnc1
COc1ccc2[nH]cc(CCNC(C)=O)c2c1
CN1CCN(CC1)Cc1ccc(cc1)C(=O)Nc1ccc(C)c(Nc2nccc(n2)-c2cccnc2)c1
Cc1ccc(cc1)S(=O)(=O)NC(=O)NN1CC2CCCC2C1
CC(C)NCC(O)COc1cccc2ccccc12
CN(C)CCc1c[nH]c2ccccc12
CCN(CC)C(=O)[C@H]1CN(C)[C@@H]2Cc3c[nH]c4cccc(C2=C1)c34
OC(=O)c1ccccc1O
O=C(O)CCCCCCC(=O)NO
CC(C)(C)NC[C@H](O)c1ccc(O)c(CO)c1
Clc1ccccc1C1=NCC(=O)Nc2ccc(cc12)[N+](=O)[O-]
NC(=O)c1cnccn1
CCOC(=O)c1ccccc1
FC(F)(F)c1ccc(cc1)C(=O)N1CCOCC1
O=c1[nH]c(=O)n(cc1F)[C@@H]1C[C@H](O)[C@@H](CO)O1
Nc1nc(N)c2nc(CN(C)c3ccc(cc3)C(=O)N[C@@H](CCC(O)=O)C(O)=O)cnc2n1
C[C@]12CC[C@H]3[C@@H](CCC4=CC(=O)CC[C@]34C)[C@@H]1CC[C@@H]2O
C[C@]12C[C@H](O)[C@H]3[C@@H](CCC4=CC(=O)C=C[C@]34C)[C@@H]1CC[C@]2(O)C(=O)CO
CC12CCC3C(CCC4=CC(=O)CCC34C)C1CCC2=O
CC1=C(C(=O)N2CCCC2)C(=O)N(C)N1c1ccccc1
C1=CC=C2C(=C1)C(=NN2)C(=O)N
O=C1NC(=O)C(c2ccccc2)(c2ccccc2)N1
CC[C@H](C)C1(CC=C)C(=O)NC(=O)NC1=O
CN(C)C(=N)NC(N)=N
NC(=N)c1ccc(OCCCCCOc2ccc(cc2)C(N)=N)cc1
NS(=O)(=O)c1cc(C(O)=O)c(NCc2ccco2)cc1Cl
CCCCc1nc(Cl)c(CO)n1Cc1ccc(cc1)-c1ccccc1-c1nnn[nH]1
Cc1onc(c1C(=O)N[C@H]1[C@H]2SC(C)(C)[C@@H](N2C1=O)C(O)=O)-c1ccccc1
C[C@@H](O)[C@H]1C(=O)N2C(C(O)=O)=C(S[C@H]3CN[C@@H](C3)C(=O)N(C)C)[C@H](C)[C@H]12
O=C1N=CN=C2NNC=C12
O=c1[nH]cnc2[nH]ncc12
CC(C)N1CCN(CC1)c1ccc(cc1)-c1cnc(N)c(n1)C(=O)Nc1cnccc1N
CS(=O)(=O)c1ccc(cc1)C1=C(C(=O)OC1)c1ccccc1
O=C(Nc1ccc(Cl)c(c1)C(F)(F)F)Nc1ccc(Oc2ccnc(c2)C(=O)NC)cc1
CNC(=O)c1cc(Oc2ccc(NC(=O)Nc3ccc(Cl)c(c3)C(F)(F)F)cc2)ccn1
CC(C)(O)c1cn(cn1)-c1ccc(cc1)C#N
C#CCN[C@@H]1CCc2ccccc12
O=C1CCC(N2C(=O)c3ccccc3C2=O)C(=O)N1
Nc1cccc2C(=O)N(Cc12)C1CCC(=O)NC1=O
CC1(C)C(=O)N(C(=S)N1c1ccc(C(=O)NC)c(F)c1)c1ccc(C#N)c(c1)C(F)(F)F
C[C@H](N[C@@H](CCc1ccccc1)C(O)=O)C(=O)N1CCC[C@H]1C(O)=O
CCCN(CCC)S(=O)(=O)c1ccc(cc1)C(O)=O
CCN(CC)CCOC(=O)c1ccc(N)cc1
Nc1ncnc2n(cnc12)[C@@H]1O[C@H](CO)[C@@H](O)[C@H]1O
COC1=C(OC)C(=O)C(CC=C(C)C)=C(C)C1=O
CC(C)C[C@@H](NC(=O)[C@H](Cc1ccccc1)NC(=O)c1cnccn1)B(O)O
Fc1ccc(cc1)C(=O)C1CCN(CCN2C(=O)Nc3ccccc3C2=O)CC1
CCCCCCCCCCCCCCCC(=O)O
CCCCCCCC/C=C\CCCCCCCC(=O)O
CCCCC/C=C\C/C=C\C/C=C\C/C=C\CCCC(=O)O
# natural products
CC1=C2[C@@]([C@]([C@H]([C@@H]3[C@]4([C@H](OC4)C[C@@H]([C@]3(C(=O)[C@@H]2OC(=O)C)C)O)OC(=O)C)OC(=O)c5ccccc5)(C[C@@H]1OC(=O)[C@H](O)[C@@H](NC(=O)c6ccccc6)c7ccccc7)O)(C)C
O[C@@H]1Cc2c(O)cc(O)cc2O[C@@H]1c1ccc(O)c(O)c1
COc1cc(/C=C/C(=O)CC(=O)/C=C/c2ccc(O)c(OC)c2)ccc1O
CC(C)[C@@H]1CC[C@@H](C)C[C@H]1O
CC1(C)[C@H]2CC[C@]1(C)C(=O)C2
CC1=CC[C@@H]2C[C@H]1C2(C)C
C=C1CC[C@H]2C[C@@H]1C2(C)C
CC(=C)[C@@H]1CC=C(C)CC1
C/C(=C\CO)/C=C/C=C(\C)/C=C/C1=C(C)CCCC1(C)C
CC1=C(/C=C/C(C)=C/C=C/C(C)=C/C=C/C=C(C)/C=C/C=C(C)/C=C/C2=C(C)CCCC2(C)C)C(C)(C)CCC1
CN1[C@H]2CC[C@@H]1[C@H]([C@H](C2)OC(=O)c1ccccc1)C(=O)OC
COc1ccc2nccc([C@@H](O)[C@@H]3C[C@@H]4CCN3C[C@@H]4C=C)c2c1
CN1CC[C@]23[C@@H]4Oc5c(O)ccc(C[C@@H]1[C@@H]2C=C[C@@H]4O)c35
O=C1C[C@@H]2OCC=C3CN4CC[C@]56[C@@H]4C[C@@H]3[C@@H]2[C@@H]5N1c1ccccc61
CC[C@H]1C(=O)N(C)CC(=O)N(C)[C@@H](CC(C)C)C(=O)N[C@@H](C(C)C)C(=O)N(C)[C@@H](CC(C)C)C(=O)N[C@@H](C)C(=O)N[C@H](C)C(=O)N(C)[C@@H](CC(C)C)C(=O)N(C)[C@@H](CC(C)C)C(=O)N(C)[C@@H](C(C)C)C(=O)N(C)[C@@H]([C@H](O)[C@H](C)C/C=C/C)C(=O)N1
CC[C@@H]1[C@@]([C@@H]([C@H](C(=O)[C@@H](C[C@@]([C@@H]([C@H]([C@@H]([C@H](C(=O)O1)C)O[C@H]2C[C@@]([C@H]([C@@H](O2)C)O)(C)OC)C)O[C@H]3[C@@H]([C@H](C[C@H](O3)C)N(C)C)O)(C)O)C)C)O)(C)O
O=C1O[C@@H](CC(=O)C1)/C=C/c1ccccc1
O=c1cc(oc2cc(O)cc(O)c12)-c1ccc(O)cc1
OC[C@H]1O[C@@H](Oc2cc3c(O)cc(O)cc3[o+]c2-c2ccc(O)c(O)c2)[C@H](O)[C@@H](O)[C@@H]1O
CC12CCC(CC1)C(C)(C)O2
C[C@H]1CC[C@@H]2[C@H]1C=C(C)C(=O)CC2(C)C
CC(C)C1=CC2=CC[C@H]3[C@](C)(CCC[C@@]3(C)C(O)=O)[C@H]2CC1
OC1=C2C=CC=CC2=NC=C1
# macrocycles and peptides
C1CCCCCCCCCCCCCC1
O=C1CCCCCCCCCCCCCC1
C1COCCOCCOCCOCCOCCO1
C1CSCCSCCSCCS1
C1CNCCNCCCNCCNC1
N[C@@H](C)C(=O)N[C@@H](CO)C(=O)N[C@@H](Cc1ccc(O)cc1)C(O)=O
NCCCC[C@H](N)C(=O)N[C@@H](CCCNC(N)=N)C(=O)N[C@@H](Cc1cnc[nH]1)C(O)=O
N[C@@H](Cc1c[nH]c2ccccc12)C(=O)N1CCC[C@H]1C(=O)NCC(O)=O
CC[C@H](C)[C@H](N)C(=O)N[C@@H](CCSC)C(=O)N[C@@H](CC(N)=O)C(=O)N[C@@H](CS)C(O)=O
O=C1CNC(=O)CNC(=O)CNC(=O)CN1
C[C@@H]1NC(=O)[C@H](C)NC1=O
[NH3+][C@@H](CC([O-])=O)C([O-])=O
[NH3+]CC([O-])=O
C(C(=O)O)N
# sugars and nucleotides
OC[C@H]1OC(O)[C@H](O)[C@@H](O)[C@@H]1O
OC[C@H]1O[C@H](O[C@H]2[C@H](O)[C@@H](O)C(O)O[C@@H]2CO)[C@H](O)[C@@H](O)[C@@H]1O
OC[C@@H](O)[C@@H](O)[C@H](O)[C@H](O)C=O
OCC(=O)[C@@H](O)[C@H](O)[C@H](O)CO
CC(=O)N[C@@H]1[C@@H](O)C[C@@](O)(O[C@H]1[C@H](O)[C@H](O)CO)C(O)=O
Cc1cn([C@H]2C[C@H](O)[C@@H](COP(O)(=O)O)O2)c(=O)[nH]c1=O
NC(=O)c1ccc[n+](c1)[C@@H]1O[C@H](COP([O-])(=O)OP(O)(=O)OC[C@H]2O[C@H]([C@H](O)[C@@H]2O)n2cnc3c(N)ncnc23)[C@@H](O)[C@H]1O
Nc1nc2n(cnc2c(=O)[nH]1)[C@@H]1O[C@@H]2COP(O)(=O)O[C@H]2[C@H]1O
Cc1cc2nc3c(=O)[nH]c(=O)nc-3n(C[C@H](O)[C@H](O)[C@H](O)CO)c2cc1C
# salts, mixtures, ions
[Na+].[Cl-]
CC(=O)[O-].[Na+]
Cl.CN(C)CCCN1c2ccccc2CCc2ccccc12
OS(O)(=O)=O.CNCC
C[N+](C)(C)C.[Br-]
[K+].[O-]S(=O)(=O)c1ccccc1
O.O.CCO
[Ca+2].[O-]C(=O)CC(O)(CC([O-])=O)C([O-])=O
c1cc[nH+]cc1.[O-]Cl(=O)(=O)=O
[Li+].[AlH4-]
[BH4-].[Na+]
F[B-](F)(F)F.CCn1cc[n+](C)c1
F[P-](F)(F)(F)(F)F
[Fe+2]
[Zn+2]
[Cl-]
[OH-]
[NH4+]
[H+]
[OH3+]
[Mg+2].[O-]S([O-])(=O)=O
# isotopes and explicit hydrogens
[2H]C([2H])([2H])[2H]
[13CH4]
[2H]O[2H]
[3H]c1ccccc1
[13C]([13CH3])(=O)O
C[C@]([2H])(O)F
[2H][C@](C)(O)F
[H]C([H])([H])[H]
[H]O[H]
[H][H]
[2H][H]
[H]/C(C)=C(/[H])F
[H][C@@](C)(N)C(=O)O
[14C@H](C)(F)Cl
[125I]c1ccccc1
[H]N=C(N)N
# radicals, carbenes, atoms
[CH3]
C[CH]C
[O][O]
[N]=O
CC1(C)CCCC(C)(C)N1[O]
[CH2]
[C]
[OH]
C[C]C
[H]
[Na]
[He]
[O]
[SiH3]
c1cc[c]cc1
C[NH]
C[O]
[O-][N+](=O)[O]
[Cl]
[CH]=C
# nitrogen in its forms
C[N+](=O)[O-]
CN(=O)=O
O=N(=O)c1ccccc1
c1ccccc1[N+]([O-])=O
CC#N
C[N+]#[C-]
C[N+]#N
C=[N+]=[N-]
CN=[N+]=[N-]
CN=N#N
[N-]=[N+]=Nc1ccccc1
C/N=N/C
C/N=N\C
c1ccccc1/N=N/c1ccccc1
CN=C=O
CN=C=S
CN=C=NC
C/C=N/O
C/C=N\O
CC(C)=NO
CC(/C)=N/NC(N)=O
C[N+](C)(C)[O-]
CN(C)(C)=O
c1cc[n+]([O-])cc1
O=n1ccccc1
c1ccc2[nH]nnc2c1
c1nnn[nH]1
c1nn[nH]n1
Cn1nnnc1C
Cc1nnn[n-]1
c1ccc(cc1)-c1nnn[nH]1
C1=NN=NN1
N1C=CN=C1
c1c[nH]cn1
c1cn[nH]c1
c1c[nH+]c[nH]1
c1ncncn1
c1cc[nH]c1
c1ccncc1
c1cnccn1
n1ccccc1
c1nc2ncnc2[nH]1
c1ccc2c(c1)[nH]c1ccccc12
O=c1cc[nH]cc1
Oc1ccncc1
O=c1cccc[nH]1
Oc1ccccn1
CNC(=N)NC
CC(=N)N
CC(N)=[NH2+]
NC(=[NH2+])N
NN
NNC(=O)c1ccncc1
NO
CONC
CN(C)N=O
CN(C)O
N#N
[N-]=[N+]=[N-]
N#[N+]c1ccccc1
C1CN1
CN1CC1
C[N@]1CC1C
C[N@@+](CC)(CCC)CC=C
C[N@+]1(CC)CCCC[C@H]1C
C1C[N@]2CC[N@@]1CC2
C[N@@]12CC(C)(C1)C2
O=[N+]([O-])c1ccc(cc1)[N+](=O)[O-]
NS(N)(=O)=O
N=S(C)(C)=O
C[S@](=N)(=O)CC
# sulfur, phosphorus, halogens
C[S@](=O)CC
C[S@@](=O)c1ccccc1
CS(C)=O
C[S+](C)[O-]
C[S+](C)C
C[S@+](CC)CCC
CS(C)(=O)=O
CS(=O)(=O)O
CS(=O)(=O)[O-]
CS(=O)(=O)Cl
CS(=O)O
COS(=O)(=O)OC
CSSC
CS
C=S
CC(=S)N
CC(O)=S
CC(=O)S
S=C=S
O=C=O
O=S=O
O=S(=O)=O
FS(F)(F)(F)(F)F
FS(F)(F)(F)(F)c1ccccc1
CS(F)(F)F
C1CCS(=O)(=O)C1
c1ccsc1
c1cscn1
c1csnn1
[s+]1cccc1
c1cc[s+]cc1
O=s1cccc1
S1C=CSC1=C1SC=CS1
CP(C)C
CP(C)(C)=O
C[P+](C)(C)C
C[P@](=O)(OC)c1ccccc1
C[P@@](CC)c1ccccc1
C[P@@+](CC)(CCC)c1ccccc1
CP(=O)(O)O
OP(O)O
O=P(O)O
OP(O)(O)=O
[O-]P([O-])([O-])=O
COP(=O)(OC)OC
COP(=S)(OC)Oc1ccc(cc1)[N+]([O-])=O
CP(=O)(OC(C)C)F
CCOP(=O)(SCCN(C(C)C)C(C)C)C
ClP(Cl)Cl
ClP(Cl)(Cl)(Cl)Cl
C=P(c1ccccc1)(c1ccccc1)c1ccccc1
N1P=NP=NP=1
ClP1(Cl)=NP(Cl)(Cl)=NP(Cl)(Cl)=N1
p1ccccc1
c1cc[pH]c1
ClC(Cl)(Cl)Cl
FC(Br)(I)Cl
F[C@](Br)(I)Cl
OCl(=O)(=O)=O
[O-][Cl+3]([O-])([O-])[O-]
OI(=O)=O
CC(=O)OI1(OC(C)=O)(OC(C)=O)OC(=O)c2ccccc12
c1ccc([I+]c2ccccc2)cc1
FI(F)(F)(F)(F)(F)F
F[Cl](F)F
BrBr
II
F
Cl
# boron, silicon, selenium and heavier
OB(O)c1ccccc1
CC1(C)OB(OC1(C)C)c1ccccc1
B
CB(C)C
[BH3-][NH3+]
OB1OB(O)OB(O)O1
B1NBNBN1
b1[nH]b[nH]b[nH]1
[B-]1(F)(F)n2c(C)cc(C)c2C=C2C(C)=CC(C)=[N+]12
F[B-](F)(F)c1ccccc1
CB1OC(=O)CN(C)CC(=O)O1
C[Si](C)(C)C
C[Si](C)(C)O[Si](C)(C)C
[SiH4]
C[SiH2]C
C[Si@H](F)Cl
C[Si](C)(C)C#C
O[Si](O)(O)O
C[Si@@](CC)(c1ccccc1)O
C[Ge](C)(C)C
C[Sn](C)(C)C
CCCC[SnH](CCCC)CCCC
C[Se]C
c1cc[se]c1
c1cc[te]c1
N[C@@H](C[SeH])C(O)=O
C[Se](=O)C
O=[Se]=O
C[As](C)(O)=O
OC[As](O)O
C[Te]C
CC[Hg]Cl
C[Hg]C
CC[Pb](CC)(CC)CC
[Al](C)(C)C
C[Zn]C
C[Mg]Br
[Li]CCCC
CC(=O)O[Pd]OC(C)=O
N[Pt](N)(Cl)Cl
[NH3][Pt]([NH3])(Cl)Cl
N->[Pt](<-N)(Cl)Cl
[Cl-].[Cl-].N.N.[Pt+2]
[Fe+2].c1cc[cH-]c1.c1cc[cH-]c1
[CH-]1C=CC=C1.[CH-]1C=CC=C1.[Fe+2]
C[Ti](Cl)(Cl)Cl
O=[Os](=O)(=O)=O
[O-][Mn](=O)(=O)=O.[K+]
O=[Cr](=O)([O-])[O-]
[C-]#[O+].[Ni]
[Ru+2]
[U]
[Au]Cl
C1=CC=CC=CC=C1
[n-]1cccc1
[CH-]1C=CC=C1
[CH+]1C=CC=CC=C1
c1ccc[cH+]cc1
C[CH2-]
C[C+](C)C
[CH3-]
[C-]#N
[C-]#[O+]
[O-]O
OO
O=O
O=[O+][O-]
# double bond stereo
F/C=C/F
F/C=C\F
FC=CF
F\C=C\F
C/C=C/C=C/C
C/C=C\C=C/C
C/C=C/C=C\C=C
CC=CC=CC
C(/F)=C/Cl
F/C(Cl)=C(/Br)I
F/C(Cl)=C(\Br)I
C/C(F)=C(/C)Cl
C1CCCC/C=C/C1
C1CCCC/C=C\C1
C1CC/C=C/CCCCCCC1
C1CCCCC/C=C\1
O=C1CC/C=C\CCCCCCC1
C/C=C1/CCCC(C)C1
C/C=C1/CCCC1
C/C=C1\C[C@H](C)C1
C(=C/c1ccccc1)\c1ccccc1
OC(=O)/C=C/C(O)=O
OC(=O)/C=C\C(O)=O
C/C=C/1CC(C)C1
CC(/C=C/O)=C/C
CC/C(C)=N/OC
F/C=C/C=C
C\C=C\C
N/C(=N\C)C
CC=C=CC
CC=C=C=CC
C/C=C=C=C/C
CC=[C@]=CC
C=C=C
C#CC#C
CC#CC
c1ccc(cc1)C#Cc1ccccc1
# stereocentres
C[C@H](O)F
C[C@@H](O)F
[C@H](O)(F)C
[C@](C)(O)(F)Cl
O[C@H](C)[C@@H](C)O
O[C@H](C)[C@H](C)O
C[C@H]1CC[C@@H](C)CC1
C[C@H]1CC[C@H](C)CC1
C[C@@H]1CCC[C@H](C)C1
C[C@H]1C[C@@H](C)C[C@H](C)C1
C1C[C@H]2CC[C@@H]1C2
C1C[C@@H]2CC[C@H]1CC2
O[C@@H]1C[C@H]2CC[C@@H]1C2
C[C@]12CC[C@](C)(CC1)C2
[C@@H]1(Cl)CC[C@H](F)CC1
C[C@@H]1O[C@@H]1C
N[C@@]1(C)CCCCO1
C[C@H](F)[C@H](Cl)[C@@H](F)C
C[C@H](O)[C@@H](F)[C@@H](O)C
C[C@H](O)C(F)[C@@H](O)C
C[C@@H]1CC[C@H]2[C@@H](C)C(=O)O[C@@H]3O[C@@]4(C)CC[C@@H]1[C@@]23OO4
[C@]12(C)CCCC[C@H]1CCCC2
OC1CCCCC1[C@H](C)F
CC(C)(C)[C@@H](C)O
C[C@H](C)C
C[C@@](C)(C)O
C[C@H]1CC1
[C@@](F)(Cl)(Br)I
[C@TH1](F)(Cl)(Br)I
[C@TH2H](F)(Cl)Br
C1[C@H](O)C[C@@H](O)C[C@H]1O
OC1C(O)C(O)C(O)C(O)C1O
O[C@H]1[C@H](O)[C@@H](O)[C@H](O)[C@H](O)[C@@H]1O
# bridged, spiro, cages, fused
C1CC2CCC1C2
C1CC2CCC1CC2
C12C3C4C1C5C2C3C45
C1C2CC3CC1CC(C2)C3
C1C2CC3C1C4CC2CC3C4
C1CC2(C1)CCC2
C1CCC2(CC1)OCCO2
C1CC12CC2
C1CC11CC11CC1
C12CC1C2
C1CC2CC12
C1=CC2CCC1C2
C1C2CC1C2
C12CC(C1)C2
[C@@]12(CCCC1)CCCC2
O1CC2(C1)COC2
c1ccc2c(c1)Cc1ccccc1-2
c1ccc2ccccc2c1
c1ccc2cc3ccccc3cc2c1
c1cc2ccc3cccc4ccc(c1)c2c34
c1ccc2c(c1)ccc1ccccc12
c1cc2ccc3ccc4ccc5ccc6ccc1c1c2c3c4c5c61
c1ccc2c3cccc4cccc(c5cccc1c25)c43
C1=CC2=CC=CC=CC2=C1
c1ccc2cccc-2cc1
C1=Cc2cccc3cccc1c23
c1ccc-2c(c1)-c1ccccc1-2
c1ccccc1-c1ccccc1
c12c3c4c5c1c1c6c7c2c2c8c3c3c9c4c4c%10c5c5c1c1c6c6c%11c7c2c2c7c8c3c3c8c9c4c4c9c%10c5c5c1c1c6c6c%11c2c2c7c3c3c8c4c4c9c5c1c1c6c2c3c41
C1CC1
C1CCC1
C1CCCCC1
C%10CCCCC%10
C%(100)CCCC%(100)
C1CCCCC1C1CCCCC1
C1=CCCCC1
C1=CC=CC=C1
C1=CC=C1
c1ccccccc1
# atropisomers and dyes
Oc1ccc2ccccc2c1-c1c(O)ccc2ccccc12
Cc1cccc(C)c1-c1c(C)cccc1C
CN(C)c1ccc(cc1)C(c1ccc(cc1)N(C)C)=C1C=CC(=[N+](C)C)C=C1
CN(C)c1ccc2nc3ccc(cc3[s+]c2c1)N(C)C
O=C1OC2(c3ccc(O)cc3Oc3cc(O)ccc23)c2ccccc12
[O-]C(=O)c1ccccc1-c1c2ccc(cc2oc2cc(ccc12)=[N+](CC)CC)N(CC)CC
CC[N+]1=C(/C=C/C=C2/N(CC)c3ccccc3C2(C)C)C(C)(C)c2ccccc12
Nc1ccc(/N=N/c2ccccc2)c(N)c1
O=C1/C(=C2\Nc3ccccc3C2=O)Nc2ccccc12
O=C1c2ccccc2C(=O)c2ccccc12
c1cc2cc3ccc([nH]3)cc3ccc(n3)cc3ccc([nH]3)cc1n2
c1ccc2c(c1)c1nc2nc2[nH]c(nc3nc(nc4[nH]c(n1)c1ccccc41)c1ccccc31)c1ccccc21
CC1=C(CCC(O)=O)C2=Cc3c(CCC(O)=O)c(C)c4C=C5C(C=C)=C(C)C6=[N+]5[Fe-2]5(n34)n3c(=C6)c(C=C)c(C)c3=CC1=[N+]25
# others
O
C
N
S
P
CCO
CO
C=C
C#C
C=O
O=CO
OC=O
C(=O)(N)N
ClC=O
CC(C)=O
C=C=O
CC(=O)C
CC(=O)CC(=O)C
CC(O)=CC(C)=O
CC(=O)OC(C)=O
CC(=O)OOC(C)=O
COC
C1CO1
C1OCOCO1
O=C1CCCO1
O=C1CCN1
O=C1C=CC(=O)C=C1
O=C1C=CC(=O)N1
O=C1NC(=O)NC(=O)N1
Oc1nc(O)nc(O)n1
Cc1ccccc1O
c1ccoc1
c1cocn1
c1conc1
c1nnco1
o1nccn1
[o+]1ccccc1
c1ccc2occc2c1
O=c1occc2ccccc12
CC1=CC(=O)c2ccccc2C1=O
Brc1cc(Br)c(Oc2cc(Br)c(Br)cc2Br)cc1Br
Clc1cc2Oc3cc(Cl)c(Cl)cc3Oc2cc1Cl
FC(F)(F)C(F)(F)C(F)(F)C(F)(F)F
CCCCCCCCCCCCCCCCCCCCCCCCCCCCCC
OCC(O)CO
OC(CO)(CO)CO
C(CN(CC(=O)O)CC(=O)O)N(CC(=O)O)CC(=O)O
OC(=O)CN1CCN(CC(O)=O)CCN(CC(O)=O)CCN(CC(O)=O)CC1
CC(C)(C)c1cc(cc(c1O)C(C)(C)C)C
C12=C3C4=C5C1=C1C6=C2C2=C3C3=C4C4=C5C5=C1C1=C6C6=C2C2=C3C3=C4C4=C5C1=C1C6=C2C3=C41
CC(C)=CCC/C(C)=C/CC/C(C)=C/CC/C=C(\C)CC/C=C(\C)CCC=C(C)C
O=C(O)C1CC2CC1C=C2
C1CC2=C3C1CCC3CC2
CC1=NN(C(=O)C1)c1ccccc1
CN1C(=O)C=CC1=O
C1CCC(CC1)N=C=NC1CCCCC1
CC(=O)C1=C(O)C=C(C)OC1=O
OC1=CC(=O)OC(C1)C=Cc1ccccc1
CCOC(=O)C(C#N)=C(c1ccccc1)c1ccccc1
C/C(=N\O)/C(/C)=N/O
O=C(/C=C/c1ccccc1)/C=C/c1ccccc1
[O-][n+]1onc2ccccc12
CC1(C)N([O-])[N+]([O-])=C1
[O-][N+](=O)OCC(CO[N+]([O-])=O)O[N+]([O-])=O
CN1C=C[N+](C)=C1
CN1C=CN(C)[C]1
S=c1[nH]cn[nH]1
# dummies and odd writing
*C
*
C*
[*]C
[1*]c1ccccc1
*c1ccccc1
C(C)(C)C
C-C
C-1CCCCC1
C1CCCCC-1
C=1CCCCC=1
C=1CCCCC1
c1ccccc1C
c:1:c:c:c:c:c1
C(=O)O
C1.C1
C1CC.C1
[CH3][CH2][OH]
[CH4]
[C@H]1(F)CCCO1
C1CC[C@H]2CCCC[C@@H]2C1
OC(C)(C)C=C
CC(=O)O.CC(=O)O
[Cu+2].[O-]C(=O)C
[C@@H](N)(C)C(=O)O
CCO |$name$|
C:1:C:C:C:C:C1
[nH]1cccc1
[cH]1[cH][cH][cH][cH][cH]1
c1cc2cccc2c1
C1=CC=CN1
c1ccn(C)c1
n1c[nH]cc1
N1=CC=CC=C1
O=C1C=CNC=C1
[S-]c1ccccc1
C[NH2+]C
C[NH+](C)C
C[N-]S(C)(=O)=O
CC(=O)[CH-]C(C)=O
C[O-]
C[S-]
[O-]c1ccccc1
[2H]c1c([2H])c([2H])c([2H])c([2H])c1[2H]
CC(C)(C)OC(=O)N[C@@H](Cc1ccccc1)C(=O)O
O=C(OCC1c2ccccc2-c2ccccc12)N[C@@H](CCCCNC(=O)OC(C)(C)C)C(O)=O
"""

INVALID = [
    # what is wrong, SMILES
    ("nothing", ""),
    ("ring not closed", "C1CCCCC"),
    ("ring not closed", "c1ccccc"),
    ("ring not closed", "C%12CCCC"),
    ("ring not closed", "C1CC2CCC1"),
    ("ring to itself", "C11"),
    ("ring to itself", "CC22C"),
    ("ring twice", "C1C1"),
    ("ring twice", "C12CC12"),
    ("ring orders differ", "C=1CCCCC#1"),
    ("ring orders differ", "C-1CCCCC=1"),
    ("ring without atom", "1CCC1"),
    ("parenthesis", "CC)C"),
    ("parenthesis", "CC(C"),
    ("parenthesis", "CC(C))C"),
    ("parenthesis", "C(C(C)C"),
    ("parenthesis", "(C)C)"),
    ("parenthesis", "C()C"),
    ("parenthesis", "CC(=)C"),
    ("bracket", "C[NH"),
    ("bracket", "C]C"),
    ("bracket", "CC[]"),
    ("bracket", "[CH3"),
    ("bracket", "[[C]]"),
    ("bracket", "[C@H@](F)(Cl)Br"),
    ("bracket", "[12]C"),
    ("bracket", "[C+-]"),
    ("bracket", "[H2C]"),
    ("element", "CCXx"),
    ("element", "[Xx]"),
    ("element", "[Qq]C"),
    ("element", "CZC"),
    ("element", "J"),
    ("element", "[A]"),
    ("element", "CCo1cccc1Q"),
    ("element", "Na"),
    ("element", "Fe"),
    ("element", "Si"),
    ("element", "C[c]D"),
    ("element", "R"),
    ("text", "hello world"),
    ("text", "aspirin"),
    ("text", "InChI=1S/CH4/h1H4"),
    ("text", "C C(=O"),
    ("text", "benzene"),
    ("text", "CCO;CCN"),
    ("text", "CC,CC"),
    ("text", "C&C"),
    ("text", "C!C"),
    ("text", "C?C"),
    ("text", "\u00e4thanol"),
    ("text", "C\u2212C"),
    ("text", "\u4e2d\u6587"),
    ("text", "\U0001f600"),
    ("bond", "=CC("),
    ("bond", "C=="),
    ("bond", "C=#C"),
    ("bond", "CC="),
    ("bond", "C#"),
    ("bond", "=C"),
    ("bond", "C-=C"),
    ("bond", "C(=O)="),
    ("dot", "C..C("),
    ("dot", "C=.C"),
    ("reaction", "CC>>CO"),
    ("reaction", "CC>O>CO"),
    ("reaction", ">>"),
    ("valence", "CN(C)(C)(C)C"),
    ("valence", "C[N](C)(C)(C)C"),
    ("valence", "CFC"),
    ("valence", "CC(C)(C)(C)C"),
    ("valence", "C(C)(C)(C)(C)C"),
    ("valence", "CO(C)C"),
    ("valence", "C=O=C"),
    ("valence", "C#C#C"),
    ("valence", "CN(=O)(=O)=O"),
    ("valence", "CClC"),
    ("valence", "[CH5]"),
    ("valence", "[OH4]"),
    ("valence", "[NH5]"),
    ("valence", "[NH4]"),
    ("valence", "[CH4+]C"),
    ("valence", "C[NH3]"),
    ("valence", "CB(C)(C)C"),
    ("valence", "C[Si](C)(C)(C)C"),
    ("valence", "C[Al](C)(C)(C)(C)(C)(C)C"),
    ("valence", "F=F"),
    ("valence", "[H]C([H])([H])([H])[H]"),
    ("valence", "[H]O([H])[H]"),
    ("valence", "O=C=C=C=C(C)(C)C"),
    ("valence", "c1cccc(C)(C)c1"),
    ("valence", "c1ccccc1=O"),
    ("valence", "CS(C)(C)(C)(C)(C)C"),
    ("valence", "CP(C)(C)(C)(C)C"),
    ("valence", "C[N+](C)(C)(C)C"),
    ("valence", "C[O+](C)(C)C"),
    ("valence", "[Na+](C)C"),
    ("valence", "CC(=O)(=O)C"),
    ("valence", "N#CC#N=O"),
    ("valence", "C1=CC=CC=C1=C(C)(C)"),
    ("kekulise", "c1ccnc1"),
    ("kekulise", "c1cccc1"),
    ("kekulise", "c1ccccc1c"),
    ("kekulise", "cc"),
    ("kekulise", "c"),
    ("kekulise", "c1cnc[nH]1c"),
    ("kekulise", "c1cc2cccccc2c1c"),
    ("kekulise", "n1cccc1"),
    ("kekulise", "c1nccc1"),
    ("kekulise", "c1ccc2nccc2c1"),
    ("kekulise", "c1ncc2ncnc2n1"),
    ("kekulise", "c1cc[nH]cc1"),
    ("kekulise", "c1ccc(c1)C(=O)O"),
    ("kekulise", "Cn1cccc1n"),
    ("kekulise", "O=c1ccccc1"),
    ("kekulise", "c1ccccc1:C"),
    ("kekulise", "CcC"),
    ("kekulise", "c1cccccc1"),
    ("kekulise", "c1ccc1c"),
    ("charge", "C[N+++++++++++]C"),
    ("charge", "[C+99]"),
    ("isotope", "[9999999C]"),
    ("hydrogens", "[CH99]"),
    ("hydrogens", "[NHH2]"),
    ("stereo", "[C@@@H](F)(Cl)Br"),
    ("stereo", "[C@XX1](F)(Cl)(Br)I"),
    ("percent", "C%1CC%1"),
    ("percent", "C%CC"),
    ("space inside", "CC( C)C"),
]


def rows():
    seen = set()
    for line in VALID.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        smiles = line.split()[0] if "|" in line else line
        if smiles in seen:
            continue
        seen.add(smiles)
        yield smiles


def describe(smiles):
    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        return None
    scaffold = Chem.MolToSmiles(MurckoScaffold.GetScaffoldForMol(molecule))
    text = inchi.MolToInchi(molecule)
    return [
        smiles,
        Chem.MolToSmiles(molecule),
        text,
        inchi.InchiToInchiKey(text) if text else "",
        rdMolDescriptors.CalcMolFormula(molecule),
        f"{Descriptors.MolWt(molecule):.4f}",
        f"{Crippen.MolLogP(molecule):.4f}",
        f"{rdMolDescriptors.CalcTPSA(molecule):.3f}",
        str(Lipinski.NumHDonors(molecule)),
        str(rdMolDescriptors.CalcNumHBA(molecule)),
        str(rdMolDescriptors.CalcNumRotatableBonds(molecule)),
        f"{QED.qed(molecule):.5f}",
        str(rdMolDescriptors.CalcNumRings(molecule)),
        str(rdMolDescriptors.CalcNumAromaticRings(molecule)),
        scaffold,
    ]


HEADER = ("smiles canonical inchi inchikey formula molecular_weight log_p tpsa donors acceptors rotatable_bonds qed rings "
          "aromatic_rings scaffold").split()


def main():
    assert rdBase.rdkitVersion == "2026.09.1", rdBase.rdkitVersion
    refused = []
    with open("chemistry.tsv", "w", encoding="utf-8") as out:
        out.write("\t".join(HEADER) + "\n")
        for smiles in rows():
            row = describe(smiles)
            if row is None:
                refused.append(smiles)
            else:
                out.write("\t".join(row) + "\n")
    print("in VALID but refused by RDKit:", *refused, sep="\n  ")
    accepted = []
    with open("chemistry_invalid.tsv", "w", encoding="utf-8") as out:
        out.write("kind\tsmiles\n")
        for kind, smiles in INVALID:
            molecule = Chem.MolFromSmiles(smiles)
            if molecule is not None and molecule.GetNumAtoms() > 0:
                accepted.append((kind, smiles))
            else:
                out.write(f"{kind}\t{smiles}\n")
    print("in INVALID but read by RDKit:", *accepted, sep="\n  ")


if __name__ == "__main__":
    main()
