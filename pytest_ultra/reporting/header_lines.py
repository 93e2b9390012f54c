"""The first lines of a run in the terminal: what the options plan, in which protocols models are asked, what is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_ultra.reporting.text import count, neutralise


def header(
    *,
    cases: int,
    models: Sequence[str],
    workers: int,
    seed: int,
    preset: str | None = None,
    overrides: Sequence[str] = (),
) -> list[str]:
    """Return the header: what the options plan; pytest's selection comes after it.

    `workers` is 0 without xdist. `overrides` are the flags that override the preset.
    """
    named = f"model{'s' if len(models) > 1 else ''} {_enumerate(models)}"
    processes = count(workers, "worker") if workers else "no workers (one process)"
    what = f"{count(cases, 'case')}, {named}, {processes}, seed {seed}"
    if preset is None:
        return [f"ultra: {what}"]
    overridden = f", overridden by {', '.join(overrides)}" if overrides else ""
    return [f"ultra: {what}", f"ultra: preset {preset}{overridden}"]


def selection_line(selected: int, planned: int, where: str) -> str:
    """Return the line after pytest's selection: how many of the planned cases are run, and where they are stored."""
    if not selected:
        return f"ultra: no test of {'this case' if planned == 1 else f'these {planned:,} cases'} is selected"
    share = "" if selected == planned else f"{selected:,} of {count(planned, 'case')} selected, "
    return f"ultra: {share}kept in {neutralise(where)}"


def protocol_lines(protocols: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a line of the header for each protocol: the models, by name, that are asked in it."""
    models: dict[str, list[str]] = {}
    for model, found in protocols.items():
        models.setdefault(", ".join(found), []).append(model)
    return [f"ultra: {_enumerate(names)}: {neutralise(protocol)}" for protocol, names in models.items()]


def _enumerate(models: Sequence[str], most: int = 4) -> str:
    names = [neutralise(model) for model in models[:most]]
    if len(models) > most:
        names.append(f"and {len(models) - most} more")
    return ", ".join(names)
