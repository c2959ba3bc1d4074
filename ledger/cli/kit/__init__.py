"""What every command is made with.

`errors` is the one table from errors to words, advice and exit codes, `endings` what these are made of; `home` and
`identity` who speaks, `keys`, `signing` and `passphrase` with which key; `options` are what many commands take,
`moments` and `saying` what options mean; `words` and `progress` are what is printed.

Imports `ledger.party`, `ledger.server` and the ground floor; no command.
"""
