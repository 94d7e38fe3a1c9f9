"""The services that money is asked of: each translates into our words at the border."""
