"""In what form an answer goes out: `?format=` or the Accept header chooses, and the same rows are written so."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.exceptions import HTTPException

from queries import output
from store.database import Rows

PARAMETER = "format"
TRUNCATED = "X-Truncated"
"""Header of an answer whose rows the row limit cut, where the form has no place to say so."""

_CHUNK = 2**16


class Form(StrEnum):
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    ARROW = "arrow"

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[self]


MEDIA_TYPES = {
    Form.JSON: "application/json",
    Form.NDJSON: "application/x-ndjson",
    Form.CSV: "text/csv",
    Form.ARROW: "application/vnd.apache.arrow.stream",
}


def chosen(request: Request, forms: Sequence[Form] = tuple(Form)) -> Form:
    """Raises HTTPException 406 where none of the forms will do."""
    named = request.query_params.getlist(PARAMETER)
    for form in forms:
        if named == [form]:
            return form
    there_are = f"there are {', '.join(form.media_type for form in forms)}, or ?{PARAMETER}={'|'.join(forms)}"
    if named:
        raise HTTPException(406, f"{PARAMETER}: {', '.join(named)!r} is no form of this; {there_are}")
    accepted = request.headers.get("accept", "*/*")
    best = max(forms, key=lambda form: _quality(accepted, form))  # of equals the first
    if _quality(accepted, best) <= 0:
        raise HTTPException(406, f"Accept: {accepted!r} takes no form of this; {there_are}")
    return best


def render(rows: Rows, form: Form, headers: Mapping[str, str]) -> Response:
    """Rows in any form but JSON, whose shape is `api.answers`' matter."""
    told = {**headers, TRUNCATED: "true"} if rows.truncated else dict(headers)
    if form is Form.ARROW:
        from queries.arrow import to_stream

        return Response(to_stream(rows), headers=told, media_type=form.media_type)
    lines = output.csv_lines(rows) if form is Form.CSV else output.ndjson_lines(rows)
    return StreamingResponse(_chunks(lines), headers=told, media_type=form.media_type)


def _quality(accepted: str, form: Form) -> float:
    """How welcome a form is, by the most specific range of an Accept header that has it in it (RFC 9110)."""
    media_type = form.media_type
    ranges = {media_type: 3, f"{media_type.split('/')[0]}/*": 2, "*/*": 1}
    best = (0, 0.0)
    for part in accepted.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if name in ranges:
            quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
            best = max(best, (ranges[name], _number(quality)))
    return best[1]


def _number(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0


def _chunks(lines: Iterable[str]) -> Iterator[bytes]:
    """Lines put together, so that each write is worth it."""
    held: list[str] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= _CHUNK:
            yield "".join(held).encode()
            held, size = [], 0
    if held:
        yield "".join(held).encode()
