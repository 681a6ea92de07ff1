"""What grades lab 4: harts as puppets, and what a call does to memory."""
