"""Scenarios that hold every server and every client to the same behaviour, and the runner that executes them.

Read it as: ``scenarios`` (a file becomes steps, checked), ``shapes`` (its fields are the contract's), ``names`` (what ``$name``
stands for), ``matching`` (what equals what), ``calls`` and ``following`` (over the wire), ``servers`` (which server),
``running`` (steps in order), ``reporting`` (what is printed). The format is described beside the scenarios, in README.md.

Nothing of a bot imports this. It needs PyYAML, which ``lotkeeper[server]`` brings.
"""
