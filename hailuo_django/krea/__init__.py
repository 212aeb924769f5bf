"""Speaks to Krea: knows no Django model and reads no settings."""
