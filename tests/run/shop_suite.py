"""A project outside the package: tools, tasks, a flaw kind, a fault mutator and an agent, by the public API alone.

Tests copy it into a project, and name `shop_suite:suite`.
"""

from __future__ import annotations

from random import Random
from typing import Any, ClassVar, TypedDict

import pytest_ultra as ultra


class Customer(TypedDict):
    id: str
    email: str


class Order(TypedDict):
    order: str
    customer: str
    state: str


class Shop(ultra.World):
    """A shop that takes refunds and sends mail."""

    customers: ClassVar[list[Customer]] = [
        {"id": "c1", "email": "ann@x.example"},
        {"id": "c2", "email": "bob@x.example"},
        {"id": "c3", "email": "eve@x.example"},
    ]
    placed: ClassVar[dict[str, Order]] = {
        "o6": {"order": "o6", "customer": "c1", "state": "sent"},
        "o7": {"order": "o7", "customer": "c1", "state": "late"},
        "o8": {"order": "o8", "customer": "c2", "state": "late"},
        "o9": {"order": "o9", "customer": "c2", "state": "sent"},
    }
    refunds: ClassVar[dict[str, int]] = {}
    outbox: ClassVar[list[dict[str, str]]] = []


@ultra.tool
def find(shop: Shop, email: str) -> Customer:
    """Find a customer by the address of their email."""
    for customer in shop.customers:
        if customer["email"] == email:
            return customer
    raise ultra.ToolError("NO_CUSTOMER", f"nobody has the address {email}")


@ultra.tool(transient=["TIMEOUT", "BUSY"], weight=1.5)
def orders(shop: Shop, customer_id: str) -> list[Order]:
    """List the orders of a customer."""
    return [order for order in shop.placed.values() if order["customer"] == customer_id]


@ultra.tool
def pick(shop: Shop, orders: list[Order], state: str) -> Order:  # noqa: ARG001 - a tool gets the world
    """Pick the first order in a state.

    Args:
        orders: the orders, as the tool of this name lists them
        state: sent or late
    """
    return next(order for order in orders if order["state"] == state)


@ultra.tool(read_only=True)
def refunded(shop: Shop, order: str) -> int:
    """Look up how many percent of an order were refunded."""
    return shop.refunds.get(order, 0)


@ultra.tool
def refund(shop: Shop, order: str, percent: int) -> None:
    """Refund a share of an order."""
    shop.refunds[shop.placed[order]["order"]] = percent


@ultra.tool
def mail(shop: Shop, to: str, subject: str) -> None:
    """Send a mail to a customer."""
    shop.outbox.append({"to": to, "subject": subject})


def without_last(value: Any, chance: Random) -> Any:
    """Lose the last row of a list."""
    del chance
    return value[:-1] if isinstance(value, list) and value else None


suite = ultra.Suite("shop", Shop, [find, orders, pick, refunded, refund, mail], mutators=[without_last])


@suite.flaw
def wrong_share(plan: dict[str, Any], chance: Random, size: int) -> dict[str, Any] | None:
    """Refund another share than the job wants."""
    shares = [step["arguments"] for step in plan["steps"] if "percent" in step["arguments"]]
    for arguments in shares[:size]:
        arguments["percent"] = min(100, arguments["percent"] + chance.choice((10, 25)))
    return plan if shares else None


@suite.task("Refund ann@x.example half of her late order, and send her a mail with the subject Refund.")
def half(plan: Any) -> None:
    who = plan.find(email="ann@x.example")
    late = plan.pick(plan.orders(who["id"]), state="late")
    plan.refund(late["order"], percent=50)
    plan.mail(to=who["email"], subject="Refund")


@suite.task(
    "Which order of {email} is late? Answer with its number.",
    given=[{"email": "ann@x.example"}, {"email": "bob@x.example"}],
    difficulty="very_easy",
)
def late_order(plan: Any, email: str) -> Any:
    late = plan.pick(plan.orders(plan.find(email=email)["id"]), state="late")
    return late["order"]


def all_answered(shop: Shop, answer: Any) -> float:
    """Check a goal that has several ways, and is reached in parts."""
    del answer
    sent = {mail["to"] for mail in shop.outbox}
    return len(sent & {"ann@x.example", "bob@x.example"}) / 2


@suite.task("Write ann@x.example and bob@x.example a mail, with any subject.", check=all_answered)
def write_both(plan: Any) -> None:
    plan.mail(to="ann@x.example", subject="News")
    plan.mail(to="bob@x.example", subject="News")


@suite.checked_task("Find out whether eve@x.example has late orders, and answer with yes or no.")
def has_late(shop: Shop, answer: Any) -> None:
    assert answer in ("no", False), f"eve has none, and the answer is {answer!r}"
    assert not shop.refunds, "something was refunded"


def clerk(task: ultra.AgentTask) -> str:
    """Do the job `half` by hand, whatever the plan says."""
    tools = {function.__name__: function for function in task.callables()}
    while "transient" in tools["find"](email="ann@x.example"):
        continue
    while "transient" in tools["refund"](order="o7", percent=50):
        continue
    while "transient" in tools["mail"](to="ann@x.example", subject="Refund"):
        continue
    return "Done."
