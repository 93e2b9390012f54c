"""The faults of a test's tools: which calls meet one, what the agent sees instead, and what is kept of it."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import HAPPENED, NOT_HAPPENED, Fault
from pytest_ultra.errors import ConfigurationError, ToolFaultError
from pytest_ultra.faults.fault_draw import FaultDraw, draw_fault
from pytest_ultra.faults.fault_texts import MESSAGES, NO_REPLY, OUT_OF_SERVICE, UNAVAILABLE
from pytest_ultra.faults.mutators import Mutator
from pytest_ultra.faults.result_mutation import mutate_result
from pytest_ultra.real_tools.call_records import CallRecord, RecordedError, call_key
from pytest_ultra.real_tools.fault_settings import Kinds, read_kinds, read_settings
from pytest_ultra.real_tools.result_forms import ResultForm

if TYPE_CHECKING:
    from pytest_ultra.real_tools.recording import Recording, Remake

STALE = "stale"

DrawnFault = tuple[FaultDraw, "ForcedFault | None"]


class ForcedFault(msgspec.Struct, frozen=True):
    """A fault that a test wants for a certain call."""

    kind: FaultKind
    is_made: bool | None
    mutator: str | None


class ToolFaults:
    """Faults of the tools that are wrapped with it, drawn from (seed, tool, k), and the calls that were made.

    `kinds` are kinds of faults, or a mapping from patterns of tools' names to kinds; `success_rate` is the chance that
    a call is free of faults, and `weights` gives tools an exponent to it. `codes` are a tool's transient error codes.
    `targets` names the argument of a tool that a permanent fault takes down a value of, such as a URL, instead of the
    tool. `effect_rate` is the share of lost replies whose call was made. `mutators` are the ways in which results are
    wrong, all known ones by default. `error` makes what an agent meets of the `ToolFaultError`: it may raise another
    exception, or return what the tool is to return. Raises `errors.ConfigurationError` for a bad value.
    """

    def __init__(
        self,
        kinds: Kinds | Mapping[str, Kinds] = FaultKind.TRANSIENT,
        *,
        seed: object = 0,
        success_rate: float = 0.8,
        weights: Mapping[str, float] | None = None,
        codes: Mapping[str, Sequence[str]] | None = None,
        targets: Mapping[str, str] | None = None,
        effect_rate: float = 0.5,
        mutators: Iterable[str | Mutator] | None = None,
        error: Callable[[ToolFaultError], Any] | None = None,
        recording: Recording | None = None,
    ) -> None:
        self.settings = read_settings(
            kinds=kinds,
            success_rate=success_rate,
            weights=weights,
            codes=codes,
            targets=targets,
            effect_rate=effect_rate,
            mutators=mutators,
            error=error,
        )
        self.seed = str(seed)
        self.recording = recording
        self._lock = threading.RLock()
        self._forced: dict[tuple[str, int], ForcedFault] = {}
        self._counts: Counter[str] = Counter()
        self._down: set[tuple[str, Json]] = set()
        self._earlier: defaultdict[str, list[Json]] = defaultdict(list)
        self._records: dict[int, CallRecord] = {}
        self._clock = 0
        self._closers: list[Callable[[], None]] = []
        self.servers: dict[str, Json] = {}

    @property
    def recorded_servers(self) -> Mapping[str, Json]:
        """What MCP servers said about themselves in the recording, by name."""
        return {} if self.recording is None else self.recording.servers

    def wrap(self, tool: Any, *, name: str | None = None) -> Any:
        """Return the tool, toolkit or MCP server with these faults; see `pytest_ultra.wrap`."""
        from pytest_ultra.real_tools.wrap import wrap  # noqa: PLC0415 - it wraps with this class

        return wrap(tool, faults=self, name=name)

    def force(
        self, tool: str, kind: str, *, k: int = 1, is_made: bool | None = None, mutator: str | None = None
    ) -> None:
        """Let the k-th call of a tool (from 1) meet a fault of this kind, whatever is drawn for it.

        `is_made` says whether the call of a lost reply is made, `mutator` how an implicit fault is wrong; what is not
        given is drawn. Raises `errors.ConfigurationError` for an unknown name.
        """
        (chosen,) = read_kinds([kind])
        if mutator is not None and mutator not in self.settings.mutators:
            known = ", ".join(self.settings.mutators)
            raise ConfigurationError(f"{mutator!r} is not a mutator; choose from {known}")
        self._forced[tool, k] = ForcedFault(chosen, is_made, mutator)

    def on_close(self, close: Callable[[], None]) -> None:
        """Have a function called when the test ends."""
        self._closers.append(close)

    def close(self) -> None:
        """Stop the proxies before MCP servers; the fixture does this."""
        while self._closers:
            self._closers.pop()()

    @property
    def calls(self) -> tuple[CallRecord, ...]:
        """All calls that have ended, in the order in which they started."""
        with self._lock:
            return tuple(self._records[number] for number in sorted(self._records))

    @property
    def drawn(self) -> tuple[CallRecord, ...]:
        """The calls that met a fault."""
        return tuple(call for call in self.calls if call.fault is not None)

    @property
    def missed(self) -> tuple[str, ...]:
        """A line for each fault that was forced and did not happen."""
        met = {(call.tool, call.k): call.fault for call in self.calls}
        return tuple(
            f"forced {forced.kind} fault of {tool}, its call {k}: "
            + ("it could not meet it" if (tool, k) in met else "there was no such call")
            for (tool, k), forced in self._forced.items()
            if (fault := met.get((tool, k))) is None or fault.kind is not forced.kind
        )

    def start(
        self, tool: str, arguments: Mapping[str, Json], form: ResultForm, remake: Remake, *, is_valid: bool = True
    ) -> StartedCall:
        """Note that a call starts, and decide about its fault and whether a recording has its result.

        A call whose arguments are not valid meets no fault: the tool's own error comes first. `remake` makes the call
        on the real tool. Raises `recording.RecordingDivergedError`.
        """
        with self._lock:
            self._counts[tool] += 1
            k, number = self._counts[tool], sum(self._counts.values())
            call = StartedCall(self, CallRecord(number, tool, k, arguments, started=self._tick(), ended=0), form)
            if is_valid:
                call.meet(self._find_fault(tool, k, arguments))
            if call.error is None and self.recording is not None:
                call.recorded = self.recording.serve(tool, arguments, remake)
            return call

    def keep(self, record: CallRecord) -> None:
        """Keep the record of a call that has ended."""
        with self._lock:
            self._records[record.number] = msgspec.structs.replace(record, ended=self._tick())

    def take_earlier(self, record: CallRecord, value: Json) -> list[Json]:
        """Return the earlier results of the same call, the newest first, and remember this one."""
        with self._lock:
            earlier = self._earlier[call_key(record.tool, record.arguments)]
            found = earlier[::-1]
            earlier.append(value)
            return found

    def take_down(self, tool: str, target: Json) -> None:
        self._down.add((tool, call_key(tool, {"target": target})))

    def target_of(self, tool: str, arguments: Mapping[str, Json]) -> Json:
        """Return what a permanent fault of a call takes down: the value of an argument, or None for the tool."""
        name = self.settings.targets.get(tool)
        return None if name is None else arguments.get(name)

    def _find_fault(self, tool: str, k: int, arguments: Mapping[str, Json]) -> DrawnFault | None:
        if (tool, call_key(tool, {"target": self.target_of(tool, arguments)})) in self._down:
            return FaultDraw((FaultKind.PERMANENT,), 0), None
        forced = self._forced.get((tool, k))
        if forced is not None:
            certain = draw_fault(self.seed, tool, k, 0.0, (forced.kind,))
            return None if certain is None else (certain, forced)
        draw = draw_fault(self.seed, tool, k, self.settings.reliability(tool), self.settings.kinds_of(tool))
        return None if draw is None else (draw, None)

    def _tick(self) -> int:
        self._clock += 1
        return self._clock


class StartedCall:
    """A call that was started: make it unless it has an `error` or a `recorded` result, then `finish` it."""

    def __init__(self, faults: ToolFaults, record: CallRecord, form: ResultForm) -> None:
        self._faults = faults
        self._record = record
        self._form = form
        self._kinds: tuple[FaultKind, ...] = ()
        self._seed = 0
        self._forced: ForcedFault | None = None
        self.error: ToolFaultError | None = None
        self.recorded: CallRecord | None = None

    def meet(self, fault: DrawnFault | None) -> None:
        """Decide what a drawn fault does before the call is made."""
        if fault is None or not fault[0].kinds:
            return
        (draw, self._forced), tool = fault, self._record.tool
        self._kinds, self._seed = draw.kinds, draw.seed
        match draw.kinds[0]:
            case FaultKind.TRANSIENT:
                code = self._faults.settings.code(tool, UNAVAILABLE, draw.seed)
                self._fail(Fault(FaultKind.TRANSIENT), code, MESSAGES[FaultKind.TRANSIENT].format(code=code))
            case FaultKind.PERMANENT:
                self._be_down()
            case FaultKind.LOST_REPLY if not self._is_effective():
                self._lose_reply(NOT_HAPPENED)

    def finish(self, result: Any) -> Any:
        """Return what the agent gets of the real result. Raises `ToolFaultError` if the reply is lost."""
        stored, is_stored = self._form.store(result)
        self._record = msgspec.structs.replace(self._record, is_made=True, result=stored, is_stored=is_stored)
        shown = self._distort(result)
        if shown is result and FaultKind.LOST_REPLY in self._kinds:
            self._lose_reply(HAPPENED)
        self._faults.keep(self._record)
        if self.error is not None:
            raise self.error
        return shown

    def finish_error(self, error: RecordedError, stored: Json = None, *, is_stored: bool = True) -> None:
        """Note that the tool failed by itself; the agent gets that error. A call that was cancelled is not stored."""
        self._record = msgspec.structs.replace(
            self._record, is_made=True, error=error, result=stored, is_stored=is_stored
        )
        self._faults.keep(self._record)

    def finish_fault(self) -> ToolFaultError:
        """Return the error in place of the call."""
        if self.error is None:
            raise ValueError("the call has no fault that keeps it from being made")
        self._faults.keep(self._record)
        return self.error

    def _is_effective(self) -> bool:
        """Return whether the call of a lost reply is made."""
        if self._forced is not None and self._forced.is_made is not None:
            return self._forced.is_made
        return Random(f"effect|{self._seed}").random() < self._faults.settings.effect_rate

    def _be_down(self) -> None:
        tool, target = self._record.tool, self._faults.target_of(self._record.tool, self._record.arguments)
        self._faults.take_down(tool, target)
        name = "" if target is None else str(target)
        what = f"{name} (by {tool})" if name else tool
        self._fail(Fault(FaultKind.PERMANENT, name), OUT_OF_SERVICE, MESSAGES[FaultKind.PERMANENT].format(what=what))

    def _lose_reply(self, effect: str) -> None:
        self._fail(Fault(FaultKind.LOST_REPLY, effect), NO_REPLY, MESSAGES[FaultKind.LOST_REPLY])

    def _fail(self, fault: Fault, code: str, message: str) -> None:
        self.error = ToolFaultError(message, kind=str(fault.kind), code=code, tool=self._record.tool)
        self._note(fault, code=code)

    def _distort(self, result: Any) -> Any:
        """Return the result, or a wrong one of the same type if it is to have an implicit fault and can."""
        try:
            value = self._form.read(result)
        except (TypeError, ValueError):
            return result
        earlier = self._faults.take_earlier(self._record, value)
        if self._kinds[:1] != (FaultKind.IMPLICIT,):
            return result
        for mutator in self._mutators():
            older = [each for each in earlier if each != value] if mutator.name == STALE else []
            for wrong in (*older, *mutate_result(mutator, value, self._seed)):
                with suppress(TypeError, ValueError):
                    shown = self._form.write(result, wrong)
                    self._note(Fault(FaultKind.IMPLICIT, mutator.name, self._seed), shown=wrong)
                    return shown
        return result

    def _note(self, fault: Fault, **fields: Any) -> None:
        self._record = msgspec.structs.replace(self._record, fault=fault, **fields)

    def _mutators(self) -> list[Mutator]:
        known = self._faults.settings.mutators
        if self._forced is not None and self._forced.mutator is not None:
            return [known[self._forced.mutator]]
        names = sorted(known)
        Random(f"mutators|{self._seed}").shuffle(names)
        return [known[name] for name in names]
