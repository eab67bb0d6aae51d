"""The ports, made of SQL, HTTP and the bus."""
