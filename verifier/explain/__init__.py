"""One license, hand-off or claim, in sentences.

Imports replay and below.
"""
