"""What Home shows in a workspace that has nothing yet."""
