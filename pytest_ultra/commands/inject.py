"""`pytest-ultra inject`: damages a plan of any tools."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ultra.commands.arguments import DONE, Commands, add_command, add_json
from pytest_ultra.commands.command_output import print_bytes, print_lines
from pytest_ultra.commands.plan_files import add_plan, read_json
from pytest_ultra.core.axes import FlawKind, Severity, Visibility
from pytest_ultra.errors import ConfigurationError

if TYPE_CHECKING:  # `--help` needs no flaw
    from pytest_ultra.core.guidance import Damage
    from pytest_ultra.core.json_types import Json
    from pytest_ultra.flaws.own_plans.flaw_library import FlawedPlan, ReachesGoal

DESCRIPTION = """\
Damage a sound plan of any tools: print the flawed plan, the damaged steps, and what is proved of the flaw. The same
arguments give the same flaw. See docs/flaws.md."""
EPILOG = """\
exit codes:
  0  the plan is damaged
  2  the command failed; the message says why"""


def add_inject(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "inject", run_inject, description=DESCRIPTION, epilog=EPILOG)
    add_plan(parser)
    parser.add_argument(
        "--kind", metavar="KIND", required=True, choices=[*map(str, FlawKind)], help=", ".join(FlawKind)
    )
    parser.add_argument(
        "--severity",
        metavar="NAME",
        choices=[*map(str, Severity)],
        default=Severity.SEVERE,
        help=f"{', '.join(Severity)} (default: severe)",
    )
    parser.add_argument(
        "--visibility",
        metavar="NAME",
        choices=[*map(str, Visibility)],
        default=Visibility.JOB,
        help=f"{', '.join(Visibility)} (default: job)",
    )
    parser.add_argument("--words", metavar="TEXT", help="the job in words, against which the visibility is checked")
    parser.add_argument(
        "--rehearse",
        metavar="MODULE:ATTR",
        help="a function of yours that follows a plan, as JSON, and returns whether it reaches the goal",
    )
    parser.add_argument("--seed", metavar="TEXT", default="0", help="another seed gives another flaw (default: 0)")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="write to a file instead")
    add_json(parser)


def run_inject(args: argparse.Namespace) -> int:
    from pytest_ultra.flaws.own_plans.flaw_library import inject  # noqa: PLC0415 - not for --help
    from pytest_ultra.flaws.own_plans.plan_document import read_plan  # noqa: PLC0415
    from pytest_ultra.flaws.own_plans.tool_listing import read_tools  # noqa: PLC0415
    from pytest_ultra.storage.files import check_writable, write_atomically  # noqa: PLC0415

    if args.output is not None:
        check_writable(args.output, "-o")
    plan = read_plan(read_json(args.plan), str(args.plan))
    tools = read_json(args.tools)
    read_tools(tools, str(args.tools))  # names the file in its errors
    flawed = inject(
        plan,
        args.kind,
        args.severity,
        tools=tools,
        visibility=args.visibility,
        seed=args.seed,
        words=args.words,
        rehearse=_import_rehearsal(args.rehearse) if args.rehearse is not None else None,
    )
    lines = [json.dumps(flawed.document(), indent=2)] if args.json else list(_lines(flawed))
    content = "".join(f"{line}\n" for line in lines).encode()
    if args.output is not None:
        write_atomically(args.output, content)
    elif args.json:
        print_bytes(content)
    else:
        print_lines(lines)
    return DONE


def _import_rehearsal(target: str) -> ReachesGoal:
    from pytest_ultra.options.user_import import import_from  # noqa: PLC0415 - not for --help

    found = import_from(str(Path.cwd()), target, "--rehearse", callable, "function")

    def rehearse(plan: dict[str, Json]) -> bool:
        try:
            return bool(found(plan))
        except Exception as error:
            raise ConfigurationError(
                f"--rehearse: {target} raised {type(error).__name__}: {error}; return False for a plan whose calls fail"
            ) from error

    return rehearse


def _lines(flawed: FlawedPlan) -> Iterator[str]:
    from pytest_ultra.flaws.own_plans.flaw_library import describe_finding  # noqa: PLC0415 - as above

    yield from (*flawed.text.split("\n"), "")
    yield f"{flawed.kind}, {flawed.severity}, visibility {flawed.visibility}, seed {flawed.seed}"
    if flawed.visibility is not flawed.wanted_visibility:
        yield f"the plan has no place for a flaw of visibility {flawed.wanted_visibility}"
    yield from (_describe_damage(damage) for damage in flawed.damages)
    yield from (f"linter: {describe_finding(finding)}" for finding in flawed.proof.findings)
    yield f"proved by: {flawed.proof.cost}"
    yield from (f"not proved: {claim}" for claim in flawed.proof.unproved)


def _describe_damage(damage: Damage) -> str:
    if damage.flawed_step is None:
        return f"step {damage.optimal_step} of the sound plan {damage.how}"
    origin = " (added)" if damage.optimal_step is None else f" ({damage.optimal_step} of the sound plan)"
    is_same = damage.optimal_step == damage.flawed_step
    return f"step {damage.flawed_step}{'' if is_same else origin}: {damage.how}"
