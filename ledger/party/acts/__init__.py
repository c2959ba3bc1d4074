"""What a company does, one file an act: enrolment, listings, licenses, hand-offs, reports, claims, erasure."""
