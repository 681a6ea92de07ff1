"""Lab 3's models: schedules, budgets and queues, written independently of the kernel's."""
