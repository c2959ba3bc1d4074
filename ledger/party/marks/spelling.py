"""Identifiers and texts spelt anew: of the pieces that a column's own cells have (docs/marks.md §8).

Pure but for the source of randomness.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from itertools import pairwise, takewhile
from random import Random
from statistics import median_low

from ledger.party.marks.forms import forms_of, mended
from ledger.party.marks.held import NOTHING_HELD, Held

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_TOKEN = re.compile(r"[0-9]+|[^\W\d_]+|[\W_]+")
_MANY_SHARE = 0.9
_TRIES = 24
_LONG_TEXT = 6
_SHORT_WORD = 3
_HINGED = 0.8
_SPARE = 20
_LOOSE = 0.5


class Shapes:
    """Identifiers: from some place on, each digit one that stands there in cells of the same shape, letters kept.

    What is kept are a convention's letters, and as many characters from the left as a cell usually shares with the one
    next to it: prefixes of countries, banks and regions stay those of the row. Check digits are made right again.
    """

    def __init__(self, cells: Sequence[str], count: int, held: Held = NOTHING_HELD) -> None:
        """Learn shapes and forms; `count` new ones will be drawn, and `held` is what other columns say of them."""
        self._forms = forms_of(cells)
        self._held = held
        self._shape = _shape
        alike = _grouped(cells, _shape)
        if len(alike) > _LOOSE * len(cells):
            self._shape = _loose_shape
            alike = _grouped(cells, _loose_shape)
        self._pieces: dict[str, list[list[str]]] = {}
        self._open: dict[str, list[int]] = {}
        for shape, same in alike.items():
            pieces = [sorted(set(column)) for column in zip(*same, strict=True)]
            self._pieces[shape] = pieces
            closed = held.closed if len(pieces) == held.length else frozenset()
            self._open[shape] = _open_places(sorted(same), pieces, closed, _SPARE * (len(same) + count))

    def draw(self, cell: str, random: Random) -> str | None:
        """Return another identifier of the same shape."""
        shape = self._shape(cell)
        if shape not in self._pieces:
            return None
        letters = list(cell)
        for _ in range(_TRIES):
            for place in self._open[shape]:
                letters[place] = random.choice(self._choices(shape, place, cell))
            drawn = mended("".join(letters), self._forms)
            if drawn is not None and drawn != cell:
                return drawn
        return None

    def _choices(self, shape: str, place: int, cell: str) -> Sequence[str]:
        alike = self._held.alike.get(place, {}) if len(cell) == self._held.length else {}
        return alike.get(cell[place]) or self._pieces[shape][place]


class Words:
    """Texts: the beginning of one cell and the end of another, cut between words, or between letters of one word."""

    def __init__(self, cells: Sequence[str]) -> None:
        """Learn which ends follow what."""
        self._cells = cells
        self._mark = " " if sum(" " in cell for cell in cells) >= len(cells) / 2 else ""
        self._ends: dict[str, list[tuple[int, int]]] = {}
        for number, cell in enumerate(cells):
            pieces = self._split(cell)
            for cut in range(1, len(pieces)):
                self._ends.setdefault(self._hinge(pieces, cut), []).append((number, cut))

    def draw(self, cell: str, random: Random) -> str | None:
        """Return a text that has its beginning or its end in common with this one, and the rest with others."""
        for _ in range(_TRIES):
            one, other = self._split(cell), self._split(random.choice(self._cells))
            if random.random() < 0.5:
                one, other = other, one
            drawn = self._mark.join(self._crossed(one, other, random))
            if drawn != cell:
                return drawn
        return None

    def _crossed(self, one: list[str], other: list[str], random: Random) -> list[str]:
        cuts = range(1, len(one))
        if not cuts:
            return other
        numbers = [cut for cut in cuts if one[cut - 1].isdigit()] if self._mark else []
        cut = random.choice(numbers or cuts)
        is_long = len(one) > (_LONG_TEXT if self._mark else _SHORT_WORD)
        if numbers or (is_long and random.random() < _HINGED):
            number, place = random.choice(self._ends[self._hinge(one, cut)])
            return one[:cut] + self._split(self._cells[number])[place:]
        # Of names, which are short, what stands before says nothing of what follows.
        return one[:cut] + (other[cut:] or other[-1:])

    def _split(self, cell: str) -> list[str]:
        return cell.split(self._mark) if self._mark else list(cell)

    def _hinge(self, pieces: Sequence[str], cut: int) -> str:
        """Return what an end has to follow: a number, the same word, or the same two letters."""
        if not self._mark:
            return "".join(pieces[max(0, cut - 2) : cut]).lower()
        return "0" if pieces[cut - 1].isdigit() else pieces[cut - 1].lower()


class Addresses:
    """E-mail addresses: the local part of pieces of others', the domain kept."""

    def __init__(self, cells: Sequence[str]) -> None:
        """Learn the pieces of local parts, by how many a local part has."""
        self._locals: dict[int, list[list[str]]] = {}
        for cell in cells:
            tokens = _TOKEN.findall(cell.partition("@")[0])
            self._locals.setdefault(len(tokens), []).append(tokens)
        self._single = Words([cell.partition("@")[0] for cell in cells])

    def draw(self, cell: str, random: Random) -> str | None:
        """Return another address at the same domain."""
        local, _, domain = cell.partition("@")
        tokens = _TOKEN.findall(local)
        if len(tokens) < 2:
            drawn = self._single.draw(local, random)
            return None if drawn is None else f"{drawn}@{domain}"
        change = random.randrange(0, len(tokens))
        for place, token in enumerate(tokens):
            if token.isdigit():
                tokens[place] = "".join(random.choice("0123456789") for _ in token)
            elif token.isalpha() and (place <= change or len(tokens) == 2):
                tokens[place] = self._other(len(tokens), place, random)
        return f"{''.join(tokens)}@{domain}"

    def carried(self, cell: str, old: str, new: str, random: Random) -> str | None:
        """Return the address of somebody called `new`, where that of `old` has the words of the name in it."""
        local, _, domain = cell.partition("@")
        names = {one: two for one, two in zip(words_of(old), words_of(new), strict=False) if one in local.lower()}
        if not names or len(words_of(old)) != len(words_of(new)):
            return self.draw(cell, random)
        tokens = [names.get(token.lower(), token) for token in _TOKEN.findall(local)]
        tokens = ["".join(random.choice("0123456789") for _ in token) if token.isdigit() else token for token in tokens]
        return f"{''.join(tokens)}@{domain}"

    def carries(self, cells: Sequence[str | None], names: Sequence[str | None]) -> bool:
        """Tell whether addresses nearly always have a word of another column's cell in them."""
        pairs = [(cell.lower(), words_of(name)) for cell, name in zip(cells, names, strict=True) if cell and name]
        return bool(pairs) and sum(
            any(len(word) > 1 and word in _TOKEN.findall(cell) for word in words) for cell, words in pairs
        ) >= _MANY_SHARE * len(cells)

    def _other(self, length: int, place: int, random: Random) -> str:
        return random.choice(self._locals[length])[place]


def words_of(text: str) -> list[str]:
    """Return the words of a name as addresses have them: in small letters."""
    return re.findall(r"[^\W\d_]+", text.lower())


def speller(cells: Sequence[str], count: int, held: Held = NOTHING_HELD) -> Shapes | Words | Addresses | None:
    """Return how new cells of a column without an order are spelt; None where nothing can be learnt."""
    if len(cells) < 2:
        return None
    if sum(_EMAIL.fullmatch(cell) is not None for cell in cells) >= _MANY_SHARE * len(cells):
        return Addresses(cells)
    digits = sum(any(map(str.isdigit, cell)) for cell in cells)
    spaced = sum(cell.count(" ") > 0 for cell in cells)
    if digits >= _MANY_SHARE * len(cells) and (spaced < len(cells) / 2 or _is_coded(cells)):
        return Shapes(cells, count, held)
    return Words(cells)


def _is_coded(cells: Sequence[str]) -> bool:
    """Tell whether cells with spaces are codes all the same: hardly any letters, as in telephone numbers."""
    letters = sum(sum(map(str.isalpha, cell)) for cell in cells)
    return letters <= sum(sum(map(str.isdigit, cell)) for cell in cells) / 2


def _grouped(cells: Sequence[str], shape: Callable[[str], str]) -> dict[str, list[str]]:
    alike: dict[str, list[str]] = {}
    for cell in cells:
        alike.setdefault(shape(cell), []).append(cell)
    return alike


def _open_places(cells: Sequence[str], pieces: Sequence[Sequence[str]], closed: frozenset[int], room: int) -> list[int]:
    """Return the places that are drawn: digits from the right, or whatever varies, until there is room enough."""
    shared = [sum(1 for _ in takewhile(bool, map(str.__eq__, one, two))) for one, two in pairwise(cells)]
    usual = median_low(shared) if shared else 0
    varied = [place for place, piece in enumerate(pieces) if len(piece) > 1 and place not in closed]
    digits = [place for place in varied if all(map(str.isdigit, pieces[place]))]
    chosen: list[int] = []
    for place in [*reversed(digits), *reversed(varied)]:
        # What is kept differs from base to base, which makes room too.
        kept = len({"".join(cell[at] for at in range(len(pieces)) if at not in chosen) for cell in cells})
        is_enough = kept * math.prod(len(pieces[at]) for at in chosen) >= room
        if place not in chosen and not (is_enough and (place < usual or place not in digits)):
            chosen.append(place)
    return sorted(chosen)


def _shape(cell: str) -> str:
    """Return the kinds of a cell's characters; what is neither ASCII letter nor digit stands for itself."""
    return "".join("9" if "0" <= c <= "9" else "A" if "A" <= c <= "Z" else "a" if "a" <= c <= "z" else c for c in cell)


def _loose_shape(cell: str) -> str:
    """Return where letters or digits are, of whatever kind: for identifiers of which no two have the same shape."""
    return "".join("*" if c.isascii() and c.isalnum() else c for c in cell)
