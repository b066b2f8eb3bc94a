"""Make titles.json anew: the title of every API that has a discovery document.

    python -m sandbox.services.serviceusage.generate_titles DOCUMENTS VERSION

DOCUMENTS is ``googleapiclient/discovery_cache/documents`` of google-api-python-client, VERSION that package's version.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sandbox.services.serviceusage.catalogue import FILE


def titles(documents: Path) -> dict[str, str]:
    """Titles by host: that of the root address, and that of the API's name."""
    found: dict[str, str] = {}
    for path in sorted(documents.glob("*.json")):
        document = json.loads(path.read_text())
        if "rootUrl" not in document:
            continue
        root = document["rootUrl"].removeprefix("https://").rstrip("/")
        for host in (root, f"{document['name']}.googleapis.com"):
            if host != "www.googleapis.com":
                found.setdefault(host, document.get("title", document["name"]))
    return dict(sorted(found.items()))


def main(arguments: list[str]) -> None:
    """Write the file."""
    folder, version = Path(arguments[0]), arguments[1]
    document = {"source": f"google-api-python-client {version}", "titles": titles(folder)}
    FILE.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
