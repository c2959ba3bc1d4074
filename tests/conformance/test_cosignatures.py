"""Cosignatures of both types, and quorums that ask for them, by both readings (docs/format.md §10.2, §10.5, §17.1)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from ledger.core import note, policy
from ledger.core.checkpoint import TreeHead, sign_checkpoint
from ledger.core.encoding import b64encode
from ledger.core.errors import FormatError, NoteError, QuorumError
from tests.harness.people import key
from tests.harness.witness import LastingWitness, Witness
from verifier.core import errors, notes
from verifier.core import policy as verifier_policy
from verifier.core.verdict import format_checkpoint

ORIGIN = "ledger.example/log"
HEAD = TreeHead(7, bytes(range(32)))
NOTE = sign_checkpoint(ORIGIN, HEAD, key("log"))
TEXT = NOTE.rpartition(b"\n\n")[0] + b"\n"
LOG = f"log {note.NoteKey(ORIGIN, note.ED25519_TYPE, key('log').public.raw).vkey()}"
SHORT, LASTING = Witness("short.example"), LastingWitness("lasting.example")
OWN = LastingWitness("own", ORIGIN)
TIME_S = 1_700_000_000


def both(text: str, raw: bytes) -> tuple[str, dict[str, int]]:
    """Return what both readings say: `quorate`, `not quorate` or `wrong`, and whose cosignatures there are."""
    try:
        policy.parse_policy(text).open_checkpoint(raw)
        ours = "quorate"
    except QuorumError:
        ours = "not quorate"
    except NoteError:
        ours = "wrong"
    trusted = verifier_policy.parse_policy(text.encode())
    try:
        opened = verifier_policy.open_checkpoint(raw, trusted, trusted.logs[0])
    except errors.CheckFailed:
        assert ours == "wrong"
        return ours, {}
    assert ours == ("quorate" if opened.is_quorate else "not quorate")
    return ours, opened.cosigned_unix_s


@pytest.mark.parametrize("witness", [SHORT, LASTING])
def test_a_quorum_of_either_type(witness: Witness) -> None:
    text = f"{LOG}\n{witness.policy_line} https://witness.example/\nquorum {witness.name}\n"
    assert both(text, witness.cosign(NOTE, TIME_S)) == ("quorate", {witness.name: TIME_S})
    assert both(text, NOTE) == ("not quorate", {})
    assert policy.parse_policy(text).urls == {witness.name: "https://witness.example/"}


@pytest.mark.parametrize("witness", [SHORT, LASTING])
def test_a_line_for_another_text_time_or_key_is_wrong(witness: Witness) -> None:
    text = f"{LOG}\n{witness.policy_line}\nquorum none\n"
    good = witness.note_key.id + TIME_S.to_bytes(8, "big") + witness.signature(TEXT, TIME_S)
    other = witness.note_key.id + TIME_S.to_bytes(8, "big") + witness.signature(TEXT.replace(b"7", b"8"), TIME_S)
    later = witness.note_key.id + (TIME_S + 1).to_bytes(8, "big") + good[12:]
    absurd = witness.note_key.id + bytes([255] * 8) + witness.signature(TEXT, 2**64 - 1)
    flipped = good[:-1] + bytes([good[-1] ^ 1])
    for data in (other, later, absurd, flipped, good[:-1], good + b"\0", good[:12], good[:6]):
        line = f"— {witness.name} {b64encode(data)}\n".encode()
        assert both(text, NOTE + line) == ("wrong", {})
    # The same key under another name: its lines are strangers', and ignored.
    renamed = f"— other.example {b64encode(good)}\n".encode()
    assert both(text, NOTE + renamed) == ("quorate", {})


def test_type_6_covers_no_extension_lines_and_no_text_that_is_no_checkpoint() -> None:
    extended = TEXT + b"more\n"
    line = LASTING.line(TEXT, TIME_S)
    signature = notes.parse_note(extended + b"\n" + line).signatures[0]
    LASTING.note_key.verify(extended, signature.signature)
    theirs = notes.parse_vkey(LASTING.note_key.vkey())
    assert notes.open_line(theirs, extended, signature) == TIME_S
    for strange in (b"hello\n", b"a\n1\n", b"a\n01\n" + TEXT.split(b"\n")[2] + b"\n", b"o" * 256 + TEXT[18:]):
        assert notes.open_line(theirs, strange, signature) is None
        with pytest.raises(NoteError):
            LASTING.note_key.verify(strange, signature.signature)


def test_the_key_has_1312_bytes() -> None:
    for count in (0, 32, 1311, 1313):
        vkey = note.NoteKey("a.example", note.MLDSA44_TYPE, bytes(count)).vkey()
        with pytest.raises(FormatError):
            note.parse_vkey(vkey)
        with pytest.raises(errors.MalformedInput):
            notes.parse_vkey(vkey)


def test_a_note_full_of_long_lines_is_read() -> None:
    """Sixteen lines of type 0x06, 3.3 kB each, of keys that nobody named: none of them is in the way."""
    lines = b"".join(LastingWitness(f"stranger-{number}").line(TEXT, TIME_S) for number in range(15))
    raw = NOTE + lines + LASTING.line(TEXT, TIME_S)
    text = f"{LOG}\n{LASTING.policy_line}\nquorum {LASTING.name}\n"
    assert both(text, raw) == ("quorate", {LASTING.name: TIME_S})


def test_two_of_three_with_both_types_nested() -> None:
    pair = f"{SHORT.policy_line}\n{LASTING.policy_line}\n{OWN.policy_line}"
    text = f"{LOG}\n{pair}\ngroup others any {SHORT.name} {LASTING.name}\ngroup all all others own\nquorum all\n"
    assert both(text, OWN.cosign(NOTE))[0] == "not quorate"
    assert both(text, LASTING.cosign(NOTE))[0] == "not quorate"
    assert both(text, LASTING.cosign(OWN.cosign(NOTE)))[0] == "quorate"
    assert both(text, SHORT.cosign(OWN.cosign(NOTE)))[0] == "quorate"


def test_the_log_s_own_second_key_counts_and_is_never_called_independent() -> None:
    raw = OWN.cosign(NOTE, TIME_S)
    text = f"{LOG}\n{OWN.policy_line}\n{SHORT.policy_line}\nquorum own\n"
    assert both(text, raw)[0] == "quorate"
    trusted = verifier_policy.parse_policy(text.encode())
    opened = verifier_policy.open_checkpoint(raw, trusted, trusted.logs[0])
    words = "\n".join(format_checkpoint(opened, trusted))
    assert "no independent witness" in words
    assert "one signer: the log's own keys" in words
    both_asked = verifier_policy.parse_policy(
        f"{LOG}\n{OWN.policy_line}\n{SHORT.policy_line}\ngroup g all own {SHORT.name}\nquorum g\n".encode()
    )
    assert not both_asked.one_signer(ORIGIN)


def test_a_signature_of_type_6_has_the_empty_context() -> None:
    seed = bytes(32)
    private = MLDSA44PrivateKey.from_seed_bytes(seed)
    signer = LastingWitness("context.example")
    signer.private = private
    signer.note_key = note.NoteKey("context.example", note.MLDSA44_TYPE, private.public_key().public_bytes_raw())
    good = signer.signature(TEXT, TIME_S)
    signer.note_key.verify(TEXT, TIME_S.to_bytes(8, "big") + good)
    message = notes.cosigned_message(notes.parse_vkey(signer.note_key.vkey()), TEXT, TIME_S)
    assert message is not None
    with pytest.raises(NoteError):
        signer.note_key.verify(TEXT, TIME_S.to_bytes(8, "big") + private.sign(message, b"context"))
