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

## Servers
preferences-servers = Servers
servers-note = Another computer of yours that predicts: a workstation with a graphics card, or a cluster. docs/server.md says how to set one up. Nothing is sent to a server before you have agreed once
servers-offline = The offline switch is on, so no server is asked. Turn it off on the page General
servers-add-title = Add a server
servers-change-title = Change { $name }
servers-name = Name of the server
servers-address = Address
servers-address-hint = https://gpu.lab:8470
servers-token = Token
servers-token-hint = What the server's keeper gave you
servers-token-kept = Leave empty to keep the token
servers-certificate = Certificate
servers-certificate-hint = Only for a server that made its own
servers-certificate-choose = Choose a certificate
servers-choose = Choose…
servers-test-and-keep = Ask it and keep it
servers-keep = Keep without asking
servers-test = Test
servers-test-of = Test { $name }
servers-change = Change
servers-change-of = Change { $name }
servers-remove = Remove
servers-remove-of = Remove { $name }
servers-answer = Answers: { $engines } on { $devices }; { $running } running, { $waiting } waiting
servers-processor = its processor
servers-need-name = Give the server a name
servers-need-address = Give the address of the server
servers-need-token = Give the token: whoever keeps the server makes one for you
servers-name-taken = Another server has this name
servers-busy = Jobs wait or run on it: cancel them or let them end first
