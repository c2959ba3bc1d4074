"""Ground floor: bytes in, bytes out. No I/O, no clock. Every module cites its section of docs/format.md."""
