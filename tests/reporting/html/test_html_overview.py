"""The overview: figures with their denominators, charts that are also tables, and notices."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pytest_ultra.core.axes import FaultKind, PromptType, Severity
from pytest_ultra.core.case import Versions
from pytest_ultra.core.episode import FailureClass
from pytest_ultra.core.figures import (
    Comparison,
    Counts,
    Discernment,
    ModelDifference,
    ModelFigures,
    Rate,
    Repeats,
    Robustness,
    Row,
    Summary,
)
from pytest_ultra.core.paired_evidence import Caveat, Evidence, PairedDifference
from pytest_ultra.reporting.html import number_format
from pytest_ultra.reporting.html.overview import Overview, make_overview, make_title
from pytest_ultra.reporting.html.overview_tables import ConductLine, RecoveryLine
from pytest_ultra.reporting.html.plot_scales import Scale
from pytest_ultra.reporting.html.run_facts import RunFacts

LOSS = PairedDifference(
    pairs=40,
    won=1,
    lost=9,
    tasks=20,
    low=-0.35,
    high=-0.05,
    p_value=0.021,
    p_adjusted=0.04,
    detectable=0.21,
    evidence=Evidence.WORSE,
)


def make_row(prompt_type: PromptType = PromptType.OPTIMAL, model: str = "m", **fields: Any) -> Row:
    values: dict[str, Any] = {
        "severity": None,
        "tool_success_rate": None,
        "counts": Counts(full=30, partial=2, failed=8),
        "success": Rate(30, 40, 0.598, 0.858),
        "difference": None,
        "mean_calls": 5.0,
        "mean_tokens": 9000.0,
        "mean_duration_s": 2.0,
    }
    return Row(model, prompt_type, **(values | fields))


def make_summary(*rows: Row, **fields: Any) -> Summary:
    values: dict[str, Any] = {
        "counts": Counts(full=30, partial=2, failed=8),
        "failure_classes": (),
        "demo_models": (),
        "versions": (Versions(),),
    }
    return Summary(rows, **(values | fields))


def overview(*rows: Row, facts: RunFacts | None = None, **fields: Any) -> Overview:
    return make_overview(make_summary(*rows, **fields), facts or RunFacts("run"), "a model")


def test_headline_figures_carry_their_denominators() -> None:
    facts = RunFacts("run", duration_s=75.0)
    counts = Counts(full=30, partial=2, failed=8, error=3, skipped=1)
    tiles = {
        tile.label: (tile.value, tile.note)
        for tile in overview(make_row(), facts=facts, counts=counts, reused=5, cost=1.5).tiles
    }
    assert tiles == {
        "Scored": ("40", "of 44 planned; 3 error, 1 skipped; 5 reused from earlier runs"),
        "Tokens": ("360,000", "prompts and completions, scored cases"),
        "Cost": ("$1.50", "excluding reused cases"),
        "Duration": ("1 min 15 s", "wall-clock, whole run"),
    }


def test_a_figure_that_was_not_measured_is_a_dash() -> None:
    nothing = make_row(counts=Counts(error=2), success=None, mean_calls=None, mean_tokens=None, mean_duration_s=None)
    made = overview(nothing, counts=Counts(error=2))
    assert [tile.value for tile in made.tiles] == ["0", "-", "-", "-"]
    assert made.heat.bands[0].rows[0].cells[0] is not None
    assert (made.heat.bands[0].rows[0].cells[0].text, made.heat.bands[0].rows[0].cells[0].detail) == (
        "-",
        "none of 2 scored",
    )
    assert (made.forest, made.failures, made.reliability, made.repeats, made.robustness) == (None, None, None, (), ())


def test_the_heat_map_has_a_row_for_each_prompt_type_and_a_column_for_each_model() -> None:
    made = overview(
        make_row(PromptType.COT),
        make_row(),
        make_row(PromptType.FLAWED_MISSING_STEP, severity=Severity.LIGHT),
        make_row(model="other"),
    ).heat
    assert made.columns == ("m", "other")
    assert [(band.title, [row.label for row in band.rows]) for band in made.bands] == [
        ("No plan", ["cot"]),
        ("Sound plan", ["optimal"]),
        ("Flawed plan", ["missing step"]),
    ]
    missing = made.bands[2].rows[0]
    assert (missing.severity, missing.cells[1]) == ("light", None)
    cell = missing.cells[0]
    assert cell is not None
    assert (cell.text, cell.detail, cell.level) == ("75%", "59.8 to 85.8%, n 40", 8)
    assert dict(cell.link) == {"model": "m", "prompt_type": "flawed_missing_step", "severity": "light"}


def test_a_difference_has_its_interval_pairs_and_corrected_p() -> None:
    forest = overview(make_row(PromptType.FLAWED_TOOL_MISUSE, difference=LOSS)).forest
    assert forest is not None
    (line,) = forest.bands[0].lines
    assert (line.label, line.points, line.interval) == (
        "tool misuse",
        "\N{MINUS SIGN}20",
        "\N{MINUS SIGN}35 to \N{MINUS SIGN}5",
    )
    assert (line.pairs, line.p_value, line.detectable) == ("40 (1 won, 9 lost)", "0.040", "21")
    assert (line.verdict, line.whisker.is_evident, line.whisker.is_loss) == ("worse", True, True)
    assert line.whisker.interval is not None
    assert float(line.whisker.interval[0][:-1]) < float(line.whisker.at[:-1]) < float(forest.zero[:-1])


def test_a_difference_that_so_few_tasks_cannot_show_has_no_interval_p_or_filled_dot() -> None:
    caveats = (Caveat.FEW_TASKS, Caveat.UNPAIRED)
    few = msgspec.structs.replace(LOSS, p_adjusted=None, detectable=None, caveats=caveats, evidence=Evidence.NONE)
    forest = overview(make_row(PromptType.COT, difference=few)).forest
    assert forest is not None
    (line,) = forest.bands[0].lines
    assert (line.verdict, line.interval, line.p_value, line.detectable) == ("too few", "-", "-", "-")
    assert line.notes == ("some cases have no scored counterpart",)
    assert (line.whisker.interval, line.whisker.is_evident, forest.has_uncorrected) == (None, False, False)
    assert forest.too_few == "Too few tasks: not even 50 points would have shown."


def test_a_dot_is_filled_by_the_verdict_and_a_p_that_is_not_corrected_is_marked() -> None:
    weak = msgspec.structs.replace(LOSS, p_adjusted=None, evidence=Evidence.NONE)
    forest = overview(make_row(PromptType.COT, difference=weak)).forest
    assert forest is not None
    (line,) = forest.bands[0].lines
    assert (line.verdict, line.p_value, line.whisker.is_evident) == ("no evidence", "0.021*", False)
    assert (line.whisker.interval is None, forest.has_uncorrected, forest.too_few) == (False, True, "")


def test_each_flaw_has_the_models_beside_each_other_and_all_flaws_together_come_first() -> None:
    pooled = [
        Comparison("one", None, None, LOSS),
        Comparison("two", None, None, LOSS),
        Comparison("x", None, None, None),
    ]
    rows = [
        make_row(kind, model, difference=LOSS)
        for model in ("one", "two")
        for kind in (PromptType.COT, PromptType.FLAWED_MISSING_STEP)
    ]
    forest = make_overview(make_summary(*rows), RunFacts("run"), "a model", pooled).forest
    assert forest is not None
    assert [(band.title, [(line.label, line.style) for line in band.lines]) for band in forest.bands] == [
        (title, [("one", 0), ("two", 1)]) for title in ("all flawed plans", "missing step", "cot")
    ]


def test_a_card_has_the_figures_of_a_model_with_their_denominators() -> None:
    figures = ModelFigures(
        "m",
        Counts(full=30, failed=10, error=1),
        Rate(30, 40, 0.598, 0.858),
        flawed=LOSS,
        recovery=Rate(9, 10, 0.6, 0.98),
        false_success=Rate(2, 40, 0.0, 0.2),
        mean_calls=5.25,
        mean_cost=0.004,
        mean_duration_s=2.0,
        estimated_requests=1,
    )
    classes = (FailureClass.GAVE_UP, 6), (FailureClass.MAX_TURNS, 2), (FailureClass.ENDPOINT, 9)
    other = make_row(model="other", failure_classes=((FailureClass.REFUSED, 7),))
    (card,) = overview(make_row(failure_classes=classes), other, model_figures=(figures,)).cards
    assert (card.name, card.success, card.interval) == ("m", "75%", "59.8 to 85.8%")
    assert card.n == "30 of 40 full; 41 planned"
    assert [(fact.label, fact.value, fact.note) for fact in card.facts] == [
        ("Flawed plans against optimal", "\N{MINUS SIGN}20 points", "worse; 95% \N{MINUS SIGN}35 to \N{MINUS SIGN}5"),
        ("Tool faults dealt with", "90%", "9 of 10"),
        ("False success", "5%", "2 of 40 not done, yet claimed"),
        ("Calls per case", "5.2", ""),
        ("Cost per case", "~$0.0040", ""),
        ("Time per case", "2.0 s", ""),
    ]
    assert [(failure.label, failure.count) for failure in card.failures] == [("gave up", 6), ("max turns", 2)]
    assert dict(card.failures[0].link) == {"model": "m", "failure_class": "gave_up"}


def test_the_verdict_sentences_are_those_of_the_terminal() -> None:
    made = overview(make_row(), model_figures=(ModelFigures("m", Counts(full=1), None, flawed=LOSS),))
    assert made.sentences == ("Flawed plans make m worse by 20 points (95%: 5 to 35, p = 0.040).",)
    two = (ModelDifference("b", "a", LOSS),)
    named = tuple(ModelFigures(name, Counts(full=1), None) for name in "ab")
    assert overview(make_row(), models=two, model_figures=named).sentences == (
        "a is better than b by 20 points (95%: 5 to 35, p = 0.040).",
    )


def test_robustness_figures_have_their_denominators() -> None:
    robustness = Robustness(0.8, 0.25, 12, recovered=7, extra_calls=-1.25, extra_tokens=1500.0, extra_cost=0.004)
    row = make_row(PromptType.FLAWED_TOOL_MISUSE, robustness=robustness, recovery=Rate(9, 10, 0.6, 0.98))
    (band,) = overview(row).robustness
    line: Any = band.lines[0]
    assert (line.resilience, line.over_trust, line.damaged) == ("80%", "25%", "12")
    assert (line.recovery, line.faults) == ("90%", "9 of 10")
    assert (line.recovered, line.extra_calls, line.extra_tokens, line.extra_cost) == (
        "7",
        "\N{MINUS SIGN}1.2",
        "+1,500",
        "+$0.0040",
    )


def test_failure_classes_are_grouped_by_responsibility_and_counted_by_model() -> None:
    classes = ((FailureClass.GAVE_UP, 6), (FailureClass.ENDPOINT, 4))
    counts = Counts(full=30, failed=6, error=4)
    rows = [make_row(counts=counts, failure_classes=classes), make_row(model="other", counts=Counts(full=1))]
    made = overview(*rows, failure_classes=classes, counts=counts).failures
    assert made is not None
    assert made.models == ("m", "other")
    assert [
        (side.title, [(line.label, [(cell.count, cell.share) for cell in line.cells]) for line in side.lines])
        for side in made.sides
    ] == [
        ("The model", [("gave up", [(6, "15%"), (0, "0%")])]),
        ("The infrastructure, not scored", [("endpoint", [(4, "10%"), (0, "0%")])]),
    ]


def test_several_rates_make_a_curve_for_each_prompt_type() -> None:
    rates = {0.6: 10, 0.8: 20, 1.0: 40}
    rows = [make_row(tool_success_rate=rate, success=Rate(n, 40, 0.1, 0.9)) for rate, n in rates.items()]
    chart = overview(*rows).reliability
    assert chart is not None
    assert chart.rates == ("60%", "80%", "100%")
    (line,) = chart.panels[0].lines
    assert line.figures == (("25%", "10 of 40"), ("50%", "20 of 40"), ("100%", "40 of 40"))
    heights = [float(dot.y[:-1]) for dot in line.dots]
    assert heights == sorted(heights, reverse=True), "the more success, the higher"
    assert [dot.previous for dot in line.dots] == [
        None,
        (line.dots[0].x, line.dots[0].y),
        (line.dots[1].x, line.dots[1].y),
    ]


def test_repeats_have_figures() -> None:
    (band,) = overview(make_row(repeats=(Repeats(3, 0.9, 0.5, 20),))).repeats
    line: Any = band.lines[0]
    assert line.figures == (("3", "90%", "50%", 20),)


@pytest.mark.parametrize(
    ("fields", "facts", "expected"),
    [
        (
            {"demo_models": ("demo",)},
            {},
            "Demo models are scripted agents: these figures say nothing about any real model.",
        ),
        (
            {},
            {"interruption": "the budget is spent"},
            "The run was interrupted: the budget is spent; this report covers what it had finished.",
        ),
        (
            {"counts": Counts(full=1, error=2)},
            {},
            "2 cases had an infrastructure error, which does not count as a failure.",
        ),
        ({"counts": Counts(full=1, skipped=1)}, {}, "1 case was not run; it is not scored."),
        ({"counts": Counts(full=1, skipped=3)}, {}, "3 cases were not run; they are not scored."),
    ],
)
def test_notices(fields: dict[str, Any], facts: dict[str, Any], expected: str) -> None:
    assert expected in overview(make_row(), facts=RunFacts("run", **facts), **fields).notices


def test_several_versions_have_a_notice() -> None:
    notices = overview(make_row(), versions=(Versions(), Versions(2))).notices
    assert any(text.startswith("Episodes of 2 versions (") for text in notices)


def test_limits_of_the_differences_are_listed_once() -> None:
    clustered = msgspec.structs.replace(LOSS, caveats=(Caveat.CLUSTERED,))
    made = overview(make_row(PromptType.COT, difference=clustered))
    assert made.forest is not None
    assert made.forest.bands[0].lines[0].notes == ()
    assert made.caveats == ("Detectable with 80% power: 21 points.",)


@pytest.mark.parametrize(
    ("formatted", "expected"),
    [
        (number_format.share(0.9999), "99.9%"),
        (number_format.share(0.0001), "0.1%"),
        (number_format.share(1), "100%"),
        (number_format.share(0.333), "33.3%"),
        (number_format.points(-0.2), "\N{MINUS SIGN}20"),
        (number_format.points(0.125), "+12.5"),
        (number_format.points(-0.0001), "0"),
        (number_format.large_number(12_345_678.0), "12.35 M"),
        (number_format.large_number(999_999.0), "999,999"),
        (number_format.seconds(3_725.0), "1 h 2 min"),
        (number_format.p_value(0.0001), "< 0.001"),
        (number_format.signed_money(-0.5), "\N{MINUS SIGN}$0.50"),
        (number_format.signed(-1.25), "\N{MINUS SIGN}1.2"),
    ],
)
def test_numbers_are_short_and_not_misleading(formatted: str, expected: str) -> None:
    assert formatted == expected


def test_a_scale_clips_values_to_the_chart() -> None:
    scale = Scale(0, 1, margin=10)
    assert [scale.at(value) for value in (-1, 0, 0.5, 1, 7)] == ["10%", "10%", "50%", "90%", "90%"]
    assert [Scale(1, 0, margin=0).at(value) for value in (1, 0)] == ["0%", "100%"]


def test_harm_false_success_and_discernment_have_panels_of_their_own() -> None:
    row = make_row(PromptType.OPTIMAL, harm=Rate(2, 40, 0.0, 0.2), false_success=Rate(10, 40, 0.1, 0.4))
    found = Discernment("m", 40, 10, 200, 1, 3.14159, -0.2, 30, 0.4)
    shown = overview(row, discernment=(found,))
    (line,) = shown.discernment
    assert (line.d_prime, line.bias, line.over_trust, line.distrust) == ("3.14", "\N{MINUS SIGN}0.20", "25%", "0.5%")
    assert (line.damaged, line.sound, line.look_ups, line.sound_plans) == ("40", "200", "0.4", "30")
    (conduct,) = shown.conduct[0].lines
    assert isinstance(conduct, ConductLine)
    assert (conduct.harm, conduct.harmed, conduct.false_success) == ("5%", "2 of 40", "25%")
    nothing = overview(make_row(PromptType.OPTIMAL))
    assert (nothing.discernment, nothing.conduct) == ((), ())


def test_recovery_by_kind_is_shown_if_any_fault_is_not_transient() -> None:
    transient = (FaultKind.TRANSIENT, Rate(9, 10, 0.6, 0.98))
    row = make_row(recovery_by_kind=(transient, (FaultKind.IMPLICIT, Rate(1, 4, 0.1, 0.7))))
    other = make_row(PromptType.COT, recovery_by_kind=(transient,))
    table = overview(row, other).recovery
    assert table is not None
    assert table.kinds == ("transient", "implicit")
    assert [line.figures for band in table.bands for line in band.lines if isinstance(line, RecoveryLine)] == [
        (("90%", "9 of 10"), ("25%", "1 of 4")),
        (("90%", "9 of 10"), (number_format.DASH, number_format.DASH)),
    ]
    assert overview(other).recovery is None


def test_the_title_names_the_models_of_both_runs_and_only_some_of_many() -> None:
    runs = [make_summary(*(make_row(model=name) for name in names)) for names in (["a", "b"], ["b", "c"])]
    assert make_title(runs[:1]) == "a and b"
    assert make_title(runs) == "a, b and c"
    assert make_title(runs, max_models=2) == "a, b and 1 more"
    assert make_title([make_summary()]) == "No cases"
