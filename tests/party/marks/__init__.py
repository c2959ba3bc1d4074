"""Marks: values, scores, parameters, rows, and marked copies."""
