"""Price, advice and room in the budget, while a draft is being written."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin import display as shown
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hailuo_django import pricing
from hailuo_django.conf import conf
from hailuo_django.forecast import Forecast
from hailuo_django.models import VideoJob
from hailuo_django.transactions import outside_atomic_requests

from . import display
from .caps import no_room, stays
from .confirming import ConfirmingMixin

SCRIPT = "hailuo_django/quote.js"
MAX_PROMPT_LENGTH = 10_000_000


class QuoteForm(forms.Form):
    """What decides price and advice. The prompt itself stays where it is typed."""

    resolution = forms.ChoiceField(choices=[(name, name) for name in pricing.RESOLUTIONS])
    duration = forms.TypedChoiceField(choices=[(n, n) for n in pricing.DURATIONS], coerce=int)
    start_image = forms.BooleanField(required=False)
    end_image = forms.BooleanField(required=False)
    prompt_length = forms.IntegerField(required=False, min_value=0, max_value=MAX_PROMPT_LENGTH)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner: Any = VideoJob._meta.get_field("owner").formfield(required=False)
        self.fields["owner"] = owner

    def advice(self) -> list[pricing.Advice]:
        """Return what is worth knowing before this is paid for."""
        length = self.cleaned_data["prompt_length"] or 0
        names = ("resolution", "duration", "start_image", "end_image")
        request = {name: self.cleaned_data[name] for name in names}
        return pricing.advise(prompt_length=length, prices=conf.PRICES, **request)


class QuoteMixin(ConfirmingMixin):
    """Tells on the form of a draft what it costs; a script asks again when a field changes."""

    @property
    def media(self) -> forms.Media:
        """Add the script, which looks for a quote on the page and asks for nothing elsewhere."""
        script: Any = forms.Script(SCRIPT, type="module")
        return super().media + forms.Media(js=[script])

    def get_urls(self) -> list[URLPattern]:
        """Add what the script asks, before Django's own that match anything."""
        page = path(
            "quote/",
            outside_atomic_requests(self.admin_site.admin_view(self.quote_view)),
            name=f"{self.opts.app_label}_{self.opts.model_name}_quote",
        )
        return [page, *super().get_urls()]

    def quote_view(self, request: HttpRequest) -> HttpResponse:
        """Return price, advice and room as JSON, in the words of the reader; 400 for nonsense."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        form = QuoteForm(request.GET)
        if not form.is_valid() and {*form.errors} - {"owner"}:  # which saving complains about
            return JsonResponse({"errors": form.errors}, status=400)
        price = conf.PRICES[form.cleaned_data["resolution"]][form.cleaned_data["duration"]]
        owner = form.cleaned_data.get("owner")
        # Budgets are for those who may spend them.
        knows = self.has_submit_permission(request)
        quote = {
            "price": display.usd(price),
            "advice": [item.message for item in form.advice()],
            "budget": room(price, owner.pk if owner else None) if knows else [],
        }
        return JsonResponse(quote, headers={"Cache-Control": "no-store"})

    @shown(description=gettext_lazy("price and advice"))
    def quote(self, job: VideoJob) -> str:
        """Return price and advice as saved, for the script to keep up with the fields."""
        later = _("They appear here when you save.")
        saved = not job._state.adding
        return format_html(
            '<div data-hailuo-quote="{}" data-hailuo-long-prompt="{}" data-hailuo-later="{}"'
            ' aria-live="polite"><div data-hailuo-price>{}</div><div data-hailuo-advice>{}</div>'
            '<div data-hailuo-budget></div><div class="help" data-hailuo-note>{}</div></div>',
            self.address("quote"),
            pricing.ADVISED_PROMPT_LENGTH,
            later,
            display.usd(job.price_usd) if saved else "",
            display.advice(job.advice()) if saved else "",
            _("As saved.") if saved else later,
        )


def room(price_usd: Any, owner_id: Any) -> list[str]:
    """Return in words whether the budget has room for one more job; nothing without a budget."""
    forecast = Forecast([owner_id])
    if cap := forecast.want(price_usd, owner_id):
        return [no_room(cap)]
    return [stays(cap) for cap in forecast.caps(owner_id)]
