"""What may go wrong with the tools of a test: the kinds of faults, how often, and how an error looks."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from pytest_ultra.core.axes import FaultKind
from pytest_ultra.errors import ConfigurationError, ToolFaultError
from pytest_ultra.faults.mutators import Mutator
from pytest_ultra.faults.result_mutation import known_mutators

Kinds = str | FaultKind | Sequence[str | FaultKind]

ALL = "all"
ERROR_KINDS = (FaultKind.TRANSIENT, FaultKind.PERMANENT, FaultKind.LOST_REPLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSettings:
    """The faults that calls of tools may meet. `read_settings` makes one from what a user gives."""

    kinds: Mapping[str, tuple[FaultKind, ...]]
    success_rate: float
    weights: Mapping[str, float] = field(default_factory=dict)
    codes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)
    effect_rate: float = 0.5
    mutators: Mapping[str, Mutator] = field(default_factory=dict)
    error: Callable[[ToolFaultError], Any] | None = None

    def kinds_of(self, tool: str) -> tuple[FaultKind, ...]:
        """Return the kinds that a tool may meet: those of the first pattern that its name matches."""
        return next((kinds for pattern, kinds in self.kinds.items() if fnmatchcase(tool, pattern)), ())

    def reliability(self, tool: str) -> float:
        """Return the chance that a call of a tool meets no fault."""
        return float(self.success_rate ** self.weights.get(tool, 1.0))

    def code(self, tool: str, default: str, seed: int) -> str:
        """Return the code of a transient error."""
        codes = self.codes.get(tool) or (default,)
        return codes[seed % len(codes)]


def read_settings(
    *,
    kinds: Kinds | Mapping[str, Kinds],
    success_rate: float,
    weights: Mapping[str, float] | None = None,
    codes: Mapping[str, Sequence[str]] | None = None,
    targets: Mapping[str, str] | None = None,
    effect_rate: float = 0.5,
    mutators: Iterable[str | Mutator] | None = None,
    error: Callable[[ToolFaultError], Any] | None = None,
) -> FaultSettings:
    """Check the settings of a user. Raises `ConfigurationError` with the valid values."""
    by_tool = kinds if isinstance(kinds, Mapping) else {"*": kinds}
    for name, rate in (("success_rate", success_rate), ("effect_rate", effect_rate)):
        if not 0 <= rate <= 1:
            raise ConfigurationError(f"{name}={rate!r} is not a rate; give a number from 0 to 1, such as 0.8")
    for tool, weight in (weights or {}).items():
        if not weight >= 0:
            raise ConfigurationError(
                f"the weight {weight!r} of {tool!r} is not valid; give a number of at least 0: 1 is usual, 2 twice as "
                "unreliable, and with 0 no call fails"
            )
    return FaultSettings(
        kinds={pattern: read_kinds(each) for pattern, each in by_tool.items()},
        success_rate=success_rate,
        weights=weights or {},
        codes={tool: tuple(each) for tool, each in (codes or {}).items()},
        targets=targets or {},
        effect_rate=effect_rate,
        mutators=_read_mutators(mutators),
        error=error,
    )


def read_kinds(kinds: Kinds) -> tuple[FaultKind, ...]:
    """Return kinds of faults given as names, as text with commas, or as `all`."""
    given = [part.strip() for part in kinds.split(",")] if isinstance(kinds, str) else [str(kind) for kind in kinds]
    names = [str(kind) for kind in FaultKind] if given == [ALL] else given
    for name in names:
        _check_known(name, "a kind of fault", [*FaultKind, ALL])
    return tuple(kind for kind in FaultKind if kind in names)


def _read_mutators(wanted: Iterable[str | Mutator] | None) -> dict[str, Mutator]:
    known = known_mutators()
    if wanted is None:
        return dict(known)
    chosen: dict[str, Mutator] = {}
    for each in wanted:
        if isinstance(each, Mutator):
            chosen[each.name] = each
        else:
            _check_known(each, "a mutator", list(known))
            chosen[each] = known[each]
    return chosen


def _check_known(name: str, what: str, valid: Sequence[str]) -> None:
    if name not in valid:
        close = difflib.get_close_matches(name, [str(each) for each in valid], n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise ConfigurationError(f"{name!r} is not {what}; choose from {', '.join(map(str, valid))}{hint}")
