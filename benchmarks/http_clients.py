"""Compare pyreqwest and aiohttp: CPU per call, import time, behaviour under faults, and clean exits under load.

    pip install pyreqwest aiohttp
    python benchmarks/http_clients.py cost|faults|exits [ROUNDS]

docs/http-client.md has the figures and the conclusions.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import IO, cast

CLIENTS = ("pyreqwest", "aiohttp")
IN_FLIGHT = 150
CALLS = 3000
REQUEST = b'{"model":"m","messages":[{"role":"user","content":"' + b"x" * 4000 + b'"}]}'
ANSWER = b'{"choices":[{"message":{"role":"assistant","content":"' + b"y" * 600 + b'"},"finish_reason":"stop"}]}'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(ANSWER)
TIMEOUT_S = 1.0
HUNG_S = 20.0

Post = Callable[[str], Awaitable[bytes]]


def open_client(name: str) -> Post:
    return {"pyreqwest": _open_pyreqwest, "aiohttp": _open_aiohttp}[name]()


def _open_pyreqwest() -> Post:
    client_module = importlib.import_module("pyreqwest.client")  # not at the top: the import is part of the cost
    client = client_module.ClientBuilder().pool_max_idle_per_host(512).build()
    limit = timedelta(seconds=TIMEOUT_S)

    async def post(url: str) -> bytes:
        response = await client.post(url).body_bytes(REQUEST).timeout(limit).build().send()
        return bytes(await response.bytes())

    return post


def _open_aiohttp() -> Post:
    aiohttp = importlib.import_module("aiohttp")
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=None),
        cookie_jar=aiohttp.DummyCookieJar(),
    )

    async def post(url: str) -> bytes:
        async with asyncio.timeout(TIMEOUT_S), session.post(url, data=REQUEST) as response:
            return bytes(await response.read())

    return post


# ---- the server, in its own process and without a client library


class Server(asyncio.Protocol):
    """Answer each path as its name says: /fast, /slow (50 ms), /jitter (0 to 30 ms), or with a fault."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        if found and len(body) >= len(REQUEST):
            self.received = b""
            self.answer(head.split(b" ")[1].decode().rpartition("/")[2])

    def answer(self, path: str) -> None:
        loop = asyncio.get_running_loop()
        delays = {"fast": 0.0, "slow": 0.05, "jitter": random.random() * 0.03}
        if path in delays:
            loop.call_later(delays[path], self.write, HEAD + ANSWER)
        elif path == "drip":
            self.write(HEAD)
            self.drip(0)
        elif path in FAULTS:
            start, end = FAULTS[path]
            self.write(start)
            loop.call_later(0.05, getattr(self.transport, end))

    def write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)

    def drip(self, sent: int) -> None:
        self.write(ANSWER[sent : sent + 1])
        if not self.transport.is_closing():
            asyncio.get_running_loop().call_later(0.2, self.drip, sent + 1)


FAULTS = {
    "reset": (HEAD + ANSWER[:50], "abort"),
    "truncate": (HEAD + ANSWER[:50], "close"),
    "truncate-chunked": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n", "close"),
    "garbage": (b"this is not HTTP\r\n\r\n", "close"),
    "close": (b"", "close"),
}


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


# ---- the child process


async def call_all(post: Post, url: str, calls: int) -> None:
    """Make the calls, 150 at a time, and ignore failures."""
    remaining = iter(range(calls))

    async def caller() -> None:
        for _ in remaining:
            with suppress(Exception):
                await post(url)

    await asyncio.gather(*(caller() for _ in range(IN_FLIGHT)))


async def do_calls(name: str, url: str, calls: int) -> None:
    await call_all(open_client(name), url, calls)


def exit_done(name: str, url: str) -> None:
    """Exit after all calls are answered."""
    asyncio.run(do_calls(name, url, IN_FLIGHT))


def exit_cancelled(name: str, url: str) -> None:
    """Cancel all calls in flight, and exit."""

    async def run() -> None:
        task = asyncio.ensure_future(do_calls(name, url, CALLS))
        await asyncio.sleep(0.15)
        task.cancel()

    asyncio.run(run())


def exit_abandoned(name: str, url: str) -> None:
    """Exit with calls that are neither cancelled nor awaited."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(do_calls(name, url, CALLS))
    loop.run_until_complete(asyncio.sleep(0.15))
    os.close(2)  # hide asyncio's message about a pending task
    del task


def exit_thread(name: str, url: str) -> None:
    """Exit while the loop is at full load in a daemon thread."""
    threading.Thread(target=asyncio.run, args=[do_calls(name, url, 10**9)], daemon=True).start()
    time.sleep(0.3)


def exit_thread_joined(name: str, url: str) -> None:
    """Run the loop in a thread, cancel its calls and join it, as our engine does."""

    async def run() -> None:
        task = asyncio.ensure_future(do_calls(name, url, 10**9))
        await asyncio.sleep(0.2)
        task.cancel()

    thread = threading.Thread(target=asyncio.run, args=[run()])
    thread.start()
    thread.join()


EXITS = {end.__name__: end for end in (exit_done, exit_cancelled, exit_abandoned, exit_thread, exit_thread_joined)}


# ---- the measurements


def run_child(*args: object) -> tuple[subprocess.CompletedProcess[bytes], float]:
    """Run this script in a child process; return its result and its CPU seconds, start-up included."""
    before = os.times()
    done = _run([sys.executable, __file__, *map(str, args)])
    after = os.times()
    return done, after.children_user + after.children_system - before.children_user - before.children_system


def _run(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=HUNG_S)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, -signal.SIGKILL, b"", b"hung, and was killed")


def measure_cost(base: str, rounds: int) -> None:
    for name in CLIENTS * rounds:
        start_up, few, many = (run_child("calls", name, base + "/slow", calls)[1] for calls in (0, 750, CALLS))
        print(
            f"{name:10} start-up {start_up * 1000:4.0f} ms, 750 calls: {few / 750 * 1000:.2f} ms each, "
            f"{CALLS} calls: {many / CALLS * 1000:.2f} ms each, {(many - start_up) / CALLS * 1000:.2f} without start-up"
        )


def measure_faults(base: str, rounds: int) -> None:
    urls = {name: f"{base}/{name}" for name in (*FAULTS, "drip", "hang")}
    urls |= {"refused": "http://127.0.0.1:9/", "no address": "http://nowhere.invalid/"}
    for name in CLIENTS * rounds:
        asyncio.run(try_all(name, urls))


async def try_all(name: str, urls: dict[str, str]) -> None:
    post = open_client(name)
    for fault, url in urls.items():
        started = time.monotonic()
        answer = "an answer, no error"
        try:
            await post(url)
        except Exception as error:  # noqa: BLE001 - find out which one
            answer = f"{type(error).__name__}: {str(error)[:70]}"
        print(f"{name:10} {fault:16} {time.monotonic() - started:5.2f} s  {answer}")


def measure_exits(base: str, rounds: int) -> None:
    for name in CLIENTS:
        for end in EXITS:
            runs = [run_child(end, name, base + "/jitter")[0] for _ in range(rounds)]
            bad = [run for run in runs if run.returncode]
            message = bad[0].stderr.decode(errors="replace").partition("\n")[0] if bad else ""
            codes = sorted({run.returncode for run in bad})
            print(f"{name:10} {end:18} {rounds - len(bad)}/{rounds} clean", *codes, message, flush=True)


MEASURES = {"cost": (measure_cost, 3), "faults": (measure_faults, 1), "exits": (measure_exits, 100)}


def measure(what: str, rounds: int | None) -> None:
    function, default = MEASURES[what]
    command = [sys.executable, __file__, "serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        base = f"http://127.0.0.1:{int(cast('IO[bytes]', server.stdout).readline())}"
        function(base, rounds or default)
        cast("IO[bytes]", server.stdin).close()


def main(what: str, *args: str) -> None:
    if what == "serve":
        asyncio.run(serve())
    elif what == "calls":
        asyncio.run(do_calls(args[0], args[1], int(args[2])))
    elif what in EXITS:
        EXITS[what](*args)
    else:
        measure(what, int(args[0]) if args else None)


if __name__ == "__main__":
    main(*sys.argv[1:])
