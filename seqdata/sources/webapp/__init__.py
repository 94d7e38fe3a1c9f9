"""The API of Sequence's web application: GraphQL over browser-like HTTP."""
