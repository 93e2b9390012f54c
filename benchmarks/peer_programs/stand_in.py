"""An endpoint that answers recorded conversations after a fixed time, and counts; it is of aiohttp only.

    python stand_in.py PORT LATENCY REPLIES [FORWARD]

A reply is found by the job's words and the number of the turn. With FORWARD, a base URL, the replies come from there
and are recorded in the file REPLIES, with the requests, when the process gets SIGTERM.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web


class StandIn:
    """Answers requests, and knows when the first one came and how many there were."""

    def __init__(self, latency_s: float, recorded: dict[str, Any], forward: str | None) -> None:
        self.recorded = recorded
        self._latency_s = latency_s
        self._forward = forward
        self._started = time.monotonic()
        self._first_s: float | None = None
        self._requests = 0

    async def complete(self, request: web.Request) -> web.Response:
        if self._first_s is None:
            self._first_s = time.monotonic() - self._started
        self._requests += 1
        body = await request.json()
        key, turn = _place(body["messages"])
        if self._forward is not None:
            reply = await self._ask(body)
            self.recorded.setdefault(key, []).append({"request": body, "reply": reply})
        else:
            await asyncio.sleep(self._latency_s)
            reply = self.recorded[key][turn]["reply"]
        return web.json_response(reply)

    async def reset(self, _: web.Request) -> web.Response:
        """Begin to count anew."""
        self._started, self._first_s, self._requests = time.monotonic(), None, 0
        return web.json_response({})

    async def count(self, _: web.Request) -> web.Response:
        return web.json_response({"first_s": self._first_s, "requests": self._requests})

    async def _ask(self, body: Any) -> Any:
        url = f"{self._forward}/chat/completions"
        async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
            answer.raise_for_status()
            return await answer.json()


def _place(messages: list[dict[str, Any]]) -> tuple[str, int]:
    """Return a digest of the job's words, and the number of the turn, from 0."""
    job = next(message for message in messages if message["role"] == "user")
    words = json.dumps(_text(job["content"])).encode()
    return hashlib.sha256(words).hexdigest(), sum(message["role"] == "assistant" for message in messages)


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def main() -> None:
    port, latency, replies, *forwards = sys.argv[1:]
    path, forward = Path(replies), next(iter(forwards), None)
    stand_in = StandIn(float(latency), {} if forward else json.loads(path.read_bytes()), forward)
    app = web.Application(client_max_size=2**26)
    app.add_routes(
        [
            web.post("/v1/chat/completions", stand_in.complete),
            web.post("/reset", stand_in.reset),
            web.get("/count", stand_in.count),
        ]
    )
    web.run_app(app, host="127.0.0.1", port=int(port), print=None, access_log=None, backlog=4096)
    if forward:
        path.write_text(json.dumps(stand_in.recorded))


if __name__ == "__main__":
    main()
