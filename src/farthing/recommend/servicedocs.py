"""What a scoring server says of itself: to people as a page, to programs as OpenAPI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from farthing import __version__
from farthing.results.webpages import render_page

_REF = "#/components/schemas/{name}"
_ERRORS = {
    "401": "the token is missing or wrong",
    "413": "the body is too large",
    "415": "the body is not announced as JSON",
    "422": "the body says something that cannot be; the message names the row and the column",
    "503": "too busy: try again after Retry-After seconds",
}


class ErrorAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What every refused request gets."""

    error: str


def openapi(request: type, answer: type, model: type) -> dict[str, Any]:  # Any: JSON
    """The interface by OpenAPI 3.1, from the types of `POST /v1/score` and `GET /v1/model`."""
    types = (request, answer, model, ErrorAnswer)
    refs, components = msgspec.json.schema_components(types, ref_template=_REF)
    asked, answered, described, refused = refs
    errors = {status: _response(about, refused) for status, about in _ERRORS.items()}
    score = {
        "summary": "Click probabilities of raw rows, or of the candidates of one context",
        "requestBody": {"required": True, "content": {"application/json": {"schema": asked}}},
        "responses": {"200": _response("a probability for each row", answered), **errors},
    }
    describe = {
        "summary": "The model in use",
        "responses": {"200": _response("columns, settings and accuracy", described), "401": errors["401"]},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "farthing recommend serve", "version": __version__},
        "paths": {"/v1/score": {"post": score}, "/v1/model": {"get": describe}},
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def page(*, hash: str, numbers: Sequence[str], categories: Sequence[str]) -> str:
    """HTML with an example that fits this model."""
    row = {**dict.fromkeys(numbers[:2], 3), **dict.fromkeys(categories[:2], "a")}
    first, last = next(iter(row.items())), categories[-1]
    ranking = {"context": dict([first]), "candidates": [{last: "a"}, {last: "b"}], "order": True}
    values = {
        "hash": hash,
        "numbers": numbers,
        "categories": categories,
        "example": _curl({"rows": [row]}),
        "ranking": _curl(ranking),
    }
    return render_page("serve.html", values)


def _response(about: str, schema: object) -> dict[str, Any]:  # Any: JSON
    return {"description": about, "content": {"application/json": {"schema": schema}}}


def _curl(body: object) -> str:
    # What a shell takes in single quotes has none of its own.
    text = msgspec.json.encode(body).decode().replace("'", "'\\''")
    return f"curl -s localhost:8080/v1/score -H 'Content-Type: application/json' \\\n  -d '{text}'"
