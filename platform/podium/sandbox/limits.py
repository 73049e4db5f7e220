"""What a sandboxed program may use; every number carries its unit in its name."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Limits:
    """The ceilings of one run. Each breach ends the run with a cause of its own.

    Everything that a program keeps in memory counts together: its processes and its files, for
    /scratch, /tmp, /dev/shm and /out are memory too. Processes and threads count alike.
    """

    wall_s: float = 60.0  # from the first instruction; waiting in a queue never counts
    cpu_s: float = 120.0  # all processes together
    memory_mib: int = 1024
    processes: int = 64
    disk_mib: int = 256  # files in /scratch, /tmp and /dev/shm together
    files: int = 20_000  # files, folders and links of all kinds
    output_mib: int = 64  # files in /out
    log_kib: int = 256  # what it prints
    gpu_memory_mib: int = 1 << 20  # on its GPUs, if it has any
    cores: int = 1  # threads that numeric libraries are told to use

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 < value < float("inf"):
                raise ValueError(f"{field.name} is {value!r}. A limit is a positive number.")
