"""The login in a browser: a flow of steps, with Chromium at its edge, and what a failure leaves."""
