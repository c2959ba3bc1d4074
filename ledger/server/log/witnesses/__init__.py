"""Asking the witnesses for their cosignatures."""
