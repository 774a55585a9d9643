## Query editor
copies-hint = Copies of this chain in the complex
copies-of = Copies of { $name }
sequence-add-pair = Add protein pair
sequence-add-pair-hint = Two proteins that bind as one, such as the heavy and light chain of an antibody: they share one unbound structure
sequence-clean = Remove { $count } wrong letters from: { $name }
sequence-clean-short = { $count ->
    [one] Remove the wrong letter
   *[other] Remove the { $count } wrong letters
}
paste-open = Paste FASTA…
paste-title = Sequences to add
paste-field = FASTA or plain letters
paste-hint = Many chains at once: a record is a chain, equal records are copies. Headers such as >A|protein are understood
paste-found = Found: { $list }
paste-proteins = { $count ->
    [one] 1 protein chain
   *[other] { $count } protein chains
}
paste-dna = { $count ->
    [one] 1 DNA chain
   *[other] { $count } DNA chains
}
paste-rna = { $count ->
    [one] 1 RNA chain
   *[other] { $count } RNA chains
}
paste-ligands = { $count ->
    [one] 1 ligand
   *[other] { $count } ligands
}
paste-add = Add these
paste-close = Close
apo-generated = { $count ->
    [one] Unbound state: AtlasFold makes 1 structure from the sequence
   *[other] Unbound state: AtlasFold makes { $count } structures from the sequence
}
apo-add-to = Add an unbound structure of { $name }
apo-open = Use the open structure
apo-open-for = Use the open structure as the unbound state of { $name }
modification-add = Modify a residue…
modification-add-to = Modify a residue of { $name }
modification-remove = Remove the modification { $name }
modification-outside = There is no position { $position } in the sequence of { $count } letters: remove that modification
modification-position = Position
modification-close = Close the modification
modification-pick = Type the position or click the residue in the view; then choose what it becomes
modification-frequent = Frequent:
component-hint = Name or code, e.g. phosphoserine, ATP
component-field = Component to search for
component-note = The dictionary of the Protein Data Bank: codes, names and other names
component-none = No component has this name or code
component-choose = { $code }: { $name }
ligand-add-code = By name or code…
ligand-add-drawing = Draw…
ligand-file-kfold = K-Fold takes no 3D file: press “Draw and edit” and put the ligand into the query as SMILES
ligand-open-stereo = { $count ->
    [one] One stereocentre is open: K-Fold may choose either form. Mark it in the SMILES by @ or @@
   *[other] { $count } stereocentres are open: K-Fold may choose either form. Mark them in the SMILES by @ or @@
}
sketch-edit = Draw and edit
sketch-edit-hint = Change atoms and bonds in a drawing
sketch-edit-of = Draw and edit { $name }
sketch-title = Draw a ligand
sketch-tool = What a click does
sketch-add = Add
sketch-change = Change
sketch-bond = Bond
sketch-ring = Ring
sketch-plus = +
sketch-minus = −
sketch-erase = Delete
sketch-element = Element
sketch-order = Bond order
sketch-single = Single
sketch-double = Double
sketch-triple = Triple
sketch-add-hint = Click an atom to hang a new one on it; click a bond to change its order
sketch-change-hint = Click an atom to make it this element
sketch-bond-hint = Click a bond to give it this order, or two atoms to join them
sketch-ring-hint = Click an atom to hang a benzene ring on it
sketch-charge-hint = Click an atom to change its charge by one
sketch-erase-hint = Click an atom or a bond to delete it; the larger piece stays
sketch-undo = Undo in the drawing
sketch-redo = Redo in the drawing
sketch-atom = Atom { $name }
sketch-bond-between = Bond { $a } – { $b }
sketch-formula = The drawing
sketch-numbers = { $formula } · { $weight } g/mol
sketch-refused = Not done: { $reason }
sketch-last-atom = Not done: nothing would be left
sketch-use = Put into the query
sketch-use-new = Add to the query
pocket-find = Find pockets
pocket-find-hint = Looks for clefts in the structure that a small molecule could fill, best first
pocket-finding = Looking for pockets…
pocket-none-found = The structure has no cleft that a small molecule could fill
pocket-found = Pocket { $number } · { $volume } Å³ · { $count } residues
section-bonds = Covalent bonds
bond-add = Add a bond…
bond-remove = Remove the bond { $name }
bond-ends = End of the bond
bond-end = Atom { $number }
bond-pick = Click an atom in the formula or in the view, first one end, then the other
bond-chain = Chain
bond-residue = Position
bond-atom = Atom { $name }
bond-no-picture = There is no formula to pick from: choose another position, or give the ligand first
bond-close = Close the bond
bond-docking = Bonds are for K-Fold; docking leaves them out
pick-not-in-query = This residue is in none of the query's sequences: add its sequence first
settings-min-rmsd = Poses apart by
settings-min-rmsd-hint = A pose nearer than this to a better one is dropped (symmetry-aware RMSD)
settings-energy-range = Energy range
settings-energy-range-hint = Poses worse than the best by more than this are dropped
settings-seeds = Seeds
settings-seeds-hint = One run for each, e.g. 1, 2, 5 or 1-5. The same seed gives the same result
settings-seeds-wrong = Different whole numbers from { $least }, at most 1,000, e.g. 1, 2, 5 or 1-5
settings-pockets = Pockets searched
settings-pockets-hint = Without a pocket, so many of the best that are found are searched
settings-scaffold = Hold the scaffold
settings-scaffold-hint = What a ligand shares with the reference ligand stays where that has it
settings-scaffold-needs = There is no reference ligand: give the pocket by a ligand file
settings-flexible-within = Flexible within
settings-flexible-within-hint = Side chains this near to the reference ligand turn during the search; 0 for none
settings-dock-ensemble = Dock into the conformers
settings-dock-ensemble-hint = Each ligand is docked into every conformer too; a pose says into which
flexible-remove = Keep { $name } rigid
flexible-pick = Pick flexible residues in the view
flexible-name = Flexible residues
flexible-hint = These side chains turn during the search. Without any the protein is rigid, which is faster and usually right
estimate-head = { $tokens } tokens · { $atoms } atoms
estimate-not-yet = Tokens: not known yet
estimate-counting = Counting tokens…
estimate-none = No estimate yet: { $reason }
estimate-device = K-Fold on
estimate-memory = Memory
estimate-time = Time
estimate-full = Full model, { $threads } threads
estimate-light = Light model, { $threads } threads
estimate-full-name = full
estimate-light-name = light
estimate-card = { $name }
estimate-of = { $peak } of { $free } free
estimate-free = { $free } free on the card
estimate-unknown = unknown
estimate-learned = Times are learned from runs on this computer; there are none yet
estimate-weights = K-Fold's weights are not on this computer yet
estimate-too-large = The { $name } model needs { $peak } and { $free } are free.
estimate-way-light = The light model fits.
estimate-way-tokens = Up to about { $tokens } tokens fit.
estimate-way-server = Or a server with { $peak } free.
estimate-docking = { $count ->
    [one] Docking 1 ligand takes about { $time } on { $threads } threads
   *[other] Docking { $count } ligands takes about { $time } on { $threads } threads
}
estimate-docking-hint = By the mean of our benchmark; flexible ligands and large boxes take longer
problem-of-entry = chain { $entry }: { $what }
pick-in-formula = Click the ligand’s atom in its formula on the left: the atoms in the view need not be in the order of your SMILES
