"""How long lists are asked for, the same everywhere."""

from typing import Annotated, TypeAlias

from litestar.params import Parameter

Limit: TypeAlias = Annotated[int, Parameter(ge=1, le=100, description="How many at most.")]
Cursor: TypeAlias = Annotated[
    str | None, Parameter(max_length=100, description="The `next` of the page before.")
]
LIMIT = 50
