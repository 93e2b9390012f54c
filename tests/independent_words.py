"""A second formatting of independent figures, compared with the words that a wide terminal shows."""

from __future__ import annotations

import re
from itertools import dropwhile

from tests.independent import SCORED
from tests.independent_statistics import Json


def assert_shown(lines: list[str], expected: Json) -> None:
    """Compare the summary of a run, as a terminal of 500 columns shows it, with an independent summary."""
    start = next(number for number, line in enumerate(lines) if re.match(r"model +success ", line))
    assert_models_shown(lines[start:], expected)
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


def assert_models_shown(lines: list[str], expected: Json) -> None:
    """Compare the rows of models and the sentences below them."""
    rows = expected["model_figures"]
    assert [line.split() for line in lines[2 : 2 + len(rows)]] == [of_model(row, rows) for row in rows]
    sentences = lines[2 + len(rows) : lines.index("")]
    pairs = [of_pair(found, expected["rows"]) for found in expected["models"]]
    assert [s[: len(pair)] for s, pair in zip(sentences, pairs, strict=False)] == pairs
    assert len(sentences) == len(pairs) + sum(row["flawed"] is not None for row in rows)
    for row, sentence in zip([row for row in rows if row["flawed"]], sentences[len(pairs) :], strict=True):
        if row["flawed"]["evidence"] != "no evidence":
            low, high = sorted(abs(100 * row["flawed"][bound]) for bound in ("low", "high"))
            size = abs(100 * gain(row["flawed"]))
            part = f"{row['model']} {row['flawed']['evidence']} by {size:.0f} points (95%: {low:.0f} to {high:.0f}, "
            assert sentence.startswith(f"flawed plans make {part}")


def of_model(row: Json, rows: list[Json]) -> list[str]:
    flawed, mark = row["flawed"], "~" if row["estimated_requests"] else ""
    interval = "-" if flawed is None or is_too_small(flawed) else shown_interval(flawed)
    kept = [other["flawed"] for other in rows if other["flawed"]]
    share = {name: row[name] and row[name]["successes"] / row[name]["n"] for name in ("recovery", "false_success")}
    return [
        row["model"],
        f"{100 * row['success']['successes'] / row['success']['n']:.1f}%",
        f"{100 * row['success']['low']:.0f}-{100 * row['success']['high']:.0f}",
        of_counts(row["counts"])[0],
        *([f"{100 * gain(flawed):+.1f}" if flawed else "-"] if kept else []),
        *([interval] if any(not is_too_small(each) for each in kept) else []),
        *([coarse(share["recovery"])] if any(other["recovery"] for other in rows) else []),
        *([coarse(share["false_success"])] if any(other["false_success"] for other in rows) else []),
        f"{row['mean_calls']:.1f}",
        *([of_cost(row["mean_cost"], mark)] if any(other["mean_cost"] for other in rows) else []),
        *f"{row['mean_duration_s']:.1f} s".split(),
    ]


def of_pair(found: Json, rows: list[Json]) -> str:
    """Return the sentence on two models, of which the reference comes first."""
    difference, one, other = found["difference"], found["reference"], found["sample"]
    points = -100 * gain(difference)
    bounds = [-100 * difference["high"], -100 * difference["low"]]
    p = f"p {shown}" if (shown := of_p(difference)).startswith("<") else f"p = {shown}"
    if is_too_small(difference):
        return f"{difference['tasks']} tasks are too few to compare {one} with {other}; {difference['tasks_needed']:,} "
    if difference["evidence"] == "no evidence":
        interval = f"95%: {in_points(bounds[0])} to {in_points(bounds[1])}"
        return f"no evidence that {one} and {other} differ: {in_points(points)} points ({interval}, {p})"
    low, high = sorted(abs(bound) for bound in bounds)
    word, worse = ("worse", one) if points < 0 else ("better", other)
    losses = [
        (gain(row["difference"]), row["prompt_type"].removeprefix("flawed_"))
        for row in rows
        if row["model"] == worse and row["difference"] and row["prompt_type"].startswith("flawed_")
    ]
    loss, flaw = min(losses, key=lambda each: each[0])
    costs = f"; {flaw} costs {'it' if worse == one else worse} most: {100 * loss:+.0f}" if loss < 0 else ""
    return f"{one} is {word} than {other} by {abs(points):.0f} points (95%: {low:.0f} to {high:.0f}, {p}){costs}"


def in_points(points: float) -> str:
    """Return signed whole points, or tenths below one."""
    return f"{points:+.0f}" if abs(points) >= 1 or not points else f"{points:+.1f}"


def gain(difference: Json) -> float:
    return float((difference["won"] - difference["lost"]) / difference["pairs"])


def is_too_small(difference: Json) -> bool:
    """Return whether nothing was found where not even 50 points would have been."""
    is_blind = difference["detectable"] is None or difference["detectable"] > 0.5 or difference["tasks"] < 5
    return difference["evidence"] == "no evidence" and (difference["low"] is None or is_blind)


def shown_interval(difference: Json) -> str:
    low, high = (round(100 * difference[bound]) + 0.0 for bound in ("low", "high"))
    return f"{low:+.0f}..{high:+.0f}"


def of_p(difference: Json) -> str:
    p = difference["p_value"] if difference["p_adjusted"] is None else difference["p_adjusted"]
    return "<0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def _assert_blocks(shown: list[list[str]], expected: Json) -> None:
    most = max(len(row["repeats"]) for row in expected["rows"])
    for row in expected["rows"]:
        assert of_repeats(row, (2, most) if most > 2 else (2,)) in shown
        assert row["robustness"] is None or of_robustness(row, expected["rows"]) in shown
    for found in expected["models"]:
        figures = of_row_difference(found["difference"], found["difference"]["pairs"])
        names = [found["sample"], "vs", found["reference"]]
        assert [*names, *figures, str(found["difference"]["pairs"]), str(found["difference"]["tasks"])] in shown


def of_row(row: Json, rows: list[Json]) -> list[str]:
    mark = "~" if row["estimated_requests"] else ""
    return [
        row["prompt_type"],
        f"{100 * row['success']['successes'] / row['success']['n']:.1f}%",
        f"{100 * row['success']['low']:.1f}-{100 * row['success']['high']:.1f}",
        *of_counts(row["counts"]),
        *(of_row_difference(row["difference"], row["success"]["n"]) if row["difference"] else ["-"] * 4),
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


def of_row_difference(difference: Json, n: int) -> list[str]:
    if not is_too_small(difference):
        return of_difference(difference, n)
    pairs = [f"({difference['pairs']})"] if difference["pairs"] != n else []
    return [f"{100 * gain(difference):+.1f}", *pairs, "-", "-", "too", "few"]


def of_difference(difference: Json, n: int) -> list[str]:
    return [
        f"{100 * gain(difference):+.1f}",
        *([f"({difference['pairs']})"] if difference["pairs"] != n else []),
        f"{100 * difference['low']:+.1f}..{100 * difference['high']:+.1f}",
        of_p(difference),
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
