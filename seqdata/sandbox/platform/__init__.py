"""The official REST API of Sequence, at `/platform/v1`, over the same world as the web application.

Its description, in the project's own words, is `platform.openapi.json` beside this file: what a
request may look like is read from there.
"""
