## View
view-name = 3D view
view-representation = Representation
view-colour = Colour by
view-site = Site
view-site-hint = Side chains within 4.5 Å of the ligand
view-pocket-surface = Pocket surface
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
colour-electrostatics = Electrostatic potential
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
