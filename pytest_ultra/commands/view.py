"""`pytest-ultra view`: serves the report of a run, and follows the run while it goes on."""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ultra.commands.arguments import DONE, Commands, add_command, add_run, chosen_run
from pytest_ultra.commands.command_output import print_lines
from pytest_ultra.errors import ConfigurationError, describe_error

if TYPE_CHECKING:  # `--help` needs neither
    from pytest_ultra.controller.report_server import ReportServer
    from pytest_ultra.controller.served_report import ServedReport

DESCRIPTION = """\
Serve the report of a run to a browser on this machine. While the run goes on, the page loads again by itself; without
RUN, it changes to the next run when one starts. Ctrl-C ends it."""
EPILOG = """\
exit codes:
  0  ended by Ctrl-C
  2  the command failed; the message says why"""
_MAX_PORT = 65535


def add_view(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "view", run_view, description=DESCRIPTION, epilog=EPILOG)
    add_run(parser)
    parser.add_argument("--port", metavar="N", type=int, default=0, help="the port (default: any free one)")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")


def run_view(args: argparse.Namespace) -> int:
    from pytest_ultra.controller.served_report import ServedReport  # noqa: PLC0415 - not for --help

    gc.enable()  # unlike other commands, this one runs for long
    if not 0 <= args.port <= _MAX_PORT:
        raise ConfigurationError(f"--port: {args.port} is not a port; name one from 1 to {_MAX_PORT}")
    chosen_run(args)  # or say that there is none
    with tempfile.TemporaryDirectory(prefix="pytest-ultra-") as folder:
        report = ServedReport(lambda: chosen_run(args), Path(folder), time.monotonic)
        with _listen(report, args.port) as server:
            print_lines([f"{server.url} (Ctrl-C ends it)"])
            sys.stdout.flush()
            if args.open:
                webbrowser.open(server.url)
            try:
                server.serve_forever(poll_interval=0.2)
            except KeyboardInterrupt:
                print_lines([""])
    return DONE


def _listen(report: ServedReport, port: int) -> ReportServer:
    from pytest_ultra.controller.report_server import ReportServer  # noqa: PLC0415 - not for --help

    try:
        return ReportServer(report, port)
    except OSError as error:
        raise ConfigurationError(
            f"--port: {port} cannot be used ({describe_error(error)}); name another, or leave it out for any free one"
        ) from error
