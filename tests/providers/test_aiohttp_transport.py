"""The transport over real HTTP on loopback, with complete and with broken answers."""

from __future__ import annotations

import asyncio
import gzip
import os
import re
import socket
import ssl
import subprocess
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from pytest_ultra.providers.aiohttp_transport import MAX_ERROR_BYTES, AiohttpTransport
from pytest_ultra.providers.transport import MAX_BODY_BYTES, HttpResponse
from tests.providers.http_stand_in import (
    COMPLETION,
    Answer,
    hangs,
    response,
    says,
    says_and_closes,
    says_and_resets,
    stand_in,
)

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

ASK = """
import asyncio, sys
from pytest_ultra.errors import AttemptFailedError
from pytest_ultra.providers.aiohttp_transport import AiohttpTransport

async def ask():
    transport = AiohttpTransport({})
    try:
        return (await transport.post(sys.argv[1], {}, b"{}", 5)).status
    except AttemptFailedError as error:
        return error
    finally:
        await transport.aclose()

print(asyncio.run(ask()), end="")
"""  # in its own process, since each process reads authorities only once


@asynccontextmanager
async def open_transport(environ: Mapping[str, str]) -> AsyncIterator[AiohttpTransport]:
    transport = AiohttpTransport(environ)
    try:
        yield transport
    finally:
        await transport.aclose()


async def post(url: str, *, timeout_s: float = 5.0, environ: Mapping[str, str] | None = None) -> HttpResponse:
    async with open_transport(environ or {}) as transport:
        return await transport.post(url, {"x-test": "yes"}, b"{}", timeout_s)


def ask(answer: Answer, *, timeout_s: float = 5.0) -> HttpResponse:
    async def run() -> HttpResponse:
        async with stand_in(answer) as server:
            return await post(server.url, timeout_s=timeout_s)

    return asyncio.run(run())


def fail(answer: Answer, *, timeout_s: float = 5.0) -> AttemptFailedError:
    with pytest.raises(AttemptFailedError) as caught:
        ask(answer, timeout_s=timeout_s)
    return caught.value


@pytest.mark.parametrize(
    "answer",
    [
        says(response(COMPLETION)),
        says(response(COMPLETION)[:40], response(COMPLETION)[40:], pause_s=0.02),
        says(
            CHUNKED + b"5\r\n" + COMPLETION[:5] + b"\r\n%x\r\n" % (len(COMPLETION) - 5),
            COMPLETION[5:],
            b"\r\n0\r\n\r\n",
        ),
        says(response(gzip.compress(COMPLETION), "Content-Encoding: gzip")),
        says_and_closes(b"HTTP/1.1 200 OK\r\n\r\n", COMPLETION),
        says(b"HTTP/1.1 100 Continue\r\n\r\n" + response(COMPLETION)),
    ],
    ids=["plain", "in pieces", "chunked", "gzip", "until close", "after 100"],
)
def test_an_answer_is_read_whole_however_it_is_framed(answer: Answer) -> None:
    assert ask(answer).body == COMPLETION


def test_a_status_other_than_200_is_an_answer_with_headers_of_any_case() -> None:
    got = ask(says(response(b"slow down", "RETRY-After: 7", status="429 Too Many Requests")))
    assert (got.status, got.headers["retry-after"], got.body) == (429, "7", b"slow down")


def test_a_redirect_is_not_followed_so_that_no_key_goes_to_another_host() -> None:
    got = ask(says(response(b"", "Location: http://127.0.0.1:9/", status="307 Temporary Redirect")))
    assert (got.status, got.headers["location"]) == (307, "http://127.0.0.1:9/")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (says_and_closes(), AttemptProblem.DROPPED),
        (says_and_resets(), AttemptProblem.DROPPED),
        (says_and_resets(response(COMPLETION, length=500)), AttemptProblem.DROPPED),
        (says_and_closes(response(COMPLETION, length=500)), AttemptProblem.DROPPED),
        (says_and_closes(CHUNKED + b"5\r\nabcde\r\n"), AttemptProblem.DROPPED),
        (says_and_closes(CHUNKED + b"zz\r\n"), AttemptProblem.MALFORMED),
        (says(response(b"not gzip at all", "Content-Encoding: gzip")), AttemptProblem.DROPPED),
        (says_and_closes(b"SSH-2.0-OpenSSH_9.6\r\n"), AttemptProblem.MALFORMED),
    ],
    ids=["close", "reset", "reset in body", "truncated", "truncated chunks", "bad chunks", "bad gzip", "not HTTP"],
)
def test_a_broken_answer_is_a_failed_attempt(answer: Answer, problem: AttemptProblem) -> None:
    error = fail(answer)
    assert error.problem is problem
    assert error.detail


@pytest.mark.parametrize(
    "answer",
    [hangs, says(response(COMPLETION)[:60], *[b"x"] * 100, pause_s=0.05)],
    ids=["hang", "drip"],
)
def test_a_timeout_fires_on_time(answer: Answer) -> None:
    started = time.monotonic()
    error = fail(answer, timeout_s=0.3)
    assert 0.3 <= time.monotonic() - started < 0.6
    assert str(error) == "timeout: no complete answer within 0.3 s"


def test_a_port_without_a_server_is_a_refusal() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(AttemptFailedError, match="refused: Connect call failed") as caught:
            asyncio.run(post(url))
    assert caught.value.problem is AttemptProblem.REFUSED


def test_a_host_without_an_address_is_a_failed_look_up() -> None:
    with pytest.raises(AttemptFailedError) as caught:
        asyncio.run(post("http://nowhere.invalid/"))
    assert caught.value.problem is AttemptProblem.LOOKUP
    assert "nowhere.invalid" in caught.value.detail


WITHOUT_FILES = """
import os, resource
def use_up_files():
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) - 1,) * 2)
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_process_without_files_left_is_named_and_is_not_a_refusal(host: str) -> None:
    program = WITHOUT_FILES + ASK.replace("    try:", "    use_up_files()\n    try:", 1)
    command = [sys.executable, "-c", program, f"http://{host}:9/"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - our own program
    assert done.stdout.startswith("machine: this process has no open files left: raise `ulimit -n`")


WITH_LITTLE_MEMORY = """
import resource
def use_up_memory(kilobytes):
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + kilobytes * 1024,) * 2)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the size of the process from /proc")
@pytest.mark.parametrize("kilobytes", [100, 8_000])
def test_a_process_without_memory_left_is_named(kilobytes: int) -> None:
    program = WITH_LITTLE_MEMORY + ASK.replace("    try:", f"    use_up_memory({kilobytes})\n    try:", 1)

    async def run() -> bytes:
        async with stand_in(says(response(b"", length=30_000_000), *[b"x" * 100_000] * 300)) as server:
            command = (sys.executable, "-c", program, server.url)
            process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            return (await process.communicate())[0]

    assert asyncio.run(run()).startswith(b"machine: this machine has no memory left")


def test_an_endless_answer_is_stopped() -> None:
    megabyte = b"%x\r\n" % (1024 * 1024) + b"x" * (1024 * 1024) + b"\r\n"
    error = fail(says(CHUNKED, *[megabyte] * 40), timeout_s=20)
    assert str(error) == f"malformed 200: the answer is longer than {MAX_BODY_BYTES} bytes"


def test_an_error_is_read_as_far_as_its_message_can_be() -> None:
    body = b"x" * 31_000_000
    got = ask(says_and_closes(response(body, status="500 Internal Server Error")), timeout_s=20)
    assert (got.status, got.body) == (500, body[:MAX_ERROR_BYTES])


def test_large_answers_are_read_whole_a_few_at_a_time() -> None:
    async def run() -> int:
        pieces = [response(b"", length=31_000_000), *[b"x" * 100_000] * 310]
        tracemalloc.start()
        try:
            async with stand_in(says(*pieces)) as server, open_transport({}) as transport:

                async def read_one() -> int:
                    return len((await transport.post(server.url, {}, b"{}", 120)).body)

                assert set(await asyncio.gather(*(read_one() for _ in range(40)))) == {31_000_000}
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert asyncio.run(run()) < 300_000_000  # 40 of them have 1,240 MB


def test_connections_are_reused_and_are_as_many_as_calls_in_flight() -> None:
    async def run() -> int:
        async with stand_in(says(response(COMPLETION), pause_s=0.02)) as server, open_transport({}) as transport:
            for _ in range(2):
                calls = [transport.post(server.url, {}, b"{}", 5) for _ in range(200)]
                assert {got.body for got in await asyncio.gather(*calls)} == {COMPLETION}
            return server.connections

    assert asyncio.run(run()) == 200


def test_a_long_request_is_sent_whole() -> None:
    async def run() -> None:
        body = bytes(range(256)) * 10_000
        async with stand_in(says(response(COMPLETION))) as server, open_transport({}) as transport:
            await transport.post(server.url, {}, body, 5)
            assert server.requests[0].body == body

    asyncio.run(run())


def test_a_cancelled_call_ends_at_once_and_leaves_the_transport_usable() -> None:
    async def run() -> int:
        async with open_transport({}) as transport, stand_in(hangs) as silent:
            call = asyncio.ensure_future(transport.post(silent.url, {}, b"{}", 60))
            await asyncio.sleep(0.05)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            async with stand_in(says(response(COMPLETION))) as server:
                return (await transport.post(server.url, {}, b"{}", 5)).status

    assert asyncio.run(run()) == 200


def test_a_proxy_is_used_for_other_hosts_and_never_for_loopback() -> None:
    async def run() -> list[str]:
        async with stand_in(says(response(COMPLETION))) as proxy, stand_in(says(response(COMPLETION))) as server:
            environ = {"HTTP_PROXY": proxy.url.replace("//", "//user:pass@")}
            await post("http://models.invalid/v1", environ=environ)
            await post(server.url, environ=environ)
            assert len(server.requests) == 1
            assert proxy.requests[0].headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"
            return [request.target for request in proxy.requests]

    assert asyncio.run(run()) == ["http://models.invalid/v1"]


def test_a_proxy_that_refuses_the_tunnel_is_a_refusal_and_its_password_is_not_shown() -> None:
    async def run() -> None:
        async with stand_in(says_and_closes(response(b"", status="407 Proxy Authentication Required"))) as proxy:
            environ = {"https_proxy": proxy.url.replace("//", "//user:password@")}
            await post("https://models.invalid/v1", environ=environ)

    with pytest.raises(AttemptFailedError) as caught:
        asyncio.run(run())
    assert caught.value.problem is AttemptProblem.REFUSED
    assert "407" in caught.value.detail
    assert "password" not in str(caught.value)


def test_the_users_own_authority_is_trusted_only_with_ssl_cert_file(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        await says_and_closes(response(COMPLETION))(writer)

    async def run(environ: dict[str, str]) -> str:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            command = [sys.executable, "-c", ASK, f"https://localhost:{port}"]
            process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, env=os.environ | environ)
            output, _ = await process.communicate()
            return output.decode()

    assert asyncio.run(run({"SSL_CERT_FILE": str(tmp_path / "ca.pem")})) == "200"
    assert re.match(
        r"refused: TLS: certificate verify failed: .*; SSL_CERT_FILE names your own authorities "
        r"\(ClientConnectorCertificateError: localhost:\d+\)$",
        asyncio.run(run({})),
    )


def test_the_cause_of_a_tls_error_comes_first() -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await says_and_closes(response(COMPLETION))(writer)

    async def run() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            await post(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")

    with pytest.raises(AttemptFailedError, match=r"refused: TLS: wrong version number \("):
        asyncio.run(run())
