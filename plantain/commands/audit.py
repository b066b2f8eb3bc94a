"""``plantain audit``: run, verify, diff, coverage, report, show, controls, key, provenance."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from plantain import output
from plantain.dates import day, today
from plantain.errors import ErrorFound, InputError, WarningFound

app = typer.Typer(help="Judge what is deployed, and keep evidence of it.", no_args_is_help=True, rich_markup_mode=None)

EVIDENCE = Path("evidence")

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
    groups: Annotated[
        bool, typer.Option(help="Ask Cloud Identity who is in the groups that hold roles; needs Groups Reader.")
    ] = False,
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
    from plantain.audit import archive, options, presentation, run, signature  # noqa: PLC0415
    from plantain.audit.collection import Request  # noqa: PLC0415
    from plantain.google_cloud import GoogleCloud  # noqa: PLC0415
    from plantain.project import project_root  # noqa: PLC0415

    presentation.check_severity(fail_on)
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
        options.source(root, name, index, state or [], events or [], config_file or [], preview=preview)
        for index, name in enumerate(stacks)
    ]
    by = signature.signer(key, cloud) if key else None
    target = archive.archive(cloud, to, options.numbers(sources)) if cloud and to else None
    request = Request(
        root,
        sources,
        options.judgements(root),
        dt.datetime.now(dt.UTC),
        day(date) or today(),
        cloud if needs_cloud else None,
        groups,
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
    difference = presentation.since(out, done)
    if cloud and target:
        count = archive.copy(cloud, target, out, done.folder)
        if not target.locked:
            output.complain(f"warning: the retention of gs://{target.bucket} is not locked, so it can be shortened.")
        output.complain(f"{count} objects are copied to gs://{target.bucket}/{target.prefix}{done.folder.name}/")
    if cloud and log:
        from plantain.audit.announcement import announce  # noqa: PLC0415

        announce(cloud, log, done, difference)
    presentation.tell(done, difference, json=json, signed=by is not None)
    presentation.end(done, fail_on)


@app.command()
def verify(
    path: Annotated[Path, typer.Argument(help="The folder of bundles, or one bundle.")] = EVIDENCE,
    public_key: PublicKey = None,
    head: Annotated[str | None, typer.Option(help="Digest of the newest manifest, from elsewhere.")] = None,
    rejudge: Annotated[bool, typer.Option(help="Judge again, and compare byte for byte.")] = True,
    strict: Annotated[bool, typer.Option(help="What could not be verified is a problem, too.")] = False,
    json: Json = False,
) -> None:
    """Check digests, chain and signatures, and judge again. Needs no network."""
    from plantain.audit import terminal  # noqa: PLC0415 -- --help shall not wait for the audit
    from plantain.audit.errors import EvidenceChanged  # noqa: PLC0415
    from plantain.audit.verify import verify  # noqa: PLC0415

    report = verify(path, public_key=_trusted(public_key), head=head, rejudge=rejudge)
    terminal.tell_verification(report, json=json)
    if report.problems:
        raise EvidenceChanged(
            f"The evidence does not verify: {len(report.problems)} problems.",
            cure="compare it with the copy in the locked bucket",
        )
    if strict and report.notes:
        raise EvidenceChanged(
            f"Not everything could be verified: {'; '.join(report.notes)}.",
            cure="give --public-key and the whole folder of bundles, and use the version that judged them",
        )


@app.command()
def fetch(
    address: Annotated[str, typer.Argument(help="gs://BUCKET/PREFIX that --to wrote to.")],
    out: Annotated[Path, typer.Option(help="Folder of the bundles.")] = EVIDENCE,
    stack: Annotated[str | None, typer.Option(help="Stack whose settings say where Google's APIs are.")] = None,
    last: Annotated[int | None, typer.Option(min=1, help="Only so many of the newest bundles.")] = None,
    may_be_empty: Annotated[bool, typer.Option(help="No evidence is no error: there was no audit yet.")] = False,
) -> None:
    """Bring evidence back from the locked bucket, with its ledger."""
    from plantain.audit.archive import fetch  # noqa: PLC0415
    from plantain.google_cloud import GoogleCloud  # noqa: PLC0415

    with output.progress("Evidence", None) as bar:
        cloud = GoogleCloud.from_environment(stack=stack)
        count = fetch(cloud, address, out, bar.advance, last=last, may_be_empty=may_be_empty)
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
    from plantain.audit.presentation import show_diff  # noqa: PLC0415

    found = diff(_bundle(before), _bundle(after))
    if json:
        output.document(found.document())
    else:
        show_diff(found)
    if fail_on_regression and found.regressed:
        raise ErrorFound(f"These turned for the worse: {', '.join(found.regressed)}.", cure="plantain audit report")


@app.command()
def coverage(
    bundle: Bundle = EVIDENCE,
    framework: Annotated[str | None, typer.Option(help="One framework, with all its ids.")] = None,
    json: Json = False,
) -> None:
    """What the audit says of each framework, manual items and their recorded results included."""
    from plantain.audit import terminal  # noqa: PLC0415 -- --help shall not wait for the audit
    from plantain.audit.coverage import coverage  # noqa: PLC0415

    found = coverage(_bundle(bundle))
    if framework:
        chosen = next((entry for entry in found if entry.name == framework), None)
        if chosen is None:
            known = ", ".join(entry.name for entry in found)
            raise InputError(f"There is no framework {framework!r}. Known: {known}.", cure="plantain audit coverage")
        terminal.tell_framework(chosen, json=json)
        return
    if json:
        output.document([entry.document() for entry in found])
        return
    columns = ("framework", "version", "ids", "with a control", "judged", "pass", "fail", "manual", "open")
    output.table(columns, [entry.row() for entry in found], right=columns[2:], whole=("framework",))


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
    from plantain.audit import terminal  # noqa: PLC0415 -- --help shall not wait for the audit
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
    terminal.tell_judgements(rows, json=json)


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
    from plantain.audit import terminal  # noqa: PLC0415 -- --help shall not wait for the audit
    from plantain.audit.provenance.run import run  # noqa: PLC0415
    from plantain.audit.provenance.source import SCHEME, source  # noqa: PLC0415
    from plantain.google_cloud import GoogleCloud  # noqa: PLC0415

    if not 0 < sample <= 1:
        raise InputError(f"--sample {sample} is no part.", cure="above 0 up to 1, as --sample 0.05")
    cloud = GoogleCloud.from_environment(stack=stack) if address.startswith(SCHEME) else None
    with output.progress("Images", None) as bar:
        summary = run(source(address, cloud), out, share=sample, seed=seed, resume=resume, advance=bar.advance)
    found = summary.document()
    terminal.tell_provenance(found, out, json=json)
    if found["status"] == "not_evaluated":
        raise WarningFound("There was no image to judge, which proves nothing.", cure=f"look into {address}")
    if found["status"] == "fail":
        raise ErrorFound(f"{found['failed']} images cannot be traced.", cure=f"see {out}")


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
