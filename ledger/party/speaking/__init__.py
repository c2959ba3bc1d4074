"""Statements composed, drafted, signed and countersigned."""
