"""Google's Gemini API as a server speaks it: https://pypi.org/project/google-genai/3.6.1/ has the types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Fields = dict[str, Any]
USAGE = {
    "promptTokenCount": 49,
    "cachedContentTokenCount": 40,
    "candidatesTokenCount": 4,
    "thoughtsTokenCount": 5,
    "totalTokenCount": 58,
}


class GeminiProtocol:
    """Thinks before each answer, signs its calls, and insists on getting the parts back as they were."""

    path = "/v1/models/local:generateContent"

    def __init__(self) -> None:
        self._sent: list[list[Fields]] = []

    def read(self, body: Fields, path: str) -> Fields:
        assert path.partition("?")[0] in (self.path, self.path.replace("generate", "streamGenerate"))
        assert body["generationConfig"]["maxOutputTokens"] in (777, 8192)
        [tools] = body["tools"]
        assert {"name", "description", "parameters_json_schema"} == tools["functionDeclarations"][0].keys()
        messages: list[Fields] = []
        if "systemInstruction" in body:
            text = "".join(part["text"] for part in body["systemInstruction"]["parts"])
            messages.append({"role": "system", "content": text})
        roles = [content["role"] for content in body["contents"]]
        assert roles == ["user", "model"] * (len(roles) // 2) + ["user"], "roles alternate"
        earlier = [content["parts"] for content in body["contents"] if content["role"] == "model"]
        for parts in earlier:
            assert parts in self._sent, "parts come back as they were"
        for content in body["contents"]:
            messages += self._read_parts(content)
        return {"messages": messages}

    def _read_parts(self, content: Fields) -> Iterator[Fields]:
        if content["role"] == "model":
            yield {"role": "assistant"}
            return
        for part in content["parts"]:
            if "functionResponse" in part:
                response = part["functionResponse"]
                assert response["name"]
                yield {"role": "tool", "content": json.dumps(response["response"])}
            else:
                yield {"role": "user", "content": part["text"]}

    def write(self, message: Fields, number: int) -> Fields:
        parts: list[Fields] = [{"text": "Hm.", "thought": True}]
        if message.get("content"):
            parts.append({"text": message["content"], "thoughtSignature": f"c2ln{number}w=="})
        for call in message.get("tool_calls", ()):
            arguments = json.loads(call["function"]["arguments"])
            called = {"name": call["function"]["name"], "args": arguments}
            parts.append({"functionCall": called, "thoughtSignature": f"c2ln{number}w=="})
        self._sent.append(parts)
        return answer(parts)

    def events(self, answer: Fields) -> Iterator[Fields]:
        [candidate] = answer["candidates"]
        rest = {"modelVersion": answer["modelVersion"]}
        for part in candidate["content"]["parts"]:
            yield {"candidates": [{"content": {"role": "model", "parts": [part]}}], **rest}
        last = {"content": {"role": "model", "parts": []}, "finishReason": candidate["finishReason"]}
        yield {"candidates": [last], "usageMetadata": answer["usageMetadata"], **rest}


def answer(parts: list[Fields], finish: str = "STOP") -> Fields:
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}
    return {"candidates": [candidate], "usageMetadata": USAGE, "modelVersion": "gemini-test-1"}
