"""SQL and disk. Knows how to keep accounts, jobs, credits, clips; nothing of platforms or torch."""
