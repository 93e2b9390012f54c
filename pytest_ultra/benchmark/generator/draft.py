"""The draft of a task: each step runs in the draft's world, and its real result becomes the goal."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

import msgspec

from pytest_ultra.benchmark.decisions import Decision, Misreading, Skill
from pytest_ultra.benchmark.facts import Fact, FactKind, entries
from pytest_ultra.benchmark.generator.job_items import Item
from pytest_ultra.benchmark.generator.job_text import JobText, Kind
from pytest_ultra.benchmark.generator.levels import Level
from pytest_ultra.benchmark.generator.setting import Setting
from pytest_ultra.benchmark.task import Action, Milestone
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.world import Mirror, World
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call

T = TypeVar("T")


class RejectedError(Exception):
    """This draw makes no good task; the generator tries the next one."""


class Draft:
    """Collects the parts of a task while its reference workflow runs with perfect tools.

    `row_steps` holds, for each milestone that changes a table row by row or drops rows, the fields that it reads and
    writes: two of them in a row can change places if the words do not say which comes first.
    `stored_gaps` is the table as it is stored, one of its fields that has gaps, and the mark of a missing value there.
    """

    def __init__(self, rng: Random, level: Level) -> None:
        self.rng = rng
        self.level = level
        self.setting = Setting(rng)
        self.text = JobText(Random(rng.random()))
        self.world = World()
        self.milestones: list[Milestone] = []
        self.actions: list[Action] = []
        self.decisions: list[Decision] = []
        self.row_steps: dict[int, RowStep] = {}
        self.extra_tools: set[str] = set()
        self.stored_gaps: tuple[Item, str, Json] | None = None
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

    def say(self, kind: Kind, phrasings: Sequence[str], **names: object) -> None:
        """Add a sentence, in one of some phrasings; `names` fill its gaps."""
        self.text.add(kind, phrasings, names)

    def add_to_world(self, **parts: Any) -> None:
        """Add entries to the initial world; each keyword is a dictionary of `World`."""
        for name, entries_ in parts.items():
            self.world = msgspec.structs.replace(self.world, **{name: {**getattr(self.world, name), **entries_}})
            self._state = msgspec.structs.replace(self._state, **{name: {**getattr(self._state, name), **entries_}})

    def mirror(self, mirrors: tuple[Mirror, ...]) -> None:
        """Give the initial world mirrors."""
        self.world = msgspec.structs.replace(self.world, mirrors=mirrors)

    def make(
        self,
        call: Call,
        item: Item,
        *,
        needs: tuple[int, ...] = (),
        is_ordered: bool | None = None,
        others: tuple[Call, ...] = (),
        row_step: RowStep | None = None,
    ) -> Item:
        """Run a call that makes an artefact; return `item` with its number and value.

        `needs` are milestone numbers, `others` are equivalent calls.
        """
        handle = self._run(call)
        value = self._state.artefacts[handle]
        is_ordered = item.is_ordered if is_ordered is None else is_ordered
        fact = Fact(FactKind.ARTEFACT, "", value, is_ordered, "")  # its text follows once the draft is accepted
        number = self._add_milestone(fact, call, needs, others)
        self._handles[number] = handle
        if row_step is not None:
            self.row_steps[number - 1] = row_step
        return msgspec.structs.replace(item, number=number, value=value, is_ordered=is_ordered)

    def figure(self, call: Call) -> Json:
        """Return what a call would make, without making it a step of the task."""
        state, result = invoke(self._state, call.tool, self._resolve(call))
        if not result.is_success or result.handle is None:
            raise RejectedError(f"{call.tool}: {result.code} {result.message}")
        return state.artefacts[result.handle]

    def authenticate(self, service: str) -> int:
        """Open a session; return its milestone's number."""
        known = [index for index, made in enumerate(self.milestones) if made.fact.key == service]
        if known:
            return known[0] + 1
        call = Call("integration_authenticator", {"service": service})
        self._run(call)
        return self._add_milestone(Fact.of(FactKind.SESSION, service, True), call, (), ())  # noqa: FBT003 - the fact's value

    def deliver(self, call: Call, kind: FactKind, key: str, *, needs: tuple[int, ...] = (), is_ordered: bool) -> int:
        """Run a call that changes the world; the value at `key` is a deliverable. Return its milestone's number."""
        self._run(call)
        value = [value for name, value in entries(self._state, kind) if name == key][-1]
        fact = Fact.of(kind, key, value, is_ordered=is_ordered)
        return self._add_milestone(fact, call, needs, (), is_deliverable=True)

    def answer(self, item: Item, value: Json) -> None:
        fact = Fact.of(FactKind.ANSWER, "", value)
        self.milestones.append(Milestone(fact, (item.number - 1,), is_deliverable=True))

    def decide(self, skill: Skill, question: str, look_ups: Sequence[Call], misreadings: Sequence[Misreading]) -> None:
        """Add a decision that the words leave open, and offer the tools that it takes."""
        self.decisions.append(Decision(skill, question, tuple(look_ups), tuple(misreadings)))
        self.extra_tools |= {call.tool for call in look_ups}
        self.extra_tools |= {call.tool for misreading in misreadings for call in misreading.added}

    def _add_milestone(
        self, fact: Fact, call: Call, needs: tuple[int, ...], others: tuple[Call, ...], *, is_deliverable: bool = False
    ) -> int:
        if any(_is_same(milestone.fact, fact) for milestone in self.milestones):
            raise RejectedError("a step that changes nothing")
        index = len(self.milestones)
        for option in sorted((call, *others), key=lambda option: TOOLS[option.tool].weight):
            indices = tuple(sorted({number - 1 for number in (*option.references, *needs)}))
            self.actions.append(Action(option, indices, index))
        self.milestones.append(Milestone(fact, self.actions[-1].needs, is_deliverable))
        return index + 1

    def _run(self, call: Call) -> str:
        """Run a call in the draft's world; return its artefact's handle, if any, else "". An error rejects the draw."""
        self._state, result = invoke(self._state, call.tool, self._resolve(call))
        if not result.is_success:
            raise RejectedError(f"{call.tool}: {result.code} {result.message}")
        return result.handle or ""

    def _resolve(self, call: Call) -> dict[str, Json]:
        return call.with_references(self._handles.__getitem__).arguments


def _is_same(known: Fact, fact: Fact) -> bool:
    return known.kind is fact.kind and known.key == fact.key and known.value == fact.value


class RowStep(msgspec.Struct, frozen=True):
    """The fields that a step on rows reads, and those that it changes or adds.

    With `is_of_entry`, it is about something that all revisions of an entry share, so that it can also come before the
    steps that keep the latest one.
    """

    reads: frozenset[str]
    writes: frozenset[str] = frozenset()
    is_of_entry: bool = False

    def can_swap_with(self, other: RowStep) -> bool:
        return not (self.writes & (other.reads | other.writes) or other.writes & self.reads)
