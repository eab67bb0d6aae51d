"""Start the next decision record: one page with the headings that every record has."""

import re
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "decisions"
PAGE = """# {number}. {title}

## Context

## Decision

## Consequences

## Alternatives
"""


def main(title: str) -> None:
    """Write the page for *title* under the next free number and print its path."""
    number = max((int(page.name[:4]) for page in FOLDER.glob("[0-9]*.md")), default=0) + 1
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    page = FOLDER / f"{number:04d}-{slug}.md"
    page.write_text(PAGE.format(number=number, title=title))
    print(page)


if __name__ == "__main__":
    main(sys.argv[1])
