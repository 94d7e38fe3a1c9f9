"""What the transfer panel shows, as HTML: pure functions; every text from elsewhere is escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, tzinfo
from html import escape

from seqdata.core.moments import parse_timestamp
from seqdata.core.money import parse_cents
from seqdata.core.text import alike, are_alike, format_cents, one_line, printable
from seqdata.exceptions import InvalidAmount, UnknownAccount
from seqdata.safeguards.accounts import find_account
from seqdata.safeguards.bounds import Limits
from seqdata.safeguards.lives import DRY_RUN, OpenIntent
from seqdata.safeguards.outcomes import (
    Completed,
    ConfirmOutcome,
    Failed,
    Returned,
    Settlement,
    Unknown,
)
from seqdata.safeguards.staged import StagedTransfer
from seqdata.sources.base import Account
from seqdata.widgets.panel.state import Entry, PanelState, Said
from seqdata.widgets.panel.words import event_word, reason_words

KIND_WORDS = {"pod": "Pod", "port": "Port", "account": "Outside account"}


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


def moment_text(moment: datetime, zone: tzinfo) -> str:
    """Write a moment for reading: every time of the panel is of this clock, with its zone."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def id_text(own_id: str) -> str:
    """Write an id so that little of it is seen, and all of it is copied after one click."""
    return f'<code class="sqp-id" title="{_html(own_id)}">{_html(own_id)}</code>'


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
        mode += _strip("readonly", "■", "Read-only", "Nothing is sent from here.")
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

    Where names are the same, or look it, what a person knows stands there too: kind, institution
    and balance; an end of the id only where these are the same as well.
    """
    order = list(KIND_WORDS)
    ranked = sorted(accounts, key=lambda one: (order.index(one.kind), one.name.casefold(), one.id))
    told = [_known_by(one) for one in ranked]
    found: dict[str, str] = {}
    for one, label, is_alike in zip(ranked, told, _are_told_alike(ranked), strict=True):
        marked = f"{label} · …{plain(one.id[-one.tail :])}" if is_alike else label
        found[f"{label} · {one.id}" if marked in found else marked] = one.id
    return found


def _known_by(one: Account) -> str:
    at = f" at {plain(one.institution)}" if one.institution else ""
    return f"{KIND_WORDS[one.kind]} · {plain(one.name)}{at} · {one.balance}"


def _are_told_alike(accounts: Sequence[Account]) -> list[bool]:
    """Tell of each account whether another one that looks like it is told by the same words."""
    seen = [(one.kind, plain(one.institution or ""), one.balance) for one in accounts]
    count, looks = Counter(seen), alike(one.name for one in accounts)
    return [look and count[words] > 1 for look, words in zip(looks, seen, strict=True)]


def wanted(text: str, accounts: Sequence[Account]) -> str:
    """Return what the desk is asked for: the id behind a label, else the text as it is."""
    return labels(accounts).get(text, text.strip())


def account_hint(text: str, accounts: Sequence[Account], once_known: Collection[str] = ()) -> str:
    """Say which account a text means, as the desk would understand it; asks the service nothing."""
    if not accounts:
        return ""
    if not text.strip():
        return '<span class="sqp-hint">Type a part of the name, then pick it</span>'
    try:
        one = find_account(wanted(text, accounts), accounts, once_known)
    except UnknownAccount as error:
        return f'<span class="sqp-hint sqp-bad" role="status">✗ {_html(_missed(error))}</span>'
    holds = "balance not known" if one.balance_cents is None else f"holds {one.balance}"
    # A visible echo of what a label already says would only be noise.
    said = "" if text in labels(accounts) else f"{KIND_WORDS[one.kind]} {_name(one.name)}, "
    return f'<span class="sqp-hint" role="status">✓ {said}{holds}</span>'


def _missed(error: UnknownAccount) -> str:
    """Say why a text means no account; what comes near is only offered."""
    if error.ambiguous:
        return f"{len(error.candidates)} accounts have this name, or look like it: pick one"
    if error.near:
        names = [one.rsplit(" (", 1)[0] for one in error.candidates[:3]]
        return f"no account has this name; there is {', '.join(names)}"
    return "no account has this name"


def amount_hint(text: str) -> str:
    """Say which amount a text is, to the cent, or that it is none."""
    if not text.strip():
        return '<span class="sqp-hint">Dollars and cents, such as 12.34</span>'
    try:
        cents = parse_cents(text)
    except InvalidAmount as error:
        return f'<span class="sqp-hint sqp-bad" role="status">✗ {_html(_no_amount(error))}</span>'
    except ValueError:  # thousands of digits
        return '<span class="sqp-hint sqp-bad" role="status">✗ too many digits</span>'
    return f'<span class="sqp-hint" role="status">✓ {format_cents(cents)}</span>'


def _no_amount(error: InvalidAmount) -> str:
    return f"“{one_line(str(error.amount), 24)}” is no amount of dollars and cents"


def limits_bar(limits: Limits | None) -> str:
    """Show what is left of today, in words, and as a bar that fills with what is used."""
    if limits is None:
        return '<div class="sqp-limits">Limits left today: not known</div>'
    left, most = limits.daily_left_cents, limits.daily_cents
    used = 100 * (most - left) / most if most else 100.0
    text = (
        f"{format_cents(left)} of {format_cents(most)} left today ({escape(limits.day)}); "
        f"at most {format_cents(limits.transfer_cents)} a transfer"
    )
    return (
        f'<div class="sqp-limits"><div class="sqp-bar" role="meter" aria-label="Used of the '
        f'daily limit" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{used:.0f}" '
        f'aria-valuetext="{text}"><div style="width:{used:.2f}%"></div></div>{text}</div>'
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


def review(staged: StagedTransfer, accounts: Sequence[Account] = ()) -> str:
    """Show what will happen: both ends with their balances before and after, and the terms."""
    cents = staged.amount_cents
    left, most = staged.daily_left_cents, staged.daily_limit_cents
    terms = {
        "From": _end(staged.source, -cents, accounts),
        "To": _end(staged.destination, cents, accounts),
        "Arrives": _name(staged.expected),
        "Note": _name(staged.note) if staged.note else "",
        "Instant": "asked for" if staged.instant else "",
        "Left today": f"{format_cents(left)} of {format_cents(most)} after this",
    }
    rows = "".join(f"<dt>{name}</dt><dd>{html}</dd>" for name, html in terms.items() if html)
    warning = staged.review().get("despite", "")
    despite = (
        f'<div class="sqp-said sqp-warn" role="alert">▲ Despite {_html(warning)}.</div>'
        if warning
        else ""
    )
    return (
        f'<div class="sqp-review" role="region" aria-label="Review of the transfer">'
        f'<div class="sqp-head">Review: nothing is sent yet</div>'
        f'<div class="sqp-amount">{format_cents(cents)}</div>{despite}<dl>{rows}</dl></div>'
    )


def _end(account: Account, change: int, accounts: Sequence[Account]) -> str:
    at = f" at {_name(account.institution)}" if account.institution else ""
    after = account.after(change)
    holds = (
        "balance not known"
        if after is None
        else f"{account.balance} now, <b>{format_cents(after)}</b> after"
    )
    told = {own_id: label for label, own_id in labels(accounts).items()}
    twins = [one for one in accounts if one.id != account.id and are_alike(one.name, account.name)]
    other = "".join(f'<div class="sqp-twin">▲ Not {_html(told[one.id])}</div>' for one in twins)
    mark = f"…{account.id[-account.tail :]}"
    named = f"{at} {_html(mark)}" if told.get(account.id, "").endswith(mark) else at
    return (
        f"<b>{_name(account.name)}</b>{named} "
        f'<span class="sqp-kind">{KIND_WORDS[account.kind]}</span>'
        f'<div class="sqp-holds">{holds}</div>{other}'
    )


def countdown(staged: StagedTransfer, now: datetime) -> str:
    """Say how long a staged transfer lives."""
    whole = (staged.expires_at - staged.staged_at).total_seconds()
    left = max(0.0, (staged.expires_at - now).total_seconds())
    if left == 0:
        text = "Its time is up: the desk will refuse it. Cancel, and review again."
    else:
        minutes, seconds = divmod(int(left + 0.999), 60)
        text = f"<b>{minutes}:{seconds:02d}</b> left to confirm it"
    share = 100 * left / whole if whole > 0 else 0.0
    return (
        f'<div class="sqp-clock" role="timer"><div class="sqp-bar" aria-hidden="true">'
        f'<div style="width:{min(100.0, share):.1f}%"></div></div>{text}</div>'
    )


# -- the outcome ------------------------------------------------------------------------------


def outcome(found: ConfirmOutcome | None, sent: StagedTransfer | None) -> str:
    """Say what became of a transfer, with its id, or with that of its intent."""
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
    return f"{format_cents(cents)} from {_name(source)} to {_name(destination)}"


def _card(found: ConfirmOutcome, what: str) -> str:
    name, sign, title, then = _told(found)
    role = "alert" if isinstance(found, Failed | Returned | Unknown) else "status"
    own_id = getattr(found, "transfer_id", None) or found.intent_id
    about = ". ".join(filter(None, [what, _html(then)]))
    return (
        f'<div class="sqp-outcome sqp-{name}" role="{role}"><span aria-hidden="true">{sign}</span>'
        f"<div><strong>{title}</strong><br>{about} {id_text(own_id) if own_id else ''}</div></div>"
    )


def _told(found: ConfirmOutcome) -> tuple[str, str, str, str]:
    """Return of an outcome its name, its sign, its title, and what else there is to say."""
    match found:
        case Completed(arrived=True):
            return "completed", "✓", "Completed: the money has arrived", ""
        case Completed():
            return (
                "accepted", "→", "Accepted: the money is on its way",
                "It has not arrived yet. Do not send it again; if it fails there, that is said "
                "here.",
            )  # fmt: skip
        case Returned():
            why = f": {found.reason}" if found.reason else ""
            said = f"The service says {found.service_status or 'reversed'}{why}."
            return (
                "returned", "↩", "Accepted, then failed: the money did not arrive",
                f"{said} It goes back to where it came from, which can take days: look at that "
                "balance before you send it again. The amount stays counted for its day.",
            )  # fmt: skip
        case Failed():
            return "failed", "✗", "Failed, nothing was moved", found.reason
        case Unknown():
            return "unknown", "?", "Not known: the money may have moved, or not", found.why
    return (
        "dry-run", "◇", "Tried: every check passed, and nothing was sent",
        "It can still be confirmed.",
    )  # fmt: skip


def open_transfers(
    intents: Sequence[OpenIntent], settlements: Sequence[Settlement], zone: tzinfo
) -> str:
    """List the transfers of which nobody knows whether they moved money."""
    if not intents:
        return ""
    found = {one.intent.id: one.outcome for one in settlements}
    rows = "".join(_open(one, found.get(one.id), zone) for one in intents)
    count = f" ({len(intents)} transfers)" if len(intents) > 1 else ""
    return (
        f'<div class="sqp-open" role="alert"><div class="sqp-head">? Not known whether the money '
        f"moved{count}</div><ul>{rows}</ul>It may have moved, or not. Do not send it again: settle "
        "it.</div>"
    )


def _open(one: OpenIntent, found: ConfirmOutcome | None, zone: tzinfo) -> str:
    looked = f"<br>Looked for it: {_html(found.why)}." if isinstance(found, Unknown) else ""
    why = _html(one.why or "it was interrupted").removesuffix(".")
    return (
        f"<li>{_what(one.amount_cents, one.source, one.destination)}, sent "
        f"{moment_text(one.written_at, zone)}{looked}<details><summary>What happened</summary>"
        f"{why}. {id_text(one.id)}</details></li>"
    )


SETTLE_COMMAND = (
    '<span class="sqp-hint">It only reads. At a terminal: <code>seqdata transfer settle</code>'
    "</span>"
)


# -- the audit log ----------------------------------------------------------------------------


def events_list(events: Sequence[Entry], zone: tzinfo) -> str:
    """Show events of the audit log, newest first; those of one transfer are one row."""
    rows = "".join(_events(of_one, zone) for of_one in _by_intent(events))
    return (
        '<div class="sqp-events"><div class="sqp-head">Recent events</div>'
        '<ul aria-label="Recent events of the audit log">'
        f"{rows or '<li>Nothing yet.</li>'}</ul></div>"
    )


def _by_intent(events: Sequence[Entry]) -> list[list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for at, entry in enumerate(events):
        key = str(entry.get("intent_id") or f"line {at}")
        found.setdefault(key, []).append(entry)
    return list(found.values())


def _events(of_one: Sequence[Entry], zone: tzinfo) -> str:
    """Show what happened to a transfer: where it stands now, and what came before that."""
    entry = of_one[0]
    moment = parse_timestamp(str(entry.get("timestamp")))
    when = moment_text(moment, zone) if moment else "unknown"
    cents = entry.get("amount_cents")
    ends = [str(entry[key]) for key in ("source", "destination") if entry.get(key)]
    before = ", ".join(_word(one) for one in reversed(of_one[1:]))
    return (
        f'<li><span class="sqp-when">{when}</span> <span class="sqp-word">{_word(entry)}</span> '
        f'<span class="sqp-num">{money(cents) if type(cents) is int else ""}</span> '
        f'<span class="sqp-between">{" → ".join(map(_name, ends))} {_details(entry)}'
        f"{f'<br><small>Before: {before}</small>' if before else ''}</span></li>"
    )


def _word(entry: Entry) -> str:
    event = str(entry.get("event_type", "unknown"))
    is_rehearsal, has_arrived = bool(entry.get(DRY_RUN)), entry.get("arrived") is True
    return _html(event_word(event, is_rehearsal=is_rehearsal, has_arrived=has_arrived))


def _details(entry: Entry) -> str:
    """Say in a few words what else an event tells; all of it stands in its tooltip."""
    said = str(entry.get("error") or "")
    words = reason_words(str(entry.get("refusal", "")), said) if said else ""
    own_id = entry.get("transfer_id")
    shown = f'<span class="sqp-hint" title="{_html(said)}">{_html(one_line(words, 80))}</span>'
    return (shown if words else "") + (f" {id_text(str(own_id))}" if own_id else "")
