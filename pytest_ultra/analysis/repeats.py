"""Repeated tasks: the chance that at least one of k repeats succeeds, and that all do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import comb
from statistics import fmean

import msgspec

from pytest_ultra.analysis.pairs import is_full
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import Repeats


def measure_repeats(scored: Iterable[Episode]) -> tuple[Repeats, ...]:
    """Return pass@k and pass^k, in [0, 1], for k from 1 to the most repeats of any task; () if none was repeated.

    Both are unbiased estimates from a task's n scored repeats, of which c are `full`: 1 - C(n-c, k) / C(n, k) and
    C(c, k) / C(n, k). Each is the mean over the tasks with at least k scored repeats.

    Source: pass@k from M. Chen et al., Evaluating large language models trained on code, arXiv:2107.03374 (2021);
    pass^k from S. Yao et al., tau-bench, arXiv:2406.12045 (2024).
    """
    tasks = _count_by_task(scored)
    most = max((n for n, _ in tasks), default=0)
    return tuple(_measure(k, [(n, c) for n, c in tasks if n >= k]) for k in range(1, most + 1)) if most > 1 else ()


def _count_by_task(scored: Iterable[Episode]) -> list[tuple[int, int]]:
    """Return the number of scored and of full repeats for each set of cases that differ only in the repeat."""
    all_of, full = Counter[object](), Counter[object]()
    for episode in scored:
        task = episode.versions, msgspec.structs.replace(episode.case, repeat=0)
        all_of[task] += 1
        full[task] += is_full(episode)
    return [(all_of[task], full[task]) for task in all_of]


def _measure(k: int, tasks: list[tuple[int, int]]) -> Repeats:
    pass_at = fmean(1 - comb(n - c, k) / comb(n, k) for n, c in tasks)
    pass_all = fmean(comb(c, k) / comb(n, k) for n, c in tasks)
    return Repeats(k, pass_at, pass_all, len(tasks))
