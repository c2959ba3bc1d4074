"""The independent verifier: replays a ledger from nothing but its public bytes and a policy file.

It shares no line with the ledger's own package, and cites the section of docs/format.md and its sister pages that each
rule comes from. Checking needs PyNaCl and cryptography; `service` alone also loads aiohttp. Rooms, top floor first;
each imports those below it, and none beside it (`[tool.importlinter]` in pyproject.toml):

cli                            the command `verifier`: arguments in, a call, words and an exit code out
service                        a mirror and a witness that answer over HTTP
explain | watch | witness      one story in sentences; a log followed for months; cosigning what was checked
replay                         every entry of a log, in order, and receipts
bundle                         evidence that stands alone
judgement | mirror | fraud     what follows from entries; a verified copy; proofs that convict an operator
rules                          what may be recorded
sources | sealed               where public bytes come from; what was sealed and is shown
schema                         the fields of every statement, by version of the rules
terms | times                  the machine terms of a license; what time-stamping authorities signed
core                           bytes, keys, tree, notes, policies, verdicts

No Python name here is public: the commands, their exit codes and their JSON are (docs/reference/index.md).
"""
