## Reading one result
section-samples-grid = Seeds and samples
grid-seed = Seed { $seed }
grid-cell = Seed { $seed }, sample { $sample }: rank { $rank }, ranking score { $score }
grid-note = Ranking score of each sample: light is best. Click to show one.
section-plddt = pLDDT along the sequence
plddt-axis = pLDDT, 0 to 100
axis-residue = Residue, in order
sequence-row = Sequence of chain { $chain }, { $first } to { $last }
section-errors = Predicted errors of pairs
errors-none = This run did not save its error maps. Runs started in this window do; on the command line it is --save-confidence.
errors-pae = PAE
errors-pde = PDE
errors-map-pae = Map of predicted aligned errors (PAE), Å
errors-map-pde = Map of predicted distance errors (PDE), Å
errors-aligned-on = aligned on
errors-scored = scored
errors-first = first token
errors-second = second token
errors-hint = Drag a box: its tokens light up in the view. Blue marks at the edges are what is selected there.
errors-box = Rows { $aligned }; columns { $scored }; mean error { $mean } Å
errors-save-png = Save map as PNG…
errors-save-csv = Save map as CSV…
section-site = Interaction diagram
site-description = Interaction diagram of the ligand's site with { $count } interactions
site-save-svg = Save diagram as SVG…
site-save-png = Save diagram as PNG…
section-affinity = Predicted affinity
affinity-text = Predicted pK { $value }, that is about { $middle }. With the usual error of ±{ $error } anything from { $strong } to { $weak } would fit: use it to order ligands, not as a measurement.
affinity-head-note = Activity as K-Fold's affinity head predicts it (pK of mol/L), { $count ->
    [one] of one seed
   *[other] mean and spread of { $count } seeds
}
checks-all-passed = All checks passed
