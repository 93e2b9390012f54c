"""The status of a run as a few rows of a terminal."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from pytest_ultra.core.progress import ShardProgress
from pytest_ultra.reporting.live_status import status_text as words
from pytest_ultra.reporting.live_status.run_status_record import Status

MOST_ROWS = 10
_SHARE = 3  # of a terminal's rows, one in so many
_RULE_ROWS = 4  # with fewer, every row is needed for figures
_MOST_BARS = 6
_LONGEST_BAR = 30
_SHORTEST_BAR = 6
_WHOLE = "all"


def rows_for(terminal_rows: int) -> int:
    """Return how many rows the picture may take of a terminal with so many."""
    return min(MOST_ROWS, terminal_rows // _SHARE)


def draw(status: Status, *, columns: int, most_rows: int, has_colours: bool) -> list[str]:
    """Return the rows, each narrower than the terminal; plain ASCII but for the sequences of colours, if wanted."""
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
    for row in list(_rows(status, width, most_rows))[:most_rows]:
        console.print(row, no_wrap=True, overflow="crop", crop=True, highlight=False)
    return file.getvalue().splitlines()


def _rows(status: Status, width: int, most_rows: int) -> Iterator[Text]:
    has_rule = most_rows >= _RULE_ROWS
    if has_rule:
        yield _rule(status, width)
    left = most_rows - has_rule - 2
    has_bars = 1 < status.workers <= min(left, _MOST_BARS)
    labels = [_WHOLE, *map(words.name, status.shards)] if has_bars else [_WHOLE]
    label_width = max(map(len, labels))
    yield _whole(status, width, label_width)
    if has_bars:
        yield from (_worker(shard, width, label_width) for shard in status.shards)
        yield from (Text(" ...", "dim") for _ in range(status.workers - len(status.shards)))
    elif status.workers > 1 and left > 0:
        yield from _packed(status, width, left)
    yield Text(_fit(_details(status), width, ", "))


def _rule(status: Status, width: int) -> Text:
    title, passed = "- ultra ", f" {words.clock(status.elapsed_s)} -"
    line = "-" * max(0, width - len(title) - len(passed))
    return Text.assemble((title, "bold cyan"), (f"{line}{passed}", "cyan"))


def _whole(status: Status, width: int, label_width: int) -> Text:
    percent = f"{100 * status.done // status.planned}%" if status.planned else "-"
    reused = f" ({status.reused:,} reused)" if status.reused else ""
    figures = [
        f"{status.done:,}/{status.planned:,}",
        words.eta(status),
        percent,
        *words.rate(status.episode_rate, "episodes"),
    ]
    bar = _bar(status.done, status.reused, status.under_way, status.planned, _bar_width(width, label_width))
    start = Text.assemble((f" {_WHOLE:{label_width}} ", "bold"), bar)
    figures[0] += reused
    return Text.assemble(start, (_fit(figures, width - len(start), "  "), "bold"))


def _worker(shard: ShardProgress, width: int, label_width: int) -> Text:
    bar_width = 0 if shard.planned is None else _bar_width(width, label_width)
    bar = _bar(shard.done, shard.reused, shard.under_way, shard.planned or 0, bar_width)
    start = Text.assemble(f" {words.name(shard):{label_width}} ", bar)
    figures = [words.share(shard), f"{shard.in_flight:,} in flight", f"{shard.waiting:,} waiting"]
    return Text.assemble(start, _fit(figures, width - len(start), "  "))


def _packed(status: Status, width: int, most_rows: int) -> Iterator[Text]:
    """Put several workers on a row; show those that are most behind if there is no room for all."""
    cells = {shard.number: f" {words.name(shard)} {words.share(shard)}" for shard in status.shards}
    cell_width = 1 + max(map(len, cells.values()), default=0)
    across = max(1, width // cell_width)
    rows = min(most_rows, math.ceil(status.workers / across))
    behind = sorted(status.shards, key=lambda shard: shard.done / (shard.planned or 1))[: rows * across]
    shown = [cells[number].ljust(cell_width) for number in sorted(shard.number for shard in behind)]
    for row in range(rows):
        yield Text("".join(shown[row * across : (row + 1) * across]).rstrip())


def _details(status: Status) -> list[str]:
    calls = [words.calls(status), *words.rate(status.call_rate, "calls")]
    return [*calls, words.short_tokens(status.tokens), words.cost(status)]


def _bar_width(width: int, label_width: int) -> int:
    room = width // 2 - label_width - 4
    return 0 if room < _SHORTEST_BAR else min(_LONGEST_BAR, room)


def _bar(done: int, reused: int, under_way: float, planned: int, width: int) -> Text:
    """Draw what did not have to be lived, what has been, and what episodes under way have come to."""
    if not width:
        return Text()
    ends = [int(width * min(1.0, part / planned)) if planned else 0 for part in (reused, done, done + under_way)]
    lengths = (ends[0], ends[1] - ends[0], ends[2] - ends[1], width - ends[2])
    styles = (("=", "blue"), ("#", "green"), ("-", "green"), (".", "dim"))
    parts = [(glyph * length, style) for (glyph, style), length in zip(styles, lengths, strict=True)]
    return Text.assemble("[", *parts, "]")


def _fit(pieces: Sequence[str], room: int, separator: str) -> str:
    """Join as many pieces as there is room for, the first ones first."""
    text = f" {pieces[0]}"
    for piece in pieces[1:]:
        longer = f"{text}{separator}{piece}"
        if len(longer) > room:
            break
        text = longer
    return text
