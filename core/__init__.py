"""The business of Kinora: requests, prices, jobs, the queue; no platform, SQL or torch."""
