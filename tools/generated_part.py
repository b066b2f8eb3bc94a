"""The part of a page that a command writes, between two lines which say so."""

from __future__ import annotations


def rewritten(text: str, begin: str, end: str, content: str, *, what: str) -> str:
    """A page with what lies between two lines written anew.

    Args:
        text: the page.
        begin: what the part follows.
        end: what follows the part.
        content: the new part, with the line breaks beside the two.
        what: what the part is, for the message.

    Raises:
        ValueError: the page lacks one of the two.
    """
    before, found, rest = text.partition(begin)
    _, closing, after = rest.partition(end)
    if not found or not closing:
        raise ValueError(f"the page has no lines {begin!r} and {end!r}, so there is no place for {what}")
    return f"{before}{begin}{content}{end}{after}"
