"""An OpenAI-compatible server with faults, which records its paid answers: `python benchmarks/faulty_server.py`.

It prints its address. `GET /record` returns each complete answer with its case, turn, and the Unix times of request
and answer, and how often each fault occurred; `GET /fast` does the same and shortens the latency from then on.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import sys
import time
from collections import Counter
from typing import Any

TURNS = 5
"""Answers in an episode: tool calls, and then a final text."""
DECK = ("500", "500", "429 storm", "reset", "hang", "drip", "truncated", "html", *[""] * 32)
"""The faults of forty requests, reshuffled each time: so every fault occurs, and 5 % of the requests get a 500."""
STORM_S = 0.4
"""How long a storm answers every request with 429."""
LATENCY_S = (0.1, 0.4)
FAST_LATENCY_S = (0.0, 0.05)


class Server:
    """The server's record, and its state between requests."""

    def __init__(self, seed: int) -> None:
        self.paid: list[tuple[str, float, float]] = []
        self.faults: Counter[str] = Counter()
        self.latency_s = LATENCY_S
        self._chance = random.Random(seed)
        self._deck: list[str] = []
        self._storm_until = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if head.startswith(b"GET"):
                    writer.write(self._report(head))
                    await writer.drain()
                    continue
                lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                body = await reader.readexactly(int(lengths[0].split(b":")[1]))
                if not await self._respond(json.loads(body)["messages"], writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _report(self, head: bytes) -> bytes:
        if b"/fast" in head:
            self.latency_s = FAST_LATENCY_S
        return response("200 OK", json.dumps({"paid": self.paid, "faults": self.faults}).encode())

    async def _respond(self, messages: list[dict[str, Any]], writer: asyncio.StreamWriter) -> bool:
        """Send an answer or a fault; return whether the connection can be used again."""
        received = time.time()
        fault = self._draw()
        if fault:
            self.faults[fault] += 1
            return await send_fault(fault, writer)
        await asyncio.sleep(self._chance.uniform(*self.latency_s))
        case_and_turn = identify(messages)
        # From here on the answer costs money, whether or not the client still reads it.
        self.paid.append((case_and_turn, received, time.time()))
        writer.write(response("200 OK", answer(case_and_turn)))
        await writer.drain()
        return True

    def _draw(self) -> str:
        now = time.monotonic()
        if now < self._storm_until:
            return "429"
        if not self._deck:
            self._deck = self._chance.sample(DECK, len(DECK))
        fault = self._deck.pop()
        if fault == "429 storm":
            self._storm_until = now + STORM_S
        return fault


def identify(messages: list[dict[str, Any]]) -> str:
    """Return the case, as a hash of the messages before the model's first, and the turn."""
    turn = 1 + sum(message["role"] == "assistant" for message in messages)
    first = [message for message in messages if message["role"] in ("system", "user")][:2]
    return f"{hashlib.sha256(json.dumps(first).encode()).hexdigest()[:12]} {turn}"


def answer(case_and_turn: str) -> bytes:
    turn = int(case_and_turn.split()[1])
    message: dict[str, Any] = {"role": "assistant", "content": "Done."}
    if turn < TURNS:
        function = {"name": "utility_helper", "arguments": json.dumps({"topic": f"turn {turn}"})}
        message |= {"content": None, "tool_calls": [{"id": f"call_{turn}", "type": "function", "function": function}]}
    usage = {"prompt_tokens": 100 * turn, "completion_tokens": 10, "total_tokens": 100 * turn + 10}
    return json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}).encode()


def response(status: str, content: bytes, kind: str = "application/json", *, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(content)}\r\n{more}\r\n"
    return head.encode() + content


async def send_fault(fault: str, writer: asyncio.StreamWriter) -> bool:
    match fault:
        case "429" | "429 storm":
            writer.write(response("429 Too Many Requests", b'{"error": {}}', more="retry-after-ms: 150\r\n"))
        case "500":
            writer.write(response("500 Internal Server Error", b'{"error": {}}'))
        case "html":
            writer.write(response("200 OK", b"<html>We are down.</html>", "text/html"))
        case "truncated":
            complete = answer("none 1")
            writer.write(response("200 OK", complete[:-30]))  # complete HTTP, incomplete JSON
        case "hang":
            await asyncio.sleep(3600)  # the client has to time out
        case "drip":
            for byte in response("200 OK", answer("none 1")):
                writer.write(bytes([byte]))
                await writer.drain()  # raises when the client has disconnected
                await asyncio.sleep(1)
        case _:
            writer.transport.abort()
            return False
    await writer.drain()
    return True


async def main() -> None:
    faulty = Server(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    server = await asyncio.start_server(faulty.serve, "127.0.0.1", 0)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
