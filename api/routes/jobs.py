"""What is sent to be stored, and the jobs that store it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException

from api import schemas
from api.access import requires
from api.answers import JSON, answer
from api.errors import responses
from api.jobs.job import MEANINGS, Job, State, check_file_name
from api.jobs.queue import Jobs
from api.keys import Scope
from store.errors import StoreError

UPLOADS = ("/bundles", "/imports")
"""Paths whose bodies may be large."""

_EVERY = 0.1
"""Seconds between looks at a job for someone who waits for it."""
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_ANY_BODY = {"requestBody": {"required": True, "content": {"application/octet-stream": _BINARY}}}

Wait = Annotated[
    float, Query(ge=0, le=600, description="Seconds to wait for its end; then the answer says how far it is.")
]
File = Annotated[str, Query(max_length=100, description="The file's name, which messages about it will bear.")]


async def _jobs(request: Request) -> Jobs:
    jobs: Jobs | None = request.app.state.jobs
    if jobs is None:
        raise HTTPException(403, "nothing can be sent here: CIRCUITSTORE_UPLOADS=true turns it on")
    return jobs


JobsDep = Annotated[Jobs, Depends(_jobs)]


@dataclass(frozen=True)
class _Found:
    jobs: Jobs
    job: Job


async def _found(uid: str, jobs: JobsDep) -> _Found:
    return _Found(jobs, jobs[uid])


FoundDep = Annotated[_Found, Depends(_found)]


def router(*, is_on: bool) -> APIRouter:
    """Routes that say, where uploads are off, how to turn them on."""
    routes = APIRouter(tags=["jobs"], include_in_schema=is_on)
    writes = [Depends(_jobs), requires(Scope.write)]  # that it is off is told before a key is asked for
    shown = {"200": {"description": "Jobs, the latest first.", "content": _content()}}
    one = {"200": {"description": "The job.", "content": _content()}}
    cancelling = {"202": {"description": "The job, which is not cancelled yet.", "content": _content()}}
    sent: dict[int | str, dict[str, Any]] = {
        201: {"description": "It is stored.", "content": _content()},
        202: {"description": "It is a job, at the path in Location.", "content": _content()},
        **responses(400, 401, 403, 409, 413, 415, 429, 503),
    }

    post = partial(routes.post, response_class=JSON, responses=sent, dependencies=writes, openapi_extra=_ANY_BODY)

    @post("/bundles", summary="Store bundles: the body is a tar archive of their folders, as `tar -c BUNDLE` makes it.")
    async def bundles(request: Request, jobs: JobsDep, wait: Wait = 10, file: File = "bundles.tar") -> Response:
        return await _take(request, jobs, Job(kind="bundles", file=check_file_name(file), format="bundles"), wait)

    @post("/imports", summary="Import another tool's file, the body, as bundles, and store them.")
    async def imports(
        request: Request,
        jobs: JobsDep,
        wait: Wait = 10,
        file: File = "upload.json",
        format: Annotated[str, Query(pattern="^[a-z-]{1,40}$", description="Its format; auto looks at it.")] = "auto",
        model: Annotated[
            str, Query(pattern=r"^[\w./:-]{0,100}$", description="The model's name, for files that don't say it.")
        ] = "",
    ) -> Response:
        job = Job(kind="import", file=check_file_name(file), format=format, model=model)
        return await _take(request, jobs, job, wait)

    @routes.get(
        "/jobs", summary="What was sent, and how far it is.", response_class=JSON, responses=responses(403),
        openapi_extra={"responses": shown},
    )  # fmt: skip
    async def index(jobs: JobsDep) -> JSON:
        return _shown(jobs.all())

    @routes.get(
        "/jobs/{uid}", summary="One job.", response_class=JSON, responses=responses(403, 404),
        openapi_extra={"responses": one},
    )  # fmt: skip
    async def job(found: FoundDep) -> JSON:
        return _shown([found.job])

    @routes.get(
        "/jobs/{uid}/events",
        summary="One job as server-sent events: an event `progress` whenever it changes, and `end` when it is over.",
        response_class=EventSourceResponse,
        responses=responses(403, 404),
    )
    async def events(found: FoundDep) -> AsyncIterator[ServerSentEvent]:
        told: dict[str, Any] | None = None
        while not found.job.is_over and not found.jobs.is_closing:
            if (row := found.job.row()) != told:
                told = row
                yield ServerSentEvent(event="progress", data=row)
            await anyio.sleep(_EVERY)
        yield ServerSentEvent(event="end", data=found.job.row())

    @routes.delete(
        "/jobs/{uid}", summary="Cancel a job that is not over.", response_class=JSON, dependencies=writes,
        responses=responses(401, 403, 404), openapi_extra={"responses": {**one, **cancelling}},
    )  # fmt: skip
    def cancel(found: FoundDep) -> JSON:
        job = found.jobs.cancel(found.job.uid)
        answered = _shown([job])
        answered.status_code = 200 if job.is_over else 202
        return answered

    return routes


async def _take(request: Request, jobs: Jobs, job: Job, wait: float) -> Response:
    """Streams the body to disk, and waits for what comes of it as long as the client will."""
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise HTTPException(415, "send the file as the body (curl -T FILE -X POST), not as a form")
    file = jobs.make_room(job)
    try:
        await _write(request, file, partial(jobs.count, job))
        await anyio.to_thread.run_sync(jobs.add, job)
    except OSError as error:
        jobs.forget(job)
        raise StoreError(f"what was sent can't be kept: {error.strerror}; try again later") from error
    except BaseException:
        jobs.forget(job)
        raise
    with anyio.move_on_after(wait):
        while not job.is_over and not jobs.is_closing:
            await anyio.sleep(_EVERY)
    if job.state is State.failed:
        raise job.failure or StoreError(str(job.error))
    if job.state is State.cancelled:
        raise HTTPException(409, "somebody cancelled this job before its end")
    answered = _shown([job])
    answered.status_code = 201 if job.is_over else 202
    answered.headers["Location"] = f"/jobs/{job.uid}"
    return answered


async def _write(request: Request, file: Path, count: Callable[[int], None]) -> None:
    await anyio.Path(file.parent).mkdir(parents=True)
    async with await anyio.open_file(file, "wb") as stream:
        async for chunk in request.stream():
            count(len(chunk))
            await stream.write(chunk)


def _shown(jobs: list[Job]) -> JSON:
    return JSON(answer(list(MEANINGS), [list(job.row().values()) for job in jobs]))


def _content() -> dict[str, Any]:
    return {"application/json": {"schema": schemas.of_query(MEANINGS)}}
