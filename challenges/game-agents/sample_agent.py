"""The form of an agent for LunarLander: this one lets the lander fall.

Hand it in as it is, or as agent.py inside a zip, with whatever files it reads.
"""


def act(observation, info):
    """One action for one observation.

    observation: float32 (8,): place x and y, speed x and y, angle, turning speed, and for each leg
    whether it touches the ground. info: the last "reward", and the "step" of the episode.
    Returns 0 (no engine), 1 (left engine), 2 (main engine) or 3 (right engine).
    """
    return 0
