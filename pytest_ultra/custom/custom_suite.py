"""A user's suite as the engine and the commands know suites; see `core.suite.Suite`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import msgspec

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.case import Case, SuiteTaskKey, TaskKey
from pytest_ultra.core.episode import Score
from pytest_ultra.core.estimate import Estimate
from pytest_ultra.core.goal_report import GoalReport
from pytest_ultra.core.guidance import FlawedWorkflow, Guidance
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import Answered, Event, GoalCheck, StateChange, ToolResult
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.custom.custom_task import CustomGuidance, CustomTask, with_fallbacks
from pytest_ultra.custom.goal_state import gather
from pytest_ultra.custom.own_flaws import make_injector
from pytest_ultra.custom.reference_recording import Recording, record_reference
from pytest_ultra.custom.suite_conversation import SuiteConversation, turn_limit
from pytest_ultra.custom.suite_definition import Suite, TaskDefinition
from pytest_ultra.custom.suite_faults import FaultyCalls
from pytest_ultra.custom.suite_plan_context import SuitePlanContext, describe_tools
from pytest_ultra.custom.suite_rehearsal import SuiteRehearsal, rehearse, run_check
from pytest_ultra.custom.suite_score import score_episode
from pytest_ultra.custom.tool_run import Stage
from pytest_ultra.errors import ConfigurationError, UnflawableError
from pytest_ultra.flaws.alternative import make_alternative
from pytest_ultra.flaws.injection import inject
from pytest_ultra.flaws.linter import lint
from pytest_ultra.flaws.own_plans.flaw_library import describe_finding
from pytest_ultra.flaws.own_plans.schema_context import keep_answer_path, make_signatures
from pytest_ultra.flaws.plan_context import Rehearsal

CHARS_PER_TOKEN = 4.0
_FRAME_CHARS = 180.0  # of the JSON around a call and its result
_ANSWER_CHARS = 160.0


class TaskIdentity(msgspec.Struct, frozen=True):
    """What the cases of a task have in common: the suite's name, the version, and the difficulty."""

    suite: str
    version: str
    difficulty: str


class CustomSuite:
    """A suite of the user's own. Without its `definition`, it scores and shows stored episodes, but can run none."""

    task_type = CustomTask

    def __init__(self, definition: Suite | None = None) -> None:
        self._definition = definition
        self._recordings: dict[tuple[str, int], Recording | None] = {}
        self._tasks: dict[TaskKey, CustomTask] = {}
        self._missing: dict[Hashable, str | None] = {}
        self._other_ways: dict[tuple[TaskKey, str], bool] = {}

    def begin(self, case: Case, guidance: CustomGuidance, /) -> SuiteConversation:
        if self._definition is None:
            return SuiteConversation.begin(case, guidance, None, _call_nothing, _check_nothing)
        suite, task = self._definition, guidance.task

        def misses_goal(number: int, wrong: Json) -> bool:
            end = self._rehearse(task, guidance.optimal, wrong_outputs={number: wrong})
            return not end.has_delivered or end.has_harmed

        faulty = FaultyCalls(suite, case, task, misses_goal, lambda tool: self._has_other_way(task, tool))
        return SuiteConversation.begin(case, guidance, suite.open(), faulty, self._checker(task))

    def score(self, case: Case, guidance: CustomGuidance, events: Sequence[Event], /) -> Score:
        return score_episode(case, guidance, events)

    def check_goal(self, guidance: CustomGuidance, events: Sequence[Event], /) -> GoalReport:
        evidence = gather(guidance.task, events)
        return GoalReport(evidence.milestones, tuple(harm.text for harm in evidence.harms))

    def make_task(self, case: Case, /) -> CustomTask:
        """Record the reference of a case's task. Raises ConfigurationError if it fails, or leaves no goal."""
        return self._task(case.task_key)

    def _task(self, key: TaskKey) -> CustomTask:
        if not isinstance(key, SuiteTaskKey):
            raise TypeError("the key is that of a task of the built-in benchmark")
        if key not in self._tasks:
            self._tasks[key] = self._make_task(key)
        return self._tasks[key]

    def _make_task(self, key: SuiteTaskKey) -> CustomTask:
        suite, definition = self._own(), self._find(key.task_type)
        recording = self._record(definition, key.instance)
        stage = suite.open()
        before = dict(stage.state())
        stage.close()
        task = CustomTask(
            key=key,
            words=definition.words_of(key.instance),
            tools=tuple(suite.tools),
            schemas=tuple(tool.schema for tool in suite.tools.values()),
            system=suite.system,
            before=before,
            steps=recording.steps if recording else (),
            goal=recording.goal if recording else StateChange(),
            answer=recording.answer if recording else definition.answer_of(key.instance),
            is_checked=definition.check is not None,
            read_only=self._read_only(),
            outputs={name: tool.output for name, tool in suite.tools.items() if tool.output is not None},
        )
        if recording is not None:
            self._check_reference(task, recording.workflow, definition.title)
        return task

    def make_guidance(
        self, case: Case, *, task: CustomTask | None = None, optimal: Workflow | None = None
    ) -> CustomGuidance:
        """See `core.suite.Suite`. Raises UnflawableError if the reference cannot have the case's plan."""
        task = task or self._task(case.task_key)
        recording = self._record(self._find(task.key.task_type), task.key.instance)
        if recording is None:
            return Guidance(task, Workflow(()))
        optimal = optimal or recording.workflow
        return Guidance(task, optimal, self._flaw(case, task, optimal), self._alternative(case, task, optimal))

    def expect_requests(self, case: Case, guidance: CustomGuidance, /) -> float:
        return min(len(guidance.optimal.steps) / case.tool_success_rate + 1, float(turn_limit(case, guidance)))

    def estimate(self, case: Case, guidance: CustomGuidance, /) -> Estimate:
        """Estimate what an agent takes that follows the reference, one call a turn."""
        requests = self.expect_requests(case, guidance)
        request = CustomSuite().begin(case, guidance).request()
        opening = len(msgspec.json.encode((request.messages, request.tools)))
        sizes = [len(msgspec.json.encode(step.call)) for step in guidance.optimal.steps] or [0]
        call = sum(sizes) / len(sizes)
        growth = (_FRAME_CHARS + _ANSWER_CHARS + call) * requests * (requests - 1) / 2
        prompt, completion = requests * opening + growth, requests * (call + _FRAME_CHARS / 4)
        return Estimate(requests, requests - 1, prompt / CHARS_PER_TOKEN, completion / CHARS_PER_TOKEN)

    def identify(self, name: str) -> TaskIdentity:
        suite, task = self._own(), self._find(name)
        return TaskIdentity(suite.name, suite.task_version(task), task.difficulty)

    def find_missing_plan(self, case: Case) -> str | None:
        """Return why a case's task cannot have the plan that the case shows, in words; None if it can."""
        task = self._find(case.task_type)
        if case.instance >= task.instances:
            return f"no instance beyond {task.instances}, for it is given no more values (--ultra-repeats asks again)"
        if task.reference is None:
            has_plan = case.prompt_type.has_plan
            return "no plans, for it has no reference workflow" if has_plan else None
        place = (case.task_key, case.prompt_type, case.severity, case.flaw_visibility, case.flaws)
        if place not in self._missing:
            self._missing[place] = self._try_plan(case)
        return self._missing[place]

    def _try_plan(self, case: Case) -> str | None:
        try:
            self.make_guidance(case)
        except UnflawableError as error:
            return str(error)
        return None

    def _own(self) -> Suite:
        if self._definition is None:
            raise ConfigurationError("the suite of these cases is not loaded; run them with --ultra-suite module:attr")
        return self._definition

    def _find(self, name: str) -> TaskDefinition:
        suite = self._own()
        if name not in suite.tasks:
            raise ConfigurationError(f"the suite {suite.name!r} has no task {name!r}; it has {', '.join(suite.tasks)}")
        return suite.tasks[name]

    def _record(self, definition: TaskDefinition, instance: int) -> Recording | None:
        place = (definition.name, instance % max(1, len(definition.given)))
        if place not in self._recordings:
            self._recordings[place] = record_reference(self._own(), definition, instance)
        return self._recordings[place]

    def _read_only(self) -> tuple[str, ...]:
        """Return the tools that say so, and those that no reference shows to change anything."""
        recordings = [self._record(each, 0) for each in self._own().tasks.values()]
        steps = [step for recording in recordings if recording for step in recording.steps]
        changing = {step.tool for step in steps if step.has_changed}
        looking = {step.tool for step in steps} - changing
        tools = self._own().tools.items()
        return tuple(name for name, tool in tools if tool.read_only or (tool.read_only is None and name in looking))

    def _check_reference(self, task: CustomTask, workflow: Workflow, title: str) -> None:
        findings = lint(workflow, make_signatures(describe_tools(task), workflow))
        if task.is_checked:  # its goal may be something else than a change or an answer
            findings = tuple(finding for finding in findings if finding.step is not None)
        if findings:
            listed = "; ".join(map(describe_finding, findings[:3]))
            raise ConfigurationError(f"the reference of the task {title} is no sound plan: {listed}")
        end = self._rehearse(task, workflow)
        if not end.has_delivered or end.has_harmed:
            raise ConfigurationError(
                f"the reference of the task {title} misses its goal when its plan is followed step by "
                "step; tools must do the same each time, and the check must agree with the reference"
            )
        for tool in dict.fromkeys(step.tool for step in task.steps if step.fallback):
            end = self._rehearse(task, with_fallbacks(task, workflow), down=tool)
            if not end.has_delivered or end.has_harmed:
                raise ConfigurationError(
                    f"the reference of the task {title} misses its goal where {tool} is down and its fallbacks are "
                    f"called; give each step with {tool} a fallback that does the same"
                )

    def _rehearse(
        self,
        task: CustomTask,
        workflow: Workflow,
        *,
        left_out: int | None = None,
        wrong_outputs: dict[int, Json] | None = None,
        down: str | None = None,
    ) -> SuiteRehearsal:
        stage, check = self._own().open(), self._checker(task)
        return rehearse(stage, task, workflow, check, left_out=left_out, wrong_outputs=wrong_outputs, down=down)

    def _has_other_way(self, task: CustomTask, tool: str) -> bool:
        """Return whether the goal is reached without a tool by the fallbacks of the reference, and not without them."""
        place = (task.key, tool)
        if place not in self._other_ways:
            recording = self._record(self._find(task.key.task_type), task.key.instance)
            plan = recording.workflow if recording else Workflow(())
            ways = (with_fallbacks(task, plan), plan)
            reached = [end.has_delivered and not end.has_harmed for end in self._rehearse_all(task, ways, tool)]
            self._other_ways[place] = reached == [True, False]
        return self._other_ways[place]

    def _rehearse_all(self, task: CustomTask, workflows: Iterable[Workflow], down: str) -> Iterator[SuiteRehearsal]:
        return (self._rehearse(task, workflow, down=down) for workflow in workflows)

    def has_other_ways(self, case: Case) -> bool:
        """Return whether a tool of a case's task can be down for good, because the task has another way."""
        task = self._task(case.task_key)
        return any(self._has_other_way(task, step.tool) for step in task.steps if step.fallback)

    def _checker(self, task: CustomTask) -> Callable[[Stage, Json], GoalCheck | None]:
        check = self._find(task.key.task_type).check
        return lambda stage, answer: run_check(check, stage, answer)

    @contextmanager
    def _context(self, task: CustomTask, optimal: Workflow) -> Iterator[SuitePlanContext]:
        def follow(workflow: Workflow, left_out: int | None) -> Rehearsal:
            return self._rehearse(task, workflow, left_out=left_out)

        stage = self._own().open()
        yield SuitePlanContext(task, optimal, follow, stage)
        stage.close()

    def _flaw(self, case: Case, task: CustomTask, optimal: Workflow) -> FlawedWorkflow | None:
        kind = case.prompt_type.flaw_kind
        if kind is None or case.severity is None:
            return None
        own = self._own().flaws.get(case.prompt_type)
        injector = make_injector(kind, own) if own else None
        wanted, flaws = case.flaw_visibility, case.flaws
        with self._context(task, optimal) as context:
            flawed = inject(context, optimal, kind, case.severity, visibility=wanted, flaws=flaws, injector=injector)
        if flawed is None:
            raise UnflawableError(f"no {case.severity} {kind} that can be proved")
        return msgspec.structs.replace(flawed, workflow=keep_answer_path(flawed.workflow, optimal))

    def _alternative(self, case: Case, task: CustomTask, optimal: Workflow) -> Workflow | None:
        if case.prompt_type is not PromptType.ALTERNATIVE:
            return None
        with self._context(task, optimal) as context:
            alternative = make_alternative(context, optimal)
        if alternative is None:
            raise UnflawableError("no alternative that can be proved")
        return keep_answer_path(alternative, optimal)


def _call_nothing(
    stage: Stage, name: str, arguments: dict[str, Json] | None, earlier: Sequence[Answered]
) -> tuple[Stage, ToolResult]:
    del name, arguments, earlier
    return stage, ToolResult(code="NO_SUITE", message="The suite is not loaded.")


def _check_nothing(stage: Stage, answer: Json) -> GoalCheck | None:
    del stage, answer
    return None
