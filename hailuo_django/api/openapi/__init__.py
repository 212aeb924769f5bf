"""What drf-spectacular has to know of our views: the optional extra ``[openapi]``.

Only ``HailuoDjangoConfig.ready`` imports these modules, and only where ``drf_spectacular`` is
among the site's apps. The views themselves know nothing of it.
"""
