"""What a site may write of a job, and when; all else is the ledger's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import router, transaction
from django.utils import timezone
from django.utils.translation import gettext

from hailuo_django.exceptions import Conflict
from hailuo_django.states import Status

from .requests import REQUEST_FIELDS, VideoRequest

if TYPE_CHECKING:
    from .querysets import VideoJobQuerySet

HOST_FIELDS = frozenset({*REQUEST_FIELDS, "owner", "reference"})
"""What a site may write. Everything else is the ledger's."""

FREE_ON_CREATION = frozenset({"id", "created_at", "updated_at"})
"""Defaults that differ with every row; a copy brings those of its original."""


class Guarded(VideoRequest):
    """Saves and deletes only what a site may, whatever becomes of the row meanwhile."""

    class Meta:
        abstract = True

    def save(
        self,
        *,
        force_insert: Any = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Save what a site may write; the ledger's fields are never touched from here.

        Raises Conflict when the request of a submitted job was changed, ValueError when a new
        job is not a plain draft or ``update_fields`` names a field of the ledger.
        """
        if self._state.adding:
            self._refuse_foreign_fields()
            super().save(force_insert=force_insert, using=using, update_fields=update_fields)
            return
        fields = HOST_FIELDS if update_fields is None else {*update_fields} - {"updated_at"}
        if foreign := fields - HOST_FIELDS:
            raise ValueError(f"Only the ledger writes {', '.join(sorted(foreign))}.")
        alias = using or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=alias):
            if not self._touch_draft(alias):
                self._refuse_changed_request(alias, fields)
                fields = fields - {*REQUEST_FIELDS}
            super().save(force_update=True, using=alias, update_fields=fields)

    def delete(
        self, using: str | None = None, keep_parents: bool = False
    ) -> tuple[int, dict[str, int]]:
        """Delete a draft or a settled job. Raises ProtectedError while a submission is live."""
        alias = using or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=alias):
            self._rows(alias).lock([self.pk])
            return super().delete(using=alias, keep_parents=keep_parents)

    def _rows(self, alias: str) -> VideoJobQuerySet:
        rows: VideoJobQuerySet = type(self)._default_manager.using(alias)  # type: ignore[assignment]
        return rows

    @classmethod
    def database(cls) -> str:
        """Return the alias under which this app's rows are written."""
        return router.db_for_write(cls)

    def _refuse_foreign_fields(self) -> None:
        ledgers = (f for f in self._meta.fields if f.name not in HOST_FIELDS | FREE_ON_CREATION)
        if given := [f.name for f in ledgers if getattr(self, f.name) != f.get_default()]:
            raise ValueError(f"A new job is a draft; only the ledger writes {', '.join(given)}.")

    def _touch_draft(self, alias: str) -> bool:
        # The write that decides: from here to the commit nobody else can submit this draft.
        drafts = self._rows(alias).filter(pk=self.pk, status=Status.DRAFT)
        return bool(drafts.update(updated_at=timezone.now()))

    def _refuse_changed_request(self, alias: str, fields: Iterable[str]) -> None:
        row = self._rows(alias).filter(pk=self.pk).first()
        changed = self.request_changes(row) & {*fields} if row else ()
        if changed:
            message = gettext("This job was submitted; its request can no longer change: %s.")
            raise Conflict(message % ", ".join(sorted(changed)))

    def request_changes(self, row: VideoRequest) -> set[str]:
        """Return the names of what this instance asks for differently from ``row``."""
        return {name for name in REQUEST_FIELDS if getattr(self, name) != getattr(row, name)}
