"""Trust policies and what they say of checkpoints with real cosignatures (docs/format.md §10.5)."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core.checkpoint import Checkpoint, TreeHead, sign_checkpoint
from ledger.core.errors import LedgerError, NoteError, PolicyError, QuorumError
from ledger.core.note import ED25519_TYPE, NoteKey
from ledger.core.policy import parse_policy
from tests.harness.people import key
from tests.harness.witness import Witness

ORIGIN = "ledger.example/log"
LOG_KEY = key("log")
VKEY = NoteKey(ORIGIN, ED25519_TYPE, LOG_KEY.public.raw).vkey()
LOG = f"log {VKEY}"
HEAD = TreeHead(7, bytes(range(32)))
NOTE = sign_checkpoint(ORIGIN, HEAD, LOG_KEY)
NAMES = "abcde"
WITNESSES = {name: Witness(name) for name in NAMES}
LINES = "\n".join([LOG, *(witness.policy_line for witness in WITNESSES.values())])


def cosigned(names: str) -> bytes:
    note = NOTE
    for name in names:
        note = WITNESSES[name].cosign(note)
    return note


def is_reached(text: str, names: str) -> bool:
    """Tell whether the log's checkpoint, cosigned by these witnesses, satisfies the policy."""
    try:
        assert parse_policy(text).open_checkpoint(cosigned(names)) == Checkpoint(ORIGIN, HEAD)
    except QuorumError:
        return False
    return True


def subsets() -> list[str]:
    return ["".join(chosen) for count in range(len(NAMES) + 1) for chosen in combinations(NAMES, count)]


@pytest.mark.parametrize("threshold", range(1, 6))
def test_k_of_n(threshold: int) -> None:
    text = f"{LINES}\ngroup g {threshold} a b c d e\nquorum g\n"
    for names in subsets():
        assert is_reached(text, names) is (len(names) >= threshold)


def test_groups_of_groups() -> None:
    """Two of: a alone; both of b and c; any of d and e."""
    text = f"{LINES}\ngroup both all b c\ngroup either any d e\ngroup top 2 a both either\nquorum top\n"
    for names in subsets():
        votes = [("a" in names), {"b", "c"} <= set(names), bool({"d", "e"} & set(names))]
        assert is_reached(text, names) is (sum(votes) >= 2)


def test_one_witness_as_quorum() -> None:
    text = f"{LINES}\nquorum c\n"
    for names in subsets():
        assert is_reached(text, names) is ("c" in names)


def test_no_quorum() -> None:
    assert is_reached(f"{LOG}\nquorum none\n", "")


def test_a_witness_counts_once() -> None:
    """Two lines by the same witness are one vote."""
    note = WITNESSES["a"].cosign(WITNESSES["a"].cosign(NOTE, 1), 2)
    with pytest.raises(QuorumError):
        parse_policy(f"{LINES}\ngroup g 2 a b\nquorum g\n").open_checkpoint(note)


def test_a_wrong_cosignature_is_not_just_missing() -> None:
    """A line of a known witness that does not verify is an error even where the quorum is reached without it."""
    wrong = NOTE + WITNESSES["a"].line(b"another text\n", 1)
    with pytest.raises(NoteError) as caught:
        parse_policy(f"{LINES}\nquorum none\n").open_checkpoint(wrong)
    assert not isinstance(caught.value, QuorumError)


def test_witnesses_do_not_replace_the_log() -> None:
    text = NOTE.rpartition(b"\n\n")[0] + b"\n\n"
    lines = b"".join(witness.line(text[:-1], 1) for witness in WITNESSES.values())
    with pytest.raises(NoteError) as caught:
        parse_policy(f"{LINES}\nquorum a\n").open_checkpoint(text + lines)
    assert not isinstance(caught.value, QuorumError)


def test_another_log() -> None:
    for origin, signer in (("other.example", LOG_KEY), (ORIGIN, key("another"))):
        with pytest.raises(NoteError):
            parse_policy(f"{LOG}\nquorum none\n").open_checkpoint(sign_checkpoint(origin, HEAD, signer))


def test_several_logs() -> None:
    other = key("other log")
    vkey = NoteKey("other.example", ED25519_TYPE, other.public.raw).vkey()
    policy = parse_policy(f"{LOG} https://ledger.example\nlog {vkey}\nquorum none\n")
    assert policy.open_checkpoint(sign_checkpoint("other.example", HEAD, other)).origin == "other.example"
    assert policy.open_checkpoint(NOTE).origin == ORIGIN


W = WITNESSES["a"].policy_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 0),
        ("quorum none", 0),
        (LOG, 0),
        (f"{LOG}\nquorum none\nquorum none", 3),
        (f"{LOG}\nquorum nobody", 2),
        (f"{LOG}\nquorum g\n{W}\ngroup g any a", 2),
        (f"{LOG}\n{LOG}\nquorum none", 2),
        (f"{LOG}\n{W}\n{W.replace(' a ', ' b ')}\nquorum none", 3),
        (f"{LOG}\n{W}\nwitness a {WITNESSES['b'].note_key.vkey()}\nquorum none", 3),
        (f"{LOG}\nwitness none {WITNESSES['b'].note_key.vkey()}\nquorum none", 2),
        (f"{LOG}\nwitness l {VKEY}\nquorum none", 2),
        (f"log {WITNESSES['a'].note_key.vkey()}\nquorum none", 1),
        (f"{LOG}\n{W}\ngroup g 0 a\nquorum g", 3),
        (f"{LOG}\n{W}\ngroup g 2 a\nquorum g", 3),
        (f"{LOG}\n{W}\ngroup g 01 a\nquorum g", 3),
        (f"{LOG}\n{W}\ngroup g ¹ a\nquorum g", 3),
        (f"{LOG}\n{W}\ngroup g {'9' * 5000} a\nquorum g", 3),
        (f"{LOG}\n{W}\ngroup g all\nquorum none", 3),
        (f"{LOG}\n{W}\ngroup g all b\nquorum none", 3),
        (f"{LOG}\n{W}\ngroup g all g\nquorum none", 3),
        (f"{LOG}\n{W}\ngroup g all a a\nquorum none", 3),
        (f"{LOG}\n{W}\ngroup g all a\ngroup h all a\nquorum none", 4),
        (f"{LOG}\n{W}\ngroup a all a\nquorum none", 3),
        (f"{LOG}\ntrust everybody\nquorum none", 2),
        ("log nonsense\nquorum none", 1),
        (f"{LOG} url more\nquorum none", 1),
        ("\n" * 1000, 0),
    ],
)
def test_no_policy(text: str, line: int) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text)
    if line:
        assert f"policy line {line}:" in str(caught.value)


def test_comments_tabs_and_blanks() -> None:
    policy = parse_policy(f"# trust\n\n  # nobody else\n\tlog\t{VKEY} \n  quorum  none  \n")
    assert [item.vkey() for item in policy.logs] == [VKEY]


@settings(max_examples=300, derandomize=True, deadline=None)
@given(
    st.text(max_size=80)
    | st.lists(st.sampled_from(["log", "quorum", "none", "group", "\n", " ", VKEY, "g", "1"])).map("".join)
)
def test_arbitrary_policies(text: str) -> None:
    try:
        parse_policy(text)
    except LedgerError:
        return
