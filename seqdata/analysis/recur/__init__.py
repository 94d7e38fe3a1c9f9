"""What comes again: recurring payments, and the balances they lead to."""
