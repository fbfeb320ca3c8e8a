"""What the stand-ins of all platforms are made with: their time, and waiting for changes."""
