"""The videos: a plain file, to anybody, in ranges."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from .answers import Answer, error
from .upstream import Upstream

# Made for this project, free of other rights:
# ffmpeg -f lavfi -i testsrc2=size=320x180:rate=15:duration=2 -c:v libx264 -profile:v main
#   -preset veryslow -crf 33 -pix_fmt yuv420p -movflags +faststart -bitexact sample.mp4
SAMPLE = Path(__file__).with_name("sample.mp4")

_MEDIA = re.compile(r"/(videos|previews)/([^/]+)\.mp4")
_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")


@cache
def sample() -> bytes:
    """Return the sample video: two seconds of H.264 in MP4."""
    return SAMPLE.read_bytes()


def is_media(path: str) -> bool:
    """Whether this path is a video's, so that the API does not know it."""
    return path.startswith(("/videos/", "/previews/"))


def serve(upstream: Upstream, path: str, wanted: str | None) -> Answer:
    """Return the video of a job, or the part of it that a Range header wants.

    Seen live: results are plain GETs without a token. Inferred: video/mp4, and ranges.
    """
    match = _MEDIA.fullmatch(path)
    job = upstream.jobs.get(match[2]) if match else None
    if match is None or job is None or (match[1] == "videos" and job.status != "completed"):
        return error(404, "Not found")
    whole = sample()
    answer = Answer(200, whole, {"Content-Type": "video/mp4", "Accept-Ranges": "bytes"})
    part = _part(wanted, len(whole))
    if part is None:
        return answer
    if not part:
        answer.headers["Content-Range"] = f"bytes */{len(whole)}"
        answer.status, answer.body = 416, b""
        return answer
    answer.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(whole)}"
    answer.status, answer.body = 206, whole[part.start : part.stop]
    return answer


def _part(wanted: str | None, size: int) -> range | None:
    """Return the bytes a Range header wants: None for all, empty for none that exist."""
    match = _RANGE.fullmatch(wanted or "")
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return range(max(0, size - int(match[2])), size)
    if match[2] and int(match[2]) < int(match[1]):
        return None
    return range(int(match[1]), min(int(match[2]) + 1, size) if match[2] else size)
