"""Inside the frameworks of others: a voice agent that hears only what is meant for it."""
