"""What the faults are measured with: a load in a process of its own, and what its clients saw."""
