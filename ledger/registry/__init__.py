"""Ground floor: what the chain says now (`facts`), and what may enter it (`acceptance`). Pure: no I/O, no clock."""
