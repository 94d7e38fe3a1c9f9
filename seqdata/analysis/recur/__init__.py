"""What comes again: recurring payments, and the balances they lead to.

From transfers to balances, a module a step; many series are computed at once (``rows``), on days
that are whole numbers (``calendar_days``):

- ``series`` tells which transfers are turns of one thing, by how often they come (``cadence``);
- ``rule`` reads from their days when each is due, and walks on from there; ``amounts`` says what a
  turn costs, and what it cost before;
- ``recurring`` is the table of the series, ``upcoming`` that of the moves ahead, with what ports
  pass on (``splits``);
- ``forecast`` carries balances over these moves; ``lookback`` makes it again at days of the past,
  and takes the bands from its errors; ``projection`` and ``backtest`` are their tables.
"""
