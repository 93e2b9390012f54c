"""The world of a user's tools: copied for each episode, and compared at its end."""

from __future__ import annotations

import copy
import inspect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Literal

import msgspec

from pytest_ultra.core.json_types import Json
from pytest_ultra.core.output_path import read_path, write_path
from pytest_ultra.core.transcript import Place, StateChange

DEPTH = 2
"""How deep objects are taken apart into places: the fields of a world, and the keys of a field."""

State = Mapping[str, Json]
"""The fields of a world as JSON values."""


class World:
    """What the tools of a suite work on. Declare its fields with values: each episode gets a copy of them.

    Fields whose names start with an underscore are copied too, but are no part of the state that is compared.
    """

    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        bases = [base for base in reversed(cls.__mro__) if issubclass(base, World) and base is not World]
        cls._fields = tuple(dict.fromkeys(name for base in bases for name in inspect.get_annotations(base)))
        missing = [name for name in cls._fields if not hasattr(cls, name)]
        if missing:
            raise TypeError(
                f"the field {missing[0]!r} of the world {cls.__name__} has no value; give it one, as in "
                f"`{missing[0]}: dict = {{}}`"
            )

    def __init__(self, **values: Any) -> None:
        """Make a world with copies of the declared values, and of those given."""
        unknown = sorted(values.keys() - set(self._fields))
        if unknown:
            raise TypeError(f"{type(self).__name__} has no field {unknown[0]!r}; it has {', '.join(self._fields)}")
        for name in self._fields:
            setattr(self, name, copy.deepcopy(values.get(name, getattr(type(self), name))))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self._fields)})"

    def state(self) -> State:
        """Return the fields that are compared, as JSON values. Raises TypeError for a value that JSON cannot hold."""
        shown = [name for name in self._fields if not name.startswith("_")]
        return {
            name: to_json(getattr(self, name), f"the field {name!r} of {type(self).__name__}", "deterministic")
            for name in shown
        }


def to_json(value: Any, what: str, order: Literal["deterministic"] | None = None) -> Json:
    """Return a value as JSON has it. Raises TypeError, which names `what`, for a value that JSON cannot hold."""
    try:
        return msgspec.json.decode(msgspec.json.encode(value, order=order))
    except (TypeError, ValueError, msgspec.MsgspecError) as error:
        raise TypeError(f"{what} cannot be JSON: {error}") from None


def places(state: State) -> list[Place]:
    """Return the places of a state with their values; an item of a list stands at a place that all of them share."""
    return [place for name, value in state.items() for place in _places((name,), value)]


def _places(path: tuple[str, ...], value: Json) -> Iterator[Place]:
    if isinstance(value, dict) and len(path) < DEPTH:
        for name, inner in value.items():
            yield from _places((*path, name), inner)
    elif isinstance(value, list):
        yield from ((f"{write_path(path)}[]", item) for item in value)
    else:
        yield write_path(path), value


def find_change(before: Iterable[Place], after: Iterable[Place]) -> StateChange:
    """Return what differs between two states."""
    old, new = list(before), list(after)
    return StateChange(tuple(_without(old, new)), tuple(_without(new, old)))


def combine(changes: Iterable[StateChange]) -> StateChange:
    """Return the change that several changes, one after the other, make together."""
    removed = list[Place]()
    added = list[Place]()
    for change in changes:
        removed += _without(change.removed, added)
        added = [*_without(added, change.removed), *change.added]
    return StateChange(tuple(_without(removed, added)), tuple(_without(added, removed)))


def apply_change(state: State, change: StateChange) -> State:
    """Return the state after a change. New items of a list stand at its end."""
    after: dict[str, Json] = copy.deepcopy(dict(state))
    for place, value in change.removed:
        holder, name = _find_holder(after, place)
        if place.endswith("[]"):
            holder[name].remove(value)
        else:
            del holder[name]
    for place, value in change.added:
        holder, name = _find_holder(after, place)
        if place.endswith("[]"):
            holder.setdefault(name, []).append(value)
        else:
            holder[name] = value
    return after


def _find_holder(state: dict[str, Json], place: str) -> tuple[dict[str, Json], str]:
    """Return the object in which a place is, and its name there."""
    *way, name = read_path(place.removesuffix("[]")) or ()
    for part in way:
        state = state.setdefault(str(part), {})
    return state, str(name)


def _without(ours: Iterable[Place], theirs: Iterable[Place]) -> list[Place]:
    """Return the places of `ours` that are not in `theirs`, each as often as it is left over."""
    left = Counter(map(_key, theirs))
    kept = list[Place]()
    for place in ours:
        key = _key(place)
        if left[key]:
            left[key] -= 1
        else:
            kept.append(place)
    return kept


def _key(place: Place) -> bytes:
    return msgspec.json.encode(place, order="deterministic")
