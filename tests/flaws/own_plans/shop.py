"""A shop's tools and a plan that uses them, as a user would write them down."""

from __future__ import annotations

from typing import Any


def tool(name: str, description: str, **properties: Any) -> dict[str, Any]:
    """A tool as an MCP server lists it; all its arguments are needed."""
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"name": name, "description": description, "inputSchema": schema}


TEXT = {"type": "string"}
TOOLS = [
    tool("find", "Find a customer.", email=TEXT),
    tool("orders", "Return the orders of a customer.", customer=TEXT),
    tool("pick", "Return the order in a state.", orders={"type": "array"}, state={"enum": ["late", "open", "sent"]}),
    tool("refund", "Refund a part of an order.", order=TEXT, percent={"type": "integer", "minimum": 1, "maximum": 100}),
    tool("cancel", "Cancel an order.", order=TEXT),
    tool("notify", "Write to a customer.", customer=TEXT, subject=TEXT),
]
WORDS = "Refund ann@x.example half of her late order, and write her 'refund 50 %'."
PLAN: dict[str, Any] = {
    "steps": [
        {"tool": "find", "arguments": {"email": "ann@x.example"}},
        {"tool": "orders", "arguments": {"customer": "<output of step 1: id>"}},
        {"tool": "pick", "arguments": {"orders": "<output of step 2>", "state": "late"}},
        {"tool": "refund", "arguments": {"order": "<output of step 3: order>", "percent": 50}},
        {"tool": "notify", "arguments": {"customer": "<output of step 1: id>", "subject": "refund 50 %"}},
    ]
}
