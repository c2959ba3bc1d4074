"""Programs that we did not write, and ours: they read, feed and witness each other."""
