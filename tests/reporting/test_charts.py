"""Charts for papers: drawn if the run has figures, with text as text, and the same bytes for the same run."""

from __future__ import annotations

import re
import subprocess
import sys

import msgspec
import pytest

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import FailureClass
from pytest_ultra.core.figures import Counts, ModelFigures, Rate, Row, Summary
from pytest_ultra.core.paired_evidence import Evidence, PairedDifference
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.reporting.charts.chart_style import LOSS as LOSS_HUE
from pytest_ultra.reporting.charts.chart_style import Format
from pytest_ultra.reporting.charts.charts import CHARTS, Look, draw_charts
from pytest_ultra.reporting.charts.difference_chart import draw_differences

LOSS = PairedDifference(pairs=10, won=0, lost=4, low=-0.7, high=-0.1, evidence=Evidence.WORSE)
FEW = PairedDifference(pairs=4, won=0, lost=4, low=-1.0, high=-0.1)


def make_row(prompt_type: PromptType, rate: float | None = None, model: str = "m$1$") -> Row:
    success = Rate(6, 10, 0.31, 0.83)
    difference = LOSS if prompt_type.flaw_kind else None
    return Row(
        model, prompt_type, None, rate, Counts(full=6, failed=4), success, difference, 5.0, 9000.0, 2.0, mean_cost=0.01
    )


def make_summary(*rates: float | None) -> Summary:
    rows = [make_row(kind, rate) for rate in rates for kind in (PromptType.OPTIMAL, PromptType.FLAWED_MISSING_STEP)]
    classes = ((FailureClass.GAVE_UP, 4), (FailureClass.ENDPOINT, 1))
    model = ModelFigures("m$1$", Counts(full=12, failed=8), Rate(12, 20, 0.39, 0.78), LOSS)
    return Summary(tuple(rows), Counts(full=6, failed=4, error=1), classes, (), model_figures=(model,))


def draw(summary: Summary, *formats: Format) -> dict[str, bytes]:
    return dict(draw_charts(summary, formats))


@pytest.fixture(scope="module")
def drawn() -> dict[str, bytes]:
    """Return all charts of a summary, in all formats."""
    return draw(make_summary(0.6, 1.0), *Format)


def test_each_chart_is_written_in_each_format(drawn: dict[str, bytes]) -> None:
    assert list(drawn) == [f"{name}.{file_format}" for name in CHARTS for file_format in Format]
    for name, content in drawn.items():
        head = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[name.rpartition(".")[2]]
        assert content.startswith(head)


def test_the_same_run_always_gives_the_same_bytes(drawn: dict[str, bytes]) -> None:
    again = draw(make_summary(0.6, 1.0), Format.SVG)
    assert again == {name: content for name, content in drawn.items() if name.endswith(".svg")}
    one_chart = Summary((), Counts(failed=1), ((FailureClass.GAVE_UP, 1),), ())
    assert draw(one_chart, *Format) == draw(one_chart, *Format)


@pytest.mark.parametrize(("difference", "intervals", "fill"), [(LOSS, 1, LOSS_HUE), (FEW, 0, "white")])
def test_too_few_tasks_have_a_hollow_dot_without_an_interval(
    difference: PairedDifference, intervals: int, fill: str
) -> None:
    row = msgspec.structs.replace(make_row(PromptType.FLAWED_MISSING_STEP), difference=difference)
    figure = draw_differences(Summary((row,), Counts(full=6, failed=4), (), ()))
    assert figure is not None
    *drawn, dot, _ = figure.axes[0].get_lines()
    assert (len(drawn), dot.get_markerfacecolor()) == (intervals, fill)


def test_a_chart_without_figures_is_left_out() -> None:
    assert "tool-success-rate.svg" not in draw(make_summary(None), Format.SVG)
    assert draw(Summary((), Counts(), (), ()), Format.SVG) == {}


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        ("models", ["m$1$ (20)", "success, %, 95% interval (n)", "flawed plans, points"]),
        ("heat-map", ["m$1$ tools 60%", "missing step", "60%", "31 to 83%, n 10"]),
        ("paired-differences", ["flawed: missing step (10)", "points against the optimal plan, 95% interval (pairs)"]),
        ("tool-success-rate", ["tool success rate, %", "optimal", "flawed: missing step"]),
        ("failure-classes", ["gave up", "endpoint (not scored)", "cases, of 11 run"]),
        ("cost-and-latency", ["thousand tokens per case", "seconds per case", "US dollars per case"]),
    ],
)
def test_text_is_kept_as_text_and_labels_the_figures(drawn: dict[str, bytes], chart: str, expected: list[str]) -> None:
    svg = drawn[f"{chart}.svg"].decode()
    texts = [re.sub(r"\s+", " ", text).strip() for text in re.findall(r"<text[^>]*>(.*?)</text>", svg, re.DOTALL)]
    joined = " ".join(texts)
    for text in expected:
        assert text in joined


def width_mm(svg: bytes) -> float:
    found = re.search(rb'<svg [^>]*?width="([\d.]+)pt"', svg)
    assert found
    return float(found[1]) / 72 * 25.4


def test_charts_are_chosen_and_get_width_font_and_title_as_asked() -> None:
    summary = make_summary(None)
    ((name, svg),) = draw_charts(summary, [Format.SVG], ["heat-map"], Look(120, "DejaVu Serif", has_titles=False))
    assert name == "heat-map.svg"
    assert width_mm(svg) == pytest.approx(120, abs=0.1)
    assert b"DejaVu Serif" in svg
    assert CHARTS["heat-map"].title.encode() not in svg
    ((_, plain),) = draw_charts(summary, [Format.SVG], ["heat-map"])
    assert CHARTS["heat-map"].title.encode() in plain
    assert b"success, %" in plain  # the colour bar
    with pytest.raises(ConfigurationError, match=r"no font family 'DejaVu Sanz'.* DejaVu Sans"):
        list(draw_charts(summary, [Format.SVG], ["heat-map"], Look(font="DejaVu Sanz")))


def test_failures_of_several_models_are_drawn_side_by_side_and_add_up() -> None:
    given = {"m1": 3, "m2": 5}
    rows = [
        msgspec.structs.replace(
            make_row(kind, model=model), failure_classes=((FailureClass.GAVE_UP, n), (FailureClass.ENDPOINT, 1))
        )
        for model, n in given.items()
        for kind in (PromptType.OPTIMAL, PromptType.BASELINE)
    ]
    summary = Summary(
        tuple(rows), Counts(full=24, failed=16), ((FailureClass.GAVE_UP, 16), (FailureClass.ENDPOINT, 4)), ()
    )
    svg = draw(summary, Format.SVG)["failure-classes.svg"].decode()
    texts = [re.sub(r"\s+", " ", text).strip() for text in re.findall(r"<text[^>]*>(.*?)</text>", svg, re.DOTALL)]
    assert texts.index("m1") < texts.index("m2")
    assert [text for text in texts if text in {"6", "10", "2"}].count("2") >= 2
    assert {"6", "10"} <= set(texts)


def test_pdfs_embed_fonts_that_journals_accept(drawn: dict[str, bytes]) -> None:
    pdf = drawn["failure-classes.pdf"]
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf


def test_charts_are_drawn_without_pyplot_and_leave_the_users_style_alone() -> None:
    script = """
import sys
import matplotlib
matplotlib.rcParams["font.size"] = 23
from pytest_ultra.core.figures import Counts, Summary
from pytest_ultra.core.episode import FailureClass
from pytest_ultra.reporting.charts.charts import draw_charts
from pytest_ultra.reporting.charts.chart_style import Format
list(draw_charts(Summary((), Counts(failed=1), ((FailureClass.GAVE_UP, 1),), ()), list(Format)))
print("matplotlib.pyplot" in sys.modules, matplotlib.rcParams["font.size"])
"""
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)  # noqa: S603 - our own
    assert shown.stdout.split() == ["False", "23.0"]
