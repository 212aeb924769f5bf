"""What is wrong with a webhook address, from what a POST to it met."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.http.request import validate_host
from django.utils.translation import gettext as _

from hailuo_django.conf import conf
from hailuo_django.krea.transport import Answer, NoAnswer

from .findings import Finding, foreign, problem

# A reason begins with the name of an exception.
_NAME = re.compile(r"gaierror|UnicodeError")
_CERTIFICATE = re.compile(r"SSLCertVerificationError|CertificateError")
_TLS = re.compile(r"SSL")
_LOGIN = re.compile(r"\b(log-?in|sign-?in|sso|oauth2?|saml)\b", re.IGNORECASE)
_PASSWORD_FIELD = re.compile(rb"<input[^>]*type=[\"']?password", re.IGNORECASE)


def explained(outcome: Answer | NoAnswer, url: str) -> Finding:
    """Return the problem that ``outcome`` of a POST to ``url`` shows."""
    if isinstance(outcome, NoAnswer):
        return _unanswered(outcome, url)
    if 300 <= outcome.status <= 399:
        return _redirected(outcome, url)
    if outcome.status == 401 or _PASSWORD_FIELD.search(outcome.body):
        return _login(str(outcome.status))
    if outcome.status >= 500:
        return _broken(outcome.status)
    explain = {400: _bad_request, 403: _forbidden, 404: _not_found, 413: _too_large}
    return explain.get(outcome.status, _other)(outcome, url)


def _unanswered(outcome: NoAnswer, url: str) -> Finding:
    host = urlsplit(url).netloc
    values = {"host": host, "reason": foreign(outcome.reason)}
    if _NAME.match(outcome.reason):
        return problem(
            "webhook.name",
            _("The name %(host)s has no address: %(reason)s") % values,
            _('Mend its DNS record, or HAILUO["WEBHOOK_BASE_URL"].'),
        )
    if _CERTIFICATE.match(outcome.reason):
        return problem(
            "webhook.certificate",
            _("The certificate of %(host)s is not trusted: %(reason)s") % values,
            _(
                "Serve a valid certificate of a public authority for this very name, with the"
                " whole chain."
            ),
        )
    if _TLS.match(outcome.reason):
        return problem(
            "webhook.tls",
            _("%(host)s does not speak TLS as it should: %(reason)s") % values,
            _("See that this port is the one for https, and which versions the server offers."),
        )
    if outcome.written:
        return problem(
            "webhook.silent",
            _("%(host)s took the request and did not answer it: %(reason)s") % values,
            _("See whether the web process runs and is not too busy, and its proxy's timeouts."),
        )
    return problem(
        "webhook.unreachable",
        _("%(host)s cannot be reached: %(reason)s") % values,
        _(
            "See whether the web server listens there and the firewall lets calls in. Some"
            " networks do not let a machine call its own public address: try from outside, too."
        ),
    )


def _redirected(answer: Answer, url: str) -> Finding:
    target = urljoin(url, answer.headers.get("Location", ""))
    if _LOGIN.search(urlsplit(target).path):
        return _login(f"{answer.status} {foreign(target)}")
    return problem(
        "webhook.redirect",
        _("The address redirects (%(status)d) to %(target)s.")
        % {"status": answer.status, "target": foreign(target)},
        _(
            "Senders need not follow, and a POST would arrive as a GET: name the address that it"
            ' leads to in HAILUO["WEBHOOK_BASE_URL"], or exempt this path.'
        ),
    )


def _login(said: str) -> Finding:
    return problem(
        "webhook.login",
        _("Somebody asks for a login there (%(said)s).") % {"said": said},
        _(
            "Exempt this path from the login of the proxy or of the middleware; its token"
            " protects it."
        ),
    )


def _broken(status: int) -> Finding:
    return problem(
        "webhook.broken",
        _("The site answers with %(status)d.") % {"status": status},
        _("See the log of the web process; with 502 to 504, whether the proxy reaches it."),
    )


def _bad_request(answer: Answer, url: str) -> Finding:
    host = urlsplit(url).hostname or ""
    if not validate_host(host, _allowed_hosts()):
        return problem(
            "webhook.host",
            _("The site answers with 400: %(host)s is not in ALLOWED_HOSTS.") % {"host": host},
            _("Add it there."),
        )
    return problem(
        "webhook.host",
        _("The site answers with 400: it is called by a host name that it does not know."),
        _(
            "Let the proxy hand on the Host header, and see ALLOWED_HOSTS of the web process:"
            " %(host)s has to be in it."
        )
        % {"host": host},
    )


def _forbidden(answer: Answer, url: str) -> Finding:
    return problem(
        "webhook.forbidden",
        _("Somebody forbids the call (403) before it reaches our view."),
        _(
            "Exempt this path from the proxy's or firewall's rules, and see that no middleware"
            " of the site refuses it."
        ),
    )


def _not_found(answer: Answer, url: str) -> Finding:
    return problem(
        "webhook.prefix",
        _("Nothing is there (404): %(path)s") % {"path": foreign(urlsplit(url).path)},
        _(
            "The site's URLs have to be reached under this path. If it has a prefix that the proxy"
            ' adds, it belongs into HAILUO["WEBHOOK_BASE_URL"], and no other does.'
        ),
    )


def _too_large(answer: Answer, url: str) -> Finding:
    return problem(
        "webhook.large",
        _("A proxy refuses a body of %(bytes)d bytes (413).")
        % {"bytes": conf.WEBHOOK_MAX_BODY_BYTES},
        _(
            "Raise its limit (nginx: client_max_body_size), or lower"
            ' HAILUO["WEBHOOK_MAX_BODY_BYTES"].'
        ),
    )


def _other(answer: Answer, url: str) -> Finding:
    return problem(
        "webhook.other",
        _("Something else answers there, with %(status)d.") % {"status": answer.status},
        _("See that this address and path lead to this site, and not to another page or site."),
    )


def _allowed_hosts() -> list[str]:
    # As Django has it for developers.
    local = [".localhost", "127.0.0.1", "[::1]"]
    return settings.ALLOWED_HOSTS or (local if settings.DEBUG else [])
