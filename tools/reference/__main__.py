"""Command line: `python -m tools.reference` renews the pages of docs/reference made from code."""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from tools.reference.api import api_page
from tools.reference.commands import commands_page
from tools.reference.settings import settings_page
from turbo_stream.cli.command import run_command
from turbo_stream.errors import TurboStreamError

FOLDER = Path(__file__).parents[2] / "docs" / "reference"

PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "commands.md": commands_page,
    "api.md": api_page,
}
"""File name and what makes its text; the other pages of the folder are written by hand."""

_NOTE = "<!-- Made by `python -m tools.reference`: change the code, then run that. -->\n\n"


def stale_pages(folder: Path = FOLDER) -> dict[Path, str]:
    """Return the pages that are not what the code says now, with their new texts."""
    made = {folder / name: _NOTE + make() for name, make in PAGES.items()}
    return {
        path: text
        for path, text in made.items()
        if not path.is_file() or path.read_text("utf-8") != text
    }


@click.command("tools.reference")
@click.option("--check", is_flag=True, help="Write nothing; end with status 1 if a page is stale.")
def main(check: bool) -> None:
    """Write the pages of docs/reference that are made from the code."""
    stale = stale_pages()
    if check and stale:
        names = ", ".join(path.name for path in stale)
        raise TurboStreamError(f"stale in docs/reference: {names}; run python -m tools.reference")
    for path, text in stale.items():
        path.write_text(text, "utf-8")
        print(path)


if __name__ == "__main__":
    sys.exit(run_command(main))
