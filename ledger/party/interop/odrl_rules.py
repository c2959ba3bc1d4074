"""Rules, duties and constraints of other people's ODRL, as those of docs/terms.md §2 and §3."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ledger.core.encoding import Json
from ledger.party.interop.contexts import LEDGER, ODRL
from ledger.party.interop.errors import Unjudgeable
from ledger.party.interop.foreign import Left
from ledger.party.interop.jsonld import Graph, Item, Literal, Node, value_of
from ledger.party.interop.operands import LEFT_OPERANDS, OPERATORS, read_operand
from ledger.statements.vocabulary import COVERS, PROFILE

RULES = ("permission", "prohibition", "obligation")
FUNCTIONS = ("target", "assigner", "assignee")
_DUTIES = {"permission": "duty", "obligation": "consequence"}
_LOGIC = ("and", "or", "xone")
_ATOMIC = ("leftOperand", "operator", "rightOperand", "dataType", "datatype")
_MAX_CLAUSES = 20_000
_MAX_NESTING = 40
_MISSPELT = {"neg": "neq"}  # by the published context, until 2025


def name_of(item: Item) -> str:
    """Return the IRI or the text of a value; an action or party may be an object that names it in `rdf:value`."""
    found = value_of(item) if isinstance(item, Node) else item
    text = found.text if isinstance(found, Literal) else found.id
    # Where a context makes no IRI of a word, people write one all the same.
    return ODRL + text.removeprefix("odrl:") if text.startswith("odrl:") else text


class Rules:
    """Reads the rules of one policy. Where it made something of a clause, `origin` says of which."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.notes: list[Left] = []
        self._origins: dict[str, str] = {}
        self._clauses = 0
        self._functions: dict[str, dict[str, str]] = {name: {} for name in FUNCTIONS}

    def origin(self, place: str) -> str:
        """Return the place in the document from which a place in the terms was made, as near as is known."""
        while place and place not in self._origins:
            place = place.rpartition("/")[0]
        return self._origins.get(place, "")

    def read(self, kind: str, items: Iterable[Item], shared: Sequence[Item]) -> list[Json]:
        """Return the rules of one kind; `shared` are the actions of the policy, for rules that name none."""
        out: list[Json] = []
        for item in items:
            self._rule(kind, self._node(item), shared, f"/{kind}", out)
        return out

    def function(self, name: str, items: Sequence[Item]) -> None:
        """Take note of a target or party; refuse one that is narrowed: terms are about a listing and two parties."""
        for item in items:
            node = self._node(item) if isinstance(item, Node) else None
            if node is not None and ODRL + "refinement" in node.properties:
                raise Unjudgeable(f"a {name} with a refinement cannot be judged", node.pointer)
            self._functions[name][name_of(item)] = item.pointer

    def check_functions(self) -> None:
        """Refuse several targets or parties; note those that this license's own stand for."""
        for name, found in self._functions.items():
            if len(found) > 1:
                message = f"several values of {name}: a license is about one listing, between two parties"
                raise Unjudgeable(message, list(found.values())[-1])
            for value, place in found.items():
                if not value.startswith(LEDGER):
                    self.notes.append(Left(place, name, f"{value[:100]}: the license's own {name} stands here"))

    def _rule(self, kind: str, node: Node, shared: Sequence[Item], place: str, out: list[Json]) -> None:
        """Append a rule, or one for each of its actions: that is what several actions mean (ODRL IM §2.7)."""
        duties = _DUTIES.get(kind)
        for iri, items in node.properties.items():
            name = iri.removeprefix(ODRL)
            if name in FUNCTIONS and iri.startswith(ODRL):
                self.function(name, items)
            elif not iri.startswith(ODRL) or name not in {"action", "constraint", duties}:
                raise Unjudgeable(f"a {kind} here has no {node.names.get(iri, name)}", _place(items, node))
        actions = node.properties.get(ODRL + "action", []) or shared
        self._unnamed(node, kind)
        if not actions:
            raise Unjudgeable(f"a {kind} without an action", node.pointer)
        for action in actions:
            here = f"{place}/{len(out)}"
            self._clause(here, node)
            rule: dict[str, Json] = {"action": self._action(action)}
            constraints = self._constraints(node, "constraint", f"{here}/constraint", [])
            if isinstance(action, Node):
                self._constraints(self._node(action), "refinement", f"{here}/constraint", constraints)
            if constraints:
                rule["constraint"] = constraints
            if duties is not None and (found := self._duties(node, kind, duties, here)):
                rule[duties] = found
            out.append(rule)

    def _duties(self, node: Node, kind: str, name: str, here: str) -> list[Json]:
        out: list[Json] = []
        for item in node.properties.get(ODRL + name, []):
            duty = self._node(item)
            if kind == "permission" and duty.properties.keys() & {ODRL + "constraint", ODRL + "consequence"}:
                raise Unjudgeable("a permission's duty with terms of its own cannot be judged", duty.pointer)
            self._rule("obligation", duty, (), f"{here}/{name}", out)
        return out

    def _action(self, item: Item) -> str:
        iri = name_of(item)
        name = iri.removeprefix(PROFILE + "#") if iri.startswith(PROFILE) else iri.removeprefix(ODRL)
        if name not in COVERS or (name == "train") != iri.startswith(PROFILE):
            raise Unjudgeable(f"the action {iri[:200]} is none of docs/terms.md §4.1", item.pointer)
        node = self._node(item) if isinstance(item, Node) else None
        surplus = [iri for iri in node.properties if not iri.endswith(("#value", "/refinement"))] if node else []
        if node is not None and surplus:
            raise Unjudgeable(f"an action here has no {node.names[surplus[0]]}", node.pointer)
        return name

    def _constraints(self, node: Node, name: str, place: str, out: list[Json]) -> list[Json]:
        for item in node.properties.get(ODRL + name, []):
            here = f"{place}/{len(out)}"
            self._clause(here, item)
            out.append(self._constraint(self._node(item), here))
        return out

    def _constraint(self, node: Node, here: str) -> Json:
        if not node.properties:
            raise Unjudgeable(f"the constraint {node.id or '{}'} is not in the document", node.pointer)
        logic = [name for name in _LOGIC if ODRL + name in node.properties]
        for iri, items in node.properties.items():
            if iri.removeprefix(ODRL) not in (logic[:1] if logic else _ATOMIC):
                name = node.names.get(iri, iri)
                raise Unjudgeable(f"a constraint here has no {name.removeprefix('odrl:')}", _place(items, node))
        self._unnamed(node, "constraint")
        if not logic:
            return self._atomic(node)
        place = f"{here}/{logic[0]}"
        members = self._constraints(node, logic[0], place, [])
        if not members:
            raise Unjudgeable(f"{logic[0]} of nothing", node.pointer)
        return members[0] if len(members) == 1 else {logic[0]: members}

    def _clause(self, here: str, item: Item) -> None:
        """Take note of where a clause came from; refuse clauses that never end because they refer to each other."""
        self._clauses += 1
        if self._clauses > _MAX_CLAUSES or here.count("/") > _MAX_NESTING:
            raise Unjudgeable("clauses without end: nested too deep, or referring to each other", item.pointer)
        self._origins[here] = item.pointer

    def _unnamed(self, node: Node, kind: str) -> None:
        if node.id:
            self.notes.append(Left(node.pointer, "uid", f"{node.id[:100]}: a {kind} here is named by its place"))

    def _atomic(self, node: Node) -> Json:
        left = self._word(node, "leftOperand", LEFT_OPERANDS)
        operator = self._word(node, "operator", OPERATORS)
        types = node.properties.get(ODRL + "datatype", []) or node.properties.get(ODRL + "dataType", [])
        items = node.properties.get(ODRL + "rightOperand", [])
        operand = read_operand(left, operator, items, name_of(types[0]) if types else "", _place(items, node))
        self.notes += [Left(_place(items, node), "rightOperand", note) for note in operand.notes]
        return {"leftOperand": left, "operator": operand.operator, "rightOperand": operand.value}

    def _word(self, node: Node, name: str, words: frozenset[str]) -> str:
        items = node.properties.get(ODRL + name, [])
        if len(items) != 1:
            raise Unjudgeable(f"a constraint has one {name}", node.pointer)
        iri = name_of(items[0])
        word = _MISSPELT.get(iri.removeprefix(ODRL), iri.removeprefix(ODRL))
        if word not in words:
            raise Unjudgeable(f"the {name} {iri[:200]} is none of docs/terms.md §3.1", items[0].pointer)
        return word

    def _node(self, item: Item) -> Node:
        if isinstance(item, Literal):
            raise Unjudgeable(f"an object was expected, not {item.text[:60]!r}", item.pointer)
        return self.graph.resolve(item)


def _place(items: Sequence[Item], node: Node) -> str:
    return items[0].pointer if items else node.pointer
