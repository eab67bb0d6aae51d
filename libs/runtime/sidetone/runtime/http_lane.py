"""Calls a handler with what it names, and sends what it returns.

The framework's own way does the same for every kind of handler there can be, at a cost above that
of most use cases, and takes ``"5"`` in a body for 5. This one knows what our handlers name: path
and query parameters, ``user``, ``caller``, ``request`` and ``data``. Bodies are decoded in one
step and strictly, which is also what the OpenAPI document promises. What names anything else goes
the framework's way.
"""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple, Union, cast, get_args
from urllib.parse import parse_qsl

import msgspec
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import BodyKwarg, ParameterKwarg
from litestar.types import HTTPScope, Receive, Send
from litestar.typing import FieldDefinition

from sidetone.runtime.http_requests import AnyRequest, Malformed, whole_body

FROM_THE_LAYER = frozenset({"user", "caller", "request", "data"})

_FROM_THE_FRAMEWORK = frozenset({"body", "cookies", "headers", "query", "scope", "state"})
# The framework's names of bounds, where they are not those of msgspec.
_BOUNDS = {
    **{name: name for name in ("ge", "gt", "le", "lt", "multiple_of", "pattern")},
    **{name: name for name in ("min_length", "max_length")},
    "min_items": "min_length",
    "max_items": "max_length",
}
_NO_CONTENT = 204
_JSON = (b"content-type", b"application/json")


class _Answer(NamedTuple):
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Lane:
    """The way to one handler and back."""

    def __init__(self, handler: HTTPRouteHandler, path_parameters: frozenset[str]) -> None:
        self._handler = handler
        self._named = frozenset(handler.parsed_fn_signature.parameters)
        self._path_parameters = path_parameters & self._named
        query = query_parameters(handler, path_parameters)
        self._query = _struct_of(query)
        self._headers = {name_of(p): p.name for p in query if is_header(p)}
        self._lists = frozenset(name_of(p) for p in query if p.is_non_string_sequence)
        data = handler.parsed_fn_signature.parameters.get("data")
        self._body: msgspec.json.Decoder[Any] | None = (
            None if data is None else msgspec.json.Decoder(data.raw)
        )
        self._body_bytes_max = handler.resolve_request_max_body_size() or 0

    @staticmethod
    def fits(handler: HTTPRouteHandler) -> bool:
        """Tell whether *handler* names only what this way knows."""
        named = handler.parsed_fn_signature.parameters
        injected = {*handler.resolve_dependencies(), *_FROM_THE_FRAMEWORK} - FROM_THE_LAYER
        data = named.get("data")
        return injected.isdisjoint(named) and (
            data is None or not isinstance(data.kwarg_definition, BodyKwarg)
        )

    async def serve(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Call the handler for one request and send its answer."""
        named: dict[str, Any] = {
            name: scope["path_params"][name] for name in self._path_parameters
        }
        if self._query is not None:
            named |= self._read_query(scope)
        if self._body is not None:
            body = await whole_body(receive, self._body_bytes_max)
            named["data"] = _decode(self._body, body)
        if "user" in self._named:
            named["user"] = scope["user"].user
        if "caller" in self._named:
            named["caller"] = scope["user"]
        if "request" in self._named:
            named["request"] = Request[Any, Any, Any](scope, receive, send)
        result: Any = self._handler.fn(**named)
        if not self._handler.has_sync_callable:
            result = await result
        answer = _json_answer(result, self._handler.status_code)
        if answer is not None:
            await _send(answer, send)
        else:
            await self._send_as_made(result, Request(scope, receive, send))

    def _read_query(self, scope: HTTPScope) -> Mapping[str, Any]:
        given: dict[str, Any] = {}
        try:
            pairs = parse_qsl(scope["query_string"].decode(), keep_blank_values=True)
        except ValueError as error:
            raise Malformed("the query is not UTF-8; encode it so") from error
        for name, value in pairs:
            if name in self._lists:
                given.setdefault(name, []).append(value)
            elif name not in self._headers:
                given[name] = value
        for name, value in scope["headers"] if self._headers else ():
            if name.decode("latin-1") in self._headers:
                given[name.decode("latin-1")] = value.decode("latin-1")
        try:
            read = msgspec.convert(given, self._query, strict=False)
        except msgspec.ValidationError as error:
            raise Malformed(_told(error)) from error
        return msgspec.structs.asdict(read)

    async def _send_as_made(self, result: object, request: AnyRequest) -> None:
        """Send a ``Response``, text or bytes as the framework does."""
        scope = request.scope
        handler: Any = self._handler
        answer = await handler.to_response(scope["litestar_app"], result, request)
        await answer(scope, request.receive, request.send)


def query_parameters(
    handler: HTTPRouteHandler, path_parameters: frozenset[str]
) -> list[FieldDefinition]:
    """Return the parameters that come in the query or in headers."""
    return [
        parameter
        for name, parameter in handler.parsed_fn_signature.parameters.items()
        if name not in path_parameters and name not in FROM_THE_LAYER
    ]


def constrained(parameter: FieldDefinition) -> Any:  # noqa: ANN401 - a type is any object
    """Return the parameter's type with the bounds that it is checked against."""
    definition = parameter.kwarg_definition
    kind: Any = parameter.annotation
    if not isinstance(definition, ParameterKwarg):
        return kind
    bounds = {
        ours: bound
        for theirs, ours in _BOUNDS.items()
        if (bound := getattr(definition, theirs)) is not None
    }
    if not bounds:
        return kind
    if parameter.is_optional:
        # Bounds are those of the value, if there is one.
        present = [member for member in get_args(kind) if member is not type(None)]
        kind = Union[tuple(present)]  # noqa: UP007 - made at run time
        return Union[Annotated[kind, msgspec.Meta(**bounds)], None]  # noqa: UP007 - as above
    return Annotated[kind, msgspec.Meta(**bounds)]


def name_of(parameter: FieldDefinition) -> str:
    """Return the name that *parameter* has outside."""
    definition = parameter.kwarg_definition
    if not isinstance(definition, ParameterKwarg):
        return parameter.name
    return (definition.header or "").lower() or definition.query or parameter.name


def is_header(parameter: FieldDefinition) -> bool:
    """Tell whether *parameter* comes in a header."""
    definition = parameter.kwarg_definition
    return isinstance(definition, ParameterKwarg) and bool(definition.header)


def _struct_of(parameters: list[FieldDefinition]) -> type[msgspec.Struct] | None:
    if not parameters:
        return None
    required = [(p.name, constrained(p)) for p in parameters if not p.has_default]
    optional = [(p.name, constrained(p), p.default) for p in parameters if p.has_default]
    renamed = {p.name: name_of(p) for p in parameters}
    return msgspec.defstruct("Query", [*required, *optional], rename=renamed)


def _decode(decoder: msgspec.json.Decoder[Any], body: bytes) -> object:
    try:
        return decoder.decode(body)
    except msgspec.DecodeError as error:
        raise Malformed(_told(error)) from error


def _json_answer(result: object, status: int) -> _Answer | None:
    """Return how *result* is sent if it is JSON or nothing, perhaps with a few headers."""
    headers: list[tuple[bytes, bytes]] = []
    if isinstance(result, Response):
        made = cast("Response[object]", result)
        if made.media_type is not None or made.cookies or made.background is not None:
            return None
        headers = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in made.headers.items()
        ]
        status = made.status_code or status
        result = made.content
    if result is None:
        return _Answer(status, headers, b"")
    if not isinstance(result, msgspec.Struct | list | dict):
        return None
    return _Answer(status, [_JSON, *headers], msgspec.json.encode(result))


async def _send(answer: _Answer, send: Send) -> None:
    length = (b"content-length", str(len(answer.body)).encode())
    headers = [*answer.headers, length] if answer.status != _NO_CONTENT else answer.headers
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


def _told(error: msgspec.DecodeError) -> str:
    return f"the request cannot be read: {error}; send it as documented"
