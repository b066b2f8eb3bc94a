"""Ids of frameworks, each under the key of the version it belongs to."""

from collections.abc import Mapping, Sequence


def ids(
    *,
    cis5: str = "",
    cis4: str = "",
    nist: str = "",
    iso: str = "",
    soc2: str = "",
    hipaa: str = "",
    gdpr: str = "",
    ai_act: str = "",
    google: str = "",
) -> Mapping[str, Sequence[str]]:
    """A crosswalk from ids with spaces between them; frameworks without an id are left out.

    The keys are the names of the files in `policies/frameworks`, which say which version is meant.
    """
    given = {
        "cis-gcp-5.0": cis5,
        "cis-gcp-4.0": cis4,
        "nist-800-53-r5": nist,
        "iso-27001-2022": iso,
        "soc2-2017": soc2,
        "hipaa": hipaa,
        "gdpr": gdpr,
        "eu-ai-act": ai_act,
        "google": google,
    }
    return {framework: tuple(text.split()) for framework, text in given.items() if text}
