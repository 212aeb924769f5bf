"""A customer: a UUID and a token, and none of Django's permissions."""

from __future__ import annotations

import uuid

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models


class Customer(AbstractBaseUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    token = models.CharField(max_length=64, unique=True)

    USERNAME_FIELD = "token"

    def __str__(self) -> str:
        return str(self.id)
