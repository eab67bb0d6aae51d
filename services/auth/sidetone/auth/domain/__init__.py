"""What accounts, logins, devices and grants are. Pure."""
