"""``python -m lotkeeperd`` is the command ``lotkeeper``."""

from lotkeeperd.cli import main

main()
