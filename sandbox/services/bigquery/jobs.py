"""Queries as jobs: done at once, results kept for reading page by page."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from sandbox.errors import AlreadyExists, ApiError, InvalidArgument, NotFound, PermissionDenied
from sandbox.paging import page
from sandbox.services.bigquery.resource import ROWS, milliseconds
from sandbox.services.bigquery.rows import table_of
from sandbox.services.bigquery.schema import answer_row

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

KIND = "bigquery.jobs"


def run(call: Call, configuration: Document, identity: str) -> Document:
    """Carry out a query and keep it as a job; a query that fails is a job with an error."""
    now = milliseconds(call)
    job_id = identity or f"job_{call.cloud.identifiers.hexadecimal('bigquery.jobs', 28)}"
    query = configuration["query"]
    job: Document = {
        "kind": "bigquery#job",
        "id": f"{call.project}:{configuration.get('location', 'US')}.{job_id}",
        "jobReference": {"projectId": call.project, "jobId": job_id, "location": configuration.get("location", "US")},
        "selfLink": f"https://bigquery.googleapis.com/bigquery/v2/projects/{call.project}/jobs/{job_id}",
        "user_email": call.principal.email,
        "configuration": {"jobType": "QUERY", "query": query},
        "status": {"state": "DONE"},
        "statistics": {"creationTime": now, "startTime": now, "endTime": now, "query": {"statementType": "SELECT"}},
    }
    try:
        fields, rows = execute(call, query)
        job["_schema"], job["_rows"] = {"fields": fields}, [answer_row(fields, row) for row in rows]
    except ApiError as error:
        told = {"reason": error.reason, "message": error.message}
        job["status"] |= {"errorResult": told, "errors": [told]}
        job["_failure"] = error
    return job


def execute(call: Call, query: Document) -> tuple[list[Document], list[Any]]:
    """Fields and rows of a query over tables that the caller may read.

    Raises:
        ApiError: a table is missing or closed to the caller, or the statement is wrong.
    """
    from sandbox.services.bigquery.engine import Engine, Query  # noqa: PLC0415 -- loaded with the first query

    if query.get("useLegacySql", True) and "[" in query.get("query", ""):
        raise InvalidArgument("The sandbox has no legacy SQL: set useLegacySql to false.", reason="invalidQuery")
    parsed = Query(query.get("query", ""), query.get("queryParameters", []))
    with Engine() as engine:
        for table in parsed.tables():
            name = full_name(call, table, query.get("defaultDataset", {}))
            alias = name.replace("/", "_")
            require_readable(call, name)
            engine_table = table_of(call.cloud, name)
            if table.args.get("alias") is None:
                table.set("alias", table.copy().this)
            table.set("this", type(table.this)(this=alias, quoted=True))
            table.set("db", None)
            table.set("catalog", None)
            if alias not in engine.loaded:
                engine.load(alias, engine_table, call.cloud.store.documents(ROWS, f"{name}/rows"))
        return engine.answer(parsed.translated())


def full_name(call: Call, table: Any, default: Document) -> str:
    """The table that ``p.d.t``, ``d.t`` or ``t`` means."""
    parts = [part for part in (table.catalog, table.db, table.name) if part]
    parts = ".".join(parts).split(".")
    known = [default.get("projectId") or call.project or "", default.get("datasetId", "")]
    project, dataset, name = [*known[: 3 - len(parts)], *parts][-3:] if len(parts) < 3 else parts[-3:]  # noqa: PLR2004 -- p.d.t
    if not dataset:
        raise InvalidArgument(
            f'Table "{name}" must be qualified with a dataset (e.g. dataset.table).', reason="invalid"
        )
    return f"projects/{project}/datasets/{dataset}/tables/{name}"


def require_readable(call: Call, name: str) -> None:
    """The caller may read the table, and reach its project across perimeters.

    Raises:
        PermissionDenied: one of both is missing.
    """
    from sandbox.enforcement.checks import require_perimeter  # noqa: PLC0415 -- checks import every service's errors

    project = name.split("/")[1]
    if call.cloud.permissions.grant(call.principal, "bigquery.tables.getData", "bigquery", name) is None:
        table = f"{project}:{'.'.join(name.split('/')[3::2])}"
        raise PermissionDenied(
            f"Access Denied: Table {table}: User does not have permission to query table {table}, or perhaps it does "
            "not exist.",
            reason="accessDenied",
        )
    if project != call.project:
        elsewhere = copy.copy(call)
        elsewhere.consumer = project
        require_perimeter(elsewhere)


def keep(call: Call, job: Document) -> Document:
    """Store a job; the failure itself is not part of it."""
    failure = job.pop("_failure", None)
    name = f"projects/{call.project}/jobs/{job['jobReference']['jobId']}"
    call.cloud.store.put(KIND, name, job)
    return {**job, "_failure": failure}


def query(call: Call) -> Document:
    """``jobs.query``: the first page at once.

    Raises:
        ApiError: the query's own failure.
    """
    fields = ("query", "useLegacySql", "queryParameters", "defaultDataset", "parameterMode")
    configuration = {"query": {key: call.body[key] for key in fields if key in call.body}}
    if location := call.body.get("location"):
        configuration["location"] = location
    job = keep(call, run(call, configuration, ""))
    if job["_failure"]:
        raise job["_failure"]
    limits = {key: str(call.body[key]) for key in ("maxResults",) if key in call.body}
    return {"kind": "bigquery#queryResponse", **results(job, limits)}


def results(job: Document, parameters: dict[str, str]) -> Document:
    """A page of a job's rows."""
    rows = job.get("_rows", [])
    shown, following = page(rows, parameters)
    answer: Document = {
        "schema": job.get("_schema", {"fields": []}),
        "jobReference": job["jobReference"],
        "totalRows": str(len(rows)),
        "totalBytesProcessed": "0",
        "jobComplete": True,
        "cacheHit": False,
    }
    if shown:
        answer["rows"] = shown
    return {**answer, "pageToken": following} if following else answer


def insert(call: Call) -> Document:
    """``jobs.insert`` of a query."""
    configuration = call.body.get("configuration", {})
    if "query" not in configuration:
        raise InvalidArgument("The sandbox runs query jobs only.", reason="notImplemented")
    reference = call.body.get("jobReference", {})
    identity = reference.get("jobId", "")
    if identity and call.cloud.store.get(KIND, f"projects/{call.project}/jobs/{identity}"):
        raise AlreadyExists(f"Already Exists: Job {call.project}:{identity}", reason="duplicate")
    query_part = {"query": configuration["query"], "location": reference.get("location", "US")}
    return shown(keep(call, run(call, query_part, identity)))


def shown(job: Document) -> Document:
    """What callers see of a job."""
    return {key: value for key, value in job.items() if not key.startswith("_")}


def read(call: Call) -> Document:
    """The job of the call.

    Raises:
        NotFound: there is none.
    """
    job_id = call.parameters["jobId"]
    job = call.cloud.store.get(KIND, f"projects/{call.project}/jobs/{job_id}")
    if job is None:
        raise NotFound(f"Not found: Job {call.project}:{job_id}")
    return job


def get_results(call: Call) -> Document:
    """``jobs.getQueryResults``."""
    job = read(call)
    if failed := job["status"].get("errorResult"):
        raise InvalidArgument(failed["message"], reason=failed["reason"])
    parameters = dict(call.query)
    start = parameters.pop("startIndex", None)
    if start and "pageToken" not in parameters:
        job["_rows"] = job["_rows"][int(start) :]
    if parameters.get("maxResults") == "0":
        return {"kind": "bigquery#getQueryResultsResponse", **results({**job, "_rows": []}, {})} | {
            "totalRows": str(len(job["_rows"]))
        }
    return {"kind": "bigquery#getQueryResultsResponse", **results(job, parameters)}


def listing(call: Call) -> Document:
    """The project's jobs, newest first."""
    found = [shown(job) for job in reversed(call.cloud.store.documents(KIND, f"projects/{call.project}/jobs"))]
    items, following = page(found, call.query)
    answer: Document = {"kind": "bigquery#jobList"}
    if items:
        answer["jobs"] = [{**job, "state": "DONE"} for job in items]
    return {**answer, "nextPageToken": following} if following else answer


def to_project(call: Call) -> tuple[str, str]:
    """Jobs are the project's."""
    return "cloudresourcemanager", f"projects/{call.project}"


HANDLERS = {
    "bigquery.jobs.cancel": lambda call: {"kind": "bigquery#jobCancelResponse", "job": shown(read(call))},
    "bigquery.jobs.get": lambda call: shown(read(call)),
    "bigquery.jobs.getQueryResults": get_results,
    "bigquery.jobs.insert": insert,
    "bigquery.jobs.list": listing,
    "bigquery.jobs.query": query,
}
TARGETS = {"bigquery.jobs": to_project, "bigquery.projects": to_project}
