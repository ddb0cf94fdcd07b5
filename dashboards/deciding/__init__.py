"""Parts of the page Models: promoting, rejecting and rolling back, each with a confirmation and a reason."""
