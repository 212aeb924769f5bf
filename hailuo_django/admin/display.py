"""How rows are shown. All text comes from outside: it is escaped, bounded and isolated.

``<bdi>`` keeps characters that turn the direction of writing from reaching what stands beside.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.template.defaultfilters import linebreaksbr
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timezone import is_aware, localtime
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _

from hailuo_django import results
from hailuo_django.conf import conf
from hailuo_django.fields import validate_web_address
from hailuo_django.models import Heartbeat, KreaAccount, Stranger, Submission, VideoJob
from hailuo_django.pricing import Advice
from hailuo_django.pricing import bare as bare
from hailuo_django.pricing import usd as usd
from hailuo_django.states import FailureCode, Status

TITLE_LENGTH = 60
TEXT_LENGTH = 10_000
ADDRESS_LENGTH = 300


def title(job: VideoJob) -> SafeString:
    """Return the beginning of the prompt: what a job is called in lists and messages."""
    return format_html("<bdi>{}</bdi>", name(job))


def name(job: VideoJob) -> str:
    """Return the same as plain text."""
    # Cut before the words are counted, which takes its time on a megabyte.
    beginning = Truncator(job.prompt[: TITLE_LENGTH * 2]).chars(TITLE_LENGTH)
    words = beginning.split()
    # Of characters that only steer others there is nothing to see, and nothing to click.
    return " ".join(words) if any(map(str.isprintable, "".join(words))) else str(job.pk)


def text(value: str) -> str:
    """Return a bounded text with its lines."""
    if not value:
        return ""
    shown = format_html("<bdi>{}</bdi>", linebreaksbr(value[:TEXT_LENGTH], autoescape=True))
    if len(value) <= TEXT_LENGTH:
        return shown
    more = _("… (%(length)d characters in all)") % {"length": len(value)}
    return format_html("{} {}", shown, more)


def identifier(value: str) -> SafeString:
    """Return an id that came from outside."""
    return format_html("<bdi>{}</bdi>", value)


def dismissal(stranger: Stranger) -> str:
    """Return who said that an upstream job is none of ours, and when; empty where nobody did."""
    if stranger.dismissed_at is None:
        return ""
    when = moment(stranger.dismissed_at)
    if stranger.dismissed_by is None:
        return when
    return _("%(when)s by %(who)s") % {"when": when, "who": stranger.dismissed_by}


def format_of(job: VideoJob) -> str:
    """Return what decides the price."""
    values = {"resolution": job.resolution, "duration": job.duration}
    return _("%(resolution)s, %(duration)d s") % values


def count(number: int) -> str:
    """Return a number with the separators of the reader's language."""
    return number_format(number, force_grouping=True)


def moment(when: datetime) -> str:
    """Return date and time to the second, in the reader's time zone."""
    local = localtime(when) if is_aware(when) else when
    told = f"{date_format(local, 'SHORT_DATE_FORMAT')} {date_format(local, 'H:i:s')}"
    # Dates may hold marks of the direction of writing, which would turn the words beside them.
    return f"\u2068{told}\u2069" if get_language_bidi() else told


def span(length: timedelta, *, exact: bool = False) -> str:
    """Return how long something takes; minutes without their seconds unless ``exact``.

    Clocks of several hosts differ: less than nothing is nothing.
    """
    minutes, seconds = divmod(max(int(length.total_seconds()), 0), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        parts = [(_("%d d"), days), (_("%d h"), hours)]
    elif hours:
        parts = [(_("%d h"), hours), (_("%d min"), minutes)]
    elif minutes:
        parts = [(_("%d min"), minutes), (_("%d s"), seconds if exact else 0)]
    else:
        parts = [(_("%d s"), seconds)]
    (words, number), *smaller = parts
    return " ".join([words % number, *(words % number for words, number in smaller if number)])


def no_worker(last_sweep: datetime | None) -> str:
    """Say that no worker has been there of late; empty where one has."""
    if last_sweep is None:
        return _("No worker has ever finished a sweep.")
    age = timezone.now() - last_sweep
    if age <= Heartbeat.LATE_AFTER:
        return ""
    return _("No worker has finished a sweep for %s.") % span(age)


def sending(account: KreaAccount) -> str:
    """Return what holds the sending of an account back, in words."""
    now = timezone.now()
    if account.held_at:
        return _("held by hand since %s, until somebody resumes it") % moment(account.held_at)
    if account.paused_at:
        return _("paused since %s, until Krea answers a GET") % moment(account.paused_at)
    if account.send_after and account.send_after > now:
        return _("waits until %s") % moment(account.send_after)
    if account.trial_until and account.trial_until > now:
        return _("one request goes ahead alone, until %s") % moment(account.trial_until)
    if account.setbacks or account.doubts:
        return _("after trouble, one request at a time until one goes through")
    return _("goes on")


def reason(account: KreaAccount) -> SafeString:
    """Return why sending is held back: who holds it, and what Krea said, as it came."""
    holder = text(account.held_by)
    why = [format_html(_("Held by {}."), holder)] if holder else []
    return format_html_join(" ", "{}", ((one,) for one in (*why, text(account.reason)) if one))


def advice(items: Iterable[Advice]) -> SafeString:
    """Return the advice, each sentence on its line."""
    return format_html_join("", "<div>{}</div>", ((item.message,) for item in items))


def address(url: str) -> str:
    """Return an address that somebody typed: a link, never a picture of what is there."""
    if not url:
        return ""
    try:
        validate_web_address(url)
    except ValidationError:
        return plain_address(url)
    return link(url)


def link(url: str) -> SafeString:
    """Return a link that gives away neither where it stands nor its window."""
    return format_html(
        '<a href="{}" rel="noopener noreferrer nofollow" target="_blank">{}</a>',
        url,
        plain_address(url),
    )


def plain_address(url: str) -> SafeString:
    """Return an address as text."""
    shown = Truncator(url[: ADDRESS_LENGTH + 1]).chars(ADDRESS_LENGTH)
    return format_html("<bdi>{}</bdi>", shown)


def result(url: str) -> str:
    """Return the address of a result, linked where the site allows its host."""
    if not url:
        return ""
    return link(url) if results.linkable(url, conf.RESULT_HOSTS) else plain_address(url)


def video(job: VideoJob) -> str:
    """Return the video itself, or why there is none to see."""
    if job.is_flagged:
        return flag(job)
    return player(job.video_url) if job.video_url else ""


def player(url: str) -> SafeString:
    """Return a video that may be linked, which nothing loads before somebody plays it."""
    shown = '<video class="hailuo-video" controls preload="none" src="{}"></video>'
    return format_html(f"<div>{shown}{{}}</div>", url, link(url))


def flag(job: VideoJob) -> str:
    """Say why a completed job has no link."""
    if not job.result_url:
        return _("Completed, but Krea named no address of a video. Somebody should look.")
    words = _("Completed, but the address is none that this site links (see RESULT_HOSTS):")
    return format_html("{} {}", words, plain_address(job.result_url))


def job_status(job: VideoJob) -> str:
    """Return the state of a job and whatever asks for attention."""
    words = [str(Status(job.status).label)]
    if job.failure_code:
        words.append(str(FailureCode(job.failure_code).label))
    if job.is_flagged:
        words.append(_("flagged: no video to link"))
    if any(submission.is_overdue for submission in job.submissions.all()):
        words.append(_("overdue"))
    return ", ".join(words)


def submission_status(submission: Submission) -> str:
    """Return the state of a submission and whatever asks for attention."""
    words = [str(Status(submission.status).label)]
    if submission.failure_code:
        words.append(str(FailureCode(submission.failure_code).label))
    if submission.cancel_requested_at and submission.is_live:
        words.append(_("cancellation requested"))
    if submission.is_overdue:
        words.append(_("overdue"))
    return ", ".join(words)
