"""Rows of the table of verdicts: requests that the endpoint rejects."""

from __future__ import annotations

from pytest_ultra.errors import Verdict
from pytest_ultra.providers.verdict_row import VerdictRow

_LITELLM = "https://pypi.org/project/litellm/1.110.2/"
_TEXT = "use --ultra-tool-protocol text"

REQUEST_ROWS: tuple[VerdictRow, ...] = (
    # No further request to the model can succeed.
    VerdictRow("wrong key", Verdict.MODEL_END, _LITELLM, "invalid_api_key|incorrect api key provided"),
    VerdictRow("unknown model", Verdict.MODEL_END, _LITELLM, codes=("model_not_found",)),
    VerdictRow(
        "bedrock: model",
        Verdict.MODEL_END,
        "https://github.com/anthropics/claude-code/issues/1466",
        "on-demand throughput isn.t supported|provided model identifier is invalid",
    ),
    VerdictRow(
        "openai: too many tools",
        Verdict.MODEL_END,
        "https://github.com/julep-ai/julep/issues/330",
        codes=("array_above_max_length",),
    ),
    VerdictRow(
        "openrouter: no tools",
        Verdict.MODEL_END,
        "https://github.com/michelle-avery/openai-compatible-conversation/issues/25",
        "no endpoints found that support tool use",
        advice=_TEXT,
    ),
    VerdictRow(
        "ollama: no tools",
        Verdict.MODEL_END,
        "https://github.com/pydantic/pydantic-ai/issues/703",
        "does not support tools",
        advice=_TEXT,
    ),
    VerdictRow(
        "vllm: no tool parser",
        Verdict.MODEL_END,
        "https://github.com/vllm-project/vllm/issues/9986",
        "tool choice requires --enable-auto-tool-choice",
        advice=_TEXT,
    ),
    # The form of the request: a rejection that names a thing.
    VerdictRow(
        "unsupported parameter",
        Verdict.DIALECT,
        "https://github.com/decolua/9router/issues/560",
        r"unsupported_parameter|unsupported_value|unsupported (parameter|value)\b",
    ),
    VerdictRow(
        "unknown parameter",
        Verdict.DIALECT,
        "https://github.com/BerriAI/litellm/issues/10791",
        "unrecognized request argument|argument not supported on this model",
    ),
    VerdictRow(
        "extra inputs",
        Verdict.DIALECT,
        "https://github.com/FlowiseAI/Flowise/issues/2866",
        "extra_forbidden|extra inputs are not permitted",
    ),
    VerdictRow(
        "litellm: unsupported",
        Verdict.DIALECT,
        "https://github.com/mcdonc/klangk/pull/2067",
        "does not support parameters",
    ),
    VerdictRow(
        "groq: property",
        Verdict.DIALECT,
        "https://github.com/tashfeenahmed/freellmapi/issues/1070",
        "property '?[a-z_]+'? is unsupported",
    ),
    VerdictRow(
        "deepseek: reasoning to be sent back",
        Verdict.DIALECT,
        "https://github.com/qwersyk/Newelle/issues/404",
        "must be passed back to the api|missing `reasoning_content` field",
    ),
    VerdictRow(
        "google: signature to be sent back",
        Verdict.DIALECT,
        "https://github.com/0xsline/OpenChatCut/issues/6",
        "missing a thought_signature",
    ),
    VerdictRow(
        "mistral: call id",
        Verdict.DIALECT,
        "https://github.com/nearai/ironclaw/issues/1241",
        "must be a-z, A-Z, 0-9, with a length of 9",
    ),
    VerdictRow(
        "roles",
        Verdict.DIALECT,
        "https://github.com/vllm-project/vllm/issues/6862",
        "system role not supported|conversation roles must alternate|system message must be at the beginning",
    ),
    VerdictRow(
        "content",
        Verdict.DIALECT,
        "https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/261",
        "'content' field must be a string|must have either content or tool_calls",
    ),
    VerdictRow(
        "schema",
        Verdict.DIALECT,
        "https://github.com/musistudio/claude-code-router/issues/708",
        "unsupported json schema fields|has invalid 'parameters' schema|proto field is not repeating",
    ),
    VerdictRow(
        "strict tools",
        Verdict.DIALECT,
        "https://github.com/livekit/agents/pull/3134",
        "tools with (mixed values for 'strict'|strict=true) are not|compiled grammar is too large",
    ),
    VerdictRow(
        "token limit beyond the model's",
        Verdict.DIALECT,
        "https://github.com/charmbracelet/crush/issues/946",
        "max_(completion_)?tokens is too large|maximum tokens you requested exceeds the model limit",
    ),
    # Statuses with another meaning at one provider.
    VerdictRow(
        "together: 403",
        Verdict.CASE_ERROR,
        "https://docs.together.ai/docs/error-codes",
        statuses=(403,),
        provider="together",
    ),
)
