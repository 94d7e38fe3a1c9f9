"""The API of the web application over a world: schema, resolvers, pages of activity, payments."""
