"""The field's own languages."""
