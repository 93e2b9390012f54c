"""A second computation of every figure of a run from the JSON lines of its journals, without code of the package.

Episodes and figures are plain JSON values, in the shape that `msgspec.to_builtins` gives a `Summary`.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from itertools import combinations
from pathlib import Path
from typing import Any

from tests.independent_statistics import (
    adjust,
    average,
    conclude,
    detection,
    effective_pairs,
    interval,
    of_repeats,
    p_value,
    rate,
)

Json = dict[str, Any]
FLAWS = [
    *("sequence_disorder", "tool_misuse", "parameter_error", "missing_step", "redundant_operations"),
    *("logical_inconsistency", "semantic_drift"),
]
PROMPT_TYPES = ["baseline", "cot", "optimal", *(f"flawed_{flaw}" for flaw in FLAWS), "alternative"]
SEVERITIES = [None, "light", "medium", "severe"]
VARIANTS = ["standard", "brief", "formal", "canary"]
SCORED = ("full", "partial", "failed")
CLASSES = [
    *("tool_call_format", "malformed_generation", "tool_selection", "parameter_config", "sequence_order"),
    *(
        "dependency",
        "unrecovered_fault",
        "max_turns",
        "agent_timeout",
        "gave_up",
        "truncated",
        "context_overflow",
        "refused",
        "agent_error",
    ),
    *("wrong_deliverable", "harmful_side_effect", "endpoint", "rate_limit", "agent_setup", "harness"),
]


def read_journals(folder: Path) -> list[Json]:
    """Return the newest episode of each case in a run's directory."""
    last: list[Json] = []
    for path in folder.glob("journal-*.jsonl"):  # in one journal, a later line is newer
        last += {line["case_id"]: line for line in map(json.loads, path.read_text().splitlines())}.values()
    newest: dict[str, Json] = {}
    for line in sorted(last, key=lambda each: (not each["episode"]["reused"], each["episode"]["started_at"])):
        newest[line["case_id"]] = line["episode"]
    return list(newest.values())


def outcome(episode: Json) -> str:
    return str(episode["score"]["outcome"])


def is_scored(episode: Json) -> bool:
    return outcome(episode) in SCORED


def versions(episode: Json) -> Json:
    return {
        part: episode[f"{name}_version"] for part, name in zip(_PARTS, ("generator", "prompt", "scorer"), strict=True)
    }


_PARTS = ("generator", "prompts", "scorer")


def counts(episodes: Iterable[Json]) -> Json:
    found = Counter(map(outcome, episodes))
    return {name: found[name] for name in ("full", "partial", "failed", "error", "skipped")}


def success(episodes: Iterable[Json]) -> Json | None:
    scored = [episode for episode in episodes if is_scored(episode)]
    return rate(sum(outcome(e) == "full" for e in scored), len(scored))


def failure_classes(episodes: Iterable[Json]) -> list[list[Any]]:
    found = Counter(e["score"]["failure_class"] for e in episodes if e["score"]["failure_class"])
    return [[name, found[name]] for name in sorted(found, key=lambda name: (-found[name], CLASSES.index(name)))]


def tokens(episode: Json) -> int:
    return int(episode["usage"]["prompt_tokens"] + episode["usage"]["completion_tokens"])


def task(episode: Json) -> tuple[Any, ...]:
    return tuple(episode["case"][name] for name in ("task_type", "difficulty", "instance", "seed"))


def pairs_with_controls(sample: Iterable[Json], everything: Iterable[Json]) -> list[tuple[Json, Json]]:
    """Pair each scored episode with the scored `optimal` one of the same circumstances."""
    same = ("model", "tool_success_rate", "repeat", "prompt_variant", "tool_protocol", "has_tool_discovery")

    def circumstances(e: Json) -> tuple[Any, ...]:
        return (*versions(e).values(), *task(e), *(e["case"][name] for name in same))

    controls = {circumstances(e): e for e in everything if e["case"]["prompt_type"] == "optimal" and is_scored(e)}
    return [(e, controls[circumstances(e)]) for e in sample if is_scored(e) and circumstances(e) in controls]


def difference(pairs: list[tuple[Json, Json]], unpaired: int) -> Json | None:
    """Return the paired difference; `adjust` fills in `p_adjusted` for a family of tests."""
    if not pairs:
        return None
    gains = [(outcome(one) == "full") - (outcome(other) == "full") for one, other in pairs]
    tasks = defaultdict(list)
    for (one, _), gain in zip(pairs, gains, strict=True):
        tasks[task(one)].append(gain)
    won, lost, n = gains.count(1), gains.count(-1), len(gains)
    pairs_per_episode = n / min(len({id(pair[side]) for pair in pairs}) for side in (0, 1))
    low, high = interval(list(tasks.values()), pairs_per_episode)
    caveats = ["few_tasks"] * (len(tasks) < 5) + ["no_discordant_pairs"] * (won == lost == 0)
    caveats += ["clustered"] * (won + lost > 0 and n > len(tasks)) + ["unpaired"] * (unpaired > 0)
    made: Json = {
        "pairs": n,
        "won": won,
        "lost": lost,
        "tasks": len(tasks),
        "low": low,
        "high": high,
        "p_value": p_value(list(tasks.values()), pairs_per_episode),
        "p_adjusted": None,
        "effective_pairs": effective_pairs(list(tasks.values()), pairs_per_episode),
        "unpaired": unpaired,
        "caveats": caveats,
    }
    conclude(made)
    return made


def robustness(episodes: list[Json], pairs: list[tuple[Json, Json]]) -> Json | None:
    scored = [e for e in episodes if is_scored(e)]
    if not scored or not scored[0]["case"]["prompt_type"].startswith("flawed_"):
        return None
    obedience = [e["score"]["obedience"] for e in scored if e["score"]["obedience"] is not None]
    both = [(one, other) for one, other in pairs if outcome(one) == outcome(other) == "full"]
    controls = sum(outcome(other) == "full" for _, other in pairs)
    priced = [(a, b) for a, b in both if a["usage"]["cost"] is not None and b["usage"]["cost"] is not None]
    return {
        "resilience": sum(outcome(one) == "full" for one, _ in pairs) / controls if controls else None,
        "over_trust": average(obedience),
        "damaged": len(obedience),
        "recovered": len(both),
        "extra_calls": average(a["score"]["tool_calls"] - b["score"]["tool_calls"] for a, b in both),
        "extra_tokens": average(tokens(a) - tokens(b) for a, b in both),
        "extra_cost": average(a["usage"]["cost"] - b["usage"]["cost"] for a, b in priced),
    }


def repeats(episodes: Iterable[Json]) -> list[Json]:
    """Return pass@k and pass^k by enumerating the ways to choose k repeats of a task."""
    tasks = defaultdict(list)
    for e in filter(is_scored, episodes):
        alike = json.dumps([e["case"] | {"repeat": None}, versions(e)], sort_keys=True)
        tasks[alike].append(outcome(e) == "full")
    most = max(map(len, tasks.values()), default=0)
    return [
        of_repeats(k, [found for found in tasks.values() if len(found) >= k]) for k in range(1, most + 1) if most > 1
    ]


def recovery(episodes: Iterable[Json]) -> Json | None:
    scores = [e["score"] for e in episodes if is_scored(e)]
    return rate(sum(s["recovered_faults"] for s in scores), sum(s["random_faults"] for s in scores))


def recovery_by_kind(episodes: Iterable[Json]) -> list[list[Any]]:
    scores, made = [e["score"] for e in episodes if is_scored(e)], []
    others = ("permanent", "lost_reply", "implicit")
    met = {kind: sum(s.get(f"{kind}_faults", 0) for s in scores) for kind in others}
    dealt_with = {kind: sum(s.get(f"recovered_{kind}_faults", 0) for s in scores) for kind in others}
    met = {"transient": sum(s["random_faults"] for s in scores) - sum(met.values()), **met}
    dealt_with["transient"] = sum(s["recovered_faults"] for s in scores) - sum(dealt_with.values())
    for kind, faults in met.items():
        made += [[kind, rate(dealt_with[kind], faults)]] if faults else []
    return made


def row(episodes: list[Json], everything: list[Json]) -> Json:
    """Return the figures of a row without the axes that identify it."""
    scored = [e for e in episodes if is_scored(e)]
    is_control = episodes[0]["case"]["prompt_type"] == "optimal"
    pairs = [] if is_control else pairs_with_controls(episodes, everything)
    unpaired = 0 if is_control else len(scored) - len(pairs)
    return {
        "counts": counts(episodes),
        "success": success(episodes),
        "difference": difference(pairs, unpaired),
        "mean_calls": average(e["score"]["tool_calls"] for e in scored),
        "mean_tokens": average(map(tokens, scored)),
        "mean_duration_s": average(e["duration_s"] for e in scored),
        "mean_first_token_s": average(x for e in scored if (x := e["usage"].get("first_token_s")) is not None),
        "mean_cost": average(e["usage"]["cost"] for e in scored),
        "unpaired": unpaired,
        "recovery": recovery(episodes),
        "recovery_by_kind": recovery_by_kind(episodes),
        "robustness": robustness(episodes, pairs),
        "repeats": repeats(episodes),
        "failure_classes": failure_classes(episodes),
        "estimated_requests": sum(e["usage"]["estimated_requests"] for e in scored),
        "harm": harm(episodes),
        "false_success": false_success(episodes),
    }


def harm(episodes: Iterable[Json]) -> Json | None:
    found = [e["score"]["harms"] for e in episodes if is_scored(e) and e["score"].get("harms") is not None]
    return rate(sum(n > 0 for n in found), len(found))


def false_success(episodes: Iterable[Json]) -> Json | None:
    found = [e for e in episodes if is_scored(e) and e["score"].get("harms") is not None]
    return rate(sum(outcome(e) != "full" and e["score"]["claimed_done"] is True for e in found), len(found))


def discernment(episodes: Iterable[Json]) -> list[Json]:
    groups = defaultdict(list)
    for e in episodes:
        has_plan = e["case"]["prompt_type"] not in ("baseline", "cot")
        if is_scored(e) and has_plan and e["score"].get("look_ups") is not None:
            groups[e["case"]["model"], tuple(versions(e).values())].append(e)
    of_several = len({found for _, found in groups}) > 1
    made = []
    for (model, found), group in sorted(groups.items()):
        names = ("damaged_steps", "obeyed_steps", "sound_steps", "distrusted_steps")
        damaged, obeyed, sound, distrusted = (sum(e["score"][name] for e in group) for name in names)
        look_ups = [e["score"]["look_ups"] for e in group if e["case"]["prompt_type"] in ("optimal", "alternative")]
        d_prime, bias = detection(damaged - obeyed, damaged, distrusted, sound)
        made.append(
            {
                "model": model,
                "damaged": damaged,
                "obeyed": obeyed,
                "sound": sound,
                "distrusted": distrusted,
                "d_prime": d_prime,
                "bias": bias,
                "sound_plans": len(look_ups),
                "look_ups": average(look_ups),
                "versions": dict(zip(_PARTS, found, strict=True)) if of_several else None,
            }
        )
    return made


def rows(everything: list[Json]) -> list[Json]:
    """Return all rows in order, with p-values corrected over the flawed rows of a model."""
    groups = defaultdict(list)
    for episode in everything:
        groups[tuple(axis(episode) for _, axis, _ in _AXES)].append(episode)
    made = []
    for key in sorted(groups, key=lambda key: [place(value) for value, (_, _, place) in zip(key, _AXES, strict=True)]):
        named = {name: value for (name, _, _), value in zip(_AXES, key, strict=True)}
        named["versions"] = dict(zip(_PARTS, named["versions"], strict=True))
        made.append(named | row(groups[key], everything))
    _hide_what_is_common(made)
    _correct(made)
    return made


_AXES: list[tuple[str, Callable[[Json], Any], Callable[[Any], Any]]] = [
    ("model", lambda e: e["case"]["model"], str),
    ("versions", lambda e: tuple(versions(e).values()), tuple),
    ("tool_success_rate", lambda e: e["case"]["tool_success_rate"], lambda rate: -rate),
    ("prompt_variant", lambda e: e["case"]["prompt_variant"], VARIANTS.index),
    ("prompt_type", lambda e: e["case"]["prompt_type"], PROMPT_TYPES.index),
    ("severity", lambda e: e["case"]["severity"], SEVERITIES.index),
]


def _hide_what_is_common(made: list[Json]) -> None:
    for name in ("versions", "tool_success_rate", "prompt_variant", "severity"):
        if len({str(row[name]) for row in made if row[name] is not None}) < 2:
            for row in made:
                row[name] = None


def _correct(made: list[Json]) -> None:
    for model in {row["model"] for row in made}:
        of_model = [row for row in made if row["model"] == model and row["prompt_type"].startswith("flawed_")]
        family = [row["difference"] for row in of_model if row["difference"]]
        adjust(family)


def models(episodes: list[Json]) -> list[Json]:
    """Return the differences of each two models, over scored cases that differ only in the model."""

    def alike(e: Json) -> str:
        return json.dumps([e["case"] | {"model": None}, versions(e)], sort_keys=True)

    found = []
    scored = [e for e in episodes if is_scored(e)]
    for reference, sample in combinations(sorted({e["case"]["model"] for e in episodes}), 2):
        others = {alike(e): e for e in scored if e["case"]["model"] == reference}
        ours = [e for e in scored if e["case"]["model"] == sample]
        pairs = [(e, others[alike(e)]) for e in ours if alike(e) in others]
        if pairs:
            made = difference(pairs, len(ours) - len(pairs))
            found.append({"sample": sample, "reference": reference, "difference": made})
    adjust([each["difference"] for each in found])
    return found


def model_figures(episodes: list[Json]) -> list[Json]:
    """Return the figures of each model, and of each of several versions, over all its cases."""
    groups = defaultdict(list)
    for e in episodes:
        groups[e["case"]["model"], tuple(versions(e).values())].append(e)
    of_several = len({found for _, found in groups}) > 1
    made = []
    for (model, found), group in sorted(groups.items()):
        scored = [e for e in group if is_scored(e)]
        flawed = [e for e in scored if e["case"]["prompt_type"].startswith("flawed_")]
        pairs = pairs_with_controls(flawed, group)
        made.append(
            {
                "model": model,
                "counts": counts(group),
                "success": success(group),
                "flawed": difference(pairs, len(flawed) - len(pairs)),
                "recovery": recovery(group),
                "false_success": false_success(group),
                "mean_calls": average(e["score"]["tool_calls"] for e in scored),
                "mean_cost": average(e["usage"]["cost"] for e in scored),
                "mean_duration_s": average(e["duration_s"] for e in scored),
                "estimated_requests": sum(e["usage"]["estimated_requests"] for e in scored),
                "versions": dict(zip(_PARTS, found, strict=True)) if of_several else None,
            }
        )
    return made


def slowest(episodes: Iterable[Json], identify: Callable[[Json], str]) -> list[Json]:
    own = [e for e in episodes if is_scored(e) and not e["reused"]]
    found = sorted(own, key=lambda e: (-e["duration_s"], e["nodeid"]))[:5]
    return [
        {
            "nodeid": e["nodeid"],
            "case_id": identify(e),
            "outcome": outcome(e),
            "duration_s": e["duration_s"],
            "turns": e["score"]["turns"],
        }
        for e in found
    ]


def summary(episodes: list[Json], identify: Callable[[Json], str]) -> Json:
    """Return all figures of a run; `identify` returns a case's id, a hash that only the package can compute."""
    costs = [e["usage"]["cost"] for e in episodes if e["usage"]["cost"] is not None and not e["reused"]]
    names = sorted({e["case"]["model"] for e in episodes})
    found = {tuple(versions(e).values()) for e in episodes}
    return {
        "rows": rows(episodes),
        "counts": counts(episodes),
        "failure_classes": failure_classes(episodes),
        "demo_models": [name for name in names if name == "demo" or name.startswith(("demo/", "demo?"))],
        "versions": [dict(zip(_PARTS, each, strict=True)) for each in sorted(found)],
        "reused": sum(e["reused"] for e in episodes),
        "cost": sum(costs) if costs else None,
        "slowest": slowest(episodes, identify),
        "estimated_requests": sum(e["usage"]["estimated_requests"] for e in episodes if not e["reused"]),
        "models": models(episodes),
        "harm": harm(episodes),
        "false_success": false_success(episodes),
        "discernment": discernment(episodes),
        "model_figures": model_figures(episodes),
    }
