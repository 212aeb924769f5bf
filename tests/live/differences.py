"""What Krea answered otherwise than the sandbox: a line for each, with the fact it shakes."""

from __future__ import annotations

from collections.abc import Iterator

from .facts import fact
from .shapes import ABSENT, Shape
from .walk import Walk


def differences(krea: Walk, sandbox: Walk) -> list[str]:
    """Return a line for each shape that was met at Krea and never in the sandbox."""
    lines = [
        line
        for step, shapes in krea.shapes.items()
        for line in _of_step(step, shapes, sandbox.shapes.get(step, []))
    ]
    if krea.job is not None and krea.job.status != "completed":
        why = f"{krea.job.error_code} {krea.job.error_message}"[:200].strip()
        lines.append(
            f"the ended job: it is {krea.job.status} ({why}) at Krea, completed in the sandbox. "
            f"Fact: {fact('the ended job', 'end')}"
        )
    return lines


def _of_step(step: str, there: list[Shape], here: list[Shape]) -> Iterator[str]:
    told: list[str] = []
    parts = dict.fromkeys(part for shape in [*there, *here] for part in shape)
    for part in parts:
        at_krea, in_sandbox = _kinds(part, there), _kinds(part, here)
        new = at_krea - in_sandbox
        # What lies below a part that differs follows from it.
        if not new or any(part.startswith((f"{above}.", f"{above}[]")) for above in told):
            continue
        told.append(part)
        yield (
            f"{step}: {part} is {_words(new)} at Krea, {_words(in_sandbox) or 'not asked'} "
            f"in the sandbox. Fact: {fact(step, part)}"
        )


def _kinds(part: str, shapes: list[Shape]) -> set[str]:
    return {shape.get(part, ABSENT) for shape in shapes}


def _words(kinds: set[str]) -> str:
    return " or ".join(sorted(kinds))
