"""What every command is made with.

`error_words` is the one table from errors to words, advice and exit codes, `answer_words` its longer rows, `exit_codes`
the codes themselves; `home` and `identity` who speaks, `keys`, `signing` and `passphrase` with which key; `options` are
what many commands take, `moments` and `saying` what options mean; `words` and `progress` are what is printed.

Imports `ledger.party`, `ledger.server` and the ground floor; no command.
"""
