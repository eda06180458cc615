"""A script of ours as on a Windows: ``python windows_like.py SCRIPT ARGUMENTS``. What only Linux and macOS have is not there.

Simulated is what the standard library of Windows does otherwise, as CPython's ``posixmodule.c`` and the documents of the C run
time say: ``os.name``, missing modules and calls, no ``dir_fd``, an ``os.open`` that translates line ends unless ``O_BINARY`` is
given, files that cannot be renamed over or removed while they are open or mapped, ``os.rename`` that never replaces, no links
without a permission, folders that cannot be opened, descriptors for reading that cannot be synced, ``msvcrt.locking``, consoles
of cp1252. Not simulated: paths with a drive and backslashes, names that differ in case alone.
"""

from __future__ import annotations

# The standard library goes on with what it has: it is imported before.
import asyncio  # noqa: F401
import builtins
import concurrent.futures.thread  # noqa: F401
import contextlib
import ctypes  # noqa: F401
import encodings.cp1252  # noqa: F401
import errno
import fcntl
import getpass  # noqa: F401
import glob  # noqa: F401
import gzip  # noqa: F401
import http.client  # noqa: F401
import io
import logging  # noqa: F401
import lzma  # noqa: F401
import mmap  # noqa: F401
import multiprocessing  # noqa: F401
import os
import pathlib  # noqa: F401
import platform  # noqa: F401
import random  # noqa: F401
import runpy
import select  # noqa: F401
import shutil  # noqa: F401
import signal
import socket  # noqa: F401
import sqlite3  # noqa: F401
import subprocess
import sys
import tarfile  # noqa: F401
import tempfile  # noqa: F401
import threading  # noqa: F401
import types
import urllib.request  # noqa: F401
import uuid  # noqa: F401
import zipfile  # noqa: F401

BINARY = 1 << 29
MISSING_MODULES = ("fcntl", "pwd", "grp", "termios", "tty", "pty", "resource", "syslog", "readline", "posix")
MISSING = frozenset(
    """
    O_NOFOLLOW O_DIRECTORY O_NONBLOCK O_CLOEXEC O_NOATIME O_PATH O_SYNC O_DSYNC O_NOCTTY O_ASYNC O_DIRECT WNOHANG
    POSIX_FADV_DONTNEED POSIX_FADV_SEQUENTIAL POSIX_FADV_WILLNEED chown chroot confstr copy_file_range fchdir fchmod
    fchown fdatasync fork forkpty getegid geteuid getgid getgroups getloadavg getpgid getpgrp getpriority getsid getuid
    getxattr killpg lchmod lchown listxattr lockf memfd_create mkfifo mknod nice openpty pipe2 posix_fadvise
    posix_fallocate posix_spawn pread preadv pwrite pwritev readv register_at_fork removexattr sched_getaffinity
    sched_setaffinity sched_yield sendfile setgid setpgid setsid setuid setxattr statvfs sync sysconf tcgetpgrp ttyname
    uname wait wait3 wait4 waitid writev
    """.split()  # noqa: SIM905
)
SHUT_FOLDERS = errno.EACCES


def refused(path, number=errno.EACCES):
    """What Windows says of a file that somebody has open."""
    return PermissionError(
        number, "The process cannot access the file because it is being used by another process", path
    )


def in_use(path):
    """Has this process that file, or one below that folder, open or mapped?"""
    path = os.path.abspath(path)
    below = path + os.sep if os.path.isdir(path) else path
    held = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            held.append(os.readlink(f"/proc/self/fd/{name}"))
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        held.extend(line.split(None, 5)[5].rstrip("\n") for line in maps if len(line.split(None, 5)) == 6)
    real = os.path.realpath(os.path.dirname(path)) + below[len(os.path.dirname(path)) :]
    return any(each.startswith(real) if real.endswith(os.sep) else each == real for each in held)


class Windows(types.ModuleType):
    """The module ``os`` of it."""

    def __init__(self):
        super().__init__("os")
        self.__dict__.update({name: value for name, value in vars(os).items() if name not in MISSING})
        self.text: set[int] = set()
        self.name = "nt"
        self.linesep = "\r\n"
        self.O_BINARY = BINARY
        self.supports_dir_fd = self.supports_fd = self.supports_follow_symlinks = set()
        for name in (
            "open",
            "read",
            "write",
            "close",
            "fdopen",
            "fsync",
            "rename",
            "replace",
            "unlink",
            "symlink",
            "chmod",
        ):
            setattr(self, name, getattr(self, f"_{name}"))
        for name in ("mkdir", "rmdir", "link", "stat", "utime", "readlink"):
            setattr(self, name, self._by_name(name))
        self.remove = self._unlink

    @staticmethod
    def _named(arguments):
        for name in ("dir_fd", "src_dir_fd", "dst_dir_fd"):
            if arguments.pop(name, None) is not None:
                raise NotImplementedError(f"{name} unavailable on this platform")
        return arguments

    def _by_name(self, name):
        call = getattr(os, name)

        def called(path, *more, **arguments):
            arguments = self._named(arguments)
            if name == "utime" and not arguments.get("follow_symlinks", True):
                raise NotImplementedError("utime: follow_symlinks unavailable on this platform")
            if isinstance(path, int) and name != "stat":
                raise TypeError(f"{name}: path should be string, bytes or os.PathLike, not int")
            return call(path, *more, **arguments)

        return called

    def _open(self, path, flags, mode=0o777, **arguments):
        self._named(arguments)
        if os.path.isdir(path):
            raise PermissionError(SHUT_FOLDERS, "Permission denied", path)
        descriptor = os.open(path, flags & ~BINARY, mode)
        if not flags & BINARY:
            self.text.add(descriptor)
        return descriptor

    def _close(self, descriptor):
        self.text.discard(descriptor)
        os.close(descriptor)

    def _read(self, descriptor, count):
        data = os.read(descriptor, count)
        return data.replace(b"\r\n", b"\n").partition(b"\x1a")[0] if descriptor in self.text else data

    def _write(self, descriptor, data):
        if descriptor not in self.text:
            return os.write(descriptor, data)
        os.write(descriptor, bytes(data).replace(b"\n", b"\r\n"))
        return len(data)

    def _fdopen(self, descriptor, *more, **arguments):
        self.text.discard(descriptor)
        return os.fdopen(descriptor, *more, **arguments)

    def _fsync(self, descriptor):
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        os.fsync(descriptor)

    def _rename(self, source, target, **arguments):
        self._named(arguments)
        if os.path.lexists(target):
            raise FileExistsError(
                errno.EEXIST, "Cannot create a file when that file already exists", source, None, target
            )
        if in_use(source):
            raise refused(source)
        os.rename(source, target)

    def _replace(self, source, target, **arguments):
        self._named(arguments)
        if os.path.isdir(target):
            raise PermissionError(errno.EACCES, "Access is denied", source, None, target)
        for path in (source, target):
            if in_use(path):
                raise refused(path)
        os.replace(source, target)

    def _unlink(self, path, **arguments):
        self._named(arguments)
        if in_use(path):
            raise refused(path)
        os.unlink(path)

    def _symlink(self, source, target, *_more, **_arguments):
        raise OSError(errno.EPERM, "A required privilege is not held by the client", source, None, target)

    def _chmod(self, path, mode, **arguments):
        self._named(arguments)
        if isinstance(path, int):
            raise TypeError("chmod: path should be string, bytes or os.PathLike, not int")
        os.chmod(path, 0o666 if mode & 0o200 and not os.path.isdir(path) else 0o777 if mode & 0o200 else 0o444)


def msvcrt():
    """The module of that name: one byte of a file is locked, as its place is."""
    module = types.ModuleType("msvcrt")
    module.LK_UNLCK, module.LK_LOCK, module.LK_NBLCK, module.LK_RLCK, module.LK_NBRLCK = range(5)

    def locking(descriptor, mode, count):
        kind = fcntl.LOCK_UN if mode == module.LK_UNLCK else fcntl.LOCK_EX | fcntl.LOCK_NB
        assert count == 1
        try:
            fcntl.flock(descriptor, kind)
        except OSError:
            raise PermissionError(errno.EACCES, "Permission denied") from None

    module.locking = locking
    module.get_osfhandle = lambda descriptor: descriptor
    return module


class Popen(subprocess.Popen):
    """A child of it is one, too, where it is a Python."""

    def __init__(self, arguments, *more, **named):
        assert not named.pop("start_new_session", False)
        assert named.pop("preexec_fn", None) is None
        named.pop("creationflags", 0)
        if isinstance(arguments, (list, tuple)) and arguments[0] == sys.executable:
            place = next((i for i, each in enumerate(arguments) if str(each).endswith(".py")), None)
            if place is not None:
                arguments = [*arguments[:place], __file__, *arguments[place:]]
        super().__init__(arguments, *more, **named)


def become():
    """From now on."""
    windows = Windows()
    opened = builtins.open

    def binary(file, *more, **named):
        windows.text.discard(file)
        return opened(file, *more, **named)

    for name in [each for each in sys.modules if each.split(".")[0] in MISSING_MODULES]:
        del sys.modules[name]
    sys.modules.update(dict.fromkeys(MISSING_MODULES))  # None: ModuleNotFoundError
    sys.modules["msvcrt"] = msvcrt()
    sys.modules["os"] = windows
    sys.platform = "win32"
    builtins.open = io.open = binary
    subprocess.Popen = Popen
    for name in (
        "SIGHUP",
        "SIGKILL",
        "SIGUSR1",
        "SIGUSR2",
        "SIGPIPE",
        "SIGALRM",
        "pthread_sigmask",
        "setitimer",
        "alarm",
    ):
        delattr(signal, name)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        stream.reconfigure(encoding="cp1252", errors="strict")


if __name__ == "__main__":
    del sys.argv[0]
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    become()
    runpy.run_path(sys.argv[0], run_name="__main__")
