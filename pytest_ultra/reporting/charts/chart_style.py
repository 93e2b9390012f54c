"""The style of charts for papers, and reproducible encoding: the same figure gives the same bytes."""

from __future__ import annotations

import difflib
import io
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pytest_ultra.errors import ConfigurationError

if TYPE_CHECKING:  # 0.3 s, and only charts need it
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN = 3.5
"""The width of one column of a two-column page."""
MM_PER_IN = 25.4
ROW_IN = 0.19
INK, SOFT, LINE = "#1b1d21", "#5a606a", "#d5d5d0"
HUES = ("#0072b2", "#d55e00", "#009e73", "#b8860b", "#cc79a7", "#56b4e9", "#7f7f7f", "#8a5a44", "#7b61c9", "#3a8f8f")
"""Okabe and Ito's colours, which colour-blind readers can distinguish, and a few more; each also has its own mark."""
MARKS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
GAIN, LOSS = HUES[0], HUES[1]

_STYLE: Mapping[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # ships with Matplotlib, so that charts look the same on every machine
    "font.size": 7,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7,
    "axes.edgecolor": LINE,
    "axes.linewidth": 0.6,
    "axes.labelcolor": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": INK,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "xtick.major.width": 0.6,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 6.5,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.5,
    "figure.constrained_layout.use": True,
    "figure.titlesize": 7.5,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,  # TrueType, which journals require
    "svg.fonttype": "none",  # text stays text, so that it can be searched and edited
    "svg.hashsalt": "pytest-ultra",
}


class Format(StrEnum):
    """File formats of charts."""

    SVG = "svg"
    PNG = "png"
    PDF = "pdf"


_METADATA: Mapping[Format, dict[str, Any]] = {  # without the time, so that the bytes are reproducible
    Format.SVG: {"Date": None, "Creator": "pytest-ultra"},
    Format.PNG: {"Software": "pytest-ultra"},
    Format.PDF: {"CreationDate": None, "Creator": "pytest-ultra", "Producer": None},
}


@contextmanager
def chart_style(font: str | None = None) -> Iterator[None]:
    """Use our style within this block, whatever the user's `matplotlibrc` says.

    `font` is a family in place of the default. Raises ConfigurationError if it is not installed.
    """
    import matplotlib as mpl  # noqa: PLC0415 - see above

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        if font is not None:
            _check_font(font)
            mpl.rcParams["font.family"] = [font, "DejaVu Sans"]  # which has the characters that the other lacks
        yield


def _check_font(family: str) -> None:
    from matplotlib import font_manager  # noqa: PLC0415 - see above

    try:
        font_manager.findfont(family, fallback_to_default=False)
    except ValueError:
        installed = sorted(set(font_manager.get_font_names()))
        alike = difflib.get_close_matches(family, installed, n=3) or installed[:5]
        raise ConfigurationError(
            f"there is no font family {family!r} here; installed are, among {len(installed)}: {', '.join(alike)}"
        ) from None


def make_figure(rows: float, *, margin_in: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """Return a figure one column wide, high enough for `rows` rows of text and the margin in inches, and its panels."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - see above

    figure = Figure(figsize=(WIDTH_IN, rows * ROW_IN + margin_in))
    panels = figure.subplots(1, columns, squeeze=False)
    return figure, list(panels[0])


def encode(figure: Figure, file_format: Format) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=file_format, metadata=_METADATA[file_format])
    return buffer.getvalue()


def escape_math(text: str) -> str:
    """Escape dollar signs, which Matplotlib would read as a formula."""
    return text.replace("$", r"\$")


def wrap_label(text: str, width: int = 16) -> str:
    """Wrap a name to lines that fit above a column, `width` characters wide."""
    return escape_math(textwrap.fill(text.replace("/", "/ "), width).replace("/ ", "/"))
