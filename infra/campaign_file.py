"""A campaign file: one YAML document in `campaigns/`, named after its campaign."""

import ipaddress
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from infra.campaign_model import Campaign
from infra.errors import CampaignFileError, Problem
from infra.model import parts
from infra.problems import found_in

ADDRESSES_PER_INSTANCE = 2
RESERVED_ADDRESSES = 4
"""A function's instance takes about two addresses of its subnet, Google keeps four of each subnet
(cloud.google.com/run/docs/configuring/networking-best-practices, 2026)."""
ADDRESS_BITS = 32


def load(root: Path, pattern: str) -> tuple[Campaign, ...]:
    """The campaigns that a glob names, sorted by name.

    Args:
        root: folder of Pulumi.yaml.
        pattern: glob relative to it; empty for no campaigns.

    Raises:
        CampaignFileError: with every problem of every file; also when a glob that is not empty matches nothing.
    """
    if not pattern:
        return ()
    paths = sorted(root.glob(pattern))
    problems: list[Problem] = []
    if not paths:
        problems.append(
            Problem(
                file=pattern,
                key="plantain:campaigns",
                cause="no file matches",
                rule="a glob that matches a campaign file, or an empty string for a stack without campaigns",
                cure="pulumi config set plantain:campaigns ''",
            )
        )
    campaigns: list[Campaign] = []
    for path in paths:
        found = parse(path.read_text(encoding="utf-8"), file=path.relative_to(root).as_posix())
        if isinstance(found, Campaign):
            campaigns.append(found)
        else:
            problems.extend(found)
    if problems:
        raise CampaignFileError(problems)
    return tuple(sorted(campaigns, key=lambda campaign: campaign.name))


def parse(text: str, *, file: str) -> "Campaign | list[Problem]":
    """One file's campaign, or everything that is wrong with the file."""
    try:
        document: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}" if mark else "the file"
        return [Problem(file, line, "not YAML", "a YAML document as campaigns/campaign.schema.json says", _edit(file))]
    try:
        campaign = Campaign.model_validate(document if document is not None else {})
    except ValidationError as error:
        return found_in(error, Campaign, file=file, prefix="", cure=_cure(file))
    return list(_contradictions(campaign, file)) or campaign


def _contradictions(campaign: Campaign, file: str) -> Iterator[Problem]:
    """What is wrong although each key is right by itself."""
    stem = Path(file).stem
    if campaign.name != stem:
        yield Problem(
            file=file,
            key="labels.campaign",
            cause=f"{campaign.name!r}, but the file is called {stem!r}",
            rule="the file's name without .yaml, so that a campaign exists once",
            cure=f"git mv {file} {Path(file).with_name(campaign.name + '.yaml').as_posix()}",
        )
    network = ipaddress.IPv4Network(campaign.network.ip_range)
    needed = campaign.function.max_instances * ADDRESSES_PER_INSTANCE + RESERVED_ADDRESSES
    if network.num_addresses < needed:
        fitting = network.supernet(new_prefix=ADDRESS_BITS - (needed - 1).bit_length())
        yield Problem(
            file=file,
            key="network.ipRange",
            cause=f"{network.num_addresses} addresses, but {campaign.function.max_instances} instances of the "
            f"function take {needed}; the last ones would not start",
            rule=f"at least /{fitting.prefixlen}, or fewer function.maxInstances",
            cure=f"set network.ipRange: {fitting} in {file}",
        )


def _cure(file: str) -> Any:
    def cure(key: str, kind: str) -> str:
        if kind == "extra_forbidden":
            return f"remove {key} from {file}"
        name = key.rsplit(".", maxsplit=1)[-1].split("[", maxsplit=1)[0]
        example = next(_examples(name, (Campaign, *(part for _, part in parts(Campaign)))), None)
        return f"set {key}: {example} in {file}" if example else _edit(file)

    return cure


def _examples(name: str, models: Iterable[type[BaseModel]]) -> Iterator[Any]:
    return (
        field.examples[0]
        for model in models
        for field in model.model_fields.values()
        if field.alias == name and field.examples
    )


def _edit(file: str) -> str:
    return f"edit {file}"
