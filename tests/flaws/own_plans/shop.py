"""A shop's tools and a plan that uses them, as a user would write them down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_ultra.core.json_types import Json
from pytest_ultra.core.output_path import follow_path
from pytest_ultra.core.workflow import read_reference


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


class Shop:
    """The shop itself: what its tools return, and what they do."""

    def __init__(self) -> None:
        self.done: list[tuple[str, ...]] = []
        self.tools: dict[str, Callable[..., Json]] = {
            "find": lambda email: {"ann@x.example": {"id": "c1"}, "bob@x.example": {"id": "c2"}}[email],
            "orders": lambda customer: [
                {"order": f"{customer}-{number}", "state": state}
                for number, state in enumerate(("open", "late", "sent"))
            ],
            "pick": lambda orders, state: next(order for order in orders if order["state"] == state),
            "refund": lambda order, percent: self.note("refund", order, percent),
            "cancel": lambda order: self.note("cancel", order),
            "notify": lambda customer, subject: self.note("notify", customer, subject),
        }

    def note(self, *what: Json) -> Json:
        if not isinstance(what[1], str):
            raise TypeError(f"{what[1]!r} is no id")
        self.done.append(tuple(map(str, what)))
        return {"number": len(self.done)}


def reaches_goal(plan: dict[str, Json]) -> bool:
    """Follow a plan, past calls that fail: ann's late order is refunded by half, once, and she hears of it."""
    shop = Shop()
    outputs: dict[int, Json] = {}
    for number, step in enumerate(plan["steps"], start=1):
        if step.get("only_if_failed") in outputs:
            continue
        try:
            arguments = {name: _value(argument, outputs) for name, argument in step["arguments"].items()}
            outputs[number] = shop.tools[step["tool"]](**arguments)
        except (LookupError, TypeError, StopIteration):
            continue
    return sorted(shop.done) == [("notify", "c1", "refund 50 %"), ("refund", "c1-1", "50")]


def _value(argument: Json, outputs: dict[int, Json]) -> Json:
    found = read_reference(argument)
    return argument if found is None else follow_path(outputs[found.step], found.path)
