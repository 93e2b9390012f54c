"""`pytest-ultra plot`: draws the charts of a run, for papers."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from pytest_ultra.commands.arguments import DONE, Commands, add_command, add_run, chosen_run
from pytest_ultra.commands.command_output import print_lines, warn
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.reporting.charts.chart_style import Format

DESCRIPTION = """\
Draw a run's charts for papers: success by model, by prompt type and model, paired differences with their intervals,
success against tool success rate, failure classes, cost and latency. A chart for which the run has no figures is left
out. The same run always gives the same bytes. It needs the extra: pip install 'pytest-ultra[plot]'."""
EPILOG = """\
exit codes:
  0  the charts were written
  2  the command failed; the message says why"""
ALL = "all"
NAMES = ("models", "heat-map", "paired-differences", "tool-success-rate", "failure-classes", "cost-and-latency")
"""The names of `reporting.charts.charts.CHARTS`, without its imports."""
LEAST_MM, MOST_MM = 30, 600


def add_plot(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "plot", run_plot, description=DESCRIPTION, epilog=EPILOG)
    add_run(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FOLDER",
        type=Path,
        help="the folder of the charts (default: charts in the run's directory)",
    )
    parser.add_argument(
        "--format",
        choices=[*map(str, Format), ALL],
        default=str(Format.SVG),
        help="the format of the charts (default: svg)",
    )
    parser.add_argument(
        "--chart",
        metavar="NAME",
        choices=NAMES,
        action="append",
        help=f"one of {', '.join(NAMES)} (default: all); repeatable",
    )
    parser.add_argument(
        "--width", metavar="MM", type=_width, help="the width of every chart (default: 89, and more where it is needed)"
    )
    parser.add_argument("--font", metavar="FAMILY", help="an installed font family (default: DejaVu Sans)")
    parser.add_argument("--no-titles", action="store_true", help="for captions of your own")


def _width(text: str) -> float:
    width = float(text)
    if not LEAST_MM <= width <= MOST_MM:
        raise argparse.ArgumentTypeError(f"{text} is no width of a chart; give {LEAST_MM} to {MOST_MM} mm")
    return width


def run_plot(args: argparse.Namespace) -> int:
    from pytest_ultra.analysis.summary import summarize  # noqa: PLC0415 - not for --help
    from pytest_ultra.reporting.charts.charts import Look, draw_charts  # noqa: PLC0415
    from pytest_ultra.storage.files import make_directory, write_atomically  # noqa: PLC0415
    from pytest_ultra.storage.slim_episodes import SlimEpisodes  # noqa: PLC0415
    from pytest_ultra.storage.stored_files import check_no_link  # noqa: PLC0415

    _check_matplotlib()
    run = chosen_run(args)
    stored = SlimEpisodes(run)
    warn("plot", map(str, stored.damaged))
    episodes = stored.episodes
    if not episodes:
        raise ConfigurationError(f"the run {run.run_id} holds no episodes, so there is nothing to draw")
    folder = args.output or run.path / "charts"
    if args.output is None:
        check_no_link(folder)
    make_directory(folder, "--output")
    formats = list(Format) if args.format == ALL else [Format(args.format)]
    look = Look(args.width, args.font, has_titles=not args.no_titles)
    for name, content in draw_charts(summarize(episodes, run.tested_models), formats, tuple(args.chart or NAMES), look):
        write_atomically(folder / name, content)
        print_lines([os.path.relpath(folder / name)])
    return DONE


def _check_matplotlib() -> None:
    try:
        import matplotlib as mpl  # noqa: F401, PLC0415 - an extra, which the charts import
    except ImportError as error:
        raise ConfigurationError(
            f"charts need matplotlib ({error}); install it with: pip install 'pytest-ultra[plot]', or open the run's "
            "report.html, which needs nothing else"
        ) from error
