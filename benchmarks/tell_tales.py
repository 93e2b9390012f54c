"""Measure whether the text of a plan gives a flaw away: `python benchmarks/tell_tales.py [INSTANCES] [DIFFICULTY,...]`.

A classifier that sees nothing but plans (bags of words and characters, and counts of the structure; logistic
regression) is asked to distinguish flawed plans from `optimal` and `alternative` ones. It is cross-validated over
tasks, so
that it cannot know a task from its training. The area under its ROC curve is 0.5 if there are no tell-tales.
Needs scikit-learn: `pip install --group tell-tales`.
"""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product

import msgspec
import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler

from pytest_ultra.benchmark.generator.generate import generate_task
from pytest_ultra.benchmark.planner import plan
from pytest_ultra.benchmark.task_context import TaskContext
from pytest_ultra.core.axes import Difficulty, FlawKind, Severity, TaskType, Visibility
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.workflow import Workflow, render
from pytest_ultra.flaws.alternative import make_alternative
from pytest_ultra.flaws.injection import inject

RATE, MAX_TURNS = 0.8, 30
FOLDS = 5
FEWEST = 40
"""Flawed plans of a kind and visibility without which no area is estimated."""
_WORD = r"[^\s\"{},:]+"
_NUMBER = re.compile(r"\d+")


class Sample(msgspec.Struct, frozen=True):
    """A plan; the task that it is for; its flaw, None for a sound plan."""

    workflow: Workflow
    task: int
    kind: FlawKind | None = None
    severity: Severity | None = None
    visibility: Visibility | None = None
    wanted: Visibility | None = None


def make_samples(instances: int, difficulties: Sequence[Difficulty]) -> Iterator[Sample]:
    keys = product(range(instances), TaskType, difficulties)
    for number, (instance, task_type, difficulty) in enumerate(keys):
        task = generate_task(TaskKey(task_type, difficulty, instance, 0))
        optimal, context = plan(task, RATE, MAX_TURNS), TaskContext(task)
        yield Sample(optimal, number)
        alternative = make_alternative(context, optimal)
        if alternative is not None:
            yield Sample(alternative, number)
        for kind, severity, wanted in product(FlawKind, Severity, (Visibility.JOB, Visibility.WORLD)):
            flawed = inject(context, optimal, kind, severity, visibility=wanted)
            if flawed is not None:
                yield Sample(flawed.workflow, number, kind, severity, flawed.visibility, wanted)


def count_structure(workflow: Workflow) -> list[float]:
    """Count what the shape of a plan shows."""
    steps = workflow.steps
    calls = [(step.call.tool, str(step.call.arguments)) for step in steps]
    references = [(number, used) for number, step in enumerate(steps, start=1) for used in step.call.references]
    used_steps = [used for _, used in references]
    return [
        len(steps),
        len(calls) - len(set(calls)),
        len(calls) - len({tool for tool, _ in calls}),
        sum(step.only_if_failed is not None for step in steps),
        sum(step.fallback is not None for step in steps),
        sum(used >= number for number, used in references),
        sum(number - used > 1 for number, used in references),
        len(used_steps) - len(set(used_steps)),
        len(steps) - len(set(used_steps)),
        sum(len(step.call.arguments) for step in steps) / len(steps),
        sum(not step.call.references for step in steps),
    ]


def mask(text: str) -> str:
    """Keep the digits of short numbers alone: no number of a task recurs in another."""
    return _NUMBER.sub(lambda match: match[0] if len(match[0]) == 1 else "#" * len(match[0]), text)


STRUCTURE = (
    *("steps", "repeated_calls", "repeated_tools", "conditions", "fallbacks", "forward_references", "reference_gaps"),
    *("outputs_used_again", "unused_outputs", "arguments_per_step", "calls_without_input"),
)
"""The names of what `count_structure` counts."""
MOST_SHOWN = 4
"""Features named beside an area."""


def strongest_features(samples: Sequence[Sample]) -> str:
    """Return what distinguishes flawed from sound plans most, in a model of the structure and the words."""
    texts = [mask(render(sample.workflow)) for sample in samples]
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, token_pattern=_WORD)
    bag = words.fit_transform(texts)
    structure = StandardScaler().fit_transform(np.array([count_structure(sample.workflow) for sample in samples]))
    model = LogisticRegression(C=1.0, class_weight="balanced", max_iter=500)
    model.fit(hstack([csr_matrix(structure), bag]).tocsr(), [sample.kind is not None for sample in samples])
    names = [*STRUCTURE, *words.get_feature_names_out()]
    spread = np.concatenate([np.ones(len(STRUCTURE)), bag.toarray().std(axis=0)])
    weights = model.coef_[0] * spread
    order = np.argsort(-np.abs(weights))[:MOST_SHOWN]
    return ", ".join(f"{'+' if weights[i] > 0 else '-'}{names[i]}" for i in order)


def weigh(samples: Sequence[Sample]) -> np.ndarray:
    """Return weights that give the sound plans of each task the weight of its flawed ones.

    Otherwise the area would show which tasks can carry the flaw, and not what the flaw looks like.
    """
    flawed = Counter(sample.task for sample in samples if sample.kind)
    sound = Counter(sample.task for sample in samples if not sample.kind)
    return np.array([1.0 if sample.kind else flawed[sample.task] / sound[sample.task] for sample in samples])


def area(samples: Sequence[Sample]) -> float:
    """Return the area under the ROC curve of flawed against sound, from predictions for tasks not trained on."""
    texts = [mask(render(sample.workflow)) for sample in samples]
    structure = np.array([count_structure(sample.workflow) for sample in samples])
    labels = np.array([sample.kind is not None for sample in samples])
    groups = np.array([sample.task for sample in samples])
    weights = weigh(samples)
    scores = np.zeros(len(samples))
    for train, test in GroupKFold(FOLDS).split(structure, labels, groups):
        words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, token_pattern=_WORD)
        characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=3, max_features=20_000)
        scaler = StandardScaler().fit(structure[train])
        parts = [
            [vectorizer.fit_transform([texts[i] for i in train]), vectorizer.transform([texts[i] for i in test])]
            for vectorizer in (words, characters)
        ]
        parts.append([csr_matrix(scaler.transform(structure[train])), csr_matrix(scaler.transform(structure[test]))])
        model = LogisticRegression(C=1.0, max_iter=500)
        model.fit(hstack([part[0] for part in parts]).tocsr(), labels[train], sample_weight=weights[train])
        scores[test] = model.decision_function(hstack([part[1] for part in parts]).tocsr())
    return float(roc_auc_score(labels, scores, sample_weight=weights))


def print_shares(samples: Sequence[Sample]) -> None:
    print("Visibility proved, by kind, severity and the visibility asked for: world / job / plan, of all flawed plans")
    counts = Counter((s.kind, s.severity, s.wanted, s.visibility) for s in samples if s.kind)
    for kind, severity, wanted in product(FlawKind, Severity, (Visibility.JOB, Visibility.WORLD)):
        shares = [counts[kind, severity, wanted, got] for got in reversed(Visibility)]
        if sum(shares):
            line = " / ".join(f"{share / sum(shares):4.0%}" for share in shares)
            print(f"  {kind:24}{severity:8}{wanted:6} {line}  (of {sum(shares)})")


def print_areas(samples: Sequence[Sample]) -> None:
    print("Area under the ROC curve against optimal and alternative plans, by kind and proved visibility")
    sound = [sample for sample in samples if sample.kind is None]
    for visibility, kind in product((Visibility.JOB, Visibility.WORLD, Visibility.PLAN), FlawKind):
        flawed = {
            (sample.task, sample.severity): sample
            for sample in samples
            if sample.kind is kind and sample.visibility is visibility
        }
        if len(flawed) < FEWEST:
            print(f"  {visibility:6}{kind:24} too few ({len(flawed)})")
        else:
            tasks = {sample.task for sample in flawed.values()}
            both = [*(sample for sample in sound if sample.task in tasks), *flawed.values()]
            print(
                f"  {visibility:6}{kind:24} {area(both):.2f}  (of {len(flawed)})  {strongest_features(both)}",
                flush=True,
            )


def main() -> None:
    instances = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    names = sys.argv[2].split(",") if len(sys.argv) > 2 else list(Difficulty)  # noqa: PLR2004 - the second argument
    started = time.process_time()
    samples = list(make_samples(instances, [Difficulty(name) for name in names]))
    seconds = time.process_time() - started
    sound = sum(sample.kind is None for sample in samples)
    print(f"{sound} sound and {len(samples) - sound} flawed plans: {seconds:.1f} s of CPU", flush=True)
    print_shares(samples)
    print_areas(samples)


if __name__ == "__main__":
    main()
