"""What every command is made with: home, keys, passphrases, moments, words, progress, and errors."""
