"""Where public bytes come from: a URL, a directory, several of them, or what was remembered; all of it bounded.

Imports times, core.
"""
