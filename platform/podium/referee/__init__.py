"""Steps environments on the trusted side of the pipe; agents sit in the sandbox."""
