"""A browser for the stories of this folder: it reads pages, and posts the forms it finds there."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hailuo_django.models import VideoJob

LIST = "admin:hailuo_django_videojob_changelist"
ADD = "admin:hailuo_django_videojob_add"


class Page(HTMLParser):
    """What a browser makes of a page: its nodes, its forms with their fields, its messages."""

    def __init__(self, response: Any) -> None:
        super().__init__(convert_charrefs=True)
        self.status = response.status_code
        self.html = response.content.decode()
        self.address = response.request["PATH_INFO"]
        if response.request["QUERY_STRING"]:
            self.address += f"?{response.request['QUERY_STRING']}"
        self.nodes: Counter[str] = Counter()
        self.attributes: list[tuple[str, dict[str, str]]] = []
        self.forms: dict[str, dict[str, list[str]]] = {}
        self.actions: dict[str, str] = {}
        self.choices: dict[str, dict[str, str]] = {}
        self.text = ""
        self._form: dict[str, list[str]] | None = None
        self._select = self._option = self._textarea = ""
        self.feed(self.html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.nodes[tag] += 1
        self.attributes.append((tag, values))
        name = values.get("name", "")
        if tag == "form":
            self._form = self.forms.setdefault(values.get("id", ""), {})
            self.actions[values.get("id", "")] = values.get("action", "")
        elif tag == "select":
            self._select = name
            self.choices[name] = {}
        elif tag == "option":
            self._option = values["value"]
            self.choices[self._select][self._option] = ""
            if "selected" in values:
                self._put(self._select, self._option)
        elif tag == "textarea":
            self._textarea = name
            self._put(name, "")
        elif tag == "input":
            self._handle_input(name, values)

    def _handle_input(self, name: str, values: dict[str, str]) -> None:
        kind = values.get("type", "text")
        ticked = kind in ("checkbox", "radio")
        if kind in ("submit", "button") or (ticked and "checked" not in values):
            return
        self._put(name, values.get("value", "on" if ticked else ""))

    def _put(self, name: str, value: str) -> None:
        if self._form is not None and name:
            self._form.setdefault(name, []).append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._textarea = ""
        elif tag == "option":
            self._option = ""

    def handle_data(self, data: str) -> None:
        if self._textarea and self._form is not None:
            # As in HTML: the first line break does not count, and browsers post CRLF.
            value = data.removeprefix("\n") if not self._form[self._textarea][-1] else data
            self._form[self._textarea][-1] += value.replace("\n", "\r\n")
        elif self._option:
            self.choices[self._select][self._option] += data
        self.text += f" {data}"

    @property
    def jobs(self) -> list[str]:
        """The keys of the jobs that a list shows, in its order."""
        boxes = [i for i in self.all("input") if i.get("name") == "_selected_action"]
        return [box["value"] for box in boxes]

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every node of a kind."""
        return [attributes for name, attributes in self.attributes if name == tag]


class Browser(Client):
    """Django's client with CSRF checks, that follows redirects and gives pages."""

    def __init__(self, user: User | None = None) -> None:
        super().__init__(enforce_csrf_checks=True)
        if user:
            self.force_login(user)

    def open(self, address: str) -> Page:
        """Read a page, wherever it redirects to."""
        return Page(self.get(address, follow=True))

    def post_form(self, page: Page, form: str, **values: Any) -> Page:
        """Fill in a form of a page and post it to where it says, or to where the page was."""
        data = {**page.forms[form], **values}
        return Page(self.post(page.actions[form] or page.address, data, follow=True))

    def act(self, action: str, *jobs: VideoJob, query: str = "") -> Page:
        """Select jobs on the list, choose an action and press the button."""
        page = self.open(reverse(LIST) + query)
        chosen = [str(job.pk) for job in jobs]
        return self.post_form(
            page, "changelist-form", action=action, _selected_action=chosen, index="0"
        )

    def act_on_all(self, action: str, query: str = "") -> Page:
        """Select all jobs on all pages of the list, as its link does, and choose an action."""
        page = self.open(reverse(LIST) + query)
        [first, *_rest] = [i for i in page.all("input") if i.get("name") == "_selected_action"]
        values = {"_selected_action": [first["value"]], "select_across": "1", "index": "0"}
        return self.post_form(page, "changelist-form", action=action, **values)

    def confirm(self, page: Page) -> Page:
        """Press the button of a page that says what something costs."""
        return self.post_form(page, "confirm")

    def buy(self, action: str, *jobs: VideoJob, query: str = "") -> Page:
        """Choose an action that costs money, and confirm what it costs."""
        return self.confirm(self.act(action, *jobs, query=query))

    def add(self, **values: Any) -> Page:
        """Fill in the form for a new job and press Save."""
        page = self.open(reverse(ADD))
        return self.post_form(page, "videojob_form", _save="Save", **values)


def person(name: str, *rights: str, **fields: Any) -> User:
    """Someone with access to the admin who holds the named rights on video jobs."""
    user = User.objects.create_user(name, **{"is_staff": True, **fields})
    names = [f"{right}_videojob" for right in rights]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


def grant(user: User, *names: str) -> Browser:
    """Give permissions by name to ``user``; a browser that knows them."""
    user.user_permissions.add(*Permission.objects.filter(codename__in=names))
    return Browser(User.objects.get(pk=user.pk))


def token_of(browser: Browser) -> dict[str, str]:
    """The CSRF token of a page that everybody in the admin may read."""
    token = browser.open(reverse("admin:index")).forms["logout-form"]["csrfmiddlewaretoken"]
    return {"csrfmiddlewaretoken": token[0]}


def page_of(job: VideoJob, view: str = "change") -> str:
    """The address of the job's page, or of another of its views."""
    return reverse(f"admin:hailuo_django_videojob_{view}", args=[job.pk])


def midnight() -> str:
    """When a budget of a day begins anew, as a page writes it."""
    return f"{timezone.localdate() + timedelta(days=1):%m/%d/%Y} 00:00:00"
