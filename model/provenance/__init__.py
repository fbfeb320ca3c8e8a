"""What is drawn into clips, signed into their files, and found in any file."""
