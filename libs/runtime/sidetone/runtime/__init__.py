"""What every process needs in order to run: settings, logs, time, TLS, HTTP manners."""
