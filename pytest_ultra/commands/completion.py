"""`pytest-ultra completion`: a script that completes the command line in a shell."""

from __future__ import annotations

import argparse
import sys

from pytest_ultra.commands.arguments import DONE, Commands, add_command
from pytest_ultra.errors import ConfigurationError

SHELLS = ("bash", "zsh")
DESCRIPTION = """\
Print a script that completes commands, options and files in a shell:

  pytest-ultra completion bash > ~/.local/share/bash-completion/completions/pytest-ultra
  pytest-ultra completion zsh > ~/.zfunc/_pytest-ultra     with ~/.zfunc in fpath

It needs the extra: pip install 'pytest-ultra[completion]'. The options of pytest itself are completed by argcomplete,
see pytest's own documentation."""
EPILOG = """\
exit codes:
  0  the script was printed
  2  the command failed; the message says why"""


def add_completion(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "completion", run_completion, description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("shell", choices=SHELLS, help="the shell")


def run_completion(args: argparse.Namespace) -> int:
    from pytest_ultra.commands.cli import make_parser  # noqa: PLC0415 - it imports this module
    from pytest_ultra.commands.command_table import COMMANDS  # noqa: PLC0415

    try:
        import shtab  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigurationError(
            f"completion needs shtab ({error}); install it with: pip install 'pytest-ultra[completion]'"
        ) from error
    sys.stdout.write(f"{shtab.complete(make_parser(tuple(COMMANDS)), args.shell)}\n")
    return DONE
