"""Entry point of the policy pack: `pulumi preview --policy-pack policies`."""

import sys
from pathlib import Path

# Pulumi runs this folder, and the catalogue is imported by its full name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from policies.errors import PolicyError
from policies.pack import serve

if __name__ == "__main__":
    try:
        serve()
    except PolicyError as error:
        sys.exit(f"error: {error}")
