"""Runs inside the sandbox and tries to get out: each line it prints is a way that is open.

What to try for comes in the environment variable PROBES. No answer is good news only if the last
line, the word `done`, is there.
"""

import ctypes
import json
import os
import platform
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

TARGETS: dict[str, Any] = json.loads(os.environ.get("PROBES", "{}"))
LIBC = ctypes.CDLL(None, use_errno=True)
COLUMN = {"x86_64": 0, "aarch64": 1}[platform.machine()]
CALLS = {  # number on x86_64, on aarch64, and arguments with which they would do no harm
    "unshare (new user namespace)": (272, 97, (0x10000000,)),
    "io_uring": (425, 425, (1, ctypes.create_string_buffer(120))),
    "keyctl": (250, 219, (0, -4, 0)),
    "bpf": (321, 280, (0, (ctypes.c_uint32 * 16)(2, 4, 4, 1), 64)),
    "perf_event_open": (298, 241, ((ctypes.c_uint32 * 32)(1, 128), 0, -1, -1, 0)),
    "userfaultfd": (323, 282, (1,)),
    "ptrace": (101, 117, (0, 0, 0, 0)),
    "memfd_create": (319, 279, (b"x", 0)),
    "shmget": (29, 194, (0, 4096, 0o1600)),
    "mount": (165, 40, (b"x", b"/tmp", b"tmpfs", 0, 0)),
}
READ_ONLY = ("/", "/usr", "/etc", "/dev", "/runner", "/proc/sys/kernel/core_pattern")


def main() -> None:
    """Try everything once."""
    for probe in (_calls, _services, _files, _processes, _powers):
        for line in probe():
            print(line)
    print("done")


def _calls() -> Iterator[str]:
    for name, (x86_64, aarch64, arguments) in CALLS.items():
        number = (x86_64, aarch64)[COLUMN]
        if LIBC.syscall(ctypes.c_long(number), *arguments) != -1:
            yield f"the system call {name} is allowed"
    if _works(lambda: socket.socket(40, socket.SOCK_STREAM)):
        yield "vsock sockets can be opened"


def _services() -> Iterator[str]:
    addresses = [
        (socket.AF_INET, ("127.0.0.1", TARGETS["port"])),
        (socket.AF_UNIX, TARGETS["socket"]),
        (socket.AF_UNIX, "\0" + TARGETS["abstract"]),
    ]
    for family, address in addresses:
        if _works(partial(_connect, family, address)):
            yield f"a service of the machine can be reached: {family.name} {address!r}"


def _files() -> Iterator[str]:
    if _works(lambda: open(TARGETS["file"]).close()):
        yield f"a file of the machine can be read: {TARGETS['file']}"
    for path in READ_ONLY:
        target = path if os.path.isfile(path) else os.path.join(path, "written-by-a-probe")
        if _works(partial(_write, target)):
            yield f"{path} can be written"
    if _works(lambda: os.fstat(TARGETS["leak"])):
        yield "a descriptor of the worker is open"


def _write(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT))


def _processes() -> Iterator[str]:
    for name in os.listdir("/proc"):
        if name.isdigit() and name != str(os.getpid()) and _works(partial(_environment, name)):
            yield f"the environment of process {name} can be read"


def _environment(pid: str) -> None:
    with open(f"/proc/{pid}/environ", "rb") as file:
        if not file.read():
            raise FileNotFoundError("it is empty")


def _powers() -> Iterator[str]:
    if 0 in os.getresuid() + os.getresgid():
        yield "the program runs as root"
    with open("/proc/self/status", encoding="utf-8") as file:
        facts = dict(line.split(":", 1) for line in file)
    if int(facts["CapEff"], 16) or int(facts["CapPrm"], 16):
        yield "the program has capabilities"


def _works(action: Callable[[], object]) -> bool:
    try:
        action()
    except OSError:
        return False
    return True


def _connect(family: socket.AddressFamily, address: Any) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as link:
        link.settimeout(1)
        link.connect(address)


if __name__ == "__main__":
    main()
