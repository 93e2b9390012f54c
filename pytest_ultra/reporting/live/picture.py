"""The status of a run as a few rows of a terminal."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from pytest_ultra.reporting.live import words
from pytest_ultra.reporting.live.status import Status

MOST_ROWS = 10
_SHARE = 3  # of a terminal's rows, one in so many
_RULE_ROWS = 4  # with fewer, every row is needed for figures
_MOST_BARS = 6
_LONGEST_BAR = 30
_SHORTEST_BAR = 5
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
    label_width = max(len(label) for label in (_WHOLE, *map(words.name, status.shards)))
    if has_rule:
        yield _rule(status, width)
    yield _whole(status, width, label_width)
    left = most_rows - has_rule - 2
    if status.workers > 1 and left > 0:
        yield from _workers(status, width, label_width, left)
    yield Text(_fit([words.calls(status), words.spent(status), *words.rates(status)[1:]], width, " "))


def _rule(status: Status, width: int) -> Text:
    title, passed = "- ultra ", f" {words.clock(status.elapsed_s)} -"
    line = "-" * max(0, width - len(title) - len(passed))
    return Text.assemble((title, "bold cyan"), (f"{line}{passed}", "cyan"))


def _whole(status: Status, width: int, label_width: int) -> Text:
    percent = f"{100 * status.done // status.planned}%" if status.planned else "-"
    reused = f" ({status.reused:,} reused)" if status.reused else ""
    figures = [f"{status.done:,}/{status.planned:,}{reused}", percent, words.eta(status), *words.rates(status)[:1]]
    bar = _bar(status.done, status.reused, status.planned, _bar_width(width, label_width))
    label = _WHOLE.ljust(label_width)
    return Text.assemble((f" {label} ", "bold"), bar, (_fit(figures, width - label_width - 2 - len(bar), "  "), "bold"))


def _workers(status: Status, width: int, label_width: int, most_rows: int) -> Iterator[Text]:
    """Give each worker a row with a bar; where there are too many, put several on a row."""
    if status.workers > min(most_rows, _MOST_BARS):
        yield from _packed(status, width, most_rows)
        return
    for shard in status.shards:
        bar = _bar(shard.done, shard.reused, shard.planned or 0, _bar_width(width, label_width))
        figures = [words.share(shard), f"{shard.in_flight:,} in flight", f"{shard.waiting:,} waiting"]
        room = width - label_width - 2 - len(bar)
        yield Text.assemble(f" {words.name(shard):{label_width}} ", bar, _fit(figures, room, "  "))
    for _ in range(status.workers - len(status.shards)):
        yield Text(" ...", "dim")


def _packed(status: Status, width: int, most_rows: int) -> Iterator[Text]:
    """Show those that are most behind, if there is no room for all."""
    cells = {shard.number: f" {words.name(shard)} {words.share(shard)}" for shard in status.shards}
    cell_width = 2 + max(map(len, cells.values()), default=0)
    across = max(1, width // cell_width)
    rows = min(most_rows, math.ceil(status.workers / across))
    behind = sorted(status.shards, key=lambda shard: shard.done / (shard.planned or 1))[: rows * across]
    shown = [cells[number].ljust(cell_width) for number in sorted(shard.number for shard in behind)]
    for row in range(rows):
        yield Text("".join(shown[row * across : (row + 1) * across]))


def _bar_width(width: int, label_width: int) -> int:
    room = width // 2 - label_width
    return 0 if room < _SHORTEST_BAR else min(_LONGEST_BAR, room)


def _bar(done: int, reused: int, planned: int, width: int) -> Text:
    """Draw what is done, and apart from it what did not have to be."""
    if not width:
        return Text()
    filled = width * done // planned if planned else 0
    earlier = width * reused // planned if planned else 0
    parts = (("=" * earlier, "blue"), ("#" * (filled - earlier), "green"), ("." * (width - filled), "dim"))
    return Text.assemble("[", *parts, "]")


def _fit(pieces: list[str], room: int, gap: str) -> str:
    """Join as many pieces as there is room for, the first ones first."""
    separator = "  " if gap == "  " else ", "
    text = gap[:1] + pieces[0]
    for piece in pieces[1:]:
        longer = f"{text}{separator}{piece}"
        if len(longer) > room:
            break
        text = longer
    return text
