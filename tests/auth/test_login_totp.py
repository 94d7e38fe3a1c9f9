from __future__ import annotations

import base64
import json
from pathlib import Path

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdata.auth.totp import Setup, UsedCodes, read_codes
from seqdata.core.secret import Secret, SecretBody
from seqdata.exceptions import InvalidSetting, WrongCode

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SHORT = "JBSWY3DPEHPK3PXP"


class Wall:
    """A clock that passes only while someone sleeps."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def code_of(setting: str, wall: Wall, folder: Path) -> str:
    codes = read_codes(Secret(setting), UsedCodes(folder / "used.json"), clock=wall)
    return codes.next_code(wall.sleep).get_secret_value()


@pytest.mark.parametrize(
    "setting",
    [
        SECRET,
        SECRET.lower(),
        "jbsw y3dp ehpk 3pxp jbsw y3dp ehpk 3pxp",
        " JBSW-Y3DP-EHPK-3PXP-JBSW-Y3DP-EHPK-3PXP\n",
        SECRET + "====",
        f"otpauth://totp/Sequence:kim?secret={SECRET}&issuer=Else",
        f"otpauth://totp/x?secret={SECRET.lower()}&digits=6&period=30&algorithm=sha1",
    ],
)
def test_a_secret_in_any_writing_gives_the_apps_code(setting: str, tmp_path: Path) -> None:
    """A secret in any spacing and case, or its URI, gives the code an authenticator shows."""
    expected = pyotp.TOTP(SECRET).at(1_800_000_001)
    assert code_of(setting, Wall(1_800_000_001), tmp_path) == expected


def test_a_secret_of_80_bits_works(tmp_path: Path) -> None:
    """Sixteen letters, which many services hand out, are enough."""
    assert len(code_of(SHORT, Wall(1_800_000_001), tmp_path)) == 6


@pytest.mark.parametrize(
    ("algorithm", "bits", "code"),
    [("SHA1", 20, "94287082"), ("SHA256", 32, "46119246"), ("SHA512", 64, "90693936")],
)
def test_a_uri_brings_its_own_digits_period_and_algorithm(
    algorithm: str, bits: int, code: str, tmp_path: Path
) -> None:
    """The test vectors of RFC 6238 come out, at a period of their own too."""
    key = (b"1234567890" * 7)[:bits]
    secret = base64.b32encode(key).decode().rstrip("=")
    for period in (30, 300):
        uri = f"otpauth://totp/x?secret={secret}&digits=8&period={period}&algorithm={algorithm}"
        assert code_of(uri, Wall(period * 1.5), tmp_path / str(period)) == code


@given(st.binary(min_size=14, max_size=40), st.integers(0, 2**40), st.sampled_from([6, 7, 8]))
def test_codes_are_those_of_another_implementation(key: bytes, step: int, digits: int) -> None:
    """For any key, step and number of digits the code is pyotp's."""
    other = pyotp.HOTP(base64.b32encode(key).decode(), digits=digits)
    assert Setup(SecretBody(key), digits).code(step).get_secret_value() == other.at(step)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        (f"otpauth://hotp/x?secret={SECRET}&counter=1", "counts its codes"),
        (f"otpauth://totp/x?secret={SECRET}&encoder=steam", "Steam"),
        (f"steam://{SECRET}", "Steam"),
        ("otpauth-migration://offline?data=CjEK", "export"),
        (f"otpauth://totp/x?secret={SECRET}&algorithm=MD5", "SHA256"),
        (f"otpauth://totp/x?secret={SECRET}&digits=5", "digits 6 to 8"),
        (f"otpauth://totp/x?secret={SECRET}&period=0", "period"),
        ("otpauth://totp/x?digits=6", "base32"),
        (f"https://example.test/?secret={SECRET}", "otpauth"),
        ("12345", "6 to 8 digits"),
        ("JBSWY3DPEHPK3PX1", "base32"),
        ("hunter2", "base32"),
    ],
)
def test_what_gives_no_code_is_refused_in_a_sentence(
    setting: str, words: str, tmp_path: Path
) -> None:
    """A setting that cannot be used is refused by name and reason, without its value."""
    with pytest.raises(InvalidSetting, match=words) as error:
        code_of(setting, Wall(0), tmp_path)
    assert str(error.value).startswith("SEQUENCE_TOTP cannot be used")
    assert SECRET not in str(error.value)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("left", "is_awaited"), [(30, False), (5.1, False), (4.9, True), (0.5, True)]
)
def test_a_code_about_to_run_out_is_not_typed(
    left: float, is_awaited: bool, tmp_path: Path
) -> None:
    """With less than five seconds left the next code is awaited and given."""
    wall = Wall(1_800_000_030 - left)
    code = code_of(SECRET, wall, tmp_path)
    assert bool(wall.slept) == is_awaited
    step = 60_000_000 + is_awaited
    assert code == pyotp.TOTP(SECRET).generate_otp(step)


def test_a_code_is_given_once(tmp_path: Path) -> None:
    """A second login within the same period, of another process too, waits for the next code."""
    wall = Wall(1_800_000_001)
    first = code_of(SECRET, wall, tmp_path)
    assert wall.slept == []
    assert code_of(SECRET, wall, tmp_path) != first
    assert sum(wall.slept) == pytest.approx(29, abs=0.1)


def test_a_code_in_the_setting_is_given_once(tmp_path: Path) -> None:
    """A setting that is a code gives it once, and then says that it was used."""
    assert code_of("123 456", Wall(0), tmp_path) == "123456"
    with pytest.raises(WrongCode, match="used this code before"):
        code_of("123456", Wall(0), tmp_path)
    assert code_of("12345678", Wall(0), tmp_path) == "12345678"


def test_what_is_remembered_is_no_code_and_private(tmp_path: Path) -> None:
    """The file of used codes holds salted hashes, 0600, and a broken one is begun anew."""
    wall = Wall(1_800_000_001)
    code = code_of(SECRET, wall, tmp_path)
    file = tmp_path / "used.json"
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text()
    assert set(json.loads(text)) == {"salt", "used"}
    assert not any(secret in text for secret in (code, SECRET, "60000000"))
    file.write_text("{")
    assert code_of(SECRET, wall, tmp_path) == code
