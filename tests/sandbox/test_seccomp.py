"""The filter, run by a small BPF machine for both architectures: no kernel of the other needed."""

import errno
import struct

import pytest

from podium.sandbox import seccomp

AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def decide(machine, number, *arguments, architecture=None):
    """What the filter answers: `allow`, `kill`, or the name of an error."""
    data = struct.pack(
        "<iIQ6Q", number, architecture or AUDIT[machine], 0, *arguments, *[0] * (6 - len(arguments))
    )
    code = list(struct.iter_unpack("=HBBI", seccomp.program(machine)))
    accumulator = at = 0
    while True:
        operation, if_true, if_false, value = code[at]
        at += 1
        if operation == 0x20:
            accumulator = struct.unpack_from("<I", data, value)[0]
        elif operation == 0x06:
            if value == 0x7FFF0000:
                return "allow"
            return "kill" if value == 0x80000000 else errno.errorcode[value & 0xFFFF]
        else:
            is_true = {
                0x15: accumulator == value,
                0x35: accumulator >= value,
                0x45: bool(accumulator & value),
            }[operation]
            at += if_true if is_true else if_false


@pytest.mark.parametrize(
    ("machine", "number", "arguments", "answer"),
    [
        ("x86_64", 0, (), "allow"),  # read
        ("x86_64", 57, (), "allow"),  # fork
        ("x86_64", 101, (), "EPERM"),  # ptrace
        ("x86_64", 165, (), "EPERM"),  # mount
        ("x86_64", 250, (), "EPERM"),  # keyctl
        ("x86_64", 272, (), "EPERM"),  # unshare
        ("x86_64", 321, (), "EPERM"),  # bpf
        ("x86_64", 319, (), "ENOSYS"),  # memfd_create
        ("x86_64", 425, (), "ENOSYS"),  # io_uring_setup
        ("x86_64", 435, (), "ENOSYS"),  # clone3, so that clone is used
        ("x86_64", 462, (), "allow"),  # mseal, the newest that is known
        ("x86_64", 463, (), "ENOSYS"),
        ("x86_64", 100_000, (), "ENOSYS"),
        ("x86_64", 56, (0x1200011,), "allow"),  # clone as fork does it
        ("x86_64", 56, (0x3D0F00,), "allow"),  # clone as threads do it
        ("x86_64", 56, (0x10000011,), "EPERM"),  # CLONE_NEWUSER
        ("x86_64", 56, (0x20000,), "EPERM"),  # CLONE_NEWNS
        ("x86_64", 41, (1, 1), "allow"),  # socket(AF_UNIX)
        ("x86_64", 41, (2, 1), "EAFNOSUPPORT"),  # socket(AF_INET)
        ("x86_64", 41, (16, 3), "EAFNOSUPPORT"),  # netlink
        ("x86_64", 41, (40, 1), "EAFNOSUPPORT"),  # vsock
        ("x86_64", 41, (38, 5), "EAFNOSUPPORT"),  # AF_ALG
        ("x86_64", 16, (0, 0x5401), "allow"),  # ioctl(TCGETS)
        ("x86_64", 16, (0, 0x5412), "EPERM"),  # ioctl(TIOCSTI)
        ("x86_64", 16, (0, 0xFFFFFFFF00005412), "EPERM"),  # the kernel looks at 32 bits
        ("x86_64", 135, (0xFFFFFFFF,), "allow"),  # personality, asked
        ("x86_64", 135, (0x40000,), "EPERM"),  # personality without random addresses
        ("x86_64", 0x40000000 + 1, (), "kill"),  # x32
        ("aarch64", 63, (), "allow"),  # read
        ("aarch64", 117, (), "EPERM"),  # ptrace
        ("aarch64", 40, (), "EPERM"),  # mount
        ("aarch64", 97, (), "EPERM"),  # unshare
        ("aarch64", 279, (), "ENOSYS"),  # memfd_create
        ("aarch64", 425, (), "ENOSYS"),  # io_uring_setup
        ("aarch64", 220, (17,), "allow"),  # clone
        ("aarch64", 220, (0x10000011,), "EPERM"),
        ("aarch64", 198, (2, 1), "EAFNOSUPPORT"),  # socket(AF_INET)
        ("aarch64", 29, (0, 0x5412), "EPERM"),  # ioctl(TIOCSTI)
    ],
)
def test_a_call_is_decided(machine, number, arguments, answer):
    assert decide(machine, number, *arguments) == answer


@pytest.mark.parametrize("machine", AUDIT)
def test_calls_of_another_architecture_kill(machine):
    assert decide(machine, 0, architecture=0x40000003) == "kill"


@pytest.mark.parametrize("machine", AUDIT)
def test_the_program_fits_what_the_kernel_takes(machine):
    program = seccomp.program(machine)
    assert len(program) % 8 == 0
    assert len(program) // 8 <= 4096


def test_a_machine_without_a_table_is_refused():
    with pytest.raises(KeyError, match="riscv64"):
        seccomp.program("riscv64")
