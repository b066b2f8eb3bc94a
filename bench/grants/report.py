"""Proofs of one run or several, counted, with what a recording says of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = dict[str, Any]


def same(proof: Mapping[str, Any], binding: Mapping[str, Any]) -> bool:
    """Whether a recorded binding is that of a proof; invokers are recorded as whoever they are."""
    if binding["role"] != proof["role"] or proof["of"] not in {binding["of"], "invoker"}:
        return False
    tail = proof["on"].partition("/v")[2].partition("/")[2].removesuffix("/iam")
    return str(binding["on"]).endswith(f"/{tail}")


def counted(report: Document) -> Document:
    """The report with what is derived from the recording said of each grant, and with its counts."""
    proofs = [
        {**proof, "alone": any(same(proof, binding) for binding in report["derived"])} for proof in report["grants"]
    ]
    counts = {
        "grants": len(proofs),
        "removed": sum(bool(proof["denied"]) for proof in proofs),
        "derived": sum(proof["alone"] for proof in proofs),
        "derivedOnly": sum(proof["alone"] and not proof["denied"] for proof in proofs),
        "listed": sum(bool(proof["reason"]) for proof in proofs),
        "unexplained": sum(not (proof["denied"] or proof["alone"] or proof["reason"]) for proof in proofs),
    }
    return {**report, "counts": counts, "grants": proofs}


def joined(before: Document, now: Document) -> Document:
    """A run of some grants put into the report of an earlier one; what was proved there stays proved."""
    proved = {(proof["of"], proof["grant"]) for proof in before["grants"] if proof["denied"]}
    tried = [proof for proof in now["grants"] if proof["denied"] or (proof["of"], proof["grant"]) not in proved]
    names = {(proof["of"], proof["grant"]) for proof in tried}
    kept = [proof for proof in before["grants"] if (proof["of"], proof["grant"]) not in names]
    more = [binding for binding in before["derived"] if binding not in now["derived"]]
    identities = {entry["identity"] for entry in now["used"]}
    used = [entry for entry in before["used"] if entry["identity"] not in identities]
    return {
        **now,
        "timings": {**before["timings"], **now["timings"]},
        "grants": [*kept, *tried],
        "derived": [*more, *now["derived"]],
        "used": [*used, *now["used"]],
    }
