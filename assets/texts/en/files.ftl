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
