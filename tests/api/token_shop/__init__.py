"""The app of a site that has its own idea of a user; see ``token_host.py``."""
