"""Files of ours: private, and whole at any moment.

A file is written under a temporary name in its own folder, flushed to the disk, and renamed
over the old one; whoever reads meanwhile sees the old file or the new one, never half of one.
Files are created 0600 and folders 0700, since they hold a person's finances or tokens.

A temporary name begins with a dot and ends in ``.tmp``: pandas and DuckDB, pointed at a whole
folder, pass over such names and stumble over others.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, TextIO

from seqdata.core.git import keep_out_of_git
from seqdata.core.json import once_each
from seqdata.core.logs import logger
from seqdata.exceptions import (
    CorruptFile,
    FolderNotOwn,
    FolderNotWritable,
    StillHeld,
    UsageError,
)

if TYPE_CHECKING:
    from filelock import BaseFileLock

log = logger(__name__)

#: Seconds after which a waiting program says for whom it waits, and after which it gives up.
WORD_AFTER, PATIENCE = 2.0, 60.0

_LEFTOVERS = ".*.tmp"


def make_private_folder(path: Path, *, gitignore: bool = True) -> None:
    """Make a folder that only its owner can enter (0700), and its missing parents likewise.

    A folder that exists is left as it is. A new one gets a ``.gitignore`` of ``*``, unless
    `gitignore` is False (folders inside a folder that has one).

    Raises
    ------
    FolderNotWritable
        The folder cannot be made.
    """
    path = Path(path)
    with writing_in(path):
        if path.is_dir():
            return
        if not path.parent.is_dir():
            make_private_folder(path.parent, gitignore=False)
        path.mkdir(mode=0o700, exist_ok=True)
        sync_folder(path.parent)
    if gitignore:
        _write_once(path / ".gitignore", b"*\n")


def _write_once(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, without a temporary one: no lock guards a new folder."""
    with writing_in(path.parent), suppress(FileExistsError):
        stream = _create(path)
        try:
            with stream:
                stream.write(data)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


class Sealed(Protocol):
    """Bytes that no traceback shows."""

    def get_secret_value(self) -> bytes:
        """Give the bytes."""


def write_bytes(path: Path, data: bytes | Sealed) -> None:
    """Write a file of ours in one step: the whole new content, or the old file unchanged.

    Raises
    ------
    FolderNotWritable
        A full disk, missing rights, a read-only file system; the old file is unchanged.
    """
    with replacing(path) as stream:
        stream.write(data if isinstance(data, bytes) else data.get_secret_value())


def write_json(path: Path, obj: Any) -> None:
    """Write JSON, indented and with its letters as they are; see :func:`write_bytes`."""
    text = json.dumps(obj, indent=2, ensure_ascii=False)
    write_bytes(path, (text + "\n").encode("utf-8", "surrogatepass"))


def read_json(path: Path, *, remedy: str) -> Any:
    """Read a JSON file of ours.

    Parameters
    ----------
    remedy
        The sentence of the error that says what to do about an unreadable file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    CorruptFile
        The file is there and is not JSON, or cannot be opened.
    """
    try:
        if Path(path).exists() and not Path(path).is_file():  # a pipe would be waited for
            raise CorruptFile(path, "it is no file", remedy)
        text = Path(path).read_bytes().decode("utf-8", "surrogatepass")
        return json.loads(text, object_pairs_hook=once_each)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(path) from None
    except OSError as error:
        raise CorruptFile(path, _reason(error), remedy) from error
    except (ValueError, RecursionError) as error:
        raise CorruptFile(path, f"it is not JSON: {error}", remedy) from error


@contextmanager
def replacing(path: Path, *, gitignore: bool = True) -> Iterator[IO[bytes]]:
    """Open a private temporary file whose content becomes `path` when the block ends.

    An error inside the block, an interrupt included, removes the temporary file and leaves
    `path` as it was. The parent folder appears with the first byte (`gitignore`: see
    :func:`make_private_folder`).

    Raises
    ------
    FolderNotWritable
        The file system refused.
    """
    path = Path(path)
    with writing_in(path.parent):
        try:
            path = path.resolve() if path.is_symlink() else path  # a link stays one
        except RuntimeError:
            raise FolderNotWritable(path, "it is a link that leads to itself") from None
    make_private_folder(path.parent, gitignore=gitignore)
    keep_out_of_git(path)
    temporary = path.with_name(f".{path.name[:40]}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    with writing_in(path.parent):
        try:
            with _create(temporary) as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        sync_folder(path.parent)


@contextmanager
def writing_in(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses inside the block into FolderNotWritable."""
    try:
        yield
    except OSError as error:
        raise FolderNotWritable(Path(folder), _reason(error)) from error


def fixed_path(path: Path | str) -> Path:
    """Return a path that `os.chdir` does not change.

    Raises
    ------
    UsageError
        It is no path.
    FolderNotOwn
        It begins in the working directory, which is gone.
    """
    try:
        if "\0" in os.fspath(path):
            raise UsageError(f"{path!r} cannot be used. Expected the path of a file.")
        return Path(path).absolute()
    except TypeError:
        raise UsageError(f"{path!r} cannot be used. Expected the path of a file.") from None
    except OSError as error:
        raise FolderNotOwn(Path(), f"it cannot be looked at: {error.strerror}") from None


@dataclass(frozen=True)
class Held:
    """A lock file that is held, as long as nobody takes the file away."""

    lock: Path
    inode: int

    @property
    def is_held(self) -> bool:
        """Whether the file still is the one that was locked: whoever waits for it, waits."""
        try:
            return self.lock.stat().st_ino == self.inode
        except OSError:
            return False


@contextmanager
def holding(lock: Path, *, patience: float | None = None) -> Iterator[Held]:
    """Hold a lock file (0600) while the block runs, waiting for whoever holds it.

    It keeps threads and processes apart, and is not reentrant. The file stays.

    Parameters
    ----------
    patience
        Seconds to wait; None waits for ever. With a bound, who waits for two seconds says for
        whom, and who holds it leaves a note of who that is.

    Raises
    ------
    FolderNotWritable
        The lock file cannot be made or opened.
    StillHeld
        Another program held it all the time.
    """
    from filelock import FileLock

    lock = Path(lock)
    make_private_folder(lock.parent)
    keep_out_of_git(lock)
    held = FileLock(lock, mode=0o600)
    try:
        with writing_in(lock.parent):
            inode = _acquire(held, lock, patience)
        if patience is not None:
            _note_holder(lock)
        yield Held(lock, inode)
    finally:
        held.release()


def _acquire(held: BaseFileLock, lock: Path, patience: float | None) -> int:
    """Acquire a lock on the file that stands there now; return its inode."""
    from filelock import Timeout

    while True:
        try:
            held.acquire(timeout=-1 if patience is None else min(patience, WORD_AFTER))
        except Timeout:
            assert patience is not None
            if not lock.exists():  # nobody holds it: no file can be made there
                raise FolderNotWritable(lock.parent, "no file can be made in it") from None
            log.warning("waiting for another program: lock=%s holder=%s", lock, holder_of(lock))
            try:
                held.acquire(timeout=max(0.0, patience - WORD_AFTER))
            except Timeout:
                raise StillHeld(lock, holder_of(lock), patience) from None
        descriptor = held._context.lock_file_fd  # filelock has no other way to ask for it
        inode = os.fstat(descriptor).st_ino if descriptor is not None else 0
        if Held(lock, inode).is_held:
            return inode
        held.release()  # the file was taken away while we waited for it


def _note_holder(lock: Path) -> None:
    """Say beside a lock who holds it; whoever cannot be told must not be stopped by that."""
    facts = {"pid": os.getpid(), "program": " ".join(sys.argv)[:200], "since": time.time()}
    with suppress(OSError), open_note(_note_of(lock)) as stream:
        stream.write(json.dumps(facts))


def open_note(path: Path) -> TextIO:
    """Open a small private file to be written anew; one that is a link is not followed.

    It may be lost or torn without harm. A folder that was cloned can hold links that lead to
    files of its user.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    return os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8")


def holder_of(lock: Path) -> str:
    """Say who holds a lock, as far as it is known."""
    try:
        facts = json.loads(_note_of(lock).read_text(encoding="utf-8"))
        since = time.strftime("%H:%M:%S", time.localtime(facts["since"]))
        return f"process {facts['pid']} ({facts['program']}), since {since}"
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return "a program that left no note"


def _note_of(lock: Path) -> Path:
    return lock.with_name(f"{lock.name}.holder")


def narrow(path: Path) -> None:
    """Let nobody but its owner read or write a file of ours that was found with wider rights.

    Raises
    ------
    FolderNotWritable
        It belongs to another user, so its rights cannot be narrowed.
    """
    if os.name != "nt":
        with writing_in(path.parent), suppress(FileNotFoundError):
            _narrow(path, path.stat())


def _narrow(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        what = "a directory" if stat.S_ISDIR(found.st_mode) else "no file"
        raise FolderNotWritable(path, f"it is {what}")
    if found.st_uid != os.geteuid():
        raise FolderNotWritable(path, "it belongs to another user, who may change it")
    if stat.S_IMODE(found.st_mode) & 0o077:
        log.warning("others could read or write it, which was ended: path=%s", path)
        path.chmod(0o600)


def remove_file(path: Path) -> None:
    """Remove a file of ours, if it is there, and make that last."""
    with writing_in(Path(path).parent), suppress(FileNotFoundError):
        Path(path).unlink()
        sync_folder(Path(path).parent)


def remove_leftovers(folder: Path) -> int:
    """Remove temporary files that dead writers left in `folder` and below; return how many.

    Only for the holder of the lock of `folder`: it cannot tell a dead writer from a busy one.
    """
    found = list(Path(folder).rglob(_LEFTOVERS))
    for path in found:
        with writing_in(path.parent):
            path.unlink(missing_ok=True)
    return len(found)


def _create(path: Path) -> IO[bytes]:
    # Rights go into the creation: a later chmod would leave a moment of the default ones.
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last: what was created, renamed or removed there."""
    if os.name == "nt":  # a folder cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
