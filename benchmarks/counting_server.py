"""A chat completions server that knows nothing of pytest-ultra: it answers after half a second, and counts.

`python counting_server.py` prints what it counted, as JSON, when it is ended by SIGTERM.
"""

from __future__ import annotations

import asyncio
import json
import signal
import time
from typing import Any

from aiohttp import web

PORT = 8800
LATENCY_S = 0.5
MESSAGE = {"role": "assistant", "content": "NOT DONE: this server does no work."}
USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


class Counts:
    def __init__(self) -> None:
        self.arrivals: list[float] = []
        self.hosts: list[str] = []
        self.in_flight = self.most_in_flight = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.arrivals.append(time.monotonic())
        self.hosts.append(request.remote or "")
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await request.read()
        await asyncio.sleep(LATENCY_S)
        self.in_flight -= 1
        choice: dict[str, Any] = {"index": 0, "message": MESSAGE, "finish_reason": "stop"}
        return web.json_response({"id": "1", "object": "chat.completion", "choices": [choice], "usage": USAGE})


async def main() -> None:
    counts, ended = Counts(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    app = web.Application(client_max_size=2**24)
    app.router.add_post("/v1/chat/completions", counts.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", PORT, backlog=1024).start()  # noqa: S104 - for the hosts of the benchmark
    await ended.wait()
    print(json.dumps(vars(counts)))


if __name__ == "__main__":
    asyncio.run(main())
