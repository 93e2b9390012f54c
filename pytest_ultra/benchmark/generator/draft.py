"""The draft of a task: each step runs in the draft's world, and its real result becomes the goal."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

import msgspec

from pytest_ultra.benchmark.facts import Fact, FactKind, entries
from pytest_ultra.benchmark.task import Action, Milestone
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.json_types import Json, Row
from pytest_ultra.core.workflow import Call, reference, referenced_step

T = TypeVar("T")


class RejectedError(Exception):
    """This draw makes no good task; the generator tries the next one."""


class Item(msgspec.Struct, frozen=True):
    """The result of a step: its milestone's number from 1, a noun phrase for it, and its value."""

    number: int
    noun: str
    value: Json
    is_ordered: bool = False

    @property
    def rows(self) -> list[Row]:
        """The value as a table. Rejects the draw if it is no table or too small to work on."""
        if not isinstance(self.value, list) or len(self.value) < MIN_ROWS:
            raise RejectedError("too few rows")
        return self.value

    @property
    def data(self) -> str:
        """The argument that refers to this item."""
        return reference(self.number)

    def numeric_fields(self) -> list[str]:
        return [field for field, value in self.rows[0].items() if isinstance(value, int | float)]

    def category_fields(self) -> list[str]:
        """Return the text fields with recurring values."""
        rows = self.rows
        texts = [field for field, value in rows[0].items() if isinstance(value, str)]
        return [field for field in texts if 1 < len({row[field] for row in rows}) < len(rows)]


MIN_ROWS = 3


class Sentence(msgspec.Struct, frozen=True):
    """An operation in words. A mechanical one is left out where the reader can infer it."""

    text: str
    is_mechanical: bool = False


class DeliverableText(msgspec.Struct, frozen=True):
    """A deliverable in words: as a request ("Write X to Y") and as an outcome ("Y holds X")."""

    request: str
    outcome: str


class Draft:
    """Collects the parts of a task while its reference workflow runs with perfect tools."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.edition = f"w{rng.randint(1, 52):02}"  # part of the data's names, so that names rarely recur
        self.world = World()
        self.milestones: list[Milestone] = []
        self.actions: list[Action] = []
        self.sentences: list[Sentence] = []
        self.deliverable_texts: list[DeliverableText] = []
        self._state = World()
        self._handles: dict[int, str] = {}

    def pick(self, options: Sequence[T]) -> T:
        """Choose one of the options; reject the draw if there are none."""
        if not options:
            raise RejectedError("nothing to choose from")
        return self.rng.choice(options)

    @property
    def steps(self) -> int:
        """The number of calls of the reference workflow."""
        return len({action.reaches for action in self.actions})

    def add_to_world(self, **parts: Any) -> None:
        """Add entries to the initial world; each keyword is a dictionary of `World`."""
        for name, entries_ in parts.items():
            self.world = msgspec.structs.replace(self.world, **{name: {**getattr(self.world, name), **entries_}})
            self._state = msgspec.structs.replace(self._state, **{name: {**getattr(self._state, name), **entries_}})

    def make(
        self,
        call: Call,
        noun: str,
        *,
        needs: tuple[int, ...] = (),
        is_ordered: bool = False,
        others: tuple[Call, ...] = (),
    ) -> Item:
        """Run a call that makes an artefact. `needs` are milestone numbers, `others` are equivalent calls."""
        handle = self._run(call)
        value = self._state.artefacts[handle]
        number = self._add_milestone(Fact.of(FactKind.ARTEFACT, "", value, is_ordered=is_ordered), call, needs, others)
        self._handles[number] = handle
        return Item(number, noun, value, is_ordered)

    def authenticate(self, service: str) -> int:
        """Open a session; return its milestone's number."""
        call = Call("integration_authenticator", {"service": service})
        self._run(call)
        return self._add_milestone(Fact.of(FactKind.SESSION, service, True), call, (), ())  # noqa: FBT003 - the fact's value

    def deliver(self, call: Call, kind: FactKind, key: str, *, needs: tuple[int, ...] = (), is_ordered: bool) -> None:
        """Run a call that changes the world; the resulting value at `key` is a deliverable."""
        self._run(call)
        value = [value for name, value in entries(self._state, kind) if name == key][-1]
        self._add_milestone(Fact.of(kind, key, value, is_ordered=is_ordered), call, needs, (), is_deliverable=True)

    def answer(self, item: Item, value: Json) -> None:
        fact = Fact.of(FactKind.ANSWER, item.noun, value)
        self.milestones.append(Milestone(fact, (item.number - 1,), is_deliverable=True))

    def add_sentence(self, text: str, *, is_mechanical: bool = False) -> None:
        self.sentences.append(Sentence(text, is_mechanical))

    def describe_deliverable(self, request: str, outcome: str) -> None:
        self.deliverable_texts.append(DeliverableText(request, outcome))

    def _add_milestone(
        self, fact: Fact, call: Call, needs: tuple[int, ...], others: tuple[Call, ...], *, is_deliverable: bool = False
    ) -> int:
        known = [(milestone.fact.kind, milestone.fact.key, milestone.fact.text) for milestone in self.milestones]
        if (fact.kind, fact.key, fact.text) in known:
            raise RejectedError("a step that changes nothing")
        index = len(self.milestones)
        for option in sorted((call, *others), key=lambda option: TOOLS[option.tool].weight):
            indices = tuple(sorted({number - 1 for number in (*option.references, *needs)}))
            self.actions.append(Action(option, indices, index))
        self.milestones.append(Milestone(fact, self.actions[-1].needs, is_deliverable))
        return index + 1

    def _run(self, call: Call) -> str:
        """Run a call in the draft's world; return its artefact's handle, if any, else "". An error rejects the draw."""
        arguments = {name: self._resolve(value) for name, value in call.arguments.items()}
        self._state, result = invoke(self._state, call.tool, arguments)
        if not result.is_success:
            raise RejectedError(f"{call.tool}: {result.code} {result.message}")
        return result.handle or ""

    def _resolve(self, argument: Json) -> Json:
        number = referenced_step(argument)
        return argument if number is None else self._handles[number]
