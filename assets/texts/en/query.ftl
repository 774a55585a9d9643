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

## Queries of other programs
import-done = Opened as a K-Fold query: it was written for { $program }. Saving asks for a new file.
import-left-out = { $count ->
    [one] One thing could not come along:
   *[other] { $count } things could not come along:
}
import-more = and { $count } more
import-other-jobs = { $count ->
    [one] The file holds another job, which is not opened: { $names }
   *[other] The file holds { $count } more jobs, which are not opened: { $names }
}
