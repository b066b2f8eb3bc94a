"""Labels of model requests: Google's rules, and the campaign's labels that no request may change.

Rules: generateContent takes at most 64 labels; keys and values have at most 63 characters, lower-case letters, digits,
`_` and `-`; a key starts with a letter (Agent Platform documentation, add labels to API calls, read 2026-08). A key may
have 1,000 distinct values over the life of a billing account, so a request id never belongs in a label.
"""

import re
from collections.abc import Mapping

MOST = 64
KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
VALUE = re.compile(r"[a-z0-9_-]{0,63}")
RULE = "lower-case letters, digits, '_' and '-', at most 63 characters; a key starts with a letter"


def label_problems(labels: Mapping[str, str], campaign: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """Everything that is wrong with labels, as pairs of key and problem.

    Args:
        labels: of a request, or of a campaign.
        campaign: labels that a request may not set to something else.
    """
    fixed = campaign or {}
    problems: list[tuple[str, str]] = []
    for key, value in labels.items():
        if not KEY.fullmatch(key):
            problems.append((key, f"key {key!r} is not made of {RULE}"))
        if not VALUE.fullmatch(value):
            problems.append((key, f"value {value!r} of {key!r} is not made of {RULE}"))
        if key in fixed and fixed[key] != value:
            problems.append((key, f"{key!r} is a mandatory label of the campaign and stays {fixed[key]!r}"))
    count = len({*labels, *fixed})
    if count > MOST:
        problems.append(("", f"{count} labels with the campaign's own; the model takes {MOST}"))
    return problems
