"""What a run is and what to do next: pure, no I/O, standard library only."""
