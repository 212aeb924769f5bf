"""The misbehaviours of the sandbox: one table, how they are named in words, and which come next.

A misbehaviour can be asked for in three ways: for every job
(``Sandbox(misbehave=["rate_limited:2"])``), for the next requests (``krea.misbehave("rate_limited",
retry_after=2)``), or by a word in the prompt (``A cat. [rate_limited:2]``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from .contract import RefusedError

GENERATE, GET, LIST, CANCEL = "generate", "get", "list", "cancel"
OPERATIONS = frozenset({GENERATE, GET, LIST, CANCEL})
_ANSWERS = ("refuse", "spoil")
_NEW_JOB = frozenset({GENERATE})
_ONE_JOB = frozenset({GET, CANCEL})

Value = float | str | None
Faults = dict[str, Value]


@dataclass(frozen=True)
class Fault:
    """One misbehaviour: when it acts, on which operations, and the one number it takes.

    ``kind`` is ``refuse`` (instead of the effect), ``spoil`` (the effect happens, its answer goes
    wrong), ``job`` (how a new job goes on), ``webhook`` (how a new job is announced) or ``echo``.
    """

    kind: str
    on: frozenset[str] = OPERATIONS
    option: str = ""
    default: Value = None


def _job(option: str = "", default: Value = None) -> Fault:
    return Fault("job", _NEW_JOB, option, default)


def _webhook(option: str = "", default: Value = None) -> Fault:
    return Fault("webhook", _NEW_JOB, option, default)


FAULTS = {
    # Instead of the effect. A job never exists after these. answers.py says how sure each is.
    "lost_request": Fault("refuse"),
    "cut_request": Fault("refuse"),
    "unauthorized": Fault("refuse"),
    "payment_required": Fault("refuse"),
    "invalid_request": Fault("refuse"),
    "moderated_request": Fault("refuse", _NEW_JOB),
    "forbidden": Fault("refuse"),
    "unknown_endpoint": Fault("refuse", _NEW_JOB),
    "model_unavailable": Fault("refuse"),
    "validation": Fault("refuse"),
    "rate_limited": Fault("refuse", option="retry_after"),
    "server_error": Fault("refuse"),
    "other_refusal": Fault("refuse", option="status", default=409.0),
    "unavailable": Fault("refuse", option="retry_after", default=30.0),
    "bad_gateway_html": Fault("refuse", option="status", default=502.0),
    "redirect": Fault("refuse"),
    "missing": Fault("refuse", _ONE_JOB),
    # The effect happens (the job exists, or is cancelled), and then the answer goes wrong.
    # Inferred: networks and proxies do this. There is no idempotency key to repair it (documented).
    "lost_answer": Fault("spoil"),
    "cut_answer": Fault("spoil"),
    "late_answer": Fault("spoil", option="seconds", default=90.0),
    "drip": Fault("spoil", option="seconds", default=1.0),
    "garbage": Fault("spoil"),
    "empty_answer": Fault("spoil"),
    "answer_without_id": Fault("spoil", _NEW_JOB),
    "answer_with_number": Fault("spoil", _NEW_JOB),
    "answer_in_list": Fault("spoil", _NEW_JOB),
    "other_success": Fault("spoil", option="status", default=201.0),
    "server_error_accepted": Fault("spoil", option="status", default=500.0),
    "gateway_timeout": Fault("spoil", option="status", default=504.0),
    # The effect itself comes late, and its answer with it (inferred: proxies keep requests).
    "late_request": Fault("spoil", option="seconds", default=90.0),
    # How a job goes on.
    "completed_at_once": _job(),  # inferred: an answer that took its time, or was kept somewhere
    "failed_at_once": _job(),  # inferred: where a provider refuses before it begins
    "moderation": _job(),  # documented
    "fails": _job(),  # documented
    "error_in_result": _job(),  # documented, on another page than the error at the top
    "hostile_text": _job(),  # our choice: nothing bounds what a provider says
    "stuck": _job(),  # documented: external providers have two hours
    "unknown_status": _job(),  # documented: states were added over time
    "urls_as_objects": _job(),  # documented in newer specifications
    "urls_as_map": _job(),  # the same
    "result_empty": _job(),  # seen live while running; inferred at the end
    "foreign_result_host": _job(),  # unknown: which hosts results are on
    "lagging_list": _job("seconds", 5.0),  # inferred: lists are often served from copies
    # How its end is announced. Documented: one POST without a signature or a delivery id. Unknown:
    # retries, order and delay, so all of these are inferred; running_webhook stands in a tip.
    "no_webhook": _webhook(),
    "duplicate_webhook": _webhook("times", 5.0),
    "early_webhook": _webhook(),
    "late_webhook": _webhook("seconds", 5.0),
    "reordered_webhook": _webhook(),
    "running_webhook": _webhook(),
    "webhook_other_job": _webhook(),
    "webhook_not_json": _webhook(),
    "webhook_too_large": _webhook(),
    # Secrets come back where nobody expects them (our choice: nothing rules it out).
    "echo": Fault("echo"),
}

_WORD = re.compile(r"\[([a-z_]+)(?::([^\[\]]*))?\]")
_NUMBER = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")


def read_spec(spec: str) -> Faults:
    """Return the misbehaviour in ``name`` or ``name:number``; raise ValueError if there is none."""
    name, colon, text = spec.partition(":")
    if not colon:
        return {name: checked(name, {})}
    fault = FAULTS.get(name)
    if fault is None or not fault.option or not _NUMBER.fullmatch(text):
        raise ValueError(f"No such misbehaviour: {spec[:100]!r}")
    return {name: float(text)}


def checked(name: str, options: dict[str, Value]) -> Value:
    """Return the one option of ``name``; raise ValueError for unknown names and options."""
    fault = FAULTS.get(name)
    if fault is None:
        raise ValueError(f"No such misbehaviour: {name[:100]!r}")
    if options.keys() - {fault.option}:
        raise ValueError(f"{name} has no option {', '.join(options)}")
    return options.get(fault.option, fault.default)


def read_prompt(prompt: str) -> Faults:
    """Return the misbehaviours in a prompt. Other words in brackets are camera commands.

    Raises RefusedError for a known name with an option it cannot have.
    """
    found: Faults = {}
    for match in _WORD.finditer(prompt):
        if match[1] in FAULTS:
            try:
                found |= read_spec(match[0][1:-1])
            except ValueError as error:
                raise RefusedError(str(error)) from None
    return found


def lasting(faults: Faults) -> Faults:
    """Return those that stay with the job they came with."""
    return {
        name: value
        for name, value in faults.items()
        if FAULTS[name].kind not in _ANSWERS or GENERATE not in FAULTS[name].on
    }


@dataclass
class _Armed:
    name: str
    value: Value
    on: frozenset[str]
    times: float

    @property
    def kind(self) -> str:
        return FAULTS[self.name].kind


class Mischief:
    """What the next requests will meet. Not thread-safe: its owner holds a lock."""

    def __init__(self, always: Iterable[str] = ()) -> None:
        self.always: Faults = {}
        for spec in always:
            self.always |= read_spec(spec)
        self._armed: list[_Armed] = []

    def arm(self, name: str, times: int | None, on: str | None, options: dict[str, Value]) -> None:
        """Let the next ``times`` requests that ``name`` can act on meet it; None means all."""
        value = checked(name, options)
        if on is not None and on not in FAULTS[name].on:
            raise ValueError(f"{name} cannot act on {on!r}")
        where = FAULTS[name].on if on is None else frozenset({on})
        self._armed.append(_Armed(name, value, where, math.inf if times is None else times))

    def disarm(self) -> None:
        """Behave again, but for what is asked for by every job or in a prompt."""
        self._armed.clear()

    def take(self, operation: str) -> Faults:
        """Return and use up what this request meets, at most one refusal or spoilt answer."""
        matching = [armed for armed in self._armed if operation in armed.on]
        taken = [armed for armed in matching if armed.kind in _ANSWERS][:1]
        refused = any(armed.kind == "refuse" for armed in taken)
        # What a new job meets waits for the request that makes one.
        others = ("echo",) if refused else ("echo", "job", "webhook")
        taken += [armed for armed in matching if armed.kind in others]
        for armed in taken:
            armed.times -= 1
        self._armed = [armed for armed in self._armed if armed.times > 0]
        return {armed.name: armed.value for armed in taken}
