"""An OpenAI-compatible endpoint that misbehaves, and records its paid answers.

Started as `python -m fault_machine.endpoint SETTINGS` (JSON, see `Settings`), it prints its address.
`GET /record` returns an `EndpointRecord`; `GET /calm` does the same, and ends all misbehaviour.
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

import msgspec

from fault_machine.answers import DENIALS, FAULTS, ODDITIES, Then, plain
from fault_machine.bill import EndpointRecord, PaidAnswer
from pytest_ultra.benchmark.reference_agents import act
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.reference_agent import Knowledge, ReferenceAgent
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.providers.wire import encode_reply

_NO_KNOWLEDGE = Knowledge("", PromptType.BASELINE, 1, Workflow(()))
"""The follower knows the plan in its prompt and nothing else: without a plan it gives up, and so fails some cases."""


class Settings(msgspec.Struct, frozen=True):
    """`rate` is the share of requests that are answered by one of the `behaviours`, names from the catalogue."""

    seed: int
    behaviours: tuple[str, ...] = ()
    rate: float = 0.0
    latency_s: tuple[float, float] = (0.02, 0.2)


class Endpoint:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._chance = random.Random(settings.seed)
        self._behaviours: Counter[str] = Counter()
        self._record = EndpointRecord(behaviours=self._behaviours)

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
        except Exception as error:  # noqa: BLE001 - our own bug: the trial reports it
            self._record.bugs.append(repr(error))
        finally:
            writer.close()

    def _report(self, head: bytes) -> bytes:
        if b"/calm" in head:
            self._settings = Settings(self._settings.seed, latency_s=(0.0, 0.01))
        return plain(msgspec.to_builtins(self._record))

    async def _respond(self, messages: list[dict[str, Any]], writer: asyncio.StreamWriter) -> bool:
        """Send an answer or a fault; return whether the connection can be used again."""
        received = time.time()
        behaviour = self._draw()
        answer = _answer(messages)
        if behaviour in FAULTS:
            return await self._misbehave(behaviour, plain(answer), writer)
        oddity = ODDITIES.get(behaviour)
        await asyncio.sleep(oddity.delay_s if oddity else self._chance.uniform(*self._settings.latency_s))
        content = oddity.make(answer) if oddity else plain(answer)
        # From here on the answer costs money, whether or not the client still reads it.
        case, turn = identify(messages)
        self._record.paid.append(PaidAnswer(case, turn, received, time.time()))
        writer.write(content)
        await writer.drain()
        return True

    def _draw(self) -> str:
        if not self._settings.behaviours or self._chance.random() >= self._settings.rate:
            return ""
        behaviour = self._chance.choice(self._settings.behaviours)
        if behaviour in DENIALS and self._record.denials:
            return ""  # one is enough: it ends all episodes, and the rest of the trial should not be about that
        self._behaviours[behaviour] += 1
        return behaviour

    async def _misbehave(self, behaviour: str, complete: bytes, writer: asyncio.StreamWriter) -> bool:
        fault = FAULTS[behaviour]
        if behaviour in DENIALS:
            self._record.denials.append(time.time())
        content = fault.make(complete)
        for part in [bytes([byte]) for byte in content] if fault.byte_pause_s else [content]:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(fault.byte_pause_s)
        if fault.then is Then.HANG:
            await asyncio.sleep(3600)  # the client has to time out
        if fault.then is Then.RESET:
            writer.transport.abort()
        return fault.then is Then.KEEP


def identify(messages: list[dict[str, Any]]) -> tuple[str, int]:
    """Return the case, as a hash of the messages before the model's first, and the turn."""
    first = [message for message in messages if message["role"] in ("system", "user")][:2]
    turn = 1 + sum(message["role"] == "assistant" for message in messages)
    return hashlib.sha256(json.dumps(first).encode()).hexdigest()[:12], turn


def _answer(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the follower's answer; its text names the case, so that episodes on disk can be recognised."""
    reply = act(ReferenceAgent.FOLLOWER, messages, _NO_KNOWLEDGE)
    named = msgspec.structs.replace(reply, text=f"{case_mark(identify(messages)[0])} {reply.text}")
    answer: dict[str, Any] = json.loads(encode_reply(named, "follower"))
    return answer


def case_mark(case: str) -> str:
    return f"<case {case}>"


async def main() -> None:
    endpoint = Endpoint(msgspec.json.decode(sys.argv[1], type=Settings))
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", 0)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
