## Settings of the program
preferences-title = Settings
preferences-general = General
preferences-privacy = Privacy
preferences-about = About
preferences-language = Language of the window
preferences-language-note = The window follows at once. Files and numbers are the same in every language
preferences-appearance = Appearance
preferences-appearance-note = Light suits figures and print, dark suits a dark room. System follows the computer
preferences-system = System
preferences-light = Light
preferences-dark = Dark
preferences-scale = Size of text
preferences-scale-note = Everything in the window grows with it; pictures that are exported do not
preferences-offline = Offline
preferences-offline-switch = Open no connection
preferences-offline-note = Nothing is sent and nothing fetched: no server, no download. Jobs of servers wait. Everything on this computer works
preferences-tour = Tour
preferences-tour-note = From nothing to a finished prediction in two minutes
offline-on = Offline: no connection is opened
offline-off = The offline switch is off

## Privacy
privacy-promise = There is no account, no counting of use and no search for updates. What you open stays on this computer unless you send it to a server yourself
privacy-sent = What can leave this computer
privacy-sent-server = A query and the files it names, when you run it on one of your servers. You are asked the first time for each.
privacy-no-servers = You have no servers
privacy-server-agreed = { $name }: you have agreed
privacy-server-asked = { $name }: you will be asked
privacy-withdraw = Ask again for { $name }
privacy-sent-weights = Fetching K-Fold's weights asks the places they are published at for files, and sends nothing of yours. It happens only when you ask for it.
privacy-kept = What is kept, and where
privacy-runs = Runs: queries, copies of their files, results and logs
privacy-sessions = Sessions that were saved by themselves, the last ten
privacy-preferences = These settings, and the names of the last files
privacy-servers = Your servers and their tokens, readable by you alone
privacy-lessons = Your own lessons

## About
about-text = Predicts how molecules bind, and shows it: K-Fold, docking with Vina's function and GNINA's networks, and a viewer, in one program.
about-license = Apache License 2.0. Data and models in it are named in NOTICE.md
about-packages = { $count } packages it is made of
about-filter = Name or licence
