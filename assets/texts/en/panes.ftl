## Panels that can be docked
pane-query = Query
pane-view = View
pane-results = Results
pane-confidence = Confidence
pane-sequence = Sequence
pane-compare = Compare
pane-series = Series
pane-close = Close { $name }
menu-panes = Panels
panes-reset = Reset panels
panes-saved = Saved layouts
panes-name = Name of the layout
panes-save = Save this layout
panes-remove = Remove layout { $name }
pane-jobs = Jobs
pane-lessons = Lessons
