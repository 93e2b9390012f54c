"""A fault campaign on real MCP servers: whether a client sees each kind of fault as the benchmark defines it.

    python benchmarks/mcp_faults.py 20 \
        filesystem='npx -y @modelcontextprotocol/server-filesystem {folder}' \
        sqlite='uvx --with "mcp<2" mcp-server-sqlite --db-path {folder}/shop.db' \
        time='uvx mcp-server-time'

The number is that of seeds. With each seed, 12 calls are made through a proxy with each kind of fault alone, and 12
with all four, at a tool success rate of 0.5. The server's state (the folder, the database) is looked at before and
after each call, not through the proxy. Then all of it is done again, and has to be the same. Needs the extra `mcp`.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import chain, cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

import pytest_ultra as ultra
from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.transcript import HAPPENED
from pytest_ultra.real_tools.mcp_proxy import McpProxy

CALLS, SUCCESS_RATE = 12, 0.5
KINDS = (*FaultKind, "all")
CODES = {"transient": "UNAVAILABLE", "permanent": "OUT_OF_SERVICE", "lost_reply": "NO_REPLY"}
ROWS = "article,pieces,price\n" + "".join(f"A{n},{n * 7},{n * 1.5}\n" for n in range(1, 13))

Step = tuple[str, dict[str, Any], bool]
"""A tool, its arguments, and whether the call changes the state."""


class Seen(NamedTuple):
    """A call and the kind of its fault, the real result, and all of the fault."""

    call: str
    result: str
    fault: str


def _are_same(first: Seen, again: Seen) -> bool:
    """Compare two runs of a call. How an implicit fault is wrong depends on the real result, such as the time."""
    return first.call == again.call and (first.fault == again.fault or first.result != again.result)


class Scenario(msgspec.Struct, frozen=True):
    """What is done with a server: its preparation, calls that succeed without faults, and its state."""

    prepare: Callable[[Path], None]
    steps: Callable[[Path], list[Step]]
    look: Callable[[Path], str]


def _make_files(folder: Path) -> None:
    (folder / "stock.csv").write_text(ROWS)
    (folder / "prices.json").write_text(json.dumps([{"article": f"A{n}", "cents": n * 150} for n in range(1, 9)]))


def _file_steps(folder: Path) -> list[Step]:
    return [
        ("read_text_file", {"path": f"{folder}/stock.csv"}, False),
        ("edit_file", {"path": f"{folder}/log.txt", "edits": [{"oldText": "end", "newText": "x end"}]}, True),
        ("list_directory", {"path": str(folder)}, False),
        ("read_text_file", {"path": f"{folder}/prices.json"}, False),
    ]


def _make_log(folder: Path) -> None:
    _make_files(folder)
    (folder / "log.txt").write_text("end\n")


def _make_table(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "shop.db")) as database, database:
        database.execute("CREATE TABLE stock (article TEXT, pieces INTEGER, price REAL)")
        rows = [(f"A{n}", n * 7, n * 1.5) for n in range(1, 13)]
        database.executemany("INSERT INTO stock VALUES (?, ?, ?)", rows)
        database.execute("CREATE TABLE orders (article TEXT)")


def _query_steps(_folder: Path) -> list[Step]:
    return [
        ("read_query", {"query": "SELECT * FROM stock ORDER BY article"}, False),
        ("write_query", {"query": "INSERT INTO orders VALUES ('A1')"}, True),
        ("describe_table", {"table_name": "stock"}, False),
        ("list_tables", {}, False),
    ]


def _look_at_table(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "shop.db")) as database:
        return str(database.execute("SELECT count(*) FROM orders").fetchall())


def _time_steps(_folder: Path) -> list[Step]:
    noon = {"source_timezone": "Europe/Berlin", "time": "12:00", "target_timezone": "Asia/Tokyo"}
    return [("convert_time", noon, False), ("get_current_time", {"timezone": "Asia/Tokyo"}, False)]


SCENARIOS = {
    "filesystem": Scenario(_make_log, _file_steps, lambda folder: (folder / "log.txt").read_text()),
    "sqlite": Scenario(_make_table, _query_steps, _look_at_table),
    "time": Scenario(lambda _folder: None, _time_steps, lambda _folder: ""),
}


def run(scenario: Scenario, folder: Path, url: str, kinds: str, seed: int) -> tuple[Counter[str], list[Seen]]:
    """Make the calls of a seed. Return how often each kind was seen as it should be, and what was seen."""
    seen: Counter[str] = Counter()
    trace: list[Seen] = []
    faults = ultra.ToolFaults(kinds, seed=seed, success_rate=SUCCESS_RATE)
    with ultra.wrap(url, faults=faults) as proxy:
        down: set[str] = set()
        for tool, arguments, changes in islice(cycle(scenario.steps(folder)), CALLS):
            kind, problems = _check(proxy, scenario, folder, (tool, arguments, changes), down)
            seen[kind] += 1
            seen[f"{kind} wrong"] += bool(problems)
            call = faults.calls[-1]
            trace.append(Seen(f"{call.number} {tool} {call.k} {kind}", str(call.result), f"{call.fault} {call.shown}"))
            for problem in problems:
                print(f"  seed {seed}, {call.describe()}: {problem}")
    return seen, trace


def _check(proxy: McpProxy, scenario: Scenario, folder: Path, step: Step, down: set[str]) -> tuple[str, list[str]]:
    """Make a call, and return the kind of its fault and what is not as it should be."""
    tool, arguments, changes = step
    before = scenario.look(folder)
    result = proxy.call(tool, arguments)
    has_changed = scenario.look(folder) != before
    call = proxy.faults.calls[-1]
    shown = result.model_dump(mode="json", by_alias=True, exclude={"meta"})
    real = {**proxy.faults.calls[-1].result, "isError": False} if call.is_made and call.error is None else None
    kind = "none" if call.fault is None else str(call.fault.kind)
    problems = list(_explicit_problems(kind, result) if kind in CODES else _silent_problems(kind, shown, real))
    is_expected = {"none": True, "implicit": True, "lost_reply": call.is_made}.get(kind, False)
    if has_changed != (changes and is_expected):
        problems.append(f"the state {'changed' if has_changed else 'did not change'}")
    if kind == "lost_reply" and call.is_made != (call.fault is not None and call.fault.effect == HAPPENED):
        problems.append("the record says something else")
    if tool in down and kind != "permanent":
        problems.append("the tool was down")
    if kind == "permanent":
        down.add(tool)
    if call.error is not None:
        problems.append(f"the server failed: {call.error.message}")
    return kind, problems


def _explicit_problems(kind: str, result: Any) -> Iterator[str]:
    if not result.is_error:
        yield "no error"
        return
    content = json.loads(result.content[0].text)
    if content["error"] != CODES[kind] or content["transient"] != (kind == "transient"):
        yield f"it looks like {content}"


def _silent_problems(kind: str, shown: dict[str, Any], real: dict[str, Any] | None) -> Iterator[str]:
    if shown["isError"] or real is None:
        yield "an error"
        return
    is_right = all(shown.get(name) == real.get(name) for name in ("content", "structuredContent")) or (
        [block["text"] for block in shown["content"]] == [block["text"] for block in real["content"]]
    )
    if is_right != (kind == "none"):
        yield "the result is right" if is_right else "the result is wrong"


def measure(name: str, command: str, seeds: int) -> bool:
    """Run all seeds twice on one server, print its line, and return whether all was as it should be."""
    scenario, totals = SCENARIOS[name], Counter[str]()
    with tempfile.TemporaryDirectory() as path, ultra.wrap(command.format(folder=path), faults=()) as server:
        folder = Path(path)
        scenario.prepare(folder)
        traces: list[list[Seen]] = []
        runs = [(kinds, seed) for kinds in KINDS for seed in range(seeds)]
        for kinds, seed in (*runs, *runs):
            seen, trace = run(scenario, folder, server.url, kinds, seed)
            totals += seen
            traces.append(trace)
    is_same = all(map(_are_same, chain(*traces[: len(runs)]), chain(*traces[len(runs) :])))
    kinds = ["none", *CODES, "implicit"]
    wrong = sum(totals[f"{kind} wrong"] for kind in kinds)
    cells = [name, *(f"{totals[kind] - totals[f'{kind} wrong']} of {totals[kind]}" for kind in kinds)]
    print(f"| {' | '.join(cells)} | {'yes' if is_same else 'NO'} |", flush=True)
    return is_same and not wrong


def main() -> None:
    """Measure the servers that are named."""
    seeds, servers = int(sys.argv[1]), [argument.split("=", 1) for argument in sys.argv[2:]]
    print("| server | no fault | transient | permanent | lost_reply | implicit | the same again |")
    print("|---|---|---|---|---|---|---|")
    results = [measure(name, command, seeds) for name, command in servers]
    sys.exit(0 if results and all(results) else 1)


if __name__ == "__main__":
    main()
