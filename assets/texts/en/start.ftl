## Top bar
menu-open = Open
menu-recent = Recent
menu-samples = Samples
menu-export = Export
language-switch = Language
samples-missing = The samples folder was not found beside the program
export-needs-result = That can be exported once there is a result that has it
export-needs-structure = Open a structure first; then it can be exported

## Samples
sample-kinase = Kinase and its inhibitor
sample-kinase-note = EGFR kinase with erlotinib (PDB 1M17): dock the drug and compare with the crystal
sample-protease = Protease dimer
sample-protease-note = HIV-1 protease with KNI-272 (PDB 1HPX): a large, flexible inhibitor
sample-nuclear-receptor = Nuclear receptor
sample-nuclear-receptor-note = Progesterone receptor with progesterone (PDB 1A28): a rigid ligand in a closed pocket
sample-thrombin-series = A series with measured affinities
sample-thrombin-series-note = Eleven thrombin inhibitors (PDB 2ZFF): does the score order them?
sample-adenylate-kinase = A protein in two states
sample-adenylate-kinase-note = Adenylate kinase open and closed (PDB 4AKE, 1AKE): a change of 7 Å
sample-dna-complex = Protein on DNA
sample-dna-complex-note = Lac repressor headpiece on its operator (PDB 1LCD): three models to look at

## Welcome
welcome-title = See how a molecule binds
welcome-text = Open a protein structure, add a ligand, say where it binds, and predict. Or begin with a sample: each is a real case that is ready to run.
welcome-open = Open a file…
welcome-drop = or drop one here: PDB, mmCIF, SDF, FASTA, a query or a run
welcome-samples = Begin with a sample
welcome-private = Everything runs on this computer. Nothing is sent anywhere.
menu-new = New
