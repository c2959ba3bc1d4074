"""The field's own languages, to and from statements: DCAT, Croissant, ODRL, W3C PROV, the Dataspace Protocol.

In: `forms` and `catalogue` (listings), `odrl` (terms), `dsp` (ids), by `jsonld` and `foreign`. Out: `exporting`, to
`provenance`, `dcat_export` and `drawing`. Nothing is fetched.

Imports chain and below; not acts.
"""
