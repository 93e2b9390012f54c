"""`pytest-ultra merge`: merges the runs of several CI jobs into one, and judges it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pytest_ultra.commands.arguments import DONE, FOUND, Commands, add_command, add_json
from pytest_ultra.commands.command_output import print_annotations, print_json, print_lines, warn, width
from pytest_ultra.commands.merged_run import Part, check_parts, find_gap, find_parts, merge
from pytest_ultra.commands.merged_shards import find_shard_problems, missing_shards
from pytest_ultra.commands.merged_verdict import MergedVerdict, add_gates, judge_merged, read_gates
from pytest_ultra.controller.markdown_hooks import append_summary
from pytest_ultra.core.figures import Summary
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.reporting.comparison_lines import comparison_lines
from pytest_ultra.reporting.gate_lines import gate_lines
from pytest_ultra.reporting.markdown import MarkdownInput, render
from pytest_ultra.reporting.terminal_summary import counts_line
from pytest_ultra.reporting.text import count, wrap_whole_words
from pytest_ultra.storage.files import check_writable, write_atomically
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.slim_episodes import SlimEpisodes

DESCRIPTION = """\
Merge the runs of several jobs into one. Each DIR is a run's directory, an .ultra folder, or a downloaded artifact that
contains one. The runs must have the same configuration (versions, seed, limits and everything else that a case depends
on; models, prompt types and the other axes may differ), must not share a case, and must be complete. Of shards
(--ultra-shard), all must be there. Shards are judged as one run, by their gates or, without any, by their cases."""
EPILOG = """\
exit codes:
  0  the runs were merged, and the gates are met; `pytest-ultra show` shows the new run
  1  the runs were merged, and a gate is missed, or shards have failed
  2  the command failed; the message says why"""


def add_merge(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "merge", run_merge, description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("dirs", metavar="DIR", nargs="+", type=Path, help="a folder with runs")
    parser.add_argument(
        *("-o", "--output", "--dir"),
        dest="dir",
        metavar="PATH",
        type=Path,
        help="folder of the new run (default: ultra_dir of the ini file, else .ultra)",
    )
    parser.add_argument("--incomplete", action="store_true", help="merge even if planned cases or shards are missing")
    parser.add_argument(
        "--ultra-markdown", dest="markdown", metavar="PATH", type=Path, help="write a summary in Markdown to this file"
    )
    add_json(parser)
    add_gates(parser)


def run_merge(args: argparse.Namespace) -> int:
    from pytest_ultra.analysis.summary import summarize  # noqa: PLC0415 - NumPy is slow to import

    parts = find_parts(args.dirs)
    warn("merge", (text for part in parts for text in part.damage))
    check_parts(parts, is_incomplete_allowed=args.incomplete)
    missing = _check_shards(parts, is_incomplete_allowed=args.incomplete)
    gates = read_gates(args, parts)
    if gates.reference is not None:
        warn("merge", gates.reference.damage)
    if args.markdown is not None:
        check_writable(args.markdown, "--ultra-markdown")
    if gap := find_gap(parts):
        text = f"{count(gap, 'case')} of the matrix that the runs name are in none of them: is a DIR missing?"
        warn("merge", [text])
    run = merge(parts, args.dir, missing)
    episodes = SlimEpisodes(run).episodes
    verdict, summary = judge_merged(gates, run, parts, episodes), summarize(episodes, run.tested_models)
    _write_markdown(args.markdown, run, summary, verdict)
    if args.json:
        print_json(_record(parts, run, gap, verdict))
    else:
        _print(parts, run, summary, verdict)
    return FOUND if verdict.exit_code else DONE


def _record(parts: Sequence[Part], run: RunDirectory, gap: int, verdict: MergedVerdict) -> dict[str, Any]:
    sources = [part.run.run_id for part in parts]
    found = {"run_id": run.run_id, "path": str(run.path), "merged_from": sources, "episodes": _count(parts), "gap": gap}
    return found | {"decision": verdict.decision, "exit_code": verdict.exit_code}


def _print(parts: Sequence[Part], run: RunDirectory, summary: Summary, verdict: MergedVerdict) -> None:
    print_lines([f"{count(len(parts), 'run')}, {count(_count(parts), 'episode')}, merged into {run.path}"])
    if verdict.decision is not None or any(part.shard is not None for part in parts):
        print_lines(_verdict_lines(summary, verdict))
    if verdict.decision is not None:
        print_annotations(verdict.decision)


def _count(parts: Sequence[Part]) -> int:
    return sum(len(part.plan.nodeids.keys() & part.episodes.keys()) for part in parts)


def _check_shards(parts: Sequence[Part], *, is_incomplete_allowed: bool) -> str:
    """Return what is missing, as far as it is known; empty if the shards are a whole, or if there are none."""
    problems = find_shard_problems(parts)
    if problems and not is_incomplete_allowed:
        raise ConfigurationError(f"{'; '.join(problems)}; give all shards of one run, or merge these by --incomplete")
    warn("merge", problems)
    return missing_shards(parts) or ("cases that other selections left out" if problems else "")


def _verdict_lines(summary: Summary, verdict: MergedVerdict) -> Iterator[str]:
    yield counts_line(summary)
    if verdict.compared is not None:
        yield from comparison_lines(verdict.compared.figures, verdict.compared.differences, width())
    if verdict.decision is None:
        yield f"no gates: exit code {verdict.exit_code}, as of one run of all cases"
    else:
        yield from (part for line in gate_lines(verdict.decision) for part in wrap_whole_words(line.text, width()))


def _write_markdown(path: Path | None, run: RunDirectory, summary: Summary, verdict: MergedVerdict) -> None:
    """Write the user's file, and append to the summary of a GitHub step."""
    seed = run.describe().get("options", {}).get("seed", 0)
    compared = None if verdict.compared is None else verdict.compared.figures
    content = MarkdownInput(summary, run.run_id, seed, verdict.decision, compared)
    if path is not None:
        write_atomically(path, render(content).encode())
    if step_summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        append_summary(Path(step_summary), lambda room: render(content, room=room))
