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
