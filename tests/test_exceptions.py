from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from seqdata import exceptions as ex
from seqdata.exceptions import SequenceError

COMMITTED = Path(__file__).with_name("errors.txt")
CACHE = Path("/home/kim/money/cache")

SAMPLES: list[SequenceError] = [
    ex.SequenceError("Something went wrong."),
    ex.ConfigurationError("A setting cannot be used."),
    ex.FolderNotOwn(Path("/srv/shared"), "it belongs to the user with the number 65534"),
    ex.FolderNotOwn(Path("/srv/shared"), "others may write it (mode 0775; chmod go-w it)", True),
    ex.MissingSetting("SEQUENCE_KYC_ID", "transfers"),
    ex.MissingSetting("SEQUENCE_KYC_ID", "transfers", "This organization has: kyc-1, kyc-2."),
    ex.InvalidSetting("SEQUENCE_MIN_DELAY", "a number of seconds, at least 0", "fast"),
    ex.InvalidSplit("8f1c", "its parts are $42.00, and it is $42.50"),
    ex.InvalidSetting("SEQUENCE_TOTP", "a code, a base32 secret or an otpauth:// URI"),
    ex.UsageError("An argument cannot be used."),
    ex.InvalidAmount("12,34"),
    ex.InvalidAmount(12.34),
    ex.InvalidAmount(-5),
    ex.InvalidMoment("10/11"),
    ex.InvalidFilter("direction", "SIDEWAYS", ["INTERNAL", "INCOMING", "OUTGOING"]),
    ex.InvalidFilter("freq", "hour"),
    ex.InvalidEvent("seq", "the log writes this key itself"),
    ex.MissingExtra("SQL", "sql"),
    ex.MissingColumns("transfers", ["effective_at"], ["id", "status"], "settle(transfers, legs)"),
    ex.MissingColumns("history", ["date"], []),
    ex.DisguisedLedger("sync"),
    ex.LedgerClosed(),
    ex.LedgerClosed("transfer desk"),
    ex.NotFound("It is not there."),
    ex.UnknownOrganization("org-9", ["org-1", "org-2"]),
    ex.UnknownOrganization("org-9"),
    ex.UnknownOrganization(None, ["org-1", "org-2"]),
    ex.UnknownOrganization(None),
    ex.UnknownAccount("Rnet", ["Rent", "Groceries"]),
    ex.UnknownAccount("Fun", ["pod-1", "pod-2"], ambiguous=True),
    ex.UnknownAccount("Rent", ['account "Parents\' rent" (First Bank, acc-1)'], near=True),
    ex.UnknownTransfer("tr-9"),
    ex.AuthenticationError("The refresh grant was refused: invalid_grant (HTTP 403)."),
    ex.TokenExpiredError("The access token has expired, and there is nothing to log in with."),
    ex.NoBrowser(),
    ex.NoBrowser(Path("/opt/chrome"), "there is no such file"),
    ex.LoginFailed("return", "access_denied: Service not found."),
    ex.WrongEmail("e-mail", "Enter a valid email address"),
    ex.WrongPassword("password", "Wrong email or password."),
    ex.WrongCode("code", "The code you entered is invalid"),
    ex.AccountLocked("password", "Your account has been blocked."),
    ex.PersonNeeded("code", "Is this your device? Confirm that it is you."),
    ex.PageChanged("e-mail"),
    ex.ForeignPage("e-mail", "it led to https://elsewhere.example"),
    ex.LoginUnreachable("button", "https://app.getsequence.io", "ERR_INTERNET_DISCONNECTED"),
    ex.LoginTimeout("token", 20.0, "Logging in"),
    ex.BrowserClosed("code"),
    ex.ServiceError("The service could not be asked."),
    ex.ConnectionFailed("https://app.getsequence.io", "Connection timed out after 10001 ms"),
    ex.HTTPError(404, "Not here.", "ActivitySummary"),
    ex.HTTPError(302),
    ex.HTTPError(403, "<html>\n  <h1>Just a moment...</h1>\n</html>"),
    ex.HTTPError(502, "", "ActivitySummary"),
    ex.Unauthorized(401, '{"error": "token expired"}', "ActivitySummary"),
    ex.RateLimited(600.0, "slow down", "ActivitySummary"),
    ex.RateLimited(None),
    ex.GraphQLError([{"message": "Cannot query field"}, {"message": "Unknown type"}], "{ me }"),
    ex.GraphQLError([]),
    ex.TransferRejected("Insufficient funds"),
    ex.UnexpectedAnswer("ActivitySummary", "JSON", "12 bytes: '<html>'"),
    ex.SyncsFailed([("0c1d", "HTTP 502.")], ["a report"], 4),
    ex.InvalidQuery("SELECT x", "Binder Error: x does not exist"),
    ex.OutcomeNotRecorded("completed", "7f3a", "No space left on device"),
    ex.ForeignTables(CACHE, "3f2a", "9b1c"),
    ex.ForeignWorld(CACHE, "5e1f", "77aa"),
    ex.PagingError("the activity", "a new cursor", "one that was read before", 3),
    ex.CacheError("The cache cannot be used."),
    ex.CorruptFile(CACHE / "state.json", "it is not JSON", "Run: seqdata sync."),
    ex.RecordTooNew(CACHE / "ledger.db", 99, 2),
    ex.ForeignCache(CACHE, "http://127.0.0.1:8080", "https://app.getsequence.io"),
    ex.CacheLocked(CACHE, "process 12 on desk since 2026-11-23T09:30:00+00:00"),
    ex.CacheLocked(CACHE, "another process", 60.0),
    ex.CacheMissing(CACHE),
    ex.FolderNotWritable(CACHE, "Permission denied"),
    ex.TablesNotWritten(CACHE, "Permission denied"),
    ex.SafeguardError("Refused to protect money."),
    ex.TransferRefused("A check said no."),
    ex.AmountTooSmall(-5, 100),
    ex.NoteNotAllowed(200, 80),
    ex.NoteNotAllowed(5, 80),
    ex.SameAccount("pod 'Rent'"),
    ex.SourceNotAllowed("account 'Travel Card'"),
    ex.TransferLimitExceeded(1_000_001, 1_000_000),
    ex.DailyLimitExceeded(60_000, 2_500_000, 2_450_000, "2026-11-23"),
    ex.BalanceUnknown("account 'Checking'"),
    ex.InsufficientBalance("pod 'Rent'", 60_000, 12_34),
    ex.BalanceFell("pod 'Rent'", 60_000, 0, 12_34),
    ex.BalanceFell("pod 'Rent'", 60_000, 10_000, 12_34),
    ex.RenamedAccount("pod 'Rent'", "pod 'Fun'", "pod-1"),
    ex.OutcomeOpen(60_000, "pod 'Rent'", "account 'Landlord'", "2026-11-23T09:30:00+00:00"),
    ex.ClockOff("2026-11-26 12:00 UTC", "2026-11-26 14:30 UTC"),
    ex.NobodyThere(),
    ex.StageRefused("A staged transfer cannot be used."),
    ex.StageUnknown("7f3a"),
    ex.StageUsed("7f3a", "completed"),
    ex.StageExpired("7f3a", 300),
    ex.ForeignStage("kim", "alex"),
    ex.SettleRefused("7f3a", "it is younger than 24 hours"),
    ex.ReadOnlyMode("CreatePayment"),
    ex.ReadOnlyMode(),
    ex.AuditChainBroken(CACHE.parent / ".audit.jsonl", ["line 7: changed"]),
    ex.AuditChainBroken(
        CACHE.parent / ".audit.jsonl", [f"line {number}: changed" for number in range(1, 7)]
    ),
    ex.StillHeld(CACHE.parent / ".transfers.lock", "process 7 (seqdata transfer)", 60.0),
    ex.TurnLost(CACHE.parent / ".transfers.lock"),
    ex.LimitsUnreadable(CACHE.parent / ".daily_limits.json", "it is not JSON"),
]

#: Sentences that end in the service's own words, which scripts compare.
QUOTES = (ex.GraphQLError, ex.TransferRejected)


def every_class(root: type[SequenceError] = SequenceError) -> list[type[SequenceError]]:
    """List the root and all classes below it that the module defines."""
    below = [one for child in root.__subclasses__() for one in every_class(child)]
    return [root, *(one for one in below if one.__module__.startswith(f"{ex.__name__}."))]


def rendered() -> str:
    """Show each sample's class and sentence, one below the other."""
    return "\n".join(f"{type(one).__name__}\n    {one}\n" for one in SAMPLES)


def test_every_class_has_a_sample() -> None:
    """No error class can be added without its sentence being read."""
    assert {type(one) for one in SAMPLES} == set(every_class())


def test_the_sentences_are_the_committed_ones() -> None:
    """Every sentence is as it was last read by a person, in tests/errors.txt."""
    committed = COMMITTED.read_text(encoding="utf-8")
    assert rendered() == committed, (
        "Sentences changed. Read them; if they are good, write them down with:\n"
        "    python tests/test_exceptions.py"
    )


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_a_sentence_reads_well(error: SequenceError) -> None:
    """A sentence has no double or missing space, one line, and an end."""
    said = str(error)
    assert not re.search(
        r"\s\s|\n|\s[,;]|\s\.(?!env)|[a-z)][.;:][A-Z]|,[A-Za-z]|[^.]\.\.(?!\.)", said
    )
    assert said == said.strip()
    assert said.endswith(".") or type(error) in QUOTES


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_no_error_advises_to_throw_data_away(error: SequenceError) -> None:
    """What is on the disk may be all that tells of it: no sentence leads to its removal."""
    assert "forget" not in str(error)
    assert "delete" not in str(error).lower()


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_survives_pickling(error: SequenceError) -> None:
    """An error comes back from another process with its class, facts and sentence."""
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))


def test_the_drawn_tree_is_the_tree() -> None:
    """The tree at the top of the module names every class below its parent, and no other."""
    drawn: list[tuple[str, str | None]] = []
    branch: dict[int, str] = {}
    for line in (ex.__doc__ or "").splitlines():
        if match := re.match(r"    ([│ ├└─]*)(\w+)(?:$|  )", line):
            depth = len(match[1]) // 4
            branch[depth] = match[2]
            drawn.append((match[2], branch.get(depth - 1)))
    actual = {
        (one.__name__, one.__bases__[0].__name__ if one is not SequenceError else None)
        for one in every_class()
    }
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == actual


@pytest.mark.parametrize(
    ("error", "start"),
    [
        (ex.HTTPError(404, "gone"), "HTTP 404"),
        (ex.HTTPError(503), "HTTP 503"),
        (ex.Unauthorized(401), "HTTP 401"),
        (ex.RateLimited(300.0), "HTTP 429"),
        (ex.GraphQLError([{"message": "no"}], "{ me }"), "GraphQL errors: no"),
        (ex.TransferRejected("Insufficient funds"), "Transfer failed: Insufficient funds"),
    ],
)
def test_what_the_service_refused_is_a_runtime_error(error: Exception, start: str) -> None:
    """Scripts may catch RuntimeError and look at how the text begins."""
    assert isinstance(error, RuntimeError)
    assert str(error).startswith(start)


def test_a_graphql_error_carries_what_was_asked_and_answered() -> None:
    """GraphQLError(errors, query="") keeps both as attributes."""
    errors = [{"message": "no", "path": ["me"]}]
    assert ex.GraphQLError(errors, "{ me }").errors == errors
    assert ex.GraphQLError(errors, "{ me }").query == "{ me }"
    assert ex.GraphQLError(errors).query == ""


def test_a_rate_limit_says_the_time() -> None:
    """A wait that is too long to sit out is in the sentence and in the error."""
    error = ex.RateLimited(600.0)
    assert error.retry_after == 600.0
    assert "600 seconds" in str(error)


def test_exit_codes_are_the_documented_ones() -> None:
    """Each kind of error ends the command line with the documented code."""
    codes = {one.__name__: one.exit_code for one in every_class()}
    assert codes["SequenceError"] == 1
    assert {codes["MissingSetting"], codes["InvalidAmount"], codes["UnknownAccount"]} == {2}
    assert {codes["AuthenticationError"], codes["TokenExpiredError"], codes["Unauthorized"]} == {3}
    assert {codes["ConnectionFailed"], codes["GraphQLError"], codes["UnexpectedAnswer"]} == {4}
    assert codes["PagingError"] == 5
    assert {codes["ReadOnlyMode"], codes["LimitsUnreadable"]} == {6}


if __name__ == "__main__":
    COMMITTED.write_text(rendered(), encoding="utf-8")
