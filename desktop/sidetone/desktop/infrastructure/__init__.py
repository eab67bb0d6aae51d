"""The system around the client: keys, tray, files, the web server that shows it."""
