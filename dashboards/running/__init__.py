"""Parts of the page Flows: the form, the schedules, a run."""
