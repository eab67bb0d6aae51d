"""Tables, stores, child processes and the web behind the ports of media."""
