## Session file
dialog-save-session = Save the session as
session-saved-as = The session goes on in { $path }; it is saved there by itself
session-restored = The window had not been closed as it should be. Everything is back as it was
session-none = There is no earlier session to go on with
session-repaired = The session file was damaged ({ $damage }). An earlier save was opened; the damaged file lies beside it
session-newer = { $path } was saved by a newer K-Fold Studio. Update this one to open it; the file was not changed
session-busy = { $path } is open in another window
