"""What the operator shows and signs, held against what the vault holds; a contradiction becomes a fraud proof.

Source: docs/format.md §19. `audit` takes what comes in, and finds promises that were broken; `memory` notices forks and
rollbacks; `held` what kept entries, promises, histories and refusals contradict each other; `promises`, `refusals` and
`history` read what was signed; `frauds` makes the proof.

Imports answers, vault and the ground.
"""
