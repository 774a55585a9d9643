## Lessons
lessons-hint = Open a lesson; its links drive the window, and its tasks tick themselves when they are done
lessons-own = Your own lessons: put a folder with en.md or ko.md into { $folder }
lessons-again = Read the folder again
lessons-back = All lessons
lesson-done = { $done } of { $count } tasks done
lesson-problem = For the writer of this lesson: { $what } is not understood
lesson-task = To do: { $what }
lesson-task-done = Done: { $what }
lesson-right = Right
lesson-wrong = Not quite. Think again
lesson-finished = All done. Well done!

## Tour
tour-step = Step { $step } of { $count }
tour-welcome = Welcome
tour-welcome-text = In two minutes you will have predicted how a hormone binds to its receptor, on this computer and without sending anything anywhere.
tour-begin = Begin
tour-skip = Not now
tour-sample = Open a case
tour-sample-text = A case is a query: a protein structure, a ligand, and the place where it may bind. Samples are ready to run; your own begins with a file.
tour-open = Open the sample
tour-predict = Predict how it binds
tour-predict-text = At the left stands what will be predicted: the receptor, progesterone with its picture, and the pocket. Change anything and undo it. Then start.
tour-start = Start the prediction
tour-wait = While it runs
tour-wait-text = Drag to turn the view, scroll to zoom, double-click an atom to go there. The prediction is a job of its own: it goes on when you close the window.
tour-read = Read the result
tour-read-text = At the right are the poses, the best first, with their contacts and checks. Green is the prediction, pink what the crystal shows: how near are they? Ctrl+K finds everything else.
tour-lessons = Go on with the lessons
tour-finish = Finish
tour-open-own = Open a file
tour-no-samples = The samples did not come with this program: open a structure or a query of your own, and give it a ligand.
