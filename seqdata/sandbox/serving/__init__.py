"""How a world is served: sockets, TLS and HTTP/2, the origins, and the control endpoints."""
