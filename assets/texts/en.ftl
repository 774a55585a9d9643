# The sentences of the window in English.
# Style: sentence case; no full stop after a single sentence of a label; units always.

## Commands
command-new = New query
command-open = Open file…
command-open-run = Open run folder…
command-save = Save query
command-save-as = Save query as…
command-export-pdb = Export structure (PDB)…
command-export-sdf = Export poses (SDF)…
command-export-csv = Export table (CSV)…
command-export-png = Export picture (PNG)…
command-undo = Undo
command-redo = Redo
command-predict = Predict
command-cancel = Cancel
command-previous-pose = Previous pose
command-next-pose = Next pose
command-play = Play or pause models
command-cartoon = Cartoon
command-sticks = Sticks
command-spheres = Spheres
command-site = Side chains around the ligand
command-interactions = Interactions
command-reset-view = Show everything
command-focus-ligand = Show ligand or pocket
command-select = Select atoms
command-focus-selection = Go to the selection
command-hide-selection = Hide the selection
command-isolate-selection = Show the selection alone
command-show-all = Show hidden atoms
command-appearance = Light or dark
command-language = Switch language
command-help = Keys and mouse

## Top bar
menu-open = Open
menu-recent = Recent
menu-samples = Samples
menu-export = Export
language-switch = Language
samples-missing = The samples folder was not found beside the program
export-needs-poses = Poses can be exported after a prediction
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

## Query
query-name = Name
query-name-hint = letters, digits, _ . -
section-structure = Protein structure
section-ligands = Ligand
section-pocket = Pocket
section-sequences = Sequences
section-settings = Settings
structure-choose = Choose a structure…
structure-hint = PDB or mmCIF, plain or .gz. Docking needs the known structure of the protein.
structure-replace = Replace…
structure-remove = Remove the structure
structure-from-apo = The unbound structure of the only protein
structure-others = Also in the file: { $list }
structure-waters = { $count ->
    [one] 1 water molecule
   *[other] { $count } water molecules
}
structure-models = { $count ->
    [one] 1 model
   *[other] { $count } models; the first is used for docking
}
file-reading = Reading…
chain-summary-protein = { $id } · protein, { $count ->
    [one] 1 residue
   *[other] { $count } residues
}
chain-summary-dna = { $id } · DNA, { $count ->
    [one] 1 nucleotide
   *[other] { $count } nucleotides
}
chain-summary-rna = { $id } · RNA, { $count ->
    [one] 1 nucleotide
   *[other] { $count } nucleotides
}
chain-summary-other = { $id } · { $count ->
    [one] 1 residue
   *[other] { $count } residues
}
entity-protein = Protein { $ids }
entity-dna = DNA { $ids }
entity-rna = RNA { $ids }
entity-pair = Protein pair { $ids }
entity-ligand = Ligand { $ids }
entity-remove = Remove { $name }
sequence-length = { $count ->
    [one] 1 letter
   *[other] { $count } letters
}
sequence-of = Sequence of { $name }
sequence-hint = Paste letters or FASTA
sequence-add-protein = Add protein
sequence-add-dna = Add DNA
sequence-add-rna = Add RNA
sequences-hint = For K-Fold and for the record; docking reads the structure
apo-file = Unbound state { $number }: { $name }
apo-remove = Remove { $name }
apo-add = Add unbound structure…
apo-hint = A structure of this protein without its partner. With two, the change between them can be shown.
smiles-hint = SMILES, e.g. CC(=O)Oc1ccccc1C(=O)O
smiles-of = SMILES of { $name }
smiles-empty = Paste the SMILES of the ligand; its picture appears here
ligand-picture-of = Structural formula of { $name }
ligand-numbers = { $formula } · { $weight } g/mol · { $rotatable ->
    [one] 1 rotatable bond
   *[other] { $rotatable } rotatable bonds
}
ligand-drawing = Drawing…
ligand-ccd = Docking takes one component, not several joined: give the ligand as SMILES or SDF
ligand-add-smiles = Add SMILES
ligand-add-file = Add file…
ligand-add-series = Load series…
series-title = { $count ->
    [one] Series of 1 ligand
   *[other] Series of { $count } ligands
}
series-remove = Remove the series
series-measured = pK { $pk }
series-more = and { $count } more
pocket-hint = Say where the ligand binds: around a ligand in a file, around residues, or in a box. Without it, docking searches the best pockets that it finds
pocket-kind-ligand = Ligand file
pocket-kind-residues = Residues
pocket-kind-box = Box
pocket-remove = Remove the pocket
pocket-reference = The box is drawn around this ligand; poses of the same molecule are compared with it
pocket-around = Around { $name }
pocket-padding = Padding
pocket-pick = Pick residues in the view
pocket-residue = Residues to add
pocket-residue-hint = A:145
pocket-residue-add = Add
pocket-residue-remove = Remove residue { $name }
pocket-center = Centre
pocket-size = Size
pocket-box = Box { $size } Å around ({ $center }) Å

## Settings
settings-scoring = Scoring
settings-cnn = Rank by networks
settings-cnn-hint = GNINA's trained networks judge the poses and predict pK. Off: energy alone, a little faster.
settings-exhaustiveness = Exhaustiveness
settings-exhaustiveness-hint = Search effort: time grows in proportion. 8 is usual; take 32 for ligands with more than ten rotatable bonds.
settings-poses = Poses
settings-poses-hint = Poses kept for each ligand, at most
settings-seed = Seed
settings-seed-hint = The same seed gives the same result
settings-engine = Engine
settings-samples = Samples
settings-samples-hint = Complexes to sample; each has its own confidence
settings-recycles = Recycles
settings-recycles-hint = Cycles of the trunk after the first: more take longer
settings-steps = Steps
settings-steps-hint = Steps of the sampler: more take longer
settings-apos = Apo structures
settings-apos-hint = Structures to generate for each protein that is given none, 1 to 5
settings-save-confidence = Keep PAE, PDE and pLDDT of every atom
settings-conformers = Protein conformers
settings-conformers-hint = Conformers of the protein from its softest motions (elastic network); 0 for none
settings-amplitude = Amplitude
settings-amplitude-hint = How far the conformers go from the structure: RMSD over CA atoms
settings-threads = Threads
settings-threads-hint = 0 uses all cores. The result does not depend on it.
predict-engine = Engine: { $engine }. Runs in its own process on this computer.
predict-server = Engine: { $engine }. Runs on the server { $name }: the query and its files are sent there.

## Problems: why Predict is disabled
problem-name = The name becomes file names: use letters, digits, _ . and - only
problem-no-name = Give the query a name
problem-letter-protein = Letter { $letter } at position { $position } is no amino acid: remove it, or write X for an unknown residue
problem-letter-dna = Letter { $letter } at position { $position } is no DNA base: use A, C, G, T, or N for an unknown base
problem-letter-rna = Letter { $letter } at position { $position } is no RNA base: use A, C, G, U, or N for an unknown base
problem-empty-sequence = A sequence is empty: paste its letters or remove it
problem-no-structure = Choose a protein structure
problem-several-proteins = There are several proteins: choose the structure to dock to
problem-structure-reading = The structure is being read
problem-structure-failed = The structure could not be read: choose another file
problem-no-ligand = Add a ligand: paste SMILES or choose a file
problem-no-entry = Add a protein, DNA, RNA or a ligand
problem-no-weights = K-Fold's weights are not in { $folder }: bring them there with “kfold-studio models”
problem-empty-smiles = A ligand has no SMILES yet: paste it or remove the ligand
problem-wrong-ligand = A ligand cannot be understood: correct it
problem-no-residues = Name the pocket's residues, e.g. A:145, or pick them in the view
problem-residue = There is no residue { $name } in the structure: correct its chain or number
problem-pocket-reading = The pocket is being read

## Run
stage-start = Starting
stage-prepare = Preparing
stage-grids = Computing grids
stage-search = Searching poses
stage-refine = Refining poses
stage-score = Asking the networks
stage-check = Checking poses
stage-ensemble = Making protein conformers
stage-write = Writing results
stage-apo = Folding apo structures
stage-tokens = Reading apo structures
stage-encode = Running the encoders
stage-trunk = Running the trunk
stage-sampling = Sampling complexes
stage-confidence = Judging confidence
stage-upload = Sending to the server
stage-queue = Waiting for its turn on the server
stage-fetch = Fetching results
stage-waiting = Waiting for the server to answer
run-where = Where it runs
run-here = This computer
run-progress = Progress
run-elapsed = { $time } so far
run-left = about { $time } left
run-seeds = seed { $done } of { $count } done
run-cancelling = Cancelling…
run-cancelled = The prediction was cancelled
run-no-program = This program cannot find itself to start the prediction: start it from its installed place
time-seconds = { $count } s
time-minutes = { $count } min

## View
view-name = 3D view
view-representation = Representation
view-colour = Colour by
view-site = Site
view-site-hint = Side chains within 4.5 Å of the ligand
view-interactions = Interactions
view-waters = Waters
view-hint = Drag to turn, right-drag to move, scroll to zoom, double-click to centre
view-software = Software rendering
view-no-device = The 3D view cannot draw: { $reason }
selection-field = Selection
selection-hint = Select: chain A · /A:10-20 · resn HOH · byres (ligand around 5)
selection-count = { $atoms ->
    [one] 1 atom
   *[other] { $atoms } atoms
} in { $residues ->
    [one] 1 residue
   *[other] { $residues } residues
}
selection-none = No such atom
selection-wrong = Column { $column }: { $what }; expected { $expected }.
selection-suggestion = Did you mean { $word }?
selection-hide = Hide
selection-isolate = Isolate
selection-show-all = Show all
selection-grain = What a click selects
measure-name = Measure
measure-hint = Click atoms one after the other: two for a distance, three for an angle, four for a dihedral angle
measure-off = Clicks select
measure-distance = Distance
measure-angle = Angle
measure-dihedral = Dihedral
measure-clear = Clear measurements
labels-name = Labels
labels-hint = Names of what is selected
labels-off = No labels
labels-residues = Residue labels
labels-atoms = Atom labels
grain-atom = Atom
grain-residue = Residue
grain-chain = Chain
grain-molecule = Molecule
colour-chain = Chain
colour-entity = Entity
colour-secondary-structure = Secondary structure
colour-position = Position in the chain
colour-residue-class = Kind of residue
colour-hydropathy = Hydrophobicity
colour-charge = Charge
colour-element = Element
colour-b-factor = B-factor
colour-plddt = pLDDT, bands
colour-plddt-scale = pLDDT, continuous
colour-fluctuation = Fluctuation (RMSF)
legend-pose = Pose { $rank }
legend-reference = Reference ligand
legend-first = first residue
legend-last = last
legend-hydrophilic = hydrophilic
legend-hydrophobic = hydrophobic
legend-unnamed = without name
legend-helix = Helix
legend-strand = Strand
legend-coil = Coil
legend-small = small
legend-polar = polar
legend-negative = negative
legend-positive = positive
legend-other = other
legend-more = and { $count } more
readout-hovered = { $atom }
readout-clicked = Clicked: { $atom }
readout-atom = chain { $chain } · { $residue } { $number } · { $atom }
readout-ligand = ligand · { $atom }
readout-reference = reference ligand · { $atom }

## Results
result-provenance = Made by { $engine }, seed { $seed }, version { $version }
result-folder = Where this run lives
result-empty = The run gave no poses
section-series = Ligands
section-poses = Poses of { $name }
section-interactions = Interactions ({ $count })
section-checks = Checks passed: { $passed } of { $count }
column-ligand = Ligand
column-score = kcal/mol
column-score-hint = Docking score: an estimate of the free energy of binding; lower is better
column-efficiency = LE
column-efficiency-hint = Ligand efficiency: score divided by heavy atoms, kcal/mol
column-probability = P
column-probability-hint = Probability that the pose is within 2 Å of the true one, as the networks see it
column-pk = Pred. pK
column-pk-hint = Predicted pK, not a measurement. After ±: how far the networks differ; the error can be larger. Without networks it is the energy as pK.
column-measured = Measured pK
column-measured-hint = -log10 of the measured affinity in mol/L; higher binds more tightly
column-checks = Checks
column-checks-hint = Chemical and physical checks that the pose passes
section-complexes = Samples of K-Fold
section-complex-ligands = Ligands of this sample
column-rank-complex-hint = 1 is the best ranking score of all seeds
column-seed = Seed/no.
column-seed-hint = The seed, and the sample of that seed
column-ranking = Ranking
column-ranking-hint = 0.8 ipTM + 0.2 pTM, less 100 where polymers run into each other
column-plddt-hint = Confidence in the place of atoms, 0 to 100
column-iptm-hint = Confidence in how the chains lie to each other, 0 to 1
column-ptm-hint = Confidence in the whole fold, 0 to 1
column-iptm-ligand-hint = Highest ipTM of the ligand with a polymer, 0 to 1
column-docking-score = Docking kcal/mol
column-docking-score-hint = What the docking engine's function makes of this predicted pose: an estimate, no number of K-Fold's
complex-row = Sample { $rank }: ranking score { $ranking }, pLDDT { $plddt }, ipTM { $iptm }
complex-ligand-row = { $name }: pLDDT { $plddt }, { $passed } of { $checks } checks passed
complex-wrong-stereo = { $name }: the configuration at { $atoms } is not that of the input
complex-clash = Two polymers of this sample run into each other
complexes-units = pLDDT 0 to 100, ipTM and pTM 0 to 1. The structure is coloured by pLDDT.
trust-complex = Confidence is the model's own estimate of its error, not a measurement; it says nothing about affinity
column-rank-hint = Rank by the networks and the energy, or by energy alone when they are off
column-rmsd-best = to best
column-rmsd-best-hint = RMSD to the best pose in Å, symmetry taken into account
column-rmsd-reference = to ref.
column-rmsd-reference-hint = RMSD to the reference ligand in Å, symmetry taken into account; below 2 Å counts as the same pose
column-kind = Kind
column-residue = Residue
column-distance = Å
column-distance-hint = Distance of the two ends in Å
column-angle = °
column-angle-hint = The angle that this kind is judged by, in degrees
column-check = Check
column-value = Value
column-limit = Limit
ligand-row = { $name }: { $score } kcal/mol, predicted pK { $pk }, measured pK { $measured }
pose-row = Pose { $rank }: { $score } kcal/mol, { $passed } of { $checks } checks passed
interaction-row = { $kind } with { $residue }, { $distance } Å
check-row-passed = { $name }: passed, { $value }, limit { $limit }
check-row-failed = { $name }: failed, { $value }, limit { $limit }
poses-none = No pose was found in the box: make the box larger or check that it lies on the protein
poses-units = Score and LE in kcal/mol; RMSD in Å
interactions-none = No interaction meets the criteria
series-correlation = Predicted against measured pK over { $count } ligands: Spearman { $spearman } (95 % { $interval }), Pearson { $pearson }, Kendall { $kendall }; number of heavy atoms alone: Spearman { $heavy }
series-plot = Predicted against measured pK
axis-measured = Measured pK
axis-predicted = Predicted pK
trust-score = An estimate by an empirical function: good for ordering the poses of one ligand, weaker for ordering ligands, not a measured affinity
trust-cnn = P and pK are predictions of networks that have seen many known complexes: expect an error of one to two units of pK, more for targets and chemistry unlike those.
trust-failed-checks = This pose fails a check below: look at it before you trust its score, which is an estimate and not a measured affinity
score-parts = Between molecules { $inter }, within the ligand { $intra } kcal/mol; { $rotatable ->
    [one] 1 rotatable bond counted
   *[other] { $rotatable } rotatable bonds counted
}
interaction-hydrogen-bond = Hydrogen bond
interaction-water-bridge = Water bridge
interaction-salt-bridge = Salt bridge
interaction-pi-stacking = π stacking
interaction-cation-pi = Cation–π
interaction-halogen-bond = Halogen bond
interaction-hydrophobic = Hydrophobic
interaction-metal = Metal
interaction-weak-hydrogen-bond = Weak hydrogen bond
interaction-clash = Clash
check-sanitisation = Rules of valence
check-formula = Atoms differ from the input's
check-connectivity = Bonds differ from the input's
check-tetrahedral-stereo = Stereo centres changed
check-double-bond-stereo = Double bonds turned over
check-bond-lengths = Bond lengths, ratio to ideal
check-bond-angles = Bond angles, ratio to ideal
check-ring-planarity = Flat aromatic rings
check-double-bond-planarity = Flat double bonds
check-internal-clash = Contacts within the ligand
check-energy-ratio = Energy, ratio to free conformers
check-strain = Strain over the best free conformer
check-protein-distance = Contacts with protein
check-organic-cofactor-distance = Contacts with organic cofactors
check-inorganic-cofactor-distance = Contacts with metals and ions
check-water-distance = Contacts with waters
check-protein-overlap = Overlap with protein
check-organic-cofactor-overlap = Overlap with organic cofactors
check-inorganic-cofactor-overlap = Overlap with metals and ions
check-water-overlap = Overlap with waters

## Ensembles
ensemble-conformers = Protein conformers (elastic network)
ensemble-morph = From { $first } to { $second }
ensemble-show-morph = Show the change between the states
ensemble-file = Models of { $name }
ensemble-show = Show protein conformers
ensemble-hide = Back to the poses
ensemble-close = Close the ensemble
ensemble-making = Comparing the models…
ensemble-play = Play
ensemble-pause = Pause
ensemble-model = Model
ensemble-place = { $number } of { $count } · RMSD { $rmsd } Å to the first
ensemble-rmsf = RMSF, Å
ensemble-note = Click the plot to go to a residue. The models are superposed on the first.
ensemble-note-morph = An interpolated path, not a simulation. It lies on the part that moves least. Click the plot to go to a residue.
ensemble-show-models = Compare the models

## Files
dialog-open = Open a query, structure, ligand, sequence or series
dialog-open-run = Open the folder of a run
dialog-structure = Choose the protein structure
dialog-ligand = Choose a ligand (SDF or MOL)
dialog-series = Choose a series of ligands (CSV, SMI or SDF)
dialog-pocket-ligand = Choose the ligand that marks the pocket
dialog-apo = Choose an unbound structure
dialog-save-query = Save the query
dialog-export-pdb = Export the structure
dialog-export-sdf = Export the poses
dialog-export-csv = Export the table
dialog-export-png = Export the picture
dialog-files = Files
dialog-cancel = Cancel
path-hint = This desktop offers no file dialog: type or paste the path
path-field = Path
path-open = Open it
path-write = Write it
path-missing = There is nothing at this path
path-overwrites = This file exists and will be replaced
open-missing = There is nothing at { $path }: check the path
open-unknown = { $path } is none of the files that can be opened: take PDB, mmCIF, SDF, FASTA, CSV, a query (YAML or JSON) or the folder of a run
written-to = Written to { $path }
drop-hint = Drop to open
notice-close = Close this message
background-busy = Too much is being read at the moment: try again shortly
background-crashed = A fault in the program ({ $lane }): { $what }. Nothing is lost; please report it.

## Closing
close-title = Close K-Fold Studio?
close-running = A prediction is running. It can go on without the window; open its folder later to see the result.
close-unsaved = The query has changes that are in no file
close-keep-running = Keep it running and close
close-cancel-run = Cancel it and close
close-save = Save the query
close-discard = Close without saving
close-stay = Do not close

## Help
help-title = Keys and mouse
help-orbit = Turn the view
help-orbit-how = drag, or arrow keys
help-pan = Move the view
help-pan-how = right-drag, or Shift and arrow keys
help-zoom = Zoom
help-zoom-how = scroll, or + and −
help-centre = Centre on an atom
help-centre-how = double-click it
help-pick = Select
help-pick-how = click; with Shift to add or take out
