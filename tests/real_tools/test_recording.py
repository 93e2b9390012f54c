"""Real results are recorded once, and served again until a call comes that was not made then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pytest_ultra as ultra
from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.transcript import Fault
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.real_tools.call_records import CallRecord, Header, RecordedError, read_calls, write_calls
from pytest_ultra.real_tools.recording import Recording, RecordingDivergedError
from pytest_ultra.real_tools.wrapped_functions import ReplayedError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
COUNTS = st.integers(1, 99)
CALLS = st.builds(
    CallRecord,
    number=COUNTS,
    tool=st.text(max_size=8),
    k=COUNTS,
    arguments=st.dictionaries(st.text(max_size=5), JSON, max_size=3),
    started=COUNTS,
    ended=COUNTS,
    fault=st.none() | st.builds(Fault, kind=st.sampled_from(FaultKind), effect=st.text(max_size=8), seed=COUNTS),
    code=st.none() | st.text(max_size=8),
    is_made=st.booleans(),
    is_stored=st.booleans(),
    result=JSON,
    error=st.none() | st.builds(RecordedError, type=st.text(max_size=8), message=st.text(max_size=8)),
    shown=JSON,
)


@dataclass
class Stock:
    """A toolkit with a state, which counts the calls that it gets."""

    pieces: int = 0
    calls: list[str] = field(default_factory=list)

    def add(self, pieces: int) -> int:
        self.calls.append(f"add {pieces}")
        self.pieces += pieces
        return self.pieces

    async def look(self) -> list[int]:
        self.calls.append("look")
        return [self.pieces]

    def fail(self, reason: str) -> None:
        self.calls.append("fail")
        raise LookupError(reason) if reason else StockError("empty")


class StockError(OSError):
    """An error of the tool's own class."""


def run(stock: Stock, faults: ultra.ToolFaults) -> list[Any]:
    tools = faults.wrap(stock)
    return [tools.add(3), asyncio.run(tools.look()), tools.add(4), asyncio.run(tools.look())]


def record(tools: Callable[[ultra.ToolFaults], object]) -> tuple[CallRecord, ...]:
    faults = ultra.ToolFaults(())
    tools(faults)
    return faults.calls


def replay(calls: Iterable[CallRecord], *, is_strict: bool = True, **settings: Any) -> ultra.ToolFaults:
    return ultra.ToolFaults(recording=Recording(tuple(calls), is_strict=is_strict), **{"kinds": (), **settings})


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(CALLS, max_size=4), st.text(max_size=8))
def test_a_file_of_calls_is_read_as_it_was_written(tmp_path_factory: Any, calls: list[CallRecord], seed: str) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "folder" / "calls.jsonl"
    header = Header(1, "test_a.py::test_it", seed, {"files": {"tools": []}})
    write_calls(path, header, calls)
    assert read_calls(path) == (header, tuple(calls))


@pytest.mark.parametrize("content", [b"", b"{}\n", b"[1]\n", b'{"version":1}\n{"number":1}\n', b"\xff"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"calls.jsonl' cannot be read .*delete it, and record again"):
        read_calls(path)
    path.write_bytes(b'{"version":2}\n')
    with pytest.raises(ConfigurationError, match="recorded by a later version"):
        read_calls(path)


def test_a_replay_needs_no_tool_whatever_faults_it_has() -> None:
    calls, stock = record(lambda faults: run(Stock(), faults)), Stock()
    assert run(stock, replay(calls)) == [3, [3], 7, [7]]
    for seed in range(5):
        faults = replay(calls, kinds="transient", success_rate=0.5, seed=seed)
        tools = faults.wrap(stock)
        for pieces in (3, 4):
            for _ in range(50):  # an agent that repeats what a fault kept from being made
                with suppress(ultra.ToolFaultError):
                    tools.add(pieces)
                    break
            for _ in range(50):
                with suppress(ultra.ToolFaultError):
                    asyncio.run(tools.look())
                    break
        assert faults.recording is not None
        assert faults.recording.divergence is None
        assert faults.drawn
    assert stock.calls == []


def test_after_the_divergence_real_tools_are_in_the_same_state() -> None:
    calls, stock = record(lambda faults: run(Stock(), faults)), Stock()
    faults = replay(calls, is_strict=False)
    tools = faults.wrap(stock)
    assert tools.add(3) == 3
    assert asyncio.run(tools.look()) == [3]
    assert stock.calls == []
    assert tools.add(10) == 13
    assert asyncio.run(tools.look()) == [13]
    assert stock.calls == ["add 3", "look", "add 10", "look"]
    assert faults.recording is not None
    assert faults.recording.divergence == (
        'the call add {"pieces":10} is not in the recording, where the next call is add {"pieces":4}'
    )


def test_a_strict_replay_calls_no_tool() -> None:
    stock = Stock()
    tools = replay(record(lambda faults: run(Stock(), faults))).wrap(stock)
    with pytest.raises(RecordingDivergedError, match=r"the call look \{\} is not in the recording"):
        asyncio.run(tools.look())
    with pytest.raises(RecordingDivergedError):
        tools.add(3)
    assert stock.calls == []
    with pytest.raises(RecordingDivergedError, match="where all recorded calls were served"):
        replay(()).wrap(stock).add(1)


def test_errors_are_raised_again() -> None:
    def fail(faults: ultra.ToolFaults) -> None:
        tools = faults.wrap(Stock())
        with pytest.raises(LookupError):
            tools.fail("why")
        with pytest.raises(StockError):
            tools.fail("")

    tools = replay(record(fail)).wrap(Stock())
    with pytest.raises(LookupError, match="why"):
        tools.fail("why")
    with pytest.raises(ReplayedError, match="StockError: empty") as caught:
        tools.fail("")
    assert isinstance(caught.value, OSError)


def test_calls_that_ran_at_once_may_come_in_any_order() -> None:
    async def slow(name: str) -> str:
        await asyncio.sleep(0)
        return name.upper()

    async def ask(faults: ultra.ToolFaults, names: str) -> list[str]:
        tool = faults.wrap(slow)
        both = await asyncio.gather(*map(tool, names))
        return [*both, await tool("z")]

    calls = record(lambda faults: asyncio.run(ask(faults, "ab")))
    assert asyncio.run(ask(replay(calls), "ba")) == ["B", "A", "Z"]
    with pytest.raises(RecordingDivergedError):
        asyncio.run(replay(calls).wrap(slow)("z"))


def test_a_call_that_was_cancelled_is_kept_and_made_again() -> None:
    async def slow() -> str:
        await asyncio.sleep(60)
        return "done"

    async def cancel(faults: ultra.ToolFaults) -> None:
        task = asyncio.create_task(faults.wrap(slow)())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    (call,) = record(lambda faults: asyncio.run(cancel(faults)))
    assert (call.error and call.error.type, call.is_stored) == ("CancelledError", False)
    asyncio.run(cancel(replay([call], is_strict=False)))


def test_a_result_that_is_no_json_is_not_replayed() -> None:
    (call,) = record(lambda faults: faults.wrap(lambda: 1j)())
    assert not call.is_stored
    assert replay([call], is_strict=False).wrap(lambda: 1j)() == 1j
