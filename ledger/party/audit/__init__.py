"""What the operator shows and signs, held against what the vault holds; where they contradict, a proof."""
