"""The companies' wing: what runs on a company's machine, next to its keys and its data. It never imports the server.

Rooms, from the top; each may import those below it:

evidence              bundles that a court can check
acts | interop        what a company does, one file an act; other tools' languages
trace | speaking | chain   from a found file to its hand-off; statements composed and signed; entries gathered
marks                 rows that only one copy has
client                the SDK's client
dataset | audit       rows read and committed to; the operator held to what it signed
vault                 what a company keeps
keys | answers        key files and tokens; what a ledger answers
*.py                  the ground: digests, files, extras, errors, text
"""
