"""From microphone to Opus and back."""
