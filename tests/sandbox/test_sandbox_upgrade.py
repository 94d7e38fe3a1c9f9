"""Clients that offer an upgrade to HTTP/2, as curl does on plain HTTP."""

from __future__ import annotations

from curl_cffi.requests import Session

from seqdata.sandbox import Sandbox


def test_a_client_that_offers_http2_is_answered(box: Sandbox) -> None:
    """A request that offers an upgrade to h2c keeps its body and is answered as any other."""
    with Session(impersonate="chrome") as session:
        answer = session.post(
            f"{box.app_url}/api/graphql",
            json={"query": "{ me { id } }"},
            headers={"authorization": f"Bearer {box.access_token}"},
        )
    assert answer.status_code == 200
    assert answer.json()["data"]["me"]["id"]
