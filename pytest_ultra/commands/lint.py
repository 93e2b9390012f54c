"""`pytest-ultra lint`: checks a plan of any tools."""

from __future__ import annotations

import argparse

from pytest_ultra.commands.arguments import DONE, FOUND, Commands, add_command, add_json
from pytest_ultra.commands.command_output import print_json, print_lines
from pytest_ultra.commands.plan_files import add_plan, read_json

DESCRIPTION = """\
Find what a careful reader of a plan and of the tools' schemas alone can find wrong with it: unknown tools, arguments
that break a schema, outputs that are not there, steps done twice. See docs/flaws.md."""
EPILOG = """\
exit codes:
  0  no finding
  1  findings, one a line
  2  the command failed; the message says why"""


def add_lint(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "lint", run_lint, description=DESCRIPTION, epilog=EPILOG)
    add_plan(parser)
    add_json(parser)


def run_lint(args: argparse.Namespace) -> int:
    from pytest_ultra.flaws.linter import lint  # noqa: PLC0415 - not for --help
    from pytest_ultra.flaws.own_plans.flaw_library import describe_finding  # noqa: PLC0415
    from pytest_ultra.flaws.own_plans.plan_document import read_plan  # noqa: PLC0415
    from pytest_ultra.flaws.own_plans.schema_context import make_signatures  # noqa: PLC0415
    from pytest_ultra.flaws.own_plans.tool_listing import read_tools  # noqa: PLC0415

    plan = read_plan(read_json(args.plan), str(args.plan))
    findings = lint(plan, make_signatures(read_tools(read_json(args.tools), str(args.tools))))
    if args.json:
        print_json(findings)
    else:
        print_lines(f"{args.plan}: {describe_finding(finding)} ({finding.kind})" for finding in findings)
    return FOUND if findings else DONE
