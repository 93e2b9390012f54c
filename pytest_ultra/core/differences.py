"""How two sets of cases differ. Shown wherever runs are compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from pytest_ultra.core.case import Case, Versions


class Difference(msgspec.Struct, frozen=True):
    """A field of the case, or a version, with the values that it has on each side, sorted as text."""

    field: str
    sample: tuple[str, ...]
    reference: tuple[str, ...]

    @property
    def is_apart(self) -> bool:
        """Return whether no value is on both sides, so that no case can be."""
        return not set(self.sample) & set(self.reference)


Identity = tuple[Case, Versions]


def find_differences(sample: Iterable[Identity], reference: Iterable[Identity]) -> tuple[Difference, ...]:
    """Return the fields whose values differ, in the order of the case's fields."""
    ours, theirs = _collect(sample), _collect(reference)
    return tuple(Difference(name, ours[name], theirs[name]) for name in ours if ours[name] != theirs[name])


def _collect(identities: Iterable[Identity]) -> Mapping[str, tuple[str, ...]]:
    known = set(identities)
    cases, versions = {case for case, _ in known}, {version for _, version in known}
    values = {name: {_spell(getattr(case, name)) for case in cases} for name in Case.__struct_fields__}
    values |= {f"version of {n}": {str(getattr(v, n)) for v in versions} for n in Versions.__struct_fields__}
    return {name: tuple(sorted(found)) for name, found in values.items()}


def _spell(value: object) -> str:
    return "none" if value is None else str(value)
