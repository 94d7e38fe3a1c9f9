"""A plain client of the official API of a sandbox."""

from __future__ import annotations

import ssl
from typing import Any

import httpx

from seqdata.sandbox import Sandbox

NOW = "2026-11-01"


class Official:
    """Requests to the official API with one key, the moving one unless another is named."""

    def __init__(self, box: Sandbox, key: str | None = None) -> None:
        self.box = box
        headers = {"authorization": f"Bearer {box.api_key_transfers if key is None else key}"}
        trust = ssl.create_default_context(cafile=box.ca_bundle) if box.ca_bundle else True
        # Kept connections would have to be closed by every test.
        limits = httpx.Limits(max_keepalive_connections=0)
        self.http = httpx.Client(
            base_url=box.platform_url, headers=headers, timeout=60, verify=trust, limits=limits
        )

    def get(self, path: str, **query: Any) -> httpx.Response:
        """Ask for something; `accountIds` is sent with brackets, `from_` is `from`."""
        names = {"accountIds": "accountIds[]", "from_": "from"}
        return self.http.get(path, params={names.get(n, n): v for n, v in query.items()})

    def data(self, path: str, **query: Any) -> Any:
        """Give the data of an answer, which is a success."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def walk(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """All rows of a list, page by page."""
        rows: list[dict[str, Any]] = []
        page = 1
        while True:
            data = self.data(path, page=page, **{"pageSize": 100, **query})
            rows += data["items"]
            if not data["pagination"]["hasNextPage"]:
                return rows
            page += 1

    def post(self, path: str, body: Any, key: str | None = None) -> httpx.Response:
        """Send a body of JSON, under an idempotency key."""
        headers = {} if key is None else {"idempotency-key": key}
        return self.http.post(path, json=body, headers=headers)

    def ids(self, **query: Any) -> list[str]:
        """The ids of all accounts, deleted ones too unless asked otherwise."""
        return [one["id"] for one in self.walk("/accounts", **{"state": "ALL", **query})]

    def account(self, name: str) -> dict[str, Any]:
        """Find an account by its name."""
        return next(one for one in self.walk("/accounts", state="ALL") if one["name"] == name)

    def move(
        self, source: str, destination: str, cents: int, key: str | None = None, **more: Any
    ) -> httpx.Response:
        """Move money between two accounts, by their names."""
        body = {
            "sourceAccountId": self.account(source)["id"],
            "destinationAccountId": self.account(destination)["id"],
            "amountInCents": cents,
        }
        return self.post("/transfers", body | more, key)


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """Give the status of a refusal and its code."""
    return answer.status_code, answer.json()["error"]["code"]
