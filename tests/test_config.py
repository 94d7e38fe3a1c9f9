from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from seqdata import config
from seqdata.config import get_credentials, get_sequence_config, get_settings
from seqdata.exceptions import InvalidSetting, MissingSetting

LOOPBACK = "http://127.0.0.1:8080"


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable of the environment wins over the same one in .env; an empty one counts as none."""
    (tmp_path / ".env").write_text("SEQUENCE_ORG_ID=filed\nSEQUENCE_KYC_ID=kyc-filed\n")
    monkeypatch.setenv("SEQUENCE_ORG_ID", "set")
    monkeypatch.setenv("SEQUENCE_KYC_ID", "")
    read = get_sequence_config()
    assert (read.organization_id, read.kyc_id, read.auth0_client_id) == ("set", "kyc-filed", None)


def test_settings_are_read_when_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that a notebook sets after the import is seen by the next reading."""
    assert get_sequence_config().organization_id is None
    monkeypatch.setenv("SEQUENCE_ORG_ID", "late")
    assert get_sequence_config().organization_id == "late"


def test_the_env_file_of_the_found_data_folder_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a sub-folder the data folder above is found, and its .env is the one that counts."""
    (tmp_path / ".audit.jsonl").touch()
    (tmp_path / ".env").write_text("SEQUENCE_ORG_ID=above\n")
    notebooks = tmp_path / "notebooks" / "deep"
    notebooks.mkdir(parents=True)
    monkeypatch.chdir(notebooks)
    assert tmp_path == config.DATA_DIR
    assert get_sequence_config().organization_id == "above"
    assert get_settings().cache_path == tmp_path / "cache"


@pytest.mark.parametrize(
    "held", [".tokens.json", ".audit.jsonl", ".daily_limits.json", "cache/.seqdata"]
)
def test_the_nearest_folder_with_our_files_is_the_data_folder(
    held: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kind of file of ours marks its folder; the nearest one upward is taken."""
    near = tmp_path / "far" / "near"
    here = near / "here"
    here.mkdir(parents=True)
    for folder in (near, near.parent):
        (folder / held).parent.mkdir(exist_ok=True)
        (folder / held).touch()
    monkeypatch.chdir(here)
    assert near == config.DATA_DIR


def test_other_folders_are_no_data_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unmarked cache folder and another program's .env do not attract our files."""
    (tmp_path / "cache").mkdir()
    (tmp_path / ".env").write_text("DJANGO_SECRET=1\n")
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    assert Path() == config.DATA_DIR


def test_the_data_folder_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SEQUENCE_DATA_DIR wins over the search, and its .env is read."""
    (tmp_path / ".tokens.json").touch()
    chosen = tmp_path / "chosen"
    chosen.mkdir()
    (chosen / ".env").write_text("SEQUENCE_ORG_ID=chosen\n")
    monkeypatch.setenv("SEQUENCE_DATA_DIR", str(chosen))
    assert chosen == config.DATA_DIR
    assert get_sequence_config().organization_id == "chosen"


def test_the_env_file_can_move_the_data_folder(tmp_path: Path) -> None:
    """A relative SEQUENCE_DATA_DIR in a .env means a folder beside that file."""
    (tmp_path / ".env").write_text("SEQUENCE_DATA_DIR=money\n")
    assert tmp_path / "money" == config.DATA_DIR


def test_reprs_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    """No secret shows in the repr or the text of credentials, configuration or settings."""
    secrets = {
        "SEQUENCE_EMAIL": "plant-1@example.org",
        "SEQUENCE_PASSWORD": "plant-2",
        "SEQUENCE_TOTP": "plant-3",
        "SEQUENCE_ORG_ID": "plant-4",
        "SEQUENCE_KYC_ID": "plant-5",
        "SEQUENCE_AUTH0_CLIENT_ID": "plant-6",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    shown = "\n".join(f"{one!r} {one}" for one in (get_credentials(), get_sequence_config()))
    assert "plant" not in shown
    assert "***" in shown
    settings = get_settings()
    private = [value for name, value in secrets.items() if name != "SEQUENCE_ORG_ID"]
    assert not [value for value in private if value in f"{settings!r} {settings}"]


@pytest.mark.parametrize("name", ["SEQUENCE_EMAIL", "SEQUENCE_PASSWORD", "SEQUENCE_TOTP"])
def test_a_missing_credential_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable that is missing and says that it is for the login."""
    for other in {"SEQUENCE_EMAIL", "SEQUENCE_PASSWORD", "SEQUENCE_TOTP"} - {name}:
        monkeypatch.setenv(other, "set")
    with pytest.raises(MissingSetting, match=f"^{name} is not set; .*browser login"):
        get_credentials()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SEQUENCE_MIN_DELAY", "fast", "number"),
        ("SEQUENCE_MIN_DELAY", "-1", "at least 0"),
        ("SEQUENCE_MAX_JITTER", "inf", "number of seconds"),
        ("SEQUENCE_MIN_DELAY", "nan", "number of seconds"),
        ("SEQUENCE_TIMEZONE", "Mars/Olympus", "IANA time zone"),
        ("SEQUENCE_READ_ONLY", "maybe", "1 or 0"),
        ("SEQUENCE_MAX_DAILY_TRANSFER_CENTS", "12.5", "whole number, at least 0"),
        ("SEQUENCE_MAX_TRANSFER_CENTS", "-1", "whole number, at least 0"),
        ("SEQUENCE_MAX_TRANSFER_CENTS", "1e3", "whole number, at least 0"),
        ("SEQUENCE_MAX_TRANSFER_CENTS", "\uff11\uff10", "whole number, at least 0"),
        ("SEQUENCE_MAX_TRANSFER_CENTS", "9" * 5_000, "whole number, at least 0"),
        ("SEQUENCE_STAGE_SECONDS", "86401", "from 1 to 86,400"),
        ("SEQUENCE_OVERLAP_DAYS", "0", "from 1 to"),
        ("SEQUENCE_APP_URL", "app.getsequence.io", "http(s) URL"),
        ("SEQUENCE_AUTH_URL", "http://auth.getsequence.io", "https"),
        ("SEQUENCE_APP_URL", "http://[::1", "IPv6"),
    ],
)
def test_an_unusable_value_is_named(
    name: str, value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the variable, what was expected, and what it got."""
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSetting) as refused:
        get_settings()
    said = str(refused.value)
    assert said.startswith(f"{name} cannot be used: expected ")
    assert expected in said
    assert repr(value) in said


def test_a_password_in_a_url_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL that carries a password is refused without repeating it."""
    monkeypatch.setenv("SEQUENCE_APP_URL", "https://me:plant-9@example.org")
    with pytest.raises(InvalidSetting) as refused:
        get_settings()
    assert "plant-9" not in f"{refused.value} {refused.value!r}"


def test_an_env_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    """A .env file that is not UTF-8 is named in one sentence, wherever the reading meets it."""
    (tmp_path / ".env").write_bytes("SEQUENCE_USER=Zoë\n".encode("latin-1"))
    with pytest.raises(InvalidSetting, match=r"\.env .*UTF-8"):
        get_settings()


@pytest.mark.parametrize(
    ("url", "delay", "jitter"),
    [
        (LOOPBACK, 0.0, 0.1),
        ("http://[::1]:9", 0.0, 0.1),
        ("http://localhost:9", 0.0, 0.1),
        ("https://app.getsequence.io", 1.5, 2.0),
        ("https://127.0.0.1.example.org", 1.5, 2.0),
        ("https://localhost.example.org", 1.5, 2.0),
    ],
)
def test_a_faster_pace_is_for_loopback_only(
    url: str, delay: float, jitter: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A smaller delay is taken for this machine's servers; for any other the default holds."""
    monkeypatch.setenv("SEQUENCE_APP_URL", url)
    monkeypatch.setenv("SEQUENCE_MIN_DELAY", "0")
    monkeypatch.setenv("SEQUENCE_MAX_JITTER", "0.1")
    assert get_settings().pace == (delay, jitter)


def test_a_slower_pace_is_for_everyone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for longer pauses gets them."""
    monkeypatch.setenv("SEQUENCE_MIN_DELAY", "5")
    assert get_settings().pace == (5.0, 2.0)


def test_the_documented_defaults_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any variable each setting has the value that the documents name."""
    monkeypatch.setenv("LOGNAME", "kim")
    read = get_settings()
    found = {name: getattr(read, name) for name in read.names() if getattr(read, name) is not None}
    assert found == {
        "data_dir": Path(),
        "cache_dir": Path("cache"),
        "app_url": "https://app.getsequence.io",
        "auth_url": "https://auth.getsequence.io",
        "min_delay": 1.5,
        "max_jitter": 2.0,
        "timezone": "America/New_York",
        "max_transfer_cents": 1_000_000,
        "max_daily_transfer_cents": 2_500_000,
        "stage_seconds": 300,
        "user": getpass.getuser(),
        "read_only": False,
        "allow_unattended_transfers": False,
        "overlap_days": 30,
        "rescan_days": 90,
        "archive": True,
        "debug": False,
    }
    assert read.user == "kim"


def _utf(text: str, encoding: str) -> bytes:
    return text.encode(encoding)


#: Files in which a person sees the setting, and a careless reader does not.
HIDING = {
    "UTF-16 with its mark": _utf("A=1\nSEQUENCE_READ_ONLY=1\n", "utf-16"),
    "UTF-16 without": _utf("SEQUENCE_READ_ONLY=1\n", "utf-16-le"),
    "UTF-16, the other way round": _utf("SEQUENCE_READ_ONLY=1\n", "utf-16-be"),
    "UTF-32": _utf("SEQUENCE_READ_ONLY=1\n", "utf-32"),
    "two files joined": b"A=1\n" + "\ufeffSEQUENCE_READ_ONLY=1\n".encode(),
    "a blank that is not seen": "\u200bSEQUENCE_READ_ONLY=1\n".encode(),
    "quotes around the name": b'"SEQUENCE_READ_ONLY"=1\n',
    "set": b"set SEQUENCE_READ_ONLY=1\n",
    "declare": b"declare -x SEQUENCE_READ_ONLY=1\n",
    "two on a line": b"FOO=1; SEQUENCE_READ_ONLY=1\n",
    "a separator of lines": "FOO=1\u2028SEQUENCE_READ_ONLY=1\n".encode(),
    "a vertical tab": b"FOO=1\x0bSEQUENCE_READ_ONLY=1\n",
}


@pytest.mark.parametrize("name", HIDING)
def test_a_setting_that_cannot_be_taken_is_never_passed_over(tmp_path: Path, name: str) -> None:
    """However a file hides a setting of ours, it is refused; it never counts as not set."""
    (tmp_path / ".env").write_bytes(HIDING[name])
    with pytest.raises(InvalidSetting):
        get_settings(tmp_path)


@pytest.mark.parametrize("ends", ["\r", "\r\r", "\r\n", "\n"])
def test_lines_end_as_any_system_ends_them(tmp_path: Path, ends: str) -> None:
    """Old and new ends of lines are read alike."""
    text = ends.join(["FOO=1", "SEQUENCE_READ_ONLY=1", "# SEQUENCE_READ_ONLY=0", ""])
    (tmp_path / ".env").write_bytes(text.encode())
    assert get_settings(tmp_path).read_only


def test_what_merely_sounds_like_ours_is_passed_over(tmp_path: Path) -> None:
    """Comments, and names of other programs that end like ours, are none of ours."""
    (tmp_path / ".env").write_text("# set SEQUENCE_READ_ONLY=1\nMY_SEQUENCE_READ_ONLY=1\n")
    assert not get_settings(tmp_path).read_only
