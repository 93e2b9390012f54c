"""A literal answer for each row of the table of verdicts: its status, and its body as text or as an object."""

from __future__ import annotations

import json
from typing import Any

QUOTA = "You exceeded your current quota, please check your plan and billing details."


def wrapped(message: str, kind: str = "invalid_request_error", code: Any = None, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code, **more}}


def google(message: str, quota_id: str, delay: str = "27s") -> list[Any]:
    failure = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": quota_id}]}
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
    return [
        {"error": {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": [failure, retry]}},
    ]


def upstream(raw: str, code: int = 400) -> dict[str, Any]:
    """Return what OpenRouter makes of a provider's error."""
    metadata = {"raw": raw, "provider_name": "X"}
    return {"error": {"message": "Provider returned error", "code": code, "metadata": metadata}}


EXAMPLES: dict[str, tuple[int, Any]] = {
    "bedrock: tokens of a day": (
        429,
        {"code": "ThrottlingException", "message": "Too many tokens per day, please wait before trying again."},
    ),
    "bedrock: throttling": (429, {"message": "Too many tokens, please wait before trying again."}),
    "a request beyond the rate limit": (
        429,
        wrapped(
            "Request too large for gpt-4o in organization org on tokens per min (TPM): Limit 30000, Requested 30601.",
            "tokens",
            "rate_limit_exceeded",
        ),
    ),
    "openrouter: budget in flight": (
        402,
        {"error": {"code": 402, "message": "busy", "metadata": {"limit_source": "openrouter_in_flight_budget"}}},
    ),
    "openai: quota": (429, wrapped(QUOTA, "insufficient_quota", "insufficient_quota")),
    "openai: spend limits": (429, wrapped("Over budget.", "x", "organization_spend_limit_exceeded")),
    "anthropic: credit": (400, wrapped("Your credit balance is too low to access the Anthropic API.")),
    "anthropic: billing": (402, {"type": "error", "error": {"type": "billing_error", "message": "Pay."}}),
    "google: quota of a day": (429, google(QUOTA, "GenerateRequestsPerDayPerProjectPerModel-FreeTier")),
    "google: quota of a minute": (429, google(QUOTA, "GenerateRequestsPerMinutePerProjectPerModel-FreeTier")),
    "quota in words alone": (429, {"message": QUOTA}),
    "xai: credits": (
        403,
        {
            "code": "permission-denied",
            "error": "Your team 1 has either used all available credits or reached its monthly spending limit.",
        },
    ),
    "together: credit limit": (402, wrapped("Credit limit exceeded.", "credit_limit")),
    "fireworks: suspended": (
        412,
        wrapped("Account x is suspended, possibly due to reaching the monthly spending limit", "error", "PRECONDITION"),
    ),
    "huggingface: credits of a month": (
        402,
        {"error": "You have exceeded your monthly included credits for Inference Providers. Subscribe to PRO."},
    ),
    "litellm: budget": (
        400,
        wrapped("Budget has been exceeded! Current cost: 3, Max budget: 2", "budget_exceeded", "400"),
    ),
    "payment required": (402, wrapped("Insufficient Balance", "unknown_error", "invalid_request_error")),
    "openai, groq: rate limit": (
        429,
        wrapped(
            "Rate limit reached for gpt-4 on tokens per min (TPM): Limit 10000, Used 9000, Requested 2000. Please try "
            "again in 6s.",
            "tokens",
            "rate_limit_exceeded",
        ),
    ),
    "openai: slow down": (503, wrapped("Slow down.", "server_error", "slow_down")),
    "azure: rate limit": (
        429,
        wrapped("You have exceeded token rate limit of your current AIServices S0 pricing tier.", "x", "429"),
    ),
    "anthropic: rate limit": (
        429,
        {"type": "error", "error": {"type": "rate_limit_error", "message": "This request would exceed your limit"}},
    ),
    "anthropic: growth": (
        400,
        {"type": "error", "error": {"type": "x", "message": "m", "details": {"error_code": "ramp_limit_exceeded"}}},
    ),
    "openrouter: upstream rate limit": (
        429,
        upstream("x/y:free is temporarily rate-limited upstream. Please retry shortly", 429),
    ),
    "mistral: capacity": (429, {"object": "error", "message": "Service tier capacity exceeded for this model."}),
    "throttling": (429, {"message": "Too many requests"}),
    "anthropic: overloaded": (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    "groq: capacity": (498, wrapped("Flex tier capacity exceeded", "x", "capacity_exceeded")),
    "groq: capacity by status": (498, "busy"),
    "groq: failed dependency": (424, "failed"),
    "groq: failed call": (
        400,
        wrapped(
            "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.",
            code="tool_use_failed",
            failed_generation="<function=x>",
        ),
    ),
    "groq: failed call in words": (
        400,
        wrapped("tool call validation failed: attempted to call tool 'x' which was not in request.tools"),
    ),
    "ollama: call": (
        500,
        wrapped("error parsing tool call: raw='{\"a\"', err=invalid character", "api_error"),
    ),
    "llama.cpp: call": (
        500,
        wrapped("Failed to parse tool call arguments as JSON: [json.exception.parse_error.101]", "server_error", 500),
    ),
    "llama.cpp: output": (
        500,
        wrapped("The model produced output that does not match the expected peg-native format", "server_error", 500),
    ),
    "overflow: codes": (400, wrapped("Too long.", code="context_length_exceeded")),
    "overflow: maximum context length": (
        400,
        {
            "object": "error",
            "message": "This model's maximum context length is 16384 tokens. However, you requested 122946 tokens "
            "(112946 in the messages, 10000 in the completion).",
            "code": 400,
        },
    ),
    "overflow: together, sglang": (
        400,
        {"message": "The input (9000 tokens) is longer than the model's context length (8192 tokens)."},
    ),
    "overflow: together, inputs": (
        400,
        wrapped(
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 80125 `inputs` tokens "
            "and 4096 `max_new_tokens`"
        ),
    ),
    "overflow: openai responses": (400, wrapped("Your input exceeds the context window of this model.")),
    "overflow: anthropic": (
        400,
        {"error": {"type": "invalid_request_error", "message": "prompt is too long: 213462 tokens > 200000 maximum"}},
    ),
    "overflow: google": (
        400,
        [
            {
                "error": {
                    "code": 400,
                    "status": "INVALID_ARGUMENT",
                    "message": "The input token count (9) exceeds the maximum number of tokens allowed (8).",
                }
            }
        ],
    ),
    "overflow: groq, cerebras": (
        400,
        wrapped("Please reduce the length of the messages or completion. Current length is 42328 while limit is 40000"),
    ),
    "overflow: xai": (
        400,
        {"error": "This model's maximum prompt length is 131072 but the request contains 537812 tokens"},
    ),
    "overflow: bedrock": (400, {"message": "Input is too long for requested model."}),
    "overflow: vllm, nothing left": (400, {"message": "max_tokens must be at least 1, got -186."}),
    "overflow: llama.cpp": (
        400,
        wrapped("request (9412 tokens) exceeds the available context size (8192 tokens)", "x", 400),
    ),
    "overflow: ollama": (
        400,
        wrapped("the prompt is longer than the context length currently available to the model; shorten it"),
    ),
    "overflow: lmstudio": (
        400,
        {"error": "Trying to keep the first 15857 tokens when context the overflows. However, ... only 4096"},
    ),
    "overflow: minimax, kimi": (400, wrapped("invalid params, context window exceeds limit")),
    "overflow: litellm": (400, wrapped("litellm.ContextWindowExceededError: too long", "x", "400")),
    "azure: content filter": (
        400,
        wrapped(
            "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
            code="content_filter",
            innererror={"code": "ResponsibleAIPolicyViolation"},
        ),
    ),
    "openai: prompt flagged": (
        400,
        wrapped(
            "Invalid prompt: your prompt was flagged as potentially violating our usage policy.", "x", "invalid_prompt"
        ),
    ),
    "openai: content policy": (400, wrapped("No.", code="content_policy_violation")),
    "openai: safety system": (400, wrapped("Your request was rejected as a result of our safety system.")),
    "wrong key": (400, wrapped("Incorrect API key provided: x.")),
    "unknown model": (404, wrapped("The model `x` does not exist", code="model_not_found")),
    "bedrock: model": (400, {"message": "The provided model identifier is invalid."}),
    "openai: too many tools": (400, wrapped("array too long.", code="array_above_max_length")),
    "openrouter: no tools": (404, {"error": {"code": 404, "message": "No endpoints found that support tool use."}}),
    "ollama: no tools": (400, wrapped("registry.ollama.ai/library/x does not support tools", "api_error")),
    "vllm: no tool parser": (
        400,
        {"object": "error", "message": '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser'},
    ),
    "unsupported parameter": (
        400,
        wrapped("Unsupported value: 'temperature' does not support 0.16 with this model.", code="unsupported_value"),
    ),
    "unknown parameter": (
        400,
        {
            "code": "Client specified an invalid argument",
            "error": "Argument not supported on this model: frequencyPenalty",
        },
    ),
    "extra inputs": (
        422,
        {
            "object": "error",
            "message": {
                "detail": [
                    {"type": "extra_forbidden", "loc": ["body", "tools"], "msg": "Extra inputs are not permitted"}
                ]
            },
        },
    ),
    "litellm: unsupported": (
        400,
        wrapped(
            "litellm.UnsupportedParamsError: zai does not support parameters: ['max_completion_tokens']", "x", "400"
        ),
    ),
    "groq: property": (
        400,
        wrapped("'messages.2' : for 'role:assistant' (property 'reasoning_content' is unsupported)"),
    ),
    "deepseek: reasoning to be sent back": (
        400,
        wrapped("The `reasoning_content` in the thinking mode must be passed back to the API."),
    ),
    "google: signature to be sent back": (
        400,
        [{"error": {"code": 400, "message": "Function call is missing a thought_signature in functionCall parts."}}],
    ),
    "mistral: call id": (
        400,
        {
            "object": "error",
            "message": "Tool call id was call_1 but must be a-z, A-Z, 0-9, with a length of 9.",
            "type": "invalid_function_call",
            "code": "3280",
        },
    ),
    "roles": (400, {"object": "error", "message": "System role not supported"}),
    "content": (400, {"error": "Invalid 'content': 'content' field must be a string or an array of objects."}),
    "schema": (400, wrapped("Unsupported JSON schema fields: {'minItems', 'items'}", "x", "wrong_api_format")),
    "strict tools": (
        422,
        wrapped("Tools with mixed values for 'strict' are not allowed. Please set all tools to 'strict: true'"),
    ),
    "token limit beyond the model's": (
        400,
        {"message": "The maximum tokens you requested exceeds the model limit of 32768"},
    ),
    "together: 403": (403, wrapped("Input tokens and max_tokens must be less than the context length")),
}


def encode_example(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()
