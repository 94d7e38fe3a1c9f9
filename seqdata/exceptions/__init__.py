"""Every error of the package, under one root.

The tree, by what an error means::

    SequenceError
    ├── ConfigurationError        you asked wrongly: settings
    │   ├── MissingSetting
    │   ├── InvalidSetting
    │   └── FolderNotOwn
    ├── UsageError                you asked wrongly: arguments
    │   ├── InvalidAmount
    │   ├── InvalidSplit
    │   ├── InvalidMoment
    │   ├── InvalidFilter
    │   ├── InvalidQuery
    │   ├── InvalidEvent
    │   ├── MissingColumns
    │   ├── DisguisedLedger
    │   ├── LedgerClosed
    │   └── MissingExtra
    ├── NotFound                  not there
    │   ├── UnknownOrganization
    │   ├── UnknownAccount
    │   └── UnknownTransfer
    ├── AuthenticationError       could not ask: the login or the token exchange
    │   ├── TokenExpiredError
    │   ├── NoBrowser
    │   └── LoginFailed           the login in the browser, and at which step
    │       ├── WrongEmail
    │       ├── WrongPassword
    │       ├── WrongCode
    │       ├── AccountLocked
    │       ├── PersonNeeded
    │       ├── PageChanged
    │       ├── ForeignPage
    │       ├── LoginUnreachable
    │       ├── LoginTimeout
    │       └── BrowserClosed
    ├── ServiceError              could not ask: the service or the way to it
    │   ├── ConnectionFailed
    │   ├── HTTPError
    │   │   ├── Unauthorized
    │   │   └── RateLimited
    │   ├── GraphQLError
    │   └── TransferRejected
    ├── UnexpectedAnswer          not understood
    │   └── PagingError
    ├── SyncsFailed               of several organizations, some could not be synced
    ├── OutcomeNotRecorded        a transfer was sent, and the disk does not take its outcome
    ├── CacheError                the files on this disk
    │   ├── CorruptFile
    │   ├── RecordTooNew
    │   ├── ForeignCache
    │   ├── CacheLocked
    │   ├── CacheMissing
    │   ├── ForeignTables
    │   ├── ForeignWorld
    │   └── FolderNotWritable
    │       └── TablesNotWritten
    └── SafeguardError            refused to protect money
        ├── TransferRefused       a check said no
        │   ├── AmountTooSmall
        │   ├── NoteNotAllowed
        │   ├── SameAccount
        │   ├── SourceNotAllowed
        │   ├── TransferLimitExceeded
        │   ├── DailyLimitExceeded
        │   ├── BalanceUnknown
        │   ├── InsufficientBalance
        │   ├── BalanceFell
        │   ├── RenamedAccount
        │   ├── OutcomeOpen
        │   ├── ClockOff
        │   └── NobodyThere
        ├── StageRefused          a staged transfer that cannot be used
        │   ├── StageUnknown
        │   ├── StageUsed
        │   ├── StageExpired
        │   └── ForeignStage
        ├── SettleRefused
        ├── ReadOnlyMode
        ├── AuditChainBroken
        ├── LimitsUnreadable
        ├── StillHeld
        └── TurnLost

An error takes facts and owns its sentence: ``str(error)`` says what happened, what was
expected and got, what was kept, and what to do next. ``exit_code`` is what the command line
ends with.
"""

from __future__ import annotations

from seqdata.exceptions.asked import (
    ConfigurationError,
    DisguisedLedger,
    FolderNotOwn,
    InvalidAmount,
    InvalidEvent,
    InvalidFilter,
    InvalidMoment,
    InvalidQuery,
    InvalidSetting,
    InvalidSplit,
    LedgerClosed,
    MissingColumns,
    MissingExtra,
    MissingSetting,
    NotFound,
    UnknownAccount,
    UnknownOrganization,
    UnknownTransfer,
    UsageError,
)
from seqdata.exceptions.base import (
    SequenceError,
)
from seqdata.exceptions.disk import (
    CacheError,
    CacheLocked,
    CacheMissing,
    CorruptFile,
    FolderNotWritable,
    ForeignCache,
    ForeignTables,
    ForeignWorld,
    RecordTooNew,
    TablesNotWritten,
)
from seqdata.exceptions.login import (
    AccountLocked,
    AuthenticationError,
    BrowserClosed,
    ForeignPage,
    LoginFailed,
    LoginTimeout,
    LoginUnreachable,
    NoBrowser,
    PageChanged,
    PersonNeeded,
    TokenExpiredError,
    WrongCode,
    WrongEmail,
    WrongPassword,
)
from seqdata.exceptions.safeguards import (
    AmountTooSmall,
    AuditChainBroken,
    BalanceFell,
    BalanceUnknown,
    ClockOff,
    DailyLimitExceeded,
    ForeignStage,
    InsufficientBalance,
    LimitsUnreadable,
    NobodyThere,
    NoteNotAllowed,
    OutcomeNotRecorded,
    OutcomeOpen,
    ReadOnlyMode,
    RenamedAccount,
    SafeguardError,
    SameAccount,
    SettleRefused,
    SourceNotAllowed,
    StageExpired,
    StageRefused,
    StageUnknown,
    StageUsed,
    StillHeld,
    TransferLimitExceeded,
    TransferRefused,
    TurnLost,
)
from seqdata.exceptions.service import (
    ConnectionFailed,
    GraphQLError,
    HTTPError,
    PagingError,
    RateLimited,
    ServiceError,
    SyncsFailed,
    TransferRejected,
    Unauthorized,
    UnexpectedAnswer,
)

__all__ = [
    "AccountLocked",
    "AmountTooSmall",
    "AuditChainBroken",
    "AuthenticationError",
    "BalanceFell",
    "BalanceUnknown",
    "BrowserClosed",
    "CacheError",
    "CacheLocked",
    "CacheMissing",
    "ClockOff",
    "ConfigurationError",
    "ConnectionFailed",
    "CorruptFile",
    "DailyLimitExceeded",
    "DisguisedLedger",
    "FolderNotOwn",
    "FolderNotWritable",
    "ForeignCache",
    "ForeignPage",
    "ForeignStage",
    "ForeignTables",
    "ForeignWorld",
    "GraphQLError",
    "HTTPError",
    "InsufficientBalance",
    "InvalidAmount",
    "InvalidEvent",
    "InvalidFilter",
    "InvalidMoment",
    "InvalidQuery",
    "InvalidSetting",
    "InvalidSplit",
    "LedgerClosed",
    "LimitsUnreadable",
    "LoginFailed",
    "LoginTimeout",
    "LoginUnreachable",
    "MissingColumns",
    "MissingExtra",
    "MissingSetting",
    "NoBrowser",
    "NobodyThere",
    "NotFound",
    "NoteNotAllowed",
    "OutcomeNotRecorded",
    "OutcomeOpen",
    "PageChanged",
    "PagingError",
    "PersonNeeded",
    "RateLimited",
    "ReadOnlyMode",
    "RecordTooNew",
    "RenamedAccount",
    "SafeguardError",
    "SameAccount",
    "SequenceError",
    "ServiceError",
    "SettleRefused",
    "SourceNotAllowed",
    "StageExpired",
    "StageRefused",
    "StageUnknown",
    "StageUsed",
    "StillHeld",
    "SyncsFailed",
    "TablesNotWritten",
    "TokenExpiredError",
    "TransferLimitExceeded",
    "TransferRefused",
    "TransferRejected",
    "TurnLost",
    "Unauthorized",
    "UnexpectedAnswer",
    "UnknownAccount",
    "UnknownOrganization",
    "UnknownTransfer",
    "UsageError",
    "WrongCode",
    "WrongEmail",
    "WrongPassword",
]
