"""What may be recorded: one entry examined, then the acceptance rules of docs/format.md §9 against all before it.

`examine` is what the entry alone decides, signatures included; `acceptance` the steps in their order: `signers` (who
has to sign), `references` and `claims` (what it may name, and who may say it). `registry` is what the next entry needs
to know; `consequences` keeps a damaged entry from accusing others; `subject` lists which entries concern whom.

Imports sealed, schema, terms, core; reaches no network, process or database.
"""
