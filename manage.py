#!/usr/bin/env python
"""Django's command line, on the example site unless DJANGO_SETTINGS_MODULE names another."""

from __future__ import annotations

import os

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
    execute_from_command_line()
