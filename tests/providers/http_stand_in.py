"""A raw HTTP server on loopback. A test chooses the bytes of its answers and faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]

COMPLETION = b'{"choices":[{"message":{"role":"assistant","content":"Done."},"finish_reason":"stop"}]}'


@dataclass
class Request:
    """A received request; names of headers are lower-case."""

    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class StandIn:
    """The server as a test sees it: its address and the received requests."""

    url: str
    requests: list[Request] = field(default_factory=list)
    connections: int = 0


@asynccontextmanager
async def stand_in(answer: Answer) -> AsyncIterator[StandIn]:
    """Answer every request with what `answer` writes."""
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections += 1
        try:
            while not writer.is_closing():
                seen.requests.append(await _read_request(reader))
                await answer(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has closed the connection
        finally:
            writer.close()

    def start(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.ensure_future(serve(reader, writer)))

    server = await asyncio.start_server(start, "127.0.0.1", 0, backlog=1024)
    seen = StandIn(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        yield seen
    finally:
        server.close()
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        await asyncio.sleep(0)  # let closed transports notify their protocols


async def _read_request(reader: asyncio.StreamReader) -> Request:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(first.split(" ")[1], headers, body)


def response(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """Return a whole response; `length` replaces the true content length."""
    size = len(body) if length is None else length
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", f"Content-Length: {size}", *headers))
    return head.encode() + b"\r\n" + body


def says(*chunks: bytes, pause_s: float = 0.0) -> Answer:
    """Return an answer that writes the chunks with pauses in between and keeps the connection open."""

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


async def hangs(writer: asyncio.StreamWriter) -> None:  # noqa: ARG001 - it never answers
    await asyncio.Event().wait()
