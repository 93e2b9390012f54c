"""`pytest-ultra init`: writes a starter, an agent and a suite with tests and a CI job."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from pytest_ultra.commands.arguments import DONE, Commands, add_command
from pytest_ultra.commands.command_output import print_lines

DESCRIPTION = """\
Write a starter: an agent, a suite of three tools and two tasks, tests, options for pytest, and a CI job. It runs
without a key. Files that exist are kept as they are."""
EPILOG = """\
exit codes:
  0  each file of the starter is there, written now or before
  2  the command failed; the message says why"""

STARTER: Mapping[str, str] = MappingProxyType(
    {
        "my_agent.py": "my_agent.py.txt",
        "my_suite.py": "my_suite.py.txt",
        "test_my_agent.py": "test_my_agent.py.txt",
        ".github/workflows/ultra.yml": "ultra.yml.txt",
    }
)
"""The files of the starter, and their templates in the folder `starter_files`."""
OPTIONS_FILE = "pyproject.toml"
_OPTIONS_TEMPLATE = "pyproject.toml.txt"
_CONFIGURATIONS = (OPTIONS_FILE, "pytest.ini", "tox.ini", "setup.cfg", "pytest.toml", ".pytest.ini", ".pytest.toml")
_COMMAND = "pytest --ultra-suite my_suite:suite --ultra-agent my_agent:solve@demo/perfect"


def add_init(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "init", run_init, description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("folder", metavar="DIR", nargs="?", type=Path, default=Path(), help="(default: this folder)")


def run_init(args: argparse.Namespace) -> int:
    from pytest_ultra.storage.files import make_directory  # noqa: PLC0415 - not for --help

    folder: Path = args.folder
    make_directory(folder, "DIR")
    existing = [folder / name for name in _CONFIGURATIONS if (folder / name).exists()]
    templates = STARTER if existing else {**STARTER, OPTIONS_FILE: _OPTIONS_TEMPLATE}
    lines = [_write(folder / name, _read_template(template)) for name, template in templates.items()]
    if existing and not any(_has_options(path) for path in existing):
        lines += ["", f"Add these options to {existing[0]}, which is kept as it is (this is how TOML writes them):", ""]
        lines += _read_template(_OPTIONS_TEMPLATE).splitlines()
    place = [] if folder == Path() else [f"  cd {folder}"]
    print_lines([*lines, "", "Run it, without a key:", *place, f"  {_COMMAND}"])
    return DONE


def _write(path: Path, content: str) -> str:
    """Write a new file; return a line that says so, or that there is one already, whatever it holds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        return f"{path}: kept, it exists"
    return f"{path}: written"


def _has_options(path: Path) -> bool:
    return b"ultra_" in path.read_bytes()


def _read_template(name: str) -> str:
    return files(__package__).joinpath("starter_files", name).read_text(encoding="utf-8")
