"""What `--help` teaches beyond the list of options."""

from __future__ import annotations

EXAMPLE_POLICY = """\
  log example.com/log+ea11802a+AatLH8SLL+R68tagYC/Fk1OrQPbjBjd+CbcNBZHIQ6Mv
  witness w1 w1.example+5e0a1984+BFLI6XKNzPbwE5eBLz/FSIX/LrHy946o9kj/x6D6AY0l
  quorum w1
"""
EXIT_CODES = """\
exit codes: 0 verified; 1 something is false; 2 usage; 3 could not tell;
  4 findings, with --fail-on-findings (precedence 1, 3, 4, 0)
"""
PROGRAM = f"""\
a policy says whom to trust (C2SP tlog-policy), in at least two lines: the log's
public key, and who must have cosigned what the log shows:

{EXAMPLE_POLICY}
`quorum none` asks for no witness: then it is the log's word that everybody is
shown the same. Get keys from those they belong to, not from the log itself.

to begin:
  verifier replay https://ledger.example.com --policy policy.txt

{EXIT_CODES}"""
REPLAY = f"""\
to begin; and to remember what was seen, and check only what is new each time:
  verifier replay https://ledger.example.com --policy policy.txt
  verifier replay https://ledger.example.com --policy policy.txt --state seen

--also names another source of the same log: whichever answers is read, and two
signed states that contradict each other are a fork, whichever of them is true.

--parties pins companies to keys, a line each (`party <name> <keyid>`): exit 1 if
the ledger gives such a name other keys, or such a key another name. A party
without a pin is marked `evidenced` by the operator that admitted it, or
`name only`.

--tsa-roots checks time-stamps (RFC 3161) with the authorities that you name, and says
not after when, and not before when, which entries were there, by whose word:
  verifier replay mirror/ --policy policy.txt --tsa-roots tsa.pem

--as-of judges as of a past or later moment: only entries up to then count, and
deadlines are late if they passed by then. What parties did wrong is a finding;
what rests on a sealed place is undetermined, until --disclosures opens it:
  verifier replay mirror/ --policy policy.txt --as-of 2027-01-31T12:00:00Z
  verifier replay mirror/ --policy policy.txt --disclosures from-alpha.json

{EXIT_CODES}"""
WITNESS = """\
to begin: make a key, tell the logs' operators its line, and run the witness for
the logs of a policy (only its `log` lines matter here):
  verifier witness key new w1.json --name witness.example.org/w1 --ml-dsa-44
  verifier witness serve --policy policy.txt --key w1.json --state w1/ --port 8090

put a TLS proxy in front for the outside world. What it remembers in --state must
never be restored from a backup: a witness that forgot could cosign two branches.
What a log signed that contradicts what was cosigned is written to --fraud-dir.

exit codes: 0 stopped as asked; 2 usage; 3 the address could not be had
"""
