"""The definition of a suite: its name and version, its world, its tools and its tasks."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import Any

import msgspec

from pytest_ultra.core.axes import FLAWED_MARK, OWN_MARK, Difficulty, PromptType
from pytest_ultra.core.json_types import Json
from pytest_ultra.custom.episode_world import World
from pytest_ultra.custom.own_flaws import OwnFlaw
from pytest_ultra.custom.suite_tool import Tool
from pytest_ultra.custom.tool_definition import FunctionTool
from pytest_ultra.custom.tool_run import Stage

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)

Reference = Callable[..., Any]
"""A reference workflow: it gets the plan that is recorded, and the values that the task is given."""
Mutator = Callable[[Any, Random], Any]
"""An implicit fault: it gets a copy of a tool's result, and returns a wrong one, or None if it has none."""
Check = Callable[[Any, Any], Any]
"""A check of the goal: it gets the world at the end and the answer. See `Suite.task`."""


class TaskDefinition(msgspec.Struct, frozen=True):
    """A task of a suite. `given` are the values for its words and its reference, one mapping for each instance.

    `answers` are the right answers of a task without a reference or a check, one for each instance. `place` is where
    the task is written, for messages, and `content` what else of it and its tools enters the identity of its cases.
    """

    name: str
    words: str
    reference: Reference | None
    check: Check | None
    given: tuple[Mapping[str, Any], ...]
    difficulty: str
    answers: tuple[Json, ...] = ()
    place: str = ""
    content: Json = None

    @property
    def title(self) -> str:
        """The name, and where the task is written."""
        return f"{self.name!r} ({self.place})" if self.place else repr(self.name)

    @property
    def instances(self) -> int:
        """How many instances there are: more would be the same tasks again."""
        return len(self.given) or 1

    def values(self, instance: int) -> Mapping[str, Any]:
        """Return what an instance is given; those beyond `instances`, which no run has, go round again."""
        return self.given[instance % len(self.given)] if self.given else {}

    def answer_of(self, instance: int) -> Json:
        """Return the right answer of a task without a reference; None if there is none."""
        return self.answers[instance % len(self.answers)] if self.answers else None

    def words_of(self, instance: int) -> str:
        return self.words.format(**self.values(instance)) if self.given else self.words


def task(
    words: str,
    *,
    check: Check | None = None,
    given: Iterable[Mapping[str, Any]] = (),
    name: str | None = None,
    difficulty: str = Difficulty.EASY,
) -> Callable[[Reference], TaskDefinition]:
    """Make a task of a reference workflow, for `Suite(..., tasks=[...])`; see `Suite.task`."""

    def decorate(reference: Reference) -> TaskDefinition:
        return _checked(TaskDefinition(name or reference.__name__, words, reference, check, tuple(given), difficulty))

    return decorate


def checked_task(
    words: str,
    *,
    given: Iterable[Mapping[str, Any]] = (),
    name: str | None = None,
    difficulty: str = Difficulty.EASY,
) -> Callable[[Check], TaskDefinition]:
    """Make a task of a check of its goal, without a reference workflow; see `Suite.checked_task`."""

    def decorate(check: Check) -> TaskDefinition:
        return _checked(TaskDefinition(name or check.__name__, words, None, check, tuple(given), difficulty))

    return decorate


class Suite:
    """Tasks of your own, with the tools that they are done with. Run it by `--ultra-suite module:attr`.

    `world` is a subclass of `World`, or for tools that work on something real a function that makes or resets it and
    returns it; then `snapshot` gets what it returned, and returns what the tools can change as a dict. `mutators` are
    implicit faults of your own: functions of a tool's result and a `random.Random` that return a wrong result, or None
    where there is none. `version` is yours to raise when the tools do something else; `system` stands before the
    system message.
    Raises TypeError and ValueError for what cannot be a suite.
    """

    def __init__(
        self,
        name: str,
        world: Callable[[], Any],
        tools: Sequence[Tool | Callable[..., Any]],
        *,
        tasks: Iterable[TaskDefinition] = (),
        snapshot: Callable[[Any], Any] | None = None,
        mutators: Iterable[Mutator] = (),
        version: str = "1",
        system: str = "",
    ) -> None:
        if not re.fullmatch(r"[\w.-]+", name):
            raise ValueError(f"{name!r} is no name for a suite; use letters, digits, `_`, `-` and `.`")
        self.name = name
        self.version = str(version)
        self.system = system
        self.snapshot = snapshot
        self._world = world
        self.flaws: dict[PromptType, OwnFlaw] = {}
        self.mutators = {each.__name__: each for each in mutators}
        self.tools = _by_name([each if isinstance(each, Tool) else FunctionTool(each) for each in tools])
        self.tasks: dict[str, TaskDefinition] = {}
        is_world = inspect.isclass(world) and issubclass(world, World)
        if not is_world and snapshot is None:
            raise TypeError(
                f"the world of the suite {name!r} is no subclass of pytest_ultra.World, so it cannot be copied and "
                "compared; give snapshot=..., a function that returns what the tools can change as a dict"
            )
        if is_world and snapshot is not None:
            raise TypeError(f"the suite {name!r} has a World, whose fields are its state; leave out snapshot")
        for each in tasks:
            self._add(each)

    def __repr__(self) -> str:
        return f"<suite {self.name}: {', '.join(self.tasks) or 'no tasks'}>"

    def task(
        self,
        words: str,
        *,
        check: Check | None = None,
        given: Iterable[Mapping[str, Any]] = (),
        name: str | None = None,
        difficulty: str = Difficulty.EASY,
    ) -> Callable[[Reference], TaskDefinition]:
        """Add a task by its reference workflow: a function that calls the tools on the plan that it gets.

        The goal is the state that the workflow leaves, and what it returns is the answer; with a `check` it is what
        that says: `check(world, answer)` returns whether the goal is reached or a share from 0 to 1, or raises
        AssertionError. `words` may name values in braces, which `given` holds: one mapping for each instance, which
        the reference gets too.
        """
        return lambda reference: self._add(
            task(words, check=check, given=given, name=name, difficulty=difficulty)(reference)
        )

    def checked_task(
        self,
        words: str,
        *,
        given: Iterable[Mapping[str, Any]] = (),
        name: str | None = None,
        difficulty: str = Difficulty.EASY,
    ) -> Callable[[Check], TaskDefinition]:
        """Add a task by a check of its goal, as `Suite.task` takes one. Without a reference it has no plans."""
        return lambda check: self._add(checked_task(words, given=given, name=name, difficulty=difficulty)(check))

    def flaw(self, function: OwnFlaw) -> OwnFlaw:
        """Add a flaw kind of your own, which is the prompt type `flawed_own_NAME`.

        The function gets a sound plan as JSON (`pytest-ultra inject` documents it), a `random.Random`, and how many
        steps to damage; it returns the damaged plan, or None. A plan counts only if its proof succeeds: followed to
        the letter, it misses the goal.
        """
        try:
            prompt_type = PromptType(f"{FLAWED_MARK}{OWN_MARK}{function.__name__}")
        except ValueError:
            raise ValueError(
                f"{function.__name__!r} is no name for a flaw; use small letters, digits and `_`"
            ) from None
        self.flaws[prompt_type] = function
        return function

    @property
    def is_shared(self) -> bool:
        """Whether its tools have one state for all processes, so that only one can use them at a time."""
        return False

    @property
    def episodes_at_once(self) -> int | None:
        """How many episodes a process runs at once, if the user does not say; None for the usual number."""
        return None

    def open(self) -> Stage:
        """Return a new world with the tools."""
        return Stage(self._world(), self.tools, self.snapshot)

    def task_version(self, task: TaskDefinition) -> str:
        """Return the suite's version and a digest of what agents see of the tools and of the task."""
        schemas = [each.schema for each in self.tools.values()]
        faults = [[each.weight, each.transient] for each in self.tools.values()]
        shown = [schemas, faults, self.system, task.words, task.given]
        shown += [] if task.content is None else [task.content]
        text = msgspec.json.encode(shown, order="deterministic", enc_hook=repr)
        return f"{self.version}-{hashlib.blake2b(text, digest_size=4).hexdigest()}"

    def _add(self, new: TaskDefinition) -> TaskDefinition:
        if new.name in self.tasks:
            raise ValueError(f"the suite {self.name!r} has two tasks {new.name!r}; give one another name=...")
        self.tasks[new.name] = new
        return new


def _by_name(tools: Sequence[Tool]) -> dict[str, Tool]:
    by_name: dict[str, Tool] = {}
    for each in tools:
        if by_name.setdefault(each.name, each) is not each:
            raise ValueError(f"two tools have the name {each.name!r}; give one another, as in @tool(name=...)")
    if not by_name:
        raise ValueError("a suite needs tools; give a list of functions")
    return by_name


def _checked(task: TaskDefinition) -> TaskDefinition:
    """Return a task as it is; raise ValueError for one that cannot be."""
    if not _NAME.fullmatch(task.name):
        raise ValueError(f"{task.name!r} is no name for a task; use letters, digits and `_`")
    if task.difficulty not in list(Difficulty):
        valid = ", ".join(Difficulty)
        raise ValueError(f"the task {task.name!r} has the difficulty {task.difficulty!r}; choose from {valid}")
    for values in task.given:
        try:
            task.words.format(**values)
        except (LookupError, ValueError) as error:
            raise ValueError(f"the words of the task {task.name!r} do not fit what it is given: {error!r}") from None
    return task
