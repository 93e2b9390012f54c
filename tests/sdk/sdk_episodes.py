"""Whole episodes and single attempts through an SDK, against a server of the test."""

from __future__ import annotations

import asyncio

import msgspec

from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.model_api import ModelApi
from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.backoff import RetryPolicy
from pytest_ultra.engine.clock import SYSTEM_CLOCK
from pytest_ultra.engine.episode_queue import Assignment
from pytest_ultra.engine.episode_run import run_episode
from pytest_ultra.engine.retry import Caller
from pytest_ultra.providers.endpoint_lookup import resolve
from pytest_ultra.providers.model_spec import ModelSpec
from pytest_ultra.providers.redaction import Redactor
from pytest_ultra.providers.sdk.sdk_endpoint import SdkEndpoint
from tests.benchmark.agent_runs import make_case

KEY = "sk-very-secret-key"
POLICY = RetryPolicy(backoff_base_s=0.01, backoff_cap_s=0.02)


def find_spec(api: ModelApi, url: str) -> ModelSpec:
    return resolve("local", base_url=url, environ={"OPENAI_API_KEY": KEY}, api=api)


def open_sdk(api: ModelApi, url: str, *, streams: bool) -> SdkEndpoint:
    return SdkEndpoint({"local": find_spec(api, url)}, environ={}, redact=Redactor([KEY]), streams=streams)


def run(api: ModelApi, url: str, *, streams: bool = False, temperature: float | None = None) -> Episode:
    """Run an episode of several turns to its end."""
    case = msgspec.structs.replace(make_case(PromptType.OPTIMAL), model="local", temperature=temperature)

    async def run_once() -> Episode:
        endpoint = open_sdk(api, url, streams=streams)
        caller = Caller(endpoint, SYSTEM_CLOCK, policy=POLICY)
        try:
            return await run_episode(
                Assignment(case, lambda: make_guidance(case), "t"), caller, worker="w", rules=BENCHMARK
            )
        finally:
            await endpoint.aclose()

    return asyncio.run(run_once())


def attempt(api: ModelApi, url: str, request: ChatRequest, *, streams: bool = False) -> Reply:
    """Make one attempt. Raises AttemptFailedError."""

    async def attempt_once() -> Reply:
        endpoint = open_sdk(api, url, streams=streams)
        try:
            return await endpoint.attempt(request)
        finally:
            await endpoint.aclose()

    return asyncio.run(attempt_once())
