"""How the customers of the site prove who they are, and what they may do."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from hailuo_django.api.permissions import VideoJobPermissions

from .models import Customer


class CustomerToken(TokenAuthentication):
    keyword = "Customer"

    def authenticate_credentials(self, key: str) -> Any:
        customer = Customer._default_manager.filter(token=key).first()
        if customer is None:
            raise AuthenticationFailed
        return customer, key


class Customers(VideoJobPermissions):
    def may(self, user: Any, action: str) -> bool:
        return True
