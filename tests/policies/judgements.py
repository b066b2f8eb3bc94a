"""``python -m tests.policies.judgements``: write down what every control says of every case, for review."""

from __future__ import annotations

import json

from tests.policies.test_catalogue import HERE, judgements


def main() -> None:
    """Write the file."""
    lines = [f"{json.dumps(control)}: {json.dumps(found)}" for control, found in judgements().items()]
    (HERE / "judgements.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
