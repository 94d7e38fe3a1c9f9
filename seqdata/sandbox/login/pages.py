"""The application's page, and the pages of the login: real selectors, redirects and delays.

``{app}/`` → ``{auth}/authorize`` → ``/u/login/identifier`` → ``/u/login/password`` →
``/u/mfa-otp-challenge`` → ``{app}/#access_token=…``. A page that refuses stays on its address
and says why near its field, with HTTP 400, as Auth0 does.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from html import escape
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from seqdata.sandbox.login.logins import Logins, Visit
from seqdata.sandbox.login.tokens import Denied

Endpoint = Callable[[Request], Awaitable[Response]]

_IDENTIFIER, _PASSWORD = "/u/login/identifier", "/u/login/password"
_DEVICE, _CODE = "/u/device-check", "/u/mfa-otp-challenge"
_PRIVATE = {"cache-control": "no-store"}


def application_routes(logins: Logins, client_id: str, auth_url: str) -> list[Route]:
    """List the routes of the application's page."""

    async def home(_: Request) -> Response:
        variant = logins.variant
        facts = {
            "auth": auth_url,
            "client": client_id,
            "type": "code" if variant.flow == "code" else "token",
            "delay": variant.token_delay * 1000,
        }
        return _page(
            "Sandbox", _HOME + f"<script>const facts = {json.dumps(facts)};{_SCRIPT}</script>"
        )

    return [Route("/", home)]


def login_routes(logins: Logins, app_url: str) -> list[Route]:
    """List the routes of the login's pages."""
    pages = LoginPages(logins, app_url)
    table: list[tuple[str, Endpoint]] = [
        (_IDENTIFIER, pages.identifier),
        (_PASSWORD, pages.password),
        (_DEVICE, pages.device),
        (_CODE, pages.code),
    ]
    routes = [
        Route(path, pages.known(endpoint), methods=["GET", "POST"]) for path, endpoint in table
    ]
    return [Route("/authorize", pages.authorize), *routes]


class LoginPages:
    """What the pages of the login answer."""

    def __init__(self, logins: Logins, app_url: str) -> None:
        self.logins, self.app_url = logins, app_url

    def known(self, endpoint: Endpoint) -> Endpoint:
        """Let only a login that is on its way see a page."""

        async def guarded(request: Request) -> Response:
            visit = self.logins.visit(request.query_params.get("state", ""))
            if visit is None:
                return _page("Not found", "<h1>This login is over</h1>", 404)
            request.state.visit = visit
            return await endpoint(request)

        return guarded

    async def authorize(self, request: Request) -> Response:
        """Begin a login."""
        try:
            visit = self.logins.begin(request.query_params, self.app_url)
        except Denied as denial:
            return _page("Oops", f"<h1>Oops</h1><p>{escape(denial.description)}</p>", denial.status)
        return _onward(_IDENTIFIER, visit)

    async def identifier(self, request: Request) -> Response:
        """Ask for the e-mail address."""
        said = None
        if request.method == "POST":
            visit: Visit = request.state.visit
            said = self.logins.take_email(visit, await _field(request))
            if said is None:
                return _onward(_PASSWORD, request.query_params["state"])
        field = {
            "usual": '<input name="username" inputmode="email" autocomplete="username">',
            "other": '<input name="email" type="email" autocomplete="email">',
            "unknown": '<input name="who" autocomplete="off">',
        }[self.logins.variant.selectors]
        return _form("Welcome", "Email address", field, said)

    async def password(self, request: Request) -> Response:
        """Ask for the password."""
        said, visit = None, request.state.visit
        if request.method == "POST":
            said = self.logins.take_password(visit, await _field(request))
            if said is None:
                has_check = self.logins.variant.device_check
                return _onward(_DEVICE if has_check else _CODE, request.query_params["state"])
        field = '<input name="password" type="password" autocomplete="current-password">'
        return _form("Enter your password", f"Password of {visit.email}", field, said)

    async def device(self, request: Request) -> Response:
        """Ask whether this is a device of the person's: needs a click."""
        if request.method == "POST":
            request.state.visit.is_known_device = True
            return _onward(_CODE, request.query_params["state"])
        return _page("Sandbox login", _DEVICE_PAGE)

    async def code(self, request: Request) -> Response:
        """Ask for a one-time code; a right one completes the login."""
        said, name = None, request.query_params["state"]
        visit: Visit = request.state.visit
        if self.logins.variant.device_check and not visit.is_known_device:
            return _onward(_DEVICE, name)
        if request.method == "POST":
            said = self.logins.take_code(visit, await _field(request))
            if said is None:
                return RedirectResponse(self.logins.finish(name), 302, _PRIVATE)
        field = {
            "usual": '<input name="code" autocomplete="one-time-code">',
            "other": '<input name="otp" inputmode="numeric" autocomplete="one-time-code">',
            "unknown": '<input name="digits" autocomplete="off">',
        }[self.logins.variant.selectors]
        return _form("Verify your identity", "One-time code", field, said)


async def _field(request: Request) -> str:
    """Give the value of a form's only field."""
    fields = parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
    return fields[0][1] if fields else ""


def _onward(path: str, visit: str) -> Response:
    return RedirectResponse(f"{path}?{urlencode({'state': visit})}", 302, _PRIVATE)


def _form(title: str, label: str, field: str, said: str | None) -> Response:
    error = f'<span class="ulp-input-error-message">{escape(said)}</span>' if said else ""
    body = (
        f'<h1>{title}</h1><form method="post" novalidate><label>{escape(label)}{field}</label>'
        f'{error}<button type="submit">Continue</button></form>'
    )
    return _page("Sandbox login", body, 400 if said else 200)


def _page(title: str, body: str, status: int = 200) -> Response:
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style><main>{body}"
        "<footer>seqdata sandbox: a made-up household on this machine</footer></main></html>"
    )
    return HTMLResponse(text, status, _PRIVATE)


_HOME = """<h1>Sequence, the sandbox</h1><p id="say">Nobody is logged in.</p>
<button id="login" type="button">Log in</button>"""

_DEVICE_PAGE = """<h1>Is this your device?</h1>
<p>We do not know this device. Confirm that it is you.</p>
<form method="post"><button type="button" onclick="if (event.isTrusted) this.form.submit()">
Yes, this is my device</button></form>"""

_SCRIPT = """
const say = (text) => { document.getElementById("say").textContent = text; };
const button = document.getElementById("login");
const keep = (token) => setTimeout(() => {
  sessionStorage.setItem("access_token", token);
  say("You are logged in.");
}, facts.delay);
const back = location.origin + "/";
button.onclick = () => {
  const state = crypto.randomUUID();
  sessionStorage.setItem("state", state);
  location.href = facts.auth + "/authorize?" + new URLSearchParams({
    client_id: facts.client, redirect_uri: back, response_type: facts.type, state });
};
const exchange = async (code) => {
  const body = new URLSearchParams({
    grant_type: "authorization_code", client_id: facts.client, code, redirect_uri: back });
  const answer = await fetch(facts.auth + "/oauth/token", { method: "POST", body });
  keep((await answer.json()).access_token);
};
const came = new URLSearchParams(location.hash.slice(1) || location.search.slice(1));
if (came.get("access_token") || came.get("code")) {
  history.replaceState(null, "", "/");
  button.hidden = true;
  if (came.get("state") !== sessionStorage.getItem("state")) say("This is not our login.");
  else if (came.get("code")) { say("Logging in"); exchange(came.get("code")); }
  else { say("Logging in"); keep(came.get("access_token")); }
}
"""

_STYLE = """
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; background: #f3f4f6; color: #1f2937; }
main { max-width: 22rem; margin: 12vh auto; padding: 2rem; background: #fff; border-radius: 12px;
  box-shadow: 0 1px 4px #0002; }
h1 { margin: 0 0 1rem; font-size: 1.4rem; }
label { display: block; font-size: .9rem; }
input { display: block; box-sizing: border-box; width: 100%; margin: .3rem 0 .6rem;
  padding: .6rem; font: inherit; border: 1px solid #9ca3af; border-radius: 6px; }
button { width: 100%; margin-top: .6rem; padding: .7rem; font: inherit; font-weight: 600;
  color: #fff; background: #1d4ed8; border: 0; border-radius: 6px; cursor: pointer; }
[hidden] { display: none; }
.ulp-input-error-message { display: block; font-size: .9rem; color: #b91c1c; }
footer { margin-top: 1.5rem; font-size: .8rem; color: #6b7280; }
"""
