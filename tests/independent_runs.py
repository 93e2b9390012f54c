"""A second computation of the comparison of two runs, from the episodes of their journals."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.independent import PROMPT_TYPES, difference, is_scored, outcome, success, versions
from tests.independent_statistics import Json, adjust


def compare_runs(sample: list[Json], reference: list[Json], identify: Callable[[Json], str]) -> Json:
    """Return the comparison of two runs, named `sample` and `reference`."""
    one, other = ({e["case"]["model"] for e in run} for run in (sample, reference))
    across = len(one) == len(other) == 1 and one != other

    def alike(e: Json) -> str:
        return json.dumps([e["case"] | ({"model": None} if across else {}), versions(e)], sort_keys=True)

    others = {alike(e): e for e in reference if is_scored(e)}
    ours = {alike(e): e for e in sample if is_scored(e)}
    pairs = [(ours[key], others[key]) for key in ours if key in others]
    pairs.sort(key=lambda pair: (pair[0]["nodeid"], identify(pair[0])))
    flips = [pair for pair in pairs if (outcome(pair[0]) == "full") != (outcome(pair[1]) == "full")]
    groups = [_compare_group(name, found) for name, found in _groups(pairs)]
    adjust([group["difference"] for group in groups if group["group"] in PROMPT_TYPES])
    return {
        "sample": "sample",
        "reference": "reference",
        "groups": groups,
        "flips": [
            {"nodeid": a["nodeid"], "case_id": identify(a), "reference": outcome(b), "sample": outcome(a)}
            for a, b in flips
        ],
        "only_sample": len(ours) - len(pairs),
        "only_reference": len(others) - len(pairs),
    }


def _groups(pairs: list[tuple[Json, Json]]) -> list[tuple[str, list[tuple[Json, Json]]]]:
    found = [(name, [p for p in pairs if p[0]["case"]["prompt_type"] == name]) for name in PROMPT_TYPES]
    found.append(("flawed", [p for p in pairs if p[0]["case"]["prompt_type"].startswith("flawed_")]))
    names = sorted({a["case"]["model"] for a, _ in pairs})
    found += [(name, [p for p in pairs if p[0]["case"]["model"] == name]) for name in names if len(names) > 1]
    return [("all", pairs), *((name, chosen) for name, chosen in found if chosen)]


def _compare_group(name: str, pairs: list[tuple[Json, Json]]) -> Json:
    sides = {"sample": success(a for a, _ in pairs), "reference": success(b for _, b in pairs)}
    return {"group": name, **sides, "difference": difference(pairs, 0)}
