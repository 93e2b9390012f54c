"""Puts faults on a tool of any kind."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_ultra.core.axes import FaultKind
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.real_tools.fault_settings import Kinds
from pytest_ultra.real_tools.injected_faults import ToolFaults
from pytest_ultra.real_tools.wrapped_functions import wrap_function


def wrap(
    tool: Any, *, faults: ToolFaults | Kinds | Mapping[str, Kinds] = FaultKind.TRANSIENT, name: str | None = None
) -> Any:
    """Return a tool that meets faults where it is called.

    - A function, or coroutine function, gives one with the same signature. It raises `errors.ToolFaultError` for an
      explicit fault.
    - A list, tuple or mapping of functions gives the same of wrapped ones. Any other object gives one whose public
      methods are wrapped.
    - An MCP server gives an `McpProxy`: a URL, a command, `mcp.StdioServerParameters`, or a server object of the
      packages `mcp` and `fastmcp`. It needs the extra `mcp`.

    `faults` is a `ToolFaults`, such as the fixture `ultra_faults`, or the kinds for a new one with seed 0; tools that
    are used together need the same one. `name` is that of a function or server in draws and records. Raises
    `errors.ConfigurationError` for anything else.
    """
    chosen = faults if isinstance(faults, ToolFaults) else ToolFaults(faults)
    if isinstance(tool, str) or _is_of_mcp(tool):
        from pytest_ultra.real_tools.mcp_proxy import McpProxy  # noqa: PLC0415 - it needs the extra `mcp`

        return McpProxy(tool, chosen, name=name or "server")
    if isinstance(tool, Mapping):
        return {name: wrap_function(_check(function), chosen, str(name)) for name, function in tool.items()}
    if isinstance(tool, Sequence):
        return type(tool)(wrap_function(_check(function), chosen) for function in tool)  # type: ignore[call-arg]
    if inspect.isroutine(tool) or (isinstance(tool, Callable) and not inspect.isclass(tool)):  # type: ignore[arg-type]
        return wrap_function(tool, chosen, name)
    if inspect.isclass(tool) or isinstance(tool, int | float | bytes | None):
        _check(tool)
    return WrappedToolkit(tool, chosen)


class WrappedToolkit:
    """An object whose public methods meet faults; all else is the object's own."""

    def __init__(self, toolkit: Any, faults: ToolFaults) -> None:
        self._toolkit = toolkit
        self._wrapped = {
            name: wrap_function(getattr(toolkit, name), faults, name)
            for name, member in inspect.getmembers_static(toolkit)  # static: a property may do anything
            if not name.startswith("_")
            and (inspect.isroutine(member) or isinstance(member, staticmethod | classmethod))
        }

    def __getattr__(self, name: str) -> Any:
        wrapped = self.__dict__.get("_wrapped", {})
        return wrapped[name] if name in wrapped else getattr(self._toolkit, name)

    def __dir__(self) -> list[str]:
        return dir(self._toolkit)


def _is_of_mcp(tool: Any) -> bool:
    return any(base.__module__.split(".")[0] in ("mcp", "fastmcp") for base in type(tool).__mro__)


def _check(function: Any) -> Callable[..., Any]:
    if not callable(function) or inspect.isclass(function):
        raise ConfigurationError(
            f"{function!r} cannot be wrapped; give a function, a list or mapping of functions, an object with methods, "
            "or an MCP server: its URL or command"
        )
    return function  # type: ignore[no-any-return]
