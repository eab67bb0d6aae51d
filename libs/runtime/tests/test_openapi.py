"""What the OpenAPI document tells of routes."""

from libs.runtime.tests.http_stage import Platform


async def test_the_document_tells_what_a_route_takes_and_answers(platform: Platform) -> None:
    document = (await platform.client.get("/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    operation = document["paths"]["/bans"]["post"]
    assert operation["summary"] == "Ban a member."
    assert operation["operationId"] == "ban"
    assert operation["tags"] == ["moderation"]
    assert operation["security"] == [{"token": []}]
    body = operation["requestBody"]["content"]["application/json"]
    assert body == {"schema": {"$ref": "#/components/schemas/Order"}, "example": {"count": 1}}
    assert set(operation["responses"]) == {
        "201", "400", "401", "403", "409", "413", "415", "422", "429", "503"
    }  # fmt: skip
    assert operation["responses"]["401"] == {"$ref": "#/components/responses/Refusal401"}
    refusals = document["components"]["responses"]
    problem = refusals["Refusal401"]["content"]["application/problem+json"]
    assert problem["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert problem["example"]["kind"] == "unauthenticated"
    assert "Retry-After" in refusals["Refusal503"]["headers"]
    assert [header["name"] for header in operation["parameters"]] == ["Idempotency-Key"]
    order_schema = document["components"]["schemas"]["Order"]
    assert order_schema["additionalProperties"] is False


async def test_the_document_tells_parameters_with_their_bounds(platform: Platform) -> None:
    document = (await platform.client.get("/openapi.json")).json()
    room, limit = document["paths"]["/rooms/{room}"]["get"]["parameters"]
    assert (room["in"], room["schema"]["format"], room["required"]) == ("path", "uuid", True)
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 5}
    assert limit["required"] is False
    versioned = document["paths"]["/profile"]["patch"]
    assert [header["name"] for header in versioned["parameters"]] == ["If-Match"]
    assert "ETag" in versioned["responses"]["200"]["headers"]
    kind, ids, since, trace = document["paths"]["/found"]["get"]["parameters"]
    assert (kind["required"], kind["schema"]["enum"]) == (True, ["text", "voice"])
    assert (ids["name"], ids["schema"]["maxItems"]) == ("id", 2)
    assert since["required"] is False
    assert (trace["name"].lower(), trace["in"]) == ("x-trace", "header")
    assert "/livez" not in document["paths"]
