"""An OpenAI-compatible server that misbehaves, and counts what it was paid for: `python benchmarks/faulty_server.py`.

It prints its address. Each answer that it has sent whole is counted by case and turn; `GET /paid` tells the counts,
and how often each fault was met.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import sys
from collections import Counter
from typing import Any

TURNS = 5
"""How many answers an episode takes: tool calls, and then a last word."""
FAULTS = {
    "429": 0.04,
    "500": 0.05,
    "reset": 0.02,
    "hang": 0.005,
    "drip": 0.005,
    "truncated": 0.02,
    "html": 0.02,
}
"""The share of requests that meets each fault."""

HANG_S = 4.0
"""How long a connection hangs, or drips, before it breaks."""
paid: Counter[str] = Counter()
faults: Counter[str] = Counter()
chance = random.Random(4)


def identify(messages: list[dict[str, Any]]) -> str:
    """Return case and turn: an episode is known by what was said before the model's first word."""
    turn = 1 + sum(message["role"] == "assistant" for message in messages)
    opening = [message for message in messages if message["role"] in ("system", "user")][:2]
    return f"{hashlib.sha256(json.dumps(opening).encode()).hexdigest()[:12]} {turn}"


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


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            body = await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b""
            if head.startswith(b"GET"):
                writer.write(response("200 OK", json.dumps({"paid": paid, "faults": faults}).encode()))
                await writer.drain()
            elif not await respond(json.loads(body)["messages"], writer):
                break
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def respond(messages: list[dict[str, Any]], writer: asyncio.StreamWriter) -> bool:
    """Answer or misbehave; return whether the connection can be used again."""
    await asyncio.sleep(chance.uniform(0.02, 0.12))
    fault = chance.choices([*FAULTS, ""], [*FAULTS.values(), 1 - sum(FAULTS.values())])[0]
    if fault:
        faults[fault] += 1
        return await misbehave(fault, writer)
    case_and_turn = identify(messages)
    paid[case_and_turn] += 1  # from here on it costs money, whether or not anybody is left to read it
    writer.write(response("200 OK", answer(case_and_turn)))
    await writer.drain()
    return True


async def misbehave(fault: str, writer: asyncio.StreamWriter) -> bool:
    match fault:
        case "429":
            writer.write(response("429 Too Many Requests", b'{"error": {}}', more="retry-after-ms: 150\r\n"))
        case "500":
            writer.write(response("500 Internal Server Error", b'{"error": {}}'))
        case "html":
            writer.write(response("200 OK", b"<html>We are down.</html>", "text/html"))
        case "truncated":
            whole = answer("nobody 1")
            writer.write(response("200 OK", whole[:-30]))  # whole as HTTP goes, but no whole JSON
        case "hang":
            await asyncio.sleep(HANG_S)
            writer.transport.abort()
            return False
        case "drip":
            whole = response("200 OK", answer("nobody 1"))
            for n in range(int(HANG_S)):
                writer.write(whole[n : n + 1])
                await writer.drain()
                await asyncio.sleep(1)
            writer.transport.abort()
            return False
        case _:
            writer.transport.abort()
            return False
    await writer.drain()
    return True


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
