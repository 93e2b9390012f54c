"""`pytest-ultra show`: shows a run's summary, or one case: what happened, or what the model was shown."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec

from pytest_ultra.collection.run_suite import SUITE
from pytest_ultra.commands.arguments import DONE, Commands, add_command, add_dir, add_json
from pytest_ultra.commands.case_preview import add_axes, axes_given, find_guidance, make_case
from pytest_ultra.commands.command_output import print_json, print_lines, width
from pytest_ultra.commands.run_overview import TABLE_FORMATS, show_run, show_table
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode, flatten
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.reporting.failure_text import explain
from pytest_ultra.reporting.prompt_preview import prompt_lines
from pytest_ultra.reporting.text import fill
from pytest_ultra.storage.case_lookup import PlannedCase, find_planned_case
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_lookup import UnknownRunError, find_run, list_runs

DESCRIPTION = """\
Show a run's summary, or what happened to one case: job, plan, transcript, and where they diverged.

  pytest-ultra show                        the newest run, as does: pytest-ultra show latest
  pytest-ultra show 20260131T0945          a run by its id, the beginning of the id, or its directory
  pytest-ultra show befa47dd               a case by its id, or the beginning of the id
  pytest-ultra show 'tests/test_it.py::test_it[demo-optimal-simple_task-easy-0]'
                                           a case by its test, or by the text in brackets
  pytest-ultra show --format latex -o results.tex
                                           the table for a paper: latex (booktabs), md or csv
  pytest-ultra show CASE --prompt          what the model is shown: messages, tools and plan
  pytest-ultra show --prompt-type flawed_tool_misuse --task-type basic_task
                                           preview a case without running it

A case is searched for in the newest run that planned it, or in the run of --run."""
EPILOG = """\
exit codes:
  0  success
  2  the command failed; the message says why"""


def add_show(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "show", run_show, description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("what", metavar="RUN|CASE", nargs="?", help="(default: the newest run)")
    parser.add_argument("--run", metavar="RUN", help="the run to search for the case")
    parser.add_argument("--prompt", action="store_true", help="show what the model is shown, not what happened")
    parser.add_argument("--format", choices=TABLE_FORMATS, help="show a run's table in this format, for papers")
    parser.add_argument("-o", "--output", metavar="PATH", type=Path, help="(default: standard output)")
    add_dir(parser)
    add_json(parser)
    add_axes(parser)


def run_show(args: argparse.Namespace) -> int:
    given = axes_given(args)
    if args.json and args.format is not None:
        raise ConfigurationError("--json and --format are two formats of the same output; give one of them")
    if given:
        _show_made(args, _make(args, given))
    elif args.what is None and args.prompt:
        raise ConfigurationError("--prompt shows a case; name one, or give options of its own such as --task-type")
    elif args.format is not None:
        show_table(find_run(args.dir, args.what or args.run), args.format, args.output)
    elif args.output is not None:
        raise ConfigurationError("-o needs --format: it writes a table; for the rest, redirect standard output")
    elif args.what is None:
        show_run(find_run(args.dir, args.run), is_json=args.json)
    else:
        _show_named(args)
    return DONE


def _show_named(args: argparse.Namespace) -> None:
    """Show what has this name: a run, a case of a run, or a case without a run."""
    run = _find_run(args)
    if run is not None:
        show_run(run, is_json=args.json)
        return
    runs = [find_run(args.dir, args.run)] if args.run else list(reversed(list_runs(args.dir)))
    found = find_planned_case(runs, args.what)
    if found is None:
        _show_made(args, _make(args, {}))
        return
    episode = found.read_episode()
    case = found.case if episode is None else episode.case
    if case is None:
        raise ConfigurationError(
            f"the case {args.what!r} of the run {found.run.run_id} was not run, and its plan is not stored"
        )
    _show_case(args, case, found, episode)


def _find_run(args: argparse.Namespace) -> RunDirectory | None:
    if args.run:
        return None
    try:
        return find_run(args.dir, args.what)
    except UnknownRunError:
        return None


def _make(args: argparse.Namespace, given: dict[str, Any]) -> Case:
    case = make_case(args.what, given)
    if case is None:
        where = f"of the run {args.run}" if args.run else f"of a run under {str(args.dir / 'runs')!r}"
        raise ConfigurationError(
            f"{args.what!r} is no run, and no case {where}; give the id of a run (see `pytest-ultra runs`) or its "
            "directory, or a case by its id, the beginning of the id, its node id or the text in brackets"
        )
    return case


def _show_made(args: argparse.Namespace, case: Case) -> None:
    _show_case(args, case, None, None)


def _show_case(args: argparse.Namespace, case: Case, found: PlannedCase | None, episode: Episode | None) -> None:
    run = None if found is None else found.run
    guidance = find_guidance(case, run)
    request = SUITE.begin(case, guidance).request()
    case_id = case.case_id if found is None else found.case_id
    if args.json:
        print_json(
            {
                "run": run and run.run_id,
                "case_id": case_id,
                "case": case,
                "episode": episode and flatten(episode),
                "job": guidance.task.words,
                "messages": request.messages,
                "tools": request.tools,
                "plan": msgspec.to_builtins(guidance.flawed or guidance.shown(case.prompt_type)),
                "optimal": guidance.optimal,
                "transcript": None if episode is None else episode.transcript,
            }
        )
    elif episode is None or args.prompt:
        print_lines(
            [*fill(_why_prompt(found, episode), width()), *prompt_lines(case, case_id, request, guidance, width())]
        )
    else:
        goal = SUITE.check_goal(guidance, episode.transcript)
        print_lines(explain(episode, guidance, goal, width()).splitlines())


def _why_prompt(found: PlannedCase | None, episode: Episode | None) -> str:
    if found is None:
        return "a case without a run; a model would be shown:"
    verb = "was" if episode is not None else "would be"
    return f"run {found.run.run_id}: the model {verb} shown first:"
