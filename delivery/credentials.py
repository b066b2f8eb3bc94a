"""Prints the credentials file by which Google's clients exchange a pipeline's token for a service account's.

python credentials.py projects/1/locations/global/workloadIdentityPools/pipelines/providers/gitlab ACCOUNT TOKEN_FILE
"""

import json
import sys
from pathlib import Path


def document(provider: str, account: str, token: Path) -> dict[str, object]:
    """The file's content (google.aip.dev/auth/4117, 2026-11)."""
    return {
        "type": "external_account",
        "audience": f"//iam.googleapis.com/{provider}",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "service_account_impersonation_url": (
            f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
        ),
        "credential_source": {"file": str(token.resolve())},
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(document(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
