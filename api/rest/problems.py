"""Errors as RFC 9457 problem documents; the one mapping of our error tree at this door."""

import re

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from kg.errors import PersonagraphError

MEDIA_TYPE = "application/problem+json"


def install(app: FastAPI) -> None:
    """Answer every error with a problem document."""
    app.add_exception_handler(PersonagraphError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _problem(status: int, title: str, detail: str, hint: str | None = None) -> JSONResponse:
    kind = re.sub(r"[^a-z]+", "-", title.lower()).strip("-")
    content = {"type": f"urn:personagraph:{kind}", "title": title, "status": status}
    content |= {"detail": detail, "hint": hint}
    return JSONResponse(content, status_code=status, media_type=MEDIA_TYPE)


def _ours(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, PersonagraphError)  # noqa: S101 - what this is installed for
    kinds = [kind for kind in type(error).__mro__ if PersonagraphError in kind.__bases__]
    name = (kinds[0] if kinds else type(error)).__name__
    title = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return _problem(error.status, title, error.message, error.hint)


def _invalid(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, RequestValidationError)  # noqa: S101
    fields = ", ".join(".".join(map(str, one["loc"])) for one in error.errors())
    return _problem(422, "Input Error", f"This part of the request is wrong: {fields}.")


def _http(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, HTTPException)  # noqa: S101
    hint = "/docs lists what can be asked." if error.status_code in {404, 405} else None
    return _problem(error.status_code, str(error.detail), f"{error.detail}.", hint)


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    del request
    hint = "The server's own output has the trace; please report it."
    return _problem(500, "Internal Error", f"{type(error).__name__} in personagraph itself.", hint)
