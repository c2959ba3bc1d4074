"""The field's own languages, to and from statements: DCAT, Croissant, ODRL, W3C PROV, the Dataspace Protocol."""
