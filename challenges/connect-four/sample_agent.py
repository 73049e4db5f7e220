"""The form of an agent for Connect Four: this one drops its stones at random.

Hand it in as it is, or as agent.py inside a zip, with whatever files it reads.
"""

import random


def act(observation, info):
    """One move.

    observation: int8 (6, 7), the board as you see it: row 0 is the lowest, your stones are 1, the
    other's -1, empty cells 0. info: which columns have room as "legal" (7,), and the "step".
    Returns the column, 0 to 6.
    """
    return random.choice([column for column in range(7) if info["legal"][column]])
