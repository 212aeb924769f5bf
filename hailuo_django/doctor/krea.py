"""The API token and the clock: one ``GET /jobs?limit=1``, which costs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext as _

from hailuo_django.conf import conf
from hailuo_django.deadlines import call_seconds
from hailuo_django.krea.client import KreaClient
from hailuo_django.krea.errors import AccountProblem, KreaError, RateLimited
from hailuo_django.tokens import PATTERN

from .findings import Finding, foreign, ok, problem, warning

MAX_SKEW = timedelta(seconds=60)
"""Beyond this our times and Krea's cannot be compared."""


def client() -> KreaClient:
    """Return what asks Krea. Raises ValueError where the settings name no token or address."""
    return KreaClient(
        base_url=conf.KREA_BASE_URL,
        token=conf.KREA_API_TOKEN,
        timeout_seconds=call_seconds(),
        webhook_token=PATTERN,
    )


def examine_krea() -> Iterator[Finding]:
    """Ask Krea for one job, and compare its clock with ours."""
    if not conf.KREA_API_TOKEN:
        yield problem(
            "token.empty",
            _('HAILUO["KREA_API_TOKEN"] is empty: nothing is sent.'),
            _("Give a token of your Krea account, or one of the sandbox."),
        )
        return
    try:
        krea = client()
    except ValueError as error:
        yield problem("token.malformed", str(error), _("See the settings above."))
        return
    with krea:
        before = datetime.now(UTC)
        try:
            page = krea.list(limit=1)
        except KreaError as error:
            yield _trouble(error)
            yield _no_clock()
            return
    yield ok("token.ok", _("Krea takes the API token."))
    yield _clock(page.server_time, before, datetime.now(UTC))


def _trouble(error: KreaError) -> Finding:
    said = foreign(str(error))
    if isinstance(error, AccountProblem) and error.status == 402:
        return problem(
            "token.payment",
            _("Krea wants money: %(said)s") % {"said": said},
            _("Top up the API balance of the workspace; it is apart from a subscription."),
        )
    if isinstance(error, AccountProblem):
        return problem(
            "token.refused",
            _("Krea does not take the API token: %(said)s") % {"said": said},
            _('Put a valid one into HAILUO["KREA_API_TOKEN"], and restart web and workers.'),
        )
    if isinstance(error, RateLimited):
        return warning(
            "token.limited",
            _("Krea is asked too often: %(said)s") % {"said": said},
            _("Wait; sending goes on by itself. See whether others use this token."),
        )
    if error.status is None:
        return problem(
            "token.unreachable",
            _("Krea cannot be reached: %(said)s") % {"said": said},
            _("See whether this machine can reach %(url)s: names, firewall, proxy, certificates.")
            % {"url": conf.KREA_BASE_URL},
        )
    if error.status >= 500:
        return warning(
            "token.unwell",
            _("Krea is not well: %(said)s") % {"said": said},
            _("Try again later; what is due stays due."),
        )
    return problem(
        "token.no_krea",
        _("That is no answer of Krea: %(said)s") % {"said": said},
        _('See whether HAILUO["KREA_BASE_URL"] is Krea\'s address: %(url)s')
        % {"url": conf.KREA_BASE_URL},
    )


def _clock(server_time: datetime | None, before: datetime, after: datetime) -> Finding:
    if server_time is None:
        return _no_clock()
    skew = before + (after - before) / 2 - server_time
    values = {"seconds": round(abs(skew).total_seconds())}
    if abs(skew) < MAX_SKEW:
        return ok("clock.ok", _("The clock agrees with Krea's to %(seconds)d s.") % values)
    if skew > timedelta():
        found = _("The clock of this machine is %(seconds)d s ahead of Krea's.") % values
    else:
        found = _("The clock of this machine is %(seconds)d s behind Krea's.") % values
    return problem("clock.skewed", found, _("Let NTP set it, here and on every worker."))


def _no_clock() -> Finding:
    return warning(
        "clock.unknown",
        _("Krea did not tell its time, so the clock is not examined."),
        _("Try again when the token works."),
    )
