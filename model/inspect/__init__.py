"""What looks at words, pictures and clips by models, in limited processes of its own."""
