"""Which modules are mutated, and the smallest set of tests that covers each."""

from __future__ import annotations

MODULES: dict[str, tuple[str, ...]] = {
    "states.py": ("tests/core/test_states.py",),
    "tokens.py": (
        "tests/webhooks/test_tokens.py",
        "tests/webhooks/test_sites.py",
        "tests/core/test_sending.py::"
        "test_the_webhook_address_is_not_spelled_out_where_variables_are_shown",
    ),
    "krea/wire.py": (
        "tests/krea/test_reading.py",
        "tests/krea/test_generate.py",
        "tests/krea/test_look.py",
        "tests/krea/test_secrets.py",
    ),
    "budget.py": ("tests/core/test_budget.py",),
    **dict.fromkeys(
        (
            "ledger/announcements.py",
            "ledger/candidates.py",
            "ledger/outcomes.py",
            "ledger/recipe.py",
            "ledger/hints.py",
            "ledger/reports.py",
            "ledger/told.py",
            "ledger/risks.py",
            "ledger/schedule.py",
            "ledger/verdicts.py",
        ),
        ("tests/core", "tests/webhooks/test_order.py"),
    ),
    "ledger/wishes.py": ("tests/core", "tests/api/test_verbs.py"),
    "ledger/batches.py": ("tests/admin/test_batches.py", "tests/admin/test_confirming.py"),
    "ledger/drafts.py": ("tests/api/test_drafts.py",),
    **dict.fromkeys(
        (
            "worker/absence.py",
            "worker/candidates.py",
            "worker/evidence.py",
            "worker/known.py",
            "worker/lanes.py",
            "worker/look.py",
            "worker/reconcile.py",
            "worker/send.py",
            "worker/tasks.py",
        ),
        ("tests/core", "tests/commands/test_hailuo_sweep.py"),
    ),
    "worker/sweep.py": ("tests/core", "tests/webhooks/test_secrets.py"),
    "worker/batches.py": ("tests/admin/test_batches.py",),
}
"""A path in ``hailuo_django``, and pytest's arguments."""

ROUTED = "a router says the same, unless it reads elsewhere than it writes"
INSTANT = "both decide alike but for one microsecond, and either is right for that"
SHOWN = "shown to staff, and read by nothing, while it is being sent"
RIVALS = "one more rival leaves more to a person, and adopts nothing wrong"
ONE_ROW = "Krea's id names one submission"
RACE = "a lock shows in races only, which are not run for each mutant"
ELSEWHERE = "the suite with an empty default database tells, which is not run for each mutant"

ARGUED_WITHIN: dict[str, str] = {
    "using(None)": ROUTED,
    "using=None": ELSEWHERE,
    "lock_job(None)": RACE,
    "- lock_job(": RACE,
    "ignore_conflicts=False": RACE,
}
"""What no test can tell wherever it stands in a line, and why."""

ARGUED: dict[str, str] = {
    "alias = None": ELSEWHERE,
    "is_gone = absent_for > NOT_FOUND_AFTER": INSTANT,
    "return lacks_one and timezone.now() - ended_at <= PATIENCE_WITHOUT_ADDRESS": INSTANT,
    "return awaits_address(ended) or (ended.runs_upstream and absent_for <= patience)": INSTANT,
    "if not chosen and news.created_at is not None and news.created_at <= earliest:": INSTANT,
    "created_at is None or sent_at is None or created_at > aware(sent_at) - SKEW": INSTANT,
    "hailuo_django.states.x__row": (
        "called while the module is imported, before a mutant is switched on; "
        "the page of states is compared with what it makes"
    ),
    'job_id, _, number = value.rpartition("-")': "a token's name has one dash, says PATTERN",
    "jobs.append(_job(item, json.dumps(item, ensure_ascii=None), redact))": (
        "None is as false as False"
    ),
    'raise Unreadable("XXnot an objectXX")': "of an item of a page: passed over without a word",
    'raise Unreadable("NOT AN OBJECT")': "of an item of a page: passed over without a word",
    "hailuo_django.krea.wire.x__job: raise Unreadable(None)": (
        "of an item of a page: passed over without a word"
    ),
    'found[redact(url)] = ""': "the keys of a dict are the set; nobody reads its values",
    'moment = datetime.fromisoformat(value if isinstance(value, str) else "XXXX")': (
        "neither is a time"
    ),
    'text = raw.decode(errors="replace") if isinstance(raw, bytes) else raw': (
        "UTF-8 is the default"
    ),
    'text = raw.decode("UTF-8", errors="replace") if isinstance(raw, bytes) else raw': (
        "the same codec by another name"
    ),
    'return int(digits) if len(digits) <= MAX_DIGITS else float("INF")': "the same number",
    "since, resets_at = _period(cap, None)": "localtime(None) is the local time now",
    "for n, job in enumerate(islice(jobs, MAX_JOBS + 2), start=1)": (
        "one more than may be is enough to know; to read another changes nothing"
    ),
    "def forget_proposals(limit: int = 101) -> int:": "the others are forgotten a sweep later",
    "since, resets_at = _period(USER_DAY, None)": "localtime(None) is the local time now",
    "return beginning_of(first), beginning_of((first + timedelta(days=33)).replace(day=1))": (
        "33 days after a first it is the next month as well"
    ),
    # Of what was told.
    "hailuo_django.ledger.told.x_keep_told: return False": (
        "Krea is asked about it anyway: it is on record"
    ),
    'return told.raw if told else "XXXX"': "neither can be read",
    "hailuo_django.ledger.told.x__address_in": "what is kept can be read",
    'best = told.order_by("-last_seen_at", ).first()': "told in one microsecond",
    "mine.update(named_for=None)  # whatever it was named for before": "the next line names it",
    'told["krea_created_at"] = site_time(news.created_at) if (news.created_at) or True else None': (
        "without a time zone alone, which is not run for each mutant"
    ),
    "hailuo_django.ledger.hints.x__doubt_its_end: - pk=submission.pk,": ONE_ROW,
    # Of looking, sending and listing.
    "hailuo_django.worker.look.xǁLookLaneǁtake: return": (
        "the same as break: nothing follows the loop but return None"
    ),
    "return ended.runs_upstream and absent_for <= patience": INSTANT,
    "if news.created_at is not None and news.created_at <= earliest:": INSTANT,
    "if time.monotonic() > self.expires or (lease and timezone.now() >= lease):": INSTANT,
    "return job.created_at is None or job.created_at > self.since": INSTANT,
    "later = (j for j in listing.known if j.created_at is not None "
    "and j.created_at >= window.until)": INSTANT,
    "and not (key in closed and job.created_at and job.created_at >= window.until + SKEW)": INSTANT,
    "never = now + LONGEST_WAIT + timedelta(seconds=3 * max(intervals))": (
        "nothing is put off for so long either way; a wrong clock is wrong by more"
    ),
    "return PATIENCE + timedelta(seconds=sweep_seconds() if keeping else 1)": (
        "a second more of patience"
    ),
    "offset = answer.server_time - CUT_OFF - search.asked_at": (
        "two seconds, beside the minutes that are allowed for clocks"
    ),
    'ended = row.lost_at or getattr(row, "lease_expires_at", None) and now': (
        "nobody reads when the window ends of what is still being sent"
    ),
    "job.save(force_insert=False, using=VideoJob.database())": (
        "Django inserts what is new all the same: the key has a default"
    ),
    'return move(_absent(submission, Status.CANCELLED, proof, unwanted), note="") is None': (
        "what was not decided is written down where it is still undecided, and nowhere else"
    ),
    "alive = list(_rows().billable().filter(job_id=row.pk)) if (forced) or True else []": (
        "a verdict about a twin would be written down in more words; nothing else differs"
    ),
    "self.waits = True": "asked for after something was taken, which says it anew",
    "connections=LookLane.width - ListLane.width,": "how many stay open is a matter of speed",
    "if not is_left or monotonic() + batch_seconds() >= end:": INSTANT,
    "self.done = None": "None is as false as False",
    "hailuo_django.ledger.reports.x_confirm_end: - ~Q(krea_status__in=WITHOUT_VIDEO),": (
        "what Krea has ended is counted, and not asked for, before"
    ),
    "hailuo_django.ledger.reports.x_confirm_end: - job_id=job_id,": ONE_ROW,
    "hailuo_django.ledger.reports.x_confirm_end: - number=number,": ONE_ROW,
    "hailuo_django.ledger.hints.x_count_webhook: - job_id=job_id,": ONE_ROW,
    "hailuo_django.ledger.hints.x_count_webhook: - number=number,": ONE_ROW,
    "mine = rows.filter(NEVER_ENDING, pk=submission.pk, )": (
        "what runs was given up a statement before, or is gone"
    ),
    "if mine.filter(where, krea_job_id=None, ).update(": (
        "what has not ended was adopted a statement before"
    ),
    "hailuo_django.worker.absence.x__take_what_was_told: return False": (
        "it was adopted, or is not to be: it is given back no more"
    ),
    "hailuo_django.worker.reconcile.x__adopt: return True": (
        "its lease runs out, and it is looked for again"
    ),
    "hailuo_django.worker.reconcile.x__resend: return False": "it was given back a line before",
    "rows = Submission.objects.using(VideoJob.database()).exclude(pk=None)": (
        "its own window comes twice"
    ),
    "doubtful = Q(status=Status.SUBMITTING) | Q(lost, )": RIVALS,
    "others = list(rows.filter(krea_job_id=None).only(*columns))": RIVALS,
    "windows[+gone.pk] = _window(gone, offset)": RIVALS,
    "closed.add(None)": RIVALS,
    "closed.add(+gone.pk)": RIVALS,
    'if message := getattr(failure, "message", None):': "None is as false as no word",
    'return int(digits) if len(digits) < MAX_DIGITS else float("inf")': (
        "nobody reads a number of Krea's that is so long"
    ),
    "since, resets_at = _period(None, timezone.now())": "any cap but the month's is of a day",
    "def announce_owed(limit: int = 101) -> int:": "the others are told of a sweep later",
    "transaction.on_commit(lambda: _announce_or_keep(event), robust=True)": ELSEWHERE,
    "return list_since(self.client, item.asked_at, max_pages=1, limit=2)": (
        "whether Krea answers at all is asked for; nobody reads the jobs"
    ),
    "return list_since(self.client, None, max_pages=1, limit=1)": (
        "whether Krea answers at all is asked for; nobody reads the jobs"
    ),
    "return Search(rows, calls * call_seconds(), oldest - 4 * SKEW, now)": (
        "a minute more of the list is read, beside those that are allowed for clocks"
    ),
    "krea_job_id=None, candidate_id=submission.candidate_id": (
        "whoever named the same job gets the same answer about it"
    ),
    "nudge_after_commit(None, using=alias)": "the sweep finds it as well, a little later",
    "if time.monotonic() >= self.expires or (lease and timezone.now() > lease):": INSTANT,
    "doubtful = Q(status=Status.SUBMITTING) | Q(lost_at__isnull=False)": RIVALS,
    "others = list(rows.filter(doubtful, ).only(*columns))": RIVALS,
    "job_where=Q(status=Status.UNSENT, ),": (
        "an unsent job has one unsent submission, the newest: holding looks at the count as well"
    ),
    "hailuo_django.ledger.outcomes.x_claim: due_at=None,": SHOWN,
    "hailuo_django.ledger.outcomes.x_claim: - due_at=expires,": SHOWN,
    "if moved.job_to_status == Status.COMPLETED and moved.submission_count >= 1:": (
        "where there is no twin, stopping the others stops nobody"
    ),
    "raise conflict(None, BY_ACTION[action])": "verdicts say it in words of their own",
    "hailuo_django.ledger.wishes.x_wish_cancelled: break": (
        "what is unsent is the newest and comes last"
    ),
    'where=Q(candidate_id="", due_at__lte=now),': (
        "what nobody wants any more is withdrawn at once where it is unsent"
    ),
    "lease_token=secrets.token_hex(None),": "twice as long, which PostgreSQL refuses; not run here",
    "return Q(submission_count=0)": "a job without submissions is a draft",
    "if monotonic() > end:": INSTANT,
    "with translation.override(None):": "without a language Django takes LANGUAGE_CODE",
}
"""Mutants that no test can tell from the original, and why.

By the changed line, by the function, or by both where such a line is found elsewhere as well.
"""
