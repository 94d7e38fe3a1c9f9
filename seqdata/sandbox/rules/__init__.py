"""Rules: what they say, how they are read, and what one decides on given balances.

Nothing in here knows of a household, of a server or of a clock: `world.rulebook` runs the rules of
an organization on its books, and asks these modules what to do.
"""
