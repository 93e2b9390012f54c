"""Faults on functions and toolkits: each kind is what DOMAIN.md says, and the same seed gives the same faults."""

from __future__ import annotations

import asyncio
import inspect
import pickle
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pytest_ultra as ultra
from pytest_ultra.errors import ConfigurationError

NEVER = 1.0


@dataclass
class Price:
    """A result that is a record."""

    article: str
    amount: float


@dataclass
class Shop:
    """A toolkit with a state."""

    orders: list[str] = field(default_factory=list)

    def order(self, article: str, pieces: int = 1) -> dict[str, Any]:
        """Order an article."""
        if pieces < 1:
            raise ValueError("order at least one piece")
        self.orders.append(article)
        return {"number": len(self.orders), "pieces": pieces}

    async def price(self, article: str) -> Price:
        return Price(article, 12.5)

    @property
    def till(self) -> float:
        raise AssertionError("no tool, and not asked for")

    @staticmethod
    def hours() -> str:
        return "9 to 5"

    def listing(self) -> list[dict[str, Any]]:
        return [{"article": f"A{n}", "pieces": n * 3} for n in range(1, 9)]


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def faults() -> ultra.ToolFaults:
    """No fault but those that a test forces."""
    return ultra.ToolFaults("all", success_rate=NEVER)


def test_a_transient_fault_changes_nothing_and_is_over_with_the_next_call(shop: Shop, faults: ultra.ToolFaults) -> None:
    faults.force("order", "transient")
    tools = faults.wrap(shop)
    with pytest.raises(ultra.ToolFaultError, match=r"^UNAVAILABLE: .* nothing was changed") as caught:
        tools.order("tea")
    assert (caught.value.kind, caught.value.code, caught.value.tool) == ("transient", "UNAVAILABLE", "order")
    assert isinstance(caught.value, ConnectionError)
    assert shop.orders == []
    assert tools.order("tea") == {"number": 1, "pieces": 1}
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - our own


def test_a_permanent_fault_lasts_and_leaves_other_tools_alone(shop: Shop, faults: ultra.ToolFaults) -> None:
    faults.force("order", "permanent", k=2)
    tools = faults.wrap(shop)
    tools.order("tea")
    for _ in range(3):
        with pytest.raises(ultra.ToolFaultError, match=r"^OUT_OF_SERVICE: order is out of service"):
            tools.order("tea")
    assert shop.orders == ["tea"]
    assert len(tools.listing()) == 8


def test_a_permanent_fault_can_take_down_one_target(shop: Shop) -> None:
    faults = ultra.ToolFaults("all", success_rate=NEVER, targets={"order": "article"})
    faults.force("order", "permanent")
    tools = faults.wrap(shop)
    for _ in range(2):
        with pytest.raises(ultra.ToolFaultError, match=r"tea \(by order\) is out of service"):
            tools.order("tea")
        tools.order("milk")
    assert shop.orders == ["milk", "milk"]


@pytest.mark.parametrize("is_made", [True, False])
def test_a_lost_reply_does_not_say_whether_the_call_was_made(
    shop: Shop, faults: ultra.ToolFaults, *, is_made: bool
) -> None:
    faults.force("order", "lost_reply", is_made=is_made)
    tools = faults.wrap(shop)
    with pytest.raises(ultra.ToolFaultError, match=r"^NO_REPLY: .* may have taken effect or not"):
        tools.order("tea")
    assert shop.orders == ["tea"] * is_made
    assert faults.drawn[0].is_made is is_made


def test_about_half_of_the_lost_replies_took_effect(shop: Shop) -> None:
    tools = ultra.wrap(shop, faults=ultra.ToolFaults("lost_reply", success_rate=0))
    for _ in range(200):
        with pytest.raises(ultra.ToolFaultError):
            tools.order("tea")
    assert 80 < len(shop.orders) < 120


def test_an_implicit_fault_looks_fine_and_is_wrong_once(shop: Shop, faults: ultra.ToolFaults) -> None:
    faults.force("price", "implicit")
    faults.force("listing", "implicit", mutator="truncated")
    tools = faults.wrap(shop)
    wrong = asyncio.run(tools.price("tea"))
    assert isinstance(wrong, Price)
    assert wrong != Price("tea", 12.5)
    assert asyncio.run(tools.price("tea")) == Price("tea", 12.5)
    assert tools.listing() == shop.listing()[: len(faults.calls[-1].shown)]
    assert faults.calls[-1].describe() == "call 3: listing(), its call 1: implicit fault (truncated)"


def test_a_stale_result_is_an_earlier_one_of_the_same_call_if_there_is_one(faults: ultra.ToolFaults) -> None:
    stock = {"tea": 5}
    look = faults.wrap(lambda article: {"article": article, "pieces": stock[article]})
    faults.force("<lambda>", "implicit", k=2, mutator="stale")
    look("tea")
    stock["tea"] = 3
    assert look("tea") == {"article": "tea", "pieces": 5}
    assert look("tea") == {"article": "tea", "pieces": 3}


def test_a_result_that_cannot_be_wrong_is_right_or_its_reply_lost() -> None:
    sentinel = object()
    assert ultra.wrap(lambda: sentinel, faults=ultra.ToolFaults("implicit", success_rate=0))() is sentinel
    both = ultra.ToolFaults(["implicit", "lost_reply"], success_rate=0, effect_rate=1)
    both.force("<lambda>", "implicit", k=2)
    look = ultra.wrap(lambda: sentinel, faults=both)
    with pytest.raises(ultra.ToolFaultError, match="NO_REPLY"):
        look()
    assert look() is sentinel
    assert both.missed == ("forced implicit fault of <lambda>, its call 2: it could not meet it",)


def test_an_error_of_the_tool_itself_comes_before_any_fault(shop: Shop) -> None:
    tools = ultra.wrap(shop, faults=ultra.ToolFaults("all", success_rate=0))
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        tools.order("tea", colour="green")
    late = ultra.wrap(shop, faults=ultra.ToolFaults("implicit", success_rate=0))
    with pytest.raises(ValueError, match="at least one piece"):
        late.order("tea", 0)


def test_explicit_faults_can_be_what_the_real_tool_does(shop: Shop) -> None:
    def as_result(error: ultra.ToolFaultError) -> dict[str, str]:
        if error.kind == "permanent":
            raise TimeoutError(error.code)
        return {"error": error.code}

    faults = ultra.ToolFaults("all", success_rate=NEVER, codes={"order": ["BUSY"]}, error=as_result)
    faults.force("order", "transient")
    faults.force("order", "lost_reply", k=2, is_made=True)
    faults.force("order", "permanent", k=3)
    tools = faults.wrap(shop)
    assert tools.order("tea") == {"error": "BUSY"}
    assert tools.order("tea") == {"error": "NO_REPLY"}
    with pytest.raises(TimeoutError, match="OUT_OF_SERVICE"):
        tools.order("tea")


def test_toolkits_of_any_form_keep_their_form_and_their_signatures(shop: Shop, faults: ultra.ToolFaults) -> None:
    listed = faults.wrap([shop.order, shop.price])
    named = faults.wrap({"buy": shop.order})
    whole = faults.wrap(shop)
    assert [inspect.iscoroutinefunction(tool) for tool in listed] == [False, True]
    assert isinstance(faults.wrap((shop.order,)), tuple)
    assert whole.orders is shop.orders
    assert whole.hours() == "9 to 5"
    for tool in (listed[0], named["buy"], whole.order, faults.wrap(shop.order)):
        assert inspect.signature(tool) == inspect.signature(shop.order)
        assert tool.__doc__ == shop.order.__doc__
        assert tool("tea")["pieces"] == 1
    assert [call.tool for call in faults.calls] == ["hours", "order", "buy", "order", "order"]


def play(order: list[str], seed: str) -> dict[str, list[str]]:
    """Call tools in this order, and return what became of the calls of each."""
    faults = ultra.ToolFaults(["transient", "lost_reply", "implicit"], seed=seed, success_rate=0.5)
    tools: dict[str, Callable[[], Any]] = faults.wrap({name: lambda: {"n": 7, "m": 8} for name in "abc"})
    fates: dict[str, list[str]] = {}
    for name in order:
        try:
            fate = str(tools[name]())
        except ultra.ToolFaultError as error:
            fate = f"{error} {faults.calls[-1].is_made}"
        fates.setdefault(name, []).append(fate)
    return fates


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from("abc"), max_size=12), st.text(max_size=5), st.randoms(use_true_random=False))
def test_the_fault_of_a_call_depends_on_seed_tool_and_k_alone(order: list[str], seed: str, random: Any) -> None:
    other = random.sample(order, len(order))
    assert play(order, seed) == play(other, seed)


def test_tools_have_weights_and_kinds_of_their_own() -> None:
    faults = ultra.ToolFaults(
        {"get_*": "implicit", "*": ["transient"]}, success_rate=0.5, weights={"get_never": 0, "put": 3}
    )
    tools = faults.wrap({name: lambda: {"n": 1} for name in ("get_one", "get_never", "put", "take")})
    for tool in tools.values():
        for _ in range(100):
            with suppress(ultra.ToolFaultError):
                tool()
    kinds = {(call.tool, str(call.fault.kind)) for call in faults.drawn if call.fault is not None}
    assert kinds == {("get_one", "implicit"), ("put", "transient"), ("take", "transient")}
    met = {name: sum(call.tool == name for call in faults.drawn) for name in tools}
    assert 35 < met["get_one"] < 65
    assert 35 < met["take"] < 65
    assert met["put"] > 75


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ultra.ToolFaults("transiet"), r"'transiet' is not a kind of fault; choose from .*did you mean 'trans"),
        (lambda: ultra.ToolFaults(success_rate=1.5), "success_rate=1.5 is not a rate; give a number from 0 to 1"),
        (lambda: ultra.ToolFaults(effect_rate=-1), "effect_rate=-1 is not a rate"),
        (lambda: ultra.ToolFaults(weights={"a": -1}), "the weight -1 of 'a' is not valid; give a number of at least 0"),
        (lambda: ultra.ToolFaults(mutators=["stal"]), r"'stal' is not a mutator; .*\(did you mean 'stale'\?\)"),
        (lambda: ultra.ToolFaults().force("a", "implicit", mutator="x"), "'x' is not a mutator; choose from truncated"),
        (lambda: ultra.wrap(5), "5 cannot be wrapped; give a function, a list"),
        (lambda: ultra.wrap([5]), "5 cannot be wrapped"),
        (lambda: ultra.wrap(Shop), "Shop'> cannot be wrapped"),
    ],
)
def test_misuse_is_named(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        make()


def test_kinds_alone_are_enough() -> None:
    assert [ultra.wrap(lambda: 1, faults=kinds)() for kinds in ((), {"nothing": "all"})] == [1, 1]
