"""The people of these stories, their browsers, and the site that these look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import override_settings
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from hailuo_django.sandbox import Sandbox
from hailuo_django.testing import sandbox
from tests.api.people import person

from .chromium import chromium
from .looks import DESKTOP, Look
from .passing import Pass, stop_time
from .stage import Stage
from .watching import Complaints
from .windows import enter, window

SignIn = Callable[..., Page]


@pytest.fixture(scope="session")
def live_server(request: pytest.FixtureRequest) -> LiveServer:
    """The site under the strict policy. It builds its middleware once, as it starts."""
    policy = "tests.browser.policy.strict_policy"
    with override_settings(MIDDLEWARE=[policy, *settings.MIDDLEWARE]):
        server: LiveServer = request.getfixturevalue("live_server")
    return server


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for all stories, closed before other tests, which its event loop disturbs."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def krea(live_server: LiveServer) -> Iterator[Sandbox]:
    """A sandbox whose jobs move only when told to; lost answers are looked for at once."""
    with sandbox(manual=True, hailuo={"UNCONFIRMED_GRACE_SECONDS": 0}) as krea:
        yield krea


@pytest.fixture
def look() -> Look:
    """How the story is looked at: on a desktop in the light, unless parametrised."""
    return DESKTOP


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """What the browser complains about: nothing, unless the story takes it out."""
    complaints = Complaints()
    yield complaints
    assert complaints == []


@pytest.fixture
def sign_in(browser: Browser, live_server: LiveServer, complaints: Complaints) -> Iterator[SignIn]:
    """Open a window of the site for somebody who is signed in."""
    with ExitStack() as stack:

        def open_window(user: User, look: Look = DESKTOP) -> Page:
            page = stack.enter_context(window(browser, live_server.url, look))
            enter(page, live_server.url, user)
            complaints.watch(page)
            return page

        yield open_window


@pytest.fixture
def grace(live_server: LiveServer) -> User:
    """An operator with all rights."""
    return User.objects.create_superuser("grace")


@pytest.fixture
def ada(krea: Sandbox) -> User:
    """A visitor of the example project, who may order."""
    return person("ada", "add", "submit")


@pytest.fixture
def example_site(krea: Sandbox) -> Iterator[None]:
    """The pages of the example project, as a site of its own serves them."""
    with override_settings(
        INSTALLED_APPS=[*settings.INSTALLED_APPS, "example_project"],
        ROOT_URLCONF="example_project.urls",
        STATICFILES_DIRS=[],  # has the apps looked through anew
        LOGIN_URL="login",
        HAILUO={**settings.HAILUO, "RESULT_HOSTS": ["127.0.0.1"]},
    ):
        yield


@pytest.fixture
def gallery(example_site: None, sign_in: SignIn, ada: User) -> Page:
    """Her browser, at the gallery."""
    page = sign_in(ada)
    page.goto("/gallery/")
    return page


@pytest.fixture
def stage(krea: Sandbox, grace: User) -> Stage:
    """Sets up what a page is to show."""
    return Stage(krea, grace)


@pytest.fixture
def operator(sign_in: SignIn, grace: User, look: Look) -> Page:
    """Grace's browser, signed in."""
    return sign_in(grace, look)


@pytest.fixture
def let_pass(operator: Page) -> Pass:
    """Let seconds pass in her browser, where none pass else."""
    return stop_time(operator)
