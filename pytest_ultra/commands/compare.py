"""`pytest-ultra compare`: two runs, or a run and a baseline file, side by side."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pytest_ultra.commands.arguments import DONE, FOUND, Commands, add_command, add_dir, add_json
from pytest_ultra.commands.command_output import print_annotations, print_json, print_lines, warn
from pytest_ultra.errors import ConfigurationError

if TYPE_CHECKING:  # `--help` needs neither
    from pytest_ultra.controller.comparison import Compared, Side
    from pytest_ultra.core.gates import Decision

DESCRIPTION = """\
Compare a run with an earlier one over the cases that both have scored: success by group with the paired difference,
and which cases got worse or better. A and B are runs (id, directory, or latest) or baseline files."""
EPILOG = """\
exit codes:
  0  B is not shown to be worse than A, or worse than --max-regression allows
  1  B is worse, or with --undecided fail, it is not shown that it is not
  2  the command failed; the message says why"""


def add_compare(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "compare", run_compare, description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("a", metavar="A", help="the earlier run")
    parser.add_argument("b", metavar="B", nargs="?", help="the later run (default: the newest run)")
    parser.add_argument(
        "--max-regression",
        metavar="[GROUP=]RATE",
        action="append",
        default=[],
        help="how much success may be lost, in all or in a group (default: no more than chance explains); repeatable",
    )
    parser.add_argument(
        "--undecided",
        choices=("pass", "fail"),
        default="pass",
        help="the exit code if the cases show neither that B is worse nor that it is not: 0 (pass) or 1 (fail)",
    )
    add_dir(parser)
    add_json(parser)


def run_compare(args: argparse.Namespace) -> int:
    from pytest_ultra.controller.comparison import compare_sides, judge_sides, load_side, no_common_case  # noqa: PLC0415 - not for --help
    from pytest_ultra.core.groups import Undecided  # noqa: PLC0415
    from pytest_ultra.storage.run_lookup import LATEST  # noqa: PLC0415

    reference, sample = load_side(args.a, args.dir), load_side(args.b or LATEST, args.dir)
    warn("compare", (*reference.damage, *sample.damage))
    if args.b is None:
        _check_different(reference, sample)
    limits = _read_limits(args.max_regression, sample, reference)
    compared = compare_sides(sample, reference)
    if compared.figures.groups[0].difference is None:
        reasons = no_common_case(compared.differences)
        raise ConfigurationError(f"no case of {sample.name} was scored in {reference.name} too ({reasons})")
    decision = judge_sides(sample, reference, limits, Undecided(args.undecided))
    write = _write_json if args.json else _write_lines
    write(compared, decision)
    return FOUND if decision.exit_code else DONE


def _check_different(reference: Side, sample: Side) -> None:
    """Raise ConfigurationError if A is the newest run, which B is by default."""
    if reference.run is not None and sample.run is not None and reference.run.path.samefile(sample.run.path):
        raise ConfigurationError(
            f"A is the newest run ({sample.name}), which B is by default; give an earlier run or a baseline file as A "
            "(`pytest-ultra runs` lists the runs)"
        )


def _read_limits(texts: Sequence[str], *sides: Side) -> Mapping[str, float]:
    from pytest_ultra.core.groups import check_groups  # noqa: PLC0415 - not for --help
    from pytest_ultra.options.gate_settings import group_limits  # noqa: PLC0415

    try:
        limits = group_limits(texts)
    except ValueError as error:
        raise ConfigurationError(f"--max-regression: {error}") from None
    cases = [episode.case for side in sides for episode in side.episodes]
    own = {case.task_type for case in cases} | {case.prompt_type.value for case in cases if case.prompt_type.is_own}
    check_groups("--max-regression", limits, sorted({case.model for case in cases}), own=sorted(own))
    return limits


def _write_lines(compared: Compared, decision: Decision) -> None:
    from pytest_ultra.reporting.comparison_lines import comparison_lines  # noqa: PLC0415 - not for --help
    from pytest_ultra.reporting.gate_lines import gate_lines  # noqa: PLC0415
    from pytest_ultra.reporting.text import wrap_whole_words  # noqa: PLC0415

    width = shutil.get_terminal_size().columns
    lines = [*comparison_lines(compared.figures, compared.differences, width)]
    lines += [part for line in gate_lines(decision) for part in wrap_whole_words(line.text, width)]
    print_lines(lines)
    print_annotations(decision)


def _write_json(compared: Compared, decision: Decision) -> None:
    print_json({"figures": compared.figures, "departures": compared.differences, "decision": decision})
