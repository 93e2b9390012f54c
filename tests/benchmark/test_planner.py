"""The planner is exact: it agrees with brute force and with simulation, also in edge cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from math import comb, sqrt
from random import Random

import pytest

from pytest_ultra.benchmark.facts import Fact, FactKind
from pytest_ultra.benchmark.generator.generate import generate_task
from pytest_ultra.benchmark.goal import has_delivered, reached_milestones, read_answer
from pytest_ultra.benchmark.planner import count_calls, perfect_plan, plan, solve
from pytest_ultra.benchmark.rehearsal import step_result
from pytest_ultra.benchmark.scoring import score
from pytest_ultra.benchmark.task import Action, Milestone, Task
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.axes import Difficulty, PromptType, TaskType
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.episode import Outcome
from pytest_ultra.core.plan_follower import StepResult, advance, answer_text, begin, next_call
from pytest_ultra.core.workflow import Call, Step, Workflow, referenced_step
from tests.benchmark.agent_runs import make_case, run_agent

KEY = TaskKey(TaskType.SIMPLE_TASK, Difficulty.EASY, 0, 0)
READER, CONVERTER, ROUTER = "file_operations_reader", "file_operations_converter", "network_router"  # w = 1, 0.5, 2
FETCHER, CONNECTOR = "network_fetcher", "integration_connector"  # w = 1.5, 1

ActionSpec = tuple[str, tuple[int, ...], int]  # tool, needed milestones, reached milestone


def make_task(*specs: ActionSpec, has_answer: bool = False) -> Task:
    """Return a task with these actions; the calls themselves do not matter."""
    actions = tuple(Action(Call(tool, {"path": f"{tool} {reaches}"}), needs, reaches) for tool, needs, reaches in specs)
    needs_of = {reaches: needs for _, needs, reaches in specs}
    facts = [Fact.of(FactKind.FILE, f"{number}", f"{number}") for number in needs_of]
    milestones = [Milestone(fact, needs_of[number], number == len(facts) - 1) for number, fact in enumerate(facts)]
    if has_answer:
        milestones.append(Milestone(Fact.of(FactKind.ANSWER, "", 1), (len(facts) - 1,), is_deliverable=True))
    return Task(KEY, 0, World(), "", tuple(milestones), actions, ())


def get_tools(workflow: Workflow) -> list[str]:
    return [step.call.tool for step in workflow.steps]


@pytest.mark.parametrize("calls", [1, 2, 5, 30])
def test_one_step_fails_only_if_every_try_fails(calls: int) -> None:
    assert solve(make_task((READER, (), 0)), 0.8, calls).probability == pytest.approx(1 - 0.2**calls)


def test_a_weight_is_an_exponent_of_the_rate() -> None:
    assert solve(make_task((ROUTER, (), 0)), 0.8, 1).probability == pytest.approx(0.8**2)
    assert solve(make_task((CONVERTER, (), 0)), 0.8, 1).probability == pytest.approx(0.8**0.5)


@pytest.mark.parametrize("calls", [3, 4, 7])
def test_a_chain_succeeds_when_as_many_tries_succeed_as_it_has_steps(calls: int) -> None:
    chain = make_task((READER, (), 0), (READER, (0,), 1), (READER, (1,), 2))
    expected = sum(comb(calls, hits) * 0.7**hits * 0.3 ** (calls - hits) for hits in range(3, calls + 1))
    assert solve(chain, 0.7, calls).probability == pytest.approx(expected)


def test_perfect_tools_need_as_many_calls_as_steps() -> None:
    chain = make_task((READER, (), 0), (ROUTER, (0,), 1))
    assert [solve(chain, 1.0, calls).probability for calls in (0, 1, 2, 3)] == [0, 0, 1, 1]


@pytest.mark.parametrize("rate", [0.99, 0.8, 0.3, 0.01])
def test_the_more_reliable_of_two_tools_is_chosen(rate: float) -> None:
    for specs in ([(FETCHER, (), 0), (CONNECTOR, (), 0)], [(CONNECTOR, (), 0), (FETCHER, (), 0)]):
        assert get_tools(solve(make_task(*specs, (READER, (0,), 1)), rate, 5).workflow) == [CONNECTOR, READER]


def test_reliability_decides_even_if_the_better_tool_needs_another_step_first() -> None:
    specs: tuple[ActionSpec, ...] = ((CONVERTER, (), 0), (ROUTER, (), 1), (READER, (0,), 1))
    assert get_tools(solve(make_task(*specs), 0.5, 6).workflow) == [CONVERTER, READER]
    assert solve(make_task(*specs), 0.5, 2).probability == pytest.approx(0.5**0.5 * 0.5)


def test_the_order_of_steps_follows_the_dependencies() -> None:
    backwards = make_task((READER, (2,), 0), (ROUTER, (), 1), (CONVERTER, (1,), 2))
    assert get_tools(solve(backwards, 0.8, 9).workflow) == [ROUTER, CONVERTER, READER]


def test_a_budget_that_is_too_small_gives_a_whole_plan_with_probability_zero() -> None:
    chain = make_task((READER, (), 0), (ROUTER, (0,), 1), (CONVERTER, (1,), 2))
    for rate, calls in product((0.8, 1.0), (-1, 0, 1, 2)):
        solution = solve(chain, rate, calls)
        assert (get_tools(solution.workflow), solution.probability) == ([READER, ROUTER, CONVERTER], 0)


@pytest.mark.parametrize("rate", [1.0, 0.9, 0.5])
@pytest.mark.parametrize("calls", [2, 5, 9])
def test_tasks_without_choices_are_solved_as_by_the_general_method(rate: float, calls: int) -> None:
    """A useless alternative with a need of its own forces the general method, and changes nothing else."""
    chance = Random(f"{rate}/{calls}")
    for _ in range(20):
        size = chance.randint(1, 5)
        specs: list[ActionSpec] = []
        for number in range(size):
            needs = tuple(sorted(chance.sample(range(number), chance.randint(0, min(number, 2)))))
            tools = chance.sample((READER, ROUTER, CONVERTER, FETCHER), chance.randint(1, 2))
            specs += [(tool, needs, number) for tool in tools]
        useless: ActionSpec = (ROUTER, tuple(range(size - 1)), size - 1)
        direct, general = solve(make_task(*specs), rate, calls), solve(make_task(*specs, useless), rate, calls)
        assert direct.probability == pytest.approx(general.probability)
        if direct.probability:
            assert get_tools(direct.workflow) == get_tools(general.workflow)


def test_a_budget_of_thousands_of_calls_is_solved() -> None:
    p, q, calls = 0.01, 0.01**2, 5000
    expected = 1 - (p * (1 - q) ** calls - q * (1 - p) ** calls) / (p - q)
    assert solve(make_task((READER, (), 0), (ROUTER, (0,), 1)), p, calls).probability == pytest.approx(expected)


def test_only_an_answer_needs_a_turn_of_its_own() -> None:
    assert count_calls(make_task((READER, (), 0)), 30) == 30
    assert count_calls(make_task((READER, (), 0), has_answer=True), 30) == 29


def test_a_call_in_the_last_turn_still_counts() -> None:
    """The planner and the conversation count the same calls: a post in the last turn is delivered."""
    case = make_case(task_type=TaskType.API_INTEGRATION)
    steps = len(plan(generate_task(case.task_key), 1.0, 30).steps)
    for turns, outcome in ((steps, Outcome.FULL), (steps - 1, Outcome.PARTIAL)):
        tight = make_case(task_type=TaskType.API_INTEGRATION, max_turns=turns)
        conversation = run_agent("follower", tight)
        assert score(tight, conversation.guidance, conversation.events).outcome is outcome


State = frozenset[int]
Policy = Mapping[tuple[State, int], int]

SMALL: dict[str, tuple[ActionSpec, ...]] = {
    "alternatives": ((FETCHER, (), 0), (CONNECTOR, (), 0), (ROUTER, (0,), 1)),
    "independent": ((ROUTER, (), 0), (CONVERTER, (), 1)),
    "detour": ((CONVERTER, (), 0), (ROUTER, (), 1), (READER, (0,), 1)),
    "detour, the sure way last": ((ROUTER, (), 1), (CONVERTER, (), 0), (READER, (0,), 1)),
    "join": ((READER, (), 0), (ROUTER, (), 1), (CONVERTER, (0, 1), 2)),
}


def enumerate_policies(task: Task, budget: int) -> Iterator[Policy]:
    """Yield every policy: a choice of action for each reachable state and each number of calls left."""
    goal = frozenset(action.reaches for action in task.actions)
    states: set[State] = {frozenset()}
    for action in task.actions * len(goal):
        states |= {state | {action.reaches} for state in states if state.issuperset(action.needs)}
    points = [(state, left) for left in range(1, budget + 1) for state in sorted(states - {goal}, key=sorted)]
    options = [[i for i, action in enumerate(task.actions) if is_available(action, state)] for state, _ in points]
    return (dict(zip(points, choice, strict=True)) for choice in product(*options))


def is_available(action: Action, state: State) -> bool:
    return action.reaches not in state and state.issuperset(action.needs)


def evaluate(task: Task, rate: float, budget: int, policy: Policy) -> float:
    """Return the probability of reaching the goal under a policy, by forward induction."""
    goal = frozenset(action.reaches for action in task.actions)
    probabilities: dict[State, float] = {frozenset(): 1.0}
    for left in range(budget, 0, -1):
        after: dict[State, float] = {}
        for state, probability in probabilities.items():
            if state == goal:
                after[state] = after.get(state, 0) + probability
                continue
            action = task.actions[policy[state, left]]
            reliability = rate ** TOOLS[action.call.tool].weight
            better = state | {action.reaches}
            after[better] = after.get(better, 0) + probability * reliability
            after[state] = after.get(state, 0) + probability * (1 - reliability)
        probabilities = after
    return probabilities.get(goal, 0)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("budget", [2, 3, 4])
@pytest.mark.parametrize("rate", [0.9, 0.5])
def test_no_policy_has_a_higher_probability_of_success(name: str, budget: int, rate: float) -> None:
    task = make_task(*SMALL[name])
    best = max(evaluate(task, rate, budget, policy) for policy in enumerate_policies(task, budget))
    assert solve(task, rate, budget).probability == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("task_type", TaskType)
def test_the_plan_is_the_same_for_every_rate_and_budget(task_type: TaskType) -> None:
    """Reliability decides between tools, not between equivalent orders; so flaws proved on one plan stay valid."""
    for instance in range(6):
        task = generate_task(TaskKey(task_type, Difficulty.EASY, instance, 0))
        plans = [plan(task, rate, turns) for rate in (0.05, 0.3, 0.8, 0.95, 1.0) for turns in (2, 6, 9, 30)]
        assert plans == [perfect_plan(task)] * len(plans)


@pytest.mark.parametrize("task_type", TaskType)
def test_no_step_precedes_a_step_that_it_refers_to(task_type: TaskType) -> None:
    for instance in range(5):
        workflow = perfect_plan(generate_task(TaskKey(task_type, Difficulty.HARD, instance, 0)))
        for number, step in enumerate(workflow.steps, start=1):
            assert all(used < number for used in step.call.references)


def simulate(task: Task, workflow: Workflow, rate: float, budget: int, rng: Random) -> bool:
    """Follow the workflow for up to `budget` calls with random faults; return whether the goal was reached."""
    world, progress = task.world, begin(workflow)
    for _ in range(budget):
        call = next_call(workflow, progress)
        if call is None:
            break
        is_fault = rng.random() >= rate ** TOOLS[call.tool].weight
        if is_fault:
            progress = advance(workflow, progress, StepResult(is_success=False, is_transient=True))
            continue
        world, result = invoke(world, call.tool, call.arguments)
        progress = advance(workflow, progress, step_result(result))
    is_done = next_call(workflow, progress) is None
    answer = read_answer(answer_text(workflow, progress)) if is_done else None
    return has_delivered(task, reached_milestones(task, world, answer))


@pytest.mark.parametrize("task_type", TaskType)
@pytest.mark.parametrize(("rate", "spare"), [(0.8, 1), (0.6, 3)])
def test_the_predicted_probability_is_the_simulated_success_rate(task_type: TaskType, rate: float, spare: int) -> None:
    """The difference is less than four standard errors."""
    episodes, task = 250, generate_task(TaskKey(task_type, Difficulty.MEDIUM, 3, 0))
    budget = len(perfect_plan(task).steps) + spare
    solution = solve(task, rate, budget)
    rng = Random(f"{task_type}/{rate}")
    hits = sum(simulate(task, solution.workflow, rate, budget, rng) for _ in range(episodes))
    assert 0.1 < solution.probability < 0.95
    assert abs(hits / episodes - solution.probability) < 4 * sqrt(
        solution.probability * (1 - solution.probability) / episodes
    )


def test_the_predicted_probabilities_match_the_successes_of_the_follower_in_real_episodes() -> None:
    """With the benchmark's own faults and a tight turn limit."""
    expected, variance, successes = 0.0, 0.0, 0
    for instance in range(80):
        case = make_case(PromptType.OPTIMAL, TaskType.BASIC_TASK, rate=0.7, instance=instance, max_turns=6)
        conversation = run_agent("follower", case)
        task = conversation.guidance.task
        probability = solve(task, 0.7, count_calls(task, 6)).probability
        expected, variance = expected + probability, variance + probability * (1 - probability)
        outcome = score(case, conversation.guidance, conversation.events).outcome
        successes += outcome is Outcome.FULL
    assert 16 < successes < 75
    assert abs(successes - expected) < 4 * sqrt(variance)


def test_references_between_milestones_become_references_between_steps() -> None:
    steps = perfect_plan(generate_task(TaskKey(TaskType.DATA_PIPELINE, Difficulty.EASY, 0, 0))).steps
    used = [referenced_step(value) for step in steps for value in step.call.arguments.values()]
    assert [number for number in used if number] == list(range(1, len(steps)))
    assert steps[0] == Step(steps[0].call)
