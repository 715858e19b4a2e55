"""Every defence taken out once, by machine: the lists, the run, and a quick check that the lists fit the code."""
