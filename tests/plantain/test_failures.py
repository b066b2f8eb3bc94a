"""Every failure of every verb: what it says, and the exit code. That none is forgotten is read from the source."""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import google.auth
import httpx
import psutil
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.auth.exceptions import DefaultCredentialsError

import plantain
from generation.models import table
from plantain import identity, main
from plantain.audit import archive, collection
from plantain.audit.errors import SigningKeyError, SourceError
from plantain.audit.provenance import run as provenance
from plantain.audit.signature import FileSigner
from plantain.batch.rows import rows
from plantain.batch.table import insert
from plantain.commands import models as models_command
from plantain.credentials import ApplicationDefault
from plantain.doctor.finding import Finding, Severity
from plantain.errors import (
    CredentialsError,
    ErrorFound,
    GenerationError,
    GoogleCloudError,
    InputError,
    PlantainError,
    SandboxError,
    StackError,
    WarningFound,
)
from plantain.function import Function
from plantain.generation_run.runner import Runner
from plantain.live_models import Reading
from plantain.sandbox_process import Sandbox
from plantain.stack import Stack
from tests.plantain.conftest import ROOT, FakeCloud
from tests.plantain.ending import ends
from tests.plantain.failures import Failure, failures, kinds, spoken
from tests.plantain.raised import PROPERTY, Summary

OUTPUTS = {
    "projectId": "spring-1",
    "projectNumber": "17",
    "bucket": "spring-1-images",
    "functionUri": "https://images.example",
    "functionName": "projects/spring-1/locations/europe-west4/functions/images",
    "labels": {"campaign": "spring-launch"},
}


def test_every_failure_that_the_source_raises_is_spoken_of_by_a_test() -> None:
    for module in pkgutil.walk_packages(plantain.__path__, "plantain."):
        importlib.import_module(module.name)
    known = spoken(ROOT / "tests" / "plantain", ROOT / "tests" / "engine")
    raised = [one for one in failures(ROOT / "plantain", kinds()) if any(one.pieces)]
    assert len(raised) > 150
    assert [str(one) for one in raised if not one.named_by(known)] == []


def test_every_class_of_failures_has_an_exit_code_of_its_own_or_its_parents() -> None:
    codes: dict[type[PlantainError], int] = {
        PlantainError: 1,
        InputError: 2,
        SandboxError: 3,
        StackError: 5,
        GenerationError: 6,
        GoogleCloudError: 7,
        CredentialsError: 8,
        WarningFound: 10,
        ErrorFound: 11,
    }
    assert {kind: kind.exit_code for kind in codes} == codes


@dataclass(frozen=True)
class Case:
    """A command that fails.

    Attributes:
        command: its words.
        code: exit code.
        says: part of what stands on standard error.
        files: of the project, by name.
        campaigns: what the stack says is deployed; a failure instead.
    """

    command: str
    code: int
    says: str
    files: dict[str, str] = field(default_factory=dict)
    campaigns: dict[str, Any] | StackError = field(default_factory=lambda: {"spring-launch": OUTPUTS})


NO_STACK = StackError("pulumi stack of stack sandbox failed.\nerror: no stack named 'sandbox' found")
ROW = {"rows.jsonl": '{"prompt": "a"}\n'}
CASES = (
    Case("batch prepare rows.jsonl --name Ä", 2, "is no name for a batch", ROW),
    Case("batch prepare missing.jsonl", 2, "missing.jsonl cannot be read: No such file"),
    Case("batch prepare rows.csv", 2, "is no CSV: ", {"rows.csv": 'prompt\n"a'}),
    Case("batch prepare rows.csv", 2, "more cells than the head line", {"rows.csv": "prompt\na,b\n"}),
    Case("batch prepare empty.jsonl", 2, "holds nothing to make: 0 rows have images already", {"empty.jsonl": "\n"}),
    Case("batch prepare rows.jsonl", 2, "of 1 rows are wrong, so nothing is ready:", {"rows.jsonl": "[]\n"}),
    Case("batch prepare bq://table", 2, "'table' is no table's name"),
    Case("batch prepare rows.jsonl --model dall-e", 2, "is not in the table of models", ROW),
    Case("batch prepare rows.jsonl --campaign winter", 2, "Stack sandbox has no campaign 'winter'", ROW),
    Case("batch prepare rows.jsonl", 5, "no stack named", ROW, NO_STACK),
    Case("batch prepare rows.jsonl --folder rows.jsonl/b", 2, "rows.jsonl/b cannot be written", ROW),
    Case("batch show nothing", 2, "nothing holds no prepared batch"),
    Case("batch show damaged", 2, "damaged/plan.json is damaged: ", {"damaged/plan.json": "{}"}),
    Case("batch cancel nothing", 2, "nothing holds no prepared batch"),
    Case("campaign new winter --owner a --cost-center b --invoker x --contact y", 2, "invokers"),
    Case("campaign new winter --ends-on tomorrow --owner a --cost-center b", 2, "'tomorrow' is no day"),
    Case("campaign new winter", 2, "Owner (team) is missing, and there is no terminal to ask on"),
    Case("campaign new spring-launch --owner a --cost-center b --invoker group:a@b.c --contact a@b.c", 2, "exists"),
    Case("campaign new Winter_1", 2, "'Winter_1' is no name for a campaign: "),
    Case("campaign new spring-launch", 2, "exists; nothing was written."),
    Case("campaign clone winter summer", 2, "There is no campaign 'winter'"),
    Case("campaign show winter", 2, "has not deployed 'winter'"),
    Case("campaign show spring-launch", 2, "has not deployed 'spring-launch'. Known: none", {}, NO_STACK),
    Case("campaign show spring-launch", 5, "incorrect passphrase", {}, StackError("incorrect passphrase")),
    Case("campaign checklist spring-launch --offline", 10, "lines are open:"),
    Case("campaign checklist winter --offline", 2, "There is no campaign 'winter'"),
    Case("campaign retire spring-launch --step burn", 2, "There is no step 'burn'. Known: delete"),
    Case("campaign retire spring-launch --step delete", 2, "Nothing was deleted."),
    Case("campaign list --stack nowhere", 2, "There is no stack 'nowhere': Pulumi.nowhere.yaml does not exist"),
    Case("campaign list", 2, "campaigns/bad.yaml", {"campaigns/bad.yaml": "labels: [\n"}),
    Case("cost forecast spring-launch --images many", 2, "'many' is no number of images."),
    Case("cost forecast bad --images 5", 2, "bad.yaml is wrong in ", {"campaigns/bad.yaml": "labels: {}\n"}),
    Case("cost forecast bad --images 5", 2, "bad.yaml cannot be read: 'utf-8'", {"campaigns/bad.yaml": "\udcff"}),
    Case("cost forecast spring-launch --images 5 --html f/p.html", 2, "The page f/p.html cannot be wri", {"f": "file"}),
    Case("cost forecast spring-launch --images 8K=5", 2, "makes no '8K' images, so they have no price"),
    Case("cost forecast spring-launch --images 5 --unit-price free", 2, "'free' is no price."),
    Case("cost forecast spring-launch --images 5 --model dall-e", 2, "is not in the table of models"),
    Case("cost plan 5 --size 8K", 2, "makes no '8K' images."),
    Case("cost report --from yesterday", 2, "'yesterday' is no day."),
    Case("cost report --from 2026-11-30 --to 2026-11-01", 2, "The time ends before it begins: 2026-11-30"),
    Case("cost report", 5, "no stack named", {}, NO_STACK),
    Case("cost budget", 2, "has no deployed campaign", {}, {}),
    Case("doctor --only weather", 2, "There is no check 'weather'. Known: apis"),
    Case("doctor --stack nowhere", 2, "There is no stack 'nowhere'"),
    Case("doctor --stack bad", 2, "Pulumi.bad.yaml is not a stack's settings: ", {"Pulumi.bad.yaml": "config: [\n"}),
    Case("doctor --stack bad", 2, "so the stack cannot be deployed", {"Pulumi.bad.yaml": "config: {}"}),
    Case("generate", 2, "Nothing to generate: give either --prompt or --file."),
    Case("generate --prompt a --template b", 2, "A template needs rows to fill it."),
    Case("generate --prompt a --safety HATE", 2, "'HATE' is not of the form NAME=VALUE."),
    Case("generate --prompt a --reference missing.png", 2, "missing.png"),
    Case("generate --file missing.jsonl", 2, "missing.jsonl"),
    Case("generate --file latin.txt", 2, "The prompt file latin.txt is not UTF-8 text.", {"latin.txt": "\udcff"}),
    Case("generate --prompt a --campaign winter", 2, "has no campaign 'winter'"),
    Case("generate --prompt a", 5, "no stack named", {}, NO_STACK),
    Case("graph --format png", 2, "There is no format 'png'. Known: mermaid, svg."),
    Case("graph", 2, "has no project in its state, so there is nothing to draw"),
    Case("graph --state missing.json", 2, "missing.json is no export of a state: "),
    Case("graph", 5, "no stack named", {}, NO_STACK),
    Case("models show dall-e", 2, "There are no facts about this model: dall-e is not in the table of models"),
    Case("perimeter report", 2, "has no deployed campaign whose logs could be read", {}, {}),
    Case("perimeter report", 5, "no stack named", {}, NO_STACK),
    Case("perimeter simulate --as user:a@b.c --service s --document no.json", 2, "no.json is no perimeter as JSON: "),
    Case("perimeter simulate --as user:a@b.c --service storage", 11, "The call would be refused: "),
    Case("recover --stack nowhere", 2, "There is no stack 'nowhere'"),
    Case("sandbox clock --advance soon --data nothing", 2, "'soon' is no length of time, so the clock stays"),
    Case("sandbox status --data nothing", 3, "No sandbox runs on nothing."),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.command}: {case.code}, {case.says}"[:90])
def test_a_command_that_fails_says_why_and_ends_with_its_code(
    case: Case, project: Path, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cloud.asked == []
    for name, text in case.files.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_bytes(text.encode(errors="surrogateescape"))

    def answers(_: Stack) -> dict[str, Any]:
        if isinstance(case.campaigns, StackError):
            raise case.campaigns
        return {"campaigns": case.campaigns, "deployment": {"resources": []}}

    monkeypatch.setattr(Stack, "outputs", answers)
    monkeypatch.setattr(Stack, "export", answers)
    monkeypatch.setattr(sys, "argv", ["plantain", *case.command.split()])
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    with pytest.raises(SystemExit) as caught:
        main.main()
    shown = capsys.readouterr().err
    assert case.says in shown
    assert caught.value.code == case.code, shown
    assert "Traceback" not in shown


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    """The exit code of a command line."""
    monkeypatch.setattr(sys, "argv", ["plantain", *words])
    with pytest.raises(SystemExit) as caught:
        main.main()
    return caught.value.code


@pytest.mark.usefixtures("cloud")
def test_a_model_without_batch_is_refused_before_the_rows_are_read(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Stack, "outputs", lambda _: {"campaigns": {"spring-launch": OUTPUTS}})
    without = table().models[0].model_copy(update={"batch": None})
    monkeypatch.setattr("plantain.model_facts.model_of", lambda _: without)
    (project / "rows.jsonl").write_text("nonsense")
    assert run(monkeypatch, "batch", "prepare", "rows.jsonl") == 2
    assert f"{without.id} has no batch inference." in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["watch", "fetch"])
def test_a_job_that_failed_without_a_reason_is_said_to_have(
    verb: str,
    project: Path,
    cloud: FakeCloud,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Stack, "outputs", lambda _: {"campaigns": {"spring-launch": OUTPUTS}})
    (project / "rows.jsonl").write_text('{"prompt": "a"}')
    monkeypatch.setattr(sys, "argv", ["plantain", "batch", "prepare", "rows.jsonl"])
    with pytest.raises(SystemExit):
        main.main()
    plan = json.loads((project / "batch" / "rows" / "plan.json").read_text())
    plan["parts"][0]["job"] = "job"
    (project / "batch" / "rows" / "plan.json").write_text(json.dumps(plan))
    cloud.answers["GET aiplatform/v1/job"] = {"state": "JOB_STATE_FAILED"}
    assert run(monkeypatch, "batch", verb, "batch/rows") == 11
    assert "1 of 1 jobs failed: no reason given" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("severity", "code", "says"),
    [
        ("error", 11, "1 finding would stop pulumi up --stack sandbox."),
        ("warning", 10, "Nothing stops pulumi up --stack sandbox; 1 finding would hurt later."),
    ],
)
@pytest.mark.usefixtures("project", "cloud")
def test_the_doctors_exit_code_is_that_of_the_worst_finding(
    severity: str, code: int, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finding = Finding("tools", Severity(severity), "It is old.", "It breaks.", "renew it")
    monkeypatch.setattr(Stack, "outputs", lambda _: {})
    monkeypatch.setattr("plantain.doctor.examination.examine", lambda *_: [finding])
    assert run(monkeypatch, "doctor") == code
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("served", "code", "says"),
    [
        (False, 11, "A model that a campaign uses is gone, or the table is wrong about one that is served."),
        (None, 10, "A model goes within 90 days, or what is known of one is old."),
    ],
)
@pytest.mark.usefixtures("project", "cloud")
def test_models_that_vertex_ai_does_not_serve_end_the_check_with_11_and_doubts_with_10(
    served: bool | None, code: int, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reading = Reading("gemini-3-pro-image", "global", served, "PERMISSION_DENIED")
    monkeypatch.setattr("plantain.live_models.read", lambda *_: [reading])
    monkeypatch.setattr(models_command, "of_dates", lambda *_: [])
    assert run(monkeypatch, "models", "check", "--project", "p") == code
    assert says in capsys.readouterr().err


@pytest.mark.usefixtures("project", "cloud")
def test_a_refused_prompt_ends_with_6_and_the_first_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    detail = {"reason": "SAFETY", "class": "safety", "hint": "reword it"}
    error = {"code": 422, "status": "FAILED_PRECONDITION", "message": "The model declined.", "details": [detail]}
    monkeypatch.setattr(Stack, "outputs", lambda _: {"campaigns": {"spring-launch": OUTPUTS}})
    monkeypatch.setattr(identity, "identity_token", lambda *_: "token")
    monkeypatch.setattr(httpx, "post", lambda *_, **__: httpx.Response(422, json={"error": error}))
    assert run(monkeypatch, "generate", "--prompt", "a") == 6
    shown = capsys.readouterr().err
    assert "1 of 1 requests gave no image. First: The model declined." in shown
    assert "cure: reword it" in shown


@pytest.mark.usefixtures("project", "cloud")
def test_a_function_that_cannot_be_reached_ends_with_6(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuses(*_: Any, **__: Any) -> httpx.Response:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(Stack, "outputs", lambda _: {"campaigns": {"spring-launch": OUTPUTS}})
    monkeypatch.setattr(identity, "identity_token", lambda *_: "token")
    monkeypatch.setattr(httpx, "post", refuses)
    assert run(monkeypatch, "generate", "--prompt", "a") == 6
    assert "The function at https://images.example cannot be reached (ConnectError: refused)" in capsys.readouterr().err


@pytest.mark.usefixtures("project", "cloud")
def test_without_a_campaign_that_is_meant_the_deployed_ones_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Stack, "outputs", lambda _: {"campaigns": {"spring": OUTPUTS, "autumn": OUTPUTS}})
    assert run(monkeypatch, "generate", "--prompt", "a") == 2
    shown = capsys.readouterr().err
    assert "has not one campaign, and none was named. Deployed: autumn, spring." in shown


def test_a_caller_without_credentials_is_told_how_to_log_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(**_: Any) -> None:
        raise DefaultCredentialsError("no credentials were found")

    monkeypatch.setattr(google.auth, "default", none)
    with pytest.raises(CredentialsError, match="No credentials for Google Cloud: no credentials") as caught:
        ApplicationDefault(None)(False)
    assert (caught.value.exit_code, caught.value.cure) == (8, "gcloud auth application-default login")
    with pytest.raises(
        GenerationError, match=r"No identity token for https://f: .* only answers callers it"
    ) as refused:
        identity.identity_token("https://f")
    assert refused.value.exit_code == 6
    assert refused.value.cure
    assert refused.value.cure.startswith("gcloud auth application-default login")


def test_no_attempt_makes_no_image(tmp_path: Path) -> None:
    runner = Runner(Function("https://f", "token"), tmp_path, attempts=0)
    with pytest.raises(GenerationError, match="No attempt was allowed") as caught:
        runner.run([{"prompt": "a"}])
    assert caught.value.cure == "--attempts 1"


def test_a_table_without_a_cloud_to_read_it_from_is_refused() -> None:
    with pytest.raises(InputError, match="A table needs a cloud to be read from"):
        list(rows("bq://p.d.t"))


def test_bigquery_s_refusal_of_rows_names_their_number_and_the_first_reason(cloud: FakeCloud) -> None:
    cloud.answers["GET bigquery/"] = {}
    cloud.answers["POST bigquery/"] = {"insertErrors": [{"errors": [{}]}, {"errors": [{}]}]}
    with pytest.raises(InputError, match="BigQuery refused 2 rows, the first because: no reason given"):
        insert(cloud, "p.d.t", [{"fingerprint": "1"}])  # type: ignore[arg-type]  # a fake
    with pytest.raises(InputError, match="'t' is no table's name"):
        insert(cloud, "t", [])  # type: ignore[arg-type]  # a fake


def test_results_for_a_dataset_that_is_missing_stay_here_and_the_way_out_is_named(cloud: FakeCloud) -> None:
    with pytest.raises(InputError, match=r"There is no dataset p\.d, so the results were only written here") as caught:
        insert(cloud, "p.d.t", [{"fingerprint": "1"}])  # type: ignore[arg-type]  # a fake
    assert caught.value.cure == "bq --location=REGION mk --dataset p:d, then fetch again"
    cloud.answers["POST bigquery/"] = GoogleCloudError(403, "PERMISSION_DENIED", "no", "bigquery", "tables")
    with pytest.raises(GoogleCloudError, match="HTTP 403 PERMISSION_DENIED"):
        insert(cloud, "p.d.t", [{"fingerprint": "1"}])  # type: ignore[arg-type]  # a fake


def test_without_pulumi_a_stack_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="pulumi is not on PATH") as caught:
        Stack("prod", tmp_path, {"PATH": str(tmp_path)}).outputs()
    assert (caught.value.exit_code, caught.value.cure) == (5, "plantain engine")


def test_what_pulumi_said_of_its_failure_is_told(tmp_path: Path) -> None:
    program = tmp_path / "pulumi"
    program.write_text("#!/bin/sh\necho 'error: the passphrase is wrong' >&2\nexit 255\n")
    program.chmod(0o755)
    with ends(5, "error: pulumi stack of stack prod failed.\nerror: the passphrase is wrong\n"):
        Stack("prod", tmp_path, {"PATH": f"{tmp_path}:/usr/bin:/bin"}).outputs()


def test_a_copy_whose_name_leads_out_of_the_folder_is_not_written(cloud: FakeCloud, tmp_path: Path) -> None:
    cloud.answers["GET storage/"] = {"items": [{"name": "prod/heads/0001.json"}, {"name": "prod/../../evil.json"}]}
    with pytest.raises(SourceError, match="an object whose name leads out of the folder: prod/"):
        archive.fetch(cloud, "gs://kept/prod", tmp_path / "copy")  # type: ignore[arg-type]  # a fake
    assert not (tmp_path.parent / "evil.json").exists()


def test_a_file_that_is_no_state_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("[]")
    with pytest.raises(SourceError, match=r"state\.json is no state: ") as caught:
        collection.load_export(tmp_path / "state.json")
    assert caught.value.cure == "pulumi stack export --stack STACK --file state.json"


def test_a_line_of_provenance_that_is_no_result_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"Line 2 of .*images\.jsonl is no result\.") as caught:
        list(
            provenance._lines(tmp_path / "images.jsonl", [b'{"id": "a", "contentCredentials": {"state": "x"}}', b"{}"])
        )
    assert caught.value.cure == "choose another --out"


def test_a_key_of_another_kind_signs_nothing(tmp_path: Path) -> None:
    kinds_of_pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key = tmp_path / "key.pem"
    key.write_bytes(ec.generate_private_key(ec.SECP256R1()).private_bytes(*kinds_of_pem))
    key.chmod(0o600)
    with pytest.raises(SigningKeyError, match="holds a key that is not ed25519, so it cannot sign") as caught:
        FileSigner(key)
    assert caught.value.cure == "plantain audit key FILE"


@pytest.mark.usefixtures("project")
def test_controls_that_turned_for_the_worse_end_with_11_when_asked_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = SimpleNamespace(regressed=["keys-rotate", "logs-kept"], document=dict)
    monkeypatch.setattr("plantain.audit.diff.diff", lambda *_: found)
    monkeypatch.setattr("plantain.commands.audit._bundle", lambda path: path)
    assert run(monkeypatch, "audit", "diff", "a", "b", "--fail-on-regression", "--json") == 11
    assert "These turned for the worse: keys-rotate, logs-kept." in capsys.readouterr().err


class Child:
    """A process of a sandbox that does nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.pid = -1

    def poll(self) -> int:
        return 1

    def send_signal(self, _: int) -> None:
        return

    def wait(self, seconds: float) -> None:
        raise psutil.TimeoutExpired(seconds)


def test_a_sandbox_that_does_not_start_says_where_its_log_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "Popen", Child)
    with pytest.raises(SandboxError, match="The sandbox did not start: no answer after") as caught:
        Sandbox.start(tmp_path / "data", 0)
    assert (caught.value.exit_code, caught.value.cure) == (3, "plantain sandbox up --port 0")


def test_a_sandbox_that_does_not_end_and_one_that_refuses_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Sandbox("http://127.0.0.1:1", 4711, tmp_path, "", "token")
    monkeypatch.setattr(psutil, "Process", Child)
    with pytest.raises(SandboxError, match="The sandbox does not end") as caught:
        found.stop()
    assert caught.value.cure == "kill -9 4711"
    answer = httpx.Response(400, json={"error": {"message": "no such fault"}})
    monkeypatch.setattr(httpx, "request", lambda *_, **__: answer)
    with pytest.raises(SandboxError, match="The sandbox refused POST faults: no such fault") as refused:
        found.post("faults")
    assert refused.value.exit_code == 3
    monkeypatch.setattr(Sandbox, "find", lambda _: found)
    with pytest.raises(SandboxError, match=r"A sandbox already runs on .* \(process 4711, http://127.0.0.1:1\)"):
        Sandbox.start(tmp_path, 0)


def test_a_failure_that_no_test_raised_or_no_command_told_is_named() -> None:
    command, engine = ROOT / "plantain" / "commands" / "graph.py", ROOT / "plantain" / "engine" / "build.py"
    places = [Failure(command, 10, 12, "InputError", ("no",)), Failure(engine, 5, 5, "BuildError", ("broken",))]
    run_of_all = Summary()
    assert [line.partition(":")[0] for line in run_of_all.lacking(places)] == ["never raised by a test"] * 2
    run_of_all.add(
        "tests/plantain/test_a.py::test_b", [(PROPERTY, [(str(command), 11, False), (str(engine), 5, False)])]
    )
    run_of_all.add("tests/infra/test_c.py::test_d", [(PROPERTY, [(str(command), 11, True)])])
    assert [line.partition(":")[0] for line in run_of_all.lacking(places)] == ["never told by a command"]
    run_of_all.add("tests/plantain/test_a.py::test_e", [(PROPERTY, [(str(command), 11, True)])])
    assert run_of_all.lacking(places) == []
    assert not run_of_all.complete()
