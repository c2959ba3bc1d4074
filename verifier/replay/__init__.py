"""Every entry of a log, in order: links, tree, rules, judgement, and what a report says of it all.

Imports all below it, but bundle.
"""
