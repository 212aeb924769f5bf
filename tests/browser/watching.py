"""Everything that a browser complains about while a story runs."""

from __future__ import annotations

from playwright.sync_api import ConsoleMessage, Dialog, Error, Page, Request, Response


class Complaints(list[str]):
    """What went wrong on pages; a story that wants a complaint takes it out."""

    def take(self, *expected: str) -> None:
        """Take out what begins as ``expected``, of which there has to be one at least."""
        kept = [one for one in self if not one.startswith(expected)]
        assert len(kept) < len(self)
        self[:] = kept

    def watch(self, page: Page) -> None:
        """Listen from now on. Violations of the policy come as errors on the console."""
        page.on("console", self._console)
        page.on("pageerror", self._error)
        page.on("requestfailed", self._failed)
        page.on("response", self._response)
        page.on("dialog", self._dialog)
        page.on("popup", self.watch)

    def _console(self, message: ConsoleMessage) -> None:
        # A bad answer is on the console too, in words that name no address; see _response.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.append(f"console: {message.text}")

    def _error(self, error: Error) -> None:
        self.append(f"script: {error}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # by leaving a page while it loads
            self.append(f"{request.failure}: {request.method} {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.append(f"{response.status}: {response.request.method} {response.url}")

    def _dialog(self, dialog: Dialog) -> None:
        self.append(f"dialog: {dialog.message}")
        dialog.dismiss()
