"""What the transfer panel shows, as HTML: pure functions; every text from elsewhere is escaped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, tzinfo
from html import escape

from seqdata.core.moments import parse_timestamp
from seqdata.core.money import parse_cents
from seqdata.core.text import alike, format_cents, printable
from seqdata.exceptions import InvalidAmount, UnknownAccount
from seqdata.safeguards.accounts import find_account
from seqdata.safeguards.bounds import Limits
from seqdata.safeguards.lives import DRY_RUN, OpenIntent
from seqdata.safeguards.outcomes import (
    ConfirmOutcome,
    Failed,
    Rehearsed,
    Returned,
    Settlement,
    Unknown,
)
from seqdata.safeguards.staged import StagedTransfer
from seqdata.sources.base import Account
from seqdata.widgets.panel.state import Entry, PanelState, Said

KIND_WORDS = {"pod": "Pod", "port": "Port", "account": "Outside account"}

#: How much of a long text a cell of the events shows; its tooltip has all of it.
_CELL = 60


def plain(text: str) -> str:
    """Return a text in one line, with what would garble the line around it written out."""
    return " ".join(printable(text).split())


def _html(text: str) -> str:
    return escape(plain(text))


def _name(text: str) -> str:
    """Write a name so that its direction of writing does not touch what stands beside it."""
    return f"<bdi>{_html(text)}</bdi>"


def money(cents: int | None) -> str:
    """Write an amount, or that it is not known."""
    return "unknown" if cents is None else format_cents(cents)


# -- where we are -----------------------------------------------------------------------------


def banner(state: PanelState) -> str:
    """Say whether money is real here, in words, a sign, a colour and a border of its own."""
    where = escape(state.app_url) + (f", as {_name(state.user)}" if state.user else "")
    if state.is_sandbox:
        mode = _strip("sandbox", "◇", "Sandbox", f"Play money: nothing real moves. {where}")
    elif state.is_sandbox is False:
        text = f"What you confirm here moves real money. {where}"
        mode = _strip("real", "▲", "Real account", text)
    else:
        text = f"The service has not answered yet, so take it for a real account. {where}"
        mode = _strip("real", "▲", "Not known yet", text)
    if state.is_read_only:
        mode += _strip("readonly", "■", "Read-only", "SEQUENCE_READ_ONLY is 1: nothing is sent.")
    return mode


def _strip(name: str, sign: str, title: str, text: str) -> str:
    return (
        f'<div class="sqp-banner sqp-{name}" role="note"><span aria-hidden="true">{sign}</span>'
        f"<strong>{title}</strong><span>{text}</span></div>"
    )


def hidden_notice() -> str:
    """Say why nothing of an account is shown."""
    return (
        '<div class="sqp-said" role="status">Nobody is there to look (this notebook runs by '
        "itself, or there is no terminal), and this is not known to be a sandbox: no name, "
        "balance or event is shown, since what is shown here is saved with the notebook. Open "
        "the notebook yourself, run the cell again, and press Refresh.</div>"
    )


# -- the form ---------------------------------------------------------------------------------


def labels(accounts: Iterable[Account]) -> dict[str, str]:
    """Return a label for each account, pods first, then ports, then outside ones: label to id.

    Where names are the same, or look it, institution and end of the id stand there too.
    """
    order = list(KIND_WORDS)
    ranked = sorted(accounts, key=lambda one: (order.index(one.kind), one.name.casefold(), one.id))
    found: dict[str, str] = {}
    for one, is_alike in zip(ranked, alike(one.name for one in ranked), strict=True):
        mark = f" ({one.mark})" if is_alike else ""
        label = f"{KIND_WORDS[one.kind]} · {plain(one.name)}{mark} · {one.balance}"
        found[f"{label} · {one.id}" if label in found else label] = one.id
    return found


def wanted(text: str, accounts: Sequence[Account]) -> str:
    """Return what the desk is asked for: the id behind a label, else the text as it is."""
    return labels(accounts).get(text, text.strip())


def account_hint(text: str, accounts: Sequence[Account], once_known: Collection[str] = ()) -> str:
    """Say which account a text means, as the desk would understand it; asks the service nothing."""
    if not text.strip() or not accounts:
        return ""
    try:
        one = find_account(wanted(text, accounts), accounts, once_known)
    except UnknownAccount as error:
        return f'<span class="sqp-hint sqp-bad" role="status">✗ {_html(_missed(error))}</span>'
    # A visible echo of what a label already says would only be noise.
    said = "" if text in labels(accounts) else f"{KIND_WORDS[one.kind]} {_name(one.name)}, "
    return f'<span class="sqp-hint" role="status">✓ {said}holds {one.balance}</span>'


def _missed(error: UnknownAccount) -> str:
    """Say why a text means no account; what comes near is only offered."""
    if error.ambiguous:
        return f"{len(error.candidates)} accounts have this name, or look like it: pick one"
    if error.near:
        return f"no account has this name; there is {', '.join(error.candidates[:3])}"
    return "no account has this name"


def amount_hint(text: str) -> str:
    """Say which amount a text is, to the cent, or that it is none."""
    if not text.strip():
        return ""
    try:
        cents = parse_cents(text)
    except InvalidAmount as error:
        return f'<span class="sqp-hint sqp-bad" role="status">✗ {_html(str(error))}</span>'
    except ValueError:  # thousands of digits
        return '<span class="sqp-hint sqp-bad" role="status">✗ too many digits</span>'
    return f'<span class="sqp-hint" role="status">✓ {format_cents(cents)}</span>'


def limits_bar(limits: Limits | None, staged: StagedTransfer | None = None) -> str:
    """Show what is left of today, in words and as a bar; of a staged transfer, after it too."""
    if limits is None:
        return '<div class="sqp-limits">Limits left today: not known</div>'
    left, most = limits.daily_left_cents, limits.daily_cents
    share = 100 * left / most if most else 0.0
    after = ""
    if staged is not None:
        after = f", {format_cents(staged.daily_left_cents)} after this transfer"
    text = (
        f"{format_cents(left)} of {format_cents(most)} left today ({escape(limits.day)}){after}; "
        f"at most {format_cents(limits.transfer_cents)} a transfer"
    )
    return (
        f'<div class="sqp-limits"><div class="sqp-bar" role="meter" aria-label="Left of the '
        f'daily limit" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{share:.0f}" '
        f'aria-valuetext="{text}"><div style="width:{share:.2f}%"></div></div>{text}</div>'
    )


def messages(said: Iterable[Said], troubles: Iterable[str]) -> str:
    """Show every sentence, each once; alerts are read out at once by a screen reader."""
    lines = [Said(one) for one in troubles]
    lines = [*said, *(one for one in lines if one.text not in {other.text for other in said})]
    return "".join(
        f'<div class="sqp-said{" sqp-alert" if one.is_alert else ""}" '
        f'role="{"alert" if one.is_alert else "status"}">{_html(one.text)}</div>'
        for one in lines
    )


# -- the review -------------------------------------------------------------------------------


def review(staged: StagedTransfer) -> str:
    """Show what will happen: both ends with their balances before and after, and the terms."""
    cents = staged.amount_cents
    ends = _end("From", staged.source, -cents) + _end("To", staged.destination, cents)
    left, most = staged.daily_left_cents, staged.daily_limit_cents
    terms = {
        "Arrives": staged.expected,
        "Note": staged.note or "none",
        "Instant": "asked for" if staged.instant else "no",
        "Left today": f"{format_cents(left)} of {format_cents(most)} after this",
        "Where": f"{'a sandbox' if staged.is_sandbox else 'a real account'}, {staged.app_url}",
    }
    rows = "".join(f"<dt>{name}</dt><dd>{_name(text)}</dd>" for name, text in terms.items())
    warning = staged.review().get("despite", "")
    despite = (
        f'<div class="sqp-said sqp-warn" role="alert">▲ Despite {_html(warning)}.</div>'
        if warning
        else ""
    )
    return (
        f'<div class="sqp-review" role="region" aria-label="Review of the transfer">'
        f'<div class="sqp-head">Review: nothing is sent yet</div>'
        f'<div class="sqp-amount">{format_cents(cents)}</div>{despite}'
        f'<table class="sqp-ends"><thead><tr><th scope="col"></th><th scope="col">Account</th>'
        f'<th scope="col">Now</th><th scope="col">After</th></tr></thead>'
        f"<tbody>{ends}</tbody></table><dl>{rows}</dl></div>"
    )


def _end(word: str, account: Account, change: int) -> str:
    kind = KIND_WORDS[account.kind]
    return (
        f'<tr><th scope="row">{word}</th><td>{_name(account.name)} '
        f'<span class="sqp-kind">{kind}</span> <span class="sqp-kind">{_html(account.mark)}</span>'
        f'</td><td class="sqp-num">{account.balance}</td>'
        f'<td class="sqp-num">{money(account.after(change))}</td></tr>'
    )


def countdown(staged: StagedTransfer, now: datetime, zone: tzinfo) -> str:
    """Say how long a staged transfer lives, and until which time of day."""
    whole = (staged.expires_at - staged.staged_at).total_seconds()
    left = max(0.0, (staged.expires_at - now).total_seconds())
    until = staged.expires_at.astimezone(zone).strftime("%H:%M:%S %Z")
    if left == 0:
        text = f"Its time was up at {until}: the desk will refuse it. Cancel, and review again."
    else:
        minutes, seconds = divmod(int(left + 0.999), 60)
        text = f"<b>{minutes}:{seconds:02d}</b> left: it can be confirmed until {until}"
    share = 100 * left / whole if whole > 0 else 0.0
    return (
        f'<div class="sqp-clock" role="timer"><div class="sqp-bar" aria-hidden="true">'
        f'<div style="width:{min(100.0, share):.1f}%"></div></div>{text}</div>'
    )


# -- the outcome ------------------------------------------------------------------------------

_SIGNS = {"completed": "✓", "failed": "✗", "unknown": "?", "dry run": "◇"}


def outcome(found: ConfirmOutcome | None, sent: StagedTransfer | None) -> str:
    """Say in a sentence what became of a transfer, with its id, or with that of its intent."""
    if found is None:
        return ""
    what = ""
    if sent is not None:
        what = _what(sent.amount_cents, sent.source.name, sent.destination.name)
    return _card(found, what)


def settlement(one: Settlement) -> str:
    """Say what settling found out about an open transfer."""
    intent = one.intent
    return _card(one.outcome, _what(intent.amount_cents, intent.source, intent.destination))


def _what(cents: int, source: str, destination: str) -> str:
    return f"{format_cents(cents)} from {_name(source)} to {_name(destination)}. "


def _card(found: ConfirmOutcome, what: str) -> str:
    name = found.status.replace(" ", "-")
    role = "alert" if isinstance(found, Failed | Returned | Unknown) else "status"
    ids = f"In the audit log: <code>{_html(found.intent_id)}</code>"
    here = " It can still be confirmed." if isinstance(found, Rehearsed) else ""
    if isinstance(found, Unknown):
        here = " The button <b>Settle</b> below does the same."
    return (
        f'<div class="sqp-outcome sqp-{name}" role="{role}"><span aria-hidden="true">'
        f"{_SIGNS[found.status]}</span><div><strong>{_html(str(found))}</strong>{here}<br>"
        f"{what}{ids}</div></div>"
    )


def open_transfers(intents: Sequence[OpenIntent], zone: tzinfo) -> str:
    """List the transfers of which nobody knows whether they moved money."""
    if not intents:
        return ""
    rows = "".join(
        f"<li>{_what(one.amount_cents, one.source, one.destination)}Sent "
        f"{one.sent_at.astimezone(zone):%Y-%m-%d %H:%M %Z}: {_html(one.why or 'interrupted')}. "
        f"<code>{_html(one.id)}</code></li>"
        for one in intents
    )
    return (
        f'<div class="sqp-open"><div class="sqp-head">? Outcome not known: {len(intents)}</div>'
        f"The money may have moved, or not. Do not send it again: settle it.<ul>{rows}</ul></div>"
    )


# -- the audit log ----------------------------------------------------------------------------


def events_table(events: Sequence[Entry], zone: tzinfo) -> str:
    """Show events of the audit log, newest first."""
    rows = "".join(_event(entry, zone) for entry in events)
    rows = rows or '<tr><td colspan="5">Nothing yet.</td></tr>'
    head = "".join(
        f'<th scope="col">{word}</th>' for word in ("When", "Event", "Amount", "Between", "Details")
    )
    return (
        '<table class="sqp-events"><caption>Recent events of the audit log</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _event(entry: Entry, zone: tzinfo) -> str:
    moment = parse_timestamp(str(entry.get("timestamp")))
    when = f"{moment.astimezone(zone):%m-%d %H:%M:%S}" if moment else "unknown"
    word = str(entry.get("event_type", "unknown")).removeprefix("transfer_").replace("_", " ")
    word += " (rehearsal)" if entry.get(DRY_RUN) and word != "rehearsed" else ""
    cents = entry.get("amount_cents")
    ends = [str(entry[key]) for key in ("source", "destination") if entry.get(key)]
    details = str(entry.get("transfer_id") or entry.get("error") or "")
    cells = (
        f"<td>{when}</td><td>{_html(word)}</td>"
        f'<td class="sqp-num">{money(cents) if type(cents) is int else ""}</td>'
        f"<td>{' → '.join(map(_name, ends))}</td>"
        f'<td title="{_html(details)}">{_html(_short(details))}</td>'
    )
    return f"<tr>{cells}</tr>"


def _short(text: str) -> str:
    return text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"
