"""What is on the pictures: the same jobs every time; ids and times are those of the day."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import FloatRect, Page

from hailuo_django import ledger
from hailuo_django.models import VideoJob
from hailuo_django.sandbox import Sandbox
from hailuo_django.states import Action
from tests.admin.pages import page_of
from tests.browser.looks import Look
from tests.browser.pages import admin_page

from .studio import Studio

IMAGES = Path(__file__).parents[3] / "docs" / "images"
SCREEN = Look(width=1200, height=640)

COMPRESS = """async picture => {
    const image = new Image();
    image.src = "data:image/png;base64," + picture;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL("image/webp", 0.7).split(",")[1];
}"""


def the_list(studio: Studio) -> str:
    """Jobs in many states."""
    studio.completed("Two cranes over a rice field at first light.")
    studio.failed("The mayor of a small town dances on the market place.")
    studio.lost("Rain on the window of a night train.")
    studio.pause(400)
    studio.resubmitted("A potter's hands at the wheel, close.")
    studio.running("A harbour in the fog, seen from the pier.")
    studio.pause(45)
    drafts(studio)
    return admin_page("videojob_changelist")


def drafts(studio: Studio) -> list[VideoJob]:
    """What somebody is about to pay for, one of it not in the cheapest way."""
    boat = studio.draft("A paper boat on a wet street, followed by the camera.")
    VideoJob.objects.filter(pk=boat.pk).update(resolution="512p", duration=8)
    studio.draft("A kite over the dunes.")
    return list(VideoJob.objects.filter(status="draft").order_by("created_at"))


def confirmation(studio: Studio) -> str:
    """What submitting costs."""
    studio.pause(60)
    batch = ledger.propose(Action.SUBMIT, drafts(studio), actor=studio.operator)
    return admin_page("videojob_batch", batch.pk)


def job(studio: Studio) -> str:
    """A job with two submissions."""
    return page_of(studio.resubmitted("A potter's hands at the wheel, close."))


def lost_answer(studio: Studio) -> str:
    """The verdicts about a lost answer."""
    lost = studio.lost("Rain on the window of a night train.")
    return admin_page("videojob_reconcile", lost.pk, 1)


def overview(studio: Studio) -> str:
    """A month of work, and what needs attention."""
    studio.month()
    studio.lost("Rain on the window of a night train.")
    studio.pause(400)
    studio.running("A harbour in the fog, seen from the pier.")
    studio.pause(45)
    return admin_page("videojob_overview")


@dataclass(frozen=True)
class Picture:
    """A page, and which part of it is worth its room."""

    way: Callable[[Studio], str]
    top: str = "#header"
    height: int = 3000

    def clip(self, page: Page) -> FloatRect:
        """The part, no longer than the page."""
        top, end = page.evaluate(
            "top => [document.querySelector(top).getBoundingClientRect().top + scrollY,"
            " document.documentElement.scrollHeight]",
            self.top,
        )
        height = min(self.height, end - top)
        return {"x": 0, "y": top, "width": SCREEN.width, "height": height}


PICTURES = {
    "list": Picture(the_list, height=1000),
    "draft": Picture(lambda studio: page_of(drafts(studio)[0]), height=980),
    "confirmation": Picture(confirmation),
    "job": Picture(job, height=740),
    "history": Picture(job, top="[data-hailuo-part=submissions]", height=1010),
    "lost-answer": Picture(lost_answer, top="#content-main fieldset:nth-of-type(2)"),
    "overview": Picture(overview),
}


@pytest.fixture
def look() -> Look:
    return SCREEN


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_taken_in_both_themes(
    operator: Page, krea: Sandbox, grace: User, name: str
) -> None:
    picture = PICTURES[name]
    operator.goto(picture.way(Studio(krea, grace)))
    operator.get_by_role("button", name="Toggle navigation").click()
    IMAGES.mkdir(exist_ok=True)
    for theme in ("light", "dark"):
        operator.emulate_media(color_scheme=theme)
        clip = picture.clip(operator)
        taken = operator.screenshot(full_page=True, clip=clip, animations="disabled")
        (IMAGES / f"{name}-{theme}.webp").write_bytes(compressed(operator, taken))


def compressed(page: Page, picture: bytes) -> bytes:
    """A picture as the browser writes it small."""
    blank = page.context.new_page()
    small: str = blank.evaluate(COMPRESS, base64.b64encode(picture).decode())
    return base64.b64decode(small)
