# English messages. Ids are prefixed by room; zh-CN.ftl has the same ids and variables.

# ---- wallet ----
wallet-error = Error:{" "}
wallet-remedy = What to do:{" "}
wallet-place-byte = at byte { $offset }
wallet-place-cut = { $length } of { $expected } bytes
wallet-ask-passphrase = Passphrase of the vault:{" "}
wallet-ask-new-passphrase = Passphrase for the new vault (at least 8 characters):{" "}
wallet-ask-passphrase-again = The same again:{" "}
wallet-ask-tx-code = Code that the issuer gave you:{" "}

wallet-note-tail = A write to the vault that never finished was left out ({ $bytes } bytes). Nothing stored before is affected.
wallet-note-completed = A write to the vault that was interrupted turned out whole and is kept.
wallet-note-slot = Part of the vault's file is damaged, but everything in it is whole. Make a backup copy now, and check the disk.

wallet-init-done = Vault made in { $dir }.
wallet-init-ledger = Ledger: { $origin }
wallet-init-backup = There is no other copy of this vault, and nobody can open it without the passphrase: make one with xinfu-wallet backup.

wallet-received = Received number { $number }: { $type }, from { $issuer }
wallet-received-claims = It holds: { $claims }
wallet-issuer-accredited = The ledger accredits the issuer for this type.
wallet-issuer-not-accredited = The ledger does NOT accredit the issuer for this type: verifiers will refuse it.
wallet-issuer-unknown = The ledger could not be asked whether the issuer is accredited for this type.
wallet-anchor-here = Its proof of anchoring on the ledger is here, and holds.
wallet-anchor-later = Its proof of anchoring on the ledger is not there yet. It is fetched later by itself.
wallet-anchor-bad = What the issuer gave as proof of anchoring does not hold. The credential is kept; ask the issuer.

wallet-list-empty = The vault holds no credentials.
wallet-list-number = No.
wallet-list-type = Type
wallet-list-issuer = Issuer
wallet-list-received = Received (UTC)
wallet-list-anchored = Anchored
wallet-yes = yes
wallet-no = no
wallet-not-yet = not yet

wallet-status-head = Status
wallet-status-issuer-head = Issuer accredited
wallet-status-list-head = Status list of (UTC)
wallet-status-valid = valid
wallet-status-revoked = revoked
wallet-status-suspended = suspended
wallet-status-other = not valid
wallet-status-undetermined = not known
wallet-status-expired = expired
wallet-status-not-yet = not valid yet
wallet-status-list = { $time }, { $age }
wallet-status-no-list = none at hand
wallet-status-revoked-why = No. { $number } was revoked by its issuer. Services will refuse it; ask the issuer for a new one.
wallet-status-suspended-why = No. { $number } is suspended by its issuer: not valid for now. Ask the issuer when it will be reinstated.
wallet-status-other-why = No. { $number } has a status that only its issuer can explain. Services will refuse it.
wallet-status-undetermined-why = No. { $number }: its status cannot be found out now, which does not mean that it is revoked. { $reason }
wallet-status-issuer-not-accredited = No. { $number }: the ledger does not, or no longer, accredit its issuer for this type. Only a credential that is anchored from before still counts.
wallet-status-issuer-other-address = No. { $number }: the ledger knows its signer under another address than the one it names. Services will refuse it.
wallet-status-issuer-gone = No. { $number }: the ledger does not know its issuer any more. Ask the authority that took over for a new credential.
wallet-status-small = No. { $number }: its list has only { $entries } entries, so whoever serves it can guess who asks.
wallet-status-no-ledger = The ledger did not answer every question: { $reason }
wallet-status-privacy = Whole lists were fetched, for all credentials: whoever serves them cannot tell which ones you hold.
wallet-age-now = just now
wallet-age-minutes = { $count } min ago
wallet-age-hours = { $count } h ago
wallet-age-days = { $count } d ago

wallet-show-issuer = Issuer
wallet-show-received = Received (UTC)
wallet-show-anchored = Anchored

wallet-ask-who = Who asks
wallet-ask-unknown-name = (no name on the ledger)
wallet-ask-ledger = By the ledger
wallet-ask-accredited = accredited to ask for all of this, as of { $time } UTC
wallet-ask-beyond = NOT accredited to ask for this
wallet-ask-beyond-type = asks for a type it may not ask for at all: { $type }
wallet-ask-beyond-claims = asks for more of { $type } than it may: { $claims }
wallet-ask-beyond-purpose = may ask for { $type }, but not for this purpose
wallet-ask-purpose = What for
wallet-ask-no-purpose = (not stated)
wallet-ask-destination = Goes to
wallet-ask-from = From { $type } (number { $number }, issued by { $issuer })
wallet-ask-leaves = Leaves
wallet-ask-stays = Stays here
wallet-ask-nothing = (nothing)
wallet-ask-always = Always seen
wallet-ask-always-what = type, issuer, validity, status entry, and the key of this one credential
wallet-ask-seen = This credential was shown before to: { $askers }. Together they can tell that it is the same one.
wallet-ask-others = Fits as well: number { $numbers }; choose with --select { $query }=NUMBER
wallet-ask-more = Fits as well: number { $numbers }; several may be shown, one --select { $query }=NUMBER each
wallet-ask-optional = Not needed, wanted all the same ({ $number }):
wallet-ask-optional-confirm = Share what is not needed ({ $number }) too? Type yes to add it; anything else leaves it here. [no]
wallet-ask-instead = Could be answered instead with: { $types } ({ $choice })
wallet-ask-linkable = Shown twice, this credential can be recognised as the same one.
wallet-ask-confirm = Share this? Type yes to share; anything else keeps it here. [no]
wallet-declined = Nothing was shared.
wallet-declined-no-terminal = Nothing was shared: there is no terminal to ask at. Scripts say --yes.
wallet-shared = Shared, and accepted by { $asker }.
wallet-go-on = Go on, in the browser in which you began: { $url }
wallet-go-on-by-hand = No browser could be opened here: open the address yourself now; it counts for a few minutes only.
wallet-go-on-unsafe = The service also sent an address to go on to, but not a safe https one. It is not shown. Go back to the service's page yourself.

wallet-history-empty = Nothing was ever shared from this vault.
wallet-history-purpose = for
wallet-history-claims = { $type } (number { $number }): { $claims }
wallet-outcome-accepted = accepted
wallet-outcome-refused = refused
wallet-outcome-unknown = no answer came; it may have arrived

wallet-help-about = Holds your credentials, encrypted, and shows others only what you allow
wallet-help-init = Make a new vault
wallet-help-receive = Receive a credential that an issuer offers
wallet-help-status = Ask whether the credentials are still valid, without telling anyone which they are
wallet-help-list = List the credentials held
wallet-help-show = Show one credential with all its claims
wallet-help-present = Answer somebody who asks for claims; shows first who asks and what would leave
wallet-help-history = List everything shared so far
wallet-help-any-vault = Directory of the vault [default: ~/.xinfu-wallet]
wallet-help-any-passphrase-file = Take the passphrase from the first line of this file, which only you may read (mode 0600)
wallet-help-any-passphrase-fd = Take the passphrase from the first line of this open file descriptor
wallet-help-any-json = Answer with one JSON object on standard output
wallet-help-init-ledger = Address of a ledger node
wallet-help-init-trust-root = The ledger's trust root, a tlog-policy file; nothing the node says is believed without it
wallet-help-init-ca = Certificate authorities for HTTPS, a PEM file [default: the system's]
wallet-help-init-client-ca = Certificate authorities of services that ask, a PEM file [default: services are known by their DID only]
wallet-help-init-allow-private = Host on a private address that may be reached, as host or host:port; may be repeated
wallet-help-init-plain = Reach those hosts by plain HTTP too, for debugging
wallet-help-receive-offer = The offer: an openid-credential-offer:// link
wallet-help-receive-qr = Instead of the link: a picture (PNG or JPEG) with the offer's QR code
wallet-help-receive-bind = How the credential names your key: by itself (jwk, the default) or by a did:key (did)
wallet-help-receive-tx-code = The code that the issuer gave you by another way [default: ask]
wallet-help-show-number = Number of the credential, from `list`
wallet-help-present-request = The request: an openid4vp:// link
wallet-help-present-qr = Instead of the link: a picture (PNG or JPEG) with the request's QR code
wallet-help-present-open = Afterwards, open the service's address to go on in the browser [default: only show it]
wallet-help-present-yes = Do not ask, share. An asker that goes beyond its accreditation is refused all the same
wallet-help-present-select = Answer this query of the request with that credential; may be repeated
wallet-help-exit-codes =
    Exit codes:
      0  done
      1  a fault of this program or machine
      2  the command line is not understood
      3  the vault cannot be opened or written
      4  refused, by an issuer, a verifier, or a rule of this wallet
      5  you declined; nothing left the vault
      6  somebody could not be reached; try again later
      7  the vault holds nothing that fits
# ---- the vault's life ----
wallet-place-word = word { $number }
wallet-phrase-show = Recovery phrase. These twelve words alone open the file that is being made. Write them on paper, in this order:
wallet-phrase-written = Press Enter when all twelve are on paper; they then leave the screen.
wallet-phrase-again = Type the twelve words from your paper:
wallet-phrase-ask = Recovery phrase (twelve words):
wallet-phrase-slip = { $what }. Try again.
wallet-backup-done = Backup made: { $file }. Credentials in it: { $credentials }.
wallet-backup-keep = Keep file and paper apart: together they open everything. What comes later is not in it; make another backup then.
wallet-restore-done = Vault restored in { $dir }. Credentials: { $credentials }; sharings: { $sharings }.
wallet-restore-note = This vault came out of a backup of { $made } UTC with { $records } records. What was received or shared after that is not in it; a credential may have been shown since, and showing it again can be linked.
wallet-restore-ca = The certificate authorities' file { $file } is not on this machine. Restore again with --ca, or put the file there.
wallet-passwd-done = The vault has a new passphrase. The old one no longer opens it.
wallet-passwd-copies = Older copies of the vault's file still open with the old passphrase; backups open with their recovery phrase.
wallet-remove-what = To be removed: { $type } (number { $number }), issued by { $issuer }, with its key. The issuer is not told, and the credential stays valid; nobody can bring it back but a backup.
wallet-remove-confirm = Remove it? Type yes to remove; anything else keeps it. [no]
wallet-remove-done = Removed: { $type } (number { $number }), issued by { $issuer }. What was shared of it stays in the history.
wallet-remove-copies = Backups and other copies of the vault made before still hold it.
wallet-help-backup = Make an encrypted backup of everything, and a recovery phrase that alone opens it
wallet-help-backup-file = The backup to make; must not be there yet
wallet-help-backup-phrase-file = Write the phrase to this new private file instead of showing it at the terminal
wallet-help-backup-phrase-fd = Write the phrase to this open file descriptor
wallet-help-restore = Make a vault out of a backup
wallet-help-restore-file = The backup
wallet-help-restore-phrase-file = Take the recovery phrase from this file, which only you may read (mode 0600)
wallet-help-restore-phrase-fd = Take the recovery phrase from the first line of this open file descriptor
wallet-help-restore-ca = Certificate authorities for HTTPS on this machine, if they lie elsewhere than before
wallet-help-passwd = Change the vault's passphrase
wallet-help-passwd-new-passphrase-file = Take the new passphrase from the first line of this file, which only you may read (mode 0600)
wallet-help-passwd-new-passphrase-fd = Take the new passphrase from the first line of this open file descriptor
wallet-help-passwd-memory = Memory that one guess at the passphrase costs, in MiB, 19 to 1024 [default: as before]
wallet-help-passwd-passes = Passes over that memory, 2 to 16 [default: as before]
wallet-help-remove = Remove a credential and its key for good
wallet-help-remove-number = Number of the credential, from `list`
wallet-help-remove-yes = Do not ask, remove
wallet-place-older = { $records } records were there on { $time } UTC
wallet-note-memory = This machine could not remember how far the vault has come; an old copy put back would go unnoticed. Check the state directory ($XDG_STATE_HOME, or ~/.local/state).
wallet-doctor-torn-tail = A write that never finished stands at the end of the file.
wallet-doctor-write-completed = A write that was interrupted turned out whole, but is not committed yet.
wallet-doctor-slot-damaged = One of the two commit slots is damaged; the other one and all records are whole.
wallet-doctor-directory-open = Other users of this machine may look into the vault's directory.
wallet-doctor-file-open = Other users of this machine may read or write the vault's file; think about who may have copied it.
wallet-doctor-draft = An interrupted write left a draft: { $file }
wallet-doctor-record = Record { $number } was made by a newer version: update this program.
wallet-doctor-older = The file is older than what this machine saw on { $time } UTC: { $records } records then. Look for the newest file first.
wallet-doctor-other = The file is another copy than the one this machine last saw: two copies were changed apart.
wallet-doctor-take = To mend is to take this file as it is: what only the other one holds is lost, and credentials may have been shown since.
wallet-doctor-memory = What this machine remembers of the vault is damaged; until it is mended with doctor, an old copy put back goes unnoticed.
wallet-doctor-hopeless = { $title }. { $remedy }
wallet-doctor-confirm = Mend this? Type yes to mend; anything else leaves it. [no]
wallet-doctor-mended = Mended: { $what }
wallet-doctor-mendable = Wrong, can be mended (run doctor at a terminal, or with --yes): { $what }
wallet-doctor-unmendable = Wrong, cannot be mended here: { $what }
wallet-doctor-well = The vault is in order.
wallet-doctor-ill = The vault is not in order.
wallet-help-doctor = Say what is wrong with the vault, and mend what can be mended safely
wallet-help-doctor-yes = Do not ask, mend all that can be mended, and take an old file for the current one
wallet-move-out = Transfer file made: { $file }. With the phrase on your paper it opens on the new device.
wallet-move-next = On the new device: xinfu-wallet move --in FILE. It shows a code; enter it here: xinfu-wallet move --confirm CODE. Then this device is emptied.
wallet-move-frozen = Until then this vault only shows what it holds; it receives, shares and removes nothing. To stay here: xinfu-wallet move --cancel.
wallet-move-done = The vault has moved. This device is empty.
wallet-move-copies = Delete the transfer file, and destroy the paper: together they still open everything. So do older backups and copies.
wallet-move-cancelled = The vault stays here. If the new device has opened the transfer file already, both hold the vault now: delete it there, and delete the transfer file.
wallet-move-leaving = Being moved since { $time } UTC. Enter the code of the new device with --confirm, or stay here with --cancel.
wallet-move-left = Moved to another device on { $time } UTC; this one is empty.
wallet-move-here = The vault is at home here; no move is under way.
wallet-move-code = Code for the old device: { $code }. Enter it there with xinfu-wallet move --confirm { $code }; only then is it emptied.
wallet-help-move = Move the vault to another device and empty this one; without options: say where a move stands
wallet-help-move-out = On the old device: make this transfer file, and freeze the vault until the move is confirmed
wallet-help-move-into = On the new device: make the vault out of this transfer file, and show the code
wallet-help-move-confirm = On the old device: the code that the new one shows; empties this vault
wallet-help-move-cancel = On the old device: stay here after all
wallet-help-move-phrase-file = Write the phrase to this new private file, or with --in read it from there
wallet-help-move-phrase-fd = Write the phrase to this open file descriptor, or with --in read it from there
wallet-help-move-ca = With --in: certificate authorities for HTTPS on this machine, if they lie elsewhere than before

# ---- devnet ----
devnet-welcome = Xinfu devnet: a ledger, four departments, a service and a wallet on this machine
devnet-data-kept = Everything is kept in { $directory }
devnet-data-temporary = Everything lies in { $directory } and is removed at the end (keep it with --data DIR)
devnet-continuing = Going on with the world found there
devnet-starting = Starting the services …
devnet-journey = The journey of a first credential
devnet-table-step = Step
devnet-table-time = Time
devnet-table-result = Result
devnet-table-held = held:
devnet-table-failed = FAILED:
devnet-table-total = Together
devnet-all-held = Every step held.
devnet-not-all-held = Not every step held; the last line of the table says what went wrong.
devnet-step-genesis = The ledger opens
devnet-step-accredit = Departments and service are accredited
devnet-step-import = Departments read their tables
devnet-step-issue-resident = Resident identity is issued
devnet-step-issue-licence = Business licence is issued
devnet-step-issue-others = The other credential types are issued
devnet-step-anchor = Their digests stand on the ledger
devnet-step-present = Three claims are shown and verified
devnet-step-verify-offline = Verified with ledger and departments off
devnet-step-unaccredited-asker-refused = Asking for too much is refused
devnet-step-tamper-refused = A changed presentation is refused
devnet-step-rotate-key = Department replaces its signing key
devnet-step-report-stolen-key = Old key is reported as stolen
devnet-step-revoke = The department revokes
devnet-step-revoked-refused = The revoked credential is refused
devnet-seen-genesis = { $entries } entries certified, { $founders } founders proven
devnet-seen-accredit = { $departments } departments, 1 service, { $types } credential types, proven
devnet-seen-import = { $count } subjects of each of { $types } types
devnet-seen-issued = 1 credential of { $issuer }
devnet-seen-issued-others = { $count } credentials of other types
devnet-seen-anchor = { $count } credentials proven to stand on the ledger
devnet-seen-shown = { $claims } shown, nothing else
devnet-seen-offline = { $claims } shown, nothing else; ledger and departments refused connections
devnet-seen-wallet-refused = the wallet refused: { $code }
devnet-seen-service-refused = the service refused: { $code }
devnet-seen-rotated = signs with { $key } now; what was anchored before is still verified
devnet-seen-reported = { $key } counts as stolen from log index { $index } on; what was anchored before is still verified
devnet-seen-revoked = credentials revoked: { $count }
devnet-up = The world stays up. Stop it with Ctrl-C.
devnet-up-ledger = Ledger
devnet-up-verifier = Service
devnet-up-issuer = Department
devnet-up-admin = admin token in { $file }
devnet-up-files = Certificate authority: { $ca }   Trust root: { $trust_root }   All addresses: { $index }
devnet-try = To try by hand, in another terminal, from this directory:
devnet-try-offer = 4. Make another offer (the answer holds a link and a transaction code):
devnet-try-receive = 1. Receive the credential that public security offers a resident:
devnet-try-request = 5. Let the housing fund ask again (the answer holds a link):
devnet-try-present = 2. Look who asks for what, and decide:
devnet-try-history = 3. See what was shared:
devnet-try-case = 6. Have the independent verifier judge the case that was verified offline (Python 3 with the package cryptography):
devnet-stopping = Stopping …
devnet-help-about = The whole world on one machine: a ledger, four departments that issue, a service that verifies, and a wallet. Makes the journey of a first credential, then stays up to try things by hand
devnet-help-service = Run one service until standard input closes or it is told to stop
devnet-help-service-kind = Which service
devnet-help-crash = Kill processes at random moments under load, and check that nothing acknowledged is lost
devnet-help-crash-rounds = How many kills
devnet-help-crash-seed = Decides who is killed, and after which pauses
devnet-help-wallet = Run one command of the wallet
devnet-help-wallet-arguments = The wallet's command line
devnet-crash-held =
    { $rounds } kills in { $seconds } s (seed { $seed }): { $killed }.
    Found again: { $offers } offers, { $credentials } credentials, { $verdicts } verdicts, { $revocations } revocations, { $entries } ledger entries. { $unanswered } acts went unanswered.
    Nothing acknowledged was lost, nothing was given twice, every start succeeded, and the ledger's data is sound.
devnet-help-faults = Kill, pause and empty the nodes of a ledger of several validators (four, or as --validators says) under load, and check that it never forks, loses nothing acknowledged, and goes on. Needs a build with --features simplex
devnet-help-faults-rounds = How many faults, one a round
devnet-help-faults-seed = Decides the faults, whom they strike, and when
devnet-crash-one-ledger = `crash` kills the services of a world with one ledger node. Leave out --validators, or put several validators through faults of their own: devnet --validators N faults
devnet-faults-begins = { $validators } ledger nodes, { $rounds } rounds of faults under load (seed { $seed }), in { $directory }
devnet-faults-round = { $round }/{ $rounds }  { $fault }: { $nodes }, { $lasting }. Every node went on { $progress } after healing; { $acknowledged } transactions acknowledged so far, none lost
devnet-fault-kill = kill -9
devnet-fault-halt = kill -9, no quorum left
devnet-fault-kill-all = kill -9 of all
devnet-fault-pause = pause
devnet-fault-stop = stop
devnet-fault-wipe = wipe
devnet-help-faults-namespaces = Cut the network between the nodes instead, each of which runs in the network namespace PREFIX and its place; conformance/partitions.sh makes them
devnet-fault-halves = network in halves
devnet-fault-minority = one cut off
devnet-fault-one-way = one not heard
devnet-fault-flapping = flapping network
devnet-faults-emptied = Time until a node that had lost its data had executed the whole log again and certified something new: median { $median }, slowest { $max }.
devnet-faults-held =
    { $rounds } rounds on { $validators } ledger nodes in { $seconds } s (seed { $seed }): { $faults }.
    { $acknowledged } transactions acknowledged, each proven at its place by every node; { $unanswered } attempts went unanswered. { $heads } certified heads seen, no fork.
    Time until every node that kept its data had certified something new after healing: median { $median }, 99 in 100 within { $p99 }, slowest { $max }; { $slower } rounds took longer than the { $aim } s aimed at.
    Every start succeeded, every node's data is sound, and all end with the same head.
devnet-help-any-once = Exit after the journey; the status is 0 only if every step held
devnet-help-any-json = Write the result of the journey as one JSON object, the last line of standard output
devnet-help-any-data = Keep everything in this directory and go on there next time [default: a temporary one]
devnet-help-any-procs = Run each service as a process of its own
devnet-help-any-validators = Ledger nodes that order together, each a process of its own; implies --procs; up to seven
devnet-help-any-plain = HTTP instead of HTTPS, for debugging
devnet-help-any-port-base = First of the six ports in a row to listen on
devnet-help-any-subjects = Sample subjects in each department's table
verifier-no-command = Say what to do: init, run, keys or replay. --help tells more.
verifier-help-about = Asks for presentations over OpenID4VP 1.0 and judges them without asking anyone
verifier-help-audit = Check the audit log while the service is stopped
verifier-help-audit-act = What to do: read it whole and say whether it is as it was written
verifier-help-init = Make the service's keys and the creation of its DID; doing it again changes nothing
verifier-help-protect = Encrypt the key files with the passphrase that the configuration names
verifier-help-run = Serve until Ctrl-C or SIGTERM
verifier-help-replay = Judge a kept case again by its saved evidence, while the service is stopped
verifier-help-init-keys = Directory of the keys, mode 0600 each
verifier-help-init-chain = Name of the chain that the DID is for
verifier-help-init-url = Base URL under which wallets will reach the service
verifier-help-init-name-en = The service's public name in English
verifier-help-init-name-zh = The service's public name in Chinese
verifier-help-init-algorithm = Algorithm of the keys
verifier-help-replay-request = The request's id
keys-not-encrypted = The keys in { $place } are not encrypted: whoever reads this disk can sign. To encrypt them, set key_passphrase_file or key_passphrase_command and run `protect`.
keys-protected = { $count } key files were encrypted. What the disk remembers of the open ones is beyond this program: where that matters, change the keys.
store-migrated = Copied to { $engine }: { $entries } entries, read back and compared (SHA-256 { $digest }).
store-migrate-dropped = An interrupted migration had left { $draft }. It was dropped and begun again.
store-migrate-finished = An interrupted migration had left { $draft }, whole and in force. It has its name now.
store-migrated-next = Now set store = "{ $engine }" in { $config } and start the service. The old store is { $kept }: remove it once you are satisfied.
founding-made = Made { $did }. Hand { $create } to the founders, or to a member who relays it. Move { $recovery } to a safe place: whoever holds it controls the DID.
verifier-serves = xinfu-verifier serves at { $url }. Stop it with Ctrl-C.
verifier-failed = xinfu-verifier: { $reason }
verifier-agrees = The same verdict again: then { $then }, now { $again }.
verifier-disagrees = Another verdict: then { $then }, now { $again }.
help-usage = Usage:
help-commands = Commands
help-options = Options
help-arguments = Arguments
help-any-help = Show this help
help-any-version = Show the version
help-any-lang = Language of words and messages: en or zh [default: the terminal's]
help-any-config = The configuration file; --print-config prints one to start from
help-any-print-config = Print a commented configuration file with every default, and stop
help-migrate = Move the service's data into another kind of store, while it is stopped
help-migrate-to = The store that the data goes to: redb, or sled in programs built with it
help-completions = Print a script that completes this program's commands and options in a shell
help-completions-shell = The shell: bash, zsh or fish
help-man = Write manual pages in English and Chinese
help-man-dir = Directory to write below: man1 for English, zh_CN/man1 for Chinese
help-man-heading-name = NAME
help-man-heading-synopsis = SYNOPSIS
help-man-heading-description = DESCRIPTION
help-man-heading-exit = EXIT STATUS
help-man-heading-version = VERSION
help-fault = The command line is not understood: { $detail }
help-fault-command = there is no command `{ $detail }`
help-fault-no-command = a command is missing
help-fault-option = there is no option `{ $detail }`
help-fault-missing = this is missing: { $detail }
help-fault-conflict = `{ $detail }` cannot stand beside another option given
help-fault-value = the value of { $detail } cannot be used
help-fault-likely = ; perhaps `{ $detail }` is meant
help-fault-hint = Run `{ $program } --help`.

issuer-help-about = Issues credentials over OpenID4VCI 1.0 and anchors their digests on a ledger
issuer-help-audit = Check the audit log while the service is stopped
issuer-help-audit-act = What to do: read it whole and say whether it is as it was written
issuer-help-init = Make the department's keys and the creation of its DID; doing it again changes nothing
issuer-help-protect = Encrypt the key files with the passphrase that the configuration names
issuer-help-run = Serve until stopped by Ctrl-C or SIGTERM
issuer-help-import = Import a table of subjects while the service is stopped; bad rows are listed, good ones kept
issuer-help-init-chain = Name of the chain that the DID is for
issuer-help-init-algorithm = Algorithm of the keys
issuer-help-import-kind = Credential type of the table, if the department issues several
issuer-help-import-table = The table: CSV in UTF-8 whose first line names the columns

issuer-no-command = Say what to do: init, run, keys or import. --help explains each.
issuer-failed = xinfu-issuer: { $reason }
issuer-running = The issuer { $url } listens on { $listening }.
issuer-stopped = The issuer has stopped.
issuer-which-type = say which credential type the table is for with --type: { $types }
issuer-import-fault = line { $line }, column { $column }: { $reason }
issuer-imported = { $imported } rows imported, { $refused } refused.
# ---- ledger ----
ledger-founded =
    The chain is founded.
      origin      { $origin }
      operator    { $operator }
      trust root  { $trust_root }
    Next: xinfu-ledger run --config { $config }
    Move { $recovery } to a safe place: whoever holds it controls the operator's DID.
ledger-founded-other = Then each other validator's: xinfu-ledger run --config { $config }
ledger-joined =
    The node is made.
      department  { $did }
      creation    { $create }
      validator   { $validator }
    Next: xinfu-ledger run --config { $config }
    It follows the members' nodes. A member proposes to take the department in: xinfu-ledger propose admit --subject DID --name NAME --validator validator.json, and the others approve.
ledger-prepared =
    Keys are prepared beside those in use, and their public halves stand in { $validator }.
    Next: xinfu-ledger propose validator --subject DID --validator { $validator }, and the other members approve. The node takes the keys up by itself; then rename each NAME.next.jwk to NAME.jwk.
ledger-running = The ledger node listens at { $url }. Ctrl-C stops it.
ledger-certified = Certified at log index { $index }.
ledger-stopping = Stopping: what was taken is finished first.
ledger-no-command = say what to do, for instance init or run; --help explains every command
ledger-failed = xinfu-ledger: { $reason }
ledger-wrong-no-config = { $path } does not exist; --print-config prints a file to start from
ledger-wrong-key = { $path }: unknown key `{ $key }`; the nearest known one is `{ $nearest }`
ledger-wrong-in-use = { $directory } is in use by { $holder }
ledger-wrong-no-directory = { $directory } does not exist: create the directory or correct the path
ledger-wrong-port = port { $port } of { $ip } is already in use
ledger-wrong-no-genesis = the genesis file { $path } cannot be read
ledger-wrong-keys = the log and witness keys are not those of one validator in the genesis file
ledger-wrong-exists = { $directory } already holds a chain; choose another directory
ledger-wrong-prepared = { $path } is there already: if the ledger uses these keys now, rename each NAME.next.jwk to NAME.jwk; if the members refused them, remove them
ledger-wrong-unknown-keys = neither the genesis file nor validator.json beside the configuration names a validator with the keys in use
ledger-wrong-chain-name = `{ $name }` cannot name a chain: 1 to 32 lower-case letters, digits and hyphens can
ledger-wrong-founder = the creation of { $who } is refused: { $why }
ledger-wrong-refused = the ledger refuses ({ $code }): { $title }. { $remedy }
ledger-help-about = Runs a node of a Xinfu ledger: orders transactions, executes them, certifies and serves the log
ledger-help-init = Found a chain: keys, genesis file, trust root and configuration in a new directory
ledger-help-join = Make a node for a chain that exists: keys, configuration, and what the members need to take it in
ledger-help-prepare = Make keys for this validator's future, beside those in use
ledger-help-protect = Encrypt the key files with the passphrase that the configuration names
ledger-help-run = Serve until stopped by Ctrl-C or SIGTERM
ledger-help-fsck = Check all data of a node that is not running, and name the first thing that is wrong
ledger-help-accredit = As the operator: accredit a member on the running chain
ledger-help-end-accreditation = As the operator: end an accreditation before its time
ledger-help-trust-root = Print the trust root (a C2SP tlog-policy file) that follows from a genesis file
ledger-advanced = The trust root is that of the newest validators ({ $policy }), who certified { $size } entries { $seconds } s ago.
ledger-convicted = Convicted: { $culprits } signed two different histories of { $size } entries.
ledger-help-propose = As the operator: propose to admit or expel a member, or to change its validator
ledger-help-propose-what = admit, expel, or validator: name its validator anew, or take it out
ledger-help-propose-name = Name of the member to admit
ledger-help-propose-validator = JSON file with name and public keys of its validator, as in a genesis file
ledger-help-propose-days = Days for which the proposal can be approved
ledger-help-approve = As the operator: approve a proposal
ledger-help-withdraw = As the operator: take back an approval, or an own proposal
ledger-help-any-proposal = Number of the proposal: the log index that propose printed
ledger-help-accuse = As the operator: put evidence against validators on the ledger, which suspends them
ledger-help-any-file = Evidence: a JSON file with two signed checkpoints, `one` and `other`
ledger-help-trust = Keep a trust root up to date: walk it forward to the newest validators, by proofs
ledger-help-trust-act = What to do: advance
ledger-help-any-trust = Trust root (a C2SP tlog-policy file); its age is kept beside it
ledger-help-trust-nodes = Address of a member's node; name two of different members if the trust root is old
ledger-help-trust-handed-over = The trust root was received just now from somebody you trust
ledger-help-evidence = Check evidence that validators have signed two different histories; needs no node
ledger-help-evidence-act = What to do: verify the file alone
ledger-help-init-dir = Directory to make
ledger-help-init-chain = Name of the chain: lower-case letters, digits and hyphens
ledger-help-init-operator = Name of the department that operates the node; it becomes the genesis authority
ledger-help-init-members = Another founding member: its name and the file of its own creation; repeat for each
ledger-help-init-url = Public https address of the node, put into the operator's DID document
ledger-help-init-listen = Address and port to listen on
ledger-help-init-certificate = Certificate chain (PEM); without one the node serves plain HTTP
ledger-help-init-key = Private key of the certificate (PEM)
ledger-help-init-validators = Number of validators that order together; each gets a directory node0, node1, … of its own
ledger-help-init-peer = Where the other validators reach a node; repeat for each, in order [default: ports from 127.0.0.1:9460 on]
ledger-help-join-genesis = The chain's genesis file
ledger-help-join-name = Name of the validator; no other ever had it
ledger-help-join-operator = Name of the department that operates the node
ledger-help-join-peer = Where the other validators reach the node; without it the node can only follow
ledger-help-join-nodes = Address of a member's node to follow; repeat for each. The first one carries the department's DID to the ledger
ledger-help-join-url = Public https address of the node, put into the department's DID document
ledger-help-join-listen = Address and port to listen on
ledger-help-join-certificate = Certificate chain (PEM); without one the node serves plain HTTP
ledger-help-join-key = Private key of the certificate (PEM)
ledger-help-prepare-peer = Where the other validators will reach the node [default: where they do now]
ledger-help-trust-root-genesis = Genesis file
ledger-help-any-dir = Directory made by init
ledger-help-any-node = Address of the running node [default: by the configuration]
ledger-help-any-ca = Certificate authority of the node's certificate (PEM) [default: the system's]
ledger-help-any-subject = DID of the member
ledger-help-accredit-role = What it may do
ledger-help-accredit-types = Credential type (vct); repeat for each
ledger-help-accredit-claims = Verifier: a claim it may ask for, steps joined by dots (address.region); repeat for each
ledger-help-accredit-purposes = Purpose it may ask for; repeat for each
ledger-help-accredit-days = Days for which it holds, from now
ledger-help-accredit-delegable = Let the member accredit others within this
ledger-help-end-accreditation-accreditation = Number of the accreditation: the log index that accredit printed
ledger-sound = Sound: { $entries } log entries up to block { $height }, { $items } state items, root { $root }.

keys-not-yet = The DID is not on the ledger yet.
keys-settled = Took up { $keys }: the ledger names it, and its file is here.
keys-unchecked = The keys were not checked against the ledger: { $reason }
keys-recovery-here = { $file } still lies beside the working keys. Move it to a safe place: whoever holds it controls the DID.
keys-replaced = { $key } has taken over at log index { $index }. Start the service again; it signs with the new key.
keys-reported = { $key } counts as stolen from log index { $index } on. What was anchored before stays good.
keys-registered = The key of requests is registered by its thumbprint at log index { $index }.
keys-registered-before = The key of requests was registered before.
keys-recovered = Recovered at log index { $index }: all earlier keys have ended. Move { $key } to a safe place, and destroy the recovery key that was used. Look through the services and accreditations of the DID.
keys-deactivated = { $key } ended at log index { $index }, for ever.
keys-line-current = { $key }  { $use }  from { $from }
keys-line-ended = { $key }  { $use }  from { $from } until { $end }
keys-line-reported = { $key }  { $use }  from { $from }, reported stolen at { $end }
help-keys = Show, replace, report, register or recover the keys of the DID, while the service is stopped
help-keys-act = What to do: show, rotate, report-compromised, register (of a verifier), recover or deactivate
help-keys-which = Which key to rotate: the one that signs what the service says, or the one of its transactions
help-keys-key = The key that was stolen, by the name that `keys show` gives; one still in use is replaced first
help-keys-recovery-key = File of the recovery key
help-keys-next-recovery-key = Where to write the next recovery key; the used one is good for nothing any more
help-keys-did = The DID once more, to end it for ever
audit-holds = { $lines } lines, each as it was written. Note this digest elsewhere: { $digest }
