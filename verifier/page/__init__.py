"""The third reading of docs/bundle.md: verify.html, a page for any browser, which `join` makes of the modules in src/.

Imports no other room.
"""
