"""What goes into a bundle: which entries, what is opened, what is proved, what is judged."""
