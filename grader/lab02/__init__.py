"""What lab 2 is graded against: models of our own, and their counterparts in the guest's memory."""
