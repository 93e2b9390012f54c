"""Objects of the user's own that options name as `module:attr`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

import pytest

from pytest_ultra.errors import ConfigurationError

_MOST_NAMES = 10


def import_attribute(config: pytest.Config, target: str, flag: str, is_fit: Callable[[Any], bool], kind: str) -> Any:
    """Import an object as `python -m` would: the directory in which pytest was started is on the path.

    In a worker on another host, so is the folder to which xdist has copied the project. Raises `pytest.UsageError`,
    which names the module's objects that are fit, of this kind.
    """
    if hasattr(config, "workerinput") and str(config.rootpath) not in sys.path:
        sys.path.append(str(config.rootpath))
    try:
        return import_from(str(config.invocation_params.dir), target, flag, is_fit, kind)
    except ConfigurationError as error:
        raise pytest.UsageError(str(error)) from None


def import_from(folder: str, target: str, flag: str, is_fit: Callable[[Any], bool], kind: str) -> Any:
    """Import an object with a folder on the path; raise ConfigurationError as `import_attribute` raises UsageError."""
    module, _, attribute = target.partition(":")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        found: Any = importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 - a module of the user may raise anything
        is_missing = isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}.")
        reason = f"there is no module {error.name!r}" if is_missing else f"{type(error).__name__}: {error}"  # type: ignore[attr-defined]
        raise ConfigurationError(f"{flag}: {target} cannot be imported: {reason}") from None
    for name in attribute.split("."):
        if not hasattr(found, name):
            names = [name for name, value in vars(found).items() if is_fit(value) and not name.startswith("_")]
            listed = ", ".join(names[:_MOST_NAMES]) or f"no {kind}"
            raise ConfigurationError(f"{flag}: {module} has no {attribute!r}; it has {listed}")
        found = getattr(found, name)
    return found
