"""Suites of users' own without a run: references, goals, scores, flaws, faults, and worlds that cannot be copied."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
import pytest

from pytest_ultra import Suite, World, tool
from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, FaultKind, Severity, Visibility
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import FailureClass, Outcome
from pytest_ultra.core.transcript import Answered, Ended
from pytest_ultra.core.workflow import render
from pytest_ultra.custom.custom_suite import CustomSuite
from pytest_ultra.custom.suite_plan_context import describe_tools
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.flaws.linter import lint
from pytest_ultra.flaws.own_plans.schema_context import make_signatures
from tests.custom.suite_runs import make_calls, make_own_case, play
from tests.run.shop_suite import suite as shop

FIND = ("find", {"email": "ann@x.example"})
ORDERS = ("orders", {"customer_id": "c1"})
REFUND = ("refund", {"order": "o7", "percent": 50})
MAIL = ("mail", {"to": "ann@x.example", "subject": "Refund"})


def test_a_reference_becomes_a_plan_with_references_into_outputs() -> None:
    guidance = CustomSuite(shop).make_guidance(make_own_case(shop, "half"))
    assert render(guidance.optimal).splitlines()[1:] == [
        '1. Call find with {"email": "ann@x.example"}',
        '2. Call orders with {"customer_id": "<output of step 1: id>"}',
        '3. Call pick with {"orders": "<output of step 2>", "state": "late"}',
        '4. Call refund with {"order": "<output of step 3: order>", "percent": 50}',
        '5. Call mail with {"to": "<output of step 1: email>", "subject": "Refund"}',
    ]
    assert guidance.task.read_only == ("find", "orders", "pick", "refunded")


@pytest.mark.parametrize("prompt_type", FLAWED_PROMPT_TYPES)
@pytest.mark.parametrize("severity", Severity)
def test_every_flaw_kind_is_proved_as_visible_as_it_says(prompt_type: str, severity: Severity) -> None:
    own = CustomSuite(shop)
    for visibility in Visibility:
        case = make_own_case(shop, "half", prompt_type, severity=severity, flaw_visibility=visibility)
        if own.find_missing_plan(case) is not None:
            assert severity is not Severity.LIGHT
            continue
        flawed = own.make_guidance(case).flawed
        assert flawed is not None
        signatures = make_signatures(describe_tools(own.make_task(case)), own.make_guidance(case).optimal)
        assert bool(lint(flawed.workflow, signatures)) is (flawed.visibility is Visibility.PLAN)
        assert own.make_guidance(case) == CustomSuite(shop).make_guidance(case)
        score, _ = play(shop, case, "follower")
        is_harmless = prompt_type == "flawed_redundant_operations" and not score.harms
        assert (score.outcome is Outcome.FULL) is is_harmless
        assert score.obedience == 1
        assert play(shop, case, "perfect")[0].outcome is Outcome.FULL


@pytest.mark.parametrize(
    ("calls", "outcome", "failure_class", "harms"),
    [
        ([REFUND, MAIL], Outcome.FULL, None, 0),
        ([FIND, ORDERS, REFUND, MAIL], Outcome.FULL, None, 0),
        ([REFUND], Outcome.FAILED, FailureClass.WRONG_DELIVERABLE, 0),
        ([FIND, ORDERS, REFUND], Outcome.PARTIAL, FailureClass.WRONG_DELIVERABLE, 0),
        ([REFUND, MAIL, MAIL], Outcome.FAILED, FailureClass.HARMFUL_SIDE_EFFECT, 1),
        (
            [REFUND, MAIL, ("refund", {"order": "o8", "percent": 50})],
            Outcome.FAILED,
            FailureClass.HARMFUL_SIDE_EFFECT,
            1,
        ),
        ([("refund", {"order": "o7", "percent": 40}), REFUND, MAIL], Outcome.FULL, None, 0),
        ([("refund", {"order": "o7", "percent": 40}), MAIL], Outcome.FAILED, FailureClass.WRONG_DELIVERABLE, 0),
        (
            [("refund", {"order": "<output of step 3: order>", "percent": 50})],
            Outcome.FAILED,
            FailureClass.DEPENDENCY,
            0,
        ),
        ([("refund", {"order": "o7"})], Outcome.FAILED, FailureClass.PARAMETER_CONFIG, 0),
        ([("refunds", {})], Outcome.FAILED, FailureClass.TOOL_SELECTION, 0),
    ],
)
def test_the_goal_is_a_state_whatever_the_way(
    calls: list[tuple[str, dict[str, Any]]], outcome: Outcome, failure_class: FailureClass | None, harms: int
) -> None:
    score, _ = make_calls(shop, make_own_case(shop, "half", "baseline"), calls)
    assert (score.outcome, score.failure_class, score.harms) == (outcome, failure_class, harms)


@pytest.mark.parametrize(
    ("words", "outcome"), [("ANSWER: o7", Outcome.FULL), ("It is o7", Outcome.FULL), ("ANSWER: o8", Outcome.FAILED)]
)
def test_what_a_reference_returns_is_the_answer(words: str, outcome: Outcome) -> None:
    case = make_own_case(shop, "late_order", "baseline")
    assert make_calls(shop, case, [], words)[0].outcome is outcome


def test_each_instance_is_given_its_own_values() -> None:
    own = CustomSuite(shop)
    tasks = [own.make_task(make_own_case(shop, "late_order", instance=instance)) for instance in range(3)]
    assert [task.answer for task in tasks] == ["o7", "o8", "o7"]
    assert "bob@x.example" in tasks[1].words
    assert own.find_missing_plan(make_own_case(shop, "late_order", instance=1)) is None
    missing = own.find_missing_plan(make_own_case(shop, "late_order", instance=2))
    assert missing is not None
    assert missing.startswith("no instance beyond 2, ")


@pytest.mark.parametrize(
    ("task", "calls", "words", "outcome", "coverage"),
    [
        ("write_both", [("mail", {"to": "bob@x.example", "subject": "Hi"})], "Done.", Outcome.FAILED, 0.5),
        (
            "write_both",
            [("mail", {"to": f"{n}@x.example", "subject": n}) for n in ("ann", "bob")],
            "",
            Outcome.FULL,
            1.0,
        ),
        ("has_late", [], "ANSWER: no", Outcome.FULL, 1.0),
        ("has_late", [], "ANSWER: yes", Outcome.FAILED, 0.0),
        ("has_late", [REFUND], "ANSWER: no", Outcome.FAILED, 0.0),
    ],
)
def test_a_check_decides_about_the_goal(
    task: str, calls: list[tuple[str, dict[str, Any]]], words: str, outcome: Outcome, coverage: float
) -> None:
    score, events = make_calls(shop, make_own_case(shop, task, "baseline"), calls, words or "ANSWER: yes")
    assert (score.outcome, score.milestone_coverage) == (outcome, coverage)
    last = events[-1]
    assert isinstance(last, Ended)
    assert last.check is not msgspec.UNSET
    assert last.check.share == coverage


def test_a_transient_fault_has_the_codes_and_the_weight_of_its_tool() -> None:
    met: dict[str, set[str | None]] = {}
    for instance in range(12):
        case = make_own_case(shop, "half", tool_success_rate=0.5, instance=instance)
        score, events = play(shop, case, "perfect")
        assert score.outcome is Outcome.FULL
        assert play(shop, case, "perfect")[1] == events
        for event in events:
            if isinstance(event, Answered) and event.result.is_random:
                met.setdefault(event.call.name, set()).add(event.result.code)
    assert met["orders"] == {"TIMEOUT", "BUSY"}
    assert met["find"] == {"TEMPORARY_FAILURE"}


@pytest.mark.parametrize("kind", [FaultKind.IMPLICIT, FaultKind.LOST_REPLY])
def test_other_faults_matter_and_can_be_dealt_with(kind: FaultKind) -> None:
    """An agent that takes every result as it is misses the goal; an implicit fault is met by asking again."""
    effects = set()
    for instance in range(20):
        case = make_own_case(shop, "half", tool_success_rate=0.4, instance=instance, fault_kind=kind.value)
        careless, events = play(shop, case, "follower")
        faults = [event.result for event in events if isinstance(event, Answered) and event.result.fault]
        effects |= {result.fault_effect for result in faults}
        if faults and kind is FaultKind.IMPLICIT:
            assert careless.outcome is not Outcome.FULL
            assert careless.unrecovered_fault is not None
            assert play(shop, case, "perfect")[0].outcome is Outcome.FULL
    assert "without_last" in effects if kind is FaultKind.IMPLICIT else not effects


class Ledge(World):
    """A place to put things on."""

    things: list[str] = []  # noqa: RUF012 - each episode gets a copy


@tool(read_only=True)
def things(ledge: Ledge) -> list[str]:
    """List what is there."""
    return ledge.things


@tool
def put(ledge: Ledge, thing: str) -> None:
    """Put a thing there."""
    ledge.things.append(thing)


ledge_suite = Suite("ledge", Ledge, [things, put])


@ledge_suite.task("Put a cup there, and answer with what is there now.")
def put_cup(plan: Any) -> Any:
    plan.things()
    plan.put("cup")
    return plan.things()


def test_a_lost_reply_is_met_by_looking_before_a_repetition() -> None:
    effects, repeated = set(), 0
    for instance in range(30):
        case = make_own_case(
            ledge_suite, "put_cup", tool_success_rate=0.5, instance=instance, fault_kind=FaultKind.LOST_REPLY.value
        )
        assert play(ledge_suite, case, "perfect")[0].outcome is Outcome.FULL
        careless, events = play(ledge_suite, case, "no-check")
        effects |= {event.result.fault_effect for event in events if isinstance(event, Answered) and event.result.fault}
        repeated += careless.harm_kinds == "repeated"
    assert effects == {"happened", "not_happened"}
    assert repeated


class Empty(World):
    """Nothing to change."""

    names: list[str] = []  # noqa: RUF012 - each episode gets a copy


@tool
def look(world: Empty) -> list[str]:
    """Look."""
    return world.names


@tool
def add(world: Empty, name: str) -> int:
    """Add a name."""
    world.names.append(name)
    return len(world.names)


def failing(plan: Any) -> None:
    plan.look()
    plan.add("a", "b", "c")


def with_unknown_tool(plan: Any) -> None:
    plan.erase("a")


def without_goal(plan: Any) -> None:
    plan.look()


def with_plain_answer(plan: Any) -> int:
    return len(plan.look())


def without_calls(plan: Any) -> None:
    del plan


def with_unused_result(plan: Any) -> Any:
    plan.add(plan.look())


COUNTER = iter(range(1_000_000))


@tool
def count(world: Empty) -> int:
    """Count, and never say the same twice."""
    del world
    return next(COUNTER)


def with_fickle_tool(plan: Any) -> Any:
    return plan.count()


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (failing, "raised TypeError: add takes up to 1 arguments (name), not 3"),
        (with_unknown_tool, "raised AttributeError: there is no tool 'erase'; the suite has look, add, count"),
        (without_goal, "changes nothing and returns nothing, so the task has no goal"),
        (with_plain_answer, "returns 0, which is no output of a step"),
        (without_calls, "calls no tool"),
        (with_unused_result, "fails in step 2: add answers INVALID_ARGUMENTS: Expected `str`, got `array`"),
        (with_fickle_tool, "misses its goal when its plan is followed step by step"),
    ],
)
def test_a_reference_that_cannot_be_says_what_would_be_right(reference: Callable[..., Any], message: str) -> None:
    suite = Suite("empty", Empty, [look, add, count])
    suite.task("Do it.")(reference)
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        CustomSuite(suite).make_task(make_own_case(suite, reference.__name__))


def test_values_that_a_reference_calculates_stand_in_the_plan() -> None:
    suite = Suite("empty", Empty, [look, add])

    @suite.task("Add names.")
    def names(plan: Any) -> Any:
        number = plan.add("a")
        plan.add(f"b{number + 1}")
        if number == 1:
            return plan.look()[-1]
        raise AssertionError(number)

    guidance = CustomSuite(suite).make_guidance(make_own_case(suite, "names"))
    assert [step.call.arguments for step in guidance.optimal.steps] == [{"name": "a"}, {"name": "b2"}, {}]
    assert (guidance.optimal.answer, guidance.optimal.answer_path) == (3, (1,))
    assert play(suite, make_own_case(suite, "names"), "follower")[0].outcome is Outcome.FULL


def test_a_task_has_another_version_only_if_agents_see_something_else() -> None:
    def versions(words: str, *tools: Any, version: str = "1") -> str:
        suite = Suite("empty", Empty, tools, version=version)
        suite.task(words)(without_goal)
        return make_own_case(suite, "without_goal").suite_version

    assert versions("Look.", look) == versions("Look.", look)
    assert len({versions("Look.", look), versions("See.", look), versions("Look.", look, add)}) == 3
    assert versions("Look.", look, version="2").startswith("2-")


opened: list[sqlite3.Connection] = []


def open_bank() -> sqlite3.Connection:
    bank = sqlite3.connect(":memory:")
    bank.execute("CREATE TABLE accounts (name TEXT PRIMARY KEY, amount INTEGER)")
    bank.executemany("INSERT INTO accounts VALUES (?, ?)", [("ann", 100), ("bob", 0), ("eve", 50)])
    opened.append(bank)
    return bank


def read_bank(bank: sqlite3.Connection) -> dict[str, Any]:
    return {"accounts": dict(bank.execute("SELECT name, amount FROM accounts"))}


@tool
def balance(bank: sqlite3.Connection, name: str) -> int:
    """Return the amount on an account."""
    row = bank.execute("SELECT amount FROM accounts WHERE name = ?", (name,)).fetchone()
    return int(row[0])


@tool
def transfer(bank: sqlite3.Connection, source: str, target: str, amount: int) -> None:
    """Move money."""
    bank.execute("UPDATE accounts SET amount = amount - ? WHERE name = ?", (amount, source))
    bank.execute("UPDATE accounts SET amount = amount + ? WHERE name = ?", (amount, target))


bank_suite = Suite("bank", open_bank, [balance, transfer], snapshot=read_bank)


@bank_suite.task("Give all of Ann's money to Bob.")
def give(plan: Any) -> None:
    plan.transfer("ann", "bob", plan.balance("ann"))


def test_tools_on_something_real_have_a_new_world_in_each_episode() -> None:
    case = make_own_case(bank_suite, "give", tool_success_rate=0.6)
    own = CustomSuite(bank_suite)
    assert [place for place, _ in own.make_task(case).goal.added] == ["accounts.ann", "accounts.bob"]
    assert [play(bank_suite, case, agent)[0].outcome for agent in ("perfect", "follower")] == [Outcome.FULL] * 2
    missing = [kind for kind in FLAWED_PROMPT_TYPES if own.find_missing_plan(make_own_case(bank_suite, "give", kind))]
    assert missing == []
    once = ("transfer", {"source": "ann", "target": "bob", "amount": 100})
    again, _ = make_calls(bank_suite, make_own_case(bank_suite, "give", "baseline"), [once, once])
    assert again.outcome is Outcome.FAILED
    for bank in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            bank.execute("SELECT 1")


class Stock(World):
    """Parts in a shop, which can be looked up or counted."""

    parts: ClassVar[dict[str, int]] = {"bolt": 4, "nut": 7}
    ordered: ClassVar[dict[str, int]] = {}


@tool
def stock(world: Stock, part: str) -> int:
    """Look up how many parts there are."""
    return world.parts[part]


@tool
def recount(world: Stock, part: str) -> int:
    """Count the parts by hand."""
    return world.parts[part]


@tool
def order(world: Stock, part: str, number: int) -> None:
    """Order parts."""
    world.ordered[part] = number


stock_suite = Suite("stock", Stock, [stock, recount, order])


@stock_suite.task("Order as many bolts as there are.")
def double(plan: Any) -> None:
    there = plan.stock("bolt")
    plan.fallback.recount("bolt")
    plan.order("bolt", there)


def with_wrong_fallback(plan: Any) -> None:
    there = plan.stock("bolt")
    plan.fallback.recount("nut")
    plan.order("bolt", there)


def with_fallback_first(plan: Any) -> None:
    plan.fallback.recount("bolt")


def without_fallback(plan: Any) -> None:
    plan.order("bolt", plan.stock("bolt"))


def permanent_case(suite: Suite, task: str, **changes: Any) -> Case:
    """Return a case in which each tool has a fault, if one can be proved."""
    return make_own_case(suite, task, tool_success_rate=1e-9, fault_kind=FaultKind.PERMANENT, **changes)


def test_a_tool_with_a_fallback_is_down_for_good_and_another_way_is_found_by_who_looks_for_it() -> None:
    able, events = play(stock_suite, permanent_case(stock_suite, "double"), "perfect")
    assert (able.outcome, able.permanent_faults, able.recovered_permanent_faults) == (Outcome.FULL, 1, 1)
    codes = [(event.call.name, event.result.code) for event in events if isinstance(event, Answered)]
    assert codes == [("stock", "OUT_OF_SERVICE"), ("recount", None), ("order", None)]
    for agent in ("follower", "no-fallback"):
        lost, _ = play(stock_suite, permanent_case(stock_suite, "double"), agent)
        assert (lost.outcome, lost.permanent_faults, lost.recovered_permanent_faults) == (Outcome.FAILED, 1, 0)
        assert FailureClass.UNRECOVERED_FAULT in (lost.failure_class, lost.cause)


def test_no_tool_is_down_for_good_without_another_way() -> None:
    suite = Suite("stock", Stock, [stock, recount, order])
    suite.task("Order as many bolts as there are.")(without_fallback)
    score, _ = play(suite, permanent_case(suite, "without_fallback"), "follower")
    assert (score.outcome, score.random_faults) == (Outcome.FULL, 0)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (with_wrong_fallback, "misses its goal where stock is down and its fallbacks are called"),
        (with_fallback_first, "has a fallback before its first step"),
    ],
)
def test_a_fallback_that_cannot_be_says_what_would_be_right(reference: Callable[..., Any], message: str) -> None:
    suite = Suite("stock", Stock, [stock, recount, order])
    suite.task("Order as many bolts as there are.")(reference)
    with pytest.raises(ConfigurationError, match=message):
        CustomSuite(suite).make_task(make_own_case(suite, reference.__name__))
