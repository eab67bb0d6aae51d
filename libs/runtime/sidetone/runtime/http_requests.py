"""How a request is typed in every handler."""

from typing import Any, TypeAlias

from litestar import Request
from litestar.datastructures import State

AnyRequest: TypeAlias = Request[Any, Any, State]
