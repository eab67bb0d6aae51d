"""Every service on one machine, and the sidetone command."""
