"""Deploy the example campaign to a fresh sandbox, generate the images of prompts.jsonl, and clean up.

``KEEP=1`` leaves the sandbox running; ``PORT=8090`` chooses another port.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import yaml

from plantain import output
from plantain.engine import resolve
from plantain.errors import GenerationError, PlantainError
from plantain.main import INTERRUPTED
from plantain.sandbox_process import Sandbox
from plantain.sandbox_stack import sandbox_environment, settings_file
from plantain.stack import Stack
from sandbox.settings import DEFAULT_PORT

ROOT = Path(__file__).parents[1]
DATA = ROOT / ".plantain" / "demo"
OUT = ROOT / "out" / "demo"
PROMPTS = Path(__file__).with_name("prompts.jsonl")
STACK = "sandbox"
ARTIST = "user:artist@example.com"


def main() -> None:
    """Run the demo, then take everything down unless it is to stay."""
    keep = os.environ.get("KEEP", "") not in {"", "0"}
    port = int(os.environ.get("PORT", DEFAULT_PORT))
    signal.signal(signal.SIGTERM, interrupt)
    started = time.monotonic()
    engine = resolve()
    output.say(f"Engine: pulumi {engine.versions['pulumi']} ({engine.source}).")
    if Sandbox.find(DATA) is None:
        shutil.rmtree(DATA, ignore_errors=True)
    sandbox = Sandbox.start(DATA, port)
    finished = False
    try:
        output.say(f"Sandbox: a local Google Cloud at {sandbox.url}, ready after {time.monotonic() - started:.1f} s.")
        network = deploy(sandbox, {**sandbox.client_environment(), **sandbox_environment(DATA, engine)})
        generate(sandbox, sandbox_environment(DATA, engine), network)
        finished = True
    finally:
        if keep and finished:
            explain(sandbox, network)
        else:
            sandbox.stop()
            shutil.rmtree(DATA, ignore_errors=True)
    output.say(f"Done in {time.monotonic() - started:.0f} s. The images lie in {OUT.relative_to(ROOT)}.")


def deploy(sandbox: Sandbox, environment: dict[str, str]) -> str:
    """``pulumi up``; returns the name of the campaign's network."""
    output.heading("pulumi up")
    before, started = sandbox.get("status"), time.monotonic()
    stack = Stack(STACK, ROOT, environment, settings_file(ROOT / "Pulumi.sandbox.yaml", sandbox), echo=True)
    stack.select()
    stack.up()
    elapsed, after = time.monotonic() - started, sandbox.get("status")
    answering = (after["milliseconds"] - before["milliseconds"]) / 1000
    output.say(
        f"Deployed in {elapsed:.0f} s: {after['requests'] - before['requests']} requests, which the sandbox "
        f"answered in {answering:.1f} s; building and starting the function took {after['deploymentSeconds']:.1f} s. "
        "The rest is pulumi and the fixed waits inside Google's provider."
    )
    campaigns = stack.outputs()["campaigns"]
    name = next(iter(campaigns))
    file = yaml.safe_load((ROOT / "campaigns" / f"{name}.yaml").read_text())
    for invoker in file["invokers"]:
        kind, _, address = invoker.partition(":")
        if kind == "group":
            sandbox.post("groups", {"group": address, "members": [ARTIST]})
    network: str = campaigns[name]["network"]
    return network


def generate(sandbox: Sandbox, pulumi_environment: dict[str, str], network: str) -> None:
    """Generate as a member of the campaign team, from a machine in the campaign's network."""
    output.heading(f"plantain generate --file {PROMPTS.relative_to(ROOT)}")
    environment = {**sandbox.client_environment(member=ARTIST, network=network), **pulumi_environment}
    out = str(OUT.relative_to(ROOT))
    command = [sys.executable, "-m", "plantain.main", "generate", "--file", str(PROMPTS), "--out", out]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)  # noqa: S603 -- our own command line
    if done.returncode:
        raise GenerationError("The images could not be generated; the reason stands above.")


def explain(sandbox: Sandbox, network: str) -> None:
    """What can be done with the sandbox that stays."""
    data = DATA.relative_to(ROOT)
    output.heading("The sandbox stays. Go on with")
    output.say(f'  eval "$(.venv/bin/plantain sandbox env --data {data} --as {ARTIST} --network {network})"')
    output.say('  .venv/bin/plantain generate --prompt "A plantain wearing sunglasses, pop art"')
    file = "" if sandbox.url.endswith(f":{DEFAULT_PORT}") else f" --config-file {data}/Pulumi.sandbox.yaml"
    output.say(f"  pulumi preview --stack {STACK}{file}")
    output.say(f"  pulumi destroy --stack {STACK}{file}")
    output.say(f"  .venv/bin/plantain sandbox requests --data {data}")
    output.say(f"  .venv/bin/plantain sandbox down --data {data}")


def interrupt(*_: object) -> NoReturn:
    """Let SIGTERM clean up as Ctrl-C does."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        main()
    except PlantainError as error:
        output.failure(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        output.complain("Interrupted: the sandbox is stopped and its state removed.")
        sys.exit(INTERRUPTED)
