"""What the rows of the table of cases have in common: numbers that are equal for cases that can be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from pytest_ultra.core.episode import Episode


class RowLinks(msgspec.Struct, frozen=True):
    """For each row four numbers, equal for rows that belong together.

    `control` is that of a control and all episodes with that control; `task` that of all episodes of a task with the
    same tools and faults, of every model, prompt type, repeat and run; `peer` that of cases that differ in the model
    alone; `same` that of the same case in two runs, whose models may differ if each has one of its own.
    """

    control: tuple[int, ...]
    task: tuple[int, ...]
    peer: tuple[int, ...]
    same: tuple[int, ...]


def link_rows(episodes: Sequence[Episode], runs: Sequence[str], *, are_models_in_runs: bool = False) -> RowLinks:
    """Number the rows; `runs` names the run of each, and `are_models_in_runs` if the runs differ in their model."""

    def number(key: Callable[[Episode], object], *, within_run: bool) -> tuple[int, ...]:
        pairs = zip(episodes, runs, strict=True)
        return _number((key(episode), run if within_run else "") for episode, run in pairs)

    return RowLinks(
        control=number(lambda e: (e.versions, e.case.control_key), within_run=True),
        task=number(_task, within_run=False),
        peer=number(_without_model, within_run=not are_models_in_runs),
        same=number(_without_model if are_models_in_runs else _whole_case, within_run=False),
    )


def _number(keys: Iterable[object]) -> tuple[int, ...]:
    known: dict[object, int] = {}
    return tuple(known.setdefault(key, len(known)) for key in keys)


def _task(episode: Episode) -> object:
    case = episode.case
    shown = (case.prompt_variant, case.tool_protocol, case.has_tool_discovery)
    return episode.generator_version, case.task_key, case.tool_success_rate, case.fault_kind, *shown


def _whole_case(episode: Episode) -> object:
    return episode.versions, episode.case


def _without_model(episode: Episode) -> object:
    return episode.versions, msgspec.structs.replace(episode.case, model="", request_parameters="")
