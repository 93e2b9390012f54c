"""The verdict on merged runs: by the gates of the shards, or by those that are given to `pytest-ultra merge`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_ultra.commands.merged_run import Part
from pytest_ultra.controller.comparison import Compared, Side, compare_sides, find_finished, load_side
from pytest_ultra.controller.gate_hooks import check_common
from pytest_ultra.controller.gate_judgement import judge_run
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.gates import Decision
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.gate_options import GATES
from pytest_ultra.options.gate_settings import GateSettings, check_gates, gates_of, take_gates
from pytest_ultra.options.option_parsers import parse
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import RunEnd, read_run_end, write_run_end

_NAMES = tuple(option.name for option in GATES)


class MergedGates(msgspec.Struct, frozen=True):
    """What a merged run is judged by. `are_of_shards` means that the shards have left these gates to the merge."""

    gates: GateSettings
    reference: Side | None = None
    are_of_shards: bool = False

    @property
    def are_any(self) -> bool:
        return bool(gates_of(self.gates))


class MergedVerdict(msgspec.Struct, frozen=True):
    """The exit code of a merged run, and what gates and comparison have to do with it."""

    exit_code: int = 0
    decision: Decision | None = None
    compared: Compared | None = None


def add_gates(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("gates", "as for a run; those of shards hold without being given again")
    for option in GATES:
        help_text = option.full_help.replace("%", "%%")
        group.add_argument(option.flag, dest=option.key, metavar=option.metavar, action="append", help=help_text)


def read_gates(args: argparse.Namespace, parts: Sequence[Part]) -> MergedGates:
    """Return the gates of the shards, replaced by those that are given; raise ConfigurationError for wrong ones."""
    given = _read_given(args)
    stored = [_stored_gates(part) for part in parts if part.shard is not None]
    kept = [replace(gates, **given) for gates in stored]
    for gates in kept:
        if gates != kept[0]:
            raise ConfigurationError(
                f"the shards were started with different gates ({_name_difference(kept[0], gates)}); give those that "
                "are to hold, as in --ultra-fail-under 0.6"
            )
    gates = kept[0] if kept else replace(_no_gates(), **given)
    cases = [case for part in parts for case in part.plan.cases.values()]
    try:
        check_gates(
            gates,
            sorted({case.prompt_type for case in cases}),
            sorted({case.model for case in cases}),
            sorted({case.task_type for case in cases}),
        )
    except pytest.UsageError as error:
        raise ConfigurationError(str(error)) from None
    return MergedGates(gates, _load_reference(gates, cases, args.dir), any(gates_of(each) for each in stored))


def judge_merged(
    merged: MergedGates, run: RunDirectory, parts: Sequence[Part], episodes: Sequence[Episode]
) -> MergedVerdict:
    """Judge a merged run and store its exit code, which is that of one run of all its cases.

    Without gates, only shards give one: the runs of other jobs have been judged by themselves.
    """
    end = read_run_end(run)
    shards = [part for part in parts if part.shard is not None]
    if end is None or not (shards or merged.are_any):
        return MergedVerdict()
    status = int(any(_has_failed(part) for part in shards)) if merged.are_of_shards or not merged.are_any else 0
    if merged.are_any:
        failures = _count_failures(merged.gates, shards, episodes) if status else 0
        decision = judge_run(
            merged.gates,
            episodes,
            merged.reference,
            status,
            other_failures=failures,
            interruption=end.interruption,
        )
        reference = merged.reference
        compared = None if reference is None else compare_sides(Side(f"run {run.run_id}", tuple(episodes)), reference)
        verdict = MergedVerdict(decision.exit_code, decision, compared)
    else:
        verdict = MergedVerdict(int(bool(status or end.interruption)))
    write_run_end(run, RunEnd(verdict.exit_code, end.ended_at, end.interruption))
    return verdict


def _read_given(args: argparse.Namespace) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for option in GATES:
        texts = getattr(args, option.key)
        try:
            given |= {option.name: parse(option, texts)} if texts else {}
        except ValueError as error:
            raise ConfigurationError(f"{option.flag}: {error}") from None
    return given


def _no_gates() -> GateSettings:
    return take_gates({option.name: parse(option, [option.default]) if option.default else None for option in GATES})


def _stored_gates(part: Part) -> GateSettings:
    stored: Mapping[str, Any] = {name: part.options[name] for name in _NAMES if name in part.options}
    try:
        return msgspec.convert({**msgspec.to_builtins(_no_gates()), **stored}, GateSettings)
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            f"the gates in the run.json of {part.run.run_id} are damaged ({error}); leave its run out"
        ) from error


def _name_difference(one: GateSettings, other: GateSettings) -> str:
    name = next(name for name in _NAMES if getattr(one, name) != getattr(other, name))
    return f"{name} is {getattr(one, name)} and {getattr(other, name)}"


def _load_reference(gates: GateSettings, cases: Sequence[Any], root: Path) -> Side | None:
    if gates.compare is None:
        return None
    try:
        side = load_side(gates.compare, root, find_latest=find_finished)
        check_common(cases, side)
    except ConfigurationError as error:
        raise ConfigurationError(f"--ultra-compare: {error}") from None
    return side


def _count_failures(gates: GateSettings, shards: Sequence[Part], episodes: Sequence[Episode]) -> int:
    """Return how many cases have failed that no gate covers: if a gate is on figures, it covers all of them."""
    passing = {str(Outcome.FULL), *(str(part.options.get("least_outcome")) for part in shards)}
    failed = [episode for episode in episodes if episode.outcome.is_scored and episode.outcome not in passing]
    return 0 if gates.decide_run else len(failed)


def _has_failed(part: Part) -> bool:
    end = read_run_end(part.run)
    return end is None or bool(end.exit_status)
