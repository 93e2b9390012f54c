"""Google's own Gemini API, by the `google-genai` package: https://pypi.org/project/google-genai/3.6.1/ has the types.

Signatures go back in the parts in which they came: https://ai.google.dev/gemini-api/docs/thought-signatures
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from pytest_ultra.core.bounds import bound_tokens
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.generation_end import REFUSAL, is_models_end, normalize_finish
from pytest_ultra.core.transcript import Reply, ToolCall
from pytest_ultra.providers.dialects.dialect import Dialect
from pytest_ultra.providers.model_spec import ModelSpec
from pytest_ultra.providers.sdk.adapter import encode_arguments, fields_of, keep_native, objects, text_of
from pytest_ultra.providers.sdk.gemini_contents import API, DIALECT, render_body
from pytest_ultra.providers.wire import distinct_calls

_ADDRESS = re.compile(r"(?P<root>.*?)(?:/(?P<version>v\d\w*))?(?:/openai)?")
_TEXT_ALONE = {"text", "thought"}


class GeminiAdapter:
    """One endpoint. With `streams`, answers are requested as a stream."""

    dialect = DIALECT

    def __init__(self, spec: ModelSpec, http_client: Any, *, streams: bool) -> None:
        from google import genai  # noqa: PLC0415 - heavy, and an extra

        self._name, self._neutral, self._streams = spec.name, spec.neutral, streams
        self._types, self._http_client = genai.types, http_client
        address = _ADDRESS.fullmatch(spec.base_url)
        root, version = (address["root"], address["version"]) if address else (spec.base_url, None)
        options = genai.types.HttpOptions(
            base_url=root, api_version=version or "v1beta", httpx_async_client=http_client
        )  # without retry options, it does not retry
        self._models = genai.Client(
            api_key=spec.key.reveal() or "none", vertexai=False, http_options=options
        ).aio.models

    async def send(self, request: ChatRequest, dialect: Dialect) -> Any:
        body = render_body(request, dialect, self._neutral)
        read = self._types.Content.model_validate_json  # signatures are bytes, which only JSON holds as base64
        contents = [read(msgspec.json.encode(content)) for content in body["contents"]]
        arguments = {"model": self._name, "contents": contents, "config": body["config"]}
        if not self._streams:
            return _as_json(await self._models.generate_content(**arguments))
        chunks = [_as_json(chunk) async for chunk in await self._models.generate_content_stream(**arguments)]
        return join_chunks(chunks)

    def read(self, answer: Any, turn: int) -> Reply:
        return read_answer(answer, turn)

    async def aclose(self) -> None:
        await self._http_client.aclose()


def _as_json(response: Any) -> Any:
    return response.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"sdk_http_response"})


def join_chunks(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the answer that a stream's chunks make up: texts joined, all other fields from the last that has them."""
    parts: list[dict[str, Any]] = []
    joined: dict[str, Any] = {}
    for chunk in chunks:
        candidate = fields_of(next(iter(chunk.get("candidates") or ()), None))
        for part in fields_of(candidate.get("content")).get("parts") or ():
            is_same = parts and part.keys() == parts[-1].keys() <= _TEXT_ALONE and "text" in part
            if is_same and part.get("thought") == parts[-1].get("thought"):
                parts[-1] = {**parts[-1], "text": parts[-1]["text"] + part["text"]}
            else:
                parts.append(part)
        ends = fields_of(next(iter(joined.get("candidates") or ()), None)) | candidate
        joined = {**joined, **chunk} | ({"candidates": [ends]} if ends else {})
    if joined.get("candidates"):
        joined["candidates"][0] = {**joined["candidates"][0], "content": {"role": "model", "parts": parts}}
    return joined


def read_answer(answer: Any, turn: int) -> Reply:
    """Read an answer; one without candidates is a refusal of the prompt, if it says so."""
    blocked = text_of(fields_of(answer.get("promptFeedback")).get("blockReason"))
    candidate = fields_of(next(iter(answer.get("candidates") or ()), None))
    if not candidate and not blocked:
        raise ValueError("no candidates")
    parts = objects(fields_of(candidate.get("content")).get("parts") or [])
    usage = fields_of(answer.get("usageMetadata"))
    prompt, tools, spoken, thought, cached = (
        bound_tokens(usage.get(f"{name}TokenCount"))
        for name in ("prompt", "toolUsePrompt", "candidates", "thoughts", "cachedContent")
    )
    finish = text_of(candidate.get("finishReason")) or "stop"
    if blocked and not parts:
        finish = blocked if is_models_end(normalize_finish(blocked)) else REFUSAL
    called = [part["functionCall"] for part in parts if isinstance(part.get("functionCall"), dict)]
    calls = (
        ToolCall(text_of(call.get("id")), text_of(call.get("name")), encode_arguments(call.get("args")))
        for call in called
    )
    return Reply(
        text="".join(text_of(part.get("text")) for part in parts if not part.get("thought")),
        tool_calls=tuple(distinct_calls(calls, turn)),
        prompt_tokens=prompt + tools,
        completion_tokens=spoken + thought,
        cached_tokens=cached,
        reasoning_tokens=thought,
        finish_reason=finish,
        model=text_of(answer.get("modelVersion")),
        extra=keep_native(API, parts) if parts else msgspec.UNSET,
    )
