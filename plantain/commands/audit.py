"""``plantain audit``: run, verify, diff, coverage, report, show, controls, key, provenance."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from plantain import output
from plantain.errors import ErrorFound, InputError, WarningFound

if TYPE_CHECKING:
    from plantain.audit.collection import Source
    from plantain.audit.diff import Diff
    from plantain.audit.run import Done

app = typer.Typer(help="Judge what is deployed, and keep evidence of it.", no_args_is_help=True, rich_markup_mode=None)

EVIDENCE = Path("evidence")
SEVERITIES = ("low", "medium", "high", "critical")
NEVER = "never"
SHOWN = 15

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Bundle = Annotated[Path, typer.Argument(help="A bundle, or the folder of bundles: then the newest.")]
FailOn = Annotated[str, typer.Option(help="Least severity of a failure that exits with 11: low to critical, or never.")]
PublicKey = Annotated[Path | None, typer.Option(help="The key you trust, as plantain audit key makes it: FILE.pub.")]


@app.command()
def run(
    stack: Annotated[list[str] | None, typer.Option(help="Stack to audit; repeat.")] = None,
    state: Annotated[list[Path] | None, typer.Option(help="Its state as a file, in the order of --stack.")] = None,
    events: Annotated[list[Path] | None, typer.Option(help="Events of its preview, in the order of --stack.")] = None,
    preview: Annotated[bool, typer.Option(help="Run pulumi preview, to judge what the next update would do.")] = False,
    offline: Annotated[bool, typer.Option(help="Judge what was declared; ask Google nothing.")] = False,
    units: Annotated[Path | None, typer.Option(help="Units collected elsewhere: the units/ of a bundle.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the bundles; the chain goes on there.")] = EVIDENCE,
    key: Annotated[str | None, typer.Option(help="Signing key: a file, or gcp-kms://.../cryptoKeyVersions/1.")] = None,
    to: Annotated[str | None, typer.Option(help="Copy to a bucket with locked retention: gs://BUCKET/PREFIX.")] = None,
    log: Annotated[str | None, typer.Option(help="Project whose log is told what turned for the worse.")] = None,
    attach: Annotated[list[Path] | None, typer.Option(help="File to seal with the evidence; repeat.")] = None,
    date: Annotated[str | None, typer.Option(help="Day for which is judged; today by default.")] = None,
    config_file: Annotated[
        list[Path] | None, typer.Option(help="Settings when not in Pulumi.STACK.yaml, in the order of --stack.")
    ] = None,
    fail_on: FailOn = "high",
    json: Json = False,
) -> None:
    """Read state, preview and cloud, judge them by the catalogue, and seal the evidence."""
    from plantain.audit import archive, run, signature  # noqa: PLC0415
    from plantain.audit.collection import Request  # noqa: PLC0415
    from plantain.google_cloud import GoogleCloud  # noqa: PLC0415
    from plantain.project import project_root  # noqa: PLC0415

    _check_severity(fail_on)
    stacks = stack or []
    if not stacks and units is None:
        raise InputError("Nothing to audit: no stack is given.", cure="plantain audit run --stack prod")
    root = project_root()
    settings_file = config_file[0] if config_file else None
    needs_cloud = not offline and units is None
    cloud = (
        GoogleCloud.from_environment(root, stacks[0] if stacks else None, settings_file=settings_file)
        if needs_cloud or to or log or (key or "").startswith(signature.KMS_SCHEME)
        else None
    )
    sources = [
        _source(root, name, index, state or [], events or [], config_file or [], preview=preview)
        for index, name in enumerate(stacks)
    ]
    by = signature.signer(key, cloud) if key else None
    target = archive.archive(cloud, to, _numbers(sources)) if cloud and to else None
    request = Request(
        root, sources, _judgements(root), dt.datetime.now(dt.UTC), _day(date), cloud if needs_cloud else None
    )
    with output.progress("Audit", 3) as bar:
        done = run.run(
            request,
            out,
            by=by,
            units=units,
            attachments=attach or (),
            advance=lambda what: bar.advance(note=what),
        )
    difference = _since(out, done)
    if cloud and target:
        count = archive.copy(cloud, target, out, done.folder)
        if not target.locked:
            output.complain(f"warning: the retention of gs://{target.bucket} is not locked, so it can be shortened.")
        output.complain(f"{count} objects are copied to gs://{target.bucket}/{target.prefix}{done.folder.name}/")
    if cloud and log:
        from plantain.audit.announcement import announce  # noqa: PLC0415

        announce(cloud, log, done, difference)
    _tell(done, difference, json=json, signed=by is not None)
    _end(done, fail_on)


@app.command()
def verify(
    path: Annotated[Path, typer.Argument(help="The folder of bundles, or one bundle.")] = EVIDENCE,
    public_key: PublicKey = None,
    head: Annotated[str | None, typer.Option(help="Digest of the newest manifest, from elsewhere.")] = None,
    rejudge: Annotated[bool, typer.Option(help="Judge again, and compare byte for byte.")] = True,
    json: Json = False,
) -> None:
    """Check digests, chain and signatures, and judge again. Needs no network."""
    from plantain.audit.errors import EvidenceChanged  # noqa: PLC0415
    from plantain.audit.verify import verify  # noqa: PLC0415

    report = verify(path, public_key=_trusted(public_key), head=head, rejudge=rejudge)
    if json:
        output.document(
            {
                "bundles": report.bundles,
                "files": report.files,
                "rejudged": report.rejudged,
                "notes": report.notes,
                "problems": [vars(problem) for problem in report.problems],
            }
        )
    else:
        for note in report.notes:
            output.complain(f"note: {note}")
        if report.problems:
            output.table(("where", "what"), [(problem.where, problem.what) for problem in report.problems])
        else:
            output.say(
                f"{len(report.bundles)} bundles and {report.files} files are as they were written; "
                f"{len(report.rejudged)} bundles were judged again with the same results."
            )
    if report.problems:
        raise EvidenceChanged(
            f"The evidence does not verify: {len(report.problems)} problems.",
            cure="compare it with the copy in the locked bucket",
        )


@app.command()
def fetch(
    address: Annotated[str, typer.Argument(help="gs://BUCKET/PREFIX that --to wrote to.")],
    out: Annotated[Path, typer.Option(help="Folder of the bundles.")] = EVIDENCE,
    stack: Annotated[str | None, typer.Option(help="Stack whose settings say where Google's APIs are.")] = None,
) -> None:
    """Bring evidence back from the locked bucket, with its ledger."""
    from plantain.audit.archive import fetch  # noqa: PLC0415
    from plantain.google_cloud import GoogleCloud  # noqa: PLC0415

    with output.progress("Evidence", None) as bar:
        count = fetch(GoogleCloud.from_environment(stack=stack), address, out, bar.advance)
    output.say(f"{count} files are new in {out}. Verify them: plantain audit verify {out} --public-key FILE.pub")


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(help="The earlier bundle.")],
    after: Annotated[Path, typer.Argument(help="The later bundle.")],
    fail_on_regression: Annotated[bool, typer.Option(help="Exit with 11 when a control turned to fail.")] = False,
    json: Json = False,
) -> None:
    """What changed between two audits, control by control."""
    from plantain.audit.diff import diff  # noqa: PLC0415

    found = diff(_bundle(before), _bundle(after))
    if json:
        output.document(found.document())
    else:
        _show_diff(found)
    if fail_on_regression and found.regressed:
        raise ErrorFound(f"These turned for the worse: {', '.join(found.regressed)}.", cure="plantain audit report")


@app.command()
def coverage(
    bundle: Bundle = EVIDENCE,
    framework: Annotated[str | None, typer.Option(help="One framework, with all its ids.")] = None,
    json: Json = False,
) -> None:
    """What the audit says of each framework, manual items and their recorded results included."""
    from plantain.audit.coverage import coverage  # noqa: PLC0415

    found = coverage(_bundle(bundle))
    if framework:
        chosen = next((entry for entry in found if entry.name == framework), None)
        if chosen is None:
            known = ", ".join(entry.name for entry in found)
            raise InputError(f"There is no framework {framework!r}. Known: {known}.", cure="plantain audit coverage")
        if json:
            output.document({"framework": chosen.name, "items": [vars(item) for item in chosen.items]})
            return
        rows = [
            (
                item.id,
                item.status,
                ", ".join(f"{name} ({status})" for name, status in item.controls.items()),
                "; ".join(f"{entry['result']} by {entry['by']} on {entry['date']}" for entry in item.recorded),
            )
            for item in chosen.items
        ]
        output.table(("id", "status", "controls", "recorded"), rows)
        if chosen.without_control:
            output.say(f"No control speaks of: {', '.join(chosen.without_control)}.")
        return
    if json:
        output.document([entry.document() for entry in found])
        return
    columns = ("framework", "version", "ids", "with a control", "judged", "pass", "fail", "manual", "open")
    output.table(columns, [entry.row() for entry in found], right=columns[2:])


@app.command()
def report(
    bundle: Bundle = EVIDENCE,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help="html, csv, markdown, sarif, junit, oscal, oscal-components, ocsf, all; repeat."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the reports.")] = Path("out/audit"),
) -> None:
    """Write reports of a bundle."""
    import importlib  # noqa: PLC0415

    from plantain.audit.reports import FORMATS  # noqa: PLC0415
    from plantain.audit.reports.view import View  # noqa: PLC0415

    wanted = formats or ["html", "csv"]
    if wanted == ["all"]:
        wanted = list(FORMATS)
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown:
        raise InputError(
            f"There is no format {', '.join(unknown)}. Known: all, {', '.join(FORMATS)}.",
            cure="plantain audit report --format html",
        )
    view = View(_bundle(bundle))
    out.mkdir(parents=True, exist_ok=True)
    for name in wanted:
        file, module = FORMATS[name]
        importlib.import_module(module).write(view, out / file)
        output.say(str(out / file))


@app.command()
def show(
    bundle: Bundle,
    control: Annotated[str, typer.Option(help="Id of the control.")],
    resource: Annotated[str | None, typer.Option(help="URN or full name; every resource by default.")] = None,
    json: Json = False,
) -> None:
    """Judge one control again from the evidence, and show everything it read."""
    from plantain.audit.bundle import rows_of, unit_folders  # noqa: PLC0415

    folder = _bundle(bundle)
    rows = [
        row
        for place in unit_folders(folder)
        for row in rows_of(folder, place.name)
        if row["control"] == control and resource in {None, row["resource"], row["name"]}
    ]
    if not rows:
        raise InputError(
            f"The evidence has no verdict of {control}{f' on {resource}' if resource else ''}.",
            cure="plantain audit controls",
        )
    if json:
        output.document(rows)
        return
    for row in rows:
        output.heading(f"{row['status']}: {row['name'] or row['unit']}")
        output.say(row["reason"])
        for source, said in row["sources"].items():
            output.say(f"  {source}: {said['status']} - {said.get('reason', '')}")
            for reading in said.get("readings", ()):
                declared = f" (declared: {reading['declared']!r})" if "declared" in reading else ""
                output.say(f"    {reading['path']} = {reading['value']!r}{declared}")


@app.command()
def controls(json: Json = False) -> None:
    """Every control by which is judged."""
    from plantain.audit.summary import documents  # noqa: PLC0415
    from policies.catalogue import CONTROLS  # noqa: PLC0415

    listed = documents(CONTROLS)
    if json:
        output.document(listed)
        return
    output.table(
        ("control", "severity", "kind", "title"), [(c["id"], c["severity"], c["kind"], c["title"]) for c in listed]
    )


@app.command()
def key(path: Annotated[Path, typer.Argument(help="File of the private half.")] = Path("audit.pem")) -> None:
    """Make an ed25519 key that signs evidence; the public half is what auditors are given."""
    from plantain.audit.signature import create_key  # noqa: PLC0415

    public = create_key(path)
    output.say(f"{path} signs; keep it where deployers cannot read it. {public} verifies; give it to the auditor.")


@app.command()
def provenance(
    address: Annotated[str, typer.Argument(help="gs://BUCKET of a campaign, or a folder that is a copy of it.")],
    out: Annotated[Path, typer.Option(help="File of results, one line for each image.")] = Path(
        "out/provenance.ndjson"
    ),
    sample: Annotated[float, typer.Option(help="Part of the images, above 0 up to 1.")] = 1.0,
    seed: Annotated[str, typer.Option(help="The same seed takes the same sample.")] = "",
    resume: Annotated[bool, typer.Option(help="Go on with an interrupted run.")] = False,
    stack: Annotated[str | None, typer.Option(help="Stack whose settings say where Google's APIs are.")] = None,
    json: Json = False,
) -> None:
    """Trace every image: bytes, record, AI mark, content credentials (AI Act, article 50)."""
    from plantain.audit.provenance.run import run  # noqa: PLC0415
    from plantain.audit.provenance.source import SCHEME, source  # noqa: PLC0415
    from plantain.google_cloud import GoogleCloud  # noqa: PLC0415

    if not 0 < sample <= 1:
        raise InputError(f"--sample {sample} is no part.", cure="above 0 up to 1, as --sample 0.05")
    cloud = GoogleCloud.from_environment(stack=stack) if address.startswith(SCHEME) else None
    with output.progress("Images", None) as bar:
        summary = run(source(address, cloud), out, share=sample, seed=seed, resume=resume, advance=bar.advance)
    found = summary.document()
    if json:
        output.document(found)
    else:
        output.say(f"{found['judged']} of {found['population']} images judged, {found['failed']} fail. Results: {out}")
        credentials = ", ".join(f"{number} {state}" for state, number in found["contentCredentials"].items())
        output.say(f"C2PA: {credentials or 'nothing judged'}.")
        if found["problems"]:
            output.table(("problem", "images"), [(k, str(n)) for k, n in found["problems"].items()], right=("images",))
    if found["status"] == "not_evaluated":
        raise WarningFound("There was no image to judge, which proves nothing.", cure=f"look into {address}")
    if found["status"] == "fail":
        raise ErrorFound(f"{found['failed']} images cannot be traced.", cure=f"see {out}")


def _check_severity(given: str) -> None:
    if given not in {*SEVERITIES, NEVER}:
        raise InputError(f"--fail-on {given} is no severity.", cure=f"one of {', '.join(SEVERITIES)}, {NEVER}")


def _day(text: str | None) -> dt.date:
    if text is None:
        return dt.datetime.now(dt.UTC).date()
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text} is no day.", cure="write it as 2027-06-30") from None


def _at(given: list[Path], index: int) -> Path | None:
    return given[index] if index < len(given) else None


def _source(
    root: Path, name: str, index: int, states: list[Path], events: list[Path], settings: list[Path], *, preview: bool
) -> Source:
    from plantain.audit.collection import Source, load_export, load_settings  # noqa: PLC0415
    from plantain.audit.errors import SourceError  # noqa: PLC0415
    from plantain.project import settings_path  # noqa: PLC0415
    from plantain.stack import Stack  # noqa: PLC0415

    file = _at(settings, index)
    own, choices = load_settings(file or settings_path(root, name))
    pulumi = Stack(name, root, dict(os.environ), file)
    given = _at(states, index)
    export = load_export(given) if given else pulumi.export()
    planned: str | None = None
    log = _at(events, index)
    if log:
        try:
            planned = log.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(f"{log} cannot be read: {error}", cure="pulumi preview --json > FILE") from None
    elif preview:
        planned = pulumi.preview_events()
    return Source(name, export, planned, own, choices)


def _judgements(root: Path) -> Any:
    from plantain.audit.judgements import EXCEPTIONS_FILE, MANUAL_FILE, load  # noqa: PLC0415
    from plantain.audit.summary import every  # noqa: PLC0415
    from policies.catalogue import CONTROLS  # noqa: PLC0415

    return load(root / EXCEPTIONS_FILE, root / MANUAL_FILE, [control.id for control in every(CONTROLS)])


def _numbers(sources: list[Source]) -> set[str]:
    from plantain.audit.join import PROJECT  # noqa: PLC0415

    return {
        str(resource.properties.get("number", ""))
        for source in sources
        for resource in source.resources
        if resource.type == PROJECT
    }


def _trusted(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", cure="plantain audit key FILE") from None


def _bundle(path: Path) -> Path:
    from plantain.audit import chain  # noqa: PLC0415
    from plantain.audit.errors import BundleError  # noqa: PLC0415
    from plantain.audit.manifest import MANIFEST_FILE  # noqa: PLC0415

    if (path / MANIFEST_FILE).exists():
        return path
    found = chain.bundles(path)
    if not found and not path.is_absolute() and (EVIDENCE / path / MANIFEST_FILE).exists():
        return EVIDENCE / path
    if not found:
        raise BundleError(f"{path} holds no evidence.", cure="plantain audit run --stack prod")
    return found[-1]


def _since(out: Path, done: Done) -> Diff | None:
    from plantain.audit import chain  # noqa: PLC0415
    from plantain.audit.diff import diff  # noqa: PLC0415

    links = chain.ledger(out)
    if len(links) < 2 or not (out / links[-2].bundle).exists():  # noqa: PLR2004 -- this one and the one before
        return None
    return diff(out / links[-2].bundle, done.folder)


def _tell(done: Done, difference: Diff | None, *, json: bool, signed: bool) -> None:
    if json:
        output.document(
            {
                "bundle": str(done.folder),
                "manifest": done.manifest.digest,
                "sequence": done.manifest.sequence,
                "signed": signed,
                "summary": done.summary,
                "population": done.inventory["totals"],
                "regressed": list(difference.regressed) if difference else [],
            }
        )
        return
    from plantain.audit.reports.view import View  # noqa: PLC0415

    view = View(done.folder)
    failing = [control for control in view.controls.values() if control["status"] in {"fail", "indeterminate"}]
    if failing:
        rows = [
            (c["status"], c["severity"], c["id"], str(c["resources"].get(c["status"], 0)), c["fix"])
            for c in failing[:SHOWN]
        ]
        output.table(("status", "severity", "control", "resources", "cure"), rows, right=("resources",))
        if len(failing) > SHOWN:
            output.say(f"... and {len(failing) - SHOWN} more: plantain audit report {done.folder}")
    totals, score = done.inventory["totals"], done.summary["score"]
    output.say(
        f"{score['passed']} of {score['judged']} judged controls pass; {score['controls'] - score['judged']} of "
        f"{score['controls']} have no verdict."
    )
    output.say(
        f"Population: {totals['projects']} projects, {totals['declared']} declared, {totals['live']} live resources; "
        f"{totals['unread']} lists could not be read."
    )
    if difference and difference.regressed:
        output.say(f"Worse than before: {', '.join(difference.regressed)}.")
    unsigned = "" if signed else ", not signed"
    output.say(f"Evidence: {done.folder} (manifest {done.manifest.digest[:16]}{unsigned}).")


def _end(done: Done, fail_on: str) -> None:
    from plantain.audit.reports.view import View  # noqa: PLC0415

    controls = View(done.folder).controls.values()
    failing = [control for control in controls if control["status"] == "fail"]
    least = SEVERITIES.index(fail_on) if fail_on != NEVER else len(SEVERITIES)
    bad = [control["id"] for control in failing if SEVERITIES.index(control["severity"]) >= least]
    cure = f"plantain audit report {done.folder}"
    if bad:
        raise ErrorFound(f"{len(bad)} controls of severity {fail_on} or more fail.", cure=cure)
    if fail_on != NEVER and (failing or any(control["status"] == "indeterminate" for control in controls)):
        raise WarningFound("Controls of lower severity fail, or could not be judged.", cure=cure)


def _show_diff(found: Diff) -> None:
    if found.catalogue_changed:
        output.say("The two were judged by different controls.")
    for name, (old, new) in found.population.items():
        output.say(f"{name}: {old} before, {new} after")
    if found.controls:
        output.table(("control", "before", "after"), [(n, a or "-", b or "-") for n, (a, b) in found.controls.items()])
    rows = [
        ("worse" if c.regressed else "mended" if c.mended else "", c.control, c.name or c.unit, c.before or "-",
         c.after or "-", c.reason)
        for c in found.changes
    ]  # fmt: skip
    if rows:
        output.table(("", "control", "resource", "before", "after", "reason"), rows)
    if not rows and not found.controls:
        output.say("Nothing changed.")
