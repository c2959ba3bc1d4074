"""The operator's wing. It holds the log's key and the service key, and no key of any party.

store    keeps: entries, tiles, facts, checkpoints
log      the only writer: takes in, sequences, promises, shows
copies   backs up, restores, adopts
service  answers over HTTP
node.py  runs one of them

Imports registry, statements, core; never `ledger.party`.
"""
