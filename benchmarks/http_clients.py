"""Compare pyreqwest and aiohttp: CPU per call and import time, behaviour under faults, and clean exits under load.

    pip install pyreqwest aiohttp
    python benchmarks/http_clients.py cost|faults|exits [ROUNDS]

The reasons drawn from its figures stand in docs/http-client.md.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

CLIENTS = ("pyreqwest", "aiohttp")
IN_FLIGHT = 150
CALLS = 3000
REQUEST = b'{"model":"m","messages":[{"role":"user","content":"' + b"x" * 4000 + b'"}]}'
ANSWER = b'{"choices":[{"message":{"role":"assistant","content":"' + b"y" * 600 + b'"},"finish_reason":"stop"}]}'
ENOUGH = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
HEAD = ENOUGH % len(ANSWER)
TIMEOUT_S = 1.0

Post = Callable[[str], Awaitable[bytes]]


def open_client(name: str) -> Post:
    return {"pyreqwest": _open_pyreqwest, "aiohttp": _open_aiohttp}[name]()


def _open_pyreqwest() -> Post:
    from pyreqwest.client import ClientBuilder

    client = ClientBuilder().pool_max_idle_per_host(512).build()
    limit = timedelta(seconds=TIMEOUT_S)

    async def post(url: str) -> bytes:
        response = await client.post(url).body_bytes(REQUEST).timeout(limit).build().send()
        return bytes(await response.bytes())

    return post


def _open_aiohttp() -> Post:
    import aiohttp

    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), trust_env=True)
    limit = aiohttp.ClientTimeout(total=TIMEOUT_S)

    async def post(url: str) -> bytes:
        async with session.post(url, data=REQUEST, timeout=limit) as response:
            return await response.read()

    return post


# ---- the server: its own process, no client library


class Server(asyncio.Protocol):
    """Answers each path as its name says: /fast, /slow (50 ms), /jitter (0 to 30 ms), or a fault."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        if found and len(body) >= len(REQUEST):
            self.received = b""
            self.answer(head.split(b" ")[1].decode().rpartition("/")[2])

    def answer(self, path: str) -> None:
        loop = asyncio.get_running_loop()
        delay = {"fast": 0.0, "slow": 0.05, "jitter": random.random() * 0.03}.get(path)  # noqa: S311 -- no secret
        if delay is not None:
            loop.call_later(delay, self.transport.write, HEAD + ANSWER)
        elif path == "reset":
            self.transport.write(HEAD + ANSWER[:50])
            loop.call_later(0.05, self.transport.abort)
        elif path == "truncate":
            self.transport.write(HEAD + ANSWER[:50])
            loop.call_later(0.05, self.transport.close)
        elif path == "truncate-chunked":
            self.transport.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n")
            loop.call_later(0.05, self.transport.close)
        elif path == "drip":
            self.transport.write(HEAD)
            self.drip(0)
        elif path == "garbage":
            self.transport.write(b"this is not HTTP\r\n\r\n")
        elif path == "close":
            self.transport.close()

    def drip(self, sent: int) -> None:
        self.transport.write(ANSWER[sent : sent + 1])
        asyncio.get_running_loop().call_later(0.2, self.drip, sent + 1)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


# ---- what a child process does


async def _all(post: Post, url: str, calls: int) -> None:
    remaining = iter(range(calls))

    async def caller() -> None:
        for _ in remaining:
            with suppress(Exception):
                await post(url)

    await asyncio.gather(*(caller() for _ in range(IN_FLIGHT)))


def do_calls(name: str, url: str, calls: int) -> None:
    async def main() -> None:
        await _all(open_client(name), url, calls)

    asyncio.run(main())


def exit_done(name: str, url: str) -> None:
    do_calls(name, url, IN_FLIGHT)


def exit_cancelled(name: str, url: str) -> None:
    """The loop ends in mid-flight: asyncio.run cancels all calls, and the process exits."""

    async def main() -> None:
        task = asyncio.ensure_future(_all(open_client(name), url, CALLS))
        await asyncio.sleep(0.1)
        task.cancel()

    asyncio.run(main())


def exit_abandoned(name: str, url: str) -> None:
    """Calls are neither cancelled nor awaited when the process exits."""
    loop = asyncio.new_event_loop()

    async def main() -> None:
        loop.keep = asyncio.ensure_future(_all(open_client(name), url, CALLS))  # type: ignore[attr-defined]
        await asyncio.sleep(0.1)

    loop.run_until_complete(main())
    os.close(2)  # asyncio's own complaint about pending tasks


def exit_thread(name: str, url: str) -> None:
    """The loop runs in a daemon thread and is at full load when the main thread returns."""
    threading.Thread(target=do_calls, args=(name, url, 10**9), daemon=True).start()
    time.sleep(0.2)


def exit_thread_joined(name: str, url: str) -> None:
    """The loop runs in a thread, its calls are cancelled, and it is joined: what our engine does."""
    loop = asyncio.new_event_loop()

    async def main() -> None:
        await _all(open_client(name), url, 10**9)

    def run() -> None:
        task = loop.create_task(main())
        loop.call_later(0.2, task.cancel)
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


EXITS = {f.__name__: f for f in (exit_done, exit_cancelled, exit_abandoned, exit_thread, exit_thread_joined)}


# ---- what is measured


def _child(*args: object) -> tuple[subprocess.CompletedProcess[bytes], float]:
    before = os.times()
    done = subprocess.run([sys.executable, __file__, *map(str, args)], capture_output=True, check=False)
    after = os.times()
    return done, after.children_user + after.children_system - before.children_user - before.children_system


def measure_cost(base: str, rounds: int) -> None:
    for name in CLIENTS:
        for _ in range(rounds):
            start_up = min(_child("calls", name, base + "/fast", 0)[1] for _ in range(3))
            whole = _child("calls", name, base + "/slow", CALLS)[1]
            few = _child("calls", name, base + "/slow", 750)[1]
            print(
                f"{name:10} start-up {start_up * 1000:4.0f} ms | {CALLS} calls: {whole / CALLS * 1000:.2f} ms each, "
                f"{(whole - start_up) / CALLS * 1000:.2f} without start-up | 750 calls: {few / 750 * 1000:.2f} ms each"
            )


def measure_faults(base: str) -> None:
    names = ("reset", "truncate", "truncate-chunked", "drip", "hang", "garbage", "close")
    urls = {name: f"{base}/{name}" for name in names}
    urls["refused"] = "http://127.0.0.1:9/"
    urls["no address"] = "http://nowhere.invalid/"
    for name in CLIENTS:
        asyncio.run(_try_all(name, urls))


async def _try_all(name: str, urls: dict[str, str]) -> None:
    post = open_client(name)
    for fault, url in urls.items():
        started = time.monotonic()
        try:
            answer = f"{len(await post(url))} bytes, no error"
        except Exception as error:  # noqa: BLE001 -- which one is the question
            answer = f"{type(error).__mro__[0].__name__}: {str(error)[:60]}"
        print(f"{name:10} {fault:16} {time.monotonic() - started:5.2f} s  {answer}")


def measure_exits(base: str, rounds: int) -> None:
    for name in CLIENTS:
        for mode in EXITS:
            bad = [done for done, _ in (_child(mode, name, base + "/jitter") for _ in range(rounds)) if done.returncode]
            codes = sorted({done.returncode for done in bad})
            said = bad[0].stderr.decode(errors="replace").strip().splitlines()[:3] if bad else ""
            print(f"{name:10} {mode:18} {rounds - len(bad)}/{rounds} clean {codes or ''} {said or ''}", flush=True)


def main() -> None:
    what, *rest = sys.argv[1:]
    if what == "serve":
        return asyncio.run(serve())
    if what == "calls":
        return do_calls(rest[0], rest[1], int(rest[2]))
    if what in EXITS:
        return EXITS[what](*rest)
    with subprocess.Popen([sys.executable, __file__, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        base = f"http://127.0.0.1:{int(server.stdout.readline())}"
        rounds = int(rest[0]) if rest else {"exits": 100}.get(what, 3)
        {"cost": lambda: measure_cost(base, rounds), "faults": lambda: measure_faults(base)}.get(
            what, lambda: measure_exits(base, rounds)
        )()
        assert server.stdin is not None
        server.stdin.close()
    return None


if __name__ == "__main__":
    main()
