"""The login of the sandbox: its pages, how far each one is, and the tokens it gives."""
