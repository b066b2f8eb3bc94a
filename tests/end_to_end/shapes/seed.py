"""The seed project, and states that lie in its bucket."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from plantain.stack import Stack
from tests.end_to_end.organization import LABELS, Organization, change, owned
from tests.end_to_end.shapes.life import destroyed, failure, generates, organization, quiet, whole
from tests.end_to_end.steps import Steps


def in_backend(stack: Stack, backend: str) -> Stack:
    """The stack of the same name whose state is kept elsewhere; it is new there, or has what was put into it."""
    there = dataclasses.replace(stack, environment={**stack.environment, "PULUMI_BACKEND_URL": backend})
    there.select()
    return there


def in_network(made: Organization, stack: Stack) -> Stack:
    """The stack as the administrator sees it from inside the campaign's network."""
    network = stack.outputs()["campaigns"]["spring-launch"]["network"]
    inside, _ = made.sandbox.environment(network=network)
    return dataclasses.replace(stack, environment={**stack.environment, **inside})


def state_in_the_bucket(folder: Path, steps: Steps) -> None:
    """The seed's state is moved into its bucket, a campaign deployed with its state there, the seed's moved back."""
    with organization(folder) as made:
        bootstrap = {"github": {"repository": "acme/plantain", "repositoryId": "42"}}
        local = made.stack("seed", campaigns="", labels=LABELS, bootstrap=bootstrap)
        with steps.step("seed: up, its state on this machine"):
            local.up()
        quiet(steps, local, "seed: ")
        with steps.step("seed: its state moves into its bucket"):
            backend = local.outputs()["bootstrap"]["backend"]
            seed = in_backend(local, backend)
            seed.replace_state(local.export())
        quiet(steps, seed, "seed: from the bucket, ")
        with steps.step("seed: a change of a setting, from the bucket"):
            change(seed, labels={**LABELS, "owner": "other-platform"})
            seed.up()
            seed.preview(expect_no_changes=True)
        plain = made.stack("prod", campaigns=made.campaign("spring-launch"), perimeter=owned("inline"))
        stack = in_backend(plain, backend)
        with steps.step("campaign: up, its state in the bucket"):
            stack.up()
        quiet(steps, stack, "campaign: ")
        with steps.step("campaign: an image; its network cannot read the state, so it is handed the outputs"):
            refused = failure(lambda: in_network(made, stack).outputs())
            assert "VPC_SERVICE_CONTROLS" in refused, refused
            plain.replace_state(stack.export())
            generates(made, plain, "spring-launch")
        with steps.step("the states lie in the bucket, under its key"):
            bucket = backend.removeprefix("gs://")
            listed = made.call("GET", f"storage/v1/b/{bucket}/o?prefix=.pulumi/stacks/")["items"]
            assert {one["name"].rpartition("/")[2] for one in listed} >= {"seed.json", "prod.json"}
            assert all("/cryptoKeys/state" in one["kmsKeyName"] for one in listed)
        whole(steps, made)
        destroyed(steps, made, stack, "campaign: ")
        with steps.step("seed: its state moves back to this machine"):
            local.replace_state(seed.export())
            local.preview(expect_no_changes=True)
        destroyed(steps, made, local, "seed: ")
