"""The dialects that the known providers' endpoints are spoken to in at first, and the sources of each trait.

A trait without a source is our choice where no documentation says anything. Rejections correct what has changed since.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from pytest_ultra.providers.dialects.dialect import Dialect, EmptyContent, Schemas

LOOKED_UP = "2026-11-27"


class Source(msgspec.Struct, frozen=True):
    """What a page says about an endpoint."""

    trait: str
    url: str


class ProviderDialect(msgspec.Struct, frozen=True):
    """A provider's dialect with its sources."""

    dialect: Dialect = Dialect()
    sources: tuple[Source, ...] = ()


GENERIC = Dialect(tool_choice="auto")
"""For an endpoint that only an address names: some servers drop `tools` without `tool_choice`."""

_NULL = EmptyContent.NULL
_COMPLETION = "max_completion_tokens"
_ONLY = frozenset
_PI = (
    "https://github.com/earendil-works/pi/blob/023aec70cba454c45d5d092e0613f3d1c46acefb/packages/ai/src/api/"
    "openai-completions.ts"
)
_OPENAI = Dialect(empty_content=_NULL, limit_name=_COMPLETION, echoed=_ONLY(()))
_OLLAMA = "https://github.com/ollama/ollama/blob/fb30760996871fa9460115c753afd2c60d4ab0f7/openai/openai.go"
_VLLM = (
    "https://github.com/vllm-project/vllm/blob/002032ee2b18e1f7bd924ec47b62504ba3866063/vllm/entrypoints/openai/"
    "chat_completion/protocol.py"
)
_SGLANG = (
    "https://github.com/sgl-project/sglang/blob/002897c23becbd522d88b8115a763a21765f978a/python/sglang/srt/entrypoints/"
    "openai/serving_chat.py"
)
_LLAMA = (
    "https://github.com/ggml-org/llama.cpp/blob/006639c3ff51a3dbde5f52ebf4c5a55ad5306caf/tools/server/server-common.cpp"
)
_LITELLM = "https://pypi.org/project/litellm/1.110.2/"

PROVIDER_DIALECTS: Mapping[str, ProviderDialect] = MappingProxyType(
    {
        "openai": ProviderDialect(
            _OPENAI,
            (
                Source("max_completion_tokens; max_tokens is refused", "https://github.com/decolua/9router/issues/560"),
                Source("names of tools", "https://github.com/mcp-use/mcp-use/pull/94"),
            ),
        ),
        "demo": ProviderDialect(Dialect(limit_name="", omitted=frozenset({"stream", "stream_options"}))),
        "azure": ProviderDialect(
            _OPENAI,
            (Source("max_completion_tokens, as openai", "https://github.com/microsoft/semantic-kernel/issues/10365"),),
        ),
        "anthropic": ProviderDialect(
            Dialect(empty_content=_NULL, echoed=_ONLY(())),
            (
                Source("max_tokens", "https://docs.anthropic.com/ko/api/openai-sdk"),
                Source("system messages are hoisted", "https://docs.anthropic.com/ko/api/openai-sdk"),
            ),
        ),
        "google": ProviderDialect(
            Dialect(empty_content=_NULL, schemas=Schemas.PLAIN, echoed=_ONLY({"extra_content"})),
            (
                Source("echoes extra_content", "https://ai.google.dev/gemini-api/docs/thought-signatures"),
                Source("where it is", "https://github.com/0xsline/OpenChatCut/issues/6"),
                Source("lists of types are refused", "https://github.com/zed-industries/zed/issues/44875"),
                Source("stream false", "https://github.com/labring/aiproxy/issues/450"),
            ),
        ),
        "openrouter": ProviderDialect(
            Dialect(empty_content=_NULL, schemas=Schemas.PLAIN, echoed=_ONLY({"reasoning_details", "reasoning"})),
            (
                Source("echoes reasoning_details", _PI),
                Source("reasoning", "https://openrouter.ai/docs/use-cases/reasoning-tokens"),
            ),
        ),
        "groq": ProviderDialect(
            Dialect(empty_content=_NULL, limit_name=_COMPLETION, echoed=_ONLY({"reasoning"})),
            (
                Source("no names in messages", "https://console.groq.com/docs/openai"),
                Source("refuses reasoning_content", "https://github.com/tashfeenahmed/freellmapi/issues/1070"),
                Source("reasoning, max_completion_tokens", "https://pypi.org/project/groq/1.7.0/"),
            ),
        ),
        "together": ProviderDialect(Dialect(empty_content=_NULL, schemas=Schemas.PLAIN), (Source("max_tokens", _PI),)),
        "mistral": ProviderDialect(
            Dialect(
                has_short_ids=True, tool_choice="auto", schemas=Schemas.PLAIN, dropped=_ONLY({"reasoning_content"})
            ),
            (
                Source("ids of nine characters", "https://mistralai.github.io/mistral-common/usage/tools/"),
                Source("content may be empty", "https://github.com/github/copilot-cli/issues/4884"),
                Source("max_tokens, tool_choice", "https://pypi.org/project/mistralai/3.7.0/"),
                Source("refuses reasoning_content", "https://github.com/partITech/php-mistral/issues/76"),
            ),
        ),
        "deepseek": ProviderDialect(
            Dialect(empty_content=_NULL, filled=_ONLY({"reasoning_content"})),
            (
                Source("echoes reasoning_content", "https://api-docs.deepseek.com/guides/thinking_mode.md"),
                Source("in every turn with calls", "https://github.com/Chevey339/kelivo/issues/966"),
                Source("max_tokens", _PI),
            ),
        ),
        "xai": ProviderDialect(
            Dialect(empty_content=_NULL, limit_name=_COMPLETION), (Source("max_completion_tokens", _PI),)
        ),
        "cohere": ProviderDialect(
            Dialect(empty_content=_NULL, schemas=Schemas.PLAIN, echoed=_ONLY(()), omitted=_ONLY({"stream_options"})),
            (
                Source("base URL", "https://docs.cohere.com/docs/compatibility-api"),
                Source(
                    "refuses stream_options",
                    "https://strandsagents.com/docs/user-guide/concepts/model-providers/cohere/",
                ),
            ),
        ),
        "fireworks": ProviderDialect(
            Dialect(empty_content=_NULL, schemas=Schemas.PLAIN, echoed=_ONLY({"reasoning_content"})),
            (
                Source("refuses unknown fields", "https://github.com/web-infra-dev/midscene/issues/1322"),
                Source("refuses reasoning", "https://github.com/earendil-works/pi/issues/4514"),
                Source("max_tokens", _LITELLM),
            ),
        ),
        "cerebras": ProviderDialect(
            Dialect(empty_content=_NULL, tool_choice="auto", schemas=Schemas.PLAIN, limit_name=_COMPLETION),
            (
                Source("tool_choice auto or none", "https://hexdocs.pm/req_llm/cerebras.html"),
                Source("max_completion_tokens", "https://github.com/theopenco/llmgateway/pull/1322"),
                Source("refuses minItems", "https://github.com/musistudio/claude-code-router/issues/708"),
            ),
        ),
        "nvidia": ProviderDialect(
            Dialect(schemas=Schemas.PLAIN),
            (
                Source(
                    "max_tokens is required",
                    "https://docs.spring.io/spring-ai/reference/2.1-SNAPSHOT/integrations/models/openai-compatible/"
                    "nvidia.html",
                ),
                Source("content as text", _PI),
            ),
        ),
        "huggingface": ProviderDialect(
            Dialect(empty_content=_NULL, tool_choice="auto", schemas=Schemas.PLAIN),
            (
                Source(
                    "a broker: the traits are the inner provider's",
                    "https://docs.jambonz.org/guides/features/bring-your-own-llm/hugging-face",
                ),
            ),
        ),
        "bedrock": ProviderDialect(
            Dialect(empty_content=_NULL, limit_name=_COMPLETION),
            (
                Source(
                    "base URL",
                    "https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html",
                ),
                Source("the limit is checked", "https://github.com/charmbracelet/crush/issues/946"),
            ),
        ),
        "ollama": ProviderDialect(
            Dialect(echoed=_ONLY({"reasoning"})), (Source("max_tokens, reasoning, no tool_choice", _OLLAMA),)
        ),
        "vllm": ProviderDialect(
            Dialect(empty_content=_NULL, tool_choice="auto"),
            (
                Source("max_tokens", _VLLM),
                Source("tool_choice", "https://github.com/vllm-project/vllm/issues/12834"),
            ),
        ),
        "sglang": ProviderDialect(
            Dialect(empty_content=_NULL, tool_choice="auto"), (Source("max_tokens, lists of types", _SGLANG),)
        ),
        "llama.cpp": ProviderDialect(
            Dialect(empty_content=_NULL, tool_choice="auto"),
            (
                Source("content null, max_tokens", _LLAMA),
                Source("arguments must be JSON", "https://github.com/OpenHands/OpenHands/issues/13949"),
            ),
        ),
        "lmstudio": ProviderDialect(
            Dialect(echoed=_ONLY(())),
            (Source("content not null", "https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/261"),),
        ),
        "litellm": ProviderDialect(
            Dialect(empty_content=_NULL, schemas=Schemas.PLAIN),
            (
                Source("few parameters", "https://github.com/mcdonc/klangk/pull/2067"),
                Source("reasoning_content and thinking_blocks are sent back", _LITELLM),
            ),
        ),
    }
)
