"""Evidence is made of pieces."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """One piece of evidence.

    Attributes:
        title: What a reader calls it.
        filename: Its path in the evidence's directory.
        text: All of it.
        media_type: How a browser is to show it.
    """

    title: str
    filename: str
    text: str
    media_type: str = "text/plain"
