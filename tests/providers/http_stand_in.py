"""A raw HTTP server on loopback whose answers, and faults, are bytes that a test chooses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]

COMPLETION = b'{"choices":[{"message":{"role":"assistant","content":"Done."},"finish_reason":"stop"}]}'


@dataclass
class Request:
    """A request as it came in; names of headers are lower-case."""

    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class StandIn:
    """What a test sees of the server: its address, and what it was asked."""

    url: str
    requests: list[Request] = field(default_factory=list)
    connections: int = 0


@asynccontextmanager
async def stand_in(answer: Answer) -> AsyncIterator[StandIn]:
    """Answer every request by what `answer` writes."""

    conversations: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections += 1
        try:
            while not writer.is_closing():
                seen.requests.append(await _read_request(reader))
                await answer(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversations.add(asyncio.ensure_future(converse(reader, writer)))

    server = await asyncio.start_server(begin, "127.0.0.1", 0, backlog=1024)
    seen = StandIn(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        yield seen
    finally:
        server.close()
        for conversation in conversations:
            conversation.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)
        await asyncio.sleep(0)  # closed transports say goodbye to their protocols


async def _read_request(reader: asyncio.StreamReader) -> Request:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(first.split(" ")[1], headers, body)


def response(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """Write a whole response; `length` is the content length that it claims, if not the true one."""
    size = len(body) if length is None else length
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", f"Content-Length: {size}", *headers))
    return head.encode() + b"\r\n" + body


def says(*chunks: bytes, pause_s: float = 0.0) -> Answer:
    """Write the chunks with pauses in between, and keep the connection open."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return answer


def says_and_closes(*chunks: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.writelines(chunks)
        await writer.drain()
        writer.close()

    return answer


def says_and_resets(*chunks: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.writelines(chunks)
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.transport.abort()

    return answer


async def hangs(writer: asyncio.StreamWriter) -> None:  # noqa: ARG001 - an answer that is none
    await asyncio.Event().wait()
