"""The system calls that sandboxed code may not make, written as a BPF program in plain bytes.

A namespace hides what exists, this filter shrinks the kernel that can be attacked: sockets other
than unix ones, new namespaces, io_uring, keys, bpf, tracing, and memory that nobody would count
(memfd, System V). A call newer than the table answers ENOSYS, so a new kernel opens nothing.
"""

import errno
import platform
import struct

LOAD, EQUAL, AT_LEAST, ANY_BIT, AND, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
ALLOW, KILL, ERROR = 0x7FFF0000, 0x80000000, 0x00050000
NUMBER_AT, ARCH_AT, ARGUMENTS_AT = 0, 4, 16
X32_BIT = 0x40000000
NAMESPACES = 0x7E020000  # the CLONE_NEW* flags
AF_UNIX = 1
TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI and TIOCLINUX type on behalf of the user
NEWEST = 462  # mseal, Linux 6.10

# Name, number on x86_64, number on aarch64. As they were never there: programs fall back.
ABSENT = """
clone3 435 435 · io_uring_setup 425 425 · io_uring_enter 426 426 · io_uring_register 427 427
io_setup 206 0 · io_destroy 207 1 · io_submit 209 2 · io_cancel 210 3 · io_getevents 208 4
io_pgetevents 333 292 · memfd_create 319 279 · memfd_secret 447 447 · userfaultfd 323 282
shmget 29 194 · shmat 30 196 · shmctl 31 195 · shmdt 67 197 · semget 64 190 · semop 65 193
semctl 66 191 · semtimedop 220 192 · msgget 68 186 · msgsnd 69 189 · msgrcv 70 188 · msgctl 71 187
mq_open 240 180 · statmount 457 457 · listmount 458 458 · lsm_get_self_attr 459 459
lsm_set_self_attr 460 460 · lsm_list_modules 461 461
"""
# Known, and not permitted.
FORBIDDEN = """
acct 163 89 · add_key 248 217 · adjtimex 159 171 · bpf 321 280 · chroot 161 51
clock_adjtime 305 266 · clock_settime 227 112 · create_module 174 - · delete_module 176 106
fanotify_init 300 262 · finit_module 313 273 · fsconfig 431 431 · fsmount 432 432 · fsopen 430 430
fspick 433 433 · init_module 175 105 · ioperm 173 - · iopl 172 - · kcmp 312 272
kexec_file_load 320 294 · kexec_load 246 104 · keyctl 250 219 · lookup_dcookie 212 18
mbind 237 235 · migrate_pages 256 238 · modify_ldt 154 - · mount 165 40 · mount_setattr 442 442
move_mount 429 429 · move_pages 279 239 · name_to_handle_at 303 264 · nfsservctl 180 42
open_by_handle_at 304 265 · open_tree 428 428 · perf_event_open 298 241 · pidfd_getfd 438 438
pivot_root 155 41 · process_madvise 440 440 · process_vm_readv 310 270 · process_vm_writev 311 271
ptrace 101 117 · quotactl 179 60 · quotactl_fd 443 443 · reboot 169 142 · request_key 249 218
set_mempolicy 238 237 · set_mempolicy_home_node 450 450 · setdomainname 171 162
sethostname 170 161 · setns 308 268 · settimeofday 164 170 · swapoff 168 225 · swapon 167 224
sysfs 139 - · _sysctl 156 - · syslog 103 116 · umount2 166 39 · unshare 272 97 · uselib 134 -
ustat 136 - · vhangup 153 58
"""
CHECKED = "clone 56 220 · socket 41 198 · socketpair 53 199 · ioctl 16 29 · personality 135 92"
ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}  # audit number, column


def numbers(table: str, machine: str) -> dict[str, int]:
    """The calls of a table with their numbers on this machine; those it lacks are left out."""
    column = ARCHITECTURES[machine][1]
    rows = [row.split() for line in table.strip().splitlines() for row in line.split("·")]
    return {row[0]: int(row[1 + column]) for row in rows if row[1 + column] != "-"}


def program(machine: str | None = None) -> bytes:
    """The filter for `bwrap --seccomp`; `machine` as `uname -m` names it, by default this one's.

    Raises KeyError for an architecture without a table: nothing is run unfiltered there.
    """
    machine = machine or platform.machine()
    audit, _ = ARCHITECTURES[machine]
    error = {name: ERROR | getattr(errno, name) for name in ("ENOSYS", "EPERM", "EAFNOSUPPORT")}
    code = [
        (LOAD, 0, 0, ARCH_AT),
        (EQUAL, 1, 0, audit),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER_AT),
    ]
    if machine == "x86_64":
        code += [(AT_LEAST, 0, 1, X32_BIT), (RETURN, 0, 0, KILL)]
    code += [(AT_LEAST, 0, 1, NEWEST + 1), (RETURN, 0, 0, error["ENOSYS"])]
    for table, answer in ((ABSENT, "ENOSYS"), (FORBIDDEN, "EPERM")):
        for number in numbers(table, machine).values():
            code += [(EQUAL, 0, 1, number), (RETURN, 0, 0, error[answer])]
    checked = numbers(CHECKED, machine)
    tests = {
        "clone": _argument(0, [(ANY_BIT, 0, 1, NAMESPACES), (RETURN, 0, 0, error["EPERM"])]),
        "socket": _argument(0, [(EQUAL, 1, 0, AF_UNIX), (RETURN, 0, 0, error["EAFNOSUPPORT"])]),
        "socketpair": _argument(0, [(EQUAL, 1, 0, AF_UNIX), (RETURN, 0, 0, error["EAFNOSUPPORT"])]),
        "ioctl": _argument(
            1,
            [
                (EQUAL, 1, 0, TERMINAL_INPUT[0]),
                (EQUAL, 0, 1, TERMINAL_INPUT[1]),
                (RETURN, 0, 0, error["EPERM"]),
            ],
        ),
        "personality": _argument(
            0, [(EQUAL, 2, 0, 0), (EQUAL, 1, 0, 0xFFFFFFFF), (RETURN, 0, 0, error["EPERM"])]
        ),
    }
    for name, test in tests.items():
        code += [(EQUAL, 0, len(test), checked[name]), *test]
    code.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def _argument(index: int, test: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Tests on the low half of an argument (flags and families are 32 bits); then it is allowed."""
    return [(LOAD, 0, 0, ARGUMENTS_AT + 8 * index), *test, (RETURN, 0, 0, ALLOW)]
