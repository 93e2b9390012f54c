"""Streams over real HTTP on loopback: known by type or beginning, read as they come, and no longer than needed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator

import pytest

from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from pytest_ultra.providers.aiohttp_transport import AiohttpTransport
from pytest_ultra.providers.transport import MAX_BODY_BYTES, HttpResponse
from pytest_ultra.providers.wire import decode_reply
from tests.providers.http_stand_in import (
    Answer,
    response,
    says,
    says_and_closes,
    says_and_resets,
    stand_in,
)
from tests.providers.streams.recorded_shapes import SHAPES
from tests.providers.streams.streamed import DONE, delta, event, stream

STREAM_TYPE = "Content-Type: text/event-stream"
HEAD = f"HTTP/1.1 200 OK\r\n{STREAM_TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
END = b"0\r\n\r\n"
WHOLE = stream(delta(content="Done."), delta("stop"))


def chunked(content: bytes, size: int) -> Iterator[bytes]:
    """Yield the content in chunks of HTTP."""
    for at in range(0, len(content), size):
        part = content[at : at + size]
        yield b"%x\r\n%s\r\n" % (len(part), part)


def ask(answer: Answer, *, times: int = 1, timeout_s: float = 5.0) -> tuple[HttpResponse, int]:
    """Return the last answer, and the number of connections that were made."""

    async def run() -> tuple[HttpResponse, int]:
        transport = AiohttpTransport({})
        try:
            async with stand_in(answer) as server:
                for _ in range(times):
                    answered = await transport.post(server.url, {}, b"{}", timeout_s)
                return answered, server.connections
        finally:
            await transport.aclose()

    return asyncio.run(run())


def text_of(answer: Answer) -> str:
    return decode_reply(ask(answer)[0].body, turn=1).text


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1, 50, 100_000])
def test_each_providers_stream_is_read_in_chunks_of_any_size(shape: str, size: int) -> None:
    content, expected = SHAPES[shape]
    answered, _ = ask(says(HEAD, b"".join(chunked(content, size)), END))
    assert decode_reply(answered.body, turn=1) == expected
    assert answered.first_token_s is not None
    assert 0 < answered.first_token_s < 5


def test_a_stream_is_known_without_its_content_type_and_a_reply_that_is_none_is_left_alone() -> None:
    assert text_of(says(response(b"\n\n" + WHOLE, "Content-Type: application/json"))) == "Done."
    assert text_of(says(response(WHOLE))) == "Done."
    plain, _ = ask(says(response(b'{"choices":[{"message":{"content":"data: x"}}]}')))
    assert (decode_reply(plain.body, turn=1).text, plain.first_token_s) == ("data: x", None)


@pytest.mark.parametrize("body", [b"", b"{}", b"data", b'{"data:":1}'])
def test_a_short_body_is_no_stream(body: bytes) -> None:
    assert ask(says(response(body)))[0].body == body


def test_an_error_status_is_never_a_stream() -> None:
    answered, _ = ask(says(response(b'data: {"error":"x"}\n\n', STREAM_TYPE, status="500 No")))
    assert answered.body == b'data: {"error":"x"}\n\n'


def test_a_connection_that_stays_open_after_the_end_is_not_waited_for() -> None:
    started = time.monotonic()
    assert text_of(says(HEAD, *chunked(WHOLE, 10))) == "Done."  # no last chunk, and no close
    assert time.monotonic() - started < 3


def test_a_stream_without_done_whose_connection_stays_open_ends_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_ultra.providers.aiohttp_transport._REST_S", 1.0)

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.writelines([HEAD, *chunked(stream(delta(content="Done."), delta("stop"), done=False), 1000)])
        while True:  # keep-alive comments for ever
            writer.writelines(chunked(b": ping\n\n", 100))
            await writer.drain()
            await asyncio.sleep(0.05)

    answered, _ = ask(answer, timeout_s=30.0)
    assert decode_reply(answered.body, turn=1).text == "Done."


def test_a_connection_is_used_again_after_a_whole_stream() -> None:
    assert ask(says(HEAD, *chunked(WHOLE, 30), END), times=3)[1] == 1


def test_a_broken_connection_after_the_finish_reason_leaves_the_reply_whole() -> None:
    content = stream(delta(content="Done."), delta("stop"), done=False)
    assert text_of(says_and_resets(HEAD, *chunked(content, 100))) == "Done."


@pytest.mark.parametrize("answer", [says_and_closes, says_and_resets])
def test_a_connection_that_breaks_in_mid_stream_is_dropped(answer: Callable[..., Answer]) -> None:
    with pytest.raises(AttemptFailedError) as caught:
        ask(answer(HEAD, *chunked(event(delta(content="Do")), 100)))
    assert caught.value.problem is AttemptProblem.DROPPED


def test_a_stream_that_ends_early_is_dropped() -> None:
    with pytest.raises(AttemptFailedError, match="the event stream ended before the reply did") as caught:
        ask(says(response(event(delta(content="Do")), STREAM_TYPE)))
    assert caught.value.problem is AttemptProblem.DROPPED


def test_a_stream_that_stops_in_the_middle_times_out() -> None:
    with pytest.raises(AttemptFailedError) as caught:
        ask(says(HEAD, *chunked(event(delta(content="Do")), 100)), timeout_s=0.5)
    assert caught.value.problem is AttemptProblem.TIMEOUT


def test_an_error_in_mid_stream_takes_the_place_of_the_reply() -> None:
    content = event(delta(content="Do")) + b'data: {"error":{"message":"Overloaded","code":529}}\n\n'
    answered, _ = ask(says(HEAD, *chunked(content, 1000)))
    assert json.loads(answered.body)["error"]["message"] == "Overloaded"


def test_a_stream_without_end_is_cut_off_and_takes_no_memory() -> None:
    unit = event(delta(content="x" * 20_000)) * 10

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        while True:
            writer.write(b"".join(chunked(unit, len(unit))))  # `drain` returns at once after `writelines` in 3.12.1
            await writer.drain()

    with pytest.raises(AttemptFailedError, match=f"the answer is longer than {MAX_BODY_BYTES} bytes") as caught:
        ask(answer, timeout_s=60)
    assert caught.value.problem is AttemptProblem.MALFORMED


def test_the_first_token_is_timed_from_sending() -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.writelines([HEAD, *chunked(b": ping\n\n" + event(delta(role="assistant", content="")), 1000)])
        await writer.drain()
        await asyncio.sleep(0.3)
        writer.writelines([*chunked(event(delta(reasoning="Hm.")), 1000)])
        await writer.drain()
        await asyncio.sleep(0.3)
        writer.writelines([*chunked(event(delta("stop", content="Done.")) + DONE, 1000), END])

    started = time.monotonic()
    answered, _ = ask(answer)
    took_s = time.monotonic() - started
    assert answered.first_token_s is not None
    assert 0.3 <= answered.first_token_s <= took_s - 0.25
