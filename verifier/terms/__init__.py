"""The machine terms of a license: their form, what contradicts what, what implies what (docs/terms.md §1–§3, §6.2).

`terms` and `form` check what is written, by the `vocabulary`; `parsed` is what is judged by; `contradictions` and
`implication` compare terms, `comparison` values; `answers` are true, false or unknown. What they decide in a situation
is `verifier.judgement.decision`.

Imports core.
"""
