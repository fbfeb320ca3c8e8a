"""What may be made, and what not: words, pictures and frames pass a gate before anything is
rendered, or reaches a chat. One file for each rule or policy."""
