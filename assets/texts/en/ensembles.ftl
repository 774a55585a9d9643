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
