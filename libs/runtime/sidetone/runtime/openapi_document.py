"""The OpenAPI 3.1 document of the routes that an application serves.

Schemas come from msgspec, which also decodes the bodies: what the document allows is what the
service takes. What the HTTP layer adds to every route (its refusals, ids, the token) is added here
in one place.
"""

from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any, get_args, get_origin

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.routes import HTTPRoute
from litestar.routes.base import BaseRoute
from litestar.typing import FieldDefinition

from sidetone.protocol.refusals import Problem
from sidetone.runtime.http_gate import Rules, rules_of
from sidetone.runtime.http_lane import constrained, is_header, name_of, query_parameters
from sidetone.runtime.openapi import EXAMPLES, PROBLEM_MEDIA_TYPE, responses
from sidetone.runtime.openapi_examples import example_of

Json = dict[str, Any]

_FOR_ALL: tuple[int, ...] = (400, 429, 503)
_FOR_CALLERS = (401, 403)
_FOR_BODIES = (413, 415)
_RETRY = frozenset({429, 503})


def document_of(routes: Iterable[BaseRoute]) -> bytes:
    """Return the document, as JSON."""
    operations = [
        _Operation(route, handler, str(method).lower())
        for route in routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if handler.resolve_include_in_schema()
        for method in sorted(handler.http_methods)
    ]
    schemas = _Schemas([kind for operation in operations for kind in operation.kinds()])
    paths: dict[str, Json] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = operation.describe(schemas)
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Sidetone",
            "version": version("sidetone-runtime"),
            "description": "Voice and text for people who play together, on your own machine.",
        },
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": schemas.components,
            "responses": {
                _refusal_name(status): _describe_refusal(status, spec, schemas)
                for status, spec in responses(*EXAMPLES).items()
            },
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }
    return msgspec.json.format(msgspec.json.encode(document))


class _Schemas:
    """The JSON schemas of all types that the routes speak of, each named once."""

    def __init__(self, kinds: Sequence[Any]) -> None:
        self._kinds = [Problem, *kinds]
        self._schemas, self.components = msgspec.json.schema_components(
            self._kinds, ref_template="#/components/schemas/{name}"
        )

    def of(self, kind: object) -> Json:
        """Return the schema of *kind*, a reference where it has a name."""
        return self._schemas[self._kinds.index(kind)]


class _Operation:
    """One method of one path."""

    def __init__(self, route: HTTPRoute, handler: HTTPRouteHandler, method: str) -> None:
        self.path = route.path_format or "/"
        self.method = method
        self._handler = handler
        self._path_parameters = {
            name: definition.type for name, definition in route.path_parameters.items()
        }
        self._rules: Rules = rules_of(handler, self.path)

    def kinds(self) -> list[Any]:
        """Return every type that this operation speaks of."""
        kinds: list[Any] = [self._annotation(name) for name in self._path_parameters]
        kinds += [constrained(parameter) for parameter in self._parameters()]
        body, answer = self._body(), self._answer()
        return kinds + [kind for kind in (body, answer) if kind is not None]

    def describe(self, schemas: _Schemas) -> Json:
        """Return what the document says of it."""
        summary, _, description = (self._handler.fn.__doc__ or "").strip().partition("\n")
        operation: Json = {
            "operationId": self._handler.operation_id or self._handler.fn.__name__,
            "summary": summary.strip(),
            "tags": self._handler.resolve_tags(),
            "parameters": self._describe_parameters(schemas),
            "responses": self._describe_responses(schemas),
            "security": [{"token": []}] if self._rules.caller else [],
        }
        if description.strip():
            operation["description"] = " ".join(description.split())
        request_body = self._describe_body(schemas)
        if request_body is not None:
            operation["requestBody"] = request_body
        return operation

    def _parameters(self) -> list[FieldDefinition]:
        """Return what comes in the query or in headers, also for what is made of them."""
        made = self._handler.resolve_dependencies()
        parameters: list[FieldDefinition] = []
        for parameter in query_parameters(self._handler, frozenset(self._path_parameters)):
            if parameter.name in made:
                parameters += made[parameter.name].parsed_fn_signature.parameters.values()
            else:
                parameters.append(parameter)
        return parameters

    def _annotation(self, path_parameter: str) -> object:
        """Return the type of a path parameter with the handler's own bounds, where it has some."""
        parameter = self._handler.parsed_fn_signature.parameters.get(path_parameter)
        plain = self._path_parameters[path_parameter]
        return plain if parameter is None else constrained(parameter)

    def _body(self) -> object:
        data = self._handler.parsed_fn_signature.parameters.get("data")
        return None if data is None else data.raw

    def _answer(self) -> object:
        answer = self._handler.parsed_fn_signature.return_type.raw
        if get_origin(answer) is Response:
            (answer,) = get_args(answer)
        if answer in (None, type(None), bytes, str) or not _has_schema(answer):
            return None
        return answer

    def _describe_parameters(self, schemas: _Schemas) -> list[Json]:
        described = [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": schemas.of(self._annotation(name)),
            }
            for name in self._path_parameters
        ]
        for parameter in self._parameters():
            schema = dict(schemas.of(constrained(parameter)))
            if parameter.has_default and isinstance(parameter.default, int | str | bool):
                schema["default"] = parameter.default
            described.append(
                {
                    "name": name_of(parameter),
                    "in": "header" if is_header(parameter) else "query",
                    "required": parameter.is_required,
                    "schema": schema,
                }
            )
        return described + self._describe_headers()

    def _describe_headers(self) -> list[Json]:
        headers: list[tuple[str, str, Json]] = []
        if self._rules.repeatable:
            text = "Repeats of a request under the same key within a day get the first answer."
            key = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"}
            headers.append(("Idempotency-Key", text, key))
        if self._handler.opt.get("versioned") and self.method != "get":
            text = "The ETag of what is edited: if somebody else was faster, the answer is 409."
            headers.append(("If-Match", text, {"type": "string"}))
        return [
            {
                "name": name,
                "in": "header",
                "required": False,
                "description": text,
                "schema": schema,
            }
            for name, text, schema in headers
        ]

    def _describe_body(self, schemas: _Schemas) -> Json | None:
        raw = self._handler.opt.get("body_media_type")
        if raw is not None:
            schema = {"type": "string", "format": "binary"}
            return {"required": True, "content": {str(raw): {"schema": schema}}}
        body = self._body()
        if body is None:
            return None
        content = {"schema": schemas.of(body), "example": example_of(body)}
        return {"required": True, "content": {"application/json": content}}

    def _describe_responses(self, schemas: _Schemas) -> Json:
        described: Json = {str(self._handler.status_code): self._describe_success(schemas)}
        own = self._handler.responses or {}
        for status in sorted({*self._refusals(), *own}):
            if status in EXAMPLES:
                described[str(status)] = {
                    "$ref": f"#/components/responses/{_refusal_name(status)}"
                }
            else:
                described[str(status)] = _describe_other(own[status])
        return described

    def _describe_success(self, schemas: _Schemas) -> Json:
        described: Json = {
            "description": self._handler.response_description or "It is done.",
            "headers": {"X-Request-Id": _header("What logs call this request.")},
        }
        if self._handler.opt.get("versioned"):
            described["headers"]["ETag"] = _header("The version, for If-Match.")
        answer = self._answer()
        if answer is not None:
            content = {"schema": schemas.of(answer), "example": example_of(answer)}
            described["content"] = {"application/json": content}
        elif self._handler.parsed_fn_signature.return_type.raw not in (None, type(None)):
            media_type = str(self._handler.media_type or "application/octet-stream")
            described["content"] = {media_type: {}}
        return described

    def _refusals(self) -> list[int]:
        statuses = list(_FOR_ALL)
        if self._rules.caller:
            statuses += _FOR_CALLERS
        if self._body() is not None:
            statuses += _FOR_BODIES
        if self._rules.repeatable:
            statuses += (409, 422)
        if self._path_parameters:
            # An id that is none leads to no route.
            statuses.append(404)
        return statuses


def _refusal_name(status: int) -> str:
    return f"Refusal{status}"


def _describe_refusal(status: int, spec: ResponseSpec, schemas: _Schemas) -> Json:
    headers = {"X-Request-Id": _header("What logs call this request.")}
    if status in _RETRY:
        headers["Retry-After"] = _header("Seconds to wait.")
    examples = [example.value for example in spec.examples or []]
    content: Json = {"schema": schemas.of(Problem)}
    if examples:
        content["example"] = msgspec.to_builtins(examples[0])
    return {
        "description": spec.description,
        "headers": headers,
        "content": {PROBLEM_MEDIA_TYPE: content},
    }


def _describe_other(spec: ResponseSpec) -> Json:
    """Return an answer that is neither the usual one nor a refusal: a part, another place."""
    described: Json = {"description": spec.description}
    container: object = spec.data_container  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if container is not None:
        described["content"] = {str(spec.media_type): {}}
    return described


def _header(description: str) -> Json:
    return {"description": description, "schema": {"type": "string"}}


def _has_schema(kind: object) -> bool:
    try:
        msgspec.json.schema_components([kind])
    except TypeError:
        return False
    return True
