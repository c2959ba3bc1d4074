"""Evidence that stands alone, checked offline from its bytes and a policy (docs/bundle.md).

`bundle` is the order of the checks, which `checks` lists; `zip`, `form` and `documents` read what is there; `entries`
replays it; `times` dates it; `case`, `custody`, `records`, `found`, `marks` and `numbers` check what is claimed, by the
mathematics of `score`, and whether that is `enough`; `facts` are what it comes to, `weight` how much that is,
`sentences`, `words` and `lasting` say it, and `report` shows that.

Imports judgement, rules, sealed, schema, terms, times, core; reaches no network, process or database.
"""
