"""The shape of a job: which parts it has, drawn so that their steps add up to what the level asks for."""

from __future__ import annotations

from random import Random

import msgspec

from pytest_ultra.benchmark.generator.datasets import PlaceKind
from pytest_ultra.benchmark.generator.deliveries import OWN_KINDS, TEAM_KINDS
from pytest_ultra.benchmark.generator.draft import RejectedError
from pytest_ultra.benchmark.generator.job_results import RESULTS
from pytest_ultra.benchmark.generator.levels import Condition, Level, Policy
from pytest_ultra.benchmark.generator.worked_out_rules import FINAL_RULES, FINAL_RULES_OF_JOINED, ROW_RULES
from pytest_ultra.core.axes import TaskType

ANSWER = "answer"
ROUTE = "route"
MOST_TRIES = 100
MOST_NUMBERS = 10


class Part(msgspec.Struct, frozen=True):
    """One result, the kind of place where it is delivered, and what that depends on."""

    result: str
    place: str
    condition: Condition = Condition.NONE
    is_sent_too: bool = False

    @property
    def steps(self) -> int:
        delivery = {ANSWER: 0, "csv_file": 2}.get(self.place, 1)
        return RESULTS[self.result].steps + delivery


class Shape(msgspec.Struct, frozen=True):
    """The parts of a job.

    `cleaning` are rules on the state of the data, `selection` the kinds of filters in the words; `excludes` and
    `limits` are filters of the policy. `worked_out` are rules whose values are worked out, the one on what all others
    leave last. `parent_kind` is where the parent table is, if it is joined. With `has_second_session`, the result goes
    to another service than the one that the data come from.
    """

    kind: PlaceKind
    parent_kind: PlaceKind | None
    cleaning: tuple[str, ...]
    selection: tuple[str, ...]
    excludes: bool
    limits: bool
    parts: tuple[Part, ...]
    worked_out: tuple[str, ...] = ()
    has_second_session: bool = False

    def has(self, cleaning: str) -> bool:
        return cleaning in self.cleaning

    @property
    def steps(self) -> int:
        join = 1 + self.parent_kind.steps if self.parent_kind else 0
        filters = len(self.selection) + self.excludes + self.limits + len(self.worked_out)
        fixed = self.kind.steps + join + self.has_second_session
        return fixed + len(self.cleaning) + self.has("latest") + filters + sum(part.steps for part in self.parts)

    @property
    def most_steps(self) -> int:
        """The steps if everything is sent that is only sent in one case."""
        return self.steps + sum(part.is_sent_too for part in self.parts)


def draw_shape(rng: Random, level: Level, task_type: TaskType, *, has_units: bool) -> Shape:
    """Draw a number of steps, then a shape that has it."""
    possible = CLEANING if has_units else CLEANING[:-1]
    for _ in range(MOST_NUMBERS):
        least, most = level.steps_of(task_type)
        wanted = rng.randint(least, most)
        shapes = (_draw(rng, level, task_type, possible) for _ in range(MOST_TRIES))
        shape = next((shape for shape in shapes if shape.steps == wanted and shape.most_steps <= most), None)
        if shape is not None:
            return shape
    raise RejectedError("no shape with so many steps")


def _draw(rng: Random, level: Level, task_type: TaskType, possible: tuple[str, ...]) -> Shape:
    excludes, limits = _draw_policy(rng, level)
    cleaning = _draw_cleaning(rng, level, possible)
    if level.is_joined and task_type is TaskType.SIMPLE_TASK:  # these have few steps
        cleaning = rng.sample(cleaning, min(1, len(cleaning)))
    selection = _draw_selection(rng, level, cleaning, excludes=excludes)
    worked_out = _draw_worked_out(rng, level, {*cleaning, *selection})
    if level.is_joined and task_type is TaskType.SIMPLE_TASK:
        worked_out = worked_out[:1]
    parent_kind = rng.choice(_kinds(level)) if level.is_joined else None
    kind = PlaceKind.GUARDED_ADDRESS if task_type is TaskType.API_INTEGRATION else rng.choice(_kinds(level))
    count = rng.randint(*level.deliverables) if task_type is TaskType.MULTI_STAGE_PIPELINE else 1
    parts = tuple(_draw_part(rng, level, task_type, is_first=number == 0) for number in range(count))
    cleaning = [name for name in ORDER if name in cleaning]
    is_guarded_twice = task_type is TaskType.API_INTEGRATION and not level.is_exact and rng.random() < 0.4
    return Shape(
        kind,
        parent_kind,
        tuple(cleaning),
        tuple(selection),
        excludes,
        limits,
        parts,
        worked_out,
        is_guarded_twice,
    )


CLEANING = ("normalize", "deduplicate", "require", "unit")
"""Rules on the state of the data that the words give."""

NOTES = ("typed", "strays", "state", "mark")
"""Rules that notes on the data give; `padding` takes a join, `total` is lost by one."""

ORDER = (
    "total",
    "normalize",
    "typed",
    "deduplicate",
    "latest",
    "strays",
    "state",
    "require",
    "mark",
    "unit",
    "padding",
)
SELECTIONS = ("category", "some_categories", "exclude", "measure", "dates")
LATEST = 0.5
"""The share of the jobs with repeated entries in which the latest of them counts, where there are notes."""


def _draw_cleaning(rng: Random, level: Level, possible: tuple[str, ...]) -> list[str]:
    most_kinds = min(level.dirt, len(possible))
    least_kinds = 0 if level.has_notes else min(most_kinds, 1)
    cleaning = rng.sample(possible, rng.randint(least_kinds, most_kinds))
    if not level.has_notes:
        return cleaning
    if "deduplicate" in cleaning and rng.random() < LATEST:
        cleaning[cleaning.index("deduplicate")] = "latest"
    notes = (*NOTES, "padding") if level.is_joined else (*NOTES, "total")
    return [*cleaning, *rng.sample(notes, rng.randint(*level.notes))]


def _draw_selection(rng: Random, level: Level, cleaning: list[str], *, excludes: bool) -> list[str]:
    """Draw filters: at most one of dates, and none that makes a rule on the data needless."""
    kinds = [name for name in SELECTIONS if name != "dates" or not {"strays", "total"} & set(cleaning)]
    if "total" in cleaning:
        kinds = [name for name in kinds if name not in SELECTIONS[:2]]
    selection = [rng.choice(kinds) for _ in range(rng.randint(0, 1 if level.is_exact else 2))]
    if level.rules == 1 and rng.random() < 0.6:
        selection = ["exclude", *selection[:1]]
    on_categories = [name for name in SELECTIONS[:3] if name in kinds]
    needed = ("normalize" in cleaning or "typed" in cleaning) - excludes
    if "normalize" in cleaning and "typed" in cleaning:
        needed += 1
    if needed > sum(name in SELECTIONS[:3] for name in selection):
        selection = [*(rng.choice(on_categories) for _ in range(needed)), *selection[:1]][:2]
    if level.is_joined:
        selection = [rng.choice(SELECTIONS[1:3]), *selection[: max(1, needed)]]
    return selection[:1] if selection == ["dates", "dates"] else selection


def _draw_worked_out(rng: Random, level: Level, others: set[str]) -> tuple[str, ...]:
    """Draw rules whose values are worked out: none of days where others are, and one on what all others leave."""
    row_rules = [name for name in ROW_RULES if name != "weekdays" or not {"dates", "strays"} & others]
    final = rng.choice(FINAL_RULES_OF_JOINED if level.is_joined else FINAL_RULES)
    drawn = [*row_rules, final]
    count = min(rng.randint(*level.worked_out), len(drawn))
    return tuple(sorted(rng.sample(drawn, count), key=lambda name: name in FINAL_RULES))


def _kinds(level: Level) -> list[PlaceKind]:
    kinds = [PlaceKind.CSV_FILE, PlaceKind.JSON_FILE, PlaceKind.ADDRESS, PlaceKind.DATASTORE, PlaceKind.CACHE]
    return [*kinds, PlaceKind.TOPIC] if level.is_exact else kinds


def _draw_policy(rng: Random, level: Level) -> tuple[bool, bool]:
    if level.policy is Policy.NONE:
        return False, False
    return rng.choice(((True, False), (False, True), (True, True)))


def _draw_part(rng: Random, level: Level, task_type: TaskType, *, is_first: bool) -> Part:
    if task_type is TaskType.API_INTEGRATION:
        place = rng.choice(("intake", "intake", "intake", ROUTE))
    elif task_type is TaskType.MULTI_STAGE_PIPELINE:
        place = rng.choice((*TEAM_KINDS, *OWN_KINDS, ROUTE))
    else:
        place = rng.choice((*TEAM_KINDS, *OWN_KINDS) if rng.random() < 0.96 else (ANSWER,))
    results = possible_results(place, level)
    condition = _draw_condition(rng, level, place) if is_first else Condition.NONE
    is_sent_too = (
        task_type is not TaskType.SIMPLE_TASK
        and not level.is_exact
        and rng.random() < 0.3
        and place not in (ANSWER, ROUTE)
    )
    return Part(rng.choice(results), place, condition, is_sent_too)


def possible_results(place: str, level: Level) -> list[str]:
    """Return the results that can be delivered at a kind of place; there are no ties at levels without notes."""
    if place == ANSWER:
        return [name for name, result in RESULTS.items() if result.is_value]
    if place == ROUTE:
        return ["plain", "sorted"]
    names = [name for name in RESULTS if place != "csv_file" or name not in _NO_TABLE]
    return [name for name in names if level.has_notes or not RESULTS[name].has_ties]


_NO_TABLE = ("statistics", "packed", "sorted_packed")


def _draw_condition(rng: Random, level: Level, place: str) -> Condition:
    """Every level from `medium` on has its condition; on a stated fact, half of the jobs have one."""
    is_movable = place not in (ANSWER, ROUTE, "csv_file", "log")
    if not is_movable or (level.condition is Condition.STATED_FACT and rng.random() < 0.5):
        return Condition.NONE
    return level.condition
