"""What moved, when, and what was there: balances over time and the cash flow."""
