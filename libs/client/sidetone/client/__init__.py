"""The SDK that bots and the desktop stand on."""
