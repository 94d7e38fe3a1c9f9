"""What a failed login leaves on request (SEQUENCE_DEBUG): a picture and the text of the page.

Everything typed is blacked out in the page before the picture is taken; a picture of a page
that shows a secret nevertheless is not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from seqdata.auth.login.flow import redact
from seqdata.core.files import write_bytes
from seqdata.core.logs import logger
from seqdata.core.secret import Secret
from seqdata.exceptions import LoginFailed

if TYPE_CHECKING:
    from playwright.sync_api import Page as Tab

log = logger(__name__)


def keep_evidence(
    tab: Tab, folder: Path, error: LoginFailed, secrets: Sequence[Secret]
) -> Path | None:
    """Keep ``page.png`` and ``page.txt`` (0600) of a failed login; return their folder.

    None where the page is gone or shows a secret that cannot be covered. The error of the login
    is what matters: trouble here is logged only.
    """
    from playwright.sync_api import Error

    kept = folder / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}-{error.step}"
    words = [one.get_secret_value() for one in secrets if one.get_secret_value()]
    try:
        tab.evaluate(_COVER, words)
        picture = tab.screenshot(timeout=5_000)
        text = str(tab.evaluate("document.body ? document.body.innerText : ''"))
        is_covered = not tab.evaluate(_SHOWS, words)
    except Error as trouble:
        log.warning("what the page showed cannot be kept: %s", type(trouble).__name__)
        return None
    where = urlsplit(tab.url)
    lines = [f"{where.scheme}://{where.netloc}{where.path}", str(error), "", text, ""]
    write_bytes(kept / "page.txt", redact("\n".join(lines), secrets).encode())
    if is_covered:
        write_bytes(kept / "page.png", picture)
    return kept


_WALK = """
const walk = (root, visit) => {
  for (const one of root.querySelectorAll("*")) {
    visit(one);
    if (one.shadowRoot) walk(one.shadowRoot, visit);
  }
};
const fits = (text) => words.some((word) => text.toLowerCase().includes(word.toLowerCase()));
"""

_COVER = f"""(words) => {{ {_WALK}
  const cover = (text) => words.reduce((covered, word) => {{
    const at = covered.toLowerCase().indexOf(word.toLowerCase());
    return at < 0 ? covered
      : covered.slice(0, at) + "█████" + cover(covered.slice(at + word.length));
  }}, text);
  walk(document, (one) => {{
    if ("value" in one && typeof one.value === "string") one.value = "";
    if (["SCRIPT", "STYLE"].includes(one.tagName)) return;
    for (const node of one.childNodes)
      if (node.nodeType === Node.TEXT_NODE && fits(node.data)) node.data = cover(node.data);
    for (const attribute of one.attributes)
      if (fits(attribute.value)) attribute.value = cover(attribute.value);
  }});
}}"""

_SHOWS = f"""(words) => {{ {_WALK}
  let shows = fits(document.body ? document.body.innerText : "");
  walk(document, (one) => {{
    if ("value" in one && typeof one.value === "string" && one.value && one.tagName === "INPUT")
      shows = true;
  }});
  return shows;
}}"""
