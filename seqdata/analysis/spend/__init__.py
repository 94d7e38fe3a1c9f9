"""What money was for: payees, categories, spending and where it went."""
