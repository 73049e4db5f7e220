"""Our own scripts that run inside the sandbox. They import nothing of Podium but each other."""
