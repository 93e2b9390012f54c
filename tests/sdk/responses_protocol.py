"""OpenAI's Responses as a server speaks it: https://pypi.org/project/openai/3.57.0/ has the types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Fields = dict[str, Any]
USAGE = {
    "input_tokens": 49,
    "input_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 2},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 58,
}


class ResponsesProtocol:
    """Reasons before each answer, and insists on getting the items of each answer back as they were."""

    path = "/v1/responses"

    def __init__(self) -> None:
        self._sent: dict[str, list[Fields]] = {}

    def read(self, body: Fields, path: str) -> Fields:
        assert path == self.path
        assert (body["store"], body["include"]) == (False, ["reasoning.encrypted_content"])
        assert body["max_output_tokens"] in (777, 8192)
        assert {"type", "name", "description", "parameters", "strict"} == body["tools"][0].keys()
        messages: list[Fields] = []
        if "instructions" in body:
            messages.append({"role": "system", "content": body["instructions"]})
        items = list(body["input"])
        while items:
            item = items.pop(0)
            if item.get("type") == "reasoning":
                expected = self._sent[item["id"]]
                assert [item, *items[: len(expected) - 1]] == expected, "reasoning comes back as it was"
                items = items[len(expected) - 1 :]
                messages.append({"role": "assistant"})
            elif item.get("type") == "function_call_output":
                messages.append({"role": "tool", "content": item["output"]})
            else:
                messages.append({"role": item["role"], "content": item["content"]})
        return {"messages": messages}

    def write(self, message: Fields, number: int) -> Fields:
        items: list[Fields] = [
            {"type": "reasoning", "id": f"rs_{number}", "summary": [], "encrypted_content": f"ZW5j{number}=="}
        ]
        if message.get("content"):
            part = {"type": "output_text", "text": message["content"], "annotations": []}
            items.append(
                {
                    "type": "message",
                    "id": f"msg_{number}",
                    "role": "assistant",
                    "status": "completed",
                    "content": [part],
                }
            )
        for call in message.get("tool_calls", ()):
            function = call["function"]
            items.append(
                {
                    "type": "function_call",
                    "id": f"fc_{number}",
                    "call_id": call["id"],
                    "name": function["name"],
                    "arguments": function["arguments"],
                    "status": "completed",
                }
            )
        self._sent[f"rs_{number}"] = items
        return answer(items)

    def events(self, answer: Fields) -> Iterator[Fields]:
        """Yield fewer kinds of events than OpenAI does: what counts is in the last."""
        yield {"type": "response.created", "sequence_number": 0, "response": {**answer, "output": [], "usage": None}}
        for number, item in enumerate(answer["output"]):
            place = {"output_index": number, "sequence_number": 2 * number + 1}
            yield {"type": "response.output_item.added", "item": item, **place}
            yield {"type": "response.output_item.done", "item": item, **place}
        yield {"type": f"response.{answer['status']}", "sequence_number": 99, "response": answer}


def answer(items: list[Fields], **fields: Any) -> Fields:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "completed",
        "model": "gpt-test-1",
        "output": items,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "usage": USAGE,
        **fields,
    }
