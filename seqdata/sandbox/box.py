"""`Sandbox`: a world and its server, in one object."""

from __future__ import annotations

import errno
import gc
import json
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO
from urllib.parse import urlsplit

from seqdata.config.envfile import read_env_file
from seqdata.core.files import write_bytes
from seqdata.exceptions import InvalidSetting
from seqdata.sandbox.faults.queue import Faults
from seqdata.sandbox.login.logins import Logins
from seqdata.sandbox.login.pages import application_routes, login_routes
from seqdata.sandbox.login.tokens import Tokens
from seqdata.sandbox.platform.api import Platform
from seqdata.sandbox.platform.description import PREFIXES
from seqdata.sandbox.platform.keys import read_permissions
from seqdata.sandbox.rules.readings import Readings
from seqdata.sandbox.serving.app import REMEMBERED, Log, application, login
from seqdata.sandbox.serving.control import Control, make_fault, whole_seconds
from seqdata.sandbox.serving.server import ServerThread, address_of, bind
from seqdata.sandbox.webapp.api import Api, read_call, with_own_headers
from seqdata.sandbox.webapp.reply import Reply
from seqdata.sandbox.webapp.resolvers import PageRules
from seqdata.sandbox.world import corrections, rule_truth, truth
from seqdata.sandbox.world.clock import moment, parse_now
from seqdata.sandbox.world.world import World

if TYPE_CHECKING:
    from seqdata.sandbox.serving.tls import Authority

_CONNECTION = (
    "app_url",
    "auth_url",
    "organization_id",
    "kyc_id",
    "client_id",
    "email",
    "password",
    "totp_secret",
    "access_token",
    "refresh_token",
    "platform_url",
    "api_key",
    "api_key_transfers",
)
_ENVIRONMENT = {
    "SEQUENCE_APP_URL": "app_url",
    "SEQUENCE_AUTH_URL": "auth_url",
    "SEQUENCE_ORG_ID": "organization_id",
    "SEQUENCE_KYC_ID": "kyc_id",
    "SEQUENCE_AUTH0_CLIENT_ID": "client_id",
    "SEQUENCE_EMAIL": "email",
    "SEQUENCE_PASSWORD": "password",
    "SEQUENCE_TOTP": "totp_secret",
}


class Sandbox:
    """A local Sequence over real HTTP, on loopback.

    The world's clock stands still but for `advance` and one second after each accepted
    payment, so that no two payments are created at the same instant.

    Parameters
    ----------
    seed, months, now, scale, organizations
        The same ones make the same world: `months` of activity up to `now` (an aware
        datetime, a date or ISO text; a date alone is 00:00 UTC; None is the wall clock),
        about 170 transfers a month times `scale` for the first organization, twice that for
        the second, and so on. Their pods and accounts have the same names.
    port
        The port of the application origin; 0 is any free one.
    page_cap, page_cap_mode
        The largest page of transfers (100 where None), and whether a larger one is refused
        ("refuse") or silently made smaller ("clamp").
    token_lifetime
        Seconds an access token lives, on the wall clock.
    tls
        Serve https, with HTTP/2 for clients that speak it. `ca_bundle` is what they trust.
    readings
        How rules are read where the service's documents leave a choice; what each switch
        means says :class:`seqdata.sandbox.rules.readings.Readings`.
    """

    def __init__(
        self,
        seed: int = 7,
        months: int = 24,
        now: datetime | date | str | None = None,
        scale: int = 1,
        organizations: int = 1,
        port: int = 0,
        *,
        page_cap: int | None = None,
        page_cap_mode: str = "refuse",
        token_lifetime: int = 86_400,
        tls: bool = False,
        readings: Readings | None = None,
    ) -> None:
        if page_cap_mode not in ("refuse", "clamp"):
            raise ValueError(f'page_cap_mode is "refuse" or "clamp", got {page_cap_mode!r}')
        self._port, self._has_tls = port, tls
        self._authority: Authority | None = None
        self._page_rules = PageRules(100 if page_cap is None else page_cap, page_cap_mode)
        self._world = World(seed, months, parse_now(now), scale, organizations, readings)
        self._tokens = Tokens(self._world.user.id, self.client_id, token_lifetime)
        self._logins = Logins(self._world.user, self._tokens)
        self._faults = Faults(lambda: self._world.now)
        self._log: Log = deque(maxlen=REMEMBERED)
        self._server: ServerThread | None = None
        self._urls: tuple[str, str] | None = None
        self._api = Api(self._world, self._faults, self._page_rules)
        self._platform = Platform(self._world, self._faults)
        #: A key of the official API that reads everything, and one that also moves money.
        self.api_key = self._platform.make_key("Reading")[1]
        self.api_key_transfers = self._platform.make_moving_key("Moving")[1]
        self.access_token = self._tokens.issue()
        self.refresh_token = self._tokens.issue_refresh()

    def __repr__(self) -> str:
        where = self._urls[0] if self._server and self._urls else "not serving"
        return f"<Sandbox seed={self._world.seed} now={self.now.isoformat()} {where}>"

    # -- serving -------------------------------------------------------------------

    def start(self) -> Self:
        """Serve from a daemon thread. Does nothing where it serves already."""
        if self._server is not None:
            return self
        tls = self._make_authority().context if self._has_tls else None
        app_socket = bind(self._port)
        auth_socket = bind(0)
        world, tokens, faults, log = self._world, self._tokens, self._faults, self._log
        api, logins = self._api, self._logins
        scheme = "http" if tls is None else "https"
        app_url, auth_url = self._urls = (
            address_of(app_socket, scheme),
            address_of(auth_socket, scheme),
        )
        tokens.issuer = f"{auth_url}/"  # with a slash, as Auth0 writes it
        self.access_token = tokens.issue()
        control = Control(world, faults, tokens, logins, self._platform, log, app_url).routes()
        home = application_routes(logins, self.client_id, auth_url)
        app = application(api, self._platform, tokens, [*home, *control], world, log)
        auth = login(tokens, logins, faults, login_routes(logins, app_url), world, log)
        server = ServerThread([(app, app_socket), (auth, auth_socket)], tls)
        server.start()
        self._server = server
        return self

    def stop(self) -> None:
        """Stop serving. Does nothing where it does not serve."""
        server, self._server = self._server, None
        authority, self._authority = self._authority, None
        if server is not None:
            server.stop()
        if authority is not None:
            authority.forget()

    def _make_authority(self) -> Authority:
        from seqdata.sandbox.serving.tls import Authority

        self._authority = Authority()
        return self._authority

    def answer(self, body: bytes, token: str) -> Reply:
        """Answer a GraphQL request in this process, as the server answers it, without a socket."""
        reply = self._api.serve(read_call(body), is_authorized=self._tokens.accepts(token))
        reply.headers = with_own_headers(reply.headers, self._world)
        return reply

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # -- where and who -------------------------------------------------------------

    @property
    def app_url(self) -> str:
        """The origin of the application and its API."""
        return self._origins[0]

    @property
    def platform_url(self) -> str:
        """The address of the official API."""
        return f"{self.app_url}{PREFIXES[0]}"

    @property
    def auth_url(self) -> str:
        """The origin of the login."""
        return self._origins[1]

    @property
    def _origins(self) -> tuple[str, str]:
        if self._urls is None:
            raise RuntimeError("the sandbox has no address before start()")
        return self._urls

    @property
    def ca_bundle(self) -> Path | None:
        """The file of the authority that clients trust; None without TLS, and after `stop`."""
        return self._authority.bundle if self._authority else None

    @property
    def organization_id(self) -> str:
        """The first organization."""
        return self._world.organizations[0].id

    @property
    def organization_ids(self) -> list[str]:
        """Every organization of the user."""
        return [organization.id for organization in self._world.organizations]

    @property
    def kyc_id(self) -> str:
        """The KYC of the first organization."""
        return self._world.organizations[0].kyc_id

    @property
    def client_id(self) -> str:
        """The client of the token endpoint."""
        return self._world.user.client_id

    @property
    def email(self) -> str:
        """The user's e-mail address."""
        return self._world.user.email

    @property
    def password(self) -> str:
        """The user's password."""
        return self._world.user.password

    @property
    def totp_secret(self) -> str:
        """The base32 secret of the user's one-time codes."""
        return self._world.user.totp_secret

    def connection(self) -> dict[str, str]:
        """Give what a program needs to connect, by the names of this object."""
        known = {name: getattr(self, name) for name in _CONNECTION}
        return known | ({"ca_bundle": str(self.ca_bundle)} if self.ca_bundle else {})

    def environment(self) -> dict[str, str]:
        """Give the settings that point the package at this sandbox, without any pace."""
        settings = {variable: getattr(self, name) for variable, name in _ENVIRONMENT.items()}
        if self.ca_bundle:
            settings["SEQUENCE_CA_BUNDLE"] = str(self.ca_bundle)
        return settings | {"SEQUENCE_MIN_DELAY": "0", "SEQUENCE_MAX_JITTER": "0"}

    # -- the clock -----------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The world's time, in UTC."""
        return moment(self._world.now)

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> datetime:
        """Let time pass in the world; returns its new time."""
        given = {"days": days, "hours": hours, "minutes": minutes, "seconds": seconds}
        self._world.advance(whole_seconds(given))
        return self.now

    # -- the truth -----------------------------------------------------------------

    def transfers(
        self, organization_id: str | None = None, limit: int | None = None, offset: int = 0
    ) -> list[dict[str, Any]]:
        """Every transfer the API would show now, or `limit` of them, newest first."""
        with self._world.lock:
            return list(truth.transfers(self._world, organization_id, limit, offset))

    def balances(self) -> dict[str, dict[str, int]]:
        """Each account's cents at the end of each day of New York, through today.

        The first day is the one before the world began and holds the opening balance.
        """
        with self._world.lock:
            return truth.balances(self._world)

    def rules(self) -> list[dict[str, Any]]:
        """Every version of every rule, each rule's oldest first."""
        with self._world.lock:
            return rule_truth.rules(self._world)

    def executions(self) -> list[dict[str, Any]]:
        """Every run of a rule, oldest first, with the ids of the transfers that it made."""
        with self._world.lock:
            return rule_truth.executions(self._world)

    def outside(self) -> list[dict[str, Any]]:
        """List what moved in outside accounts, oldest first: `cents` above zero is money in.

        `transfer_id` is the transfer that it belongs to; None: Sequence has nothing to do with it.
        """
        with self._world.lock:
            return truth.outside(self._world)

    def payments(self) -> list[dict[str, Any]]:
        """Every payment that was asked for, oldest first.

        Those of the web application may be refused; those of the official API were accepted.
        """
        with self._world.lock:
            return list(self._world.payments)

    def requests(self) -> list[dict[str, Any]]:
        """Give the requests that arrived, oldest first; the newest 10,000 are kept."""
        return list(self._log)

    def clear_requests(self) -> None:
        """Forget the requests that arrived."""
        self._log.clear()

    # -- what the service does to its records --------------------------------------

    def remove_transfers(self, ids: Iterable[str]) -> None:
        """Let transfers vanish from the API and the truth. No balance moves.

        A PENDING row that has moved no money is frozen; for the others see
        :mod:`seqdata.sandbox.world.corrections`. A ValueError names ids that are not visible, and
        nothing is removed then.
        """
        with self._world.lock:
            corrections.remove(self._world, ids)

    def restore_transfers(self, ids: Iterable[str]) -> None:
        """Let removed transfers come back with their ids, as they would be now."""
        with self._world.lock:
            corrections.restore(self._world, ids)

    def move_created_at(
        self, transfer_id: str, to: datetime | str, *, silently: bool = False
    ) -> None:
        """Give a transfer another createdAt: an aware datetime or ISO text, not in the future.

        updatedAt becomes now, or stays with `silently`.
        """
        with self._world.lock:
            corrections.move_created_at(self._world, transfer_id, to, silently=silently)

    def edit_transfer(self, transfer_id: str, *, silently: bool = False, **fields: Any) -> None:
        """Correct the `description`, `error_reason` or `activity_type` of a transfer.

        updatedAt becomes now, or stays with `silently`.
        """
        with self._world.lock:
            corrections.edit(self._world, transfer_id, fields, silently=silently)

    def rename(self, account_id: str, name: str) -> None:
        """Give a pod, a port or an outside account another name; old transfers show it too."""
        with self._world.lock:
            corrections.rename(self._world, account_id, name)

    def rename_payee(self, name: str, to: str) -> None:
        """Give a merchant or another counterparty, by its name, another one."""
        with self._world.lock:
            corrections.rename_payee(self._world, name, to)

    # -- faults and tokens ---------------------------------------------------------

    def fail(
        self,
        kind: str,
        *,
        times: int = 1,
        operation: str | None = None,
        after: int = 0,
        since: datetime | date | str | None = None,
        until: datetime | date | str | None = None,
        **options: Any,
    ) -> None:
        """Let the next requests meet a fault.

        `operation` limits it to one operationName ("oauth/token": the token endpoint), or to one
        operationId of the official API ("platform": any of it). Without it, all of GraphQL.
        `after` lets that many matching requests pass first, `times` is how often it acts.
        `since` and `until` (exclusive) limit it by the world's clock. The faults that lie are
        listed in :data:`seqdata.sandbox.faults.lies.LIES`.
        """
        given = {"kind": kind, "times": times, "operation": operation, "after": after}
        self._faults.add(make_fault(given | {"since": since, "until": until} | options))

    @property
    def faults_met(self) -> dict[str, int]:
        """How often each kind of fault has acted."""
        return dict(self._faults.acted)

    def clear_faults(self) -> None:
        """Forget the faults that have not acted yet."""
        self._faults.clear()

    def login_variant(self, **changes: Any) -> None:
        """Let the login's pages behave otherwise; without arguments, as usual.

        The words are those of :class:`seqdata.sandbox.login.logins.Variant`: `selectors`,
        `device_check`, `token_delay`, `flow`, `period`, `tries`, `wrong_state`. An account that
        has locked is open again, and one-time codes that were spent count as new.
        """
        self._logins.change(**changes)

    def platform_variant(self, **changes: Any) -> None:
        """Let the official API behave otherwise; without arguments, as usual.

        The words are those of :class:`seqdata.sandbox.platform.switches.Switches`.
        """
        with self._world.lock:
            self._platform.switches.change(changes)

    def make_key(
        self,
        name: str = "A key",
        permissions: dict[str, Any] | None = None,
        organization_id: str | None = None,
    ) -> str:
        """Make a key of the official API, of the first organization where none is named.

        Parameters
        ----------
        permissions
            By the service's words: `READ_ACCOUNTS`, `READ_TRANSFERS`, `READ_RULES` and
            `TRIGGER_RULES` are "all" or a list of ids; `MANUAL_TRANSFER` is a list of objects
            with `source`, `target` and perhaps `max_amount` in cents; `READ_AUDIT_LOGS` is true
            or false. What is not named is not permitted. None reads everything.
        """
        return self._platform.make_key(name, permissions, organization_id)[1]

    def change_key(self, key: str, permissions: dict[str, Any] | None = None) -> None:
        """Give a key of the official API other permissions."""
        self._platform.keys.change(self._key_id(key), read_permissions(permissions))

    def revoke_key(self, key: str) -> None:
        """Let a key of the official API open nothing any more."""
        self._platform.keys.revoke(self._key_id(key))

    def _key_id(self, key: str) -> str:
        found = self._platform.keys.find(key)
        if found is None:
            raise ValueError("this is no key of this sandbox, or it was revoked")
        return found.id

    def logins(self) -> int:
        """How many logins through the pages were completed."""
        return self._logins.completed

    @property
    def totp_uri(self) -> str:
        """The ``otpauth://`` URI of the user's one-time codes, with the variant's period."""
        return self._logins.totp_uri()

    def issue_token(self, lifetime: int | None = None) -> str:
        """Give a new access token; `lifetime` in seconds of the wall clock."""
        return self._tokens.issue(lifetime)

    def expire_tokens(self) -> None:
        """Let every access token issued so far have expired."""
        self._tokens.expire()

    @property
    def rotates_refresh_tokens(self) -> bool:
        """Whether a refresh grant replaces the refresh token. Can be set."""
        return self._tokens.rotate

    @rotates_refresh_tokens.setter
    def rotates_refresh_tokens(self, rotate: bool) -> None:
        self._tokens.rotate = rotate


def serve(
    seed: int = 7,
    months: int = 24,
    now: datetime | date | str | None = None,
    scale: int = 1,
    organizations: int = 1,
    port: int = 0,
    out: TextIO | None = None,
    env_file: Path | None = None,
    tls: bool = False,
) -> int:
    """Serve a sandbox until SIGINT or SIGTERM, from the main thread; returns 0.

    The first line written to `out` (standard output) is the connection as a JSON object.
    `env_file` gets the settings that point seqdata at it, as lines of a ``.env`` file (0600). Where
    it names a sandbox of before, this one has its port: what was synced from it stays of use.

    Raises
    ------
    InvalidSetting
        The port is taken.
    """
    over = threading.Event()
    port = port or _port_of_before(env_file)

    def end(_: int, __: FrameType | None) -> None:
        over.set()

    previous = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Sandbox(seed, months, now, scale, organizations, port, tls=tls) as box:
            gc.freeze()  # else collections walk the whole world, and some answers are slow
            if env_file is not None:
                lines = [f"{name}={value}\n" for name, value in box.environment().items()]
                write_bytes(env_file, "".join(lines).encode())
            print(json.dumps(box.connection()), file=out or sys.stdout, flush=True)
            over.wait()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        free = "a port that is free: stop the sandbox that has it, or name another --port"
        raise InvalidSetting("The port of the sandbox", free, str(port)) from None
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return 0


def _port_of_before(env_file: Path | None) -> int:
    """Return the port that a file of settings names, if it is one of a sandbox here; else 0."""
    if env_file is None or not env_file.exists():
        return 0
    found = read_env_file(env_file).get("SEQUENCE_APP_URL")
    url = urlsplit(found.get_secret_value() if found else "")
    return (url.port or 0) if url.hostname == "127.0.0.1" else 0
