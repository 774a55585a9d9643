## Jobs
jobs-hint = Jobs go on when the window is closed. One runs here at a time; those of servers run there at once
jobs-finished-notice = { $name } is finished
job-waiting = Waiting, place { $place }
job-offline = Waiting for the network
job-running = Running
job-paused = Paused
job-finished = Finished
job-cancelled = Cancelled
job-failed = Failed
job-lost = Stopped
job-ago = { $time } ago
job-progress = Progress of { $name }
job-sooner = Sooner
job-sooner-name = { $name } sooner
job-later = Later
job-later-name = { $name } later
job-pause = Pause
job-pause-name = Pause { $name }
job-resume = Resume
job-resume-name = Resume { $name }
job-cancel = Cancel
job-cancel-name = Cancel { $name }
job-open = Show results
job-open-name = Show results of { $name }
job-retry = Try again
job-retry-name = Try { $name } again
job-log = Log
job-log-name = Log of { $name }
log-title = Log of { $name }
log-again = Read again
log-copy = Copy
log-empty = Nothing has happened yet
log-started = Worker { $process } took the job
log-seed = Seed { $seed } begun
log-seed-done = Seed { $seed } done
log-ligand = { $name }: { $poses } poses, best { $score } kcal/mol
log-complex = { $name }: { $samples ->
    [one] 1 sample
   *[other] { $samples } samples
}, best ranking score { $score }
log-warning = Warning: { $what }
log-finished = Finished
log-cancelled = Cancelled
log-failed = Failed: { $why }
log-worker = What the worker wrote:

## What to do after a failure
cause-memory = The computer or its card ran out of memory. Close other programs, take fewer samples or a smaller query, or send it to a server
cause-disk = The disk is full. Free some space, then try again: what is finished stays
cause-permission = A folder may not be written. Check who may write there, or choose another folder for runs
cause-offline = The offline switch is on. Turn it off in the settings, or run on this computer
cause-weights = K-Fold's weights are not here. Fetch them (kfold-studio models pull), choose a server, or dock instead
cause-token = The server does not know you. Ask its keeper for a new token and add the server again
cause-too-large = The server takes no query of this size. Make it smaller, or run it here
cause-server-busy = The server has too much to do. Try again a little later
cause-refused = The server refused the job. Its answer says why; ask its keeper if that does not help
cause-unreachable = The server cannot be reached. Check the network and the address, then try again: nothing is lost
cause-driver = The graphics card could not be used. Update its driver, or run on the processor
cause-component = A component code is not in the dictionary. Check its spelling, or give the ligand as SMILES
cause-conformer = No 3D shape could be made of a ligand. Check its SMILES, or give it as a file with coordinates
cause-file = A file of the job is gone. Open the query again and predict anew
cause-running = Another program is running this job. Wait for it, or cancel it there
cause-fault = This is a fault of K-Fold Studio, not of yours. Please report it with the log
cause-killed = The worker was stopped from outside: often the system, for want of memory. Try again: it goes on where it was
