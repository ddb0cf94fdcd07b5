"""Training on unlabelled video: pair mining, losses, batches, teacher, students and selector."""
