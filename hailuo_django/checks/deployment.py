"""``check --deploy``: what is right on a developer's machine and wrong on a server."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.core.checks import CheckMessage, Info
from django.core.checks import Warning as CheckWarning
from django.db import connections, router
from django.utils.translation import gettext as _

from hailuo_django.conf import conf

from .values import problem

LOCAL_NAMES = re.compile(r"(.+\.)?(localhost|local|internal|test|lan)|[^.:]+", re.IGNORECASE)
"""Names that only this machine or this network knows; a name without a dot is one, too."""

WAL = re.compile(r"journal_mode\s*=\s*['\"]?wal\b", re.IGNORECASE)
SYNCHRONOUS = re.compile(r"\bsynchronous\s*[=(]\s*['\"]?(\w+)", re.IGNORECASE)
SYNCED = ("FULL", "EXTRA", "2", "3")
"""What SQLite calls it when a commit is on the disk before it is reported."""
SNAPSHOTS = re.compile(r"^\W*[34]\b|repeatable.read|serializable", re.IGNORECASE)
"""Where a transaction sees what was there when it began, and not what it waited for."""
NOT_SYNCED = re.compile(r"\bsynchronous_commit\s*=\s*['\"]?(off|false|no|0)\b", re.IGNORECASE)


def check_deployment(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check the addresses that a server gives to others and calls."""
    return [*_about_queue(), *_about_webhook(), *_about_results(), *_about_krea()]


def _about_queue() -> Iterable[CheckMessage]:
    # Not at each command: cron mails what “hailuo_sweep” prints, every minute.
    if not apps.is_installed("django_q"):
        yield Info(
            _("django_q is not in INSTALLED_APPS: no task queue does what is due."),
            hint=_(
                "Run “manage.py hailuo_sweep” from cron or a timer, or “hailuo_sweep --loop 15”"
                " as a service."
            ),
            id="hailuo_django.I001",
        )


def _about_webhook() -> Iterable[CheckMessage]:
    if problem("WEBHOOK_BASE_URL") or not conf.WEBHOOK_BASE_URL:
        return
    address = urlsplit(conf.WEBHOOK_BASE_URL)
    if address.scheme != "https":
        yield CheckWarning(
            _('HAILUO["WEBHOOK_BASE_URL"] is not https: its token would be sent in the clear.'),
            hint=_("Give the https address of this site."),
            id="hailuo_django.W020",
        )
    if not _is_public(address.hostname or ""):
        yield CheckWarning(
            _('HAILUO["WEBHOOK_BASE_URL"] names a host that Krea cannot reach.'),
            hint=_("Give this site's public address, or leave it empty: every job is polled then."),
            id="hailuo_django.W021",
        )


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return not LOCAL_NAMES.fullmatch(host)


def _about_results() -> Iterable[CheckMessage]:
    if not problem("RESULT_HOSTS") and not conf.RESULT_HOSTS:
        yield CheckWarning(
            _('HAILUO["RESULT_HOSTS"] is empty: no finished video is linked.'),
            hint=_('Leave it out, or name the hosts that results lie on: ["gen.krea.ai"].'),
            id="hailuo_django.W022",
        )


def _about_krea() -> Iterable[CheckMessage]:
    if not problem("KREA_BASE_URL") and urlsplit(conf.KREA_BASE_URL).scheme != "https":
        yield CheckWarning(
            _('HAILUO["KREA_BASE_URL"] is not https: the token is sent in the clear.'),
            hint=_("Leave it out, unless this server uses the sandbox."),
            id="hailuo_django.W023",
        )


def check_database(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check how the database of our rows is opened, as far as the settings say."""
    alias = router.db_for_write(apps.get_model("hailuo_django", "VideoJob"))
    database = connections[alias].settings_dict
    engine = database["ENGINE"].rpartition(".")[2]
    if engine in ("sqlite3", "spatialite"):
        return [*_about_sqlite(alias, database["OPTIONS"])]
    found = [*_about_isolation(alias, database["OPTIONS"])]
    if engine in ("postgresql", "postgis"):
        found += _about_postgresql(alias, database["OPTIONS"])
    return found


def _about_sqlite(alias: str, options: Mapping[str, Any]) -> Iterable[CheckMessage]:
    names, commands = {"alias": alias}, str(options.get("init_command", ""))
    if str(options.get("transaction_mode", "")).upper() not in ("IMMEDIATE", "EXCLUSIVE"):
        message = _('The SQLite database "%(alias)s" does not begin transactions as IMMEDIATE.')
        hint = _(
            'Set OPTIONS["transaction_mode"] to "IMMEDIATE"; else workers and web processes'
            ' meet "database is locked".'
        )
        yield CheckWarning(message % names, hint=hint, id="hailuo_django.W024")
    if not WAL.search(commands):
        message = _('The SQLite database "%(alias)s" is not opened in WAL mode.')
        hint = _('Set OPTIONS["init_command"] to "PRAGMA journal_mode=WAL;".')
        yield CheckWarning(message % names, hint=hint, id="hailuo_django.W025")
    said = SYNCHRONOUS.findall(commands)
    if said and said[-1].upper() not in SYNCED:
        yield _undone(alias, f"synchronous={said[-1]}", 'OPTIONS["init_command"]', "FULL")


def _about_postgresql(alias: str, options: Mapping[str, Any]) -> Iterable[CheckMessage]:
    if said := NOT_SYNCED.search(str(options.get("options", ""))):
        yield _undone(alias, said[0], 'OPTIONS["options"]', "on")


def _about_isolation(alias: str, options: Mapping[str, Any]) -> Iterable[CheckMessage]:
    """A number is that of psycopg's IsolationLevel, a text that of MySQL; unset is right."""
    said = SNAPSHOTS.search(f"{options.get('isolation_level')} {options.get('options', '')}")
    if said:
        message = _(
            'The database "%(alias)s" is opened with the isolation level %(said)s: what meets at'
            " one row fails there with an error, instead of waiting for its turn."
        )
        hint = _("Leave the isolation level at READ COMMITTED, which is Django's default.")
        values = {"alias": alias, "said": said[0]}
        yield CheckWarning(message % values, hint=hint, id="hailuo_django.W031")


def _undone(alias: str, said: str, place: str, right: str) -> CheckMessage:
    """Warn that a commit may be gone after a power cut: its order was then sent, and is again."""
    values = {"alias": alias, "said": said, "place": place, "right": right}
    message = _(
        'The database "%(alias)s" is opened with %(said)s: a power cut undoes its last commits,'
        " and what was sent by them is sent, and paid, again."
    )
    hint = _("Write %(right)s in its place, in %(place)s.")
    return CheckWarning(message % values, hint=hint % values, id="hailuo_django.W030")
