"""A second formatting of independent figures, compared with the words that a wide terminal shows."""

from __future__ import annotations

import re
from itertools import dropwhile

from tests.independent import SCORED
from tests.independent_statistics import Json


def assert_shown(lines: list[str], expected: Json) -> None:
    """Compare the summary of a run, as a terminal of 500 columns shows it, with an independent summary."""
    shown = list(dropwhile(lambda line: not line.startswith("prompt type"), lines))
    table = [line.split() for line in shown[2 : shown.index("")]]
    assert [words for words in table if len(words) > 1] == [of_row(row, expected["rows"]) for row in expected["rows"]]
    counts_line = next(line for line in shown if " planned: " in line)
    counts = expected["counts"]
    numbers = [sum(counts.values()), sum(counts[name] for name in SCORED), *counts.values()]
    reused = [expected["reused"]] if expected["reused"] else []
    assert [int(number) for number in re.findall(r"\b(\d+) [a-z]", counts_line)] == numbers + reused
    classes = next(line for line in shown if line.startswith("failure classes: "))
    assert sorted(re.findall(r"(\w+) (\d+)", classes)) == sorted((n, str(k)) for n, k in expected["failure_classes"])
    sizes = [100 * row["difference"]["detectable"] for row in expected["rows"] if row["difference"]]
    assert f"detectable with 80% power: {min(sizes):.0f} to {max(sizes):.0f} points" in "\n".join(shown)
    _assert_blocks([line.split() for line in shown], expected)


def _assert_blocks(shown: list[list[str]], expected: Json) -> None:
    most = max(len(row["repeats"]) for row in expected["rows"])
    for row in expected["rows"]:
        assert of_repeats(row, (2, most) if most > 2 else (2,)) in shown
        assert row["robustness"] is None or of_robustness(row, expected["rows"]) in shown
    for found in expected["models"]:
        figures = of_difference(found["difference"], found["difference"]["pairs"])
        names = [found["sample"], "vs", found["reference"]]
        assert [*names, *figures, str(found["difference"]["pairs"]), str(found["difference"]["tasks"])] in shown


def of_row(row: Json, rows: list[Json]) -> list[str]:
    mark = "~" if row["estimated_requests"] else ""
    return [
        row["prompt_type"],
        f"{100 * row['success']['successes'] / row['success']['n']:.1f}%",
        f"{100 * row['success']['low']:.1f}-{100 * row['success']['high']:.1f}",
        *of_counts(row["counts"]),
        *(of_difference(row["difference"], row["success"]["n"]) if row["difference"] else ["-"] * 4),
        f"{row['mean_calls']:.1f}",
        f"{mark}{row['mean_tokens']:,.0f}",
        *f"{row['mean_duration_s']:.1f} s".split(),
        *(
            [mark * bool(row["mean_cost"]) + of_cost(row["mean_cost"])]
            if any(other["mean_cost"] for other in rows)
            else []
        ),
        *of_classes(row),
    ]


def of_counts(counts: Json) -> list[str]:
    scored, planned = counts["full"] + counts["partial"] + counts["failed"], sum(counts.values())
    shown = f"{scored}" if scored == planned else f"{scored}/{planned}"
    return [shown, *(str(counts[name]) for name in ("full", "partial", "failed", "error"))]


def of_difference(difference: Json, n: int) -> list[str]:
    points = 100 * (difference["won"] - difference["lost"]) / difference["pairs"]
    p = difference["p_value"] if difference["p_adjusted"] is None else difference["p_adjusted"]
    return [
        f"{points:+.1f}",
        *([f"({difference['pairs']})"] if difference["pairs"] != n else []),
        f"{100 * difference['low']:+.1f}..{100 * difference['high']:+.1f}",
        "<0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}",
        *difference["evidence"].split(),
    ]


def of_cost(cost: float | None, mark: str = "") -> str:
    return f"{mark}${cost:#.2g}" if cost else "-"


def of_classes(row: Json) -> list[str]:
    return [str(word) for word in row["failure_classes"][0]] if row["failure_classes"] else ["-"]


def of_repeats(row: Json, sizes: tuple[int, ...]) -> list[str]:
    found = row["repeats"]
    shares = [found[k - 1][name] if k <= len(found) else None for k in sizes for name in ("pass_at", "pass_all")]
    return [row["prompt_type"], str(found[0]["tasks"]), *map(coarse, shares)]


def of_robustness(row: Json, rows: list[Json]) -> list[str]:
    found, recovery = row["robustness"], row["recovery"]
    costs = [other["robustness"]["extra_cost"] for other in rows if other["robustness"]]
    cost = found["extra_cost"]
    return [
        row["prompt_type"],
        coarse(found["resilience"]),
        coarse(found["over_trust"]),
        *([] if found["damaged"] == row["success"]["n"] else [f"({found['damaged']})"]),
        *([coarse(recovery["successes"] / recovery["n"]), f"({recovery['n']})"] if recovery else ["-"]),
        *([f"{found['extra_calls']:+.1f}", f"({found['recovered']})"] if found["recovered"] else ["-"]),
        f"{found['extra_tokens']:+,.0f}" if found["recovered"] else "-",
        *([f"{'-' if (cost or 0) < 0 else '+'}{of_cost(abs(cost))}" if cost else "-"] if any(costs) else []),
        *of_classes(row),
    ]


def coarse(share: float | None) -> str:
    if share is None:
        return "-"
    return f"{100 * (min(max(share, 0.01), 0.99) if 0 < share < 1 else share):.0f}%"
