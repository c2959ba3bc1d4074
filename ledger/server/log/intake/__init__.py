"""What is taken in: parsed and checked on all cores."""
