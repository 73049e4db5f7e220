"""What the hostile programs share. A try is contained, with the error it met, or it is REACHED."""

import ctypes
import json
import os
import platform

WORLD = json.loads(os.environ["WORLD"])  # where everything lies that must not be reached
LIBC = ctypes.CDLL(None, use_errno=True)
COLUMN = {"x86_64": 0, "aarch64": 1}[platform.machine()]
NUMBERS = {  # of system calls that have no wrapper in Python
    "add_key": (248, 217),
    "bpf": (321, 280),
    "clone": (56, 220),
    "clone3": (435, 435),
    "finit_module": (313, 273),
    "fsopen": (430, 430),
    "init_module": (175, 105),
    "io_uring_setup": (425, 425),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "memfd_secret": (447, 447),
    "mount": (165, 40),
    "move_mount": (429, 429),
    "msgget": (68, 186),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "ptrace": (101, 117),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "sethostname": (170, 161),
    "shmget": (29, 194),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
}


def attempt(name, action):
    try:
        result = action()
    except BaseException as error:
        print(f"contained: {name}: {type(error).__name__}: {error}"[:300])
    else:
        print(f"REACHED: {name}: {result!r}"[:300])


def write(path, text):
    """At once: what a buffer holds is not yet written."""
    fd = os.open(path, os.O_WRONLY)
    try:
        return os.write(fd, text.encode())
    finally:
        os.close(fd)


def call(name, *arguments):
    """A system call; raises OSError as the kernel answers."""
    return call_number(NUMBERS[name][COLUMN], *arguments)


def call_number(number, *arguments):
    kept = [item if isinstance(item, (int, bytes)) else ctypes.byref(item) for item in arguments]
    long_ones = [ctypes.c_long(item) if isinstance(item, int) else item for item in kept]
    result = LIBC.syscall(ctypes.c_long(number), *long_ones)
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
