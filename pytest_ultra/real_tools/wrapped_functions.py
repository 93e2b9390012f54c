"""Functions that behave like the ones they wrap, but meet faults."""

from __future__ import annotations

import asyncio
import builtins
import functools
import inspect
import threading
from collections.abc import Callable, Mapping
from typing import Any

from pytest_ultra.errors import ToolFaultError, UltraError
from pytest_ultra.real_tools.call_records import CallRecord, RecordedError, json_form
from pytest_ultra.real_tools.injected_faults import StartedCall, ToolFaults
from pytest_ultra.real_tools.recording import Remake
from pytest_ultra.real_tools.result_forms import FunctionResult


class ReplayedError(UltraError):
    """An error of a tool that was recorded, of a class that is not Python's own; it derives from one that is."""


def wrap_function(function: Callable[..., Any], faults: ToolFaults, name: str | None = None) -> Callable[..., Any]:
    """Return a function with the same signature; a coroutine function gives a coroutine function."""
    return (_wrap_async if _is_async(function) else _wrap_sync)(function, faults, name or _name(function))


def _wrap_sync(function: Callable[..., Any], faults: ToolFaults, name: str) -> Callable[..., Any]:
    starter = _Starter(function, faults, name)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        started = starter.start(args, kwargs)
        if started.error is not None:
            return starter.report(started.finish_fault())
        if started.recorded is not None:
            return starter.replay(started, started.recorded)
        for remake in starter.served():
            _run_blocking(remake)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            started.finish_error(record_error(error), is_stored=isinstance(error, Exception))
            raise
        return starter.deliver(started, result)

    return call


def _wrap_async(function: Callable[..., Any], faults: ToolFaults, name: str) -> Callable[..., Any]:
    starter = _Starter(function, faults, name)

    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        started = starter.start(args, kwargs)
        if started.error is not None:
            return starter.report(started.finish_fault())
        if started.recorded is not None:
            return starter.replay(started, started.recorded)
        for remake in starter.served():
            await run_remake(remake)
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:  # also a call that is cancelled
            started.finish_error(record_error(error), is_stored=isinstance(error, Exception))
            raise
        return starter.deliver(started, result)

    return call


class _Starter:
    """What the calls of one function have in common."""

    def __init__(self, function: Callable[..., Any], faults: ToolFaults, name: str) -> None:
        self._function = function
        self._faults = faults
        self._name = name
        self._form = FunctionResult(function)
        self._signature = _signature(function)

    def start(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> StartedCall:
        arguments, is_valid = self._bind(args, kwargs)
        remake = functools.partial(self._function, *args, **kwargs)
        return self._faults.start(self._name, json_form(arguments), self._form, remake, is_valid=is_valid)

    def served(self) -> list[Remake]:
        recording = self._faults.recording
        return [] if recording is None else recording.take_served()

    def deliver(self, started: StartedCall, result: Any) -> Any:
        try:
            return started.finish(result)
        except ToolFaultError as error:
            return self.report(error)

    def replay(self, started: StartedCall, recorded: CallRecord) -> Any:
        """Return or raise what the real function did in the recording."""
        if recorded.error is None:
            return self.deliver(started, self._form.load(recorded.result))
        started.finish_error(recorded.error)
        raise remake_error(recorded.error)

    def report(self, error: ToolFaultError) -> Any:
        """Raise the error, or what the user makes of it."""
        make = self._faults.settings.error
        if make is None:
            raise error
        return make(error)

    def _bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
        """Return the arguments by name, and whether the function takes them."""
        by_number = {**{str(number): value for number, value in enumerate(args)}, **kwargs}
        if self._signature is None:
            return by_number, True
        try:
            return dict(self._signature.bind(*args, **kwargs).arguments), True
        except TypeError:
            return by_number, False


def record_error(error: BaseException) -> RecordedError:
    """Return what is kept of an exception."""
    message = error.args[0] if len(error.args) == 1 and isinstance(error.args[0], str) else str(error)
    bases = (kind.__name__ for kind in type(error).__mro__ if _BUILTIN_ERRORS.get(kind.__name__) is kind)
    return RecordedError(type(error).__name__, message, next(bases, Exception.__name__))


def remake_error(error: RecordedError) -> Exception:
    """Return an exception like the one that was recorded."""
    base = _BUILTIN_ERRORS.get(error.base, Exception)
    if error.type == error.base:
        return base(error.message)
    bases = (ReplayedError,) if base is Exception else (ReplayedError, base)
    kind: type[Exception] = type(ReplayedError.__name__, bases, {})
    return kind(f"{error.type}: {error.message}")


_BUILTIN_ERRORS: Mapping[str, type[Exception]] = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type)
    and issubclass(kind, Exception)
    and not issubclass(kind, UnicodeError | ExceptionGroup)  # these take more than a message
}


async def run_remake(remake: Remake) -> None:
    """Make a served call again on the real tool, whatever comes of it."""
    try:
        result = remake()
        if inspect.isawaitable(result):
            await result
    except Exception:  # noqa: BLE001, S110 - it had a result in the recording, which the agent has got
        pass


def _run_blocking(remake: Remake) -> None:
    thread = threading.Thread(target=lambda: asyncio.run(run_remake(remake)))
    thread.start()
    thread.join()


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 - not whether it can be called


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", None) or type(function).__name__


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):  # some of Python's own have none
        return None
