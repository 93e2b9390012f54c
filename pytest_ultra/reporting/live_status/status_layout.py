"""The layout of the live status: a few rows of a terminal."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from pytest_ultra.core.progress import ShardProgress
from pytest_ultra.reporting.budget_lines import estimate_mark
from pytest_ultra.reporting.live_status import status_text
from pytest_ultra.reporting.live_status.status_snapshot import StatusSnapshot

MAX_ROWS = 10
_MAX_SHARE = 3  # one row in this many of the terminal's
_MIN_ROWS_WITH_RULE = 4  # with fewer, every row is needed for figures
_MAX_WORKER_BARS = 6
_MAX_BAR_WIDTH = 30
_MIN_BAR_WIDTH = 6
_ALL = "all"


def row_limit(terminal_rows: int) -> int:
    """Return how many rows the status may use of a terminal with `terminal_rows`."""
    return min(MAX_ROWS, terminal_rows // _MAX_SHARE)


def draw(status: StatusSnapshot, *, columns: int, max_rows: int, has_colours: bool) -> list[str]:
    """Return the rows, each narrower than the terminal, in plain ASCII except for optional colour codes."""
    width = columns - 1
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        force_terminal=has_colours,
        color_system="standard" if has_colours else None,
        no_color=not has_colours,
        legacy_windows=False,
    )
    for row in list(_rows(status, width, max_rows))[:max_rows]:
        console.print(row, no_wrap=True, overflow="crop", crop=True, highlight=False)
    return file.getvalue().splitlines()


def _rows(status: StatusSnapshot, width: int, max_rows: int) -> Iterator[Text]:
    has_rule = max_rows >= _MIN_ROWS_WITH_RULE
    if has_rule:
        yield _rule(status, width)
    outcomes = _outcomes(status, width) if has_rule else []
    details = _details(status, width, is_split=has_rule)
    left = max_rows - has_rule - 1 - len(details) - bool(status.said) - len(outcomes)
    has_bars = 1 < status.workers <= min(left, _MAX_WORKER_BARS)
    labels = [_ALL, *map(status_text.worker_name, status.shards)] if has_bars else [_ALL]
    label_width = max(map(len, labels))
    yield _run_row(status, width, label_width)
    yield from (Text(_fit(parts, width, "  ")) for parts in outcomes)
    if has_bars:
        yield from (_worker_row(shard, width, label_width) for shard in status.shards)
        yield from (Text(" ...", "dim") for _ in range(status.workers - len(status.shards)))
    elif status.workers > 1 and left > 0:
        yield from _shared_rows(status, width, left)
    yield from (Text(_fit(parts, width, ", ")) for parts in details)
    if status.said:
        yield Text(f" {status_text.words(status, width)}", "yellow")


def _rule(status: StatusSnapshot, width: int) -> Text:
    title, passed = "- ultra ", f" {status_text.clock(status.elapsed_s)} -"
    line = "-" * max(0, width - len(title) - len(passed))
    return Text.assemble((title, "bold cyan"), (f"{line}{passed}", "cyan"))


def _run_row(status: StatusSnapshot, width: int, label_width: int) -> Text:
    percent = f"{100 * status.done // status.planned}%" if status.planned else "-"
    figures = [
        status_text.done_of_all(status),
        status_text.eta(status),
        percent,
        *status_text.rate(status.episode_rate, "episodes"),
    ]
    bar = _bar(status.done, status.reused, status.under_way, status.planned, _bar_width(width, label_width))
    start = Text.assemble((f" {_ALL:{label_width}} ", "bold"), bar)
    figures[0] += status_text.reused_and_reported(status)
    return Text.assemble(start, (_fit(figures, width - len(start), "  "), "bold"))


def _worker_row(shard: ShardProgress, width: int, label_width: int) -> Text:
    bar_width = 0 if shard.planned is None else _bar_width(width, label_width)
    bar = _bar(shard.done, shard.reused, shard.under_way, shard.planned or 0, bar_width)
    start = Text.assemble(f" {status_text.worker_name(shard):{label_width}} ", bar)
    figures = [status_text.done_of_planned(shard), f"{shard.in_flight:,} in flight", f"{shard.waiting:,} waiting"]
    return Text.assemble(start, _fit(figures, width - len(start), "  "))


def _shared_rows(status: StatusSnapshot, width: int, max_rows: int) -> Iterator[Text]:
    """Put several workers on each row; if there is no room for all, show those that are furthest behind."""
    cells = {
        shard.number: f" {status_text.worker_name(shard)} {status_text.done_of_planned(shard)}"
        for shard in status.shards
    }
    cell_width = 1 + max(map(len, cells.values()), default=0)
    across = max(1, width // cell_width)
    rows = min(max_rows, math.ceil(status.workers / across))
    behind = sorted(status.shards, key=lambda shard: shard.done / (shard.planned or 1))[: rows * across]
    shown = [cells[number].ljust(cell_width) for number in sorted(shard.number for shard in behind)]
    for row in range(rows):
        yield Text("".join(shown[row * across : (row + 1) * across]).rstrip())


def _outcomes(status: StatusSnapshot, width: int) -> list[list[str]]:
    """Return the results so far and each model's success, in two rows if one is too short."""
    parts = status_text.outcomes(status)
    is_too_long = len(f" {'  '.join(parts)}") > width
    return list(filter(None, [parts[:1], parts[1:]] if is_too_long else [parts]))


def _details(status: StatusSnapshot, width: int, *, is_split: bool) -> list[list[str]]:
    """Return calls, tokens and cost, in a row or, with `is_split` and a budget, in two rows if one is too short."""
    calls = [status_text.calls(status), *status_text.rate(status.call_rate, "calls")]
    limit = status.context.max_tokens
    of_limit = "" if limit is None else f" of {status_text.short_tokens(limit)}"
    tokens = f"{estimate_mark(status.estimated)}{status_text.short_tokens(status.tokens)}{of_limit}"
    usage = [tokens, status_text.cost(status)]
    is_too_long = len(f" {', '.join([*calls, *usage])}") > width
    return [calls, usage] if is_split and is_too_long and status.context.has_budget else [[*calls, *usage]]


def _bar_width(width: int, label_width: int) -> int:
    room = width // 2 - label_width - 4
    return 0 if room < _MIN_BAR_WIDTH else min(_MAX_BAR_WIDTH, room)


def _bar(done: int, reused: int, under_way: float, planned: int, width: int) -> Text:
    """Draw the reused episodes, those run, the progress of those in progress, and the rest."""
    if not width:
        return Text()
    ends = [int(width * min(1.0, part / planned)) if planned else 0 for part in (reused, done, done + under_way)]
    lengths = (ends[0], ends[1] - ends[0], ends[2] - ends[1], width - ends[2])
    styles = (("=", "blue"), ("#", "green"), ("-", "green"), (".", "dim"))
    parts = [(glyph * length, style) for (glyph, style), length in zip(styles, lengths, strict=True)]
    return Text.assemble("[", *parts, "]")


def _fit(pieces: Sequence[str], room: int, separator: str) -> str:
    """Join as many of the first pieces as fit."""
    text = f" {pieces[0]}"
    for piece in pieces[1:]:
        longer = f"{text}{separator}{piece}"
        if len(longer) > room:
            break
        text = longer
    return text
