"""Rows of the table of verdicts: the model's own failures."""

from __future__ import annotations

from pytest_ultra.core.transcript import EndReason
from pytest_ultra.errors import Verdict
from pytest_ultra.providers.verdict_row import VerdictRow

_OVERFLOW_SOURCE = "https://github.com/earendil-works/pi/blob/17c253c5d6a9364b392a0fd3ee68333026d94255/packages/ai/src/utils/overflow.ts"
_LITELLM = "https://pypi.org/project/litellm/1.110.2/"

MODEL_ROWS: tuple[VerdictRow, ...] = (
    # The model's own failures: calls that its server could not parse.
    VerdictRow(
        "groq: failed call",
        Verdict.MODEL_FAILURE,
        "https://github.com/groq/groq-typescript/issues/28",
        codes=("tool_use_failed",),
        end_reason=EndReason.MALFORMED_GENERATION,
    ),
    VerdictRow(
        "groq: failed call in words",
        Verdict.MODEL_FAILURE,
        "https://github.com/HunorLaczko/ha-groq-cloud-api/issues/20",
        "failed to call a function|tool call validation failed",
        end_reason=EndReason.MALFORMED_GENERATION,
    ),
    VerdictRow(
        "ollama: call",
        Verdict.MODEL_FAILURE,
        "https://github.com/ollama/ollama/issues/12064",
        "error parsing tool call",
        end_reason=EndReason.MALFORMED_GENERATION,
    ),
    VerdictRow(
        "llama.cpp: call",
        Verdict.MODEL_FAILURE,
        "https://github.com/OpenHands/OpenHands/issues/13949",
        "failed to parse tool call arguments as JSON",
        end_reason=EndReason.MALFORMED_GENERATION,
    ),
    VerdictRow(
        "llama.cpp: output",
        Verdict.MODEL_FAILURE,
        "https://github.com/ggml-org/llama.cpp/issues/27025",
        "the model produced output that does not match the expected",
        end_reason=EndReason.MALFORMED_GENERATION,
    ),
    # The model's own failures: a conversation beyond its context window.
    VerdictRow(
        "overflow: codes",
        Verdict.MODEL_FAILURE,
        "https://github.com/webtimemachine/wtm2/issues/579",
        codes=("context_length_exceeded", "exceed_context_size_error", "model_context_window_exceeded"),
        end_reason=EndReason.CONTEXT_OVERFLOW,
    ),
    VerdictRow(
        "overflow: maximum context length",
        Verdict.MODEL_FAILURE,
        "https://github.com/vllm-project/vllm/issues/20409",
        "maximum context length|longer than the maximum model length",
        end_reason=EndReason.CONTEXT_OVERFLOW,
    ),
    VerdictRow(
        "overflow: together, sglang",
        Verdict.MODEL_FAILURE,
        _OVERFLOW_SOURCE,
        "longer than the model'?s context length",
        end_reason=EndReason.CONTEXT_OVERFLOW,
    ),
    VerdictRow(
        "overflow: together, inputs",
        Verdict.MODEL_FAILURE,
        "https://github.com/BerriAI/litellm/issues/4934",
        r"tokens \+ `?max_new_tokens`? must be <=",
        end_reason=EndReason.CONTEXT_OVERFLOW,
    ),
    VerdictRow(
        "overflow: openai responses",
        Verdict.MODEL_FAILURE,
        _OVERFLOW_SOURCE,
        "exceeds the context window",
        end_reason=EndReason.CONTEXT_OVERFLOW,
    ),
    VerdictRow(
        "overflow: anthropic",
        Verdict.MODEL_FAILURE,
        _OVERFLOW_SOURCE,
        "prompt is too long|exceed context limit",
        end_reason=EndReason.CONTEXT_OVERFLOW,
    ),
    VerdictRow(
        "overflow: google",
        Verdict.MODEL_FAILURE,
        _OVERFLOW_SOURCE,
        "input token count.*exceeds the maximum",
        end_reason=EndReason.CONTEXT_OVERFLOW,
    ),
    VerdictRow(
        "overflow: groq, cerebras",
        Verdict.MODEL_FAILURE,
        "https://github.com/cline/cline/issues/5140",
        "reduce the length of the messages",
        end_reason=EndReason.CONTEXT_OVERFLOW,
    ),
    VerdictRow(
        "overflow: xai",
        Verdict.MODEL_FAILURE,
        _OVERFLOW_SOURCE,
        r"maximum prompt length is \d+",
        end_reason=EndReason.CONTEXT_OVERFLOW,
    ),
    VerdictRow(
        "overflow: bedrock",
        Verdict.MODEL_FAILURE,
        _OVERFLOW_SOURCE,
        r"input is too long for requested model|prompt tokens \(\d+\) exceed model maximum",
        end_reason=EndReason.CONTEXT_OVERFLOW,
    ),
    VerdictRow(
        "overflow: vllm, nothing left",
        Verdict.MODEL_FAILURE,
        "https://github.com/vllm-project/vllm/issues/4667",
        "max_tokens must be at least 1, got -",
        end_reason=EndReason.CONTEXT_OVERFLOW,
    ),
    VerdictRow(
        "overflow: llama.cpp",
        Verdict.MODEL_FAILURE,
        "https://github.com/ggml-org/llama.cpp/pull/15780",
        "exceeds the available context size",
        end_reason=EndReason.CONTEXT_OVERFLOW,
        advice="the server's context size can be raised",
    ),
    VerdictRow(
        "overflow: ollama",
        Verdict.MODEL_FAILURE,
        "https://github.com/ollama/ollama/blob/fb30760996871fa9460115c753afd2c60d4ab0f7/llm/llama_server.go",
        "longer than the context length currently available|prompt too long; exceeded max context length",
        end_reason=EndReason.CONTEXT_OVERFLOW,
        advice="the server's context size can be raised",
    ),
    VerdictRow(
        "overflow: lmstudio",
        Verdict.MODEL_FAILURE,
        "https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/237",
        "tokens when context the overflows|greater than the context length",
        end_reason=EndReason.CONTEXT_OVERFLOW,
        advice="the model can be loaded with a longer context",
    ),
    VerdictRow(
        "overflow: minimax, kimi",
        Verdict.MODEL_FAILURE,
        _OVERFLOW_SOURCE,
        "context window exceeds limit|exceeded model token limit",
        end_reason=EndReason.CONTEXT_OVERFLOW,
    ),
    VerdictRow(
        "overflow: litellm",
        Verdict.MODEL_FAILURE,
        _LITELLM,
        "ContextWindowExceededError",
        end_reason=EndReason.CONTEXT_OVERFLOW,
    ),
    # The model's own failures: refusals and content filters.
    VerdictRow(
        "azure: content filter",
        Verdict.MODEL_FAILURE,
        "https://github.com/tatsu-lab/alpaca_eval/issues/227",
        codes=("content_filter", "ResponsibleAIPolicyViolation"),
        end_reason=EndReason.REFUSED,
    ),
    VerdictRow(
        "openai: prompt flagged",
        Verdict.MODEL_FAILURE,
        "https://github.com/BeehiveInnovations/pal-mcp-server/issues/178",
        codes=("invalid_prompt",),
        end_reason=EndReason.REFUSED,
    ),
    VerdictRow(
        "openai: content policy",
        Verdict.MODEL_FAILURE,
        _LITELLM,
        codes=("content_policy_violation", "cyber_policy"),
        end_reason=EndReason.REFUSED,
    ),
    VerdictRow(
        "openai: safety system",
        Verdict.MODEL_FAILURE,
        _LITELLM,
        "rejected as a result of (our |the )?safety system",
        end_reason=EndReason.REFUSED,
    ),
)
