"""The pages tried as a new user would: a wheel, a new environment, no source."""
