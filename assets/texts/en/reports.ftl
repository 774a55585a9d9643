## Reports
report-settings = Settings
report-provenance = Provenance
report-picture = The view
report-subtitle = { $engine } · seeds { $seeds }
report-formula = Structural formula
report-properties = Properties of the ligand
report-passed = passed
report-failed = failed
report-more = { $count ->
    [one] One more row in the run's own files
   *[other] { $count } more rows in the run's own files
}
property-formula = Formula
property-weight = Mol. weight, g/mol
property-log-p = logP
property-tpsa = TPSA, Å²
property-donors = Donors
property-acceptors = Acceptors
property-rotatable = Rotatable bonds
property-qed = QED
provenance-program = Program
provenance-engine = Engine
provenance-seeds = Seeds
provenance-finished = Finished
