"""Edits: text replaced in a file, applied together or not at all."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fastapi_architect.source.location import Location


class Edit(msgspec.Struct, frozen=True):
    """Replace the text at `location` (an empty stretch inserts) by `text`."""

    location: Location
    text: str


class OverlappingEdits(ValueError):
    """Two edits want the same stretch of a file; neither is applied."""


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return `text` (one whole file) with `edits` made; columns are UTF-8 bytes.

    Equal edits are made once. Insertions at one place keep their order.

    Raises:
        OverlappingEdits: when two different edits overlap.
    """
    lines = text.split("\n")
    starts = [0]
    encoded = [line.encode("utf-8", "surrogatepass") for line in lines]
    for line in encoded:
        starts.append(starts[-1] + len(line) + 1)
    data = b"\n".join(encoded)

    stretches = []
    for edit in dict.fromkeys(edits):
        place = edit.location
        begin = starts[place.line - 1] + place.column
        end = starts[(place.end_line or place.line) - 1] + (
            place.end_column if place.end_line else place.column
        )
        stretches.append((begin, max(begin, end), edit.text))
    stretches.sort(key=lambda stretch: stretch[:2])

    pieces, at = [], 0
    for begin, end, replacement in stretches:
        if begin < at:
            message = f"edits overlap at byte {begin}"
            raise OverlappingEdits(message)
        pieces += [data[at:begin], replacement.encode("utf-8", "surrogatepass")]
        at = end
    pieces.append(data[at:])
    return b"".join(pieces).decode("utf-8", "surrogatepass")
