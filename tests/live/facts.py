"""The facts of Krea's contract that a live run can see, each with how sure it was before.

*documented*, *seen live*, *inferred* and *unknown* mean what they mean in
``hailuo_django/sandbox/contract.py``.
"""

from __future__ import annotations

_REFUSED = "a refusal's body is {error: text}"
_LISTED = "GET /jobs lists the jobs of the token's user, newest first"

# By step and part; else by part alone.
FACTS = {
    "the order/status code": "an accepted order is answered with 200 (documented)",
    "the order/status": "the order is answered with the job in one of nine states (documented)",
    "the order/clock": "created_at is by the clock of the Date header (inferred)",
    "an unknown job/status code": "an unknown job is a 404 (documented)",
    "an unknown job/error": f"{_REFUSED} (documented)",
    "a list of 0 jobs/status code": "limit is 1 to 1000, and else 400 (documented)",
    "a list of 0 jobs/error": f"{_REFUSED} (documented)",
    "a wrong token/status code": "a wrong token is a 401 (documented)",
    "a wrong token/error": f"{_REFUSED} (documented)",
    "the list/next_cursor": "a page names the next one in next_cursor (documented)",
    "the list/items": "a page has its jobs in items (documented)",
    "the list at once/shows the job": "a new job is in the list at once (inferred)",
    "the job in the list/shows the job": f"{_LISTED} (documented)",
    "the list of its state/shows the job": "GET /jobs can be asked for one state (documented)",
    "the list before its own time/shows the job": "cursor is exclusive (documented)",
    "the list before 1 ms after its time/shows the job": "cursor has milliseconds (inferred)",
    "the running job/result": "result is null until there is one (documented)",
    "the running job/result.urls": "previews may appear before the end (documented)",
    "the running job/status code": "a job can be looked at from its order on (inferred)",
    "the running job/completed_at": "completed_at is null before the end (documented)",
    "the ended job/end": "what Krea documents as valid is completed (inferred)",
    "the ended job/completed_at": "completed_at is filled at every end (inferred)",
    "the ended job/result.urls": "result.urls is a list with one address (documented)",
    "the ended job/result.urls[]": "results are on the hosts of RESULT_HOSTS (seen live)",
    "status": "there are nine states, and more may be added (documented)",
    "type": "a job has the internal name of its kind (seen live), for Hailuo unknown",
    "job_id": "a job's id is a UUID (documented)",
    "created_at": "created_at is ISO 8601 (documented), in milliseconds (our choice)",
    "completed_at": "completed_at is ISO 8601 (documented), in milliseconds (our choice)",
    "error": "error is there where a job failed, and only there (inferred)",
    "result": "a job has result (documented)",
    "body": "answers are JSON objects (documented)",
    "status code": "what is valid is answered with 200 (documented)",
    "Content-Type": "answers are application/json (inferred)",
    "Date": "the Date header tells Krea's clock (inferred)",
    "Retry-After": "no Retry-After is sent (unknown)",
    "Deprecation": "a deprecated model is announced in headers (documented); this one is not",
    "Sunset": "a deprecated model is announced in headers (documented); this one is not",
    "Link": "a deprecated model is announced in headers (documented); this one is not",
    "rate limit headers": "no header tells the limits (unknown)",
}
OTHER = "answers may hold keys that no page lists (seen live)"


def fact(step: str, part: str) -> str:
    """Return the fact that this part of the answers to ``step`` shows."""
    return FACTS.get(f"{step}/{part}") or FACTS.get(part, OTHER)
