"""The pictures of the documentation: ``python -m tests.browser.screenshots`` makes them anew."""
